// SPDX-License-Identifier: Apache-2.0
// report.html made again from a folder of results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace scmi_vp::studies {

struct written_report {
    std::filesystem::path path;
    std::uintmax_t bytes = 0;
    std::string early;  ///< what to say when it is of a study that did not come to its end
};

/// `folder` is a study's or a run's; the latter is repeated for its statistics, and the run of the
/// slowest request for its story. What was measured is reported from its own rows. Throws
/// scmi_vp::error: what load_results() and story_of() throw, (output) when report.html cannot be
/// written or is not scmi-vp's.
written_report rebuild_report(const std::filesystem::path& folder);

}  // namespace scmi_vp::studies
