// SPDX-License-Identifier: Apache-2.0
// The second span of a request: what its caller waits for after the response adds up, is checked,
// and its record lives until its delayed response has come or is known never to come.
#include "models/monitor.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "models/model_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::collector;

constexpr std::uint16_t token = 17;
constexpr std::uint8_t protocol = scmi::protocol::sensor;

class delayed_span : public testing::Test {
protected:
    /// A request that was accepted at 1 ms and is waited for.
    request& accepted() {
        request& r = *mon.enter(1, sim_time{});
        r.hdr.token = token;
        r.hdr.protocol_id = protocol;
        r.delayed = delayed_state::awaited;
        for (std::size_t i = 1; i + 1 < instant_count; ++i) {
            mon.mark(r, instant(i), microseconds(80 * std::int64_t(i)));
        }
        mon.leave(r, outcome::ok, 0, milliseconds(1));
        mon.await_delayed(r);
        return r;
    }
    sim_time part(hop h) const { return sink.requests.at(0).hops()[std::size_t(h)]; }

    collector sink;
    monitor mon{sink};
};

TEST_F(delayed_span, is_split_at_its_instants) {
    request& r = accepted();
    mon.delayed_ready(token, protocol, milliseconds(5));
    mon.delayed_used(token, protocol, milliseconds(6));
    mon.irq_entered(milliseconds(8));
    mon.delayed_matched(r, milliseconds(11));
    mon.irq_left();
    mon.delayed_done(r, 0, milliseconds(15));
    mon.unpin(r);
    ASSERT_EQ(sink.requests.size(), 1u);
    EXPECT_EQ(part(hop::delayed_work), milliseconds(4));
    EXPECT_EQ(part(hop::delayed_return), milliseconds(1));
    EXPECT_EQ(part(hop::delayed_interrupt), milliseconds(2));
    EXPECT_EQ(part(hop::delayed_collect), milliseconds(3));
    EXPECT_EQ(part(hop::delayed_wake), milliseconds(4));
    EXPECT_EQ(sink.requests[0].round_trip(), milliseconds(15));
    EXPECT_TRUE(sink.violations.empty());
}

TEST_F(delayed_span, whose_instants_go_back_is_a_violation) {
    request& r = accepted();
    mon.delayed_ready(token, protocol, milliseconds(5));
    mon.delayed_used(token, protocol, milliseconds(4));
    mon.delayed_matched(r, milliseconds(11));
    mon.delayed_done(r, 0, milliseconds(15));
    ASSERT_EQ(sink.violations.size(), 1u);
    EXPECT_EQ(sink.violations[0].checker, "hop sums");
    EXPECT_NE(sink.violations[0].what.find("a hop is negative"), std::string::npos);
}

TEST_F(delayed_span, that_ends_before_it_was_matched_is_a_violation) {
    request& r = accepted();
    mon.delayed_matched(r, milliseconds(11));
    mon.delayed_done(r, 0, milliseconds(10));
    EXPECT_EQ(sink.violations.size(), 1u);
}

// A copy of it came first; what happens to itself afterwards is in none of its hops.
TEST_F(delayed_span, of_a_copy_is_work_until_the_handler_has_it) {
    request& r = accepted();
    mon.irq_entered(milliseconds(7));
    mon.delayed_matched(r, milliseconds(8));
    mon.delayed_ready(token, protocol, milliseconds(9));
    mon.delayed_used(token, protocol, milliseconds(9));
    mon.delayed_done(r, 0, milliseconds(10));
    mon.unpin(r);
    ASSERT_EQ(sink.requests.size(), 1u);
    EXPECT_EQ(part(hop::delayed_work), milliseconds(6));
    EXPECT_EQ(part(hop::delayed_collect), milliseconds(1));
    EXPECT_EQ(part(hop::delayed_wake), milliseconds(2));
    EXPECT_TRUE(sink.violations.empty());
}

TEST_F(delayed_span, that_came_with_its_response_is_empty) {
    request& r = accepted();
    mon.delayed_ready(token, protocol, microseconds(500));
    mon.delayed_used(token, protocol, microseconds(500));
    mon.delayed_matched(r, microseconds(800));
    mon.delayed_done(r, 0, milliseconds(1));
    mon.unpin(r);
    ASSERT_EQ(sink.requests.size(), 1u);
    EXPECT_EQ(sink.requests[0].delayed_wait(), sim_time{});
    EXPECT_TRUE(sink.violations.empty());
}

TEST_F(delayed_span, is_remembered_until_its_late_response_has_come) {
    request& r = accepted();
    mon.delayed_ready(token, protocol, milliseconds(1990));
    mon.delayed_missed(r, -ETIMEDOUT, seconds(2));
    mon.unpin(r);
    EXPECT_TRUE(sink.requests.empty());
    mon.delayed_used(token, protocol, seconds(3));
    mon.delayed_late(token, std::uint8_t(protocol + 1), seconds(3));
    EXPECT_TRUE(sink.requests.empty()) << "another protocol's";
    mon.delayed_late(token, protocol, seconds(3));
    ASSERT_EQ(sink.requests.size(), 1u);
    EXPECT_TRUE(is_spurious_delayed_timeout(sink.requests[0]));
    EXPECT_EQ(sink.requests[0].delayed_late_at, seconds(3));
    EXPECT_EQ(sink.requests[0].stuck_in(), hop::delayed_return);
    EXPECT_EQ(part(hop::delayed_return), milliseconds(10));
    EXPECT_TRUE(mon.open().empty());
}

TEST_F(delayed_span, that_is_lost_is_a_true_timeout_whenever_that_is_known) {
    for (const bool before : {true, false}) {
        sink.requests.clear();
        request& r = accepted();
        if (before) mon.delayed_lost(token, protocol);
        mon.delayed_missed(r, -ETIMEDOUT, seconds(2));
        mon.unpin(r);
        if (!before) mon.delayed_lost(token, protocol);
        ASSERT_EQ(sink.requests.size(), 1u) << before;
        EXPECT_TRUE(is_true_delayed_timeout(sink.requests[0]));
        EXPECT_FALSE(is_spurious_delayed_timeout(sink.requests[0]));
    }
    EXPECT_TRUE(mon.open().empty());
}

TEST_F(delayed_span, ends_with_a_reset_of_the_device) {
    request& late = accepted();
    mon.delayed_missed(late, -ETIMEDOUT, seconds(2));
    mon.unpin(late);
    request& waiting = accepted();
    mon.device_reset();
    ASSERT_EQ(sink.requests.size(), 1u) << "nothing is owed any more";
    EXPECT_TRUE(waiting.delayed_lost);
    mon.finish(seconds(3));
    ASSERT_EQ(sink.requests.size(), 2u);
    EXPECT_EQ(sink.requests[1].result, outcome::unfinished);
    EXPECT_TRUE(is_true_delayed_timeout(sink.requests[1]));
    EXPECT_FALSE(is_true_timeout(sink.requests[1]));
}

// The token is drawn again while the first one's is late: the first that is sent is the first's.
TEST_F(delayed_span, of_two_with_one_token_the_first_comes_first) {
    request& first = accepted();
    mon.delayed_missed(first, -ETIMEDOUT, seconds(2));
    mon.unpin(first);
    request& second = accepted();
    mon.delayed_used(token, protocol, seconds(3));
    mon.delayed_used(token, protocol, seconds(4));
    EXPECT_EQ(first.delayed_used, seconds(3));
    EXPECT_EQ(second.delayed_used, seconds(4));
    EXPECT_EQ(second.wait_number, 2u);
}

}  // namespace
}  // namespace scmi_vp::models
