// SPDX-License-Identifier: Apache-2.0
// The driver against a device that breaks its promises: late, duplicate, early, short and wrong
// replies. Log texts are those of drivers/firmware/arm_scmi/driver.c; where a real kernel was
// recorded with them, they are compared with the recording.
#include "models/agent/scmi_agent.h"

#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using scmi::message_type;
using testing::ElementsAre;
using testing::IsEmpty;
using strings = std::vector<std::string>;
using namespace testing_tools;

// --- replies at the wrong time ----------------------------------------------------------------

TEST(scmi_agent, a_late_reply_is_not_expected_any_more) {
    // scmi_xfer_command_acquire finds no pending xfer with that token.
    system_config c = calls({read_sync, read_sync}, milliseconds(10));
    c.guest.profile.max_rx_timeout = milliseconds(2);
    service_rule slow;
    slow.protocol_id = scmi::protocol::sensor;
    slow.message_id = 6;
    slow.latency = make_recorded({milliseconds(9), microseconds(50)}, false);
    c.platform.service = {slow};
    rogue_system s(c);
    s.run();
    const std::vector<request> reads = s.reads();
    ASSERT_EQ(reads.size(), 2u);
    const std::string token = std::to_string(reads[0].hdr.token);
    EXPECT_THAT(s.log(), ElementsAre("arm-scmi firmware:scmi: timed out in resp(caller: "
                                     "scmi_sensor_reading_get)",
                                     "scmi_protocol scmi_dev.1: Message for " + token +
                                         " type 0 is not expected!"));
    EXPECT_EQ(reads[0].result, outcome::timed_out);
    EXPECT_EQ(reads[0].linux_errno, -ETIMEDOUT);
    EXPECT_EQ(reads[0].stuck_in(), hop::service);
    EXPECT_EQ(reads[0].late_at - reads[0].at[std::size_t(instant::taken)], milliseconds(9));
    EXPECT_EQ(reads[1].result, outcome::ok);
    EXPECT_EQ(s.top.guest().agent().unexpected(), 1u);
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

TEST(scmi_agent, a_duplicate_reply_is_invalid_while_pending_and_unexpected_afterwards) {
    // scmi_msg_response_validate refuses it while the woken caller has not yet put the xfer, after
    // that scmi_xfer_command_acquire does. A chain cannot come back
    // twice, so the duplicate travels in an event buffer.
    system_config c = calls({read_sync});
    c.hops[std::size_t(hop::guest_wake)] = make_constant(microseconds(20));
    c.guest.contexts.push_back({"other", 101, 0});  // keeps the run going for the second duplicate
    c.guest.loops.push_back(loop_of("other", {base_version}, 1, milliseconds(1)));
    rogue_system s(c);
    scmi::header h;
    s.rogue = [&] {
        h = s.sensor_read().hdr;
        s.pass(microseconds(60));
        s.event(h, message_type::command, {0, 42, 0});
        s.pass(microseconds(100));
        s.event(h, message_type::command, {0, 43, 0});
    };
    s.run();
    char invalid[120];
    std::snprintf(invalid, sizeof invalid,
                  "scmi_protocol scmi_dev.2: Invalid message type:0 for %u - HDR:0x%X  state:1",
                  h.token, h.pack());
    EXPECT_THAT(s.log(),
                ElementsAre(invalid, "scmi_protocol scmi_dev.2: Message for " +
                                         std::to_string(h.token) + " type 0 is not expected!"));
    ASSERT_EQ(s.reads().size(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.top.guest().instance().last_value(), 0u) << "the first reply counts";
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

// base/hops.h: guest_wake is from "matched" until the waiting thread runs. That a task begins is
// not in it, so the n-th value of a recorded list is the n-th request's.
TEST(scmi_agent, a_recorded_wake_goes_to_requests_only) {
    system_config c = calls({read_sync, read_sync});
    c.guest.contexts.push_back({"other", 101, 0});
    c.guest.loops.push_back(loop_of("other", {read_sync}, 2, milliseconds(1)));
    std::vector<sim_time> values;
    for (int i = 1; i <= 64; ++i) values.push_back(microseconds(i));
    c.hops[std::size_t(hop::guest_wake)] = make_recorded(values, false);
    rogue_system s(c);
    s.run();
    ASSERT_EQ(s.reads().size(), 4u);
    int n = 0;
    for (const request& r : s.sink.requests) {
        EXPECT_EQ(r.hops()[std::size_t(hop::guest_wake)], microseconds(++n)) << "request " << r.id;
    }
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

/// The last two kernel messages of the recorded Linux 6.12, in which a delayed response overtook
/// its response.
strings recorded_messages() {
    std::ifstream in(std::string(SCMI_VP_SOURCE_DIR) +
                     "/traces/recorded/linux-6.12-virtio-mmio-console.txt");
    strings all;
    for (std::string line; std::getline(in, line);) {
        if (line.find("] scmi_protocol ") != std::string::npos) {
            all.push_back(line.substr(line.find("] ") + 2));
        }
    }
    return all;
}

TEST(scmi_agent, a_delayed_response_may_overtake_its_response_as_recorded) {
    // The recorded transfer had token 30: the probe takes 15 here, so 14 calls come before.
    std::vector<call> all(14, base_version);
    all.push_back(read_async);
    system_config c = calls(all);
    c.guest.profile = *find_profile("linux-6.12");
    c.hops[std::size_t(hop::guest_wake)] = make_constant(microseconds(20));
    rogue_system s(c);
    s.rogue = [&] {
        const scmi::header h = s.sensor_read().hdr;
        EXPECT_EQ(h.token, 30);
        s.pass(microseconds(45));
        s.event(h, message_type::delayed_response, {0, 1, 45003, 0});
    };
    s.run();
    const strings recorded = recorded_messages();
    ASSERT_EQ(recorded.size(), 2u);
    const strings log = s.sink.texts(s.sink.log.size() - 2);
    EXPECT_THAT(log, testing::ElementsAreArray(recorded));
    ASSERT_EQ(s.reads().size(), 1u);
    const request r = s.reads()[0];
    EXPECT_EQ(r.result, outcome::ok);
    EXPECT_EQ(r.delayed, delayed_state::received);
    EXPECT_EQ(s.top.guest().instance().last_value(), 45003u);
    // The hops end where the delayed response released the caller, and still add up.
    sim_time sum;
    for (const sim_time span : r.hops()) {
        EXPECT_GE(span, sim_time{});
        sum += span;
    }
    EXPECT_EQ(sum, r.round_trip());
    EXPECT_THAT(s.sink.violations, IsEmpty());
    // Trace: DLYD, rx_done of type 2, then the rejected response (scmi_bad_message_trace).
    strings tags;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.seq == 30 && !e.tag.empty()) tags.push_back(e.tag + " " + std::to_string(e.status));
    }
    EXPECT_THAT(tags, ElementsAre("CMND 0", "DLYD 0", "!RESP -2"));
}

TEST(scmi_agent, a_delayed_response_to_a_synchronous_command_is_buggy_firmware) {
    // scmi_msg_response_validate and its caller both complain; the plain reply is still accepted.
    system_config c = calls({read_sync});
    rogue_system s(c);
    scmi::header h;
    s.rogue = [&] {
        h = s.sensor_read().hdr;
        s.event(h, message_type::delayed_response, {0, 0, 1, 0});
    };
    s.run();
    scmi::header delayed = h;
    delayed.type = message_type::delayed_response;
    char invalid[120];
    std::snprintf(invalid, sizeof invalid,
                  "scmi_protocol scmi_dev.2: Invalid message type:2 for %u - HDR:0x%X  state:0",
                  h.token, delayed.pack());
    EXPECT_THAT(s.log(), ElementsAre("scmi_protocol scmi_dev.2: Delayed Response for " +
                                         std::to_string(h.token) + " not expected! Buggy F/W ?",
                                     invalid));
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
}

TEST(scmi_agent, a_delayed_response_that_is_too_late_fails_the_call) {
    // After SCMI_MAX_RESPONSE_TIMEOUT = 2 s, rounded up by the wheel; then it
    // is not expected any more.
    system_config c = calls({read_async, read_sync}, milliseconds(3000));
    c.platform.delayed_work = make_constant(milliseconds(2500));
    rogue_system s(c);
    s.run();
    const std::vector<request> reads = s.reads();
    ASSERT_EQ(reads.size(), 2u);
    EXPECT_THAT(s.log(),
                ElementsAre("arm-scmi firmware:scmi: timed out in delayed resp(caller: "
                            "scmi_sensor_reading_get)",
                            "scmi_protocol scmi_dev.2: Message for " +
                                std::to_string(reads[0].hdr.token) + " type 2 is not expected!"));
    EXPECT_EQ(reads[0].delayed, delayed_state::timed_out);
    EXPECT_EQ(reads[0].result, outcome::timed_out);
    EXPECT_TRUE(is_spurious_delayed_timeout(reads[0]));
    EXPECT_EQ(reads[0].delayed_late_at, s.sink.log[4].stamp);
    EXPECT_EQ(reads[0].round_trip(),
              s.sink.log[3].stamp - reads[0].at[std::size_t(instant::entered)]);
    // 500 jiffies of 4 ms, granularity 8 (linux_time_test.cpp).
    const sim_time waited = s.sink.log[3].stamp - reads[0].at[std::size_t(instant::returned)];
    EXPECT_GT(waited, seconds(2));
    EXPECT_LE(waited, milliseconds(2032));
}

TEST(scmi_agent, the_caller_named_by_a_timeout_depends_on_what_was_inlined) {
    // 6.1: the function that called do_xfer; 6.12: do_xfer itself
    // (_RET_IP_ in scmi_wait_for_message_response).
    for (const auto& [profile, sync, async] :
         {std::tuple<const char*, const char*, const char*>{"linux-6.1", "scmi_sensor_reading_get",
                                                            "do_xfer_with_response"},
          {"linux-6.12", "do_xfer", "do_xfer"}}) {
        in_child([&, p = profile, y = sync, a = async] {
            system_config c = calls({read_sync, read_async});
            c.guest.profile = *find_profile(p);
            c.guest.profile.max_rx_timeout = milliseconds(30);
            rogue_system s(unanswered(c));
            s.run();
            const std::string device =
                std::string(p) == "linux-6.1" ? "firmware:scmi" : "arm-scmi.0.auto";
            const auto text = [&](const char* caller) {
                return "arm-scmi " + device + ": timed out in resp(caller: " + caller + ")";
            };
            EXPECT_THAT(s.sink.texts(s.sink.log.size() - 2), ElementsAre(text(y), text(a)));
        });
    }
}

TEST(scmi_agent, a_notification_that_nobody_asked_for_is_traced_and_ends_there) {
    // scmi_handle_notification: no message, whatever its token, which is not kept:
    // NOTI has s=0 and seq=0000.
    system_config c = calls({read_sync});
    rogue_system s(c);
    s.rogue = [&] {
        scmi::header h = s.sensor_read().hdr;
        h.message_id = 0;
        h.token = 77;
        s.event(h, message_type::notification, {1, 2, 3});
    };
    s.run();
    EXPECT_THAT(s.log(), IsEmpty());
    bool traced = false, done = false;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.tag == "NOTI") traced = e.seq == 0 && e.status == 0 && e.payload.size() == 12;
        done |= e.kind == traces::ftrace_kind::rx_done && e.msg_type == 3;
    }
    EXPECT_TRUE(traced);
    EXPECT_TRUE(done);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
}

TEST(scmi_agent, an_unknown_message_type_is_warned_of_once) {
    // scmi_rx_callback: WARN_ONCE.
    system_config c = calls({read_sync});
    rogue_system s(c);
    s.rogue = [&] {
        const scmi::header h = s.sensor_read().hdr;
        s.event(h, message_type::reserved, {0});
        s.pass(microseconds(5));
        s.event(h, message_type::reserved, {0});
    };
    s.run();
    EXPECT_THAT(s.log(), ElementsAre("received unknown msg_type:1"));
    EXPECT_EQ(s.top.guest().agent().unexpected(), 2u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
}

// --- replies with the wrong contents ----------------------------------------------------------

TEST(scmi_agent, error_statuses_become_the_errnos_of_scmi_to_linux_errno) {
    const std::pair<std::int32_t, int> table[] = {
        {-1, EOPNOTSUPP}, {-2, EINVAL}, {-3, EACCES}, {-4, ENOENT},    {-5, ERANGE},
        {-6, EBUSY},      {-7, ECOMM},  {-8, EIO},    {-9, EREMOTEIO}, {-10, EPROTO},
        {-11, EIO},       {-128, EIO},  {5, EIO}};
    rogue_system s(unanswered(calls(std::vector<call>(std::size(table), read_sync))));
    s.rogue = [&] {
        for (const auto& [status, ignored] : table) {
            const request& r = s.sensor_read();
            s.answer({r.hdr.pack(), std::uint32_t(status)}, 8);
        }
    };
    s.run();
    const std::vector<request> reads = s.reads();
    ASSERT_EQ(reads.size(), std::size(table));
    for (std::size_t i = 0; i < reads.size(); ++i) {
        EXPECT_EQ(reads[i].scmi_status, table[i].first);
        EXPECT_EQ(reads[i].linux_errno, -table[i].second) << "status " << table[i].first;
        EXPECT_EQ(reads[i].result, outcome::scmi_error);
    }
    EXPECT_THAT(s.log(), IsEmpty());
}

TEST(scmi_agent, a_reply_without_its_value_leaves_the_commands_own_bytes_there) {
    // tx and rx share one buffer, and scmi_sensor_reading_get does not look at rx.len.
    system_config c = unanswered(calls({{call_named("sensor_read"), 2, 0}}));
    c.platform.description.sensors.resize(3);
    c.platform.description.sensors[2].name = "s2";
    rogue_system s(c);
    s.rogue = [&] {
        const request& r = s.sensor_read();
        s.answer({r.hdr.pack(), 0, 7777, 0}, 8);  // the value is there, but not announced
    };
    s.run();
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.top.guest().instance().last_value(), 2u) << "SENSOR_READING_GET's sensor id";
}

TEST(scmi_agent, a_used_length_of_zero_is_read_as_what_the_buffer_held_before) {
    // The header is read from the buffer whatever the length (scmi_vio_complete_cb): here that of
    // the message that used it last, whose token is not pending any more.
    system_config c = unanswered(calls({read_sync}));
    c.device.cmdq_size = 2;  // one message object: every command uses the same buffer
    c.guest.profile.max_rx_timeout = milliseconds(30);
    rogue_system s(c);
    std::uint16_t token = 0;
    s.rogue = [&] {
        token = s.sensor_read().hdr.token;
        s.answer({}, 0);
    };
    s.run();
    EXPECT_THAT(s.log(), ElementsAre("scmi_protocol scmi_dev.1: Message for " +
                                         std::to_string(token - 1) + " type 0 is not expected!",
                                     "arm-scmi firmware:scmi: timed out in resp(caller: "
                                     "scmi_sensor_reading_get)"));
    EXPECT_EQ(s.reads()[0].result, outcome::timed_out);
}

TEST(scmi_agent, only_token_and_type_of_a_reply_are_looked_at) {
    // The ids in the header are not compared with the command's (scmi_rx_callback).
    rogue_system s(unanswered(calls({read_sync})));
    s.rogue = [&] {
        scmi::header h = s.sensor_read().hdr;
        h.protocol_id = 0x99;
        h.message_id = 0x42;
        s.answer({h.pack(), 0, 4711, 0}, 16);
    };
    s.run();
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
    EXPECT_EQ(s.top.guest().instance().last_value(), 4711u);
    EXPECT_THAT(s.log(), IsEmpty());
}

TEST(scmi_agent, a_list_that_claims_more_than_it_holds_does_not_reach_beyond_its_buffer) {
    // SENSOR_DESCRIPTION_GET: 4095 of 5000 sensors in one reply of 128 bytes.
    system_config c = calls({});
    service_rule never;
    never.protocol_id = scmi::protocol::sensor;
    never.never = true;
    c.platform.service = {never};
    c.guest.loops.clear();
    c.guest.profile.max_rx_timeout = milliseconds(30);
    rogue_system s(c);
    s.rogue = [&] {
        const auto next = [&](std::uint8_t message) {
            for (;; s.pass(nanoseconds(100))) {
                for (request* r : s.top.mon().open()) {
                    if (r->hdr.protocol_id == scmi::protocol::sensor &&
                        r->hdr.message_id == message && r->reached >= std::size_t(instant::taken)) {
                        return r->hdr.pack();
                    }
                }
            }
        };
        s.answer({next(0), 0, 0x10000}, 12);
        s.answer({next(1), 0, 5000, 0, 0, 0}, 24);
        s.answer({next(3), 0, 4095}, 136);
    };
    s.run();
    // The list was taken, with blanks where it was cut (sensors.c scmi_sensor_description_get), so
    // that the protocol is there; hwmon finds none that it can show (scmi_hwmon_probe: -EINVAL).
    EXPECT_THAT(s.log(), ElementsAre("scmi-hwmon: probe of scmi_dev.4 failed with error -22"));
}

}  // namespace
}  // namespace scmi_vp::models
