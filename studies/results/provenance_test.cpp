// SPDX-License-Identifier: Apache-2.0
// A page never tells another run than its folder's: every input is edited in turn, and `report` and
// `explain` refuse with its name; without an edit they say what they said before.
#include "studies/results/provenance.h"

#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/fingerprint.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "studies/methods/run_study.h"
#include "studies/methods/small_study_testing.h"
#include "studies/report/report_files.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using scenario::testing_tools::error_of;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* scenario_text = R"(
[scenario]
title = "every input"
[guest]
device_tree = "board.dtb"
[platform]
file = "platform.toml"
[hops]
service = { kind = "histogram", file = "cyclictest.txt" }
notify = { kind = "recorded", file = "delays.txt" }
[[workload.context]]
name = "a"
[[workload.open]]
contexts = ["a"]
count = 3
interarrival = { kind = "recorded", file = "calls.txt" }
calls = [ { call = "sensor_read", id = 0 } ]
)";

/// A folder with every kind of file that a scenario reads.
class made_from : public testing::Test {
protected:
    made_from() {
        files.write("scenario.toml", scenario_text);
        files.write("platform.toml", "[[sensor]]\nname = \"t\"\n");
        files.write("cyclictest.txt",
                    "# Histogram\n000010 000005\n000020 000001\n# Total: 000000006\n");
        files.write("delays.txt", "1us\n2us\n");
        files.write("calls.txt", "1ms\n2ms\n");
        files.write("study.toml", "[study]\nscenario = \"scenario.toml\"\nreplications = 2\n");
        fs::copy_file(std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/linux-6.1-recording/scmi.dtb",
                      at("board.dtb"));
    }
    fs::path at(const std::string& name) const { return files.path() / name; }
    fs::path out() const { return at("out"); }

    void run() {
        runs::testing_tools::run_in_child(
            runs::load_scenario(at("scenario.toml"), {"guest.hz=250"}), out());
    }
    void run_study_of() {
        study_options options;
        options.out = out();
        options.quiet = true;
        std::ostringstream text;
        run_study(load_study(at("study.toml"), {{"guest.hz=250"}, {}}), options, text);
    }

    std::string page() const {
        rebuild_report(out());
        return files.read("out/report.html");
    }
    std::string told() const {
        std::ostringstream text;
        print_story(text, story_of(load_results(out()), request_choice{}));
        return text.str();
    }
    /// What both refuse with, which must be the same and leave the folder as it is.
    std::string refusal() const {
        const auto before = runs::testing_tools::folder(out());
        const std::string of_report = error_of([&] { rebuild_report(out()); });
        EXPECT_EQ(error_of([&] { load_results(out()); }), of_report);
        EXPECT_EQ(runs::testing_tools::folder(out()), before);
        return of_report;
    }
    /// With that file changed for as long as it takes.
    std::string refusal_with(const std::string& name, const std::string& text) {
        const std::string original = files.read(name);
        EXPECT_NE(original, text);
        files.write(name, text);
        const std::string what = refusal();
        files.write(name, original);
        return what;
    }
    std::string refusal_with(const std::string& results, const json::json_pointer& place,
                             const json& value) {
        json j = json::parse(files.read(results));
        j[place] = value;
        return refusal_with(results, j.dump());
    }
    /// Each file of the scenario with a byte more.
    void expect_files_are_named(const std::string& again) {
        for (const char* name : {"scenario.toml", "platform.toml", "board.dtb", "cyclictest.txt",
                                 "delays.txt", "calls.txt"}) {
            EXPECT_EQ(refusal_with(name, files.read(name) + "\n"),
                      at(name).string() +
                          ": has changed since these results were made; run it again: " + again);
        }
    }

    scenario::testing_tools::scratch_folder files;
};

TEST_F(made_from, a_run_is_told_as_it_was_or_not_at_all) {
    run();
    const std::string first = page(), story = told();
    const std::string again = "scmi-vp run " + at("scenario.toml").string() +
                              " --set guest.hz=250 --seed 1 --out " + out().string();
    expect_files_are_named(again);
    const std::string summary = "out/summary.json";
    EXPECT_THAT(refusal_with(summary, "/set"_json_pointer, {"guest.hz=1000"}),
                HasSubstr("summary.json: set is not what these results were made with"));
    EXPECT_THAT(refusal_with(summary, "/seed"_json_pointer, 2),
                HasSubstr("summary.json: seed is not what these results were made with"));
    EXPECT_THAT(refusal_with(summary, "/made_from/program"_json_pointer, "0.0.9"),
                HasSubstr("summary.json: scmi-vp 0.0.9 made these results, and this is "));
    EXPECT_THAT(refusal_with(summary, "/made_from/sources"_json_pointer, "0123"),
                HasSubstr("made_from does not agree with itself"));
    EXPECT_EQ(page(), first);
    EXPECT_EQ(told(), story);
}

TEST_F(made_from, a_study_is_told_as_it_was_or_not_at_all) {
    run_study_of();
    const std::string first = files.read("out/report.html"), story = told();
    expect_files_are_named("scmi-vp study " + at("study.toml").string() +
                           " --seed 1 --set guest.hz=250 --out " + out().string());
    EXPECT_THAT(refusal_with("study.toml", files.read("study.toml") + "title = \"other\"\n"),
                HasSubstr("study.toml: has changed since these results were made"));
    const std::string results = "out/results.json";
    EXPECT_THAT(refusal_with(results, "/set"_json_pointer, json::array()),
                HasSubstr("results.json: set is not what these results were made with"));
    EXPECT_THAT(refusal_with(results, "/seed"_json_pointer, 2),
                HasSubstr("results.json: seed is not what these results were made with"));
    EXPECT_THAT(refusal_with(results, "/points/0/set"_json_pointer, {"guest.cpus=2"}),
                HasSubstr("results.json: points is not what these results were made with"));
    EXPECT_THAT(refusal_with(results, "/points/0/replication_results/1/seed"_json_pointer, 5),
                HasSubstr("results.json: points is not what these results were made with"));
    EXPECT_THAT(refusal_with(results, "/made_from/program"_json_pointer, "9.9"),
                HasSubstr("results.json: scmi-vp 9.9 made these results"));
    EXPECT_EQ(page(), first);
    EXPECT_EQ(told(), story);
}

// What was wanted of a run does not keep anybody from asking why it is not so.
TEST_F(made_from, a_run_with_checks_is_told_whether_they_hold_or_not) {
    for (const char* limit : {"at_least = 1", "at_most = 1"}) {
        files.write("scenario.toml", std::string(scenario_text) +
                                         "[[check]]\nnumber = \"requests\"\n" + limit + "\n");
        fs::remove_all(out());
        run();
        ASSERT_TRUE(json::parse(files.read("out/summary.json")).contains("checks"));
        EXPECT_THAT(page(), HasSubstr("</html>"));
        EXPECT_THAT(told(), HasSubstr("The same again with a waveform of it:"));
    }
}

TEST_F(made_from, a_file_that_is_gone_is_named) {
    run();
    fs::rename(at("delays.txt"), at("moved.txt"));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("delays.txt: is not there"),
                                 HasSubstr("change to that folder, or put it back")));
    fs::create_directory(at("delays.txt"));
    EXPECT_THAT(refusal(), HasSubstr("delays.txt: cannot be read a second time"));
}

// Its results are right until its run, repeated, is another one.
TEST_F(made_from, another_build_is_believed_when_its_run_is_the_same) {
    run();
    const std::string first = page();
    json summary = json::parse(files.read("out/summary.json"));
    json& from = summary["made_from"];
    from["sources"] = "0123456789abcdef";
    from["all"] = runs::digest_over_all(from, summary["format"]);
    files.write("out/summary.json", summary.dump());
    EXPECT_EQ(page(), first);
    summary["hops_ps"]["service"]["max"] = 7;
    files.write("out/summary.json", summary.dump());
    EXPECT_THAT(error_of([&] { page(); }),
                AllOf(HasSubstr("its run was repeated, and its hops_ps.service.max is "),
                      HasSubstr(", while these results say 7: another build of scmi-vp made them "
                                "(sources 0123456789ab, this one "),
                      HasSubstr("; run it again: scmi-vp run ")));
    EXPECT_THAT(error_of([&] { told(); }), HasSubstr("hops_ps.service.max"));
}

TEST_F(made_from, a_real_kernels_folder_is_not_told_by_the_model) {
    run();
    json summary = json::parse(files.read("out/summary.json"));
    summary["command"] = "linux";
    files.write("out/summary.json", summary.dump());
    EXPECT_THAT(refusal(), AllOf(HasSubstr("holds what a real Linux kernel did"),
                                 HasSubstr("read its scmi.ftrace, dmesg.txt and console.txt"),
                                 HasSubstr("scmi-vp run " + at("scenario.toml").string())));
}

// RFC 9562, 5.5; python3: uuid.uuid5(uuid.NAMESPACE_OID, "abc").
TEST(digest, is_a_uuid_that_others_compute_too) {
    EXPECT_EQ(runs::digest_of("abc"), "7697a46f-b283-5da3-8e7c-62c11c03dd9e");
    EXPECT_EQ(runs::digest_of(""), "0a68eb57-c88a-5f34-9e9d-27f85e68af4f");
}

}  // namespace
}  // namespace scmi_vp::studies
