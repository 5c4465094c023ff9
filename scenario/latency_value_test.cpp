// SPDX-License-Identifier: Apache-2.0
// Latencies as scenarios write them: each kind, its files, its errors.
#include "scenario/latency_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing::HasSubstr;
using testing_tools::scenario_error;
using testing_tools::scratch_folder;

distribution_ptr service_of(const std::string& latency, const std::string& name = "s.toml") {
    return parse_scenario("[hops]\nservice = " + latency + "\n", name)
        .system.hops[std::size_t(hop::service)];
}

std::string error_with(const std::string& latency) {
    return scenario_error("[hops]\nservice = " + latency + "\n");
}

// What `scmi-vp list distributions` shows must work.
TEST(latency_value, every_example_loads_and_names_its_parameters) {
    const scratch_folder folder;
    folder.write("cyclictest.txt", "# Histogram\n000000 000000\n000001 000005\n# Total: 5\n");
    for (const latency_kind& k : latency_kinds()) {
        EXPECT_NE(service_of(k.example, (folder.path() / "s.toml").string()), nullptr) << k.name;
        for (const latency_parameter& p : k.parameters) {
            if (p.default_text != "(required)") continue;
            EXPECT_THAT(k.example, HasSubstr(p.name + " = ")) << k.name;
        }
    }
}

// Quantiles by hand: which maker a kind calls, with which parameters.
TEST(latency_value, kinds_are_what_they_say) {
    EXPECT_EQ(*service_of("\"50us\"")->constant(), microseconds(50));
    EXPECT_EQ(service_of(R"({ kind = "uniform", low = "10us", high = "30us" })")->quantile(0.25),
              microseconds(15));
    EXPECT_EQ(service_of(R"({ kind = "normal", mean = "50us", sd = "1ns" })")->quantile(0.5),
              microseconds(50));
    EXPECT_EQ(service_of(R"({ kind = "lognormal", median = "50us", sigma = 2 })")->quantile(0.5),
              microseconds(50));
    // -mean * ln(1 - u) at u = 1 - 1/e
    EXPECT_NEAR(double(service_of(R"({ kind = "exponential", mean = "1ms" })")
                           ->quantile(0.63212055882855767)
                           .ps),
                1e9, 1.0);
    // Gamma of shape 1 and Weibull of shape 1 are exponential.
    EXPECT_NEAR(double(service_of(R"({ kind = "gamma", shape = 1, mean = "1ms" })")
                           ->quantile(0.63212055882855767)
                           .ps),
                1e9, 10.0);
    EXPECT_NEAR(double(service_of(R"({ kind = "weibull", shape = 1, scale = "1ms" })")
                           ->quantile(0.63212055882855767)
                           .ps),
                1e9, 10.0);
    // minimum * (1 - u)^(-1/shape)
    EXPECT_NEAR(
        double(service_of(R"({ kind = "pareto", shape = 2, minimum = "1ms" })")->quantile(0.75).ps),
        2e9, 10.0);
}

TEST(latency_value, mixtures_nest) {
    const auto d = service_of(R"({ kind = "mixture", parts = [
        { weight = 3, latency = "1us" },
        { weight = 1, latency = { kind = "mixture", parts = [ { weight = 1, latency = "9us" } ] } },
    ] })");
    EXPECT_EQ(d->quantile(0.7), microseconds(1));
    EXPECT_EQ(d->quantile(0.8), microseconds(9));
}

TEST(latency_value, a_histogram_is_cyclictests_output_as_it_is) {
    const scratch_folder folder;
    folder.write("h.txt",
                 "# /dev/cpu_dma_latency set to 0us\n# Histogram\n000000 000000\t000000\n"
                 "000001 000003\t000001\n# Total: 000000003 000000001\n# Min Latencies: 00001 "
                 "00001\n# Avg Latencies: 00001 00001\n# Max Latencies: 00001 00001\n"
                 "# Histogram Overflows: 00000 00000\n");
    const std::string name = (folder.path() / "s.toml").string();
    const auto d = service_of(R"({ kind = "histogram", file = "h.txt" })", name);
    EXPECT_GT(d->quantile(0.001), picoseconds(999'999));
    EXPECT_LE(d->quantile(0.999), microseconds(2));
}

// A recording most of which is beyond its histogram, with the average that it had.
const char* const small_histogram =
    "# /dev/cpu_dma_latency set to 0us\n# Histogram\n000009 000001\n000019 000000\n"
    "# Total: 000000001\n# Min Latencies: 00009\n# Avg Latencies: 00110\n# Max Latencies: "
    "08629\n# Histogram Overflows: 02999\n";

scenario with_host_wake(const scratch_folder& folder, const std::string& latency) {
    return parse_scenario("[hops]\nhost_wake = " + latency + "\n",
                          (folder.path() / "s.toml").string());
}

TEST(latency_value, an_assumption_against_the_files_average_is_said) {
    const scratch_folder folder;
    folder.write("h.txt", small_histogram);
    const auto notes = [&](const std::string& overflow) {
        const scenario s = with_host_wake(
            folder, "{ kind = \"histogram\", file = \"h.txt\", overflow = \"" + overflow + "\" }");
        EXPECT_EQ(s.latency_sources.size(), 1u);
        EXPECT_EQ(s.latency_sources[0].key, "hops.host_wake");
        EXPECT_THAT(s.latency_sources[0].text,
                    HasSubstr("h.txt: cyclictest histogram, 1 thread, 3 000 samples (2999 beyond "
                              "its end at 20us), 9us to 8.629ms, in us"));
        std::string all;
        for (const std::string& n : s.latency_sources[0].notes) all += n + "\n";
        return all;
    };
    EXPECT_THAT(notes("at_max"),
                HasSubstr("h.txt has an average of 110us, but with overflow = \"at_max\" the mean "
                          "is 8.626ms: it cannot be so; overflow = \"fit\" keeps the file's "
                          "average\n"));
    EXPECT_THAT(notes("uniform"), HasSubstr("the mean is 4.323ms"));
    EXPECT_THAT(notes("drop"), HasSubstr("the mean is 9.5us"));
    EXPECT_EQ(notes("fit"), "");
    const auto d =
        with_host_wake(folder, R"({ kind = "histogram", file = "h.txt", overflow = "fit" })")
            .system.hops[std::size_t(hop::host_wake)];
    double mean = 0;
    for (int i = 0; i < 3000; ++i) mean += double(d->quantile((i + 0.5) / 3000).ps) / 3000;
    EXPECT_NEAR(mean, 111e6, 2e6);
}

TEST(latency_value, a_file_of_two_hops_gives_each_its_column) {
    const scratch_folder folder;
    folder.write("t.txt",
                 "# RTLA timerlat histogram\n# Time unit is microseconds (us)\n# Duration:   0 "
                 "00:00:10\nIndex   IRQ-000   Thr-000   IRQ-001   Thr-001\n"
                 "0          9000         0      9100         0\n"
                 "1           990      8800       890      8700\n"
                 "2            10      1190        10      1290\n"
                 "over:         0         0         0         0\n"
                 "count:    10000      9990     10000      9990\n"
                 "min:          0         1         0         1\n"
                 "avg:          0         1         0         1\n"
                 "max:          2         2         2         2\n");
    const scenario s = parse_scenario(
        "[hops]\ninterrupt = { kind = \"histogram\", file = \"t.txt\", column = \"irq\" }\n"
        "guest_wake = { kind = \"histogram\", file = \"t.txt\", column = \"thread\" }\n",
        (folder.path() / "s.toml").string());
    EXPECT_LE(s.system.hops[std::size_t(hop::interrupt)]->quantile(0.9), microseconds(1));
    EXPECT_GE(s.system.hops[std::size_t(hop::guest_wake)]->quantile(0.01), microseconds(1));
    ASSERT_EQ(s.latency_sources.size(), 2u);
    EXPECT_THAT(s.latency_sources[1].text,
                HasSubstr("thread of 2 CPUs, 19 980 samples, 1us to 2us"));
    try {
        with_host_wake(folder, R"({ kind = "histogram", file = "t.txt" })");
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::config);
        EXPECT_THAT(e.what(), HasSubstr("s.toml:2:13: hops.host_wake: needs column: "));
        EXPECT_THAT(e.what(), HasSubstr("has the kinds \"irq\", \"thread\""));
    }
}

TEST(latency_value, keys_of_files_are_refused_where_they_do_not_apply) {
    const scratch_folder folder;
    folder.write("h.txt", "# Histogram\n000009 000001\n# Total: 1\n");
    folder.write("l.hgrm",
                 "Value Percentile TotalCount 1/(1-Percentile)\n5.0 0.0 1 1.0\n7.0 1.0 2\n");
    folder.write("open.txt", "@l:\n[0, 10)  3 |@|\n[10, ...)  2 |@|\n");
    folder.write("fio.log", "1, 300, 0, 4096\n2, 100, 0, 4096\n");
    const auto refused = [&](const std::string& latency) {
        try {
            with_host_wake(folder, latency);
        } catch (const error& e) {
            return std::string(e.what());
        }
        return std::string("read");
    };
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "h.txt", column = "irq" })"),
                HasSubstr("s.toml:2:13: hops.host_wake: column = \"irq\" does not apply to "));
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "h.txt", unit = "min" })"),
                HasSubstr("hops.host_wake.unit: unknown value 'min': one of ns, us, ms, s"));
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "l.hgrm" })"),
                HasSubstr("hops.host_wake: needs unit: "));
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "l.hgrm", unit = "us" })"), "read");
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "open.txt", unit = "us" })"),
                HasSubstr("open.txt: 2 samples are beyond 10us and nothing says how long"));
    EXPECT_THAT(
        refused(R"({ kind = "histogram", file = "open.txt", unit = "us", overflow = "drop" })"),
        "read");
    EXPECT_THAT(refused(R"({ kind = "histogram", file = "h.txt", overflow = "fit" })"), "read");
    EXPECT_THAT(refused(R"({ kind = "recorded", file = "h.txt" })"),
                HasSubstr("is a cyclictest histogram: it has no order to be played in"));
    EXPECT_THAT(refused(R"({ kind = "recorded", values = ["1us"], unit = "us" })"),
                HasSubstr("hops.host_wake.unit: belongs to a file"));
    const auto played = with_host_wake(folder, R"({ kind = "recorded", file = "fio.log" })")
                            .system.hops[std::size_t(hop::host_wake)];
    random_stream stream(1, "a", "b");
    EXPECT_EQ(played->sample(stream), nanoseconds(300));
    EXPECT_EQ(played->sample(stream), nanoseconds(100));
}

TEST(latency_value, a_histogram_without_counts_is_refused) {
    const scratch_folder folder;
    folder.write("h.txt", "# Histogram\n000000 000000\n000001 000000\n# Total: 000000000\n");
    const auto path =
        folder.write("s.toml", "[hops]\nservice = { kind = \"histogram\", file = \"h.txt\" }\n");
    try {
        read_scenario(path, {});
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        EXPECT_THAT(e.what(), HasSubstr((folder.path() / "h.txt").string() + ":"));
    }
}

TEST(latency_value, a_recorded_list_is_played_in_order) {
    const scratch_folder folder;
    folder.write("t.txt", "# two\n3us\n\n1ms\n");
    const std::string name = (folder.path() / "s.toml").string();
    random_stream stream(1, "a", "b");
    const auto again = service_of(R"({ kind = "recorded", file = "t.txt" })", name);
    EXPECT_EQ(again->sample(stream), microseconds(3));
    EXPECT_EQ(again->sample(stream), milliseconds(1));
    EXPECT_EQ(again->sample(stream), microseconds(3));
    random_stream other(1, "a", "b");
    const auto once =
        service_of(R"({ kind = "recorded", values = ["3us", "1ms"], repeat = false })");
    EXPECT_EQ(once->sample(other), microseconds(3));
    EXPECT_EQ(once->sample(other), milliseconds(1));
    EXPECT_EQ(once->sample(other), milliseconds(1));
}

TEST(latency_value, errors_have_a_place) {
    EXPECT_EQ(error_with("50"),
              "s.toml:2:11: hops.service: 50 has no unit: write a time like \"30ms\" (ps, ns, us, "
              "ms, s, min, h)");
    EXPECT_EQ(error_with("true"),
              "s.toml:2:11: hops.service: true is not a latency: a time like \"50us\", or a table "
              "{ kind = ... }");
    EXPECT_EQ(error_with("\"-1us\""), "s.toml:2:11: hops.service: -1us is out of range: 0s..");
    EXPECT_EQ(error_with("{ mean = \"1us\" }"),
              "s.toml:2:11: hops.service: has no kind: one of constant, uniform, normal, "
              "lognormal, exponential, gamma, weibull, pareto, mixture, histogram, recorded");
    EXPECT_EQ(error_with("{ kind = \"gama\" }"),
              "s.toml:2:20: hops.service.kind: unknown value 'gama', did you mean gamma?");
    EXPECT_EQ(error_with("{ kind = \"gamma\", shpe = 1 }"),
              "s.toml:2:29: unknown key hops.service.shpe, did you mean shape?");
    EXPECT_EQ(error_with("{ kind = \"gamma\", shape = 1 }"),
              "s.toml:2:11: hops.service: gamma needs mean: { kind = \"gamma\", shape = 4, mean = "
              "\"50us\" }");
    EXPECT_EQ(error_with("{ kind = \"gamma\", shape = \"x\", mean = \"1us\" }"),
              "s.toml:2:37: hops.service.shape: 'x' is not a number");
    EXPECT_THAT(error_with("{ kind = \"gamma\", shape = 0, mean = \"1us\" }"),
                HasSubstr("s.toml:2:11: hops.service: gamma: shape "));
    EXPECT_THAT(error_with("{ kind = \"uniform\", low = \"2us\", high = \"1us\" }"),
                HasSubstr("s.toml:2:11: hops.service: uniform: "));
    EXPECT_EQ(error_with("{ kind = \"recorded\" }"),
              "s.toml:2:11: hops.service: give either file or values");
    EXPECT_THAT(error_with("{ kind = \"recorded\", values = [] }"), HasSubstr("s.toml:2:11: "));
    EXPECT_EQ(error_with("{ kind = \"recorded\", values = [\"1us\", 2] }"),
              "s.toml:2:49: hops.service.values.1: 2 has no unit: write a time like \"30ms\" (ps, "
              "ns, us, ms, s, min, h)");
    EXPECT_EQ(error_with("{ kind = \"histogram\", file = \"no.txt\" }"),
              "s.toml:2:40: hops.service.file: cannot read no.txt (No such file or directory); "
              "paths are relative to the file that names them");
}

TEST(latency_value, errors_of_a_mixture_name_the_part) {
    EXPECT_EQ(error_with("{ kind = \"mixture\", parts = [ { weight = 1 } ] }"),
              "s.toml:2:41: hops.service.parts.0: has no latency");
    EXPECT_EQ(error_with("{ kind = \"mixture\", parts = [ { latency = \"1us\" } ] }"),
              "s.toml:2:41: hops.service.parts.0: has no weight");
    EXPECT_EQ(error_with("{ kind = \"mixture\", parts = [ { weight = 1, latncy = \"1us\" } ] }"),
              "s.toml:2:64: hops.service.parts.0.latncy: unknown key, did you mean latency?");
    EXPECT_EQ(error_with("{ kind = \"mixture\", parts = [ 1 ] }"),
              "s.toml:2:41: hops.service.parts.0: 1 is not a table { weight = 1, latency = "
              "\"50us\" }");
    EXPECT_THAT(error_with("{ kind = \"mixture\", parts = [] }"), HasSubstr("s.toml:2:11: "));
    EXPECT_THAT(
        error_with("{ kind = \"mixture\", parts = [ { weight = -1, latency = \"1us\" } ] }"),
        HasSubstr("s.toml:2:11: hops.service: mixture: "));
}

}  // namespace
}  // namespace scmi_vp::scenario
