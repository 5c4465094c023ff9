// SPDX-License-Identifier: Apache-2.0
// What a caller feels whose result comes in a delayed response: its time, its error, in everything
// that a run writes. And that responses of open loops are those of calls, not of messages.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using nlohmann::json;
using scenario::testing_tools::scenario_error;
using scenario::testing_tools::scratch_folder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_tools::contents;
using testing_tools::read_csv;
using testing_tools::run_in_child;

/// A service that is done 10 s after it was accepted; somebody else keeps the run going for 20 s.
constexpr const char* slow_service = R"(
[sim]
duration = "60s"
[guest]
drivers = ["scmi-hwmon"]
[platform]
sensor_max_async = 4
delayed_work = "10s"
[[platform.sensor]]
name = "update"
async = true
[[workload.context]]
name = "fwupd"
[[workload.context]]
name = "other"
[[workload.loop]]
context = "other"
count = 1
think = "20s"
calls = [ { call = "base_version" } ]
)";
constexpr const char* one_read = R"(
[[workload.sequence]]
context = "fwupd"
call = "sensor_read"
)";

struct results {
    run_status status;
    std::string report;
    std::vector<std::map<std::string, std::string>> rows;  ///< of the calls
    json summary;
};

results results_of(const std::string& text, const std::vector<std::string>& set = {}) {
    const scratch_folder folder;
    run_options options;
    options.out = folder.path() / "out";
    const auto done = run_in_child(parse_scenario(text, folder.path() / "s.toml", set), options);
    results r{done.status, done.report, {}, json::parse(contents(options.out / "summary.json"))};
    for (auto& row : read_csv(options.out / "requests.csv")) {
        const std::string& task = row.at("task");
        const bool call = task.find("kworker") == task.npos && task.find("other") == task.npos;
        if (call) r.rows.push_back(row);
    }
    return r;
}

std::string span(sim_time t) {
    return std::to_string(t.ps);
}

// wait_for_completion_timeout(msecs_to_jiffies(limit)) on the timer wheel, from jiffy 0: 64 to 511
// jiffies are rounded up to a multiple of eight, fewer to the next one (kernel/time/timer.c
// calc_index).
struct limit_case {
    const char *hz, *set;
    sim_time fires;
};

class delayed_limit : public testing::TestWithParam<limit_case> {};

TEST_P(delayed_limit, is_what_the_caller_waits_before_it_gets_ETIMEDOUT) {
    const auto& [hz, set, fires] = GetParam();
    std::vector<std::string> overrides{"guest.hz=" + std::string(hz)};
    if (*set) overrides.push_back("guest.max_delayed_response=" + std::string(set));
    const results r = results_of(std::string(slow_service) + one_read, overrides);
    EXPECT_EQ(r.status, run_status::ok);
    ASSERT_EQ(r.rows.size(), 1u);
    const auto& row = r.rows[0];
    EXPECT_EQ(row.at("outcome"), "timed_out");
    EXPECT_EQ(row.at("linux_errno"), "-110");
    EXPECT_EQ(row.at("round_trip_ps"), span(fires));
    EXPECT_EQ(row.at("delayed_work_ps"), span(fires));
    EXPECT_EQ(row.at("stuck_in"), "delayed_work");
    EXPECT_EQ(row.at("limit"), "delayed_response");
    EXPECT_EQ(row.at("delayed_lost"), "0");
    EXPECT_EQ(row.at("delayed_late_at_ps"), span(seconds(10)));
    EXPECT_EQ(row.at("late_at_ps"), "") << "its reply was in time";
    EXPECT_EQ(r.summary.at("outcomes").at("timed_out"), 1);
    EXPECT_EQ(r.summary.at("round_trip_ps").at("max"), fires.ps);
    EXPECT_EQ(r.summary.at("spurious_timeouts").at("count"), 0);
    EXPECT_EQ(r.summary.at("late_replies"), 0);
    const json& delayed = r.summary.at("delayed");
    EXPECT_EQ(delayed.at("requests"), 1);
    EXPECT_EQ(delayed.at("responses"), 0);
    EXPECT_EQ(delayed.at("spurious_timeouts").at("count"), 1);
    EXPECT_EQ(delayed.at("true_timeouts").at("count"), 0);
    EXPECT_EQ(delayed.at("late_responses"), 1);
    EXPECT_EQ(delayed.at("wait_ps").at("max"), fires.ps);
    EXPECT_EQ(r.summary.at("hops_ps").at("delayed_work").at("max"), fires.ps);
    EXPECT_EQ(r.summary.at("tasks").at(0).at("last_errno"), 110);
}

INSTANTIATE_TEST_SUITE_P(wheel, delayed_limit,
                         testing::Values(limit_case{"250", "", milliseconds(2016)},
                                         limit_case{"100", "", milliseconds(2080)},
                                         limit_case{"250", "500ms", milliseconds(512)},
                                         limit_case{"100", "500ms", milliseconds(510)}));

TEST(delayed_response, is_told_by_the_account_and_the_totals) {
    const results r = results_of(std::string(slow_service) + one_read);
    EXPECT_THAT(
        r.report,
        AllOf(HasSubstr("2.016s      timed_out  delayed_work 2.016s; gave up in hop delayed_work; "
                        "its delayed response came at 10s\n"),
              HasSubstr("requests: 11 ok 1 timed_out; 1 delayed responses missed: 1 spurious, 0 "
                        "true, 1 came late\n"),
              HasSubstr("max 2.016s (request 11)"), HasSubstr("\n  delayed_work "),
              Not(HasSubstr("delayed_return"))));
}

TEST(delayed_response, that_comes_in_time_is_part_of_the_round_trip) {
    const results r =
        results_of(std::string(slow_service) + one_read,
                   {"guest.max_delayed_response=15s", "hops.service=2ms", "hops.guest_wake=1ms"});
    ASSERT_EQ(r.rows.size(), 1u);
    EXPECT_EQ(r.rows[0].at("outcome"), "ok");
    EXPECT_EQ(r.rows[0].at("round_trip_ps"), span(seconds(10) + milliseconds(3)));
    // The platform works from its response on; the caller waits from when it has run again.
    EXPECT_EQ(r.rows[0].at("delayed_work_ps"), span(seconds(10) - milliseconds(1)));
    EXPECT_EQ(r.rows[0].at("delayed_wake_ps"), span(milliseconds(1)));
    EXPECT_EQ(r.rows[0].at("limit"), "");
    EXPECT_EQ(r.summary.at("delayed").at("responses"), 1);
    EXPECT_EQ(r.summary.at("tasks").at(0).at("errors"), 0);
}

constexpr const char* dropped = R"(
[[platform.fault]]
kind = "drop"
of = "delayed_response"
)";

TEST(delayed_response, that_never_comes_is_a_true_timeout) {
    const results r = results_of(std::string(slow_service) + one_read + dropped);
    ASSERT_EQ(r.rows.size(), 1u);
    EXPECT_EQ(r.rows[0].at("outcome"), "timed_out");
    EXPECT_EQ(r.rows[0].at("delayed_lost"), "1");
    EXPECT_EQ(r.rows[0].at("lost"), "0");
    EXPECT_EQ(r.rows[0].at("delayed_late_at_ps"), "");
    EXPECT_EQ(r.summary.at("delayed").at("true_timeouts").at("count"), 1);
    EXPECT_EQ(r.summary.at("delayed").at("spurious_timeouts").at("count"), 0);
    EXPECT_EQ(r.summary.at("delayed").at("late_responses"), 0);
    EXPECT_EQ(r.summary.at("true_timeouts").at("count"), 0) << "not of the rx timeout";
    EXPECT_THAT(r.report, HasSubstr("; no delayed response\n"));
}

TEST(delayed_response, that_says_no_is_what_the_caller_gets) {
    const results r = results_of(std::string(slow_service) + one_read + R"(
[[platform.fault]]
kind = "rewrite"
of = "delayed_response"
new = { status = "DENIED" }
)",
                                 {"platform.delayed_work=1s"});
    ASSERT_EQ(r.rows.size(), 1u);
    EXPECT_EQ(r.rows[0].at("outcome"), "scmi_error");
    EXPECT_EQ(r.rows[0].at("scmi_status"), "-3");
    EXPECT_EQ(r.rows[0].at("linux_errno"), "-13");
    EXPECT_EQ(r.rows[0].at("round_trip_ps"), span(seconds(1)));
}

TEST(delayed_response, that_is_awaited_when_the_run_ends_is_unfinished) {
    const results r = results_of(std::string(slow_service) + one_read, {"sim.duration=1s"});
    EXPECT_EQ(r.status, run_status::unfinished);
    ASSERT_EQ(r.rows.size(), 1u);
    EXPECT_EQ(r.rows[0].at("outcome"), "unfinished");
    EXPECT_EQ(r.rows[0].at("round_trip_ps"), span(seconds(1)));
    EXPECT_EQ(r.rows[0].at("stuck_in"), "delayed_work");
    EXPECT_THAT(r.report, HasSubstr("request 11 is in hop delayed_work"));
    EXPECT_EQ(r.summary.at("outcomes").at("unfinished"), 1);
}

constexpr const char* open_loop = R"(
[[workload.open]]
contexts = ["fwupd"]
interarrival = "3s"
calls = [ { call = "sensor_read" } ]
)";

TEST(delayed_response, belongs_to_the_response_of_an_open_loop) {
    const results r = results_of(
        std::string(slow_service) + open_loop,
        {"platform.delayed_work={ kind = \"exponential\", mean = \"1s\" }", "hops.service=100us"});
    std::int64_t longest = 0, sum = 0;
    std::size_t gave_up = 0, ended = 0;
    for (const auto& row : r.rows) {
        if (row.at("outcome") == "unfinished") continue;
        const std::int64_t response = std::stoll(row.at("entered_ps")) +
                                      std::stoll(row.at("round_trip_ps")) -
                                      std::stoll(row.at("intended_ps"));
        longest = std::max(longest, response);
        sum += response;
        gave_up += row.at("outcome") == "timed_out";
        ++ended;
    }
    ASSERT_GT(gave_up, 0u) << "the scenario tests less than it says";
    const json& response = r.summary.at("response_ps");
    EXPECT_EQ(response.at("count"), ended) << "a caller that gave up has waited, too";
    EXPECT_EQ(response.at("max"), longest);
    EXPECT_EQ(response.at("mean"), sum / std::int64_t(ended));
    EXPECT_GE(longest, seconds(2).ps);
}

// POWER_STATE_SET, then POWER_STATE_GET to see whether it worked: one call of 2 ms.
TEST(response, of_a_call_that_sends_two_messages_is_one) {
    const results r = results_of(R"(
[sim]
duration = "1s"
[guest]
drivers = ["scmi-power-domain"]
[hops]
service = "1ms"
[[platform.power_domain]]
name = "a"
[[workload.context]]
name = "p"
[[workload.open]]
contexts = ["p"]
interarrival = "100ms"
count = 4
calls = [ { call = "power_on" } ]
)");
    const json& response = r.summary.at("response_ps");
    EXPECT_EQ(response.at("count"), 4);
    EXPECT_EQ(response.at("min"), milliseconds(2).ps);
    EXPECT_EQ(response.at("max"), milliseconds(2).ps);
    EXPECT_THAT(r.report, HasSubstr("call was due: mean 2ms, median 2ms, 99% 2ms, max 2ms\n"));
}

// A pool of one: while a call is under way, others fail at once, which says nothing about the
// platform. Calls that give up count with what they waited.
TEST(response, of_a_call_that_the_driver_refused_does_not_count) {
    const results r = results_of(R"(
[sim]
duration = "2s"
[guest]
drivers = ["scmi-hwmon"]
max_rx_timeout = "10ms"
[device]
queue_size = 2
[[platform.sensor]]
name = "s"
[[platform.loss]]
probability = 0.1
from = "1ms"
[hops]
service = "5ms"
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.open]]
contexts = ["a", "b"]
interarrival = "3ms"
count = 100
calls = [ { call = "sensor_read" } ]
)");
    std::uint64_t answered = 0, timed_out = 0;
    for (const auto& row : r.rows) {
        answered += row.at("outcome") == "ok" || row.at("outcome") == "timed_out";
        timed_out += row.at("outcome") == "timed_out";
    }
    EXPECT_GT(timed_out, 0u);
    EXPECT_LT(answered, 100u);
    EXPECT_EQ(r.summary.at("response_ps").at("count"), answered);
}

TEST(max_delayed_response, is_in_whole_milliseconds) {
    EXPECT_EQ(scenario_error("[guest]\nmax_delayed_response = \"1.5ms\"\n"),
              "s.toml:2:24: guest.max_delayed_response: 1.5ms is not a whole number of "
              "milliseconds, in which the driver counts");
    EXPECT_THAT(scenario_error("[guest]\nmax_delayed_responce = \"1s\"\n"),
                HasSubstr("did you mean guest.max_delayed_response?"));
}

}  // namespace
}  // namespace scmi_vp::runs
