// SPDX-License-Identifier: Apache-2.0
// cyclictest's histogram format as rt-tests' print_hist writes it.
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "traces/latency_file.h"

namespace scmi_vp::traces {
namespace {

latency_file read(const std::string& text, const latency_choice& choice = {}) {
    std::istringstream in(text);
    return read_latency_file(in, "h.txt", choice);
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
    const latency_file file = read(head + rows + tail);
    EXPECT_EQ(file.format, "cyclictest histogram");
    EXPECT_EQ(file.parts, "2 threads");
    EXPECT_EQ(file.unit, "us");
    EXPECT_EQ(file.samples, 12U);
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
    const latency_file file = read(
        "# Histogram\n"
        "000000 000001\t000000\t000001\n"
        "000001 000002\t000003\t000005\n"
        "# Total: 000000003 000000003 000000006\n"
        "# Min Latencies: 00000 00001\n"
        "# Avg Latencies: 00000 00001\n"
        "# Max Latencies: 00001 00009 00009\n"
        "# Histogram Overflows: 00000 00001 00001\n");
    EXPECT_EQ(file.parts, "2 threads");
    EXPECT_EQ(file.samples, 7U);
    EXPECT_EQ(file.pooled.overflows, 1U);
    EXPECT_EQ(file.pooled.bins[1].count, 5U);
    EXPECT_EQ(file.pooled.max, microseconds(9));
}

TEST(cyclictest, one_column_blanks_and_crlf_are_read) {
    const latency_file file =
        read("# Histogram\r\n000007 12\r\n\r\n  000009   3  \r\n# Total: 15\r\n");
    EXPECT_EQ(file.parts, "1 thread");
    EXPECT_EQ(file.samples, 15U);
    ASSERT_EQ(file.pooled.bins.size(), 2U);
    EXPECT_EQ(file.pooled.bins[1].low, microseconds(9));
}

// histogram.max: "if known, else the end of the last bin".
TEST(cyclictest, without_a_maximum_the_last_bin_ends_it) {
    const latency_file file = read(rows);
    EXPECT_EQ(file.pooled.max, microseconds(5));
    EXPECT_EQ(file.pooled.limit, microseconds(6));
    EXPECT_EQ(file.pooled.overflows, 0U);
}

TEST(cyclictest, last_line_may_lack_its_newline) {
    EXPECT_EQ(read("000001 000004").samples, 4U);
}

TEST(cyclictest, bad_files_are_refused_with_the_line) {
    const std::string none = "# Histogram\n";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "h.txt: is empty"},
        {" \n\r\n", "h.txt: is empty"},
        {head + tail, "h.txt: no histogram"},
        {"000000 000000\n000001 000000\n", "h.txt: every count is 0"},
        {head + "000001 1\t2\n000002 3\n", "h.txt:4: 1 counts where the rows before have 2"},
        {head + "000001 1\t2\n000002 3 4 5\n", "h.txt:4: 3 counts where the rows before have 2"},
        {head + "000001\n", "h.txt:3: a row without a count"},
        {head + "Trace: 0 ( 2013)\n", "h.txt:3: 'Trace:' is not a count"},
        {head + rows + tail + head + rows + tail, "h.txt:18: a second '# Histogram'"},
        {rows + tail + "000006 1 1\n", "h.txt:15: a row after the totals"},
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
         "h.txt:7: the maximum is 3us but there are counts at 4us"},
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
    EXPECT_EQ(refusal([&] { read_latency_file(in, "h.txt"); }), "h.txt: reading failed");
}

}  // namespace
}  // namespace scmi_vp::traces
