// SPDX-License-Identifier: Apache-2.0
// Results that somebody edited, or another version wrote: `report` and `explain` do with them what
// they can or say in one error what is wrong.
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::HasSubstr;

class edited_results : public small_study {
protected:
    /// "" when it went well, the error's text when it is one of bad input.
    template <class work_t>
    std::string bad_input(work_t work) {
        try {
            work();
            return "";
        } catch (const error& e) {
            const bool ours = e.kind() == error_kind::input || e.kind() == error_kind::usage ||
                              e.kind() == error_kind::config;
            EXPECT_TRUE(ours) << e.what();
            EXPECT_STRNE(e.what(), "");
            return e.what();
        }  // whatever else is thrown fails the test
    }
    std::string report(const std::string& file, const json& j) {
        folder.write("out/" + file, j.dump());
        return bad_input([&] { rebuild_report(out()); });
    }
    std::string explain(const std::string& file, const json& j) {
        folder.write("out/" + file, j.dump());
        return bad_input([&] { story_of(load_results(out()), request_choice{}); });
    }
    /// Every member of every object, and the first of each list, taken out and replaced. The file
    /// is unedited afterwards.
    void edit_everything(const std::string& file, const json& original);
    fs::path out() const { return folder.path() / "out"; }
};

/// The places of all values in it; of what is many times the same, only the first.
void collect(const json& j, const json::json_pointer& at, std::vector<json::json_pointer>& all) {
    const bool alike = !at.empty() && (at.back() == "hops_ps" || at.back() == "outcomes");
    if (j.is_object()) {
        for (const auto& [key, value] : j.items()) {
            all.push_back(at / key);
            collect(value, at / key, all);
            if (alike) break;
        }
    } else if (j.is_array() && !j.empty()) {
        all.push_back(at / 0);
        collect(j[0], at / 0, all);
    }
}

void edited_results::edit_everything(const std::string& file, const json& original) {
    std::vector<json::json_pointer> places;
    collect(original, json::json_pointer(), places);
    const json replacements[] = {5, "x", json::array(), json::object(), nullptr, -1, 1e300};
    std::size_t refused = 0;
    for (const json::json_pointer& place : places) {
        SCOPED_TRACE(file + " " + place.to_string());
        json less = original;
        json& around = less[place.parent_pointer()];
        if (around.is_array()) {
            around.erase(0);
        } else {
            around.erase(place.back());
        }
        refused += !report(file, less).empty();
        explain(file, less);
        for (const json& value : replacements) {
            SCOPED_TRACE(value.dump());
            json other = original;
            other[place] = value;
            refused += !report(file, other).empty();
            // Each that is not refused repeats runs.
            if (value.is_null() || value.is_object()) explain(file, other);
        }
    }
    EXPECT_GT(places.size(), 20u);
    EXPECT_GT(refused, 50u);
    EXPECT_EQ(report(file, original), "");
}

TEST_F(edited_results, of_a_study_are_told_or_refused) {
    // The study's file is one of the inputs that results are held against.
    const std::string written = R"(
[study]
scenario = "scenario.toml"
replications = 1
notes = ["n"]
[[axis]]
name = "host"
values = [ { label = "steady", set = { "workload.loop.0.count" = 10, "workload.loop.1.count" = 10 } } ]
)";
    folder.write("study.toml", written);
    const study s = load(written);
    study_options options;
    options.out = out();
    options.quiet = true;
    std::ostringstream text;
    run_study(s, options, text);
    edit_everything("results.json", json::parse(folder.read("out/results.json")));
}

TEST_F(edited_results, of_a_run_are_told_or_refused) {
    runs::testing_tools::run_in_child(
        runs::load_scenario(folder.path() / "scenario.toml",
                            {"workload.loop.0.count=10", "workload.loop.1.count=10"}),
        out());
    edit_everything("summary.json", json::parse(folder.read("out/summary.json")));
}

TEST_F(edited_results, say_what_is_missing_and_where) {
    fs::create_directory(out());
    EXPECT_EQ(report("results.json", json::object()),
              "results.json: format is missing; was the file edited?");
    EXPECT_EQ(report("results.json", {{"format", "scmi-vp results 3"}, {"study", "x"}}),
              "results.json: points is missing; was the file edited?");
    fs::remove(out() / "results.json");
    const std::string path = (out() / "summary.json").string();
    json summary{{"title", "t"}, {"scenario", "s.toml"}, {"set", json::array()},
                 {"seed", 1},    {"requests", 9},        {"round_trip_ps", 5}};
    EXPECT_EQ(explain("summary.json", summary),
              path +
                  ": another version of scmi-vp wrote it (its format is not 'scmi-vp summary "
                  "2'); run it again");
    summary["format"] = "scmi-vp summary 2";
    EXPECT_EQ(explain("summary.json", summary),
              path + ": command is missing; was the file edited?");
    summary["command"] = "run";
    EXPECT_EQ(explain("summary.json", summary),
              path + ": round_trip_ps.slowest_request is missing; was the file edited?");
    summary.erase("round_trip_ps");
    EXPECT_EQ(explain("summary.json", summary),
              path + ": made_from is missing; was the file edited?");
}

}  // namespace
}  // namespace scmi_vp::studies
