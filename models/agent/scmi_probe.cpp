// SPDX-License-Identifier: Apache-2.0
// See scmi_probe.h.
#include "models/agent/scmi_probe.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace scmi_vp::models {
namespace {

const device_tree_info& tree_of(scmi_agent& agent) {
    return agent.kernel().config().device_tree;
}

void say_failed(guest_context& c, scmi_agent& agent, std::uint8_t protocol, int err) {
    const std::string code = std::to_string(err);
    agent.log(c, "unable to allocate SCMI idr slot err " + code);
    if (!agent.kernel().config().profile.set_up_failure_logged) return;
    char text[64];
    std::snprintf(text, sizeof text, "failed to setup channel for protocol:0x%X", protocol);
    agent.log(c, text);
    agent.log(c, "error " + code + ": failed to setup channels");          // dev_err_probe
    agent.log(c, "probe with driver arm-scmi failed with error " + code);  // call_driver_probe
}

}  // namespace

void say_transport(guest_context& c, scmi_agent& agent) {
    const driver_profile& p = agent.kernel().config().profile;
    if (!p.transport_device_logs) return;
    agent.log(c, "Using scmi_virtio_transport");
    if (tree_of(agent).malformed_rx_timeout && reads_property(p, "arm,max-rx-timeout-ms")) {
        agent.log(c, "Malformed arm,max-rx-timeout-ms DT property.");
    }
    agent.log(
        c, "SCMI max-rx-timeout: " + std::to_string(agent.rx_timeout() / milliseconds(1)) + "ms");
}

void say_atomic_threshold(guest_context& c, scmi_agent& agent) {
    const std::uint32_t us = agent.kernel().config().atomic_threshold_us;
    if (us == 0 && !tree_of(agent).atomic_threshold_us) return;
    // %d of a u32.
    agent.log(c, "SCMI System wide atomic threshold set to " +
                     std::to_string(static_cast<std::int32_t>(us)) + " us");
}

void say_out_of_range(guest_context& c, scmi_agent& agent, std::size_t index) {
    for (const out_of_range_node& n : tree_of(agent).out_of_range) {
        if (n.before != index) continue;
        agent.log(c, "Out of range protocol " + std::to_string(static_cast<std::int32_t>(n.reg)));
    }
}

bool set_up_protocol_channels(guest_context& c, scmi_agent& agent) {
    const std::vector<std::uint8_t>& protocols = tree_of(agent).protocols;
    for (std::size_t i = 0; i < protocols.size(); ++i) {
        say_out_of_range(c, agent, i);
        const auto here = protocols.begin() + std::ptrdiff_t(i);
        const bool taken = protocols[i] == scmi::protocol::base ||
                           std::find(protocols.begin(), here, protocols[i]) != here;
        if (!taken) continue;
        say_failed(c, agent, protocols[i], -ENOSPC);
        return false;
    }
    say_out_of_range(c, agent, protocols.size());
    return true;
}

}  // namespace scmi_vp::models
