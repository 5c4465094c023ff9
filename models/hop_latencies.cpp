// SPDX-License-Identifier: Apache-2.0
// See hop_latencies.h.
#include "models/hop_latencies.h"

#include <string>

namespace scmi_vp::models {
namespace {

/// Of the streams of agent n; the first one's have no mark.
std::string mark_of(std::uint32_t agent) {
    return agent == 1 ? "" : ".agent" + std::to_string(agent);
}

}  // namespace

latency hop_latency_of(const system_config& c, hop h, std::uint32_t agent) {
    const distribution_ptr& d = c.hops[std::size_t(h)];
    if (!d) return latency();
    return latency(
        d, random_stream(c.seed, "hops." + std::string(name_of(h)) + mark_of(agent), "latency"));
}

guest_hop_latencies guest_hop_latencies_of(const system_config& c) {
    const auto of = [&c](hop h) { return hop_latency_of(c, h); };
    return {of(hop::interrupt),
            of(hop::guest_wake),
            {of(hop::prepare), of(hop::lock), of(hop::publish), of(hop::collect), of(hop::complete),
             of(hop::poll)}};
}

host_latencies host_latencies_of(const system_config& c, std::uint32_t agent) {
    const std::string mark = mark_of(agent);
    host_latencies l;
    l.notify = hop_latency_of(c, hop::notify, agent);
    l.host_wake = hop_latency_of(c, hop::host_wake, agent);
    l.queue = hop_latency_of(c, hop::queue, agent);
    l.service = hop_latency_of(c, hop::service, agent);
    l.return_ = hop_latency_of(c, hop::return_, agent);
    if (c.platform.delayed_work) {
        l.delayed_work = latency(c.platform.delayed_work,
                                 random_stream(c.seed, "platform" + mark, "delayed_work"));
    }
    for (std::size_t i = 0; i < c.platform.service.size(); ++i) {
        const service_rule& rule = c.platform.service[i];
        const std::string name = "platform.service." + std::to_string(i) + mark;
        l.rules.emplace_back(
            rule, rule.latency ? latency(rule.latency, random_stream(c.seed, name, "latency"))
                               : latency());
    }
    l.schedule = host_schedule(c.platform.slot, c.platform.pauses, c.seed, "platform");
    std::vector<fault_config> faults = c.platform.faults;
    for (fault_config& f : faults) f.name += mark;
    l.faults = fault_injector(std::move(faults), c.seed);
    return l;
}

}  // namespace scmi_vp::models
