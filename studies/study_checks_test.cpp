// SPDX-License-Identifier: Apache-2.0
// [[check]] in studies: at which points, on which end of an interval, how a failure is told, and
// the JUnit file.
#include "studies/study_checks.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/system_testing.h"
#include "studies/methods/run_study.h"
#include "studies/methods/small_study_testing.h"
#include "studies/report/junit.h"
#include "studies/report/xml_testing.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using runs::testing_tools::contents;
using scenario::testing_tools::error_of;
using testing::HasSubstr;
using testing::Not;

class study_checks : public small_study {
protected:
    struct outcome {
        study_status status;
        std::string report;
    };
    outcome run(const std::string& checks) {
        study_options options;
        options.quiet = true;
        options.out = folder.path() / "out";
        options.junit = folder.path() / "out/junit.xml";
        std::ostringstream report;
        const study_status status = run_study(load(small_study_text + checks), options, report);
        return {status, report.str()};
    }
    json results() const { return json::parse(contents(folder.path() / "out/results.json")); }
    std::string junit() const { return contents(folder.path() / "out/junit.xml"); }
    std::string refusal(const std::string& check) {
        return error_of([&] { load(small_study_text + ("[[check]]\n" + check)); });
    }
};

TEST_F(study_checks, are_about_every_point_or_those_of_some_labels) {
    const outcome o = run(R"(
[[check]]
number = "outcomes.ok"
at_least = 1
[[check]]
number = "late_replies"
at_least = 1
where = { host = "pausing" }
[[check]]
message = "timed out in resp"
where = { host = ["steady", "pausing"] }
)");
    EXPECT_EQ(o.status, study_status::ok) << o.report;
    EXPECT_THAT(o.report, HasSubstr("\n5 checks passed\n"));
    ASSERT_EQ(results().at("checks").size(), 5u);
    EXPECT_EQ(results().at("checks").at(3).at("point"), 1);
    EXPECT_EQ(results().at("checks").at(3).at("number"), "late_replies");
    EXPECT_FALSE(fs::exists(folder.path() / "out/failed"));
}

TEST_F(study_checks, that_fail_are_told_with_point_value_and_limit) {
    const outcome o = run(R"(
[[check]]
number = "round_trip.max"
at_most = "20ms"
[[check]]
message = "timed out in resp"
absent = true
where = { host = "steady" }
[[check]]
number = "requests"
at_least = 1
)");
    EXPECT_EQ(o.status, study_status::checks_failed);
    const json point = results().at("points").at(1);
    EXPECT_THAT(o.report, HasSubstr(" of 5 checks failed:\n"));
    EXPECT_THAT(
        o.report,
        HasSubstr("  FAILED round_trip.max at host pausing: " +
                  to_string(sim_time(point.at("round_trip_ps").at("max").get<std::int64_t>())) +
                  "; must be at most 20ms\n"));
    EXPECT_THAT(o.report, HasSubstr("FAILED kernel messages with \"timed out in resp\" at host "
                                    "steady: "));
    EXPECT_GT(contents(folder.path() / "out/failed/waves.vcd").size(), 5000u);
}

// 1 event more or less is luck: the estimate may lie within the limit and the interval not.
TEST_F(study_checks, of_rates_are_about_the_end_of_the_interval) {
    const outcome first = run("");
    const json rate = results().at("points").at(0).at("true_timeouts");
    const double estimate = rate.at("per_million").get<double>();
    const double low = rate.at("low").get<double>(), high = rate.at("high").get<double>();
    ASSERT_LT(low, estimate);
    ASSERT_LT(estimate, high);
    const auto check = [&](const char* limit, double value) {
        std::ostringstream text;
        text << "[[check]]\nnumber = \"true_timeouts.per_million\"\nwhere = { host = \"steady\" }\n"
             << limit << " = " << std::fixed << value << "\n";
        return run(text.str());
    };
    EXPECT_EQ(check("at_most", (estimate + high) / 2).status, study_status::checks_failed);
    EXPECT_EQ(check("at_most", high + 1).status, study_status::ok);
    const outcome low_end = check("at_least", (estimate + low) / 2);
    EXPECT_EQ(low_end.status, study_status::checks_failed);
    EXPECT_THAT(low_end.report, HasSubstr("the low end of its 95 % interval; the estimate is "));
    EXPECT_THAT(refusal("number = \"true_timeouts.per_million\"\nequals = 5"),
                HasSubstr("an estimate with an interval, which equals nothing"));
}

// Spurious timeouts on the host that never pauses: none are seen, which is no proof of none.
TEST_F(study_checks, of_nothing_seen_know_an_upper_bound) {
    const outcome o = run(R"(
[[check]]
number = "spurious_timeouts.per_million"
at_most = 1
where = { host = "steady" }
)");
    EXPECT_EQ(o.status, study_status::checks_failed);
    const json rate = results().at("points").at(0).at("spurious_timeouts");
    EXPECT_EQ(rate.at("count"), 0);
    const double requests = results().at("points").at(0).at("requests").get<double>();
    EXPECT_NEAR(rate.at("high").get<double>(), 3e6 / requests, 0.01 * 3e6 / requests);
}

TEST_F(study_checks, refuse_what_is_not_there) {
    EXPECT_THAT(refusal("number = \"requests\"\nat_most = 1\nwhere = { hots = \"steady\" }"),
                HasSubstr("there is no axis 'hots', did you mean host?"));
    EXPECT_THAT(refusal("number = \"requests\"\nat_most = 1\nwhere = { host = \"stedy\" }"),
                HasSubstr("axis 'host' has no value 'stedy', did you mean steady?"));
    EXPECT_THAT(refusal("number = \"spurious_timeouts\"\nat_most = 1"),
                HasSubstr("spurious_timeouts.count"));
    EXPECT_THAT(refusal("number = \"round_trip.p99\"\nat_most = 1"), HasSubstr("is a time"));
    EXPECT_THAT(refusal("nummer = \"requests\"\nat_most = 1"), HasSubstr("did you mean number?"));
}

TEST_F(study_checks, have_a_test_case_each_in_the_junit_file) {
    run(R"(
[[check]]
number = "requests"
equals = 1
where = { host = "pausing" }
[[check]]
number = "requests"
at_least = 1
)");
    xml_test_reader reader(junit().substr(junit().find("<testsuites")));
    EXPECT_NO_THROW(reader.read());
    EXPECT_EQ(reader.count("testcase"), 3u);
    EXPECT_EQ(reader.count("failure"), 1u);
    ASSERT_EQ(reader.texts().size(), 1u);
    EXPECT_THAT(reader.texts().at(0), HasSubstr("seed "));
    EXPECT_THAT(reader.texts().at(0), HasSubstr("\nscmi-vp run "));
    EXPECT_THAT(reader.texts().at(0), HasSubstr("--vcd-around slowest"));
    const std::string once = junit();
    run(R"(
[[check]]
number = "requests"
equals = 1
where = { host = "pausing" }
[[check]]
number = "requests"
at_least = 1
)");
    EXPECT_EQ(junit(), once);
}

TEST(junit, is_well_formed_whatever_its_texts_are) {
    const std::string wild = "a<b>&\"'\x01\x1f\xEF\xBF\xBE ü";
    const std::string xml = junit_xml(wild, {{wild, wild, wild, false}, {wild, "", "", false}});
    EXPECT_EQ(xml.find('\x01'), std::string::npos);
    EXPECT_EQ(xml.find("\xEF\xBF\xBE"), std::string::npos);
    xml_test_reader reader(xml.substr(xml.find("<testsuites")));
    EXPECT_NO_THROW(reader.read());
    EXPECT_EQ(reader.count("testcase"), 2u);
}

TEST(junit, replaces_only_files_of_its_own) {
    const scenario::testing_tools::scratch_folder folder;
    folder.write("mine.toml", "[sim]\n");
    EXPECT_THAT(error_of([&] { junit_file f(folder.path() / "mine.toml"); }),
                HasSubstr("was not written by scmi-vp"));
    EXPECT_EQ(folder.read("mine.toml"), "[sim]\n");
    EXPECT_THAT(error_of([&] { junit_file f(folder.path()); }), HasSubstr("is a folder"));
    EXPECT_THAT(error_of([&] { junit_file f(folder.path() / "mine.toml/x"); }),
                HasSubstr("cannot be written"));
    const fs::path path = folder.path() / "new/junit.xml";
    junit_file(path).write("s", {});
    EXPECT_THAT(contents(path), HasSubstr("tests=\"0\""));
    const junit_file again(path);  // of a run that dies now, nothing is left
    EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace scmi_vp::studies
