// SPDX-License-Identifier: Apache-2.0
// report.html: needs nothing else, is well-formed, has everything in it, and says what is wrong
// with results that it cannot use.
#include "studies/report/report_html.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "studies/report/report_charts.h"
#include "studies/report/report_testing.h"
#include "studies/report/svg.h"
#include "studies/report/xml_testing.h"
#include "studies/results/report_data.h"

namespace scmi_vp::studies {
namespace {

std::string page_of(const nlohmann::json& results, const story* s) {
    std::ostringstream out;
    write_report(results, s, out);
    return out.str();
}

std::string sample_page() {
    const story s = sample_story();
    return page_of(sample_results(), &s);
}

std::vector<std::string> pictures_of(const std::string& page) {
    std::vector<std::string> all;
    for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at)) {
        const std::size_t end = page.find("</svg>", at) + 6;
        all.push_back(page.substr(at, end - at));
        at = end;
    }
    return all;
}

std::string message_of(const nlohmann::json& results) {
    try {
        page_of(results, nullptr);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        return e.what();
    }
    return "no error";
}

// The page must open from a disk without a network: nothing is fetched, no script runs.
TEST(report_html, refers_to_nothing_outside) {
    const std::string page = sample_page();
    for (const char* outside :
         {"http:", "https:", "src=", "@import", "url(", "href=", "<script", "<link"}) {
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
    }
}

TEST(report_html, pictures_are_well_formed_and_described) {
    const std::vector<std::string> pictures = pictures_of(sample_page());
    std::size_t described = 0;
    for (const std::string& p : pictures) {
        xml_test_reader xml(p);
        EXPECT_NO_THROW(xml.read()) << p.substr(0, 300);
        if (p.find("aria-hidden") != std::string::npos) continue;
        ++described;
        EXPECT_EQ(xml.count("desc"), 1u);
        EXPECT_NE(p.find("role=\"img\""), std::string::npos);
    }
    EXPECT_EQ(described, 5u);
}

// Void elements and the doctype aside, the page is XML: an unbalanced tag anywhere shows here.
TEST(report_html, the_page_is_balanced) {
    std::string page = sample_page();
    const std::string doctype = "<!DOCTYPE html>\n";
    ASSERT_EQ(page.rfind(doctype, 0), 0u);
    page.erase(0, doctype.size());
    for (std::size_t at = page.find("<meta"); at != std::string::npos;
         at = page.find("<meta", at + 1)) {
        page.insert(page.find('>', at), "/");
    }
    const std::size_t style = page.find("<style>") + 7;
    page.erase(style, page.find("</style>") - style);
    for (std::size_t at = page.find("&nbsp;"); at != std::string::npos; at = page.find("&nbsp;")) {
        page.replace(at, 6, " ");
    }
    xml_test_reader xml(page);
    EXPECT_NO_THROW(xml.read());
    EXPECT_EQ(xml.count("h1"), 1u);
    EXPECT_GE(xml.count("h2"), 7u);
}

TEST(report_html, every_point_is_in_table_and_pictures) {
    const nlohmann::json results = sample_results();
    const std::string page = sample_page();
    for (const std::string& picture : pictures_of(page)) {
        if (picture.find("aria-hidden") != std::string::npos ||
            picture.find("id=\"timeline-t\"") != std::string::npos) {
            continue;
        }
        for (const point_data& p : read_results(results).points) {
            EXPECT_NE(picture.find(escaped(p.name())), std::string::npos) << p.name();
        }
    }
    const std::string table =
        page.substr(page.find("<tbody>"), page.find("</tbody>") - page.find("<tbody>"));
    std::size_t rows = 0;
    for (std::size_t at = table.find("<tr>"); at != std::string::npos;
         at = table.find("<tr>", at + 1))
        ++rows;
    EXPECT_EQ(rows, results["points"].size());
}

TEST(report_html, has_question_notes_story_and_commands) {
    const nlohmann::json results = sample_results();
    const story s = sample_story();
    const std::string page = sample_page();
    std::vector<std::string> wanted{results["title"], results["description"], s.headline, s.log[0],
                                    s.rerun};
    for (const auto& n : results["notes"]) wanted.push_back(n);
    for (const std::string& sentence : s.sentences) wanted.push_back(sentence);
    wanted.push_back(
        "scmi-vp study 'testbenches/quick start/study.toml' --seed 1 --set guest.hz=1000");
    wanted.push_back(
        "scmi-vp run 'testbenches/quick start/scenario.toml' --set guest.max_rx_timeout=30ms --set "
        "guest.hz=1000 --seed 1000");
    for (const std::string& w : wanted) EXPECT_NE(page.find(escaped(w)), std::string::npos) << w;
    EXPECT_EQ(page.find("<quick"), std::string::npos);
}

TEST(report_html, tables_say_what_their_headers_are_for) {
    const std::string page = sample_page();
    for (std::size_t at = page.find("<th"); at != std::string::npos;
         at = page.find("<th", at + 1)) {
        if (page.compare(at, 6, "<thead") == 0) continue;
        EXPECT_EQ(page.compare(at, 11, "<th scope=\""), 0) << page.substr(at, 60);
    }
}

// Nothing seen has no place on a logarithmic axis, and no interval: a zero beside one would be read
// as certainty. Where nothing timed out at all there is no axis.
TEST(report_html, zero_timeouts_are_said_in_words) {
    nlohmann::json results = sample_results();
    const nlohmann::json none{
        {"count", 0}, {"per_million", 0}, {"low", nullptr}, {"high", nullptr}, {"beyond", "b < c"}};
    results["points"][1]["spurious_timeouts"] = none;
    const std::string chart = timeouts_chart(read_results(results), timeouts_of::rx);
    EXPECT_NE(chart.find(">no spurious timeouts seen</text>"), std::string::npos);
    const std::string page = page_of(results, nullptr);
    EXPECT_NE(page.find("<li>b &lt; c</li>"), std::string::npos);
    for (auto& p : results["points"]) p["spurious_timeouts"] = p["true_timeouts"] = none;
    EXPECT_NE(page_of(results, nullptr).find("No request timed out at any point"),
              std::string::npos);
}

std::string first_row_of(const std::string& page) {
    const std::size_t from = page.find("<tbody>");
    return page.substr(from, page.find("</tr>", from) - from);
}

// All replications agree: a rate, and no interval of no width.
TEST(report_html, a_rate_without_an_interval_has_none_in_the_table) {
    nlohmann::json results = sample_results();
    results["points"][0]["true_timeouts"] = {{"count", 7},      {"per_million", 17.5},
                                             {"low", nullptr},  {"high", nullptr},
                                             {"method", "all"}, {"beyond", "the same"}};
    EXPECT_NE(first_row_of(page_of(results, nullptr)).find(">17.5<sup>1</sup></td>"),
              std::string::npos);
}

// The response of an open loop counts from the intended instant; calls that nobody made are told.
TEST(report_html, open_loops_show_their_responses) {
    nlohmann::json results = sample_results();
    EXPECT_EQ(page_of(results, nullptr).find("not made"), std::string::npos);
    results["points"][0]["calls_not_made"] = 14711;
    results["points"][0]["response_ps"]["p50"] = 4'400'000'000'000;
    results["points"][0]["remarks"] = {"4 711 calls were due"};
    const std::string page = page_of(results, nullptr), row = first_row_of(page);
    EXPECT_NE(page.find(">response median</th>"), std::string::npos);
    EXPECT_NE(row.find("<td>4.4\u00a0s</td>"), std::string::npos);
    EXPECT_NE(row.find("<td>14\u202f711</td>"), std::string::npos) << row;
    EXPECT_NE(row.find("000<sup>1</sup></td>"), std::string::npos) << "the remark, at requests";
    EXPECT_NE(page.find("<li>4 711 calls were due</li>"), std::string::npos);
}

// 99.9 % of a hundred values is their maximum, and not what it says.
TEST(report_html, quantiles_that_few_values_cannot_tell_are_left_out) {
    nlohmann::json results = sample_results();
    results["points"][0]["round_trip_ps"]["count"] = 100;
    const std::string row = first_row_of(page_of(results, nullptr));
    EXPECT_NE(row.find("<td>420\u00a0\u00b5s</td><td>\u2013</td>"), std::string::npos) << row;
}

// More than the 106 days that fit an integer of picoseconds.
TEST(report_html, long_studies_are_told_whole) {
    nlohmann::json results = sample_results();
    for (auto& p : results["points"]) p["simulated_s"] = p["calls_blocked_s"] = 2.16e6;
    const std::string page = page_of(results, nullptr);
    EXPECT_NE(page.find("17\u202f300\u202f000 s of simulated time"), std::string::npos);
    EXPECT_NE(first_row_of(page).find("2\u202f160\u202f000\u00a0s"), std::string::npos);
}

// Each number is followed by the number of its reservation, and the list has it there.
TEST(report_html, reservations_are_numbered) {
    nlohmann::json results = sample_results();
    results["points"][0]["spurious_timeouts"]["beyond"] = "first";
    results["points"][0]["true_timeouts"]["beyond"] = "second";
    const std::string page = page_of(results, nullptr);
    EXPECT_NE(page.find("2.5<sup>1</sup>"), std::string::npos);
    EXPECT_NE(page.find("<ol class=\"facts\"><li>first</li>\n<li>second</li>"), std::string::npos);
}

nlohmann::json incidents_of(std::uint64_t count, double per_hour, double low, double high) {
    return {{"count", count},
            {"per_hour", per_hour},
            {"low", low},
            {"high", high},
            {"confidence", 0.95}};
}

// One interval beside each number: that of incidents, which do not cause each other.
TEST(report_html, intervals_are_those_of_incidents) {
    nlohmann::json results = sample_results();
    nlohmann::json& p = results["points"][0];
    p["spurious_timeouts"]["incidents"] = incidents_of(1, 3.6, 0.0911, 20.1);
    p["true_timeouts"]["incidents"] = incidents_of(0, 0, 0, 10.8);
    const std::string page = page_of(results, nullptr), row = first_row_of(page);
    EXPECT_NE(row.find("2.5<small>3.6/h</small><small>0.0911\u2009\u2013\u200920.1</small>"),
              std::string::npos)
        << row;
    EXPECT_NE(row.find("<small>at most 10.8/h</small>"), std::string::npos) << row;
    EXPECT_NE(page.find("incidents per hour with their exact 95 % interval"), std::string::npos);
}

TEST(report_html, blocked_time_says_of_how_much) {
    nlohmann::json results = sample_results();
    results["points"][0]["calls_blocked_s"] = 4.4;
    results["points"][0]["calls_blocked_of_s"] = 80.0;
    EXPECT_NE(first_row_of(page_of(results, nullptr))
                  .find("<td>4.4\u00a0s<small>5.5\u00a0% of 80\u00a0s</small></td>"),
              std::string::npos);
}

// Paper has nothing to click on: what a closed <details> hides must not be inside it, since some
// browsers print that closed.
TEST(report_html, what_is_folded_away_is_printed) {
    const std::string page = sample_page();
    std::size_t folded = 0;
    for (std::size_t at = page.find("<details>"); at != std::string::npos;
         at = page.find("<details>", at + 1)) {
        const std::size_t end = page.find("</details>", at);
        EXPECT_EQ(page.substr(end - 10, 10), "</summary>");
        const std::string next = page.substr(end + 10, 5);
        EXPECT_TRUE(next == "\n<pre" || next == "\n<div") << next;
        ++folded;
    }
    EXPECT_EQ(folded, 3u);  // the numbers of two charts, and commands
    EXPECT_NE(page.find("@media screen{details:not([open])+*{display:none}}"), std::string::npos);
}

/// The words of the page as it would be on paper; empty where it cannot be printed here.
std::string printed_words(const std::string& page) {
    if (std::system("command -v chromium pdftotext >/dev/null 2>&1") != 0) return "";
    std::string folder = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
    if (!mkdtemp(folder.data())) return "";
    std::ofstream(folder + "/page.html") << page;
    const std::string command =
        "cd '" + folder +
        "' && HOME=$PWD timeout 90 chromium --headless --no-sandbox "
        "--disable-gpu --print-to-pdf=page.pdf page.html >log 2>&1 && pdftotext page.pdf page.txt";
    std::string text;
    if (std::system(command.c_str()) == 0) {
        std::ifstream in(folder + "/page.txt");
        text.assign(std::istreambuf_iterator<char>(in), {});
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return text;
}

TEST(report_html, is_whole_on_paper_heavy) {
    const std::string text = printed_words(sample_page());
    if (text.empty()) GTEST_SKIP() << "install chromium and poppler-utils";
    EXPECT_NE(text.find("The first replication of each point"), std::string::npos);
    EXPECT_NE(text.find("# host"), std::string::npos) << "the commands below that heading";
    EXPECT_NE(text.find("host wake"), std::string::npos) << "the numbers of a chart";
}

TEST(report_html, timeouts_come_from_what_was_set) {
    EXPECT_EQ(timeout_in({"guest.hz=100", "guest.max_rx_timeout=30ms"}), milliseconds(30));
    EXPECT_EQ(timeout_in({"guest.max_rx_timeout=\"1s\"", "guest.max_rx_timeout='2s'"}), seconds(2));
    EXPECT_EQ(timeout_in({"guest.max_rx_timeout=soon"}), std::nullopt);
    EXPECT_EQ(timeout_in({}), std::nullopt);
}

TEST(report_html, one_point_without_anything_is_a_page_too) {
    nlohmann::json results = sample_results();
    nlohmann::json& p = results["points"][0];
    results["points"] = nlohmann::json::array({p});
    nlohmann::json& only = results["points"][0];
    only["labels"] = nlohmann::json::object();
    only["requests"] = 0;
    only["slowest"] = nullptr;
    only["round_trip_histogram"] = nlohmann::json::array();
    for (const char* rate : {"spurious_timeouts", "true_timeouts"}) {
        only[rate] = {{"count", 0}, {"per_million", 0}, {"low", 0}, {"high", 0}};
    }
    const std::string page = page_of(results, nullptr);
    for (const std::string& picture : pictures_of(page))
        EXPECT_NO_THROW(xml_test_reader(picture).read());
    EXPECT_NE(page.find("this run"), std::string::npos);
    EXPECT_EQ(page.find("nan"), std::string::npos);
}

TEST(report_html, hundred_points_of_extremes_stay_well_formed) {
    nlohmann::json results = sample_results();
    for (std::size_t i = 8; i < 100; ++i) {
        nlohmann::json p = sample_point(i, std::string(40, 'h'), std::to_string(i) + "ms",
                                        std::int64_t(i) * 1'000'000'000, i % 2);
        if (i % 3 == 0) p["round_trip_histogram"] = {{1, 1}, {INT64_MAX, 1}};
        results["points"].push_back(p);
    }
    for (const std::string& picture : pictures_of(page_of(results, nullptr))) {
        EXPECT_NO_THROW(xml_test_reader(picture).read());
        EXPECT_EQ(picture.find("nan"), std::string::npos);
        EXPECT_EQ(picture.find("inf"), std::string::npos);
    }
}

TEST(report_html, errors_name_the_key) {
    nlohmann::json j = sample_results();
    j["points"][3].erase("requests");
    EXPECT_EQ(message_of(j), "results.json: points[3].requests is missing; was the file edited?");
    j = sample_results();
    j["points"][2]["round_trip_ps"]["p99"] = "long";
    EXPECT_NE(
        message_of(j).find("points[2].round_trip_ps.p99 is not an integer number of picoseconds"),
        std::string::npos);
    j = sample_results();
    j["format"] = "scmi-vp results 9";
    EXPECT_NE(message_of(j).find("another version"), std::string::npos);
    j = sample_results();
    j["points"] = nlohmann::json::array();
    EXPECT_NE(message_of(j).find("points is empty"), std::string::npos);
    j = sample_results();
    j["points"][0]["requests"] = -1;
    EXPECT_NE(message_of(j).find("points[0].requests is not an integer, 0 or more"),
              std::string::npos);
    EXPECT_NE(message_of(nlohmann::json::array()).find("format is missing"), std::string::npos);
}

// Needs a browser, and takes seconds: run where one is installed.
TEST(report_html, renders_in_chromium_heavy) {
    if (std::system("command -v chromium >/dev/null 2>&1") != 0)
        GTEST_SKIP() << "chromium is not installed";
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(testing::TempDir()) / "scmi-vp-report-test";
    fs::remove_all(folder);
    fs::create_directories(folder / "profile");
    std::ofstream(folder / "report.html") << sample_page();
    for (const std::string& mode : {std::string(), std::string("--force-dark-mode ")}) {
        const std::string command =
            "cd '" + folder.string() +
            "' && timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync " +
            mode + "--user-data-dir=profile --screenshot=page.png --window-size=1200,4600 file://" +
            (folder / "report.html").string() + " >log.txt 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0);
        // A blank page of that size compresses to less than 30 000 bytes.
        EXPECT_GT(fs::file_size(folder / "page.png"), 100'000u);
    }
    fs::remove_all(folder);
}

}  // namespace
}  // namespace scmi_vp::studies
