// SPDX-License-Identifier: Apache-2.0
// Estimators against published tables, and their coverage on data whose truth is known.
#include "studies/results/estimators.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace scmi_vp::studies {
namespace {

using testing::HasSubstr;

// Clopper-Pearson at 95 %, computed with R's binom.test(k, 1000).
TEST(clopper_pearson, known_values) {
    const struct {
        std::uint64_t k;
        double low, high;
    } rows[] = {{0, 0, .003682}, {1, 2.53e-5, .005559}, {5, .001625, .01163}, {50, .03734, .06539}};
    for (const auto& r : rows) {
        const interval i = clopper_pearson(r.k, 1000);
        EXPECT_NEAR(i.low, r.low, 0.002 * r.low) << r.k;
        EXPECT_NEAR(i.high, r.high, 0.002 * r.high) << r.k;
    }
    EXPECT_EQ(clopper_pearson(7, 7).high, 1);
    EXPECT_THROW(clopper_pearson(2, 1), error);
    EXPECT_THROW(clopper_pearson(0, 0), error);
}

// The least n that shows p <= 1e-3, ..., 1e-6 at 95 % when nothing failed: ln(.05) / ln(1 - p).
TEST(zero_count_bound, known_sample_sizes) {
    const struct {
        std::uint64_t n;
        double p;
    } rows[] = {{2995, 1e-3}, {29956, 1e-4}, {299572, 1e-5}, {2995731, 1e-6}};
    for (const auto& r : rows) {
        EXPECT_LE(zero_count_bound(r.n), r.p) << r.n;
        EXPECT_GT(zero_count_bound(r.n - 1), r.p) << r.n;
    }
    EXPECT_EQ(zero_count_bound(0), 1);
}

// t(0.975, 4) = 2.776445 (any table); the variance of 1..5 is 2.5.
TEST(t_interval, by_hand) {
    const mean_estimate e = t_interval({1, 2, 3, 4, 5});
    EXPECT_EQ(e.mean, 3);
    EXPECT_NEAR(e.range.high - 3, 2.776445 * std::sqrt(2.5 / 5), 1e-6);
    EXPECT_NEAR(3 - e.range.low, e.range.high - 3, 1e-12);
    EXPECT_EQ(t_interval({4}).range.high, 4);
    EXPECT_EQ(t_interval({}).units, 0u);
}

// Units of equal size: the ratio is a mean, and so is its interval.
TEST(ratio_of_sums, is_the_mean_for_units_of_one_size) {
    const std::vector<unit_counts> units{{10, 1000}, {12, 1000}, {7, 1000}, {15, 1000}};
    const mean_estimate ratio = ratio_of_sums(units);
    const mean_estimate mean = t_interval({.010, .012, .007, .015});
    EXPECT_NEAR(ratio.mean, mean.mean, 1e-15);
    EXPECT_NEAR(ratio.range.low, mean.range.low, 1e-12);
    EXPECT_NEAR(ratio.range.high, mean.range.high, 1e-12);
    EXPECT_EQ(ratio_of_sums({{0, 0}, {0, 0}}).mean, 0);
    EXPECT_EQ(ratio_of_sums({{1, 10}, {0, 10}, {0, 10}}).range.low, 0);
}

/// How often, in `trials` studies of `n` replications, the interval holds the true rate. Events
/// come in clumps, as freezes make them: a clump strikes with 5 % per slot and hits 1 to 4 of 40.
double coverage(unsigned trials, std::size_t n) {
    const double truth = 0.05 * 2.5 / 40;
    unsigned held = 0;
    for (unsigned t = 0; t < trials; ++t) {
        random_stream s(t, "coverage", "clumps");
        std::vector<unit_counts> units(n);
        for (unit_counts& u : units) {
            const auto slots = std::uint64_t(80 + 40 * s.next_unit());
            for (std::uint64_t i = 0; i < slots; ++i) {
                u.trials += 40;
                if (s.next_unit() < 0.05) u.events += 1 + std::uint64_t(4 * s.next_unit());
            }
        }
        const mean_estimate e = ratio_of_sums(units);
        held += e.range.low <= truth && truth <= e.range.high;
    }
    return double(held) / trials;
}

// The expected coverage is 95 %; over 1000 studies its standard deviation is 0.7 %. Treating
// requests as independent would give intervals 1.7 times too narrow, and 76 %.
TEST(ratio_of_sums, covers_the_truth_although_events_come_in_clumps) {
    const double c = coverage(1000, 20);
    EXPECT_GT(c, 0.925);
    EXPECT_LT(c, 0.975);
}

// An AR(1) series with coefficient 0.9: its mean of n has 19 times the variance of independent data
// (Law, 4.4), which batches of 500 contain and single values do not.
TEST(batch_means, cover_the_mean_of_dependent_values) {
    unsigned batches_held = 0, naive_held = 0;
    constexpr unsigned trials = 300;
    for (unsigned t = 0; t < trials; ++t) {
        random_stream s(t, "ar1", "noise");
        std::vector<double> values;
        double x = 0;
        for (int i = 0; i < 10500; ++i) {
            x = 0.9 * x + s.next_unit() - 0.5;
            if (i >= 500) values.push_back(x);
        }
        const interval b = batch_means(values).range, naive = t_interval(values).range;
        batches_held += b.low <= 0 && 0 <= b.high;
        naive_held += naive.low <= 0 && 0 <= naive.high;
    }
    EXPECT_GE(batches_held, 0.90 * trials);
    EXPECT_LE(batches_held, 0.99 * trials);
    EXPECT_LT(naive_held, 0.6 * trials);
}

TEST(batch_means, drops_the_start_that_does_not_fill_a_batch) {
    EXPECT_EQ(batch_means({100, 1, 2, 3, 4}, 2).mean, 2.5);
    EXPECT_EQ(batch_means({1, 2}, 20).mean, 1.5);
}

TEST(batch_counts, are_of_equal_size_but_for_the_last_and_lose_nothing) {
    for (const unsigned n : {1u, 19u, 20u, 39u, 40u, 41u, 1000u, 12345u}) {
        batch_counts b;
        for (unsigned i = 0; i < n; ++i) b.add(i + 1, i % 10 == 0);
        const auto all = b.units();
        ASSERT_FALSE(all.empty());
        std::uint64_t trials = 0, events = 0;
        for (const unit_counts& u : all) {
            if (&u != &all.back()) {
                EXPECT_EQ(u.trials, all[0].trials);
            }
            trials += u.trials, events += u.events;
        }
        EXPECT_LT(all.back().trials, 2 * all[0].trials);
        EXPECT_EQ(trials, n);
        EXPECT_EQ(events, (n + 9) / 10);
        EXPECT_GE(all.size(), std::min<std::size_t>(n, batch_counts::fewest));
        EXPECT_LE(all.size(), 2 * batch_counts::fewest);
    }
}

// Replies that are lost shortly before the end of the run: the last of all trials.
TEST(batch_counts, the_last_trials_count) {
    batch_counts b;
    for (unsigned i = 1; i <= 6390; ++i) b.add(i, i > 6388);
    const rate_estimate r = rate_of({{2, 6390}}, b.units(), "true timeouts");
    EXPECT_NEAR(r.per_million, 2e6 / 6390, 1e-6);
    EXPECT_GT(r.high, 2 * r.per_million);
}

TEST(rate_of, says_its_method) {
    const rate_estimate r = rate_of({{1, 1000}, {3, 1000}}, {}, "true timeouts");
    EXPECT_EQ(r.count, 4u);
    EXPECT_DOUBLE_EQ(r.per_million, 2000);
    EXPECT_EQ(r.method, "t over 2 replications");
    EXPECT_EQ(r.beyond, "");
    EXPECT_LT(r.low, 2000);
    EXPECT_GT(r.high, 2000);
}

TEST(rate_of, one_replication_falls_back_on_batches) {
    batch_counts b;
    for (unsigned i = 0; i < 4000; ++i) b.add(i + 1, i % 97 == 0);
    const rate_estimate r = rate_of({{42, 4000}}, b.units(), "spurious timeouts");
    EXPECT_THAT(r.method, HasSubstr("batches of one replication"));
    EXPECT_DOUBLE_EQ(r.per_million, 42e6 / 4000);
    EXPECT_LT(r.low, r.per_million);
    EXPECT_GT(r.high, r.per_million);
    batch_counts few;
    few.add(1, 1);
    EXPECT_EQ(rate_of({{1, 1}}, few.units(), "x").beyond, "too few requests for an interval");
}

// A request whose reply is lost is told of when the run ends, after all others: its batch is that
// of its number nevertheless, or all lost ones would be in the batch that is left out.
TEST(batch_counts, do_not_depend_on_the_order_in_which_trials_end) {
    batch_counts in_order, late_events;
    for (unsigned i = 1; i <= 5000; ++i) in_order.add(i, i % 100 == 0);
    for (unsigned i = 1; i <= 5000; ++i) {
        if (i % 100 != 0) late_events.add(i, 0);
    }
    for (unsigned i = 100; i <= 5000; i += 100) late_events.add(i, 1);
    const auto a = in_order.units(), b = late_events.units();
    ASSERT_EQ(a.size(), b.size());
    std::uint64_t events = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].events, b[i].events) << i;
        EXPECT_EQ(a[i].trials, b[i].trials) << i;
        events += a[i].events;
    }
    EXPECT_GT(events, 45u);
    const rate_estimate r = rate_of({{50, 5000}}, b, "true timeouts");
    EXPECT_LT(r.low, 10'000);
    EXPECT_GT(r.low, 0);
    EXPECT_GT(r.high, 10'000);
}

// t(0.975, 1) = 12.7062 and t(0.975, 19) = 2.093024 (any table). Rates of 1000 and 3000 per million
// have the standard error sqrt(2 * 1000^2 / 1 / 2) = 1000.
TEST(rate_of, its_interval_is_of_95_percent) {
    const rate_estimate r = rate_of({{100, 100'000}, {300, 100'000}}, {}, "x");
    EXPECT_NEAR(r.high - 2000, 12.7062 * 1000, 1);
    batch_counts b;
    // Twenty batches of one trial, every second one an event: s^2 = 20/19 * 0.25.
    for (unsigned i = 1; i <= 20; ++i) b.add(i, i % 2);
    const rate_estimate one = rate_of({{10, 20}}, b.units(), "x");
    EXPECT_NEAR(one.high - 500'000, 2.093024 * 1e6 * std::sqrt(0.25 / 19), 10);
}

TEST(rate_of, says_when_nothing_random_decides_it) {
    const rate_estimate r = rate_of(std::vector<unit_counts>(10, {5, 5}), {}, "x");
    EXPECT_EQ(r.low, r.high);
    EXPECT_EQ(r.beyond,
              "the same rate in all 10 replications: nothing random decides it, so there is no "
              "interval");
    batch_counts all;
    for (unsigned i = 1; i <= 64; ++i) all.add(i, 1);
    EXPECT_THAT(rate_of({{64, 64}}, all.units(), "x").beyond,
                HasSubstr("the same rate in all 32 batches"));
}

TEST(tells_quantile, wants_one_value_above_it) {
    EXPECT_FALSE(tells_quantile(99, 0.99));
    EXPECT_TRUE(tells_quantile(100, 0.99));
    EXPECT_FALSE(tells_quantile(999, 0.999));
    EXPECT_TRUE(tells_quantile(1000, 0.999));
    EXPECT_TRUE(tells_quantile(1, 1));
}

// -ln 0.05 = 2.996.
TEST(rate_of, nothing_seen_is_not_a_number) {
    const rate_estimate r =
        rate_of(std::vector<unit_counts>(10, {0, 1000000}), {}, "true timeouts");
    EXPECT_EQ(r.beyond,
              "no true timeouts in 10 replications: with 95% confidence, at most 3 incidents in "
              "the time simulated are to be expected");
}

// Garwood's exact limits, as in any table of them (two-sided 95 %; for none one-sided).
TEST(poisson_interval, known_limits) {
    const struct {
        std::uint64_t n;
        double low, high;
    } rows[] = {{0, 0, 2.9957},
                {1, 0.0253, 5.5716},
                {5, 1.6235, 11.6683},
                {10, 4.7954, 18.3904},
                {100, 81.3640, 121.6268}};
    for (const auto& r : rows) {
        EXPECT_NEAR(poisson_interval(r.n, 1).low, r.low, 1e-4) << r.n;
        EXPECT_NEAR(poisson_interval(r.n, 1).high, r.high, 1e-4) << r.n;
        EXPECT_NEAR(poisson_interval(r.n, 0.25).high, 4 * r.high, 1e-3) << r.n;
    }
}

TEST(poisson_interval, wants_an_exposure) {
    EXPECT_THROW(poisson_interval(1, 0), error);
    EXPECT_EQ(incidents_in(0, 0).high, 0);
}

// Ten runs of 100 s without any.
TEST(incidents_in, none_seen_has_an_upper_bound) {
    const incident_rate r = incidents_in(0, 1000.0 / 3600);
    EXPECT_EQ(r.per_hour, 0);
    EXPECT_EQ(r.low, 0);
    EXPECT_NEAR(r.high, 10.8, 0.05);
}

// What programs and checks read has numbers where the table has none. The probability of no event
// in n requests is 5 % at the bound; Clopper and Pearson's interval has 2.5 % on each side.
TEST(rate_of, always_has_bounds) {
    const auto none = rate_of(std::vector<unit_counts>(10, {0, 100}), {}, "x");
    EXPECT_EQ(none.bounds.low, 0);
    EXPECT_NEAR(std::pow(1 - none.bounds.high / 1e6, 1000), 0.05, 1e-9);
    EXPECT_THAT(none.bounds_method, HasSubstr("over 1000 requests"));
    EXPECT_NEAR(rate_of({{0, 1}}, {}, "x").bounds.high, 950'000, 1e-3);
    EXPECT_EQ(rate_of({}, {}, "x").bounds.high, 1'000'000);

    // The same rate in all replications: Student's interval has no width.
    const auto same = rate_of({{1, 50}, {1, 50}}, {}, "x");
    EXPECT_EQ(same.low, same.high);
    const double p = same.bounds.high / 1e6, q = same.bounds.low / 1e6;
    EXPECT_NEAR(
        std::pow(1 - p, 100) + 100 * p * std::pow(1 - p, 99) + 4950 * p * p * std::pow(1 - p, 98),
        0.025, 1e-9);
    EXPECT_NEAR(1 - std::pow(1 - q, 100) - 100 * q * std::pow(1 - q, 99), 0.025, 1e-9);
    const auto all = rate_of({{9, 9}, {9, 9}}, {}, "x");
    EXPECT_EQ(all.bounds.high, 1'000'000);
    EXPECT_LT(all.bounds.low, 1'000'000);

    const auto spread = rate_of({{1, 100}, {3, 100}}, {}, "x");
    EXPECT_EQ(spread.bounds.low, spread.low);
    EXPECT_EQ(spread.bounds.high, spread.high);
    EXPECT_EQ(spread.bounds_method, "");
}

}  // namespace
}  // namespace scmi_vp::studies
