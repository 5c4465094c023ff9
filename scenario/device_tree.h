// SPDX-License-Identifier: Apache-2.0
// The one place where a flattened device tree becomes what the driver of a profile takes from it
// (Linux Documentation/devicetree/bindings/firmware/arm,scmi.yaml; drivers/of/{base,platform}.c;
// drivers/firmware/arm_scmi/driver.c scmi_probe, v6.12 scmi_transport_setup).
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "models/config.h"

namespace scmi_vp::scenario {

/// What a tree says about SCMI over virtio.
struct scmi_tree : models::device_tree_info {
    std::string node;                     ///< path, "/firmware/scmi"
    std::vector<std::string> properties;  ///< of the node: those of the binding, and "arm,*"
    std::vector<std::string> notes;       ///< what Linux passes over without a word
};

/// Reads the node that `chosen` names by path or name, else the only one available. `name` stands
/// for the file in errors. Throws scmi_vp::error (config) if it is no device tree blob, is cut
/// short, has SCMI over another transport only or not at all, or if the choice is open or wrong.
scmi_tree read_device_tree(std::istream& in, const std::string& name,
                           const std::string& chosen = "");

/// The keys of a scenario that have to do with the tree.
struct tree_choice {
    std::filesystem::path file;
    std::string bytes;
    std::string node;                                  ///< guest.scmi_node
    bool rx_timeout_given = false;                     ///< guest.max_rx_timeout
    std::optional<std::uint32_t> atomic_threshold_us;  ///< guest.atomic_threshold
};

/// One thing that the driver goes by, and who said it.
struct driver_value {
    std::string name;  ///< "rx_timeout"
    sim_time value;
    std::string from;  ///< "device tree scmi.dtb arm,max-rx-timeout-ms"
};

/// What came of a tree, for people and for summary.json.
struct device_tree_use {
    std::filesystem::path file;  ///< empty: none is given
    std::string node;
    std::vector<driver_value> values;
    std::vector<std::string> notes;
};

/// Puts into the guest what the driver of its profile takes from the tree; keys of the scenario win
/// over it. Without a file nothing but guest.atomic_threshold is put there. Errors: see
/// read_device_tree.
device_tree_use use_device_tree(const tree_choice& choice, models::guest_config& guest);

/// Nothing without a tree.
void print_device_tree(std::ostream& out, const device_tree_use& use,
                       const models::device_tree_info& tree);

}  // namespace scmi_vp::scenario
