// SPDX-License-Identifier: Apache-2.0
// The files of a study: all of them when it ends well; none that looks whole and is not, none of an
// earlier study and no loss of what is known when it does not.
#include "studies/run_study.h"

#include <csignal>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "studies/small_study_testing.h"
#include "studies/worker_pool.h"
#include "testbenches/small_disk_testing.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using testbenches::testing_tools::error_of;
using testbenches::testing_tools::small_disk;
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
    study_options options;
};

const char* const all_files[] = {".scmi-vp-output", "report.html", "requests.csv", "results.json",
                                 "slowest"};

TEST_F(study_files, are_written) {
    const study s = load();
    const std::string report = run(s);
    const auto j = nlohmann::json::parse(folder.read("out/results.json"));
    EXPECT_EQ(j.at("format"), "scmi-vp results 2");
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

/// Of a process that runs a study which never ends, until that signal.
int status_of_ended(const study& s, const study_options& options, int ended_by) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        std::signal(SIGINT, SIG_DFL);  // a script that is started in the background ignores it
        std::ostringstream report;
        study endless = s;
        // The second point's runs never end.
        endless.points[1].scenario.system.guest.loops[0].count = 0;
        endless.points[1].scenario.system.duration = seconds(1'000'000);
        try {
            run_study(endless, options, report);
        } catch (const interrupted&) {
            ::_exit(7);
        }
        ::_exit(8);
    }
    // Rows of the first runs are there.
    const auto bytes = [&] { return contents(options.out / "requests.csv.part").size(); };
    for (int i = 0; i < 1000 && bytes() < 100'000; ++i) ::usleep(50'000);
    EXPECT_GE(bytes(), 100'000u);
    ::kill(child, ended_by);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST_F(study_files, of_an_interrupted_study_do_not_look_whole_and_none_are_older) {
    const study s = load();
    run(s);
    const int status = status_of_ended(s, options, SIGINT);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    EXPECT_THAT(names_in(options.out), ElementsAre(".scmi-vp-output", "requests.csv.part"));
    EXPECT_GT(lines(folder.read("out/requests.csv.part")), 500u);
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
        testbenches::output_directory ours(folder.path() / "out2");
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
        testbenches::output_directory(options.out).finish();
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

// The story needs the scenario's file again; everything else does not.
TEST_F(study_files, are_there_when_the_story_cannot_be_told) {
    const study s = load();
    fs::remove(folder.path() / "scenario.toml");
    std::ostringstream report;
    options.quiet = false;
    EXPECT_THAT(error_of([&] { run_study(s, options, report); }),
                HasSubstr("the scenario of these results is not there"));
    EXPECT_THAT(report.str(), AllOf(HasSubstr("steady"), HasSubstr("  requests.csv  ")));
    EXPECT_THAT(names_in(options.out),
                ElementsAre(".scmi-vp-output", "report.html", "requests.csv", "results.json"));
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
    EXPECT_TRUE(fs::exists(options.out / "requests.csv.part"));
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
        EXPECT_NO_THROW(testbenches::output_directory(options.out));
    }
}

TEST_F(study_files, on_a_full_disk_the_file_that_does_not_fit_is_named) {
    const small_disk disk("200k");
    if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
    options.out = disk.path() / "o";
    options.all_requests = false;
    expect_all_but_requests(load(), options);
    EXPECT_FALSE(fs::exists(options.out / "report.html"));
    EXPECT_FALSE(fs::exists(options.out / "slowest"));
}

}  // namespace
}  // namespace scmi_vp::studies
