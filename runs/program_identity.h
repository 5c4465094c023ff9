// SPDX-License-Identifier: Apache-2.0
// Who makes results. cmake/ScmiVpIdentity.cmake makes the definitions.
#pragma once

namespace scmi_vp::runs {

extern const char* const program_version;  ///< "0.1.0"
extern const char* const source_digest;    ///< of the sources of everything that results depend on

}  // namespace scmi_vp::runs
