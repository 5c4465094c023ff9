// SPDX-License-Identifier: Apache-2.0
// The controller's side of time-travel=ext: what each message leads to, and what is refused.
#include "models/peers/time_travel.h"

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::models {
namespace {

constexpr std::uint64_t tod = 1672531200'000000000;

time_travel_message message(time_travel_op op, std::uint32_t seq, std::uint64_t time = 0) {
    return {static_cast<std::uint32_t>(op), seq, time};
}

guest_clock started() {
    guest_clock c(tod);
    c.receive(message(time_travel_op::start, 1, 1), {});
    return c;
}

std::string refusal(guest_clock c, const time_travel_message& m, sim_time now = {}) {
    try {
        c.receive(m, now);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        return e.what();
    }
    return "accepted";
}

// include/uapi/linux/um_timetravel.h enum um_timetravel_ops.
TEST(time_travel, numbers_are_those_of_the_header) {
    EXPECT_EQ(unsigned(time_travel_op::ack), 0u);
    EXPECT_EQ(unsigned(time_travel_op::request), 2u);
    EXPECT_EQ(unsigned(time_travel_op::run), 6u);
    EXPECT_EQ(unsigned(time_travel_op::get_tod), 8u);
}

// arch/um/kernel/time.c time_travel_ext_req(): the answer is an ACK with the same seq, or a panic.
TEST(time_travel, every_message_is_acknowledged_with_its_number) {
    guest_clock c(tod);
    std::uint32_t seq = 41;
    for (const time_travel_op op :
         {time_travel_op::start, time_travel_op::get_tod, time_travel_op::get,
          time_travel_op::request, time_travel_op::update, time_travel_op::wait}) {
        const clock_effect e = c.receive(message(op, ++seq, 5000), nanoseconds(5000));
        ASSERT_TRUE(e.answer);
        EXPECT_EQ(e.answer->op, unsigned(time_travel_op::ack));
        EXPECT_EQ(e.answer->seq, seq);
        EXPECT_FALSE(e.moved_to);
    }
}

TEST(time_travel, get_is_answered_with_the_time_and_get_tod_with_the_time_of_day) {
    guest_clock c = started();
    // Fractions of a nanosecond are the simulator's only.
    EXPECT_EQ(c.receive(message(time_travel_op::get, 2), picoseconds(7999)).answer->time, 7u);
    EXPECT_EQ(c.receive(message(time_travel_op::get_tod, 3), seconds(9)).answer->time, tod);
}

TEST(time_travel, a_guest_waits_for_its_turn) {
    guest_clock c = started();
    EXPECT_TRUE(c.running());
    c.receive(message(time_travel_op::request, 2, 10'000), {});
    EXPECT_EQ(c.requested(), nanoseconds(10'000));
    c.receive(message(time_travel_op::wait, 3, UINT64_MAX), {});
    EXPECT_FALSE(c.running());
    const time_travel_message run = c.run(nanoseconds(10'000));
    EXPECT_EQ(run.op, unsigned(time_travel_op::run));
    EXPECT_EQ(run.time, 10'000u);
    EXPECT_TRUE(c.running());
    EXPECT_TRUE(c.unacknowledged());
    EXPECT_EQ(c.requested(), sim_time::max());
    c.receive(message(time_travel_op::ack, run.seq), nanoseconds(10'000));
    EXPECT_FALSE(c.unacknowledged());
    EXPECT_EQ(c.turns(), 1u);
}

// time_travel_sleep(): S64_MAX is for ever, and the guest panics if it is granted.
TEST(time_travel, s64_max_is_never) {
    guest_clock c = started();
    c.receive(message(time_travel_op::request, 2, INT64_MAX), {});
    EXPECT_EQ(c.requested(), sim_time::max());
    EXPECT_EQ(from_guest_ns(INT64_MAX / 1000), sim_time::max());
    EXPECT_EQ(from_guest_ns(INT64_MAX / 1000 - 1), nanoseconds(INT64_MAX / 1000 - 1));
}

// time_travel_ext_request(): strictly before free_until it moves by itself, then tells with UPDATE.
TEST(time_travel, free_time_moves_the_simulator_along) {
    guest_clock c = started();
    c.receive(message(time_travel_op::wait, 2), {});
    c.free_until(microseconds(50));
    c.run({});
    EXPECT_EQ(c.free_limit(), microseconds(50));
    const clock_effect e = c.receive(message(time_travel_op::update, 3, 49'999), nanoseconds(10));
    EXPECT_EQ(e.moved_to, nanoseconds(49'999));
    EXPECT_NE(refusal(c, message(time_travel_op::update, 4, 50'000), nanoseconds(49'999))
                  .find("beyond 50us"),
              std::string::npos);
    // Waiting ends it (time_travel_ext_wait() forgets it).
    c.receive(message(time_travel_op::wait, 4), microseconds(49));
    EXPECT_FALSE(c.free_limit());
}

TEST(time_travel, free_time_can_be_shortened_but_not_extended) {
    guest_clock c = started();
    EXPECT_THROW(c.free_until(microseconds(1)), error);  // it runs and was promised nothing
    c.receive(message(time_travel_op::wait, 2), {});
    c.free_until(microseconds(50));
    c.run({});
    const time_travel_message shorter = c.free_until(microseconds(20));
    EXPECT_EQ(shorter.op, unsigned(time_travel_op::free_until));
    EXPECT_EQ(shorter.time, 20'000u);
    EXPECT_THROW(c.free_until(microseconds(30)), error);
}

TEST(time_travel, messages_that_break_the_protocol_are_refused) {
    EXPECT_NE(refusal(guest_clock(tod), message(time_travel_op::get, 1)).find("before it started"),
              std::string::npos);
    EXPECT_NE(refusal(started(), message(time_travel_op::start, 2)).find("twice"),
              std::string::npos);
    EXPECT_NE(refusal(started(), message(time_travel_op::ack, 1)).find("not sent"),
              std::string::npos);
    EXPECT_NE(refusal(started(), message(time_travel_op::run, 2)).find("unknown"),
              std::string::npos);
    EXPECT_NE(refusal(started(), {77, 2, 0}).find("op 77"), std::string::npos);
    EXPECT_NE(refusal(started(), message(time_travel_op::update, 2, 9), nanoseconds(10))
                  .find("went back"),
              std::string::npos);
    guest_clock c = started();
    c.receive(message(time_travel_op::wait, 2), {});
    EXPECT_NE(refusal(c, message(time_travel_op::wait, 3)).find("waited twice"), std::string::npos);
    const time_travel_message run = c.run({});
    EXPECT_NE(refusal(c, message(time_travel_op::ack, run.seq + 1)).find("not sent"),
              std::string::npos);
    EXPECT_THROW(c.run({}), error);  // our own defect: it has its turn
}

}  // namespace
}  // namespace scmi_vp::models
