// SPDX-License-Identifier: Apache-2.0
// [[check]] in scenarios: what is refused before anything runs, what passes, what fails and how
// that is told.
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/result_sink.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::error_of;
using scenario::testing_tools::scratch_folder;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_tools::contents;
using testing_tools::finished_run;
using testing_tools::run_in_child;

// Ten calls of which each takes a millisecond and nothing else, and five that time out after 34 ms
// (30 ms by the timer wheel at HZ 250, from where they were sent).
constexpr const char* text = R"(
[guest]
max_rx_timeout = "30ms"
[[platform.sensor]]
name = "answers"
[[platform.sensor]]
name = "never"
[[platform.service]]
protocol = "sensor"
message = "SENSOR_READING_GET"
resource = 1
never = true
[[platform.fault]]
kind = "delay"
delay = "1us"
nth = 1000
[hops]
service = "1ms"
[[workload.context]]
name = "quick"
[[workload.loop]]
context = "quick"
count = 10
calls = [ { call = "sensor_read", id = 0 } ]
[[workload.context]]
name = "stuck"
[[workload.loop]]
context = "stuck"
count = 5
calls = [ { call = "sensor_read", id = 1 } ]
)";

std::string with(const std::string& check) {
    return std::string(text) + "[[check]]\n" + check + "\n";
}

finished_run run(const std::string& checks) {
    return run_in_child(parse_scenario(text + checks, "s.toml"), run_options{});
}

TEST(check, every_number_of_the_results_has_a_name) {
    const scratch_folder folder;
    const scenario::scenario s = parse_scenario(text, "s.toml");
    run_in_child(s, folder.path() / "out");
    const auto results =
        nlohmann::ordered_json::parse(contents(folder.path() / "out/summary.json"));
    std::vector<std::string> known;
    for (const scenario::result_number& n : numbers_of_run(s)) known.push_back(n.name);
    for (const scenario::result_number& n : scenario::numbers_of(results)) {
        EXPECT_THAT(known, testing::Contains(n.name));
    }
    for (const char* name :
         {"requests", "outcomes.timed_out", "late_replies", "violations", "round_trip.p99",
          "round_trip.max", "hops.service.mean", "tasks.stuck.calls", "tasks.stuck.errors",
          "faults.platform.fault.0.hits", "events.dropped", "log_lines", "simulated"}) {
        EXPECT_THAT(known, testing::Contains(name));
    }
    EXPECT_THAT(known, Not(testing::Contains("seed")));
}

TEST(check, what_cannot_be_checked_is_refused_with_its_place) {
    const auto refusal = [](const std::string& check) {
        return error_of([&] { parse_scenario(with(check), "s.toml"); });
    };
    EXPECT_THAT(refusal("number = \"round_trip.p98\"\nat_most = \"1ms\""),
                StartsWith("s.toml:32:10: check.0.number: the results have no number "
                           "'round_trip.p98', did you mean round_trip.p99?"));
    EXPECT_THAT(refusal("number = \"timeouts\"\nat_most = 0"), HasSubstr("outcomes.timed_out"));
    EXPECT_THAT(refusal("number = \"tasks.stuk.calls\"\nat_most = 1"),
                HasSubstr("did you mean tasks.stuck.calls?"));
    EXPECT_THAT(refusal("number = \"round_trip.p99\"\nat_most = 5"),
                StartsWith("s.toml:33:11: check.0.at_most: round_trip.p99 is a time"));
    EXPECT_THAT(refusal("number = \"requests\"\nat_most = \"5ms\""),
                HasSubstr("requests is a number without unit"));
    EXPECT_THAT(refusal("number = \"requests\""), HasSubstr("has no limit"));
    EXPECT_THAT(refusal("at_most = 1"), HasSubstr("checks nothing"));
    EXPECT_THAT(refusal("number = \"requests\"\nmessage = \"x\"\nat_most = 1"),
                HasSubstr("make two checks of it"));
    EXPECT_THAT(refusal("number = \"requests\"\nequals = 1\nat_most = 1"), HasSubstr("equals"));
    EXPECT_THAT(refusal("number = \"requests\"\nat_least = 2\nat_most = 1"),
                HasSubstr("nothing is at most 1 and at least 2"));
    EXPECT_THAT(refusal("number = \"requests\"\nat_most = -1"), HasSubstr("is negative"));
    EXPECT_THAT(refusal("message = \"x\"\nabsent = true\nat_most = 1"), HasSubstr("absent"));
    EXPECT_THAT(refusal("message = \"x\"\nat_most = 1.5"), HasSubstr("a whole number"));
    EXPECT_THAT(refusal("number = \"requests\"\nat_mots = 1"), HasSubstr("at_most"));
}

TEST(check, all_are_evaluated_and_the_run_says_how_many_passed) {
    const finished_run r = run(R"(
[[check]]
number = "outcomes.timed_out"
equals = 5
[[check]]
number = "round_trip.min"
equals = "1ms"
[[check]]
number = "hops.service.max"
at_least = "30ms"
at_most = "40ms"
[[check]]
number = "tasks.quick.calls"
at_least = 10
[[check]]
number = "events.dropped"
at_most = 0
[[check]]
message = "timed out in resp"
equals = 5
[[check]]
message = "SCMI Protocol v2.0"
[[check]]
message = "is not expected"
absent = true
)");
    EXPECT_EQ(r.status, run_status::ok) << r.report;
    EXPECT_THAT(r.report, HasSubstr("\n8 checks passed\n"));
}

TEST(check, each_that_fails_is_one_line_with_value_and_limit) {
    const finished_run r = run(R"(
[[check]]
name = "nobody waits in vain"
number = "outcomes.timed_out"
at_most = 4
[[check]]
number = "round_trip.min"
at_most = "999us"
[[check]]
number = "requests"
at_least = 1
[[check]]
message = "timed out in resp"
absent = true
[[check]]
message = "Oops"
)");
    EXPECT_EQ(r.status, run_status::checks_failed);
    EXPECT_THAT(
        r.report,
        HasSubstr("\n4 of 5 checks failed:\n"
                  "  FAILED nobody waits in vain: outcomes.timed_out: 5; must be at most 4\n"
                  "  FAILED round_trip.min: 1ms; must be at most 999us\n"
                  "  FAILED kernel messages with \"timed out in resp\": 5; must be absent\n"
                  "  FAILED kernel messages with \"Oops\": 0; must be at least 1\n"));
}

// A limit on what nothing was measured of would pass for the wrong reason.
TEST(check, a_time_of_nothing_fails) {
    const scenario::scenario s = parse_scenario(
        with("number = \"round_trip.max\"\nat_most = \"1h\""), "s.toml",
        {"platform.service=[{ never = true }]", "guest.max_rx_timeout=3s", "sim.duration=1s"});
    const finished_run r = run_in_child(s, run_options{});
    EXPECT_EQ(r.status, run_status::checks_failed);
    EXPECT_THAT(r.report, HasSubstr("round_trip.max: no value, because there was nothing to "
                                    "measure; must be at most 1h"));
}

TEST(check, results_have_them_only_when_there_are_any) {
    const scratch_folder folder;
    run_in_child(parse_scenario(text, "s.toml"), folder.path() / "none");
    const auto read = [&](const char* name) {
        return nlohmann::json::parse(contents(folder.path() / name / "summary.json"));
    };
    EXPECT_FALSE(read("none").contains("checks"));
    run_in_child(parse_scenario(with("number = \"round_trip.min\"\nat_most = \"999us\""), "s.toml"),
                 folder.path() / "one");
    EXPECT_EQ(read("one").at("checks"),
              nlohmann::json::parse(R"([{"name": "round_trip.min", "number": "round_trip.min",
                                         "value_ps": 1000000000, "at_most_ps": 999000000,
                                         "passed": false}])"));
}

TEST(check, a_failed_run_is_repeated_with_its_waveform) {
    const scratch_folder folder;
    const scenario::scenario fails =
        parse_scenario(with("number = \"outcomes.timed_out\"\nat_most = 0"), "s.toml");
    const finished_run r = run_in_child(fails, folder.path() / "out");
    EXPECT_EQ(r.status, run_status::checks_failed) << r.report;
    EXPECT_THAT(r.report, HasSubstr("The run again with its waveform: "));
    const std::string waves = contents(folder.path() / "out/failed/waves.vcd");
    const std::size_t definitions = waves.find("$enddefinitions");
    ASSERT_NE(definitions, std::string::npos);
    // Of the call that timed out: more instants behind the definitions than one.
    const auto instants = std::count(waves.begin() + std::ptrdiff_t(definitions), waves.end(), '#');
    EXPECT_GT(instants, 3);
    // The next run in that folder passes and leaves none.
    const scenario::scenario passes =
        parse_scenario(with("number = \"outcomes.timed_out\"\nat_most = 5"), "s.toml");
    EXPECT_EQ(run_in_child(passes, folder.path() / "out").status, run_status::ok);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out/failed"));
}

TEST(check, options_of_the_command_line_reach_into_checks) {
    EXPECT_EQ(
        parse_scenario(with("number = \"requests\"\nat_most = 1"), "s.toml", {"check.0.at_most=7"})
            .checks.at(0)
            .limits.at(0)
            .number,
        7);
}

}  // namespace
}  // namespace scmi_vp::runs
