// SPDX-License-Identifier: Apache-2.0
// What people read: numbers as text, what recordings cannot tell, and that the table is plain
// ASCII.
#include "studies/report/study_table.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/console.h"
#include "runs/load.h"
#include "studies/human.h"
#include "studies/results/recordings.h"

namespace scmi_vp::studies {
namespace {

using testing::HasSubstr;

TEST(human, numbers) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1234567), "1 234 567");
    EXPECT_EQ(rate_text(0), "0");
    EXPECT_EQ(rate_text(0.0123456), "0.0123");
    EXPECT_EQ(rate_text(16.72), "16.7");
    EXPECT_EQ(rate_text(100), "100");
    EXPECT_EQ(rate_text(12345), "12 300");
    EXPECT_EQ(share_text(0, 5), "0%");
    EXPECT_EQ(share_text(1, 100'000), "<0.1%");
    EXPECT_EQ(share_text(5.249, 100), "5.2%");
    EXPECT_EQ(share_text(52.5, 100), "52%");
    EXPECT_EQ(share_text(1, 0), "0%");
    EXPECT_EQ(long_time(1.65), "1.65s");
    EXPECT_EQ(long_time(0), "0");
    EXPECT_EQ(long_time(600), "10min");
    EXPECT_EQ(long_time(36000), "10h");
    EXPECT_EQ(long_time(864000), "10d");
}

study quickstart() {
    return load_study(std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/quickstart/study.toml");
}

// The recording has 119 959 samples, two of them beyond 20 ms; the larger maximum is 35.8 ms.
TEST(recordings, say_what_they_cannot_tell) {
    const study s = quickstart();
    ASSERT_EQ(s.points.size(), 8u);
    const std::vector<recording> busy = recordings_of(s.points[0].scenario);
    ASSERT_EQ(busy.size(), 1u);
    EXPECT_EQ(busy[0].samples, 119'959u);
    // Both are beyond 20 ms; where the shorter one lies, up to 35.773 ms, nobody knows.
    EXPECT_EQ(busy[0].surely_above(milliseconds(19)), 2u);
    EXPECT_EQ(busy[0].surely_above(milliseconds(30)), 1u);
    EXPECT_EQ(busy[0].perhaps_above(milliseconds(30)), 2u);
    EXPECT_EQ(busy[0].perhaps_above(milliseconds(36)), 0u);
    EXPECT_EQ(busy[0].surely_above(milliseconds(36)), 0u);
    EXPECT_EQ(busy[0].perhaps_above(sim_time{}), busy[0].samples);
    EXPECT_EQ(busy[0].surely_above(sim_time{}), busy[0].samples);
    EXPECT_THAT(limits_of(busy[0]), HasSubstr("119 959 samples"));
    EXPECT_THAT(limits_of(busy[0]),
                HasSubstr("2 of them beyond its histogram of 20ms, of which it tells the longest "
                          "only (the scenario takes them as: at 35.773ms)"));
    // Clopper-Pearson: low for 1, high for 2 of 119 959.
    EXPECT_THAT(limits_beyond(busy[0], milliseconds(30)), HasSubstr("rests on 1 to 2 samples"));
    EXPECT_THAT(limits_beyond(busy[0], milliseconds(30)), HasSubstr("between 0.211 and 60.2"));
    EXPECT_THAT(limits_beyond(busy[0], milliseconds(100)), HasSubstr("beyond the recording"));
    EXPECT_EQ(limits_beyond(busy[0], microseconds(50)), "");
    EXPECT_TRUE(recordings_of(s.points[4].scenario).empty());
}

TEST(study_table, is_plain_and_says_beyond_the_recording) {
    const study s = quickstart();
    std::vector<point_result> results(s.points.size());
    for (point_result& r : results) {
        r.replications.assign(s.replications, {1, 1000, 0, 0, 0, false, true, 0});
        r.totals.requests = 1000 * s.replications;
    }
    for (point_result& r : results) r.totals.simulated.add(seconds(1000));
    results[5].replications[2].spurious = 7;
    results[5].totals.spurious = 7;
    results[5].totals.spurious_incidents = 2;
    results[5].totals.blocked.add(seconds(52));
    results[5].totals.task_time.add(seconds(1000));
    std::ostringstream text;
    const findings f = find_out(s, results);
    print_table(text, f);
    print_hops(text, f);
    story slowest;
    slowest.sentences = {"It took long.", "The timeout was a spurious one."};
    print_slowest(text, slowest, "my out's");
    print_notes(text, f);
    for (const char c : text.str()) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 127)) << int(c);
    EXPECT_THAT(text.str(), HasSubstr("beyond the recording"));
    // No interval of a rate beside that of incidents: 7 of 10 000, in 2 incidents in 1000 s.
    EXPECT_THAT(text.str(), testing::ContainsRegex(" 700 +7.2 \\[0.872 \\.\\. 26\\] "));
    EXPECT_THAT(text.str(), HasSubstr(" at most 10.8 "));
    EXPECT_THAT(text.str(), HasSubstr("with 95% confidence, at most 3 incidents"));
    EXPECT_THAT(text.str(), testing::Not(HasSubstr("of such replications")));
    EXPECT_THAT(text.str(), HasSubstr(" 52s (5.2%) "));
    EXPECT_THAT(text.str(), HasSubstr("  It took long.\n  The timeout was a spurious one.\n"));
    EXPECT_THAT(text.str(), HasSubstr("scmi-vp explain 'my out'\\''s' --slowest\n"));
    EXPECT_EQ(slowest_point(f), f.points.size());
}

// Two latencies of one file, each with its own word for what lies beyond the histogram.
TEST(recordings, say_what_each_makes_of_overflows) {
    const scenario::scenario s = runs::parse_scenario(
        R"([hops]
host_wake = { kind = "histogram", file = "cyclictest-busy-host.txt", overflow = "uniform" }
service = { kind = "mixture", parts = [ { weight = 1, latency = { kind = "histogram", file = "cyclictest-busy-host.txt", overflow = "drop" } } ] }
)",
        std::string(SCMI_VP_SOURCE_DIR) + "/traces/recorded/scenario.toml");
    const std::vector<recording> all = recordings_of(s);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].overflows_as, "uniform up to 35.773ms");
    EXPECT_EQ(all[1].overflows_as, "dropped");
    EXPECT_EQ(all[1].samples, 119'959u);
}

std::string table_of(const study& s, const std::vector<point_result>& results) {
    std::ostringstream text;
    print_table(text, find_out(s, results));
    return text.str();
}

// Runs that are not what they seem: without a workload, cut before their timeouts, with calls that
// were never made, with more timeouts than requests.csv keeps.
TEST(study_table, remarks_on_what_its_numbers_do_not_show) {
    const study s = quickstart();
    std::vector<point_result> results(s.points.size());
    for (point_result& r : results) {
        r.replications.assign(s.replications, {1, 1000, 0, 0, 0, false, true, 0});
        r.totals.requests = 1000 * s.replications;
    }
    EXPECT_THAT(table_of(s, results), testing::Not(HasSubstr("probe failed")));
    results[0].replications[3].probed = results[0].replications[4].probed = false;
    results[0].replications[5].no_device = 12;
    results[1].totals.true_timeouts = 9;
    results[1].totals.true_pending = 7;
    results[1].totals.longest_unfinished = seconds(58);
    results[1].totals.outcomes[std::size_t(models::outcome::unfinished)] = 8;
    results[2].totals.not_made = 123'456;
    results[3].totals.spurious = most_timeouts;
    results[3].totals.true_timeouts = 1;
    const std::string text = table_of(s, results);
    EXPECT_THAT(text, HasSubstr("10 000 (1) (2)"));
    EXPECT_THAT(text, HasSubstr("(1) in 2 of 10 runs the driver's probe failed or had not ended"));
    EXPECT_THAT(text, HasSubstr("(2) in 1 of 10 runs calls found no device (-ENODEV)"));
    EXPECT_THAT(text, HasSubstr("8 requests had not returned when the run ended, the longest after "
                                "58s: round trips do not\n"));
    EXPECT_THAT(text, HasSubstr("7 of the 9 true timeouts are of these"));
    EXPECT_THAT(text, HasSubstr("123 456 calls were due and not made"));
    EXPECT_THAT(text, HasSubstr("the first 50 000 of 50 001 timeouts"));
}

std::string on_terminal(std::size_t columns, const study& s,
                        const std::vector<point_result>& results) {
    console().columns = columns;
    std::string text = table_of(s, results);
    console() = {};
    return text;
}

// A line of one word (a file's path: as long as the checkout's folder makes it) is as short as it
// gets.
bool can_be_shorter(const std::string& line) {
    const std::size_t word = line.find_first_not_of(' ');
    return word != std::string::npos && line.find(' ', word) != std::string::npos;
}

// Every number of the wide table is in the narrow one, and every line fits.
TEST(study_table, fits_the_terminal) {
    const study s = quickstart();
    std::vector<point_result> results(s.points.size());
    std::uint64_t n = 1234;
    for (point_result& r : results) {
        r.replications.assign(s.replications, {1, n, 3, 2, 0, true, true, 0});
        r.totals.requests = n++ * s.replications;
        r.totals.simulated.add(seconds(1000));
        for (int i = 0; i < 2000; ++i) r.totals.round_trip.add(microseconds(75 + i));
    }
    const std::string wide = table_of(s, results);
    for (const std::size_t columns : {60, 80, 120}) {
        const std::string narrow = on_terminal(columns, s, results);
        std::istringstream lines(narrow);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_TRUE(line.size() <= columns || !can_be_shorter(line)) << line;
        }
        std::istringstream words(wide);
        for (std::string word; words >> word;) EXPECT_THAT(narrow, HasSubstr(word));
    }
    EXPECT_EQ(on_terminal(400, s, results), wide);
}

TEST(study_table, leaves_out_quantiles_that_few_requests_cannot_tell) {
    const study s = quickstart();
    std::vector<point_result> results(s.points.size());
    for (point_result& r : results) {
        r.replications.assign(s.replications, {1, 10, 0, 0, 0, true, true, 0});
        for (int i = 0; i < 100; ++i) r.totals.round_trip.add(microseconds(75));
    }
    EXPECT_THAT(table_of(s, results), testing::ContainsRegex("75.*us +75us +- +75us"));
}

}  // namespace
}  // namespace scmi_vp::studies
