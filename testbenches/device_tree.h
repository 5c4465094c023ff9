// SPDX-License-Identifier: Apache-2.0
// Reads what the SCMI driver reads from a flattened device tree: its node, the protocols, the
// timeout (Linux Documentation/devicetree/bindings/firmware/arm,scmi.yaml).
#pragma once

#include <istream>
#include <string>

#include "models/config.h"

namespace scmi_vp::testbenches {

/// Finds the node compatible with "arm,scmi-virtio", wherever it is. `name` stands for the file in
/// errors. Throws scmi_vp::error (config) if it is no device tree blob, is cut short, or has no
/// such node, no protocol in it, a protocol without reg, or a timeout of 0.
models::device_tree_info read_device_tree(std::istream& in, const std::string& name);

}  // namespace scmi_vp::testbenches
