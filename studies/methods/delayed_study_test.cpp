// SPDX-License-Identifier: Apache-2.0
// Delayed responses in what a study tells: totals, table, results.json, the report and stories.
#include <sstream>

#include <gmock/gmock.h>

#include "studies/methods/runner.h"
#include "studies/methods/small_study_testing.h"
#include "studies/report/report_html.h"
#include "studies/report/report_testing.h"
#include "studies/report/study_table.h"
#include "studies/results/results.h"
#include "studies/stories/explain_testing.h"

namespace scmi_vp::studies {
namespace {

using models::outcome;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A service that is accepted at 11 ms, after 1 ms, and done after some time. The driver gives up at
// 2016 ms: 500 jiffies of 4 ms later, rounded up by the timer wheel. Somebody else keeps the run
// going for 20 s.
constexpr const char* slow_service = R"(
[sim]
duration = "60s"
[guest]
drivers = ["scmi-hwmon"]
[hops]
service = "1ms"
[platform]
sensor_max_async = 2
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
[[workload.sequence]]
context = "fwupd"
call = "sensor_read"
)";

constexpr const char* three_services = R"(
[study]
scenario = "scenario.toml"
replications = 2
[[axis]]
name = "work"
values = [
  { label = "1s", set = { "platform.delayed_work" = "1s" } },
  { label = "10s" },
  { label = "never", set = { "platform.fault" = [ { kind = "drop", of = "delayed_response" } ] } },
]
)";

class delayed_study : public small_study {
protected:
    delayed_study() { folder.write("scenario.toml", slow_service); }

    story told(const std::vector<std::string>& set, const request_choice& which = number(11)) {
        return story_of(run_of((folder.path() / "scenario.toml").string(), 0, set), which);
    }
};

TEST_F(delayed_study, counts_what_callers_felt) {
    const study s = load(three_services);
    const std::vector<point_result> r = run_points(s, {});
    ASSERT_EQ(r.size(), 3u);
    const auto timed_out = std::size_t(outcome::timed_out);
    EXPECT_EQ(r[0].totals.outcomes[timed_out], 0u);
    EXPECT_EQ(r[0].totals.delayed.received, 2u);
    EXPECT_EQ(r[0].totals.round_trip.max(), seconds(1) + milliseconds(1));
    EXPECT_EQ(r[1].totals.outcomes[timed_out], 2u);
    EXPECT_EQ(r[1].totals.delayed.spurious, 2u);
    EXPECT_EQ(r[1].totals.delayed.true_timeouts, 0u);
    EXPECT_EQ(r[1].totals.delayed.late, 2u);
    EXPECT_EQ(r[1].totals.spurious, 0u) << "not of the rx timeout";
    EXPECT_EQ(r[1].totals.late_replies, 0u);
    EXPECT_EQ(r[1].totals.delayed.wait.max(), milliseconds(2016 - 11));
    EXPECT_EQ(r[2].totals.delayed.true_timeouts, 2u);
    EXPECT_EQ(r[2].totals.delayed.spurious, 0u);
    EXPECT_EQ(r[2].totals.delayed.late, 0u);
    EXPECT_EQ(r[1].replications.at(1).delayed_spurious, 1u);
    EXPECT_EQ(r[2].kept.all().size(), r[2].totals.requests);
}

TEST_F(delayed_study, shows_them_in_columns_and_rows_of_their_own) {
    const study s = load(three_services);
    const std::vector<point_result> r = run_points(s, {});
    const findings f = find_out(s, r);
    std::ostringstream out;
    print_table(out, f);
    print_hops(out, f);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("refused  delayed"), HasSubstr("spurious/M"),
                                 HasSubstr("  2.006s  "), HasSubstr("1 000 000")));
    EXPECT_THAT(out.str(), HasSubstr("delayed_work      #"));
}

TEST_F(small_study, without_delayed_responses_shows_nothing_of_them) {
    const study s = load();
    const std::vector<point_result> r = run_points(s, {});
    const findings f = find_out(s, r);
    std::ostringstream out;
    print_table(out, f);
    print_hops(out, f);
    EXPECT_THAT(out.str(), Not(HasSubstr("delayed")));
    std::ostringstream page;
    write_report(json(results_json(f)), nullptr, page);
    EXPECT_THAT(page.str(), Not(HasSubstr("delayed")));
    EXPECT_EQ(results_json(f)["points"][0]["delayed"]["requests"], 0);
}

TEST_F(delayed_study, has_all_numbers_in_its_results) {
    const study s = load(three_services);
    const std::vector<point_result> r = run_points(s, {});
    const json j = json(results_json(find_out(s, r)));
    EXPECT_EQ(j.at("format"), "scmi-vp results 3");
    const json& late = j.at("points").at(1);
    EXPECT_EQ(late.at("max_delayed_response_ps"), seconds(2).ps);
    EXPECT_EQ(late.at("outcomes").at("timed_out"), 2);
    EXPECT_EQ(late.at("spurious_timeouts").at("count"), 0);
    EXPECT_EQ(late.at("delayed").at("requests"), 2);
    EXPECT_EQ(late.at("delayed").at("spurious_timeouts").at("count"), 2);
    EXPECT_EQ(late.at("delayed").at("spurious_timeouts").at("per_million"), 1e6);
    EXPECT_EQ(late.at("delayed").at("late_responses"), 2);
    EXPECT_EQ(late.at("delayed").at("wait_ps").at("max"), milliseconds(2016 - 11).ps);
    EXPECT_EQ(j.at("points").at(2).at("delayed").at("true_timeouts").at("count"), 2);
    EXPECT_EQ(late.at("slowest").at("stuck_in"), "delayed_work");
    std::int64_t hops = 0, slowest = 0;
    for (const auto& [name, h] : late.at("hops_ps").items())
        hops += h.at("mean").get<std::int64_t>();
    for (const auto& [name, h] : late.at("slowest").at("hops_ps").items()) {
        slowest += h.get<std::int64_t>();
    }
    EXPECT_NEAR(double(hops), late.at("round_trip_ps").at("mean").get<double>(), span_count);
    EXPECT_EQ(slowest, late.at("slowest").at("round_trip_ps").get<std::int64_t>());

    std::ostringstream page;
    write_report(j, nullptr, page);
    EXPECT_THAT(page.str(),
                AllOf(HasSubstr("<h2>Timeouts of delayed responses</h2>"),
                      HasSubstr("Timeouts per million waits for a delayed response"),
                      HasSubstr("delayed work"), HasSubstr("No request timed out at any point")));
}

TEST_F(delayed_study, tells_the_story_of_a_late_delayed_response) {
    const story s = told({});
    EXPECT_EQ(s.outcome, "timed_out");
    EXPECT_THAT(
        all_of(s),
        AllOf(HasSubstr("the driver gave up: the platform had accepted it after 1ms, and then its "
                        "limit for the delayed response, which is another one, had passed, and the "
                        "caller got -ETIMEDOUT (-110)"),
              HasSubstr("The hop that made it slow is delayed_work"),
              HasSubstr("Its delayed response came 7.995s after the driver had given up, at "
                        "10.011s: the timeout was a spurious one. A guest.max_delayed_response of "
                        "more than about 10s would have spared it"),
              Not(HasSubstr("rx timeout"))));
    sim_time sum;
    for (const hop_part& p : s.hops) sum += p.length;
    EXPECT_EQ(sum, s.returned - s.entered);
    EXPECT_EQ(s.hops.back().id, hop::delayed_work);
    EXPECT_TRUE(s.hops.back().waiting);
    request_choice latest = late();
    latest.point = latest.replication = 0;
    EXPECT_EQ(told({}, latest).request, 11u);
    std::ostringstream text;
    print_story(text, s);
    EXPECT_THAT(text.str(), HasSubstr("\n  delayed_work      #"));
}

TEST_F(delayed_study, tells_the_story_of_one_that_never_comes_and_of_one_that_is_awaited) {
    const std::string never = R"(platform.fault=[ { kind = "drop", of = "delayed_response" } ])";
    EXPECT_THAT(all_of(told({never})),
                HasSubstr("The platform never sent its delayed response: the timeout was a true "
                          "one"));
    EXPECT_THAT(all_of(told({"sim.duration=1s"})),
                HasSubstr("Its delayed response was still awaited."));
}

}  // namespace
}  // namespace scmi_vp::studies
