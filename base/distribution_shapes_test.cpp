// SPDX-License-Identifier: Apache-2.0
// The distributions with a formula, against closed forms, printed tables and pinned numbers.
#include <array>
#include <functional>
#include <string>
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

double phi(double z) {
    return 0.5 * std::erfc(-z / std::sqrt(2));
}

// Each distribution with its CDF, mean and standard deviation (real picoseconds) from the formulas
// of Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions"; and its first draws.
struct shape_case {
    const char* name;
    distribution_ptr d;
    std::function<double(double)> cdf;
    double mean, sd;
    std::string text;
    std::array<std::int64_t, 5> first;  // of the stream (2024, name, "test"), in ps
};

std::vector<shape_case> cases() {
    const double half_normal = std::sqrt(2 / M_PI);
    return {
        {"uniform",
         make_uniform(microseconds(10), microseconds(30)),
         [](double t) { return (t - 10e6) / 20e6; },
         20e6,
         20e6 / std::sqrt(12),
         "uniform(10us to 30us)",
         {23693115, 25756019, 27625009, 13509392, 28678315}},
        {"normal",
         make_normal(microseconds(50), microseconds(5)),
         [](double t) { return phi((t - 50e6) / 5e6); },
         50e6,
         5e6,
         "normal(mean 50us, sd 5us, at least 0)",
         {53465501, 50330506, 51034664, 53097808, 45675837}},
        {"half normal",
         make_normal(sim_time(), microseconds(5)),
         [](double t) { return 2 * phi(t / 5e6) - 1; },
         5e6 * half_normal,
         5e6 * std::sqrt(1 - 2 / M_PI),
         "normal(mean 0s, sd 5us, at least 0)",
         {3826051, 705890, 5009812, 3992642, 8883736}},
        {"lognormal",
         make_lognormal(microseconds(100), 0.5),
         [](double t) { return phi(std::log(t / 100e6) / 0.5); },
         100e6 * std::exp(0.125),
         100e6 * std::exp(0.125) * std::sqrt(std::expm1(0.25)),
         "lognormal(median 100us, sigma 0.5)",
         {97376395, 233815333, 39898996, 162877920, 42286040}},
        {"exponential",
         make_exponential(milliseconds(1)),
         [](double t) { return -std::expm1(-t / 1e9); },
         1e9,
         1e9,
         "exponential(mean 1ms)",
         {301609914, 1256497602, 43621160, 1076938281, 1079620459}},
        {"gamma",
         make_gamma(2, microseconds(40)),
         [](double t) { return 1 - std::exp(-t / 20e6) * (1 + t / 20e6); },
         40e6,
         20e6 * std::sqrt(2),
         "gamma(shape 2, mean 40us)",
         {79211855, 12303566, 36553611, 51060427, 37562057}},
        {"gamma half",
         make_gamma(0.5, microseconds(40)),  // chi square with one degree of freedom
         [](double t) { return std::erf(std::sqrt(t / 40e6 / 2)); },
         40e6,
         40e6 * std::sqrt(2),
         "gamma(shape 0.5, mean 40us)",
         {234206331, 7549234, 5708711, 24957971, 246244480}},
        {"weibull",
         make_weibull(1.5, microseconds(200)),
         [](double t) { return -std::expm1(-std::pow(t / 200e6, 1.5)); },
         200e6 * std::tgamma(1 + 1 / 1.5),
         200e6 * std::sqrt(std::tgamma(1 + 2 / 1.5) - std::pow(std::tgamma(1 + 1 / 1.5), 2)),
         "weibull(shape 1.5, scale 200us)",
         {115306617, 63356541, 74611013, 3237413, 111764466}},
        {"pareto",
         make_pareto(3, microseconds(10)),
         [](double t) { return 1 - std::pow(10e6 / t, 3); },
         15e6,
         10e6 * std::sqrt(0.75),
         "pareto(shape 3, minimum 10us)",
         {15787639, 13896974, 11913704, 12492722, 20112533}},
    };
}

// Pinned: gcc and clang must both give these (base/random.h, fp-contract off), and a change here
// changes the results of every study that was ever published.
TEST(shapes, first_draws_are_the_same_for_ever) {
    for (const shape_case& c : cases()) {
        const auto samples = draw(*c.d, c.first.size(), c.name);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            EXPECT_EQ(samples[i].ps, c.first[i]) << c.name << " draw " << i;
        }
    }
}

// Kolmogorov-Smirnov at one in a thousand, and the mean within four of its standard errors.
TEST(shapes, samples_follow_the_closed_form) {
    constexpr std::size_t n = 20'000;
    for (const shape_case& c : cases()) {
        const auto samples = draw(*c.d, n, c.name);
        EXPECT_LT(ks_distance(samples, c.cdf), 1.95) << c.name;
        EXPECT_NEAR(mean_of(samples), c.mean, 4 * c.sd / std::sqrt(n)) << c.name;
        // The same samples against spans that are 5 % longer: the test can fail.
        const auto longer = [&](double t) { return c.cdf(t * 0.95); };
        EXPECT_GT(ks_distance(samples, longer), 1.95) << c.name;
    }
}

TEST(shapes, cdf_is_the_closed_form_of_the_rounded_span) {
    for (const shape_case& c : cases()) {
        EXPECT_EQ(c.d->cdf(picoseconds(-1)), 0) << c.name;
        EXPECT_EQ(c.d->cdf(longest_span), 1) << c.name;
        for (double u = 0.01; u < 1; u += 0.01) {
            const sim_time t = c.d->quantile(u);
            EXPECT_NEAR(c.d->cdf(t), c.cdf(static_cast<double>(t.ps) + 0.5), 1e-13) << c.name;
        }
        EXPECT_EQ(c.d->describe(), c.text);
        EXPECT_EQ(c.d->constant(), nullptr);
    }
}

// Monotone, and the nearest picosecond: u lies between the CDF half a picosecond to each side.
TEST(shapes, quantile_inverts_the_closed_form_and_ascends) {
    for (const shape_case& c : cases()) {
        sim_time before;
        for (int i = 1; i < 4096; ++i) {
            const double u = i / 4096.0;
            const sim_time t = c.d->quantile(u);
            ASSERT_GE(t, before) << c.name << " " << u;
            before = t;
            ASSERT_GE(c.cdf(static_cast<double>(t.ps) + 0.5), u - 1e-14) << c.name << " " << u;
            ASSERT_LE(c.cdf(static_cast<double>(t.ps) - 0.5), u + 1e-14) << c.name << " " << u;
        }
    }
}

double spans(const distribution_ptr& d, double u) {
    return static_cast<double>(d->quantile(u).ps);
}

// NIST/SEMATECH e-Handbook 1.3.6.7: normal 97.5 % 1.959964, chi square with 4 degrees of freedom
// 95 % 9.487729 (a gamma of shape 2 and scale 2); P(Z > 5.997807) = 1e-9.
TEST(shapes, agree_with_printed_tables) {
    EXPECT_NEAR(spans(make_normal(milliseconds(100), milliseconds(1)), 0.975), 101.959964e9, 1e3);
    EXPECT_NEAR(spans(make_normal(milliseconds(100), milliseconds(1)), 1e-9), 94.002193e9, 1e3);
    EXPECT_NEAR(spans(make_normal(milliseconds(100), milliseconds(1)), 1 - 1e-9), 105.997807e9,
                1e3);
    EXPECT_NEAR(spans(make_gamma(2, milliseconds(4)), 0.95), 9.487729e9, 1e3);
    EXPECT_NEAR(spans(make_lognormal(milliseconds(1), 1), 0.975), std::exp(1.959963985) * 1e9, 10);
}

// The far tail, where 1 - u loses nothing on the grid of random_stream::next_unit.
TEST(shapes, keep_their_precision_in_the_tail) {
    for (int k : {20, 30, 40, 53}) {
        const double tail = std::ldexp(1, -k);
        const double u = 1 - tail;
        EXPECT_NEAR(spans(make_exponential(milliseconds(1)), u), k * std::log(2) * 1e9, 1);
        EXPECT_NEAR(spans(make_pareto(2, microseconds(1)), u), std::exp2(k / 2.0) * 1e6,
                    std::exp2(k / 2.0) * 1e-8 + 1);
        EXPECT_NEAR(spans(make_weibull(0.5, microseconds(1)), u),
                    std::pow(k * std::log(2), 2) * 1e6, 1);
        const double z = (spans(make_normal(seconds(10), seconds(1)), u) - 10e12) / 1e12;
        EXPECT_NEAR(0.5 * std::erfc(z / std::sqrt(2)) / tail, 1, 1e-9);
        const double g = spans(make_gamma(1, seconds(1)), u);
        EXPECT_NEAR(g, k * std::log(2) * 1e12, 10);
    }
}

// Truncated at zero: all of the mass is above zero, also when the mean is not.
TEST(shapes, normal_is_conditioned_on_not_negative) {
    for (std::int64_t mean : {1, 0, -2, -5}) {
        const distribution_ptr d = make_normal(microseconds(mean), microseconds(1));
        EXPECT_GE(d->quantile(0x1p-53), sim_time());
        const double m = static_cast<double>(mean);
        for (double u : {1e-6, 0.1, 0.5, 0.9, 1 - 0x1p-30}) {
            const double z = spans(d, u) / 1e6 - m;
            // P(Z > z | Z > -m) = 1 - u
            const double above = std::erfc(z / std::sqrt(2)) / std::erfc(-m / std::sqrt(2));
            EXPECT_NEAR(above, 1 - u, 2e-6) << mean << " " << u;
        }
    }
}

TEST(shapes, are_cut_at_the_longest_span) {
    const double u = 1 - 0x1p-53;
    EXPECT_EQ(make_pareto(0.01, seconds(1))->quantile(u), longest_span);
    EXPECT_EQ(make_lognormal(seconds(1), 100)->quantile(u), longest_span);
    EXPECT_EQ(make_weibull(1e-3, seconds(1))->quantile(u), longest_span);
    EXPECT_EQ(make_exponential(longest_span)->quantile(u), longest_span);
    EXPECT_EQ(make_gamma(1e-3, longest_span)->quantile(u), longest_span);
    EXPECT_EQ(make_normal(longest_span, longest_span)->quantile(u), longest_span);
    EXPECT_EQ(make_weibull(1e-3, seconds(1))->quantile(0x1p-53), sim_time());
    EXPECT_EQ(make_gamma(1e-3, seconds(1))->quantile(0.1), sim_time());
}

TEST(shapes, of_one_value_are_constants) {
    EXPECT_EQ(*make_uniform(microseconds(4), microseconds(4))->constant(), microseconds(4));
    EXPECT_EQ(*make_normal(microseconds(4), sim_time())->constant(), microseconds(4));
}

// Gamma at the ends of its range: finite, ordered, and near the normal that it becomes.
TEST(shapes, gamma_stands_large_and_small_shapes) {
    for (double shape : {1e-3, 0.3, 1.0, 30.0, 1e4, 1e6}) {
        const distribution_ptr d = make_gamma(shape, milliseconds(1));
        sim_time before;
        for (double u : {0x1p-53, 1e-9, 0.01, 0.49999, 0.5, 0.50001, 0.99, 1 - 1e-9, 1 - 0x1p-53}) {
            const sim_time t = d->quantile(u);
            EXPECT_GE(t, before) << shape << " " << u;
            before = t;
        }
    }
    EXPECT_NEAR(spans(make_gamma(1e6, milliseconds(1)), 0.975), 1e9 * (1 + 1.959964e-3), 1e3);
}

TEST(shapes, refuse_parameters_out_of_range) {
    const auto no = sim_time();
    const auto us = microseconds(1);
    const std::vector<std::pair<std::string, std::function<void()>>> bad = {
        {"uniform: low is -1ps; it must be", [] { make_uniform(picoseconds(-1), seconds(1)); }},
        {"uniform: high is 1us; it must be from 2us",
         [] { make_uniform(microseconds(2), microseconds(1)); }},
        {"uniform: high is 9223372.036854775807s", [=] { make_uniform(no, sim_time::max()); }},
        {"normal: sd is -1us", [=] { make_normal(us, microseconds(-1)); }},
        {"normal: mean is -6us, more than 5 sd below zero",
         [=] { make_normal(microseconds(-6), us); }},
        {"normal: mean is -1us", [=] { make_normal(microseconds(-1), no); }},
        {"normal: mean is 9223372", [=] { make_normal(sim_time::max(), us); }},
        {"lognormal: median is 0s", [=] { make_lognormal(no, 1); }},
        {"lognormal: sigma is 0; it must be from 1e-06 to 100", [=] { make_lognormal(us, 0); }},
        {"lognormal: sigma is nan", [=] { make_lognormal(us, std::nan("")); }},
        {"exponential: mean is 0s; it must be from 1ps", [=] { make_exponential(no); }},
        {"gamma: shape is 0; it must be from 0.001 to 1e+06", [=] { make_gamma(0, us); }},
        {"gamma: shape is inf", [=] { make_gamma(HUGE_VAL, us); }},
        {"gamma: mean is 0s", [=] { make_gamma(1, no); }},
        {"weibull: shape is -1", [=] { make_weibull(-1, us); }},
        {"weibull: scale is 0s", [=] { make_weibull(1, no); }},
        {"pareto: shape is 0", [=] { make_pareto(0, us); }},
        {"pareto: minimum is 0s", [=] { make_pareto(1, no); }},
    };
    for (const auto& [expected, make] : bad) {
        const std::string message = message_of(make, error_kind::config);
        EXPECT_NE(message.find(expected), std::string::npos) << expected << " -> " << message;
    }
}

}  // namespace
}  // namespace scmi_vp
