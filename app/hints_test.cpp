// SPDX-License-Identifier: Apache-2.0
// What the program says to whoever uses it: commands that can be pasted where they are printed,
// names that work from any folder, files of the other kind, tables that fit the terminal.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/program_testing.h"
#include "base/console.h"
#include "runs/forked.h"

namespace scmi_vp::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing_tools::answer;
using testing_tools::run;

/// In a folder that has nothing to do with the project.
class hints : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "scmi-vp-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        before_ = fs::current_path();
        fs::current_path(folder_);
    }
    void TearDown() override {
        console() = {};
        fs::current_path(before_);
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

private:
    fs::path folder_, before_;
};

constexpr const char* short_scenario = R"(
[sim]
duration = "1s"
[[platform.sensor]]
name = "t"
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 3
calls = [ { call = "sensor_read", id = 0 } ]
)";

TEST_F(hints, name_the_command_that_was_typed) {
    console().command = "../my/run";
    EXPECT_THAT(run({"init", "my.toml"}).out, HasSubstr("../my/run run my.toml --out out\n"));
    EXPECT_THAT(run({"--help"}).out, HasSubstr("usage: ../my/run COMMAND"));
    EXPECT_THAT(run({"study", "--help"}).out, HasSubstr("  ../my/run study quickstart --out"));
    EXPECT_THAT(run({"list"}).out, HasSubstr("usage: ../my/run list TOPIC"));
    EXPECT_THAT(run({"run", "nowhere"}).err, HasSubstr("`../my/run init nowhere`"));
    EXPECT_THAT(run({"run"}).err, HasSubstr("(../my/run run --help)"));
    for (const command& c : commands()) {
        EXPECT_THAT(run({std::string(c.name), "--help"}).out,
                    Not(HasSubstr("scmi-vp " + std::string(c.name) + " ")))
            << c.name;
    }
}

TEST_F(hints, of_a_study_can_be_pasted_and_its_files_stay_the_same) {
    std::ofstream("scenario.toml") << short_scenario;
    std::ofstream("study.toml") << "[study]\nscenario = \"scenario.toml\"\nreplications = 2\n";
    const answer plain = run({"study", "study.toml", "--out", "a"});
    ASSERT_EQ(plain.status, 0) << plain.err;
    EXPECT_THAT(plain.out, HasSubstr("scmi-vp explain a --slowest"));
    console().command = "./run";
    const answer typed = run({"study", "study.toml", "--out", "b"});
    EXPECT_THAT(typed.out, HasSubstr(": ./run explain b --slowest"));
    const auto text = [](const char* file) {
        std::ifstream in(file);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_EQ(text("a/report.html"), text("b/report.html"));
    EXPECT_EQ(text("a/results.json"), text("b/results.json"));
    EXPECT_THAT(run({"explain", "b"}).out, HasSubstr("\n  ./run run scenario.toml --seed"));
}

TEST_F(hints, testbenches_have_their_names_in_any_folder) {
    const answer a = run({"study", "quickstart", "--set", "sim.duration=20ms", "--quiet"});
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("freezing"));
    EXPECT_THAT(run({"run", "quikstart"}).err, HasSubstr("did you mean quickstart?"));
    EXPECT_THAT(run({"study", "quikstart"}).err, HasSubstr("did you mean quickstart?"));
}

// What is in the working folder comes first.
TEST_F(hints, the_folder_that_one_is_in_comes_first) {
    fs::create_directories("testbenches/quickstart");
    std::ofstream("testbenches/quickstart/scenario.toml") << "mine = 1\n";
    EXPECT_THAT(run({"run", "quickstart"}).err,
                HasSubstr("testbenches/quickstart/scenario.toml:1:1: unknown key mine"));
}

TEST_F(hints, say_what_a_file_is) {
    std::ofstream("s.toml") << short_scenario;
    std::ofstream("my study.toml") << "[study]\nscenario = \"s.toml\"\n";
    const answer study = run({"run", "my study.toml"});
    EXPECT_EQ(study.status, 2);
    EXPECT_EQ(study.err,
              "scmi-vp: my study.toml:1:2: this is a study, not a scenario: scmi-vp study "
              "'my study.toml'\n");
    const answer scenario = run({"study", "s.toml"});
    EXPECT_EQ(scenario.status, 2);
    EXPECT_THAT(scenario.err, HasSubstr("this is a scenario, not a study: scmi-vp run s.toml\n"));
    EXPECT_THAT(run({"serve", "my study.toml", "--socket", "x"}).err, HasSubstr("this is a study"));
    // Both kinds of file have checks.
    std::ofstream("checked.toml") << short_scenario
                                  << "[[check]]\nnumber = \"requests\"\nat_least = 1\n";
    EXPECT_THAT(run({"study", "checked.toml"}).err,
                HasSubstr("this is a scenario, not a study: scmi-vp run checked.toml\n"));
}

TEST_F(hints, say_what_a_folder_has) {
    fs::create_directories("only-study");
    std::ofstream("only-study/study.toml") << "[study]\nscenario = \"s.toml\"\n";
    EXPECT_EQ(run({"run", "only-study"}).err,
              "scmi-vp: only-study: has no scenario.toml but a study.toml: scmi-vp study "
              "only-study\n");
    EXPECT_THAT(run({"study", "linux-6.1-recording"}).err,
                HasSubstr("has no study.toml but a scenario.toml: scmi-vp run "));
}

TEST_F(hints, keys_are_listed_by_how_they_start) {
    const std::string guest = run({"list", "keys", "guest"}).out;
    std::istringstream lines(guest);
    std::string line;
    std::getline(lines, line);
    EXPECT_THAT(line, testing::StartsWith("key"));
    unsigned keys = 0;
    for (; std::getline(lines, line); ++keys) EXPECT_THAT(line, testing::StartsWith("guest."));
    EXPECT_GT(keys, 10u);
    EXPECT_THAT(run({"list", "keys", "platform.sensor[].na"}).out,
                HasSubstr("platform.sensor[].name"));
    EXPECT_THAT(run({"list", "study-keys", "axis"}).out, HasSubstr("axis[].values[].label"));
    EXPECT_THAT(run({"list", "study-keys", "axis"}).out, Not(HasSubstr("study.seed")));

    const answer none = run({"list", "keys", "gust"});
    EXPECT_EQ(none.status, 2);
    EXPECT_EQ(none.err, "scmi-vp: list keys: no key starts with 'gust', did you mean guest?\n");
    EXPECT_THAT(run({"list", "keys", "rx_timeout"}).err,
                HasSubstr("no key starts with 'rx_timeout'; with it in them: "
                          "guest.max_rx_timeout"));
    EXPECT_EQ(run({"list", "study-keys", "sede"}).status, 2);
}

/// Lines that are too long for such a terminal.
std::vector<std::string> too_long(const std::string& text, std::size_t columns) {
    std::vector<std::string> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.size() > columns) all.push_back(line);
    }
    return all;
}

TEST_F(hints, tables_fit_the_terminal) {
    const std::string wide = run({"list", "keys"}).out;
    EXPECT_FALSE(too_long(wide, 120).empty());
    for (const std::size_t columns : {80u, 120u}) {
        console().columns = columns;
        const std::string narrow = run({"list", "hops"}).out + run({"list", "study-keys"}).out;
        EXPECT_THAT(too_long(narrow, columns), testing::IsEmpty());
    }
    console().columns = 300;
    EXPECT_THAT(too_long(run({"list", "keys"}).out, 300), testing::IsEmpty());
}

// Kernel messages are as the kernel wrote them; everything else fits, and nothing is left out.
TEST_F(hints, the_account_of_a_run_fits_the_terminal) {
    std::ofstream("s.toml") << short_scenario;
    const auto report = [](std::size_t columns) {
        return runs::run_forked("a run", [columns] {
            console().columns = columns;
            return run({"run", "s.toml", "--set", "guest.costs=uml-time-travel", "--set",
                        "hops.service={ kind=\"uniform\", low=\"1us\", high=\"2us\" }"})
                .out;
        });
    };
    const std::string wide = report(0);
    EXPECT_THAT(wide, HasSubstr("where the time went\n"));
    EXPECT_FALSE(too_long(wide, 120).empty());
    for (const std::size_t columns : {80, 100, 140}) {
        const std::string narrow = report(columns);
        for (const std::string& line : too_long(narrow, columns)) {
            EXPECT_THAT(line, testing::StartsWith("  [ ")) << columns;
        }
        for (const char* word :
             {"where the time went", "prepare", "SENSOR_READING_GET(0)", " ok"}) {
            EXPECT_THAT(narrow, HasSubstr(word)) << columns;
        }
    }
}

// All round trips take no time at all: the longest is some request's all the same.
TEST_F(hints, the_slowest_of_requests_that_take_no_time_is_one_of_them) {
    std::ofstream("s.toml") << short_scenario;
    const answer a = run({"run", "s.toml", "--quiet"});
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("max 0 (request 1)"));
    EXPECT_THAT(a.out, Not(HasSubstr("(request 0)")));
}

// Three pauses of 10 ms, one behind the other, from the start: the first message is answered after
// 30 ms.
TEST_F(hints, pauses_back_to_back_delay_by_their_sum) {
    std::ofstream("s.toml") << short_scenario
                            << "[[platform.pause]]\nevery = \"0s\"\nlength = \"10ms\"\ncount = 3\n";
    const answer a = run({"run", "s.toml", "--quiet"});
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("max 30ms (request 1)"));
}

// The starter shows what the program is for: a timeout, its late reply, and how to ask why.
TEST_F(hints, the_starter_times_out_and_can_be_asked_why) {
    const answer init = run({"init", "my.toml"});
    EXPECT_THAT(init.out, HasSubstr("run it: scmi-vp run my.toml --out out\n"));
    EXPECT_THAT(init.out, HasSubstr("why a request timed out: scmi-vp explain out\n"));
    // In a process of its own: SystemC elaborates once in each.
    const std::string report = runs::run_forked("the starter", [] {
        return run({"run", "my.toml", "--out", "out"}).out;
    });
    EXPECT_THAT(report,
                testing::ContainsRegex("timed_out .*gave up in hop service; its reply came"));
    EXPECT_THAT(report, HasSubstr("is not expected!"));
    const answer why = run({"explain", "out"});
    EXPECT_EQ(why.status, 0) << why.err;
    EXPECT_THAT(why.out, HasSubstr("timed out"));
}

TEST_F(hints, gtkwave_is_named_where_it_is_there) {
    std::ofstream("scenario.toml") << short_scenario;
    std::ofstream("study.toml") << "[study]\nscenario = \"scenario.toml\"\nreplications = 1\n";
    fs::create_directory("bin");
    std::ofstream("bin/gtkwave") << "#!/bin/sh\n";
    fs::permissions("bin/gtkwave", fs::perms::owner_all);
    const std::string path = getenv("PATH");
    setenv("PATH", "/nonexistent", 1);
    const std::string without = run({"study", "study.toml", "--out", "out"}).out;
    setenv("PATH", (fs::current_path() / "bin").c_str(), 1);
    const std::string with = run({"study", "study.toml", "--out", "out"}).out;
    setenv("PATH", path.c_str(), 1);
    EXPECT_THAT(with, HasSubstr("To see it: gtkwave out/slowest/waves.gtkw\n"));
    EXPECT_THAT(without, Not(HasSubstr("gtkwave out")));
    EXPECT_THAT(without, HasSubstr("apt-get install gtkwave"));
}

}  // namespace
}  // namespace scmi_vp::app
