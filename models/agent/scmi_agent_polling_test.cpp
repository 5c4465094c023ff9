// SPDX-License-Identifier: Apache-2.0
// Polled transfers against drivers/firmware/arm_scmi/{driver,virtio}.c of Linux 6.1: who takes the
// reply, who cleans up, and what it costs; scmi-vp validate compares them with a real kernel.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using strings = std::vector<std::string>;
using namespace testing_tools;
namespace protocol = scmi::protocol;

const call polled{call_named("perf_level_set"), 0, 1000, true};
const call polled_clock{call_named("clock_enable"), 0, 0, true};

/// A performance domain beside the sensors and the clock; replies take 50 us.
system_config polling(std::vector<call> all, sim_time injection = {}) {
    system_config c = calls(std::move(all));
    scmi::platform_description& p = c.platform.description;
    p.protocols = {protocol::perf, protocol::clock, protocol::sensor};
    c.guest.device_tree.protocols = p.protocols;
    c.guest.drivers = {"clk-scmi", "scmi-hwmon", "scmi-cpufreq"};
    p.performance_domains.resize(1);
    p.performance_domains[0].name = "cpu";
    p.performance_domains[0].levels = {{1000, 0, 0}, {2000, 0, 0}};
    p.performance_domains[0].level = 2000;
    c.platform.workers = 0;
    c.hops[std::size_t(hop::interrupt)] = make_constant(injection);
    return c;
}

/// "begin CMND wait RESP end" of a task's events after the probe; handlers' in round brackets.
std::string events_of(rogue_system& s) {
    std::string all;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.stamp <= s.top.guest().probe_end()) continue;
        static constexpr const char* names[] = {"begin", "", "wait", "done", "end"};
        std::string name =
            e.kind == traces::ftrace_kind::msg_dump ? e.tag : names[std::size_t(e.kind)];
        if (e.flags[2] == 'h') name = "(" + name + ")";
        all += (all.empty() ? "" : " ") + name;
    }
    return all;
}

request only(rogue_system& s) {
    request r;
    for (const request& q : s.sink.requests) {
        if (q.polled) r = q;
    }
    return r;
}

void expect_sound(rogue_system& s) {
    EXPECT_THAT(s.sink.violations, IsEmpty());
    EXPECT_EQ(s.top.guest().agent().unexpected(), 0u);
}

// Where the interrupt comes first it handles the reply, and the poller prints it again
// (scmi_wait_for_message_response).
TEST(a_polled_transfer, finds_what_the_interrupt_has_handled) {
    rogue_system s(polling({polled}));
    s.run();
    EXPECT_EQ(events_of(s), "begin CMND wait (RESP) (done) RESP end");
    EXPECT_EQ(only(s).result, outcome::ok);
    expect_sound(s);
}

// Where it comes later there is nothing left for it: no rx_done.
TEST(a_polled_transfer, takes_its_reply_itself) {
    rogue_system s(polling({polled}, microseconds(10)));
    s.run();
    EXPECT_EQ(events_of(s), "begin CMND wait RESP end");
    const request r = only(s);
    EXPECT_EQ(r.result, outcome::ok);
    EXPECT_EQ(r.round_trip(), microseconds(50));
    EXPECT_EQ(r.hops()[std::size_t(hop::service)], microseconds(50));
    for (const hop h : {hop::interrupt, hop::collect, hop::guest_wake, hop::complete}) {
        EXPECT_EQ(r.hops()[std::size_t(h)], sim_time{}) << name_of(h);
    }
    expect_sound(s);
}

// Each turn of the loop reads the clock and relaxes; the reply is seen at the start of a turn.
TEST(a_polled_transfer, sees_the_reply_a_whole_number_of_turns_after_it_began_to_look) {
    system_config c = polling({polled}, milliseconds(1));
    c.guest.ftrace = false;
    c.guest.costs.clock_read = nanoseconds(700);
    c.guest.costs.cpu_relax = nanoseconds(300);
    rogue_system s(c);
    s.run();
    const request r = only(s);
    // The limit is read at 0.7 us; turns begin then and each microsecond: at 50.7 us. After it the
    // clock is read once more.
    EXPECT_EQ(r.round_trip(), nanoseconds(50'700 + 700));
    EXPECT_EQ(r.hops()[std::size_t(hop::poll)], nanoseconds(1'400));
    expect_sound(s);
}

TEST(a_polled_transfer, takes_extra_time_in_its_own_hop) {
    system_config c = polling({polled}, milliseconds(1));
    c.hops[std::size_t(hop::poll)] = make_constant(microseconds(7));
    rogue_system s(c);
    s.run();
    EXPECT_EQ(only(s).hops()[std::size_t(hop::poll)], microseconds(7));
    expect_sound(s);
}

service_rule slow(std::uint8_t protocol_id, std::uint8_t message, sim_time t) {
    service_rule r;
    r.protocol_id = protocol_id;
    r.message_id = message;
    r.latency = make_constant(t);
    return r;
}

// virtio_mark_txdone: VIO_MSG_POLL_TIMEOUT, the message comes back by the interrupt (U1) later.
TEST(a_polled_transfer, that_times_out_leaves_its_message_to_the_interrupt) {
    system_config c = polling({polled, base_version}, microseconds(10));
    c.guest.loops[0].think = make_constant(milliseconds(20));
    c.guest.profile.max_rx_timeout = milliseconds(2);
    c.platform.service = {slow(protocol::perf, 7, milliseconds(5))};
    rogue_system s(c);
    s.run();
    const request r = only(s);
    EXPECT_EQ(r.result, outcome::timed_out);
    EXPECT_EQ(r.linux_errno, -ETIMEDOUT);
    EXPECT_EQ(r.stuck_in(), hop::service);
    EXPECT_EQ(r.round_trip(), milliseconds(2) + nanoseconds(1)) << "no jiffies: the clock decides";
    EXPECT_EQ(r.late_at - r.at[std::size_t(instant::taken)], milliseconds(5) + microseconds(10));
    EXPECT_THAT(s.log(), ElementsAre("arm-scmi firmware:scmi: timed out in resp(caller: "
                                     "scmi_perf_level_set) - polling",
                                     "scmi_protocol scmi_dev.1: Message for " +
                                         std::to_string(r.hdr.token) + " type 0 is not expected!"));
    EXPECT_EQ(s.top.guest().agent().channel().free_messages(), 128u);
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

// virtio_poll_done: what is not polled for goes to the pending list, and the worker handles it.
TEST(a_polled_transfer, leaves_replies_of_others_to_the_worker) {
    system_config c = polling({polled}, milliseconds(1));
    c.guest.cpus = 2;
    c.guest.contexts.push_back({"other", 101, 1});
    c.guest.loops.push_back(loop_of("other", {read_sync}, 1, microseconds(90)));
    c.platform.service = {slow(protocol::sensor, 6, microseconds(55))};
    rogue_system s(c);
    s.run();
    // The sensor's reply is ready at 145 us, the polled one at 150 us: no interrupt before 1 ms.
    const request read = s.reads().at(0);
    EXPECT_EQ(read.result, outcome::ok);
    EXPECT_LT(read.round_trip(), microseconds(100));
    EXPECT_EQ(only(s).result, outcome::ok);
    bool by_worker = false;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.protocol_id == protocol::sensor && e.tag == "RESP" && e.task == "kworker/u2:2") {
            by_worker = true;
            EXPECT_EQ(e.flags, "d....");  // pending_lock is held with interrupts off
        }
    }
    EXPECT_TRUE(by_worker);
    expect_sound(s);
}

// Two that poll: one may fetch the other's reply and marks it (VIO_MSG_POLL_DONE).
TEST(a_polled_transfer, may_be_fetched_by_another_that_polls) {
    system_config c = polling({polled}, milliseconds(1));
    c.guest.cpus = 2;
    c.guest.contexts.push_back({"other", 101, 1});
    c.guest.loops.push_back(loop_of("other", {polled_clock}, 1, microseconds(100)));
    rogue_system s(c);
    s.run();
    unsigned good = 0;
    for (const request& r : s.sink.requests) good += r.polled && r.result == outcome::ok;
    EXPECT_EQ(good, 2u);
    EXPECT_EQ(s.top.guest().agent().channel().free_messages(), 128u);
    expect_sound(s);
}

// Neither token nor type of what the message holds is looked at.
TEST(a_polled_transfer, takes_a_reply_with_a_wrong_token) {
    system_config c = polling({polled}, milliseconds(1));
    fault_config f;
    f.name = "platform.fault.0";
    f.kind = fault_kind::rewrite;
    f.match = {protocol::perf, std::uint8_t(7), std::nullopt};
    f.edit.token_add = 5;
    f.edit.status = -3;
    c.platform.faults = {f};
    rogue_system s(c);
    s.run();
    EXPECT_EQ(only(s).linux_errno, -EACCES);
    expect_sound(s);
}

// virtio_mark_txdone frees the message of any polled transfer that did not time out, although here
// the device has its chain still: a hazard of 6.1.
TEST(a_polled_transfer, that_a_reply_in_an_event_buffer_ends_frees_a_message_that_is_out) {
    system_config c = polling({polled, base_version}, microseconds(5));
    fault_config twice;
    twice.name = "platform.fault.0";
    twice.kind = fault_kind::duplicate;
    twice.match = {protocol::perf, std::uint8_t(7), std::nullopt};
    fault_config late = twice;
    late.kind = fault_kind::delay;
    late.delay = make_constant(microseconds(40));
    c.platform.faults = {twice, late};
    rogue_system s(c);
    s.run();
    const request r = only(s);
    EXPECT_EQ(r.result, outcome::ok);
    EXPECT_EQ(r.round_trip(), microseconds(55)) << "the duplicate's interrupt";
    EXPECT_THAT(s.log(), ElementsAre("scmi_protocol scmi_dev.1: Message for " +
                                     std::to_string(r.hdr.token) + " type 0 is not expected!"));
    EXPECT_THAT(s.sink.violations, IsEmpty());
}

// clk-scmi.c scmi_clocks_probe: atomic operations for clocks that say that they are fast enough.
TEST(atomic_clocks, poll_with_interrupts_off_if_they_are_fast_enough) {
    for (const std::uint32_t delay : {0u, 30u, 31u}) {
        in_child([delay] {
            system_config c = polling({{call_named("clock_enable"), 0, 0}});
            c.platform.description.clock_version = 0x20000;
            c.platform.description.clocks[0].enable_delay_us = delay;
            c.guest.atomic = true;
            c.guest.atomic_threshold_us = 30;
            rogue_system s(c);
            s.run();
            // Where the interrupt is held off the reply is the poller's; 0 is "not told".
            EXPECT_EQ(events_of(s), delay == 30 ? "begin CMND wait RESP end"
                                                : "begin CMND wait (RESP) (done) end");
            EXPECT_TRUE(s.sink.logged(
                "arm-scmi firmware:scmi: SCMI System wide atomic threshold set to 30 us"));
            expect_sound(s);
        });
    }
}

}  // namespace
}  // namespace scmi_vp::models
