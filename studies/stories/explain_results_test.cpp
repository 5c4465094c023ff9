// SPDX-License-Identifier: Apache-2.0
// Which request is told, of which results; the printed story, its command, and reports made again.
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "runs/load.h"
#include "runs/output_directory.h"
#include "runs/progress.h"
#include "runs/system_testing.h"
#include "studies/report/report_files.h"
#include "studies/shell.h"
#include "studies/stories/explain_testing.h"
#include "studies/stories/replay.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(explain, a_repeated_run_of_other_times_is_refused) {
    json run = run_of(testbench("late-reply"), 0);
    const std::uint64_t requests = requests_in(story_of(run, number(1)));
    json& one = run["points"][0]["replication_results"][0];
    one["requests"] = requests;
    one["round_trips_s"] = 0.125;
    EXPECT_THAT(message_of(error_kind::input, [&] { story_of(run, number(1)); }),
                HasSubstr("its run was repeated, and its requests took other times than these "
                          "results say"));
}

TEST_F(explain, a_repeated_run_of_other_requests_is_refused) {
    const std::uint64_t requests =
        requests_in(story_of(run_of(testbench("late-reply"), 0), number(1)));
    EXPECT_THAT(
        message_of(error_kind::input,
                   [&] { story_of(run_of(testbench("late-reply"), 3), number(1)); }),
        HasSubstr("it had " + std::to_string(requests) + " requests, while these results say 3"));
    EXPECT_NO_THROW(story_of(run_of(testbench("late-reply"), requests), number(1)));
}

TEST_F(explain, errors_say_what_there_is) {
    const json run = run_of(testbench("late-reply"), 0);
    EXPECT_THAT(
        message_of(error_kind::usage, [&] { story_of(run, number(100'000)); }),
        AllOf(HasSubstr("there is no request 100000 in this run"), HasSubstr("numbered 1 to ")));
    json newer = run;
    newer["format"] = "scmi-vp results 9";
    EXPECT_THAT(message_of(error_kind::input, [&] { story_of(newer, number(1)); }),
                HasSubstr("format is 'scmi-vp results 9'"));
    request_choice far = number(1);
    far.point = 3;
    EXPECT_EQ(message_of(error_kind::usage, [&] { story_of(run, far); }),
              "there is no point 3: these results have 1, number 0");
    EXPECT_EQ(message_of(error_kind::usage,
                         [&] {
                             story_of(
                                 run_of(testbench("late-reply"), 0, {"guest.max_rx_timeout=1s"}),
                                 late());
                         }),
              "no reply came late in this run");
    EXPECT_THAT(
        message_of(error_kind::input, [&] { story_of(run_of("gone/away.toml", 0), number(1)); }),
        HasSubstr("gone/away.toml: the scenario of these results is not there"));
    EXPECT_THAT(
        message_of(
            error_kind::config,
            [&] { story_of(run_of(testbench("late-reply"), 0, {"guest.hz=nine"}), number(1)); }),
        HasSubstr("guest.hz"));
}

TEST_F(explain, folders_that_hold_no_results_are_refused) {
    EXPECT_THAT(message_of(error_kind::input, [&] { load_results(folder()); }),
                HasSubstr("has neither results.json nor summary.json"));
    EXPECT_THAT(message_of(error_kind::input, [&] { load_results(folder() / "none"); }),
                HasSubstr("is not a folder"));
    write("results.json", "{\"format\": ");
    EXPECT_THAT(message_of(error_kind::input, [&] { load_results(folder()); }),
                HasSubstr("results.json: is not JSON"));
    fs::remove(folder() / "results.json");
    write("summary.json", "{\"title\": \"old\"}");
    EXPECT_THAT(message_of(error_kind::input, [&] { load_results(folder()); }),
                HasSubstr("summary.json: another version of scmi-vp wrote it"));
}

/// Two points of the late reply's scenario, with 30 ms and 20 ms, and what their totals remembered.
json two_timeouts() {
    json study = run_of(testbench("late-reply"), 0);
    study["axes"] = {"timeout"};
    study["points"].push_back(study["points"][0]);
    study["points"][0]["labels"] = {{"timeout", "30ms"}};
    study["points"][1]["labels"] = {{"timeout", "20ms"}};
    study["points"][1]["set"] = {"guest.max_rx_timeout=20ms"};
    return study;
}

void remember(json& point, const char* which, const char* span, std::uint64_t request,
              std::int64_t ps) {
    point[which] = {{"replication", 0}, {"request", request}, {span, ps}};
}

// Of the latest replies of all points, the one that took longest; of equals, the first.
TEST_F(explain, the_latest_reply_of_a_study_is_the_one_that_took_longest) {
    json study = two_timeouts();
    const story direct = story_of(study, {request_choice::by::late, 0, 1, 0});
    remember(study["points"][0], "latest_reply", "after_ps", 1, 10);
    remember(study["points"][1], "latest_reply", "after_ps", direct.request, 89);
    const story s = story_of(study, late());
    EXPECT_EQ(s.point, 1u);
    EXPECT_EQ(s.request, direct.request);
    EXPECT_THAT(all_of(s), HasSubstr("replication 0 of point 1 (timeout 20ms)"));
    EXPECT_THAT(s.rerun, HasSubstr("--set guest.max_rx_timeout=20ms --seed 1"));
    remember(study["points"][1], "latest_reply", "after_ps", direct.request, 10);
    EXPECT_EQ(story_of(study, late()).point, 0u);
    request_choice elsewhere = late();
    elsewhere.point = 0;
    study["points"][0]["latest_reply"] = nullptr;
    EXPECT_THAT(message_of(error_kind::usage, [&] { story_of(study, elsewhere); }),
                HasSubstr("no reply came late in point 0"));
    study["points"][1]["latest_reply"] = nullptr;
    EXPECT_THAT(message_of(error_kind::usage, [&] { story_of(study, late()); }),
                HasSubstr("no reply came late in this study"));
}

TEST_F(explain, the_slowest_request_of_a_study_is_that_of_its_slowest_point) {
    json study = two_timeouts();
    remember(study["points"][0], "slowest", "round_trip_ps", 2, 99);
    remember(study["points"][1], "slowest", "round_trip_ps", 3, 50);
    const story s = story_of(study, request_choice{});
    EXPECT_EQ(s.point, 0u);
    EXPECT_EQ(s.request, 2u);
    remember(study["points"][1], "slowest", "round_trip_ps", 3, 100);
    EXPECT_EQ(story_of(study, request_choice{}).request, 3u);
    request_choice first;
    first.point = 0;
    EXPECT_EQ(story_of(study, first).request, 2u);
}

TEST_F(explain, the_printed_story_fits_a_terminal) {
    std::ostringstream out;
    const story s = story_of(run_of(testbench("late-reply"), 0), late());
    print_story(out, s);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        const bool given =
            line.find("scmi-vp run") != std::string::npos || line.rfind("  [", 0) == 0;
        if (!given) {
            EXPECT_LE(line.size(), 80u) << line;
        }
        for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
    }
    EXPECT_THAT(out.str(), AllOf(HasSubstr("service"), HasSubstr("####"), HasSubstr(s.rerun)));
}

// What a POSIX shell makes of a quoted argument is the argument (XCU 2.2).
TEST_F(explain, commands_survive_a_shell) {
    const std::string nasty = "hops.service={ kind=\"normal\", mean='$HOME `id` \\' } it's";
    const std::string command =
        "printf %s " + shell_quoted(nasty) + " > '" + (folder() / "out").string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::stringstream text;
    text << std::ifstream(folder() / "out").rdbuf();
    EXPECT_EQ(text.str(), nasty);
    EXPECT_EQ(shell_quoted("guest.hz=1000"), "guest.hz=1000");
    EXPECT_EQ(shell_quoted(""), "''");
    EXPECT_EQ(run_command_line("a b.toml", {"sim.seed=3", "x=1"}, 9),
              "scmi-vp run 'a b.toml' --set x=1 --seed 9");
}

/// What `work` writes on standard error while that is a terminal.
template <class work_t>
std::string said_to_terminal(work_t work) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) return "no terminal";
    const int other_end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(other_end, STDERR_FILENO);
    work();
    ::dup2(before, STDERR_FILENO);
    ::fcntl(terminal, F_SETFL, O_NONBLOCK);
    char text[4096];
    const ssize_t n = ::read(terminal, text, sizeof text);
    for (const int fd : {terminal, other_end, before}) ::close(fd);
    return n > 0 ? std::string(text, std::size_t(n)) : "";
}

// `study --quiet` repeats a run for its report. How much is done goes by the calls that are left:
// the run's duration is an hour, of which it needs less than a second.
TEST_F(explain, progress_is_shown_and_not_when_it_is_to_be_silent) {
    const scenario::scenario s = runs::parse_scenario(R"(
[guest]
ftrace = false
[hops]
service = "10us"
[[platform.sensor]]
name = "t"
[[workload.context]]
name = "a"
[[workload.loop]]
context = "a"
count = 2100
calls = [ { call = "sensor_read", id = 0 } ]
)",
                                                      "s.toml");
    runs::pace_of_progress = {};
    runs::pace_of_progress.first = runs::pace_of_progress.terminal = {};
    const auto survey = [&](replay_progress p) {
        return said_to_terminal([&] { survey_run(s, request_choice::by::slowest, 0, p); });
    };
    const std::string shown = survey(replay_progress::shown);
    if (shown == "no terminal") GTEST_SKIP() << shown;
    EXPECT_THAT(shown, AllOf(HasSubstr(" 48.8%  1024 requests, "), HasSubstr(" 97.5%  2048 "),
                             HasSubstr(" left")));
    EXPECT_EQ(survey(replay_progress::silent), "");
}

// A run's folder becomes a page too: its statistics are found by running it again.
TEST_F(explain, a_report_of_a_single_run_is_made_again) {
    const fs::path out = folder() / "out";
    runs::testing_tools::run_in_child(
        runs::load_scenario(testbench("late-reply"), {"scenario.title=\"a run\""}), out);
    const written_report first = rebuild_report(out);
    EXPECT_EQ(fs::file_size(first.path), first.bytes);
    std::stringstream page;
    page << std::ifstream(first.path).rdbuf();
    EXPECT_THAT(page.str(), AllOf(HasSubstr("<h1>a run</h1>"), HasSubstr("The slowest request"),
                                  HasSubstr("slow-reader-101")));
    const written_report second = rebuild_report(out);
    EXPECT_EQ(second.bytes, first.bytes);
    // The next run into this folder may replace the page.
    std::stringstream manifest;
    manifest << std::ifstream(out / runs::output_directory::manifest_name).rdbuf();
    EXPECT_THAT(manifest.str(),
                AllOf(HasSubstr("\nreport.html\n"), HasSubstr("\n.report.html.part\n"),
                      HasSubstr("\nsummary.json\n")));
    EXPECT_NO_THROW(runs::output_directory again(out));
    EXPECT_FALSE(fs::exists(first.path));
}

TEST_F(explain, a_page_that_is_not_ours_is_left_alone) {
    const fs::path out = folder() / "out";
    runs::testing_tools::run_in_child(runs::load_scenario(testbench("late-reply"), {}), out);
    write("out/report.html", "mine");
    EXPECT_THAT(message_of(error_kind::output, [&] { rebuild_report(out); }),
                HasSubstr("was not written by scmi-vp"));
    EXPECT_EQ(fs::file_size(out / "report.html"), 4u);
}

}  // namespace
}  // namespace scmi_vp::studies
