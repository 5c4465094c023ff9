// SPDX-License-Identifier: Apache-2.0
// The story of a request against runs whose truth is known: a sensor that takes 45 ms behind a 30
// ms timeout, the recorded Linux' 70 s reply, a host that stops, a lost reply, a lock.
#include "studies/stories/explain_testing.h"

namespace scmi_vp::studies {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// testbenches/late-reply/scenario.toml: a 30 ms timeout meets a sensor that takes 45 ms.
TEST_F(explain, a_late_reply_is_told_as_a_spurious_timeout) {
    const story s = story_of(run_of(testbench("late-reply"), 0), late());
    EXPECT_EQ(s.task, "slow-reader-101");
    EXPECT_EQ(s.what, "SENSOR_READING_GET(1)");
    EXPECT_GE(s.returned - s.entered, milliseconds(30));
    EXPECT_GT(s.late_at - s.entered, milliseconds(45));
    EXPECT_LT(s.late_at - s.entered, milliseconds(46));
    EXPECT_THAT(all_of(s),
                AllOf(HasSubstr("the timeout was a spurious one"), HasSubstr("-ETIMEDOUT"),
                      HasSubstr("The hop that made it slow is service"),
                      HasSubstr("A timeout of more than about 45.09ms"),
                      HasSubstr("still waiting there when the driver gave up")));
    // The other task read five times meanwhile: one read each 5 ms.
    EXPECT_THAT(all_of(s), HasSubstr("by monitor-100"));
    EXPECT_EQ(s.neighbours.size(), 5u);
    // drivers/firmware/arm_scmi/driver.c, do_xfer(): "timed out in resp(caller: %pS)".
    EXPECT_THAT(s.log, Contains(HasSubstr("timed out in resp")));
}

TEST_F(explain, hops_add_up_and_the_open_one_is_marked) {
    const story s = story_of(run_of(testbench("late-reply"), 0), late());
    sim_time sum{};
    std::size_t waiting = 0;
    for (const hop_part& p : s.hops) {
        EXPECT_EQ(p.from, sum);
        sum += p.length;
        if (p.waiting) {
            ++waiting;
            EXPECT_EQ(p.id, hop::service);
            EXPECT_EQ(p.median, microseconds(50));  // the other sensor's, in the scenario
        }
    }
    EXPECT_EQ(sum, s.returned - s.entered);
    EXPECT_EQ(waiting, 1u);
}

// The recording's request 28 is answered 70 s after the doorbell and given up after 60 s
// (testbenches/linux-6.1-recording).
TEST_F(explain, the_recorded_timeout_is_the_slowest) {
    request_choice slowest;
    slowest.point = 0, slowest.replication = 0;
    const story s = story_of(run_of(testbench("linux-6.1-recording"), 0), slowest);
    EXPECT_EQ(s.what, "SENSOR_READING_GET(2)");
    EXPECT_GE(s.late_at - s.entered, seconds(70));
    EXPECT_THAT(s.log, Contains(HasSubstr("timed out in resp")));
}

TEST_F(explain, a_quick_request_is_not_called_slow) {
    const story s = story_of(run_of(testbench("late-reply"), 0), number(1));
    EXPECT_EQ(s.request, 1u);
    EXPECT_THAT(all_of(s), AllOf(HasSubstr("was answered with SUCCESS"),
                                 Not(HasSubstr("timeout was")), HasSubstr("No hop was unusual")));
}

/// Without tasks.
const std::string stopping_machine = R"([scenario]
title = "stopping host"
[sim]
duration = "400ms"
[guest]
max_rx_timeout = "1s"
[[platform.sensor]]
name = "s"
[platform]
protocols = [0x15]
[[platform.agent]]
name = "linux"
[[platform.pause]]
every = "100ms"
length = "120ms"
count = 1
[hops]
service = "50us"
)";

const std::string stopping_host = stopping_machine + R"([[workload.context]]
name = "t"
pid = 7
[[workload.loop]]
context = "t"
calls = [{ call = "sensor_read", id = 0 }]
count = 100
think = "3ms"
)";

/// From 50 ms on it answers nothing.
const std::string losing_host = stopping_host + R"([[platform.loss]]
probability = 1.0
from = "50ms"
)";

// The host stops for 120 ms, 100 ms after the start (platform.pause): what waits meanwhile is slow.
TEST_F(explain, a_pause_of_the_host_is_named_with_its_times) {
    const story s = story_of(run_of(write("pause.toml", stopping_host).string(), 0),
                             {request_choice::by::slowest, 0, 0, 0});
    ASSERT_EQ(s.gaps.size(), 1u);
    EXPECT_EQ(s.gaps[0].from, milliseconds(100));
    EXPECT_EQ(s.gaps[0].to, milliseconds(220));
    EXPECT_THAT(all_of(s),
                HasSubstr("The platform's host did not run from 100ms to 220ms (120ms)"));
}

TEST_F(explain, a_lost_reply_is_a_true_timeout) {
    const std::string scenario = write("lost.toml", losing_host).string();
    const story s = story_of(run_of(scenario, 0, {"guest.max_rx_timeout=20ms"}),
                             {request_choice::by::slowest, 0, 0, 0});
    EXPECT_EQ(s.outcome, "timed_out");
    EXPECT_THAT(all_of(s),
                AllOf(HasSubstr("The platform never answered it: the timeout was a true one"),
                      Not(HasSubstr("spurious"))));
}

// Three tasks call behind one lock; the host stops under the first of them, so the others wait, and
// no request of theirs is in flight meanwhile.
const std::string one_lock = stopping_machine + R"([[workload.context]]
name = "first"
[[workload.context]]
name = "second"
[[workload.context]]
name = "third"
[[workload.loop]]
context = "first"
calls = [{ call = "sensor_read", id = 0 }]
count = 1
think = "105ms"
lock = "l"
[[workload.loop]]
context = "second"
calls = [{ call = "sensor_read", id = 0 }]
count = 1
think = "110ms"
lock = "l"
[[workload.loop]]
context = "third"
calls = [{ call = "sensor_read", id = 0 }]
count = 1
think = "120ms"
lock = "l"
)";

TEST_F(explain, who_waits_behind_a_lock_is_told_on_both_sides) {
    const std::string scenario = write("lock.toml", one_lock).string();
    const story first = story_of(run_of(scenario, 0), {request_choice::by::slowest, 0, 0, 0});
    EXPECT_THAT(first.task, HasSubstr("first"));
    EXPECT_THAT(all_of(first),
                HasSubstr("2 calls of other tasks entered the driver only after it had returned, "
                          "having waited for a lock for up to 109.4ms"));
    const story second = story_of(run_of(scenario, 0), number(first.request + 1));
    EXPECT_THAT(second.task, HasSubstr("second"));
    EXPECT_THAT(all_of(second), AllOf(HasSubstr("before, and waited for a lock: "),
                                      HasSubstr("before it entered, request " +
                                                std::to_string(first.request) + ", ")));
    // The third had called before the second returned, and waited for that.
    EXPECT_THAT(all_of(second), HasSubstr("One call of other tasks"));
    const story third = story_of(run_of(scenario, 0), number(first.request + 2));
    EXPECT_THAT(all_of(third), Not(HasSubstr("of other tasks entered")));
}

TEST_F(explain, a_lost_reply_is_told_although_the_run_ended_first) {
    const std::string scenario = write("lost.toml", losing_host).string();
    const json run = run_of(scenario, 0, {"guest.max_rx_timeout=60s"});
    const story s = story_of(run, number(requests_in(story_of(run, number(1)))));
    EXPECT_EQ(s.outcome, "unfinished");
    EXPECT_THAT(all_of(s), HasSubstr("The platform never answers it"));
}

// -ENOMEM at once: there is no hop that made it slow, and no pause that it waited for.
TEST_F(explain, a_refused_request_has_no_slow_hop) {
    const std::string scenario =
        write("refused.toml", stopping_host + "[device]\nqueue_size = 2\n" +
                                  "[[workload.context]]\nname = \"u\"\n[[workload.loop]]\n"
                                  "context = \"u\"\ncalls = [{ call = \"sensor_read\", id = 0 }]\n"
                                  "count = 100\nthink = \"3ms\"\n")
            .string();
    const json run = run_of(scenario, 0);
    const story s = story_of(run, number(15));
    EXPECT_EQ(s.outcome, "no_slot");
    EXPECT_THAT(all_of(s), AllOf(HasSubstr("It was refused"), Not(HasSubstr("No hop")),
                                 Not(HasSubstr("that hop"))));
}

}  // namespace
}  // namespace scmi_vp::studies
