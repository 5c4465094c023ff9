// SPDX-License-Identifier: Apache-2.0
// Histograms: uniform inside a bin, the overflow policies, refusals.
#include <vector>

#include <gtest/gtest.h>

#include "base/distribution.h"
#include "base/distribution_testing.h"

namespace scmi_vp {
namespace {

using testing_tools::draw;
using testing_tools::ks_distance;
using testing_tools::mean_of;
using testing_tools::message_of;

// Made up: 8 samples, 2 overflows beyond 100 us of which the longest took 500 us.
histogram example() {
    return {microseconds(1),
            {{microseconds(10), 4}, {microseconds(12), 1}, {microseconds(40), 3}},
            2,
            microseconds(500),
            microseconds(100)};
}

TEST(histogram_distribution, is_uniform_inside_a_bin) {
    const distribution_ptr d = make_histogram(example(), histogram_overflow::drop);
    EXPECT_EQ(d->describe(), "histogram(8 samples in bins of 1us, 2 overflows dropped)");
    EXPECT_EQ(d->quantile(0.125), nanoseconds(10'250));
    EXPECT_EQ(d->quantile(0.25), nanoseconds(10'500));
    EXPECT_EQ(d->quantile(0.5625), nanoseconds(12'500));
    EXPECT_EQ(d->quantile(0.8125), nanoseconds(40'500));
    EXPECT_EQ(d->quantile(0x1.fffffffffffffp-1), microseconds(41));
    EXPECT_EQ(d->constant(), nullptr);

    EXPECT_EQ(d->cdf(nanoseconds(9'999)), 0);
    EXPECT_NEAR(d->cdf(nanoseconds(10'500)), 0.25, 1e-6);
    EXPECT_EQ(d->cdf(microseconds(11)), 0.5);
    EXPECT_EQ(d->cdf(nanoseconds(11'900)), 0.5);
    EXPECT_EQ(d->cdf(microseconds(20)), 0.625);
    EXPECT_EQ(d->cdf(microseconds(41)), 1);
}

TEST(histogram_distribution, gives_overflows_the_recorded_maximum) {
    const distribution_ptr d = make_histogram(example(), histogram_overflow::at_max);
    EXPECT_EQ(d->describe(), "histogram(8 samples in bins of 1us, 2 overflows at 500us)");
    EXPECT_EQ(d->quantile(0.2), nanoseconds(10'500));
    EXPECT_LE(d->quantile(0.799), microseconds(41));
    EXPECT_EQ(d->quantile(0.801), microseconds(500));
    EXPECT_EQ(d->quantile(0.999), microseconds(500));
    EXPECT_EQ(d->cdf(microseconds(499)), 0.8);
    EXPECT_EQ(d->cdf(microseconds(500)), 1);
}

TEST(histogram_distribution, spreads_overflows_up_to_the_recorded_maximum) {
    const distribution_ptr d = make_histogram(example(), histogram_overflow::uniform);
    EXPECT_EQ(d->describe(),
              "histogram(8 samples in bins of 1us, 2 overflows uniform up to 500us)");
    EXPECT_EQ(d->quantile(0.9), microseconds(300));
    EXPECT_EQ(d->quantile(0.95), microseconds(400));
    EXPECT_NEAR(d->cdf(microseconds(300)), 0.9, 1e-6);
    EXPECT_EQ(d->cdf(microseconds(99)), 0.8);

    // Without a limit they begin where the last bin ends.
    histogram no_limit = example();
    no_limit.limit = sim_time();
    EXPECT_EQ(make_histogram(no_limit, histogram_overflow::uniform)->quantile(0.9),
              nanoseconds(270'500));
}

TEST(histogram_distribution, without_overflows_is_the_same_under_every_policy) {
    histogram h = example();
    h.overflows = 0;
    h.max = sim_time();  // not looked at
    for (auto policy :
         {histogram_overflow::drop, histogram_overflow::at_max, histogram_overflow::uniform}) {
        const distribution_ptr d = make_histogram(h, policy);
        EXPECT_EQ(d->describe(), "histogram(8 samples in bins of 1us)");
        EXPECT_EQ(d->quantile(0.8125), nanoseconds(40'500));
    }
}

// The guide of the search against a walk over the bins, for counts of very different size.
TEST(histogram_distribution, finds_the_same_bin_as_a_linear_search) {
    histogram h{nanoseconds(100), {}, 0, {}, {}};
    const random_stream counts(5, "histogram", "counts");
    double total = 0;
    for (unsigned i = 0; i < 3'000; ++i) {
        const std::uint64_t count = counts.bits(i) >> (20 + counts.bits(i) % 44);
        h.bins.push_back({nanoseconds(100) * (2 * i), count});
        total += static_cast<double>(count);
    }
    const distribution_ptr d = make_histogram(h, histogram_overflow::drop);
    random_stream units(6, "histogram", "units");
    for (int i = 0; i < 5'000; ++i) {
        // Every other one in the far tail, where one cell of the guide holds many bins.
        const double u = i % 2 == 0 ? units.next_unit() : 1 - units.next_unit() * 0x1p-20;
        double below = 0;
        auto bin = h.bins.begin();
        for (; bin + 1 != h.bins.end(); ++bin) {
            if (below + static_cast<double>(bin->count) > u * total) break;
            below += static_cast<double>(bin->count);
        }
        const sim_time t = d->quantile(u);
        ASSERT_GE(t, bin->low) << u;
        ASSERT_LE(t, bin->low + h.width) << u;
        ASSERT_NEAR(d->cdf(t), u, 1e-5);
    }
}

TEST(histogram_distribution, samples_follow_the_histogram) {
    const auto cdf = [](double t) {
        const double us = t / 1e6;
        const auto covered = [us](double low, double width) {
            return std::clamp((us - low) / width, 0.0, 1.0);
        };
        return 0.4 * covered(10, 1) + 0.1 * covered(12, 1) + 0.3 * covered(40, 1) +
               0.2 * covered(100, 400);
    };
    const auto samples =
        draw(*make_histogram(example(), histogram_overflow::uniform), 20'000, "histogram");
    EXPECT_LT(ks_distance(samples, cdf), 1.95);
    const double mean = 0.4 * 10.5e6 + 0.1 * 12.5e6 + 0.3 * 40.5e6 + 0.2 * 300e6;
    EXPECT_NEAR(mean_of(samples), mean, 4 * 127e6 / std::sqrt(20'000));  // sd 127 us
}

TEST(histogram_distribution, bins_may_have_widths_of_their_own) {
    const histogram h{microseconds(1),
                      {{microseconds(5), 1, sim_time()},       // a point
                       {microseconds(5), 1, microseconds(5)},  // [5, 10)
                       {microseconds(10), 2}},                 // [10, 11)
                      0,
                      {},
                      {}};
    const distribution_ptr d = make_histogram(h, histogram_overflow::drop);
    EXPECT_EQ(d->describe(), "histogram(4 samples in bins of several widths)");
    EXPECT_EQ(d->quantile(0.1), microseconds(5));
    EXPECT_EQ(d->quantile(0.375), nanoseconds(7'500));
    EXPECT_EQ(d->quantile(0.75), nanoseconds(10'500));
    EXPECT_NEAR(d->cdf(microseconds(5)), 0.25, 1e-6);
    EXPECT_NEAR(d->cdf(microseconds(10)), 0.5, 1e-6);
    EXPECT_EQ(mean_of(h, histogram_overflow::drop), nanoseconds((5'000 + 7'500 + 21'000) / 4));
}

// Nearly all samples are beyond the histogram, as in published logs of cyclictest -h 20.
histogram mostly_overflows(sim_time mean) {
    return {microseconds(1),     {{microseconds(9), 1}}, 2999,
            microseconds(8'629), microseconds(20),       mean};
}

TEST(histogram_distribution, fits_overflows_to_the_recorded_average) {
    // Near the low end, in the middle and near the high end of what is possible.
    for (const sim_time mean :
         {microseconds(25), microseconds(111), microseconds(4'322), microseconds(8'000)}) {
        const histogram h = mostly_overflows(mean);
        const distribution_ptr d = make_histogram(h, histogram_overflow::fit);
        EXPECT_NEAR(double(mean_of(h, histogram_overflow::fit).ps), double(mean.ps),
                    1e-6 * mean.ps);
        // The mean of what is drawn, by its quantiles; the longest are there, and nothing beyond.
        double sum = 0;
        constexpr int n = 30'000;
        for (int i = 0; i < n; ++i) sum += double(d->quantile((i + 0.5) / n).ps) / n;
        EXPECT_NEAR(sum, double(mean.ps), 0.002 * double(mean.ps)) << to_string(mean);
        EXPECT_EQ(d->quantile(1 - 1e-4), microseconds(8'629));
        EXPECT_GE(d->quantile(2.0 / 3000), microseconds(20));
        for (const double u : {0.01, 0.3, 0.7, 0.99}) EXPECT_NEAR(d->cdf(d->quantile(u)), u, 1e-5);
    }
}

TEST(histogram_distribution, a_single_overflow_is_the_maximum) {
    histogram h = mostly_overflows(microseconds(100));
    h.overflows = 1;
    EXPECT_EQ(make_histogram(h, histogram_overflow::fit)->quantile(0.6), microseconds(8'629));
}

std::string refusal(const histogram& h, histogram_overflow policy = histogram_overflow::at_max) {
    return message_of([&] { make_histogram(h, policy); }, error_kind::config);
}

TEST(histogram_distribution, refuses_what_is_no_histogram) {
    EXPECT_EQ(refusal({microseconds(1), {}, 0, {}, {}}),
              "histogram: counts are all 0; a distribution needs a sample");
    EXPECT_EQ(refusal({microseconds(1), {{microseconds(3), 0}}, 7, seconds(1), {}}),
              "histogram: counts are all 0; a distribution needs a sample");

    histogram h = example();
    h.width = sim_time();
    EXPECT_EQ(refusal(h), "histogram: width is 0s; it must be from 1ps to 2305843.009213693951s");
    h = example();
    h.width = microseconds(3);  // bins 1 and 2 overlap
    EXPECT_EQ(refusal(h),
              "histogram: bin 2's low is 12us; it must be from 13us to 2305843.009213693951s");
    h = example();
    h.bins[0].low = microseconds(-1);
    EXPECT_NE(refusal(h).find("bin 1's low is -1us"), std::string::npos);
    h = example();
    h.bins[2].low = longest_span;
    EXPECT_NE(refusal(h).find("bin 3's end is"), std::string::npos);
    h = example();
    h.bins[1].count = std::uint64_t{1} << 53;
    EXPECT_EQ(refusal(h), "histogram: the sum of the counts is above 2^53");
    h.overflows = UINT64_MAX;
    EXPECT_EQ(refusal(h), "histogram: the sum of the counts is above 2^53");
}

TEST(histogram_distribution, refuses_a_maximum_below_the_overflows) {
    histogram h = example();
    h.max = microseconds(99);
    EXPECT_EQ(refusal(h),
              "histogram: max (the recorded maximum, which overflows need) is 99us; it must be "
              "from 100us to 2305843.009213693951s");
    EXPECT_EQ(refusal(h, histogram_overflow::drop), "");
    h = example();
    h.limit = microseconds(40);
    EXPECT_NE(refusal(h).find("limit is 40us; it must be from 41us"), std::string::npos);
}

TEST(histogram_distribution, refuses_a_fit_that_cannot_be) {
    histogram h = mostly_overflows(sim_time());
    EXPECT_EQ(refusal(h, histogram_overflow::fit),
              "histogram: overflow = \"fit\" needs the average of all samples");
    h.mean = microseconds(15);  // below where the overflows begin
    EXPECT_NE(refusal(h, histogram_overflow::fit).find("cannot meet the recorded average of 15us"),
              std::string::npos);
    h.mean = microseconds(9'000);
    EXPECT_NE(refusal(h, histogram_overflow::fit).find("cannot meet the recorded average of 9ms"),
              std::string::npos);
}

}  // namespace
}  // namespace scmi_vp
