// SPDX-License-Identifier: Apache-2.0
// The histogram against exact sums and nearest-rank quantiles of the same spans.
#include "traces/span_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/distribution.h"
#include "base/error.h"

namespace scmi_vp::traces {
namespace {

std::vector<sim_time> draw(const distribution_ptr& d, std::size_t n, const char* name) {
    random_stream stream(7, name, "histogram");
    std::vector<sim_time> all;
    for (std::size_t i = 0; i < n; ++i) all.push_back(d->sample(stream));
    return all;
}

/// The definition of nearest rank (Hyndman and Fan 1996, definition 1).
sim_time exact_quantile(std::vector<sim_time> all, double q) {
    std::sort(all.begin(), all.end());
    const double rank = std::ceil(q * static_cast<double>(all.size()));
    return all[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

std::vector<sim_time> wide_sample() {
    const distribution_ptr d = make_mixture(
        {{0.98, make_lognormal(microseconds(90), 1.0)}, {0.02, make_pareto(1.1, milliseconds(1))}});
    return draw(d, 20000, "wide");
}

TEST(span_histogram, quantiles_are_within_one_part_in_128_of_the_exact_ones) {
    const std::vector<sim_time> all = wide_sample();
    span_histogram h;
    for (const sim_time t : all) h.add(t);
    for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        const double exact = static_cast<double>(exact_quantile(all, q).ps);
        const double got = static_cast<double>(h.quantile(q).ps);
        EXPECT_GE(got, exact) << q;
        EXPECT_LE(got, exact * (1 + 1.0 / 128)) << q;
    }
    EXPECT_EQ(h.quantile(1), *std::max_element(all.begin(), all.end()));
    EXPECT_EQ(h.min(), *std::min_element(all.begin(), all.end()));
}

// Each power of two is where the width of buckets doubles.
TEST(span_histogram, every_bucket_holds_what_it_says) {
    for (unsigned e = 0; e < 63; ++e) {
        for (const std::int64_t off : {-1, 0, 1}) {
            const std::int64_t v = (std::int64_t(1) << e) + off;
            const sim_time end = span_histogram::bucket_end(sim_time(v));
            ASSERT_GE(end.ps, v);
            ASSERT_LE(double(end.ps - v), double(v) / 128.0) << v;
            ASSERT_EQ(span_histogram::bucket_end(end), end) << v;
            if (end < sim_time::max()) {
                ASSERT_GT(span_histogram::bucket_end(end + sim_time(1)), end) << v;
            }
        }
    }
    EXPECT_EQ(span_histogram::bucket_end(sim_time::max()), sim_time::max());
}

TEST(span_histogram, small_values_are_exact) {
    span_histogram h;
    for (int i = 0; i < 256; ++i) h.add(sim_time(i));
    EXPECT_EQ(h.occupied().size(), 256u);
    EXPECT_EQ(h.quantile(0.5), sim_time(127));
}

TEST(span_histogram, merging_parts_is_the_whole) {
    const std::vector<sim_time> all = wide_sample();
    span_histogram whole, left, right;
    for (std::size_t i = 0; i < all.size(); ++i) {
        whole.add(all[i]);
        (i % 3 ? left : right).add(all[i]);
    }
    left.merge(right);
    left.merge(span_histogram());
    EXPECT_EQ(left.occupied(), whole.occupied());
    EXPECT_EQ(left.count(), whole.count());
    EXPECT_EQ(left.mean(), whole.mean());
    EXPECT_EQ(left.min(), whole.min());
    EXPECT_EQ(left.max(), whole.max());
}

TEST(span_histogram, comes_back_from_its_pairs) {
    span_histogram h;
    for (const sim_time t : wide_sample()) h.add(t);
    const span_histogram back = span_histogram::from(h.occupied(), h.min(), h.max(), h.sum());
    EXPECT_EQ(back.occupied(), h.occupied());
    EXPECT_EQ(back.mean(), h.mean());
    EXPECT_EQ(back.quantile(0.999), h.quantile(0.999));
    EXPECT_EQ(back.count_above(milliseconds(1)), h.count_above(milliseconds(1)));
    const span_histogram none = span_histogram::from({}, sim_time{}, sim_time{}, span_sum());
    EXPECT_EQ(none.count(), 0u);
    EXPECT_EQ(none.min(), sim_time{});
}

TEST(span_histogram, refuses_pairs_of_no_histogram) {
    EXPECT_THROW(span_histogram::from({{sim_time(1000), 1}}, sim_time(1000), sim_time(1000), {}),
                 error);
    EXPECT_THROW(span_histogram::from({{sim_time(-1), 1}}, sim_time{}, sim_time{}, {}), error);
    EXPECT_THROW(span_histogram::from({{sim_time(5), 1}}, sim_time(5), sim_time(9), {}), error);
}

TEST(span_histogram, counts_above) {
    span_histogram h;
    for (int ms = 1; ms <= 100; ++ms) h.add(milliseconds(ms));
    EXPECT_EQ(h.count_above(milliseconds(200)), 0u);
    EXPECT_EQ(h.count_above(sim_time(-1)), 100u);
    EXPECT_NEAR(double(h.count_above(milliseconds(30))), 70, 1);
}

TEST(span_histogram, without_spans_all_is_zero) {
    const span_histogram h;
    EXPECT_EQ(h.quantile(0.5), sim_time{});
    EXPECT_EQ(h.mean(), sim_time{});
    EXPECT_EQ(h.max(), sim_time{});
}

// 64 bits of picoseconds are 213 days: what callers spend waiting may be more than that.
TEST(span_sum, does_not_overflow) {
    span_sum s, part;
    for (int i = 0; i < 100; ++i) s.add(longest_span), part.add(longest_span);
    EXPECT_EQ(s.mean(100), longest_span);
    s.merge(part);
    EXPECT_EQ(s.mean(200), longest_span);
    EXPECT_NEAR(s.as_seconds(), 200 * double(longest_span.ps) * 1e-12, 1);
    EXPECT_EQ(s.mean(1), sim_time::max());
    const span_sum back = span_sum::from(s.whole_seconds(), s.rest_picoseconds());
    EXPECT_EQ(back.mean(200), longest_span);
}

TEST(span_sum, means_are_rounded_to_the_nearest_picosecond) {
    span_sum s;
    s.add(sim_time(1));
    s.add(sim_time(2));
    s.add(sim_time(2));
    EXPECT_EQ(s.mean(3), sim_time(2));  // 1.67
    s.add(sim_time(0));
    EXPECT_EQ(s.mean(4), sim_time(1));  // 1.25
    EXPECT_EQ(s.mean(0), sim_time{});
}

}  // namespace
}  // namespace scmi_vp::traces
