// SPDX-License-Identifier: Apache-2.0
// Runs of a study: the same results with any number of processes, and the same as in one process.
#include "studies/runner.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "studies/results.h"
#include "studies/run_study.h"
#include "testbenches/scenario_testing.h"

namespace scmi_vp::studies {
namespace {

using testbenches::testing_tools::error_of;
using testbenches::testing_tools::scratch_folder;
using testing::HasSubstr;

constexpr const char* scenario_text = R"(
[sim]
duration = "2s"
[guest]
max_rx_timeout = "30ms"
ftrace = false
[hops]
service = { kind = "exponential", mean = "100us" }
[[platform.sensor]]
name = "t"
[[platform.loss]]
probability = 0.01
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.loop]]
context = "a"
count = 300
think = { kind = "exponential", mean = "1ms" }
calls = [ { call = "sensor_read", id = 0 } ]
[[workload.loop]]
context = "b"
count = 300
think = { kind = "exponential", mean = "1ms" }
calls = [ { call = "sensor_read", id = 0 } ]
)";

constexpr const char* study_text = R"(
[study]
scenario = "scenario.toml"
replications = 4
[[axis]]
name = "host"
values = [ { label = "steady" },
           { label = "pausing", set = { "platform.pause" = [ { every = "200ms", length = "50ms" } ] } } ]
)";

class small_study : public testing::Test {
protected:
    small_study() { folder.write("scenario.toml", scenario_text); }
    study load(const std::string& text = study_text) {
        return parse_study(text, folder.path() / "study.toml");
    }
    scratch_folder folder;
};

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

// In this process only one run is possible: it must be what a child sends.
TEST_F(small_study, a_child_computes_what_this_process_does) {
    study s = load();
    s.replications = 1;
    s.points.erase(s.points.begin());
    runner_options options;
    options.jobs = 2;
    const std::vector<point_result> forked = run_points(s, options);
    std::vector<point_result> here(1);
    merge_replication(here[0], run_replication(s, 0, 0));
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

std::size_t lines(const std::string& text) {
    return std::size_t(std::count(text.begin(), text.end(), '\n'));
}

TEST_F(small_study, writes_its_files) {
    const study s = load();
    study_options options;
    options.out = folder.path() / "out";
    options.all_requests = true;
    options.jobs = 3;
    std::ostringstream report;
    EXPECT_EQ(run_study(s, options, report), study_status::ok);
    const auto j = nlohmann::json::parse(folder.read("out/results.json"));
    EXPECT_EQ(j.at("format"), "scmi-vp results 1");
    std::uint64_t requests = 0;
    for (const auto& p : j.at("points")) requests += p.at("requests").get<std::uint64_t>();
    EXPECT_EQ(lines(folder.read("out/requests.csv")), requests + 1);
    EXPECT_THAT(folder.read("out/slowest/waves.vcd"), HasSubstr("$enddefinitions"));
    EXPECT_THAT(folder.read("out/report.html"), HasSubstr("</html>"));
    for (const auto& f : std::filesystem::directory_iterator(options.out)) {
        EXPECT_NE(f.path().extension(), ".part");
    }
    EXPECT_THAT(report.str(), HasSubstr("Where the time went, host pausing"));
    EXPECT_THAT(report.str(), HasSubstr("Written to "));
    // Again into the same folder, with the kept requests only: fewer, and never none.
    options.all_requests = false;
    std::ostringstream again;
    run_study(s, options, again);
    EXPECT_GT(lines(folder.read("out/requests.csv")), 2000u);
}

}  // namespace
}  // namespace scmi_vp::studies
