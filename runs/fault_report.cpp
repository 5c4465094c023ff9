// SPDX-License-Identifier: Apache-2.0
// See fault_report.h.
#include "runs/fault_report.h"

#include <nlohmann/json.hpp>

namespace scmi_vp::runs {
namespace {

void add_fault(nlohmann::ordered_json& summary, const models::fault_config& f,
               std::uint64_t matched, std::uint64_t hits) {
    summary["faults"].push_back({{"name", f.name},
                                 {"kind", std::string(name_of(f.kind))},
                                 {"matched", matched},
                                 {"hits", hits}});
}

void add_events(nlohmann::ordered_json& summary, const models::event_counts& e) {
    summary["events"] = {{"delayed_responses", e.delayed},
                         {"notifications", e.notifications},
                         {"others", e.others},
                         {"dropped", e.dropped}};
}

}  // namespace

void print_faults(std::ostream& out, const models::scmi_device& platform) {
    if (!platform.faults().empty()) out << "\n";
    for (const models::fault_injector::row& r : platform.faults().rows()) {
        out << r.config.name << " (" << name_of(r.config.kind) << "): hit " << r.hits << " of "
            << r.matched << " messages that match\n";
    }
    const std::uint64_t dropped = platform.events().dropped;
    if (dropped == 0) return;
    out << dropped << " message" << (dropped == 1 ? "" : "s")
        << " of the platform found no event buffer and went nowhere\n";
}

void add_faults(nlohmann::ordered_json& summary, const models::scmi_device& platform) {
    for (const models::fault_injector::row& r : platform.faults().rows()) {
        add_fault(summary, r.config, r.matched, r.hits);
    }
    const models::event_counts& e = platform.events();
    if (e.delayed + e.notifications + e.others + e.dropped == 0) return;
    add_events(summary, e);
}

void add_empty_faults(nlohmann::ordered_json& summary, const models::platform_config& platform) {
    for (const models::fault_config& f : platform.faults) add_fault(summary, f, 0, 0);
    add_events(summary, {});
}

}  // namespace scmi_vp::runs
