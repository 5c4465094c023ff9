// SPDX-License-Identifier: Apache-2.0
// The driver and a platform with the faults that a scenario can ask for. What the driver does is
// that of Linux 6.1, drivers/firmware/arm_scmi/driver.c and virtio.c; functions are named.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using scmi::message_type;
using testing::ElementsAre;
using testing::IsEmpty;
using strings = std::vector<std::string>;
using namespace testing_tools;

/// Of replies to sensor reads.
fault_config of_reads(fault_kind kind, fault_target target = fault_target::response) {
    fault_config f;
    f.name = "platform.fault.0";
    f.kind = kind;
    f.target = target;
    f.match = {scmi::protocol::sensor, std::uint8_t(6), std::nullopt};
    return f;
}

/// One after the other, or each in a task of its own; the timeout is 2 ms.
system_config with(fault_config f, std::vector<call> all) {
    system_config c = calls(std::move(all));
    c.guest.profile.max_rx_timeout = milliseconds(2);
    c.platform.faults = {std::move(f)};
    return c;
}
void add_task(system_config& c, const std::string& name, call what, sim_time think) {
    c.guest.contexts.push_back({name, 101 + int(c.guest.contexts.size()), 0});
    c.guest.loops.push_back(loop_of(name, {what}, 1, think));
}

std::string u1(unsigned queue, unsigned token, int type = 0) {
    return "scmi_protocol scmi_dev." + std::to_string(queue) + ": Message for " +
           std::to_string(token) + " type " + std::to_string(type) + " is not expected!";
}
const char* const t1 = "arm-scmi firmware:scmi: timed out in resp(caller: scmi_sensor_reading_get)";

void expect_sound(const rogue_system& s) {
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

TEST(a_fault, that_drops_a_response_is_a_true_timeout) {
    fault_config f = of_reads(fault_kind::drop);
    f.nth = 2;
    f.count = 1;
    rogue_system s(with(f, {read_sync, read_sync, read_sync}));
    s.run();
    const auto reads = s.reads();
    ASSERT_EQ(reads.size(), 3u);  // the lost one is reported last: its chain never comes back
    EXPECT_EQ(reads[2].result, outcome::timed_out);
    EXPECT_TRUE(reads[2].lost);
    EXPECT_EQ(reads[0].result, outcome::ok);
    EXPECT_EQ(reads[1].result, outcome::ok);
    EXPECT_THAT(s.log(), ElementsAre(t1));
    EXPECT_EQ(s.top.platform().faults().rows()[0].matched, 3u);
    EXPECT_EQ(s.top.platform().faults().rows()[0].hits, 1u);
    expect_sound(s);
}

// scmi_msg_response_validate: a delayed response without its response is valid and completes both.
TEST(a_fault, that_drops_only_the_response_leaves_the_delayed_one_to_complete_both) {
    system_config c = with(of_reads(fault_kind::drop), {read_async});
    c.platform.delayed_work = make_constant(microseconds(100));
    rogue_system s(c);
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.reads()[0].delayed, delayed_state::received);
    EXPECT_THAT(s.log(), ElementsAre("scmi_protocol scmi_dev.2: Received valid OoO Delayed "
                                     "Response for " +
                                     std::to_string(s.reads()[0].hdr.token)));
    expect_sound(s);
}

TEST(a_fault, that_drops_a_whole_reply_leaves_nothing) {
    rogue_system s(
        with(of_reads(fault_kind::drop, fault_target::reply), {read_async, base_version}));
    s.run();
    EXPECT_EQ(s.reads()[0].result, outcome::timed_out);
    EXPECT_EQ(s.top.platform().events().delayed, 0u);
    EXPECT_EQ(s.log().size(), 1u);  // T1; its caller is do_xfer_with_response
    expect_sound(s);
}

// do_xfer_with_response: SCMI_MAX_RESPONSE_TIMEOUT, T3.
TEST(a_fault, that_drops_the_delayed_response_is_waited_for_two_seconds) {
    rogue_system s(with(of_reads(fault_kind::drop, fault_target::delayed_response),
                        {read_async, read_async, read_async, read_async, read_async}));
    s.run();
    const auto reads = s.reads();
    ASSERT_EQ(reads.size(), 5u);
    for (const request& r : reads) {
        EXPECT_EQ(r.result, outcome::timed_out);
        EXPECT_EQ(r.linux_errno, -ETIMEDOUT);
        EXPECT_EQ(r.gave_up(), limit::delayed_response);
        EXPECT_TRUE(is_true_delayed_timeout(r));
        EXPECT_FALSE(is_true_timeout(r) || is_spurious_timeout(r));
        EXPECT_GT(r.round_trip(), seconds(2));
        EXPECT_EQ(r.delayed, delayed_state::timed_out) << "its place is free again: no BUSY";
    }
    EXPECT_EQ(s.log()[0],
              "arm-scmi firmware:scmi: timed out in delayed resp(caller: "
              "scmi_sensor_reading_get)");
    expect_sound(s);
}

// A chain comes back once (virtio 2.7.8), so the second reply takes an event buffer. The driver
// looks at token and type only (scmi_xfer_command_acquire): nobody waits any more.
TEST(a_fault, that_duplicates_a_response_sends_it_again_in_an_event_buffer) {
    fault_config f = of_reads(fault_kind::duplicate);
    f.delay = make_constant(microseconds(30));
    rogue_system s(with(f, {read_sync, base_version}));
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_THAT(s.log(), ElementsAre(u1(2, s.reads()[0].hdr.token)));
    EXPECT_EQ(s.top.platform().events().others, 1u);
    expect_sound(s);
}

// The same, retyped: "Delayed Response for ... not expected! Buggy F/W ?" needs the xfer pending.
TEST(a_fault, that_duplicates_as_a_delayed_response_is_called_buggy) {
    fault_config f = of_reads(fault_kind::duplicate);
    f.edit.type = message_type::delayed_response;
    system_config c = with(f, {read_sync, base_version});
    c.hops[std::size_t(hop::return_)] = make_constant(microseconds(20));
    rogue_system s(c);
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    const unsigned token = s.reads()[0].hdr.token;
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    ASSERT_EQ(s.log().size(), 2u);
    EXPECT_EQ(s.log()[0], "scmi_protocol scmi_dev.2: Delayed Response for " +
                              std::to_string(token) + " not expected! Buggy F/W ?");
    EXPECT_THAT(s.log()[1], testing::HasSubstr(": Invalid message type:2 for"));
    expect_sound(s);
}

TEST(a_fault, that_delays_makes_a_spurious_timeout_and_a_late_reply) {
    fault_config f = of_reads(fault_kind::delay);
    f.delay = make_constant(milliseconds(20));
    f.count = 1;
    rogue_system s(with(f, {read_sync, read_sync, read_sync, read_sync, read_sync}));
    s.run();
    const auto late = [&] {
        for (const request& r : s.reads()) {
            if (r.timed_out) return r;
        }
        return request{};
    }();
    EXPECT_EQ(late.stuck_in(), hop::return_);
    EXPECT_FALSE(late.lost);
    EXPECT_EQ(s.log()[0], t1);
    // The run ends with its tasks, before the reply comes: nobody is left to complain.
    EXPECT_EQ(s.log().size(), 1u);
    expect_sound(s);
}

TEST(a_fault, that_reorders_lets_later_replies_pass) {
    fault_config f = of_reads(fault_kind::reorder);
    f.count = 1;
    f.replies = 2;
    system_config c = with(f, {read_sync});
    c.platform.workers = 0;
    add_task(c, "b", base_version, microseconds(110));
    add_task(c, "c", base_version, microseconds(130));
    rogue_system s(c);
    s.run();
    std::vector<sim_time> used;
    std::vector<unsigned> protocols;
    for (const request& r : s.sink.requests) {
        if (r.context == 0) continue;  // the probe
        protocols.push_back(r.hdr.protocol_id);
        used.push_back(r.at[std::size_t(instant::used)]);
    }
    EXPECT_THAT(protocols, ElementsAre(0x10, 0x10, 0x15));
    ASSERT_EQ(used.size(), 3u);
    EXPECT_LT(used[0], used[1]);
    EXPECT_EQ(used[1], used[2]) << "it goes right behind the second";
    expect_sound(s);
}

TEST(a_fault, that_reorders_holds_a_reply_no_longer_than_it_says) {
    fault_config f = of_reads(fault_kind::reorder);
    f.delay = make_constant(microseconds(300));
    rogue_system s(with(f, {read_sync}));
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.reads()[0].hops()[std::size_t(hop::return_)], microseconds(300));
    expect_sound(s);
}

// msg_fetch_response: the length decides what is copied, the status word is read in any case; the
// value is then what the shared buffer held, the command's own words.
TEST(a_fault, that_truncates_to_the_header_leaves_the_status_of_the_buffer) {
    fault_config f = of_reads(fault_kind::truncate);
    f.length = 4;
    system_config c = with(f, {read_sync});
    c.platform.description.sensors[0].reading = 77;
    rogue_system s(c);
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok) << "the buffer's last status was SUCCESS";
    EXPECT_EQ(s.top.guest().instance().last_value(), 0u) << "sensor id and flags";
    EXPECT_THAT(s.log(), IsEmpty());
    expect_sound(s);
}

// The used length is trusted, and cut to what the caller expects (msg_fetch_response).
TEST(a_fault, of_a_used_length_beyond_the_buffer_does_no_harm) {
    fault_config f = of_reads(fault_kind::length);
    f.length = 60000;
    system_config c = with(f, {read_sync, read_async});
    c.platform.description.sensors[0].reading = 77;
    rogue_system s(c);
    s.run();
    ASSERT_EQ(s.reads().size(), 2u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.reads()[1].result, outcome::ok);
    EXPECT_THAT(s.log(), IsEmpty());
    expect_sound(s);
}

TEST(a_fault, that_rewrites_the_status_is_that_error) {
    fault_config f = of_reads(fault_kind::rewrite);
    f.edit.status = std::int32_t(scmi::status::hardware_error);
    rogue_system s(with(f, {read_sync}));
    s.run();
    EXPECT_EQ(s.reads()[0].result, outcome::scmi_error);
    EXPECT_EQ(s.reads()[0].linux_errno, -EREMOTEIO);  // scmi_linux_errmap
    expect_sound(s);
}

TEST(a_fault, that_rewrites_the_token_is_unexpected_and_leaves_the_caller_waiting) {
    fault_config f = of_reads(fault_kind::rewrite);
    f.edit.token_add = 100;
    rogue_system s(with(f, {read_sync}));
    s.run();
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_THAT(s.log(), ElementsAre(u1(1, s.reads()[0].hdr.token + 100u), t1));
    EXPECT_TRUE(s.reads()[0].lost);
    expect_sound(s);
}

// Neither protocol nor message id is compared (scmi_xfer_command_acquire).
TEST(a_fault, that_rewrites_protocol_and_message_goes_unnoticed) {
    fault_config f = of_reads(fault_kind::rewrite);
    f.edit.protocol_id = std::uint8_t(0x99);
    f.edit.message_id = std::uint8_t(0x77);
    rogue_system s(with(f, {read_sync}));
    s.run();
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_THAT(s.log(), IsEmpty());
    expect_sound(s);
}

TEST(a_fault, that_corrupts_the_value_is_read_as_it_comes) {
    fault_config f = of_reads(fault_kind::corrupt);
    f.offset = 8;
    f.bytes = {0x01, 0x02};
    f.exclusive_or = true;
    system_config c = with(f, {read_sync});
    c.platform.description.sensors[0].reading = 0x1000;
    rogue_system s(c);
    s.run();
    EXPECT_EQ(s.top.guest().instance().last_value(), 0x1201u);
    expect_sound(s);
}

TEST(unsolicited_messages, of_each_type_end_where_linux_ends_them) {
    system_config c = with(of_reads(fault_kind::drop), {base_version});
    c.platform.faults.clear();
    c.guest.loops[0].think = make_constant(milliseconds(5));
    const auto message = [&](sim_time at, message_type type, std::uint64_t count) {
        unsolicited_message m;
        m.when = {at, microseconds(10), count};
        m.hdr = {6, type, scmi::protocol::sensor, 700};
        m.words = {0, 1};
        c.platform.unsolicited.push_back(m);
    };
    message(milliseconds(3), message_type::delayed_response, 2);
    message(milliseconds(4), message_type::notification, 3);
    message(milliseconds(4), message_type::reserved, 2);
    rogue_system s(c);
    s.run();
    // U1 twice; unknown types are warned of once (U5, WARN_ONCE); notifications end silently.
    EXPECT_THAT(s.log(), ElementsAre(u1(2, 700, 2), u1(2, 700, 2), "received unknown msg_type:1"));
    EXPECT_EQ(s.top.platform().events().others, 7u);
    expect_sound(s);
}

TEST(unsolicited_messages, are_dropped_and_counted_without_a_buffer) {
    system_config c = calls({base_version});
    unsolicited_message m;  // at time 0: the driver has no queue yet
    m.hdr = {0, message_type::notification, scmi::protocol::sensor, 0};
    c.platform.unsolicited = {m};
    rogue_system s(c);
    s.run();
    EXPECT_EQ(s.top.platform().events().others, 0u);
    EXPECT_EQ(s.top.platform().events().dropped, 1u);
    expect_sound(s);
}

}  // namespace
}  // namespace scmi_vp::models
