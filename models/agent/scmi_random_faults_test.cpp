// SPDX-License-Identifier: Apache-2.0
// Whatever becomes of messages, the driver goes on: every kind of fault at random on every kind of
// message, with callers that sleep, poll, wait for delayed responses and listen to notifications.
// The checkers watch (virtqueue ownership, interrupt line, hop sums).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using namespace testing_tools;
namespace protocol = scmi::protocol;

fault_config at_random(std::size_t row, fault_kind kind, double probability) {
    fault_config f;
    f.name = "platform.fault." + std::to_string(row);
    f.kind = kind;
    f.target = kind == fault_kind::reorder ? fault_target::response : fault_target::any;
    f.from = milliseconds(5);  // the probe is over
    f.probability = probability;
    return f;
}

std::vector<fault_config> all_faults() {
    std::vector<fault_config> all;
    const auto add = [&all](fault_kind kind) -> fault_config& {
        return all.emplace_back(at_random(all.size(), kind, 0.04));
    };
    add(fault_kind::drop).count = 20;  // each takes a message object away for good
    add(fault_kind::drop).target = fault_target::delayed_response;
    add(fault_kind::delay).delay = make_exponential(milliseconds(2));
    add(fault_kind::duplicate).delay = make_exponential(microseconds(200));
    add(fault_kind::duplicate).edit.type = scmi::message_type::delayed_response;
    add(fault_kind::duplicate).edit.token_add = 1;
    add(fault_kind::reorder).delay = make_constant(milliseconds(3));
    add(fault_kind::truncate).length = 4;
    add(fault_kind::truncate).length = 0;
    add(fault_kind::length).length = 60'000;
    add(fault_kind::rewrite).edit.type = scmi::message_type::notification;
    add(fault_kind::rewrite).edit.type = scmi::message_type::reserved;
    add(fault_kind::rewrite).edit.token_add = 3;
    add(fault_kind::rewrite).edit.status = -9;
    fault_config& bytes = add(fault_kind::corrupt);
    bytes.bytes = {0x55, 0xaa, 0xff, 0x10, 0x80};
    bytes.exclusive_or = true;
    return all;
}

system_config everything() {
    system_config c = small_system();
    scmi::platform_description& p = c.platform.description;
    p.protocols = {protocol::power, protocol::perf, protocol::clock, protocol::sensor};
    p.power_domains.resize(1);
    p.power_domains[0].name = "gpu";
    p.power_domains[0].on = false;
    p.power_domains[0].notifies = true;
    p.performance_domains.resize(1);
    p.performance_domains[0].name = "cpu";
    p.performance_domains[0].levels = {{1000, 0, 0}, {2000, 0, 0}};
    p.performance_domains[0].level = 2000;
    p.performance_domains[0].notifies_limits = p.performance_domains[0].notifies_level = true;
    p.sensors[0].trip_points = 1;
    p.clock_max_async = 3;
    c.guest.device_tree.protocols = p.protocols;
    c.guest.drivers = {"clk-scmi", "scmi-hwmon", "scmi-cpufreq", "scmi-power-domain"};
    c.guest.profile.max_rx_timeout = milliseconds(4);
    c.guest.profile.max_delayed_response = milliseconds(10);
    c.guest.cpus = 2;
    c.guest.hz = 1000;
    c.platform.workers = 0;
    c.platform.delayed_work = make_exponential(microseconds(300));
    c.hops[std::size_t(hop::service)] = make_exponential(microseconds(100));
    c.hops[std::size_t(hop::interrupt)] = make_exponential(microseconds(20));
    c.device.eventq_size = 4;
    return c;
}

void add_task(system_config& c, const std::string& name, unsigned cpu, std::vector<call> all) {
    c.guest.contexts.push_back({name, 101 + int(c.guest.contexts.size()), cpu});
    call_loop l = loop_of(name, std::move(all), 300);
    l.think = make_exponential(microseconds(150));
    c.guest.loops.push_back(l);
}

class random_faults : public testing::TestWithParam<unsigned> {};

TEST_P(random_faults, do_not_stop_the_driver) {
    system_config c = everything();
    c.seed = GetParam();
    c.duration = seconds(60);
    c.guest.contexts.clear();
    const event_row *limits = event_named("perf_limits_changed"),
                    *level = event_named("perf_level_changed"),
                    *power = event_named("power_state_changed"),
                    *trip = event_named("sensor_trip_point");
    add_task(c, "sensors", 0,
             {{call_named("sensor_read"), 0, 0},
              {call_named("sensor_read"), 1, 0},
              {call_named("sensor_trip_config"), 0, 20}});
    add_task(c, "poller", 0,
             {{call_named("perf_level_set"), 0, 1000, true},
              {call_named("perf_level_get"), 0, 0, true},
              {call_named("clock_disable"), 0, 0, true}});
    add_task(c, "clocks", 1,
             {{call_named("clock_set_rate"), 0, 1'000'000},
              {call_named("clock_enable"), 0, 0, true},
              {call_named("clock_get_rate"), 0, 0}});
    add_task(c, "listener", 1,
             {about("notify_register", limits, 0),
              about("notify_register", level, 0),
              about("notify_register", power, 65535),
              about("notify_register", trip, 0),
              about("notify_unregister", limits, 0),
              {call_named("power_on"), 0, 0},
              {call_named("power_off"), 0, 0},
              set_limits(0, {1000, 2000})});
    const schedule_config often{milliseconds(3), microseconds(170), 0};
    c.platform.changes = {
        {"a",
         often,
         {{scmi::change_kind::performance_limits, 0, 1000, 1000},
          {scmi::change_kind::performance_limits, 0, 2000, 1000}}},
        {"b",
         often,
         {{scmi::change_kind::sensor_reading, 0, 30}, {scmi::change_kind::sensor_reading, 0, 10}}},
        {"c",
         often,
         {{scmi::change_kind::power_state, 0, 1}, {scmi::change_kind::power_state, 0, 0}}}};
    c.platform.faults = all_faults();
    rogue_system s(c);
    s.run();
    for (const violation& v : s.sink.violations) {
        ADD_FAILURE() << to_string(v.when) << ", " << v.checker << ": " << v.what;
    }
    for (const request& r : s.sink.requests) {
        for (const sim_time& h : r.hops()) {
            if (h >= sim_time{}) continue;
            std::string at;
            for (const sim_time& t : r.at) at += " " + to_string(t);
            ADD_FAILURE() << "request " << r.id << " reached " << int(r.reached) << " timed out "
                          << r.timed_out << ":" << at;
        }
    }
    for (const task_position& t : s.top.guest().positions()) {
        EXPECT_TRUE(t.finished) << t.task << " has made " << t.calls << " calls";
        EXPECT_LT(t.failed, t.calls) << t.task;
    }
    for (const fault_injector::row& r : s.top.platform().faults().rows()) {
        EXPECT_GT(r.hits, 0u) << r.config.name;
    }
    EXPECT_GT(s.top.platform().events().notifications, 100u);
    EXPECT_GT(s.top.guest().instance().notifications().counts().called, 10u);
}

INSTANTIATE_TEST_SUITE_P(seeds, random_faults, testing::Range(1u, 9u));

}  // namespace
}  // namespace scmi_vp::models
