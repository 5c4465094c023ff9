// SPDX-License-Identifier: Apache-2.0
// Each format with an output of the real tool, what is drawn from it, and what is refused.
#include "traces/latency_file.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/latency_file_testing.h"

namespace scmi_vp::traces {
namespace {

using namespace latency_testing;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(latency_file, cyclictest_as_it_is_on_a_terminal) {
    // cyclictest -h 80 -l 40 -i 1000 -t 2: status lines, cursor movements, the histogram.
    const latency_file file = recorded("cyclictest-without-q.txt");
    EXPECT_EQ(describe(file),
              "cyclictest histogram, 2 threads, 80 samples (46 beyond its end at 80us), 62us to "
              "25.99ms, in us");
    EXPECT_THAT(file.notes, IsEmpty());
    EXPECT_EQ(file.pooled.max, microseconds(25'988));
    const drawn d = draws(file);
    EXPECT_GE(d.min, microseconds(62));
    EXPECT_LE(d.max, microseconds(80));
    // (4395 + 5155) / 2, and half a microsecond for each of the two cuts.
    EXPECT_EQ(file.pooled.mean, microseconds(4776));
    EXPECT_NEAR(draws(file, histogram_overflow::fit).mean, 4776e6, 150e6);
}

TEST(latency_file, text_around_a_histogram_does_not_matter) {
    const std::string plain = "# Histogram\n000005 000002\n000006 000001\n# Total: 000000003\n";
    for (const std::string around :
         {"root@board:~# cyclictest -q -h 60 -l 3# /dev/cpu_dma_latency set to 0us\n",
          "running cmd: cyclictest -h 60 7 8\npolicy: fifo: loadavg: 0.1 0.2 0.3 1/90 900\n\n"
          "T: 0 (  900) P:90 I:1000 C:  10000 Min:      5 Act:   6 Avg:   6 Max:      33\n",
          "Max CPUs = 2\nThread 0 Interval: 1000\n       0:       0:     453\n",
          "\x1b[2J\x1b[4Apolicy: other\n", "\xef\xbb\xbf"}) {
        const latency_file file = read(around + plain + "logout, took 3 4 s\n");
        EXPECT_EQ(file.samples, 3U) << around;
        EXPECT_EQ(file.format, "cyclictest histogram");
    }
    std::string crlf;
    for (const char c : plain) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(read(crlf).samples, 3U);
}

TEST(latency_file, cyclictest_in_nanoseconds) {
    const latency_file file = recorded("cyclictest-ns.txt", {"ns", ""});
    EXPECT_EQ(describe(file).find("cyclictest histogram, 1 thread, 40 samples"), 0U);
    EXPECT_THAT(file.notes, IsEmpty());
    const drawn d = draws(file);
    EXPECT_GE(d.min, nanoseconds(63'693));
    EXPECT_LE(d.max, nanoseconds(90'000));

    const latency_file wrong = recorded("cyclictest-ns.txt");
    ASSERT_EQ(wrong.notes.size(), 1U);
    EXPECT_EQ(wrong.notes[0],
              "has no sample below 63.693ms: if it was recorded in nanoseconds (cyclictest "
              "-N), give unit = \"ns\"");
}

TEST(latency_file, cyclictest_json_names_its_unit) {
    const latency_file file = recorded("cyclictest.json");
    EXPECT_EQ(describe(file).find("cyclictest JSON, 2 threads, 64 samples ("), 0U);
    EXPECT_EQ(file.unit, "us");
    EXPECT_THAT(file.notes, IsEmpty());
    EXPECT_GT(file.pooled.overflows, 0U);
    EXPECT_TRUE(file.max_known);
    const latency_file ns = recorded("cyclictest-ns.json");
    EXPECT_EQ(ns.unit, "ns");
    EXPECT_GE(draws(ns).min, microseconds(50));
    EXPECT_LE(draws(ns).max, microseconds(150));
    EXPECT_EQ(recorded("cyclictest.json", {"us", ""}).samples, 64U);
    EXPECT_EQ(refusal(text_of("cyclictest.json"), {"ns", ""}, error_kind::config),
              "unit = \"ns\" contradicts f (cyclictest JSON), which says that it is in us");
}

TEST(latency_file, cyclictest_json_that_cannot_be_used_is_refused) {
    EXPECT_THAT(refusal("{ \"thread\": "), HasSubstr("f: begins like JSON, but: parse error"));
    EXPECT_EQ(refusal("{}"),
              "f: is JSON, but not what cyclictest --json writes: it has no "
              "\"thread\"");
    const std::string head = "{\"resolution_in_ns\": 0, \"thread\": {\"0\": ";
    EXPECT_THAT(refusal(head + "{\"histogram\": {}}}}"), HasSubstr("thread 0 has no histogram"));
    EXPECT_THAT(refusal(head + "{\"histogram\": {\"x\": 1}}}}"), HasSubstr("is no row"));
    EXPECT_THAT(refusal(head + "{\"histogram\": {\"1\": -1}}}}"), HasSubstr("is no row"));
    EXPECT_THAT(refusal(head + "{\"histogram\": {\"5\": 3}, \"cycles\": 2}}}"),
                HasSubstr("2 cycles but its rows add up to 3"));
    EXPECT_THAT(refusal(head + "{\"histogram\": {\"5\": 3}, \"max\": 4}}}"),
                HasSubstr("the maximum is 4us but there are counts at 5us"));
    EXPECT_THAT(refusal(head + "{\"histogram\": {\"5\": 0}}}}"), HasSubstr("every count is 0"));
    EXPECT_THAT(
        refusal("{\"thread\": {\"0\": {\"histogram\": {\"5\": 1}}}}", {}, error_kind::config),
        HasSubstr("needs unit: f (cyclictest JSON)"));
}

TEST(latency_file, cyclictest_samples_keep_their_order) {
    const latency_file file = recorded("cyclictest-samples.txt");
    EXPECT_EQ(describe(file).find("cyclictest samples, 2 threads, 40 samples, "), 0U);
    ASSERT_EQ(file.in_order.size(), 40U);
    const drawn d = draws(file);
    const auto [least, most] = std::minmax_element(file.in_order.begin(), file.in_order.end());
    EXPECT_GE(d.min, *least);
    EXPECT_LE(d.max, *most + microseconds(1));
    double sum = 0;
    for (const sim_time t : file.in_order) sum += double(t.ps);
    EXPECT_NEAR(d.mean, sum / 40, 0.05 * sum / 40);
}

// The example of the kernel's documentation (rtla-timerlat-hist.rst), one of its CPUs.
const std::string timerlat = text_of("timerlat.txt");

TEST(latency_file, rtla_timerlat_gives_two_hops) {
    const latency_file irq = read(timerlat, {"", "irq"}), thread = read(timerlat, {"", "thread"});
    EXPECT_EQ(describe(irq),
              "rtla timerlat histogram, IRQ of 1 CPU, 600 002 samples, 0s to 21us, in us");
    EXPECT_EQ(describe(thread),
              "rtla timerlat histogram, thread of 1 CPU, 600 002 samples, 1us to 46us, in us");
    EXPECT_THAT(irq.notes, IsEmpty());
    EXPECT_THAT(thread.notes, IsEmpty());
    EXPECT_NEAR(draws(irq).mean, 0.813e6, 0.03e6);  // by hand: rows 0.313 us, and half a row
    EXPECT_NEAR(draws(thread).mean, 5.105e6, 0.06e6);
    EXPECT_GE(draws(thread).min, microseconds(1));
    EXPECT_LE(draws(thread).max, microseconds(47));
    EXPECT_EQ(read(timerlat, {"us", "Thr-003"}).samples, 600'002U);
}

TEST(latency_file, rtla_needs_to_know_which_hop) {
    EXPECT_EQ(refusal(timerlat, {}, error_kind::config),
              "needs column: f (rtla timerlat histogram) has the kinds \"irq\", \"thread\", each a "
              "delay of its own; give one as column, or one column's name, such as \"Thr-003\"");
    EXPECT_THAT(refusal(timerlat, {"", "user"}, error_kind::config),
                HasSubstr("unknown column 'user': f"));
    EXPECT_THAT(refusal(timerlat, {"ns", "irq"}, error_kind::config),
                HasSubstr("contradicts f (rtla timerlat histogram), which says that it is in us"));
}

TEST(latency_file, rtla_that_was_cut_or_changed_is_refused) {
    const auto with = [](std::string from, const std::string& to) {
        std::string t = timerlat;
        return t.replace(t.find(from), from.size(), to);
    };
    const latency_choice irq{"", "irq"};
    EXPECT_EQ(refusal(timerlat.substr(0, timerlat.find("over:")), irq),
              "f: has no 'over:': it is cut");
    EXPECT_THAT(refusal(with("2         23311", "2         23310"), irq),
                HasSubstr("IRQ-003 has a count of 600002 but its rows add up to 600001"));
    EXPECT_THAT(refusal(with("83082     71078", "83082"), irq),
                HasSubstr("f:7: 1 counts for 2 columns"));
    EXPECT_THAT(refusal(with("83082     71078", "83082     x"), irq),
                HasSubstr("f:7: 'x' is not a count"));
    EXPECT_THAT(refusal(with("\n3  ", "\n2  "), irq), HasSubstr("f:9: index 2 after 2"));
    EXPECT_THAT(
        read(with("avg:          0         4", "avg:          0        40"), {"", "thread"}).notes,
        ElementsAre("contradicts itself: the rows of Thr-003 average 4.605us to 5.605us, "
                    "but the file says 40us"));
    EXPECT_THAT(read(with("max:         21", "max:         90"), irq).notes,
                ElementsAre("contradicts itself: the last count of IRQ-003 is at 21us, but its "
                            "maximum is 90us"));
    EXPECT_EQ(refusal("# RTLA osnoise histogram\n# Time unit is microseconds (us)\nIndex\nover: "
                      "0\ncount: 0\n"),
              "f: has no column: rtla saw no samples");
}

TEST(latency_file, rtla_osnoise_has_one_kind_and_buckets) {
    // rtla osnoise hist -b 10, made up in its layout (osnoise_hist.c): avg has two decimals.
    const latency_file file = read(
        "# RTLA osnoise histogram\n# Time unit is nanoseconds (ns)\n# Duration:   0 00:01:00\n"
        "Index   CPU-000   CPU-001\n0          4000      3000\n10         1000       900\n"
        "20           10         0\nover:         0         2\ncount:     5010      3902\n"
        "min:          1         1\navg:       6.52      7.10\nmax:         24       300\n");
    EXPECT_EQ(describe(file),
              "rtla osnoise histogram, noise of 2 CPUs, buckets of 10 ns, 8 912 samples (2 beyond "
              "its end at 30ns), 0s to 300ns, in ns");
    EXPECT_THAT(file.notes, IsEmpty());
    const drawn d = draws(file);
    EXPECT_LE(d.max, nanoseconds(30));
    EXPECT_NEAR(d.mean, 7'155, 100);
}

// HdrHistogram's outputPercentileDistribution of 25, 50 and 75 (from the tests of HdrHistogramJS).
const std::string percentiles =
    "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
    "      25.000 0.000000000000          1           1.00\n"
    "      25.000 0.300000000000          1           1.43\n"
    "      50.000 0.400000000000          2           1.67\n"
    "      50.000 0.650000000000          2           2.86\n"
    "      75.000 0.700000000000          3           3.33\n"
    "      75.000 1.000000000000          3\n"
    "#[Mean    =       50.000, StdDeviation   =       20.412]\n"
    "#[Max     =       75.000, Total count    =            3]\n"
    "#[Buckets =           43, SubBuckets     =         2048]\n";

TEST(latency_file, percentiles_are_steps) {
    const latency_file file = read(percentiles, {"us", ""});
    EXPECT_EQ(
        describe(file),
        "HdrHistogram percentiles, steps between percentiles, 3 samples, 25us to 75us, in us");
    EXPECT_THAT(file.notes, IsEmpty());
    const drawn d = draws(file);
    EXPECT_EQ(d.min, microseconds(25));
    EXPECT_LE(d.max, microseconds(75));
    EXPECT_NEAR(d.mean, (25e6 + 37.5e6 + 62.5e6) / 3, 0.5e6);
    EXPECT_EQ(draws(read(percentiles, {"ns", ""})).min, nanoseconds(25));

    std::string csv;  // the CSV form, and what wrk2 prints around the classic one
    csv =
        "\"Value\",\"Percentile\",\"TotalCount\",\"1/(1-Percentile)\"\n25.000,0.000000000000,1,"
        "1.00\n75.000,1.000000000000,3,Infinity\n";
    EXPECT_EQ(read(csv, {"ms", ""}).pooled.max, milliseconds(75));
    EXPECT_EQ(read("Running 2m test @ http://h\n  Detailed Percentile spectrum:\n" + percentiles +
                       "----\n  119714 requests in 1.00m\n",
                   {"ms", ""})
                  .samples,
              3U);
}

TEST(latency_file, percentiles_that_cannot_be_used_are_refused) {
    EXPECT_EQ(refusal(percentiles, {}, error_kind::config),
              "needs unit: f (HdrHistogram percentiles) does not name the unit of its numbers; "
              "give unit = \"ns\", \"us\", \"ms\" or \"s\"");
    EXPECT_EQ(refusal(percentiles.substr(0, percentiles.find("      75.000 1.0")), {"us", ""}),
              "f: does not go up to the percentile 1.0: it is cut");
    std::string fewer = percentiles;
    fewer.replace(fewer.find("            3]"), 14, "            4]");
    EXPECT_THAT(refusal(fewer, {"us", ""}),
                HasSubstr("the total count is 4 but the rows end at 3"));
    std::string back = percentiles;
    back.replace(back.find("50.000 0.65"), 6, "20.000");
    EXPECT_THAT(refusal(back, {"us", ""}), HasSubstr("f:6: values and counts ascend"));
    std::string mean = percentiles;
    mean.replace(mean.find("50.000, Std"), 6, "95.000");
    EXPECT_THAT(read(mean, {"us", ""}).notes,
                ElementsAre(HasSubstr("contradicts itself: the rows of the file average")));
    EXPECT_THAT(refusal(percentiles, {"us", "x"}, error_kind::config),
                HasSubstr("column = \"x\" does not apply to f"));
}

TEST(latency_file, bpftrace_histograms_are_chosen_by_their_map) {
    const latency_file ns = recorded("bpftrace.txt", {"ns", "@ns"});
    EXPECT_EQ(describe(ns).find("bpftrace histogram, @ns, 288 samples, 524.3us to "), 0U)
        << describe(ns);
    const drawn d = draws(ns);
    EXPECT_GE(d.min, nanoseconds(512 * 1024));
    EXPECT_LE(d.max, nanoseconds(8 * 1024 * 1024));
    const latency_file us = recorded("bpftrace.txt", {"us", "@us"});
    EXPECT_LE(draws(us).max, milliseconds(5));
    EXPECT_EQ(refusal(text_of("bpftrace.txt"), {"ns", ""}, error_kind::config),
              "needs column: f (bpftrace histogram) has \"@ns\", \"@us\"; give one as column");
    EXPECT_THAT(refusal(text_of("bpftrace.txt"), {"", "@ns"}, error_kind::config),
                HasSubstr("needs unit: f (bpftrace histogram)"));
    EXPECT_THAT(refusal(text_of("bpftrace.txt"), {"ns", "@x"}, error_kind::config),
                HasSubstr("unknown column '@x'"));
}

TEST(latency_file, bpftrace_ends_are_not_guessed) {
    const std::string bars = " |@@@@|\n";
    const latency_file open =
        read("@l[1, sh]: \n[0, 10)  3" + bars + "[10, 20)  1" + bars + "[100, ...)  2" + bars,
             {"us", ""});
    EXPECT_EQ(open.pooled.overflows, 2U);
    EXPECT_EQ(open.pooled.limit, microseconds(100));
    EXPECT_FALSE(open.max_known);
    EXPECT_THAT(refusal("@l:\n(..., 0)  1" + bars + "[0]  3" + bars, {"us", ""}),
                HasSubstr("f:2: 1 samples below the first bin"));
    EXPECT_EQ(
        read("@l:\n(..., 0)  0" + bars + "[0]  3" + bars + "[1]  1" + bars, {"us", ""}).samples,
        4U);
    EXPECT_THAT(refusal("@l:\n[4, 8)  1" + bars + "[2, 4)  3" + bars, {"us", ""}),
                HasSubstr("f:3: bins ascend"));
    EXPECT_THAT(refusal("@l:\n[4, 8)  1" + bars + "[8, x)  3" + bars, {"us", ""}),
                HasSubstr("f:3: is no bin"));
    EXPECT_THAT(refusal("@l:\n[4, 8)  1" + bars + "@l:\n[4, 8)  3" + bars, {"us", ""}),
                HasSubstr("f:3: a second @l"));
}

TEST(latency_file, bcc_histograms_name_their_unit) {
    const std::string one =
        "Tracing run queue latency... Hit Ctrl-C to end.\n^C\n"
        "     usecs               : count     distribution\n"
        "         0 -> 1          : 233      |***********                             |\n"
        "         2 -> 3          : 742      |************************************    |\n"
        "         4 -> 7          : 203      |**********                              |\n";
    const latency_file file = read(one);
    EXPECT_EQ(describe(file), "bcc histogram, histogram 1, 1 178 samples, 0s to 8us, in us");
    EXPECT_NEAR(draws(file).mean, (233 * 1e6 + 742 * 3e6 + 203 * 6e6) / 1178, 0.05e6);
    const std::string two = "disk = sda\n" + one.substr(one.find("     usecs")) + "disk = sdb\n" +
                            one.substr(one.find("     usecs"));
    EXPECT_EQ(read(two, {"", "disk = sdb"}).samples, 1178U);
    EXPECT_THAT(refusal(two, {}, error_kind::config), HasSubstr("\"disk = sda\", \"disk = sdb\""));
}

TEST(latency_file, anything_else_is_told_what_is_known) {
    for (const char* text : {"hello\nworld\n", "%PDF-1.4 \x01\x02\n", "0x1 0x2\n", "-5\n"}) {
        const std::string message = refusal(text);
        EXPECT_THAT(message, HasSubstr("f: is no file of latencies that is known. Known are: "));
        for (const latency_format& f : latency_formats()) EXPECT_THAT(message, HasSubstr(f.name));
    }
    EXPECT_THAT(refusal("stress-ng: info:  [14157] cyclic:   50.00%:      14495 ns\n"),
                HasSubstr("is the summary of stress-ng --cyclic"));
    EXPECT_THAT(refusal("hwlatdetect:  test duration 10 seconds\n"), HasSubstr("hwlatdetect"));
    EXPECT_THAT(refusal("T: 0 (14002) P: 0 I:1000 C:    300 Min:     66 Act:   69 Avg:  255 Max:  "
                        "  5095\n"),
                HasSubstr("is what cyclictest prints without a histogram"));
}

// A file that contradicts itself is read, and it is pointed out.
TEST(latency_file, contradictions_are_pointed_out) {
    const std::string rows = "# Histogram\n000005 000010\n000007 000010\n# Total: 000000020\n";
    EXPECT_THAT(read(rows + "# Avg Latencies: 00006\n# Max Latencies: 00007\n").notes, IsEmpty());
    EXPECT_THAT(read(rows + "# Avg Latencies: 00009\n").notes,
                ElementsAre("contradicts itself: the rows of thread 0 average 6us to 7us, but the "
                            "file says 9us"));
    EXPECT_THAT(read(rows + "# Max Latencies: 00050\n").notes,
                ElementsAre("contradicts itself: the last count of thread 0 is at 7us, but its "
                            "maximum is 50us"));
    EXPECT_THAT(read(rows + "# Min Latencies: 00001\n").notes,
                ElementsAre(HasSubstr("but its minimum is 1us")));
    // 20 samples average 6 us and 20 are beyond 8 us: all 40 cannot average 5.
    EXPECT_THAT(read(rows + "# Avg Latencies: 00005\n# Max Latencies: 00050\n"
                            "# Histogram Overflows: 00020\n")
                    .notes,
                ElementsAre(HasSubstr("the 20 overflows of thread 0 would average")));
}

// Nothing that was damaged on the way crashes the reader or hangs it: it reads it or says one
// thing.
TEST(latency_file, damaged_files_are_read_or_refused) {
    std::vector<std::pair<std::string, latency_choice>> samples = {
        {timerlat, {"", "irq"}},
        {percentiles, {"us", ""}},
        {"time,core1,core2\n0,0,0\n5,10,7\n6,3,0\n", {"us", ""}},
        {"latency_us\n5.25\n7\n", {}},
        {"182us\n1.5 us\n0s\n", {}}};
    for (const char* name : {"cyclictest-without-q.txt", "cyclictest-ns.txt", "cyclictest.json",
                             "cyclictest-samples.txt", "fio_lat.1.log"}) {
        samples.push_back({text_of(name), {}});
    }
    samples.push_back({text_of("bpftrace.txt"), {"ns", "@ns"}});
    random_stream dice(7, "latency_file", "damage");
    const std::string bytes("\0\n\r\x1b[:|,.#{}\"-90 \xff", 19);
    std::uint64_t at = 0;
    const auto roll = [&](std::uint64_t n) { return dice.bits(at++) % n; };
    unsigned good = 0, bad = 0;
    for (const auto& [text, choice] : samples) {
        for (int i = 0; i < 120; ++i) {
            std::string t = text;
            if (i % 3 == 0) t.resize(roll(t.size()));
            for (std::uint64_t k = roll(4) + (i % 3 ? 1 : 0); k > 0 && !t.empty(); --k) {
                t[roll(t.size())] = bytes[roll(bytes.size())];
            }
            try {
                const latency_file file = read(t, choice);
                EXPECT_GT(file.samples, 0U);
                if (file.max_known) make_histogram(file.pooled, histogram_overflow::at_max);
                ++good;
            } catch (const error& e) {
                EXPECT_NE(std::string(e.what()), "");
                ++bad;
            }
        }
    }
    EXPECT_GT(good, 100U);
    EXPECT_GT(bad, 100U);
}

}  // namespace
}  // namespace scmi_vp::traces
