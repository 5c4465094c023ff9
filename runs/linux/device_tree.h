// SPDX-License-Identifier: Apache-2.0
// A device tree blob with the SCMI node of a scenario, for a real kernel.
#pragma once

#include <string>

#include "models/config.h"

namespace scmi_vp::runs {

/// Linux Documentation/devicetree/bindings/firmware/arm,scmi.yaml. read_device_tree() reads it
/// back. Throws scmi_vp::error (model) if libfdt cannot build it.
std::string make_device_tree(const models::device_tree_info& info);

}  // namespace scmi_vp::runs
