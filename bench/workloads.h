// SPDX-License-Identifier: Apache-2.0
// The systems that the benchmarks simulate, as data, and who takes what such a system tells.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "models/agent/protocol_table.h"
#include "models/config.h"
#include "models/monitor.h"

namespace scmi_vp::bench {

/// Keeps nothing; a broken rule ends the run with scmi_vp::error (model).
class null_sink : public models::run_sink {
public:
    void on_request(const models::request&) override {}
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line&) override {}
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation& v) override {
        throw error(error_kind::model, v.checker + ": " + v.what);
    }
};

/// One context that makes `count` reads of a sensor, thinking before each; notify 1 us, service
/// 2 us, interrupt 1 us, no cost of the guest's own, ftrace off.
inline models::system_config reads(std::uint64_t count, sim_time think, sim_time rx_timeout) {
    models::system_config c;
    c.title = "one request";
    c.duration = seconds(3600 * 24 * 10);
    c.guest.profile = *models::find_profile("linux-6.1");
    c.guest.profile.max_rx_timeout = rx_timeout;
    c.guest.costs = *models::find_cost_preset("free");
    c.guest.ftrace = false;
    c.guest.device_tree.protocols = {scmi::protocol::sensor};
    c.guest.contexts = {{"sh", 1, 0}};
    models::call_loop loop;
    loop.context = "sh";
    loop.calls = {{models::call_named("sensor_read"), 0, 0}};
    loop.count = count;
    loop.think = make_constant(think);
    c.guest.loops = {loop};
    c.platform.description.agents = {{"agent"}};
    c.platform.description.protocols = {scmi::protocol::sensor};
    scmi::sensor_description sensor;
    sensor.name = "t0";
    c.platform.description.sensors = {sensor};
    c.hops[std::size_t(hop::notify)] = make_constant(microseconds(1));
    c.hops[std::size_t(hop::service)] = make_constant(microseconds(2));
    c.hops[std::size_t(hop::interrupt)] = make_constant(microseconds(1));
    return c;
}

/// Four contexts on two CPUs read sensors and set clocks, `count` times each, through a platform
/// whose host is often late and now and then frozen: what testbenches/quickstart studies.
inline models::system_config busy_guest(std::uint64_t count) {
    models::system_config c = reads(count, microseconds(0), milliseconds(30));
    c.title = "busy guest";
    c.guest.cpus = 2;
    c.guest.costs.mmio_read = c.guest.costs.mmio_write = microseconds(2);
    c.guest.costs.irq_entry = microseconds(1);
    c.guest.costs.context_switch = microseconds(2);
    c.guest.device_tree.protocols = {scmi::protocol::clock, scmi::protocol::sensor};
    c.guest.contexts = {{"thermald", 1, 0}, {"hwmon", 2, 1}, {"cpufreq", 3, 0}, {"devfreq", 4, 1}};
    c.guest.loops.clear();
    for (const models::context_config& context : c.guest.contexts) {
        models::call_loop loop;
        loop.context = context.name;
        if (context.cpu == 0) loop.calls.push_back({models::call_named("sensor_read"), 0, 0});
        loop.calls.push_back({models::call_named("clock_set_rate"), 0, 500'000'000});
        loop.calls.push_back({models::call_named("clock_set_rate"), 0, 600'000'000});
        loop.count = count;
        loop.think = make_exponential(milliseconds(2));
        c.guest.loops.push_back(loop);
    }
    c.platform.description.protocols = {scmi::protocol::clock, scmi::protocol::sensor};
    scmi::clock_description clock;
    clock.name = "cpu";
    clock.rate = 500'000'000;
    clock.rates.list = {500'000'000, 600'000'000};
    c.platform.description.clocks = {clock};
    c.platform.pauses = {
        {make_exponential(seconds(20)), make_uniform(milliseconds(100), milliseconds(500)), 0}};
    models::fault_config loss;
    loss.name = "platform.loss.0";
    loss.probability = 1e-4;
    c.platform.faults = {loss};
    c.hops[std::size_t(hop::notify)] = make_constant(microseconds(2));
    c.hops[std::size_t(hop::host_wake)] = make_lognormal(microseconds(60), 0.5);
    c.hops[std::size_t(hop::service)] = make_lognormal(microseconds(50), 0.4);
    c.hops[std::size_t(hop::interrupt)] = make_constant(microseconds(5));
    c.hops[std::size_t(hop::guest_wake)] = make_constant(microseconds(3));
    return c;
}

}  // namespace scmi_vp::bench
