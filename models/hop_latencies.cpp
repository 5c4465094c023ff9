// SPDX-License-Identifier: Apache-2.0
// See hop_latencies.h.
#include "models/hop_latencies.h"

#include <string>

namespace scmi_vp::models {

latency hop_latency_of(const system_config& c, hop h) {
    const distribution_ptr& d = c.hops[std::size_t(h)];
    if (!d) return latency();
    return latency(d, random_stream(c.seed, "hops." + std::string(name_of(h)), "latency"));
}

host_latencies host_latencies_of(const system_config& c) {
    host_latencies l;
    l.notify = hop_latency_of(c, hop::notify);
    l.host_wake = hop_latency_of(c, hop::host_wake);
    l.queue = hop_latency_of(c, hop::queue);
    l.service = hop_latency_of(c, hop::service);
    l.return_ = hop_latency_of(c, hop::return_);
    if (c.platform.delayed_work) {
        l.delayed_work =
            latency(c.platform.delayed_work, random_stream(c.seed, "platform", "delayed_work"));
    }
    for (std::size_t i = 0; i < c.platform.service.size(); ++i) {
        const service_rule& rule = c.platform.service[i];
        const std::string name = "platform.service." + std::to_string(i);
        l.rules.emplace_back(
            rule, rule.latency ? latency(rule.latency, random_stream(c.seed, name, "latency"))
                               : latency());
    }
    l.schedule = host_schedule(c.platform.slot, c.platform.pauses, c.seed, "platform");
    l.faults = fault_injector(c.platform.faults, c.seed);
    return l;
}

}  // namespace scmi_vp::models
