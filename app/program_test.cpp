// SPDX-License-Identifier: Apache-2.0
// The program as a user meets it: help, errors, exit statuses, and that init's scenario loads.
#include "app/program.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "app/program_testing.h"
#include "app/starter_scenario.h"
#include "runs/load.h"
#include "scenario/scenario.h"
#include "scenario/schema.h"

namespace scmi_vp::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;
using testing_tools::answer;
using testing_tools::refusal;
using testing_tools::run;

class in_scratch_folder : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "scmi-vp-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    std::string at(const std::string& name) const { return (folder_ / name).string(); }

private:
    fs::path folder_;
};

TEST(program, help_shows_commands_examples_and_statuses) {
    for (const char* option : {"--help", "-h", "help"}) {
        const answer a = run({option});
        EXPECT_EQ(a.status, 0);
        EXPECT_EQ(a.err, "");
        EXPECT_THAT(a.out, HasSubstr("examples:"));
        for (const command& c : commands()) EXPECT_THAT(a.out, HasSubstr(std::string(c.summary)));
        for (const exit_status_info& s : exit_status_table) {
            EXPECT_THAT(a.out, HasSubstr(std::string(s.meaning)));
        }
    }
}

TEST(program, every_command_has_help_with_an_example) {
    for (const command& c : commands()) {
        const answer a = run({std::string(c.name), "--help"});
        EXPECT_EQ(a.status, 0) << c.name;
        EXPECT_THAT(a.out, HasSubstr("usage: scmi-vp " + std::string(c.name)));
        EXPECT_THAT(a.out, HasSubstr("example"));
    }
}

TEST(program, version) {
    EXPECT_EQ(run({"--version"}).out, "scmi-vp 1.2.3\n");
}

TEST(program, what_it_does_not_know_it_refuses) {
    EXPECT_EQ(refusal({}), "scmi-vp: no command given; scmi-vp --help prints all of them\n");
    EXPECT_EQ(refusal({"rnu"}),
              "scmi-vp: unknown command rnu, did you mean run? (scmi-vp --help)\n");
    EXPECT_EQ(refusal({"--verbose"}),
              "scmi-vp: unknown option --verbose: one of run, study, explain, report, linux, "
              "validate, serve, connect, list, "
              "init (scmi-vp --help)\n");
    EXPECT_EQ(refusal({"list", "kyes"}), "scmi-vp: list: unknown topic kyes, did you mean keys?\n");
    EXPECT_EQ(refusal({"list", "hops", "keys"}),
              "scmi-vp: list: one topic at a time, 'keys' is too much (scmi-vp list --help)\n");
    EXPECT_EQ(refusal({"list", "keys", "guest", "sim"}),
              "scmi-vp: list: one prefix at a time, 'sim' is too much (scmi-vp list --help)\n");
    EXPECT_EQ(refusal({"list", "keys", "--markdwon"}),
              "scmi-vp: list: unknown option --markdwon (scmi-vp list --help)\n");
    EXPECT_EQ(refusal({"init", "a", "b"}),
              "scmi-vp: too many positional options have been specified on the command line "
              "(scmi-vp init --help)\n");
}

TEST(run_command, refuses_bad_options) {
    EXPECT_EQ(refusal({"run"}), "scmi-vp: run: no scenario given (scmi-vp run --help)\n");
    EXPECT_EQ(refusal({"run", "x.toml", "--ste", "a=b"}),
              "scmi-vp: unknown option --ste, did you mean --set? (scmi-vp run --help)\n");
    // Abbreviations would break scripts when an option is added.
    EXPECT_THAT(refusal({"run", "x.toml", "--qui"}), StartsWith("scmi-vp: unknown option --qui"));
    EXPECT_THAT(refusal({"run", "x.toml", "--seed", "many"}), HasSubstr("--seed"));
    EXPECT_EQ(refusal({"run", "x.toml", "--seed", "-1"}), "scmi-vp: --seed: is negative\n");
    EXPECT_THAT(refusal({"run", "x.toml", "--vcd-from", "5", "--out", "o"}),
                StartsWith("scmi-vp: --vcd-from: '5'"));
    EXPECT_EQ(refusal({"run", "x.toml", "--vcd-from", "2s", "--vcd-to", "1s", "--out", "o"}),
              "scmi-vp: --vcd-from is not before --vcd-to\n");
    EXPECT_EQ(refusal({"run", "x.toml", "--vcd-around", "fastest"}),
              "scmi-vp: --vcd-around: 'fastest' is not slowest or timeouts\n");
    EXPECT_EQ(refusal({"run", "x.toml", "--vcd-around", "slowest", "--vcd-to", "1s"}),
              "scmi-vp: --vcd-around and --vcd-from or --vcd-to exclude each other\n");
    EXPECT_EQ(refusal({"run", "x.toml", "--vcd"}), "scmi-vp: a waveform needs --out DIR\n");
}

TEST(run_command, says_where_a_scenario_may_come_from) {
    EXPECT_EQ(refusal({"run", "nowhere"}),
              "scmi-vp: nowhere: no such file, folder or testbench; `scmi-vp init nowhere` writes "
              "a scenario to start from\n");
}

TEST_F(in_scratch_folder, run_passes_on_the_scenarios_error) {
    std::ofstream(at("s.toml")) << "[guest]\nhzz = 1\n";
    EXPECT_EQ(refusal({"run", at("s.toml")}),
              "scmi-vp: " + at("s.toml") + ":2:1: unknown key guest.hzz, did you mean guest.hz?\n");
    std::ofstream(at("scenario.toml")) << "# all defaults\n";
    EXPECT_EQ(refusal({"run", fs::path(at("scenario.toml")).parent_path().string(), "--set",
                       "guest.hz=0"}),
              "scmi-vp: --set guest.hz=0: guest.hz: 0 is out of range: 1..10000\n");
}

// Before anything is simulated: results could not be written.
TEST_F(in_scratch_folder, a_path_that_is_not_utf8_is_refused_where_it_would_be_in_results) {
    const std::string odd = at("caf\xe9");
    fs::create_directory(odd);
    std::ofstream(odd + "/scenario.toml") << "# all defaults\n";
    std::ofstream(odd + "/study.toml") << "[study]\nscenario = \"scenario.toml\"\n";
    for (const char* command : {"run", "study"}) {
        EXPECT_THAT(refusal({command, odd, "--out", at("out")}),
                    HasSubstr("this path is not UTF-8 and cannot be written into results"));
    }
    EXPECT_FALSE(fs::exists(at("out")));
    // The folder of the results is in none of them.
    std::ofstream(at("study.toml")) << "[study]\nscenario = \"scenario.toml\"\nreplications = 1\n";
    std::ofstream(at("scenario.toml")) << "# all defaults\n";
    EXPECT_EQ(run({"study", at("study.toml"), "--quiet", "--out", odd + "/out"}).status, 0);
    EXPECT_TRUE(fs::exists(odd + "/out/results.json"));
}

TEST(list_command, prints_every_topic) {
    const std::string topics = run({"list"}).out;
    unsigned printed = 0;
    std::istringstream lines(topics.substr(topics.find("\n\n") + 2));
    for (std::string line; std::getline(lines, line) && !line.empty(); ++printed) {
        const std::string name = line.substr(2, line.find(' ', 2) - 2);
        const answer a = run({"list", name});
        EXPECT_EQ(a.status, 0) << name;
        EXPECT_GT(std::count(a.out.begin(), a.out.end(), '\n'), 2) << name;
    }
    EXPECT_GE(printed, 6u);
    EXPECT_THAT(run({"list", "hops"}).out, HasSubstr("guest_wake"));
    EXPECT_THAT(run({"list", "profiles"}).out, HasSubstr("linux-6.12"));
    EXPECT_THAT(run({"list", "messages"}).out, HasSubstr("SENSOR_READING_GET"));
    EXPECT_THAT(run({"list", "registers"}).out, HasSubstr("0x050   QueueNotify"));
    EXPECT_THAT(run({"list", "statuses"}).out, HasSubstr("70"));
    EXPECT_THAT(run({"list", "statuses"}).out, HasSubstr("6       a [[check]]"));
}

// Also of a file whose check names a number that is none: that is when somebody asks.
TEST_F(in_scratch_folder, list_prints_the_numbers_that_checks_name) {
    std::ofstream(at("my.toml")) << starter_scenario << "[[check]]\nnumber = \"nun\"\nequals = 1\n";
    const answer a = run({"list", "numbers", at("my.toml")});
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("\nround_trip.p99 "));
    EXPECT_THAT(a.out, HasSubstr("\ntasks.thermald.calls "));
    EXPECT_THAT(refusal({"run", at("my.toml")}),
                HasSubstr("scmi-vp list numbers " + at("my.toml") + " prints all"));
    std::ofstream(at("study.toml")) << "[study]\nscenario = \"other.toml\"\n";
    std::ofstream(at("other.toml")) << starter_scenario;
    EXPECT_THAT(run({"list", "numbers", at("study.toml")}).out,
                HasSubstr("\nspurious_timeouts.per_million "));
    EXPECT_THAT(refusal({"list", "numbers"}), HasSubstr("of what?"));
}

TEST_F(in_scratch_folder, a_junit_file_that_cannot_be_made_is_told_before_the_run) {
    std::ofstream(at("my.toml")) << starter_scenario;
    const answer a = run({"run", at("my.toml"), "--junit", at("my.toml") + "/x"});
    EXPECT_EQ(a.status, 3);
    EXPECT_EQ(a.out, "");
    EXPECT_EQ(run({"run", at("my.toml"), "--junit", at("my.toml")}).status, 3);
    EXPECT_THAT(refusal({"study", at("my.toml"), "--junit", ""}), HasSubstr("--junit"));
}

TEST(list_command, markdown_is_that_of_the_documentation) {
    std::ostringstream tables;
    scenario::print_keys_markdown(tables);
    EXPECT_EQ(run({"list", "keys", "--markdown"}).out, tables.str());
}

/// What a User-Mode Linux leaves that panics in its boot; or one that is none at all.
class with_a_kernel : public in_scratch_folder {
protected:
    std::string kernel_that_says(const std::string& text) const {
        std::ofstream(at("initramfs.cpio")) << "";
        std::ofstream(at("linux")) << "#!/bin/sh\necho '" << text << "'\nexit 134\n";
        fs::permissions(at("linux"), fs::perms::owner_all);
        return at("linux");
    }
};

constexpr const char* a_panic =
    "[    0.010000] Kernel panic - not syncing: Attempted to kill init!";

TEST_F(with_a_kernel, that_panics_a_run_has_a_status_of_its_own_and_its_files) {
    run({"init", at("my.toml")});
    const std::string kernel = kernel_that_says(a_panic);
    const answer a = run({"linux", at("my.toml"), "--kernel", kernel, "--out", at("out")});
    EXPECT_EQ(a.status, 5);
    EXPECT_EQ(a.err, "");
    EXPECT_THAT(a.out, HasSubstr("\nTHE GUEST FAILED: its kernel panicked at 0.010000 s: Attempted "
                                 "to kill init!\n"));
    std::ifstream console(at("out") + "/console.txt");
    std::string line;
    std::getline(console, line);
    EXPECT_EQ(line, a_panic);
}

TEST_F(with_a_kernel, that_is_none_a_run_is_refused) {
    run({"init", at("my.toml")});
    const std::string kernel = kernel_that_says("I am a shell");
    const answer a = run({"linux", at("my.toml"), "--kernel", kernel});
    EXPECT_EQ(a.status, 2);
    EXPECT_THAT(a.err, HasSubstr("has not connected to its clock"));
}

TEST_F(with_a_kernel, that_panics_validate_fails_each_scenario_and_goes_on) {
    run({"init", at("one.toml")});
    run({"init", at("two.toml")});
    const std::string kernel = kernel_that_says(a_panic);
    const answer a =
        run({"validate", at("one.toml"), at("two.toml"), "--kernel", kernel, "--out", at("out")});
    EXPECT_EQ(a.status, 1);
    for (const char* name : {"one", "two"}) {
        EXPECT_THAT(a.out,
                    HasSubstr(std::string("\n") + name +
                              ", failed: the guest: its kernel "
                              "panicked at 0.010000 s: Attempted to kill init! (its files: "));
        EXPECT_TRUE(fs::exists(at("out") + "/" + name + "/kernel/console.txt"));
    }
    EXPECT_THAT(a.out, HasSubstr("0 of 2 scenarios identical"));
}

TEST_F(in_scratch_folder, init_writes_a_scenario_that_loads) {
    const answer a = run({"init", at("my.toml")});
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("scmi-vp run " + at("my.toml")));
    const scenario::scenario s = runs::load_scenario(at("my.toml"), {});
    EXPECT_EQ(s.title, "starter");
    EXPECT_EQ(s.system.guest.loops.size(), 1u);
    EXPECT_EQ(s.source_text, starter_scenario);
}

TEST_F(in_scratch_folder, init_overwrites_nothing) {
    std::ofstream(at("my.toml")) << "mine";
    const answer a = run({"init", at("my.toml")});
    EXPECT_EQ(a.status, 3);
    EXPECT_EQ(a.err, "scmi-vp: " + at("my.toml") + ": exists already; choose another name\n");
    std::ifstream in(at("my.toml"));
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "mine");
    fs::create_symlink(at("nothing"), at("link.toml"));
    EXPECT_EQ(run({"init", at("link.toml")}).status, 3);
}

// Works for root too: nothing can be written below a regular file.
TEST_F(in_scratch_folder, init_says_why_it_cannot_write) {
    std::ofstream(at("file")) << "";
    const answer a = run({"init", at("file") + "/my.toml"});
    EXPECT_EQ(a.status, 3);
    EXPECT_EQ(a.err, "scmi-vp: " + at("file") + "/my.toml: cannot be written (Not a directory)\n");
}

// DESIGN law 9: a full disk is an error, also behind standard output.
TEST(program, a_standard_output_that_is_full_is_an_error) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    std::ofstream full("/dev/full");
    std::ostringstream err;
    EXPECT_EQ(run_program({"list", "keys"}, "1", full, err), exit_status::output_failed);
    EXPECT_EQ(err.str(), "scmi-vp: standard output: cannot be written; is its disk full?\n");
}

TEST(exit_statuses, every_kind_of_error_has_one) {
    EXPECT_EQ(status_of(error_kind::usage), exit_status::bad_input);
    EXPECT_EQ(status_of(error_kind::config), exit_status::bad_input);
    EXPECT_EQ(status_of(error_kind::input), exit_status::bad_input);
    EXPECT_EQ(status_of(error_kind::output), exit_status::output_failed);
    EXPECT_EQ(status_of(error_kind::model), exit_status::defect);
    EXPECT_EQ(status_of(error_kind::memory), exit_status::out_of_memory);
}

TEST(program, validate_takes_seeds_that_make_sense) {
    EXPECT_THAT(refusal({"validate", "--seed", "3"}), HasSubstr("add --seeds 1"));
    EXPECT_THAT(refusal({"validate", "--seeds", "0"}), HasSubstr("--seeds 0: give 1 to 1000000"));
    const answer help = run({"validate", "--help"});
    EXPECT_THAT(help.out, HasSubstr("scmi-vp validate --seeds 100"));
}

}  // namespace
}  // namespace scmi_vp::app
