// SPDX-License-Identifier: Apache-2.0
// The tables behind config.h: driver profiles, cost presets, call names.
#include "models/config.h"

#include <algorithm>

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

namespace protocol = scmi::protocol;

/// In the order of call_kind.
constexpr call_info calls[] = {
    {call_kind::sensor_read, "sensor_read", protocol::sensor, "scmi-hwmon", "sensor"},
    {call_kind::clock_get_rate, "clock_get_rate", protocol::clock, "clk-scmi", "clock"},
    {call_kind::clock_set_rate, "clock_set_rate", protocol::clock, "clk-scmi", "clock"},
    {call_kind::clock_enable, "clock_enable", protocol::clock, "clk-scmi", "clock"},
    {call_kind::clock_disable, "clock_disable", protocol::clock, "clk-scmi", "clock"},
    {call_kind::base_version, "base_version", protocol::base, "", ""},
    {call_kind::perf_level_get, "perf_level_get", protocol::perf, "scmi-cpufreq",
     "performance domain"},
    {call_kind::perf_level_set, "perf_level_set", protocol::perf, "scmi-cpufreq",
     "performance domain"},
    {call_kind::power_on, "power_on", protocol::power, "scmi-power-domain", "power domain"},
    {call_kind::power_off, "power_off", protocol::power, "scmi-power-domain", "power domain"},
    {call_kind::power_state_set, "power_state_set", protocol::power, "scmi-power-domain",
     "power domain"},
    {call_kind::power_state_get, "power_state_get", protocol::power, "scmi-power-domain",
     "power domain"},
    {call_kind::perf_limits_set, "perf_limits_set", protocol::perf, "scmi-cpufreq",
     "performance domain"},
    {call_kind::perf_limits_get, "perf_limits_get", protocol::perf, "scmi-cpufreq",
     "performance domain"},
    {call_kind::sensor_trip_config, "sensor_trip_config", protocol::sensor, "scmi-hwmon", "sensor"},
    {call_kind::notify_register, "notify_register", protocol::base, "", "source"},
    {call_kind::notify_unregister, "notify_unregister", protocol::base, "", "source"},
    {call_kind::driver_unbind, "driver_unbind", protocol::base, "", ""},
    {call_kind::driver_bind, "driver_bind", protocol::base, "", ""},
};

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

const std::vector<user_driver>& user_drivers() {
    static const std::vector<user_driver> drivers{
        {"clk-scmi", protocol::clock, "scmi-clocks"},  // drivers/clk/clk-scmi.c
        {"iio-scmi", protocol::sensor,
         "scmi-sensor-iiodev"},  // drivers/iio/common/scmi_sensors/scmi_iio.c
        {"scmi-cpufreq", protocol::perf, "scmi-cpufreq"},  // drivers/cpufreq/scmi-cpufreq.c
        {"scmi-hwmon", protocol::sensor, "scmi-hwmon"},    // drivers/hwmon/scmi-hwmon.c
        {"scmi-power-domain", protocol::power,
         "scmi-power-domain"},  // drivers/firmware/arm_scmi/scmi_pm_domain.c
        // tools/linux/module/scmi_vp_caller.c
        {caller_driver, protocol::power, caller_driver},
        {caller_driver, protocol::perf, caller_driver},
        {caller_driver, protocol::clock, caller_driver},
        {caller_driver, protocol::sensor, caller_driver},
    };
    return drivers;
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

const call_info& info_of(call_kind k) {
    return calls[std::size_t(k)];
}

std::string_view name_of(call_kind k) {
    return std::size_t(k) < std::size(calls) ? calls[std::size_t(k)].name : "unknown";
}

std::optional<call_kind> call_kind_named(std::string_view name) {
    for (const call_info& n : calls) {
        if (n.name == name) return n.kind;
    }
    return std::nullopt;
}

}  // namespace scmi_vp::models
