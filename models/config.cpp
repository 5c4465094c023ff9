// SPDX-License-Identifier: Apache-2.0
// The tables behind config.h: driver profiles, cost presets.
#include "models/config.h"

#include <algorithm>

#include "models/agent/protocol_driver.h"

namespace scmi_vp::models {
namespace {

driver_profile linux_6_1() {
    driver_profile p;
    p.name = "linux-6.1";
    p.max_rx_timeout = seconds(60);  // drivers/firmware/arm_scmi/virtio.c scmi_virtio_desc
    p.max_delayed_response =
        seconds(2);  // drivers/firmware/arm_scmi/driver.c SCMI_MAX_RESPONSE_TIMEOUT
    return p;
}

driver_profile linux_6_12() {
    driver_profile p = linux_6_1();
    p.name = "linux-6.12";
    p.driver_ok_in_driver_probe = true;  // transports/virtio.c scmi_vio_probe: virtio_device_ready
    p.deferral_logged = false;
    p.transport_device_logs = true;     // driver.c scmi_transport_setup
    p.rejected_messages_traced = true;  // driver.c scmi_bad_message_trace
    p.instance_device = "arm-scmi arm-scmi.0.auto";
    p.do_xfer_inlined = true;
    p.set_up_failure_logged = true;
    p.tree_properties = {"arm,max-rx-timeout-ms", "atomic-threshold-us"};
    p.trace_format = traces::ftrace_format::linux_6_3;
    return p;
}

struct named_costs {
    std::string_view name;
    guest_costs costs;
};

const std::vector<named_costs>& cost_presets() {
    static const std::vector<named_costs> presets = [] {
        guest_costs uml;
        // User-Mode Linux with time-travel: reading the clock advances it by 256 ns
        // (arch/um/kernel/time.c timer_read), everything else is free; printk uses jiffies.
        uml.clock_read = nanoseconds(256);
        uml.clock_granularity = nanoseconds(256);
        uml.cpu_relax = nanoseconds(1);  // arch/um/include/asm/processor-generic.h
        uml.printk_on_tick = true;
        return std::vector<named_costs>{{"free", guest_costs{}}, {"uml-time-travel", uml}};
    }();
    return presets;
}

}  // namespace

const std::vector<driver_profile>& driver_profiles() {
    static const std::vector<driver_profile> profiles{linux_6_1(), linux_6_12()};
    return profiles;
}

const driver_profile* find_profile(const std::string& name) {
    for (const driver_profile& p : driver_profiles()) {
        if (p.name == name) return &p;
    }
    return nullptr;
}

bool reads_property(const driver_profile& p, std::string_view property) {
    const auto& all = p.tree_properties;
    return std::find(all.begin(), all.end(), property) != all.end();
}

std::string device_name(const device_tree_info& tree) {
    return (tree.parents.empty() ? "" : tree.parents + ":") + tree.scmi_node;
}

const guest_costs* find_cost_preset(std::string_view name) {
    for (const named_costs& p : cost_presets()) {
        if (p.name == name) return &p.costs;
    }
    return nullptr;
}

std::vector<std::string_view> cost_preset_names() {
    std::vector<std::string_view> names;
    for (const named_costs& p : cost_presets()) names.push_back(p.name);
    return names;
}

bool has_driver(const guest_config& g, std::string_view name) {
    return std::find(g.drivers.begin(), g.drivers.end(), name) != g.drivers.end();
}

std::vector<context_config> all_contexts(const guest_config& g) {
    std::vector<context_config> all{g.probe_context};
    all.insert(all.end(), g.contexts.begin(), g.contexts.end());
    if (has_driver(g, caller_driver)) all.push_back(g.loader);
    constexpr int first_pid = 8, first_id = 90;
    for (unsigned i = 0; i < g.power_off_workers; ++i) {
        // kernel/workqueue.c create_worker(): kworker/<cpu>:<id>; ids that no scenario is likely to
        // have.
        all.push_back({"kworker/0:" + std::to_string(first_id + i), first_pid + int(i), 0});
    }
    return all;
}

void prepare_for(guest_config& g, const scmi::platform_description& platform) {
    g.power_off_workers =
        has_driver(g, "scmi-power-domain") ? unsigned(platform.power_domains.size()) : 0;
    g.sensor_types.clear();
    for (const scmi::sensor_description& s : platform.sensors) g.sensor_types.push_back(s.type);
    g.clock_names.clear();
    for (const scmi::clock_description& c : platform.clocks) g.clock_names.push_back(c.name);
}

}  // namespace scmi_vp::models
