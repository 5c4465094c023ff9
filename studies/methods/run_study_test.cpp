// SPDX-License-Identifier: Apache-2.0
// The files of a study: all of them when it ends well; none that looks whole and is not, none of an
// earlier study and no loss of what is known when it does not.
#include "studies/methods/run_study.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <streambuf>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runs/output_directory.h"
#include "runs/small_disk_testing.h"
#include "studies/methods/small_study_testing.h"
#include "studies/methods/worker_pool.h"
#include "studies/report/report_files.h"
#include "studies/results/report_data.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using runs::testing_tools::small_disk;
using scenario::testing_tools::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::size_t lines(const std::string& text) {
    return std::size_t(std::count(text.begin(), text.end(), '\n'));
}

std::string contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

class study_files : public small_study {
protected:
    study_files() {
        options.out = folder.path() / "out";
        options.all_requests = true;
        options.jobs = 3;
    }
    std::string run(const study& s) {
        std::ostringstream report;
        EXPECT_EQ(run_study(s, options, report), study_status::ok);
        return report.str();
    }
    void expect_told_everywhere(const std::string& early);
    study_options options;
};

const char* const all_files[] = {".scmi-vp-output", "report.html", "requests.csv", "results.json",
                                 "slowest"};

// As of `scmi-vp run`: where the driver was never probed nothing was studied.
TEST_F(study_files, of_a_study_whose_driver_is_never_probed_are_no_success) {
    options.junit = folder.path() / "junit.xml";
    std::ostringstream report;
    const std::string dead =
        std::string(small_study_text) + "[[check]]\nnumber = \"late_replies\"\nat_most = 0\n";
    const study s = parse_study(dead, folder.path() / "study.toml",
                                {{"guest.max_rx_timeout=10ms", "hops.service=20ms"}, {}});
    EXPECT_EQ(run_study(s, options, report), study_status::no_probe) << report.str();
    EXPECT_THAT(
        folder.read("junit.xml"),
        AllOf(HasSubstr("errors=\"1\""), HasSubstr("probe failed, so the workload did not run")));
}

TEST_F(study_files, are_written) {
    const study s = load();
    const std::string report = run(s);
    const auto j = nlohmann::json::parse(folder.read("out/results.json"));
    EXPECT_EQ(j.at("format"), "scmi-vp results 3");
    std::uint64_t requests = 0;
    for (const auto& p : j.at("points")) requests += p.at("requests").get<std::uint64_t>();
    EXPECT_EQ(lines(folder.read("out/requests.csv")), requests + 1);
    EXPECT_THAT(folder.read("out/slowest/waves.vcd"), HasSubstr("$enddefinitions"));
    EXPECT_THAT(folder.read("out/report.html"), HasSubstr("</html>"));
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
    EXPECT_THAT(report, AllOf(HasSubstr("Where the time went, host pausing"),
                              HasSubstr("Written to "), HasSubstr("  requests.csv  ")));
    // Again into the same folder, with the kept requests only: fewer, and never none.
    options.all_requests = false;
    run(s);
    EXPECT_GT(lines(folder.read("out/requests.csv")), 2000u);
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
}

/// A process that runs a study which never ends, when the rows of its first runs are there.
pid_t start_endless(const study& s, const study_options& options, std::streambuf& table) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        for (const int signal : {SIGINT, SIGHUP})
            std::signal(signal, SIG_DFL);  // a script that is started in the background ignores it
        std::ostream report(&table);
        study endless = s;
        // The second point's runs never end.
        endless.points[1].scenario.system.guest.loops[0].count = 0;
        endless.points[1].scenario.system.duration = seconds(1'000'000);
        try {
            run_study(endless, options, report);
        } catch (const interrupted&) {
            report.flush();
            ::_exit(7);
        }
        ::_exit(8);
    }
    const auto bytes = [&] { return contents(options.out / "requests.csv.part").size(); };
    for (int i = 0; i < 1000 && bytes() < 100'000; ++i) ::usleep(50'000);
    EXPECT_GE(bytes(), 100'000u);
    return child;
}

int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

/// Its table goes to table.txt beside its folder.
int status_of_ended(const study& s, const study_options& options, int ended_by) {
    std::filebuf table;
    table.open(options.out.parent_path() / "table.txt", std::ios::out | std::ios::trunc);
    const pid_t child = start_endless(s, options, table);
    ::kill(child, ended_by);
    return status_of(child);
}

/// In the table, on the page, and by who reads the folder later.
void study_files::expect_told_everywhere(const std::string& early) {
    EXPECT_THAT(folder.read("table.txt"), HasSubstr(early));
    EXPECT_THAT(folder.read("out/report.html"), HasSubstr(early));
    EXPECT_THAT(rebuild_report(options.out).early, HasSubstr(early));
    EXPECT_THAT(folder.read("out/report.html"), HasSubstr(early));
    const nlohmann::json results = load_results(options.out);
    EXPECT_THAT(early_end_of(results), HasSubstr(early));
    std::ostringstream told;
    print_story(told, story_of(results, {}));
    EXPECT_THAT(told.str(), HasSubstr("SENSOR_READING_GET(0)"));
}

// Some of the first point's four runs had ended, none of the second's.
TEST_F(study_files, of_an_interrupted_study_are_of_the_runs_that_had_ended_and_say_so) {
    folder.write("study.toml", small_study_text);
    const study s = load();
    run(s);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const int status = status_of_ended(s, options, signal);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
        EXPECT_THAT(names_in(options.out),
                    ElementsAre(".scmi-vp-output", "report.html", "requests.csv", "results.json"));
        const auto j = nlohmann::json::parse(folder.read("out/results.json"));
        const auto runs = j.at("ended_early").at("runs").get<std::size_t>();
        EXPECT_THAT(runs, testing::AllOf(testing::Ge(1u), testing::Le(4u)));
        EXPECT_EQ(j.at("ended_early").at("of"), 8);
        EXPECT_EQ(j.at("points").at(0).at("replication_results").size(), runs);
        EXPECT_EQ(j.at("points").at(1).at("requests"), 0);
        EXPECT_EQ(lines(folder.read("out/requests.csv")),
                  j.at("points").at(0).at("requests").get<std::size_t>() + 1);
        expect_told_everywhere("CUT SHORT after " + std::to_string(runs) + " of 8 runs");
    }
    run(s);
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
}

/// A terminal or pipe that takes nothing.
class stuck : public std::streambuf {
public:
    explicit stuck(int fd) : fd_(fd) {}

private:
    int overflow(int) override {
        if (::write(fd_, "x", 1) != 1) ::_exit(9);
        for (;;) ::pause();
    }
    int fd_;
};

TEST_F(study_files, of_a_study_that_cannot_finish_are_left_by_a_second_signal) {
    const study s = load();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    stuck table(ends[1]);
    const pid_t child = start_endless(s, options, table);
    ::kill(child, SIGINT);
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);  // finishing
    ::kill(child, SIGINT);
    const int status = status_of(child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
    ::close(ends[0]);
    ::close(ends[1]);
    run(s);
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
}

TEST_F(study_files, of_a_killed_study_do_not_look_whole_and_do_not_stay) {
    const study s = load();
    const int status = status_of_ended(s, options, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_THAT(names_in(options.out), ElementsAre(".scmi-vp-output", "requests.csv.part"));
    options.all_requests = false;
    run(s);
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
}

TEST_F(study_files, a_foreign_slowest_is_refused_before_anything_is_simulated) {
    fs::create_directories(options.out / "slowest");
    {
        runs::output_directory ours(folder.path() / "out2");
        ours.finish();
    }
    options.out = folder.path() / "out2";
    fs::create_directory(options.out / "slowest");
    folder.write("out2/slowest/thesis.txt", "years of work");
    std::ostringstream report;
    EXPECT_THAT(error_of([&] { run_study(load(), options, report); }),
                HasSubstr("slowest: has files that scmi-vp did not write"));
    EXPECT_EQ(report.str(), "");
    EXPECT_EQ(folder.read("out2/slowest/thesis.txt"), "years of work");
}

// Nor is what a link points to anybody's to empty.
TEST_F(study_files, what_is_in_the_way_of_slowest_is_refused_before_anything_is_simulated) {
    fs::create_directory(folder.path() / "victim");
    folder.write("victim/waves.vcd", "kept");
    for (const bool link : {false, true}) {
        options.out = folder.path() / (link ? "linked" : "file");
        runs::output_directory(options.out).finish();
        if (link) {
            fs::create_directory_symlink(folder.path() / "victim", options.out / "slowest");
        } else {
            std::ofstream(options.out / "slowest") << "mine";
        }
        std::ostringstream report;
        EXPECT_THAT(error_of([&] { run_study(load(), options, report); }),
                    HasSubstr("slowest: was not written by scmi-vp and is in the way"));
        EXPECT_EQ(report.str(), "");
    }
    EXPECT_EQ(folder.read("victim/waves.vcd"), "kept");
}

// Whatever becomes of the scenario's file while a study runs: what was read is what is told.
TEST_F(study_files, need_the_scenario_once) {
    const study s = load();
    fs::remove(folder.path() / "scenario.toml");
    options.quiet = false;
    const std::string report = run(s);
    EXPECT_THAT(report, AllOf(HasSubstr("steady"), HasSubstr("  requests.csv  ")));
    EXPECT_THAT(folder.read("out/report.html"), HasSubstr("The slowest request"));
    EXPECT_THAT(names_in(options.out), testing::ElementsAreArray(all_files));
}

// --- a full disk -------------------------------------------------------------------------------

/// What is told and kept when requests.csv does not fit.
void expect_all_but_requests(const study& s, const study_options& options) {
    std::ostringstream report;
    std::string what;
    try {
        run_study(s, options, report);
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::output);
        what = e.what();
    }
    EXPECT_THAT(what, HasSubstr("/requests.csv: could not be written to its end (No space left on "
                                "device); make room there or choose another --out"));
    EXPECT_THAT(what, Not(HasSubstr("results.json")));
    EXPECT_THAT(report.str(), AllOf(HasSubstr("steady"), HasSubstr("pausing"),
                                    HasSubstr("  results.json  "), Not(HasSubstr("requests.csv"))));
    const auto j = nlohmann::json::parse(contents(options.out / "results.json"));
    EXPECT_EQ(j.at("points").size(), 2u);
    EXPECT_FALSE(fs::exists(options.out / "requests.csv"));
    EXPECT_FALSE(fs::exists(options.out / "requests.csv.part"));
}

TEST_F(study_files, on_a_full_disk_the_numbers_survive_all_requests) {
    study s = load();
    for (study_point& p : s.points) {
        for (models::call_loop& l : p.scenario.system.guest.loops) l.count *= 5;
    }
    for (const char* size : {"200k", "1200k"}) {  // the rows of no run fit; those of some do
        const small_disk disk(size);
        if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
        options.out = disk.path() / "o";
        expect_all_but_requests(s, options);
        // And there is room again.
        EXPECT_NO_THROW(runs::output_directory(options.out));
    }
}

TEST_F(study_files, on_a_full_disk_the_file_that_does_not_fit_is_named) {
    const small_disk disk("200k");
    if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
    options.out = disk.path() / "o";
    options.all_requests = false;
    expect_all_but_requests(load(), options);
    // What comes later and is small has the room of what did not fit.
    EXPECT_THAT(contents(options.out / "report.html"), HasSubstr("</html>"));
}

}  // namespace
}  // namespace scmi_vp::studies
