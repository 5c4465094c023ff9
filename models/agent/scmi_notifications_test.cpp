// SPDX-License-Identifier: Apache-2.0
// The notification core of the driver and the operations that drivers call directly, against
// drivers/firmware/arm_scmi/{notify,base,perf,power,sensors,clock}.c of Linux 6.1; functions are
// named.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using scmi::change_kind;
using scmi::message_type;
using testing::ElementsAre;
using testing::IsEmpty;
using strings = std::vector<std::string>;
using namespace testing_tools;
namespace protocol = scmi::protocol;

const event_row *const limits_changed = event_named("perf_limits_changed"),
                       *const level_changed = event_named("perf_level_changed"),
                       *const power_changed = event_named("power_state_changed"),
                       *const trip_point = event_named("sensor_trip_point"),
                       *const base_error = event_named("base_error");
constexpr std::uint32_t all_sources = 0xffff;

call asks(const event_row* event, std::uint32_t source) {
    return about("notify_register", event, source);
}

/// A platform with two performance domains, a power domain and two sensors that tell of all.
system_config talkative(std::vector<call> all) {
    system_config c = calls(std::move(all));
    scmi::platform_description& p = c.platform.description;
    p.protocols = {protocol::power, protocol::perf, protocol::clock, protocol::sensor};
    c.guest.device_tree.protocols = p.protocols;
    c.guest.drivers = {"clk-scmi", "scmi-hwmon", "scmi-cpufreq", "scmi-power-domain"};
    p.base_notifies = true;
    p.power_domains.resize(1);
    p.power_domains[0].name = "gpu";
    p.power_domains[0].notifies = true;
    p.performance_domains.resize(2);
    for (scmi::performance_domain_description& d : p.performance_domains) {
        d.name = "cpu";
        d.levels = {{1000, 0, 0}, {2000, 0, 0}};
        d.level = 2000;
        d.notifies_limits = d.notifies_level = true;
    }
    p.sensors[0].trip_points = 1;
    return c;
}

void change(system_config& c, sim_time at, scmi::platform_change what, std::uint64_t count = 1,
            sim_time every = microseconds(10)) {
    c.platform.changes.push_back({"platform.change.0", {at, every, count}, {what}});
}

/// "13/9: 0 1 -> 0" of each request after the probe's: protocol/message: command -> errno.
strings commands(const rogue_system& s) {
    strings all;
    for (std::size_t i = 0; i < s.sink.events.size(); ++i) {
        const traces::ftrace_event& e = s.sink.events[i];
        if (e.kind != traces::ftrace_kind::msg_dump || e.tag != "CMND" || e.task != "task")
            continue;
        char head[20];
        std::snprintf(head, sizeof head, "%x/%x:", e.protocol_id, e.message_id);
        std::string text = head;
        for (std::size_t at = 0; at < e.payload.size(); at += 4) {
            text += " " + std::to_string(scmi::get_u32(e.payload.data(), e.payload.size(), at));
        }
        all.push_back(text);
    }
    return all;
}

void expect_sound(const rogue_system& s) {
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

// *_proto_ops: what each operation sends.
TEST(operations, send_what_linux_sends) {
    rogue_system s(talkative({{call_named("power_state_set"), 0, 0x40000000},
                              {call_named("power_state_get"), 0, 0},
                              set_limits(1, {1000, 2000}),
                              {call_named("perf_limits_get"), 1, 0},
                              {call_named("perf_level_set"), 1, 1000},
                              {call_named("sensor_trip_config"), 0, 5ull << 32 | 7}}));
    s.run();
    EXPECT_THAT(commands(s), ElementsAre("11/4: 0 0 1073741824", "11/5: 0", "13/5: 1 2000 1000",
                                         "13/6: 1", "13/7: 1 1000", "15/5: 0 3 7 5"));
    for (const request& r : s.sink.requests) EXPECT_EQ(r.result, outcome::ok);
    expect_sound(s);
}

// scmi_perf_domain_lookup: -EINVAL without a message; so do two zero limits since 3.0.
TEST(operations, refuse_what_linux_refuses_without_a_message) {
    system_config c = talkative({set_limits(9, {1, 0}), set_limits(0, {0, 0})});
    c.platform.description.performance_version = 0x30000;
    rogue_system s(c);
    s.run();
    EXPECT_THAT(commands(s), IsEmpty());
    EXPECT_EQ(s.top.guest().positions()[0].failed, 2u);
}

// scmi_clock_rate_set: asynchronous below max_async_req, counting this one.
TEST(operations, clock_rate_set_is_asynchronous_below_the_maximum) {
    for (const auto& [max, async] : {std::pair{0, false}, {1, false}, {2, true}}) {
        in_child([max = max, async = async] {
            system_config c = talkative({{call_named("clock_set_rate"), 0, 2'000'000}});
            c.platform.description.clock_max_async = std::uint8_t(max);
            rogue_system s(c);
            s.run();
            EXPECT_THAT(commands(s),
                        ElementsAre("14/5: " + std::to_string(int(async)) + " 0 2000000 0"));
            EXPECT_EQ(s.sink.requests.back().delayed,
                      async ? delayed_state::received : delayed_state::none);
            EXPECT_EQ(s.top.guest().positions()[0].failed, 0u);
            expect_sound(s);
        });
    }
}

// __scmi_enable_evt: one command per source, for the first user of each.
TEST(notifiers, enable_each_source_once) {
    rogue_system s(talkative({asks(limits_changed, 1), asks(limits_changed, 1),
                              asks(limits_changed, all_sources), asks(level_changed, 0),
                              asks(power_changed, 0), asks(trip_point, 0), asks(base_error, 0)}));
    s.run();
    EXPECT_THAT(commands(s), ElementsAre("13/9: 1 1", "13/9: 0 1", "13/a: 0 1", "11/6: 0 1",
                                         "15/4: 0 1", "10/8: 1"));
    expect_sound(s);
}

// scmi_put_handler: the last user switches it off.
TEST(notifiers, disable_with_their_last_user) {
    const call gone = about("notify_unregister", limits_changed, 1);
    rogue_system s(talkative({asks(limits_changed, 1), asks(limits_changed, 1), gone, gone, gone}));
    s.run();
    EXPECT_THAT(commands(s), ElementsAre("13/9: 1 1", "13/9: 1 0"));
    EXPECT_EQ(s.top.guest().positions()[0].failed, 1u) << "-ENOENT: never registered";
    expect_sound(s);
}

// scmi_event_handler_enable_events: its message; a source that does not exist sends nothing.
TEST(notifiers, fail_when_no_source_can_be_enabled) {
    event_row unknown = *level_changed;
    unknown.event = 7;
    system_config c =
        talkative({asks(level_changed, 0), asks(level_changed, 7), asks(trip_point, 1),
                   asks(&unknown, 0), asks(trip_point, all_sources)});
    c.platform.description.performance_domains[0].notifies_level = false;
    rogue_system s(c);
    s.run();
    EXPECT_THAT(commands(s), ElementsAre("13/a: 0 1", "15/4: 1 1", "15/4: 0 1", "15/4: 1 1"));
    // MAKE_HASH_KEY: protocol 31:24, event 23:16, source 15:0.
    const std::string text = "SCMI Notifications - Failed to ENABLE events for key:";
    EXPECT_THAT(s.log(),
                ElementsAre(text + "13010000 !", text + "13010007 !", text + "15000001 !"));
    EXPECT_EQ(s.top.guest().positions()[0].failed, 4u) << "all sources: one of two is enough";
    expect_sound(s);
}

TEST(notifiers, of_a_protocol_that_is_not_there_wait_without_traffic) {
    system_config c = talkative({asks(power_changed, 0)});
    c.guest.drivers = {"scmi-hwmon"};
    rogue_system s(c);
    s.run();
    EXPECT_THAT(commands(s), IsEmpty());
    EXPECT_EQ(s.top.guest().positions()[0].failed, 0u);
}

// scmi_handle_notification: NOTI and rx_done with type 3 and no token, then the notifiers.
TEST(a_notification, reaches_its_notifiers) {
    system_config c =
        talkative({asks(limits_changed, 0), asks(limits_changed, all_sources), base_version});
    c.guest.loops[0].think = make_constant(milliseconds(5));
    change(c, milliseconds(13), {change_kind::performance_limits, 0, 1000, 1000});
    change(c, milliseconds(14), {change_kind::performance_limits, 1, 1000, 1000});
    rogue_system s(c);
    s.run();
    EXPECT_EQ(s.top.platform().events().notifications, 2u);
    const notification_counts& n = s.top.guest().instance().notifications().counts();
    EXPECT_EQ(n.received, 2u);
    EXPECT_EQ(n.called, 3u) << "domain 0: both; domain 1: that of all sources";
    std::vector<const traces::ftrace_event*> seen;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.tag == "NOTI" || e.msg_type == 3) seen.push_back(&e);
    }
    ASSERT_EQ(seen.size(), 4u);
    EXPECT_EQ(seen[0]->payload.size(), 16u);
    EXPECT_EQ(seen[0]->seq, 0u);
    EXPECT_EQ(seen[1]->kind, traces::ftrace_kind::rx_done);
    EXPECT_EQ(seen[1]->transfer_id, seen[0]->transfer_id);
    EXPECT_THAT(s.log(), IsEmpty());
    expect_sound(s);
}

TEST(a_notification, of_a_crossed_trip_point_follows_its_configuration) {
    system_config c = talkative(
        {{call_named("sensor_trip_config"), 0, 80'000}, asks(trip_point, 0), base_version});
    c.guest.loops[0].think = make_constant(milliseconds(5));
    change(c, milliseconds(13), {change_kind::sensor_reading, 0, 70'000});
    change(c, milliseconds(14), {change_kind::sensor_reading, 0, 81'000});
    rogue_system s(c);
    s.run();
    EXPECT_EQ(s.top.guest().instance().notifications().counts().called, 1u);
    expect_sound(s);
}

// scmi_notify and scmi_process_event_payload.
TEST(a_notification, of_a_wrong_length_is_complained_of) {
    system_config c = talkative({asks(trip_point, 0), base_version});
    c.guest.loops[0].think = make_constant(milliseconds(5));
    const auto message = [&](sim_time at, std::uint8_t event, std::vector<std::uint32_t> words) {
        unsolicited_message m;
        m.when.at = at;
        m.hdr = {event, message_type::notification, protocol::sensor, 0};
        m.words = std::move(words);
        c.platform.unsolicited.push_back(m);
    };
    message(milliseconds(8), 0, {0, 0});                          // too short
    message(milliseconds(8) + microseconds(1), 0, {0, 0, 0, 0});  // too long
    message(milliseconds(8) + microseconds(2), 9, {0});           // no such event
    message(milliseconds(8) + microseconds(3), 0, {0, 1, 0});     // of a sensor nobody asked about
    message(milliseconds(8) + microseconds(4), 0, {});            // nothing at all
    rogue_system s(c);
    s.run();
    const std::string device = "arm-scmi firmware:scmi: SCMI Notifications - ";
    EXPECT_THAT(s.log(), ElementsAre(device + "report not available - proto:15  evt:0",
                                     device + "discard badly sized message"));
    const notification_counts& n = s.top.guest().instance().notifications().counts();
    EXPECT_EQ(n.received, 5u);
    EXPECT_EQ(n.unknown, 1u);
    EXPECT_EQ(n.unheard, 1u);
    EXPECT_EQ(n.called, 0u);
    expect_sound(s);
}

// A worker that does not get the CPU lets the queue of 4096 bytes fill up: 4096 / (24 + 16) = 102
// events of 16 bytes (scmi_notify: "queue full, dropping"), ten complaints in five seconds.
TEST(a_notification, that_finds_its_queue_full_is_dropped) {
    system_config c = talkative({asks(limits_changed, 0), base_version});
    c.guest.loops[0].think = make_constant(milliseconds(200));
    c.hops[std::size_t(hop::guest_wake)] = make_constant(milliseconds(3));
    c.platform.changes.push_back({"platform.change.0",
                                  {milliseconds(400), microseconds(10), 130},
                                  {{change_kind::performance_limits, 0, 1000, 1000},
                                   {change_kind::performance_limits, 0, 2000, 1000}}});
    rogue_system s(c);
    s.run();
    const notification_counts& n = s.top.guest().instance().notifications().counts();
    EXPECT_EQ(n.received, 130u);
    EXPECT_EQ(n.called, 102u);
    EXPECT_EQ(n.discarded, 28u);
    ASSERT_EQ(s.log().size(), 10u);
    EXPECT_THAT(s.log()[0], testing::HasSubstr("queue full, dropping proto_id:19  evt_id:0  ts:"));
    expect_sound(s);
}

// virtio 5.17.6.3: it may be dropped when there is no buffer; the platform counts it.
TEST(a_notification, without_an_event_buffer_is_dropped) {
    system_config c = talkative({asks(limits_changed, 0), base_version});
    c.guest.loops[0].think = make_constant(milliseconds(5));
    c.device.eventq_size = 1;
    c.guest.costs.irq_entry = microseconds(100);  // the driver takes its time
    change(c, milliseconds(13), {change_kind::performance_limits, 0, 1000, 1000});
    change(c, milliseconds(13) + microseconds(20),
           {change_kind::performance_limits, 0, 2000, 1000});
    rogue_system s(c);
    s.run();
    EXPECT_EQ(s.top.platform().events().notifications, 1u);
    EXPECT_EQ(s.top.platform().events().dropped, 1u);
    expect_sound(s);
}

}  // namespace
}  // namespace scmi_vp::models
