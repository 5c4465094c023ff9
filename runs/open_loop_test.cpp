// SPDX-License-Identifier: Apache-2.0
// An overloaded open loop, of which everything is known: the round trips look well, the responses
// tell (coordinated omission).
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing::HasSubstr;
using testing::Not;
using testing_tools::contents;
using testing_tools::run_in_child;

constexpr const char* overloaded = R"(
[sim]
duration = "2s"
[[platform.sensor]]
name = "soc"
[hops]
service = "2ms"
[[workload.context]]
name = "t"
[[workload.open]]
contexts = ["t"]
interarrival = "1ms"
calls = [ { call = "sensor_read", id = 0 } ]
)";

constexpr const char* closed_loop = R"(
[[workload.context]]
name = "c"
[[workload.loop]]
context = "c"
count = 0
think = "1ms"
calls = [ { call = "sensor_read", id = 0 } ]
)";

// D/D/1 at twice what it can serve: call k is due at k ms and returns at 2 k ms, so the response of
// call k is (k + 1) ms, and half of all calls are never made. Neither the probe's requests nor
// those of a closed loop have a response: they are made when they are due.
TEST(open_loop, a_run_tells_responses_and_calls_that_were_not_made) {
    const scratch_folder folder;
    const scenario::scenario s =
        parse_scenario(std::string(overloaded) + closed_loop, folder.path() / "scenario.toml",
                       {"platform.workers=2"});
    const auto run = run_in_child(s, folder.path() / "out");
    EXPECT_EQ(run.status, run_status::ok);  // neither has a count
    EXPECT_THAT(run.report, HasSubstr("round trip: min 2ms, mean 2ms, max 2ms"));
    const auto j = nlohmann::json::parse(contents(folder.path() / "out/summary.json"));
    const double calls = j.at("tasks").at(0).at("calls").get<double>();
    EXPECT_GT(calls, 900);
    const auto& response = j.at("response_ps");
    EXPECT_NEAR(response.at("max").get<double>(), (calls + 1) * 1e9, 3e9);
    EXPECT_EQ(response.at("count").get<double>(), calls);
    EXPECT_EQ(response.at("min").get<double>(), 2e9);
    EXPECT_NEAR(response.at("p50").get<double>(), calls / 2 * 1e9, 0.02 * calls * 1e9);
    EXPECT_THAT(run.report, HasSubstr("response, from the instant when the call was due: mean "));
    EXPECT_THAT(run.report,
                HasSubstr("  " + std::to_string(int(calls)) + " calls were due and not made"));
}

// Half the load: every call is made at once, and the response is the round trip.
TEST(open_loop, without_a_queue_the_response_is_the_round_trip) {
    const scratch_folder folder;
    scenario::scenario s = parse_scenario(overloaded, folder.path() / "scenario.toml",
                                          {"hops.service=500us", "workload.open.0.count=100"});
    const auto run = run_in_child(s, folder.path() / "out");
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_THAT(run.report, HasSubstr("max 500us\n"));
    EXPECT_THAT(run.report, Not(HasSubstr("not made")));
}

}  // namespace
}  // namespace scmi_vp::runs
