// SPDX-License-Identifier: Apache-2.0
// Files of single samples: fio's logs, CSV, lists.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/latency_file.h"
#include "traces/latency_file_testing.h"

namespace scmi_vp::traces {
namespace {

using namespace latency_testing;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(sample_file, fio_logs_are_in_nanoseconds_unless_older) {
    const latency_file file = recorded("fio_lat.1.log");
    EXPECT_EQ(file.format, "fio latency log");
    EXPECT_EQ(file.parts, "read and write");
    EXPECT_EQ(file.samples, file.in_order.size());
    EXPECT_EQ(file.in_order.front(), nanoseconds(7'597'659));
    const drawn d = draws(file);
    EXPECT_GE(d.min, *std::min_element(file.in_order.begin(), file.in_order.end()));
    EXPECT_LE(d.max,
              *std::max_element(file.in_order.begin(), file.in_order.end()) + nanoseconds(1));
    EXPECT_EQ(recorded("fio_lat.1.log", {"us", ""}).in_order.front(), microseconds(7'597'659));
    const latency_file reads = recorded("fio_lat.1.log", {"", "read"});
    const latency_file writes = recorded("fio_lat.1.log", {"", "write"});
    EXPECT_EQ(reads.samples + writes.samples, file.samples);
    EXPECT_EQ(refusal("1, 200, 0, 4096\n", {"", "write"}, error_kind::config),
              "column = \"write\": f (fio latency log) has only read");
    EXPECT_THAT(refusal("1, 200, 0, 4096\n2, 300, 7, 4096\n"),
                HasSubstr("f:2: is no row of a fio"));
    std::istringstream in("1, 200, 0, 4096\n");
    try {
        read_latency_file(in, "x_bw.1.log");
        FAIL() << "a log of bandwidths was read";
    } catch (const error& e) {
        EXPECT_THAT(e.what(), HasSubstr("by its name of no latencies"));
    }
}

TEST(sample_file, csv_has_counts_or_samples) {
    const std::string counts = "time,core1,core2\n0,0,0\n5,10,7\n6,3,0\n";
    const latency_file file = read(counts, {"us", ""});
    EXPECT_EQ(describe(file),
              "CSV histogram, counts of core1, core2 at time, 20 samples, 5us to 7us, in us");
    EXPECT_EQ(read(counts, {"us", "core2"}).samples, 7U);
    EXPECT_THAT(refusal(counts, {"us", "core3"}, error_kind::config),
                HasSubstr("unknown column 'core3': f (CSV histogram) has the columns \"core1\", "
                          "\"core2\""));
    EXPECT_THAT(refusal(counts, {}, error_kind::config),
                HasSubstr("needs unit: f (CSV histogram)"));

    const latency_file samples = read("latency_us\n5.25\n7\n5\n");
    EXPECT_EQ(samples.format, "CSV with samples");
    EXPECT_THAT(samples.in_order,
                ElementsAre(nanoseconds(5'250), microseconds(7), microseconds(5)));
    EXPECT_EQ(draws(samples).max, microseconds(7));
    // Two ascending columns are no histogram when the second is a latency by its name.
    const latency_file log = read("time_ms;latency (ns)\n0;5\n10;7\n20;9\n");
    EXPECT_THAT(log.in_order, ElementsAre(nanoseconds(5), nanoseconds(7), nanoseconds(9)));
    EXPECT_THAT(refusal("a_lat,b_lat\n5,1\n4,2\n", {"us", ""}, error_kind::config),
                HasSubstr("needs column: f (CSV with samples) has the columns \"a_lat\", "
                          "\"b_lat\""));
    EXPECT_THAT(read("a_lat,b_lat\n5,1\n4,2\n", {"us", "b_lat"}).in_order,
                ElementsAre(microseconds(1), microseconds(2)));
}

// A histogram with a flaw must not turn into one sample for each of its rows.
TEST(sample_file, csv_that_is_nearly_a_histogram_is_refused_with_what_is_wrong) {
    const auto what = [](const std::string& text) { return refusal(text, {}, error_kind::config); };
    EXPECT_EQ(what("latency_us,cpu0,cpu1\n1,5,2\n3,,1\n"),
              "needs column: f is no CSV histogram ('' in line 3 is no whole number); if "
              "\"latency_us\" has single samples, give it as column");
    EXPECT_THAT(what("latency_us,count\n12,5.0\n13,7.0\n"),
                HasSubstr("('5.0' in line 2 is no whole number)"));
    EXPECT_THAT(what("latency_us,count\n13,5\n12,7\n"),
                HasSubstr("('12' in line 3 is not above the row before)"));
    EXPECT_THAT(what("latency_us,percentile\n12,50\n13,90\n20,99\n"),
                HasSubstr("(column \"percentile\" has no counts by its name)"));
    EXPECT_THAT(read("latency_us,cpu\n12,0\n13,1\n", {"", "latency_us"}).in_order,
                ElementsAre(microseconds(12), microseconds(13)));
}

TEST(sample_file, csv_that_cannot_be_used_is_refused) {
    EXPECT_EQ(refusal("latency_us\n5\nx\n"),
              "f:3: 'x' is no latency from 0 to 2305843.009213693951s");
    EXPECT_EQ(refusal("latency_us\n5\n-1\n"),
              "f:3: '-1' is no latency from 0 to 2305843.009213693951s");
    EXPECT_EQ(refusal("time,core1\n5,1\n6\n", {"us", ""}), "f:3: 1 cell where the header has 2");
    EXPECT_EQ(refusal("time,core1\n5,0\n6,0\n", {"us", ""}),
              "f: every count is 0; record for longer");
    EXPECT_THAT(refusal("latency_us\n5\n", {"ns", ""}, error_kind::config),
                HasSubstr("unit = \"ns\" contradicts f (CSV with samples), which says that it is "
                          "in us"));
}

TEST(sample_file, lists_are_spans_or_numbers_of_a_unit) {
    const std::vector<sim_time> expected = {microseconds(182), nanoseconds(1500), sim_time()};
    EXPECT_EQ(read("# recorded\n182us\n\n  1.5 us  # slow\r\n0s").in_order, expected);
    EXPECT_EQ(read("182\n1.5\n0\n", {"us", ""}).in_order, expected);
    EXPECT_THAT(refusal("182us\n", {"us", ""}, error_kind::config),
                HasSubstr("unit = \"us\" does not apply to f (list of spans): each value names"));
    EXPECT_EQ(refusal("1us\n\n17\n").find("f:3: '17': a time needs a unit"), 0U);
}

std::string list_refusal(const std::string& text, const latency_choice& choice = {}) {
    std::istringstream in(text);
    try {
        read_latency_list(in, "l.txt", choice);
    } catch (const error& e) {
        return e.what();
    }
    return "";
}

TEST(sample_file, bad_lists_are_refused) {
    EXPECT_EQ(list_refusal("# nothing\n\n"),
              "l.txt: no values; give one span per line, such as 182us");
    EXPECT_EQ(list_refusal("17\n").find("l.txt:1: '17': a time needs a unit"), 0U);
    EXPECT_EQ(list_refusal("1us 2us\n").find("l.txt:1: '1us 2us': unknown unit"), 0U);
    EXPECT_EQ(list_refusal("1us\n-1us\n"),
              "l.txt:2: '-1us': a span is from 0 to 2305843.009213693951s");
    EXPECT_EQ(list_refusal("1000h\n"),
              "l.txt:1: '1000h': a span is from 0 to 2305843.009213693951s");
    EXPECT_EQ(list_refusal("# Histogram\n000001 000002\n"),
              "l.txt: is a cyclictest histogram: it has no order to be played in; use kind = "
              "\"histogram\"");
}

TEST(sample_file, conversions_are_exact) {
    EXPECT_THAT(read("x_ns\n0.001\n1.2344\n1.2346\n9007199254740.993\n").in_order,
                ElementsAre(picoseconds(1), picoseconds(1234), picoseconds(1235),
                            picoseconds(9'007'199'254'740'993)));
    EXPECT_EQ(read("x_s\n2305843.009213693951\n").in_order[0], longest_span);
    EXPECT_NE(refusal("x_s\n2305843.009213693952\n"), "");
}

}  // namespace
}  // namespace scmi_vp::traces
