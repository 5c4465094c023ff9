// SPDX-License-Identifier: Apache-2.0
// What the driver of a profile takes from a tree, and what it leaves.
#include <algorithm>
#include <sstream>

#include "scenario/device_tree.h"

namespace scmi_vp::scenario {
namespace {

using models::guest_config;

sim_time threshold_time(const guest_config& g) {
    return microseconds(1) * std::int64_t(g.atomic_threshold_us);
}

/// ", not the tree's 5s".
std::string instead_of(bool overruled, sim_time in_tree) {
    return overruled ? ", not the tree's " + to_string(in_tree) : "";
}

driver_value rx_timeout(const tree_choice& c, guest_config& g, const std::string& tree) {
    const char* const property = "arm,max-rx-timeout-ms";
    const auto& ms = g.device_tree.max_rx_timeout_ms;
    const bool reads = ms && models::reads_property(g.profile, property);
    const sim_time in_tree = milliseconds(1) * std::int64_t(ms.value_or(0));
    std::string from = "profile " + g.profile.name;
    if (c.rx_timeout_given) {
        from = "guest.max_rx_timeout" + instead_of(reads, in_tree);
    } else if (reads) {
        g.profile.max_rx_timeout = in_tree;
        from = tree + " " + property;
    }
    return {"rx_timeout", g.profile.max_rx_timeout, from};
}

driver_value atomic_threshold(const tree_choice& c, guest_config& g, const std::string& tree) {
    const char* const property = "atomic-threshold-us";
    const auto us = g.device_tree.atomic_threshold_us;
    const bool reads = us && models::reads_property(g.profile, property);
    std::string from = "profile " + g.profile.name;
    if (c.atomic_threshold_us) {
        from = "guest.atomic_threshold" +
               instead_of(reads, microseconds(1) * std::int64_t(us.value_or(0)));
        g.atomic_threshold_us = *c.atomic_threshold_us;
        // As if the tree had said so; nothing and 0 are one, but for a line in the log.
        g.device_tree.atomic_threshold_us = c.atomic_threshold_us;
        if (*c.atomic_threshold_us == 0) g.device_tree.atomic_threshold_us.reset();
    } else if (reads) {
        g.atomic_threshold_us = *us;
        from = tree + " " + property;
    }
    return {"atomic_threshold", threshold_time(g), from};
}

/// "linux-6.1 does not read arm,max-msg, arm,max-msg-size".
void note_unread(device_tree_use& use, const scmi_tree& tree, const models::driver_profile& p) {
    std::string unread;
    for (const std::string& name : tree.properties) {
        if (models::reads_property(p, name)) continue;
        unread += (unread.empty() ? "" : ", ") + name;
    }
    if (!unread.empty()) use.notes.push_back(p.name + " does not read " + unread);
}

std::string hex(std::uint8_t n) {
    std::ostringstream out;
    out << "0x" << std::hex << unsigned(n);
    return out.str();
}

}  // namespace

device_tree_use use_device_tree(const tree_choice& c, guest_config& g) {
    device_tree_use use;
    if (c.file.empty()) {
        atomic_threshold(c, g, "");
        return use;
    }
    std::istringstream in(c.bytes);
    const scmi_tree tree = read_device_tree(in, c.file.string(), c.node);
    g.device_tree = static_cast<const models::device_tree_info&>(tree);
    use.file = c.file;
    use.node = tree.node;
    use.notes = tree.notes;
    const std::string from = "device tree " + c.file.string();
    use.values.push_back(rx_timeout(c, g, from));
    use.values.push_back(atomic_threshold(c, g, from));
    note_unread(use, tree, g.profile);
    return use;
}

void print_device_tree(std::ostream& out, const device_tree_use& use,
                       const models::device_tree_info& tree) {
    if (use.file.empty()) return;
    out << "device tree " << use.file.string() << ", " << use.node;
    const char* between = ": protocols ";
    for (const std::uint8_t p : tree.protocols) {
        out << between << hex(p);
        between = ", ";
    }
    out << "\n";
    for (const driver_value& v : use.values) {
        std::string name = v.name;
        std::replace(name.begin(), name.end(), '_', ' ');
        out << "  " << name << " " << to_string(v.value) << ": " << v.from << "\n";
    }
    for (const std::string& n : use.notes) out << "  note: " << n << "\n";
}

}  // namespace scmi_vp::scenario
