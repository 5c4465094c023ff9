// SPDX-License-Identifier: Apache-2.0
// Runs of a study: the same results with any number of processes, and the same as in one process.
#include "studies/methods/runner.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "studies/methods/small_study_testing.h"
#include "studies/results/replication.h"
#include "studies/results/results.h"

namespace scmi_vp::studies {
namespace {

using scenario::testing_tools::error_of;
using testing::HasSubstr;

std::string all_of(const study& s, const std::vector<point_result>& results) {
    const findings f = find_out(s, results);
    std::ostringstream rows;
    write_kept_requests(f, rows);
    return results_json(f).dump(1) + rows.str();
}

TEST_F(small_study, does_not_depend_on_the_number_of_processes) {
    const study s = load();
    std::string first;
    for (const unsigned jobs : {1u, 2u, 5u}) {
        runner_options options;
        options.jobs = jobs;
        const std::string all = all_of(s, run_points(s, options));
        if (first.empty()) first = all;
        EXPECT_EQ(all, first) << jobs << " processes";
    }
    EXPECT_THAT(first, HasSubstr("\"per_million\""));
}

/// The first run of the first point, in this process.
std::vector<point_result> only_result(const study& s) {
    std::vector<point_result> results(1);
    merge_replication(results[0], run_replication(s, 0, 0));
    return results;
}

// In this process only one run is possible: it must be what a child sends.
TEST_F(small_study, a_child_computes_what_this_process_does) {
    study s = load();
    s.replications = 1;
    s.points.erase(s.points.begin());
    runner_options options;
    options.jobs = 2;
    const std::vector<point_result> forked = run_points(s, options);
    const std::vector<point_result> here = only_result(s);
    EXPECT_EQ(all_of(s, here), all_of(s, forked));
    EXPECT_GT(here[0].totals.spurious, 0u);
}

// Law of the loss model: probability 0.01 of each reply, 600 calls of 4 runs and the probe's.
TEST_F(small_study, counts_what_happened) {
    const study s = load();
    const std::vector<point_result> results = run_points(s, {});
    ASSERT_EQ(results.size(), 2u);
    const point_totals& steady = results[0].totals;
    EXPECT_GE(steady.requests, 2400u);
    EXPECT_NEAR(double(steady.true_timeouts), 24, 20);
    EXPECT_EQ(steady.outcomes[std::size_t(models::outcome::timed_out)],
              steady.spurious + steady.true_timeouts);
    EXPECT_EQ(steady.violations, 0u);
    EXPECT_GT(results[1].totals.spurious, 0u);
    EXPECT_GT(results[1].totals.late_replies, 0u);
    std::uint64_t sum = 0;
    for (const replication_summary& r : results[0].replications) sum += r.requests;
    EXPECT_EQ(sum, steady.requests);
    // The hops of what was answered or timed out add up to its round trips.
    double hops = 0;
    for (const auto& h : steady.hop_sum) hops += h.as_seconds();
    EXPECT_NEAR(hops, steady.round_trip.sum().as_seconds(), 1e-9);
    EXPECT_EQ(steady.slowest.round_trip, steady.round_trip.max());
}

// Common random numbers: without a difference between points there is none between results.
TEST_F(small_study, points_share_their_seeds) {
    const study s = load(R"(
[study]
scenario = "scenario.toml"
replications = 2
[[axis]]
name = "x"
values = [ { label = "a" }, { label = "b" } ]
)");
    const std::vector<point_result> r = run_points(s, {});
    EXPECT_EQ(r[0].totals.to_json(), r[1].totals.to_json());
    EXPECT_NE(r[0].replications[0].seed, r[0].replications[1].seed);
    EXPECT_EQ(r[0].replications[0].seed, r[1].replications[0].seed);
}

constexpr const char* one_run = R"(
[study]
scenario = "scenario.toml"
replications = 1
)";

// Two callers behind one lock: at 100 ms the reply to one is lost, and its timeout is a minute. It
// is in its call for 900 ms until the run ends, and so is, but for its thinking time, the other, of
// which no request exists.
TEST_F(small_study, who_waits_for_a_lock_when_the_run_ends_is_blocked) {
    folder.write("scenario.toml", R"(
[sim]
duration = "1s"
[guest]
max_rx_timeout = "60s"
[[platform.sensor]]
name = "t"
[[platform.loss]]
probability = 1.0
from = "100ms"
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.loop]]
context = "a"
count = 100
think = "50ms"
lock = "l"
calls = [ { call = "sensor_read", id = 0 } ]
[[workload.loop]]
context = "b"
count = 100
think = "51ms"
lock = "l"
calls = [ { call = "sensor_read", id = 0 } ]
)");
    const study s = load(one_run);
    const std::vector<point_result> results = only_result(s);
    const point_totals& t = results[0].totals;
    EXPECT_EQ(t.true_timeouts, 1u);
    EXPECT_EQ(t.true_pending, 1u);
    EXPECT_GT(t.blocked.as_seconds(), 1.6);
    EXPECT_LT(t.blocked.as_seconds(), 1.81);
    const findings f = find_out(s, results);
    EXPECT_THAT(f.points[0].remarks, testing::ElementsAre(HasSubstr("1 of the 1 true timeouts")));
}

// D/D/1: an arrival each millisecond for one task, service 10 ms. Call k is due at k ms and returns
// at 10 k + 1 ms, so the response of call k is 9 k + 1 ms, and nine in ten calls are never made.
TEST_F(small_study, an_overloaded_open_loop_shows) {
    folder.write("scenario.toml", R"(
[sim]
duration = "2s"
[hops]
service = "10ms"
[[platform.sensor]]
name = "t"
[[workload.context]]
name = "a"
[[workload.open]]
contexts = ["a"]
start = "1s"
interarrival = "1ms"
calls = [ { call = "sensor_read", id = 0 } ]
)");
    const study s = load(one_run);
    const std::vector<point_result> results = only_result(s);
    const point_totals& t = results[0].totals;
    EXPECT_GT(t.not_made, 0u);
    const auto j = results_json(find_out(s, results))["points"][0];
    EXPECT_EQ(j["calls_not_made"].get<std::uint64_t>(), t.not_made);
    EXPECT_LT(j["round_trip_ps"]["max"].get<double>(), 11e9);
    const double calls = j["response_ps"]["count"].get<double>();
    EXPECT_GT(calls, 50);
    EXPECT_EQ(j["response_ps"]["max"].get<double>(), (9 * calls + 1) * 1e9);
    EXPECT_NEAR(double(t.not_made), 9 * calls, 12);
    EXPECT_THAT(j["remarks"].dump(), HasSubstr("were due and not made"));
}

// The platform answers nothing: the probe gives up, and there is no workload.
TEST_F(small_study, a_run_without_a_probe_is_told) {
    study s = load(one_run);
    s.points[0].scenario =
        runs::load_scenario(s.scenario, {"platform.loss=[{ probability = 1.0 }]"});
    const std::vector<point_result> results = only_result(s);
    EXPECT_FALSE(results[0].replications[0].probed);
    EXPECT_THAT(find_out(s, results).points[0].remarks,
                testing::Contains(HasSubstr("in its only run the driver's probe failed")));
}

// Two tasks read all the time; the host stands still for 200 ms, four times. Each freeze fails
// several calls of both tasks, and is one incident.
TEST_F(small_study, timeouts_of_one_freeze_are_one_incident) {
    folder.write("scenario.toml", R"(
[sim]
duration = "8s"
[guest]
max_rx_timeout = "30ms"
[hops]
service = "100us"
[[platform.sensor]]
name = "t"
[[platform.pause]]
every = "1.5s"
length = "200ms"
count = 4
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.loop]]
context = "a"
count = 0
think = "1ms"
calls = [ { call = "sensor_read", id = 0 } ]
[[workload.loop]]
context = "b"
count = 0
think = "1.3ms"
calls = [ { call = "sensor_read", id = 0 } ]
)");
    const study s = load(one_run);
    const std::vector<point_result> results = only_result(s);
    const point_totals& t = results[0].totals;
    EXPECT_GE(t.spurious, 4u * 8) << "about six timeouts of each task in each freeze";
    EXPECT_EQ(t.spurious_incidents, 4u);
    EXPECT_EQ(t.true_incidents, 0u);
    EXPECT_NEAR(t.task_time.as_seconds(), 16, 1e-6);  // two tasks for 8 s
    const nlohmann::json j = results_json(find_out(s, results))["points"][0];
    const nlohmann::json& i = j["spurious_timeouts"]["incidents"];
    EXPECT_EQ(i["count"], 4);
    EXPECT_EQ(i["per_hour"], 1800);
    EXPECT_NEAR(i["low"].get<double>(), 1.0899 * 450, 1);  // exact limits of 4
    EXPECT_NEAR(i["high"].get<double>(), 10.2416 * 450, 1);
    EXPECT_EQ(j["true_timeouts"]["incidents"]["per_hour"], 0);
    EXPECT_NEAR(j["true_timeouts"]["incidents"]["high"].get<double>(), 2.9957 * 450, 1);
    EXPECT_THAT(j["true_timeouts"]["beyond"].get<std::string>(),
                HasSubstr("no true timeouts in the one replication: with 95% confidence, at most "
                          "3 incidents in the time simulated"));
}

// While a run goes on it tells how far it is; at its end it is whole.
TEST_F(small_study, a_run_tells_its_progress) {
    study s = load();
    s.replications = 1;
    std::vector<std::pair<double, std::uint64_t>> told;
    run_replication(s, 0, 0, {}, [&](double done, std::uint64_t n) { told.push_back({done, n}); });
    ASSERT_EQ(told.size(), 2u) << "600 calls and the probe's: once at 512, and at the end";
    EXPECT_GT(told[0].first, 0.5);
    EXPECT_LT(told[0].first, 1);
    EXPECT_EQ(told[0].second, 512u);
    EXPECT_EQ(told[1].first, 1);
}

TEST_F(small_study, a_run_that_fails_is_named_with_its_command) {
    const study s = load(R"(
[study]
scenario = "scenario.toml"
[[axis]]
name = "x"
values = [ { label = "endless", set = { "workload.loop.0.think" = "0s", "workload.loop.0.count" = 0, "platform.loss" = [], "hops.service" = "0s", "guest.costs" = "free" } } ]
)");
    const std::string what = error_of([&] { run_points(s, {}); });
    EXPECT_THAT(what, HasSubstr("simulated time stands still"));
    EXPECT_THAT(what, HasSubstr("in point 0 (x endless), replication 0, seed "));
    EXPECT_THAT(what, HasSubstr("to run it alone: scmi-vp run "));
    EXPECT_THAT(what, HasSubstr("--set workload.loop.0.think=0s"));
}

}  // namespace
}  // namespace scmi_vp::studies
