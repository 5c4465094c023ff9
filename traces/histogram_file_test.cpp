// SPDX-License-Identifier: Apache-2.0
// cyclictest's histogram format as rt-tests' print_hist writes it, and lists of spans.
#include "traces/histogram_file.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

cyclictest_file read(const std::string& text) {
    std::istringstream in(text);
    return read_cyclictest(in, "h.txt");
}

// The message of the error; "" without one.
template <class F>
std::string refusal(const F& f) {
    try {
        f();
    } catch (const error& e) {
        return e.kind() == error_kind::input ? e.what() : std::string("wrong kind: ") + e.what();
    }
    return "";
}

// Made up, in the layout of `cyclictest -t2 -q -h 6`.
const std::string head =
    "# /dev/cpu_dma_latency set to 0us\n"
    "# Histogram\n";
const std::string rows =
    "000000 000000\t000000\n"
    "000001 000004\t000000\n"
    "000002 000001\t000002\n"
    "000003 000000\t000000\n"
    "000004 000000\t000003\n"
    "000005 000000\t000000\n";
const std::string tail =
    "# Total: 000000005 000000005\n"
    "# Min Latencies: 00001 00002\n"
    "# Avg Latencies: 00001 00003\n"
    "# Max Latencies: 00002 00035\n"
    "# Histogram Overflows: 00000 00002\n"
    "# Histogram Overflow at cycle number:\n"
    "# Thread 0:\n"
    "# Thread 1: 00007 00009\n";

TEST(cyclictest, columns_are_pooled) {
    const cyclictest_file file = read(head + rows + tail);
    EXPECT_EQ(file.columns, 2U);
    EXPECT_EQ(file.samples, 10U);
    EXPECT_EQ(file.overflows, 2U);
    const histogram& h = file.pooled;
    EXPECT_EQ(h.width, microseconds(1));
    EXPECT_EQ(h.overflows, 2U);
    EXPECT_EQ(h.max, microseconds(35));
    EXPECT_EQ(h.limit, microseconds(6));
    ASSERT_EQ(h.bins.size(), 3U);
    EXPECT_EQ(h.bins[0].low, microseconds(1));
    EXPECT_EQ(h.bins[0].count, 4U);
    EXPECT_EQ(h.bins[1].low, microseconds(2));
    EXPECT_EQ(h.bins[1].count, 3U);
    EXPECT_EQ(h.bins[2].low, microseconds(4));
    EXPECT_EQ(h.bins[2].count, 3U);
}

TEST(cyclictest, file_makes_a_distribution) {
    const histogram h = read(head + rows + tail).pooled;
    const distribution_ptr d = make_histogram(h, histogram_overflow::uniform);
    EXPECT_EQ(d->quantile(2.0 / 12), nanoseconds(1500));
    EXPECT_EQ(d->quantile(11.0 / 12), nanoseconds(20'500));  // half way from 6 us to 35 us
    EXPECT_EQ(make_histogram(h, histogram_overflow::at_max)->quantile(0.9), microseconds(35));
}

// cyclictest -H prints one more column with the sum of the threads, in all lines but Min and Avg.
TEST(cyclictest, column_of_sums_is_not_counted_twice) {
    const cyclictest_file file = read(
        "# Histogram\n"
        "000000 000001\t000000\t000001\n"
        "000001 000002\t000003\t000005\n"
        "# Total: 000000003 000000003 000000006\n"
        "# Min Latencies: 00000 00001\n"
        "# Avg Latencies: 00000 00001\n"
        "# Max Latencies: 00001 00009 00009\n"
        "# Histogram Overflows: 00000 00001 00001\n");
    EXPECT_EQ(file.columns, 2U);
    EXPECT_EQ(file.samples, 6U);
    EXPECT_EQ(file.overflows, 1U);
    EXPECT_EQ(file.pooled.bins[1].count, 5U);
    EXPECT_EQ(file.pooled.max, microseconds(9));
}

TEST(cyclictest, one_column_blanks_and_crlf_are_read) {
    const cyclictest_file file =
        read("# Histogram\r\n000007 12\r\n\r\n  000009   3  \r\n# Total: 15\r\n");
    EXPECT_EQ(file.columns, 1U);
    EXPECT_EQ(file.samples, 15U);
    ASSERT_EQ(file.pooled.bins.size(), 2U);
    EXPECT_EQ(file.pooled.bins[1].low, microseconds(9));
}

// histogram.max: "if known, else the end of the last bin".
TEST(cyclictest, without_a_maximum_the_last_bin_ends_it) {
    const cyclictest_file file = read(rows);
    EXPECT_EQ(file.pooled.max, microseconds(5));
    EXPECT_EQ(file.pooled.limit, microseconds(6));
    EXPECT_EQ(file.overflows, 0U);
}

TEST(cyclictest, last_line_may_lack_its_newline) {
    EXPECT_EQ(read("000001 000004").samples, 4U);
}

TEST(cyclictest, bad_files_are_refused_with_the_line) {
    const std::string none = "# Histogram\n";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "h.txt: no histogram; record one with cyclictest -q -h 20000"},
        {head + tail, "h.txt: no histogram"},
        {"000000 000000\n000001 000000\n", "h.txt: every count is 0"},
        {head + "000001 1\t2\n000002 3\n", "h.txt:4: 1 counts where the rows before have 2"},
        {head + "000001 1\t2\n000002 3 4 5\n", "h.txt:4: 3 counts where the rows before have 2"},
        {head + "000001\n", "h.txt:3: a row without a count"},
        {head + "T: 0 ( 2013) P:80 I:200\n", "h.txt:3: 'T:' is not a count"},
        {none + "000001 1.5\n", "h.txt:2: '1.5' is not a count"},
        {none + "000001 -1\n", "h.txt:2: '-1' is not a count"},
        {none + "000001 0x1\n", "h.txt:2: '0x1' is not a count"},
        {none + "000001 99999999999999999999\n", "h.txt:2: '99999999999999999999' is not a count"},
        {none + "000001 18446744073709551615\t1\n", "h.txt:2: the counts overflow 64 bits"},
        {none + "000002 1\n000002 1\n", "h.txt:3: latency 2 after 2; rows ascend"},
        {none + "99999999999999 1\n", "h.txt:2: a latency of 99999999999999 us is above"},
        {rows + tail + tail, "h.txt:15: a second '# Total:' (the first is in line 7)"},
        {rows + "# Max Latencies: 00035\n", "h.txt:7: 1 numbers where the rows have 2 counts"},
        {rows + "# Max Latencies: 00002 none\n", "h.txt:7: 'none' is not a count"},
        {rows + "# Avg Latencies: 00002\n", "h.txt:7: 1 numbers where the rows have 2 counts"},
        {rows + "# Max Latencies: 00002 00003\n",
         "h.txt:7: the maximum is 3 us but there are counts at 4 us"},
        {rows + "# Max Latencies: 00002 99999999999999\n", "h.txt:7: a maximum of 99999999999999"},
        {rows + "# Histogram Overflows: 00000 00002\n",
         "h.txt:7: 2 overflows, but no '# Max Latencies:' of 6us or more"},
    };
    for (const auto& [text, expected] : cases) {
        const std::string message = refusal([t = text] { read(t); });
        EXPECT_EQ(message.substr(0, expected.size()), expected) << text;
    }
}

// A copy that lost rows would silently have another tail: "Total" tells.
TEST(cyclictest, missing_rows_are_noticed) {
    const std::string cut = rows.substr(rows.find("000002"));
    EXPECT_EQ(refusal([&] { read(head + cut + tail); }),
              "h.txt:7: thread 0 has a total of 5 but its rows add up to 1; rows are missing or "
              "were changed");
}

TEST(cyclictest, failing_stream_is_an_error) {
    std::istringstream in(rows);
    in.exceptions(std::ios::goodbit);
    in.setstate(std::ios::badbit);
    EXPECT_EQ(refusal([&] { read_cyclictest(in, "h.txt"); }), "h.txt: reading failed");
    EXPECT_EQ(refusal([&] { read_time_list(in, "l.txt"); }), "l.txt: reading failed");
}

std::vector<sim_time> list(const std::string& text) {
    std::istringstream in(text);
    return read_time_list(in, "l.txt");
}

TEST(time_list, is_one_span_per_line) {
    const std::vector<sim_time> expected = {microseconds(182), nanoseconds(1500), sim_time()};
    EXPECT_EQ(list("# recorded\n182us\n\n  1.5 us  # slow\r\n0s"), expected);
}

TEST(time_list, bad_lines_are_refused) {
    EXPECT_EQ(refusal([] { list("# nothing\n\n"); }),
              "l.txt: no values; give one span per line, such as 182us");
    EXPECT_EQ(refusal([] { list("1us\n\n17\n"); }).find("l.txt:3: '17': a time needs a unit"), 0U);
    EXPECT_EQ(refusal([] { list("1us 2us\n"); }).find("l.txt:1: '1us 2us': unknown unit"), 0U);
    EXPECT_EQ(refusal([] { list("1us\n-1us\n"); }),
              "l.txt:2: '-1us': a span is from 0 to 2305843.009213693951s");
    EXPECT_EQ(refusal([] { list("1000h\n"); }),
              "l.txt:1: '1000h': a span is from 0 to 2305843.009213693951s");
}

}  // namespace
}  // namespace scmi_vp::traces
