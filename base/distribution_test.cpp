// SPDX-License-Identifier: Apache-2.0
// Constants, recorded lists, mixtures, and the binding of a distribution to a stream.
#include "base/distribution.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/distribution_testing.h"

namespace scmi_vp {
namespace {

using testing_tools::draw;
using testing_tools::ks_distance;
using testing_tools::mean_of;
using testing_tools::message_of;

template <class F>
std::string refusal(const F& f) {
    return message_of(f, error_kind::config);
}

TEST(constant, draws_nothing) {
    const distribution_ptr d = make_constant(microseconds(5));
    random_stream stream(1, "a", "b");
    EXPECT_EQ(d->sample(stream), microseconds(5));
    EXPECT_EQ(stream.index(), 0U);
    EXPECT_EQ(d->quantile(0.001), microseconds(5));
    EXPECT_EQ(d->cdf(microseconds(5)), 1);
    EXPECT_EQ(d->cdf(microseconds(5) - picoseconds(1)), 0);
    EXPECT_EQ(*d->constant(), microseconds(5));
    EXPECT_EQ(d->describe(), "constant(5us)");
    EXPECT_EQ(refusal([] { make_constant(picoseconds(-1)); }),
              "constant: value is -1ps; it must be from 0s to 2305843.009213693951s");
    EXPECT_NE(refusal([] { make_constant(sim_time::max()); }), "");
    EXPECT_EQ(make_constant(longest_span)->quantile(0.5), longest_span);
}

TEST(quantile, of_what_is_no_probability_is_refused) {
    const std::vector<distribution_ptr> all = {
        make_constant(microseconds(5)), make_exponential(microseconds(5)),
        make_recorded({microseconds(5)}, true),
        make_mixture({{1, make_constant(sim_time())}, {1, make_exponential(microseconds(1))}}),
        make_histogram({microseconds(1), {{sim_time(), 1}}, 0, {}, {}}, histogram_overflow::drop)};
    for (const auto& d : all) {
        for (double u : {0.0, 1.0, -0.5, 2.0, std::nan("")}) {
            const auto f = [&] { d->quantile(u); };
            EXPECT_NE(message_of(f, error_kind::model).find("a probability is above 0 and below 1"),
                      std::string::npos)
                << d->describe();
        }
    }
}

TEST(recorded, plays_its_values_in_order) {
    const std::vector<sim_time> values = {microseconds(30), microseconds(10), microseconds(20)};
    const distribution_ptr again = make_recorded(values, true);
    const distribution_ptr once = make_recorded(values, false);
    random_stream a(1, "a", "x");
    random_stream b(9, "b", "y");  // neither seed nor name matters
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(again->sample(a), values[i % 3]);
        EXPECT_EQ(once->sample(b), i < 3 ? values[i] : microseconds(20));
    }
    EXPECT_EQ(a.index(), 10U);
    a.seek(1);
    EXPECT_EQ(again->sample(a), microseconds(10));
    EXPECT_EQ(again->describe(), "recorded(3 values, 10us to 30us, repeated)");
    EXPECT_EQ(once->describe(), "recorded(3 values, 10us to 30us, then the last)");
}

TEST(recorded, has_the_quantiles_of_its_values) {
    const distribution_ptr d = make_recorded(
        {microseconds(30), microseconds(10), microseconds(20), microseconds(10)}, true);
    EXPECT_EQ(d->quantile(0.01), microseconds(10));
    EXPECT_EQ(d->quantile(0.5), microseconds(10));
    EXPECT_EQ(d->quantile(0.51), microseconds(20));
    EXPECT_EQ(d->quantile(0.75), microseconds(20));
    EXPECT_EQ(d->quantile(0x1.fffffffffffffp-1), microseconds(30));
    EXPECT_EQ(d->cdf(nanoseconds(9'999)), 0);
    EXPECT_EQ(d->cdf(microseconds(10)), 0.5);
    EXPECT_EQ(d->cdf(microseconds(30)), 1);
    EXPECT_EQ(d->constant(), nullptr);
    EXPECT_EQ(*make_recorded({microseconds(2), microseconds(2)}, false)->constant(),
              microseconds(2));
    EXPECT_EQ(refusal([] { make_recorded({}, true); }),
              "recorded: values are missing; give at least one");
    EXPECT_NE(refusal([] { make_recorded({picoseconds(-4)}, true); }).find("value is -4ps"),
              std::string::npos);
}

// 90 % 10 us + exponential tail of 10 %: the shape of a host that is sometimes busy.
distribution_ptr busy_host() {
    return make_mixture({{9, make_uniform(microseconds(10), microseconds(12))},
                         {1, make_exponential(milliseconds(1))}});
}

double busy_host_cdf(double ps) {
    return 0.9 * std::clamp((ps - 10e6) / 2e6, 0.0, 1.0) + 0.1 * -std::expm1(-ps / 1e9);
}

TEST(mixture, samples_follow_the_weighted_sum_of_its_parts) {
    const auto samples = draw(*busy_host(), 20'000, "mixture");
    EXPECT_LT(ks_distance(samples, busy_host_cdf), 1.95);
    const double mean = 0.9 * 11e6 + 0.1 * 1e9;
    // E[t^2] = 0.9 * ~121e12 + 0.1 * 2e18: sd 436 us
    EXPECT_NEAR(mean_of(samples), mean, 4 * 436e6 / std::sqrt(20'000));
}

TEST(mixture, quantile_inverts_the_cdf) {
    const distribution_ptr d = busy_host();
    sim_time before;
    for (double u = 0.0005; u < 1; u += 0.0005) {
        const sim_time t = d->quantile(u);
        EXPECT_GE(t, before);
        before = t;
        EXPECT_GE(d->cdf(t), u);
        EXPECT_LT(d->cdf(t - picoseconds(1)), u);
        EXPECT_NEAR(busy_host_cdf(static_cast<double>(t.ps)), u, 1e-6);
    }
    // Above 12 us only the tail is left: F = 0.9 + 0.1 (1 - exp(-t / 1 ms)).
    EXPECT_NEAR(static_cast<double>(d->quantile(0.99).ps), 1e9 * std::log(10), 2);
}

TEST(mixture, of_constants_is_a_choice) {
    const distribution_ptr d =
        make_mixture({{3, make_constant(sim_time())}, {1, make_constant(microseconds(8))}});
    EXPECT_EQ(d->quantile(0.74), sim_time());
    EXPECT_EQ(d->quantile(0.76), microseconds(8));
    EXPECT_NEAR(mean_of(draw(*d, 20'000, "choice")), 2e6, 4 * 3.47e6 / std::sqrt(20'000));
    EXPECT_EQ(d->describe(), "mixture(0.75 * constant(0s) + 0.25 * constant(8us))");
    EXPECT_EQ(d->constant(), nullptr);
}

// One number chooses, the next is the part's own: even a part of weight 1e-12 keeps its whole tail.
TEST(mixture, draws_two_numbers) {
    const distribution_ptr tail = make_exponential(milliseconds(1));
    const distribution_ptr d = make_mixture({{1e-12, make_constant(sim_time())}, {1, tail}});
    random_stream mixed(1, "a", "b");
    for (int i = 0; i < 100; ++i) {
        random_stream plain = mixed;
        plain.next_unit();
        EXPECT_EQ(d->sample(mixed), tail->sample(plain));
        EXPECT_EQ(mixed.index(), plain.index());
    }
}

TEST(mixture, can_be_nested) {
    const distribution_ptr d =
        make_mixture({{1, busy_host()}, {1, make_mixture({{5, make_constant(microseconds(11))}})}});
    const auto cdf = [](double ps) { return 0.5 * busy_host_cdf(ps) + (ps >= 11e6 ? 0.5 : 0.0); };
    for (double u : {0.01, 0.2, 0.3, 0.9, 0.999}) {
        const double t = static_cast<double>(d->quantile(u).ps);
        EXPECT_GE(cdf(t + 0.5), u);
        EXPECT_LT(cdf(t - 0.5), u);
    }
}

TEST(mixture, refuses_parts_that_cannot_be_mixed) {
    const distribution_ptr part = make_constant(sim_time());
    EXPECT_EQ(refusal([] { make_mixture({}); }), "mixture: parts are missing; give at least one");
    EXPECT_EQ(refusal([&] {
                  make_mixture({{1, part}, {0, part}});
              }),
              "mixture: weight of part 2 is 0; it must be from 1e-18 to 1e+18");
    for (double weight : {-1.0, std::nan(""), HUGE_VAL}) {
        EXPECT_NE(refusal([&] { make_mixture({{weight, part}}); }), "");
    }
    EXPECT_EQ(refusal([] {
                  make_mixture({{1, nullptr}});
              }),
              "mixture: distribution of part 1 is missing");
    EXPECT_NE(refusal([] {
                  make_mixture({{1, make_recorded({sim_time()}, true)}});
              }).find("part 1 is a recorded list"),
              std::string::npos);
}

// A distribution from outside, which only has quantiles: u * 1 us.
class only_quantiles final : public distribution {
public:
    sim_time quantile(double u) const override {
        return picoseconds(static_cast<std::int64_t>(u * 1e6));
    }
    std::string describe() const override { return "only quantiles"; }
};

TEST(cdf, can_be_had_from_quantiles_alone) {
    const only_quantiles d;
    EXPECT_EQ(d.cdf(picoseconds(-1)), 0);
    EXPECT_NEAR(d.cdf(nanoseconds(250)), 0.25, 1.1e-6);
    EXPECT_EQ(d.cdf(microseconds(1)), 1);
}

TEST(latency, of_a_constant_is_recognised) {
    latency none;
    EXPECT_TRUE(none.is_zero());
    EXPECT_EQ(none.next(), sim_time());
    latency fixed(make_constant(microseconds(3)), random_stream(1, "a", "b"));
    EXPECT_FALSE(fixed.is_zero());
    EXPECT_EQ(fixed.next(), microseconds(3));
    EXPECT_EQ(fixed.shape().describe(), "constant(3us)");
}

TEST(latency, draws_from_its_own_stream) {
    const distribution_ptr d = make_exponential(microseconds(3));
    latency a(d, random_stream(1, "a", "think"));
    latency b(d, random_stream(1, "b", "think"));
    random_stream stream(1, "a", "think");
    for (int i = 0; i < 10; ++i) {
        b.next();  // somebody else's draws change nothing
        EXPECT_EQ(a.next(), d->sample(stream));
    }
    EXPECT_FALSE(a.is_zero());
}

}  // namespace
}  // namespace scmi_vp
