// SPDX-License-Identifier: Apache-2.0
// Distributions with a formula: uniform, normal, lognormal, exponential, gamma, Weibull, Pareto.
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "base/distribution.h"
#include "base/distribution_detail.h"
#include "base/error.h"

namespace scmi_vp {
namespace {

using namespace distribution_detail;

// Doubles stay doubles: with x87 or 128-bit long doubles in between, machines would differ.
namespace policies = boost::math::policies;
using exact_policy =
    policies::policy<policies::promote_double<false>, policies::promote_float<false>,
                     policies::overflow_error<policies::ignore_error>,
                     policies::underflow_error<policies::ignore_error>>;

constexpr double sqrt2 = 1.41421356237309504880;

// A shape has quantile(u) and cdf(t) over real picoseconds, and describe(). This turns it into a
// distribution of whole ones; one virtual call per draw, the rest is inline.
template <class Shape>
class continuous_distribution final : public distribution {
public:
    explicit continuous_distribution(const Shape& shape) : shape_(shape) {}

    sim_time quantile(double u) const override {
        check_probability(u);
        return to_span(shape_.quantile(u));
    }
    sim_time sample(random_stream& stream) const override {
        return to_span(shape_.quantile(stream.next_unit()));
    }
    double cdf(sim_time t) const override {
        if (t < sim_time()) return 0;
        if (t >= longest_span) return 1;
        return std::clamp(shape_.cdf(upper_edge(t)), 0.0, 1.0);
    }
    std::string describe() const override { return shape_.describe(); }

private:
    Shape shape_;
};

template <class Shape>
distribution_ptr make_continuous(const Shape& shape) {
    return std::make_shared<continuous_distribution<Shape>>(shape);
}

double real(sim_time t) {
    return static_cast<double>(t.ps);
}

// P(Z > z) of a standard normal and its inverse. Upper tails throughout: they keep their precision
// far out, which 1 - P does not.
double normal_tail(double z) {
    return 0.5 * std::erfc(z / sqrt2);
}
double normal_tail_inverse(double p) {
    return sqrt2 * boost::math::erfc_inv(2 * p, exact_policy());
}
// The z with P(Z <= z) = u; 1 - u is exact on the grid of random_stream::next_unit.
double normal_quantile(double u) {
    return u < 0.5 ? -normal_tail_inverse(u) : normal_tail_inverse(1 - u);
}

struct uniform_shape {
    sim_time low, high;

    double quantile(double u) const { return real(low) + u * real(high - low); }
    double cdf(double t) const { return (t - real(low)) / real(high - low); }
    std::string describe() const {
        return "uniform(" + to_string(low) + " to " + to_string(high) + ")";
    }
};

// Conditioned on >= 0: of the tail above zero, the part 1 - u lies above the quantile.
struct normal_shape {
    normal_shape(sim_time mean_span, sim_time sd_span)
        : mean(real(mean_span)),
          sd(real(sd_span)),
          below_zero(normal_tail(mean / sd)),
          above_zero(normal_tail(-mean / sd)),
          text("normal(mean " + to_string(mean_span) + ", sd " + to_string(sd_span) +
               ", at least 0)") {}

    double quantile(double u) const {
        const double above = (1 - u) * above_zero;
        if (above < 0.5) return mean + sd * normal_tail_inverse(above);
        return mean - sd * normal_tail_inverse(below_zero + u * above_zero);
    }
    double cdf(double t) const { return 1 - normal_tail((t - mean) / sd) / above_zero; }
    std::string describe() const { return text; }

    double mean, sd;
    double below_zero, above_zero;  // probabilities before the condition
    std::string text;
};

struct lognormal_shape {
    sim_time median;
    double sigma;

    double quantile(double u) const { return real(median) * std::exp(sigma * normal_quantile(u)); }
    double cdf(double t) const { return normal_tail(-std::log(t / real(median)) / sigma); }
    std::string describe() const {
        return "lognormal(median " + to_string(median) + ", sigma " + number_text(sigma) + ")";
    }
};

struct exponential_shape {
    sim_time mean;

    double quantile(double u) const { return -real(mean) * std::log(1 - u); }
    double cdf(double t) const { return -std::expm1(-t / real(mean)); }
    std::string describe() const { return "exponential(mean " + to_string(mean) + ")"; }
};

struct gamma_shape {
    double shape;
    sim_time mean;

    double quantile(double u) const {
        try {
            const double x = u < 0.5 ? boost::math::gamma_p_inv(shape, u, exact_policy())
                                     : boost::math::gamma_q_inv(shape, 1 - u, exact_policy());
            return x / shape * real(mean);
        } catch (const std::exception& e) {
            throw error(error_kind::model,
                        describe() + ", quantile of " + number_text(u) + ": " + e.what());
        }
    }
    double cdf(double t) const {
        return boost::math::gamma_p(shape, t / real(mean) * shape, exact_policy());
    }
    std::string describe() const {
        return "gamma(shape " + number_text(shape) + ", mean " + to_string(mean) + ")";
    }
};

struct weibull_shape {
    double shape;
    sim_time scale;

    double quantile(double u) const { return real(scale) * std::pow(-std::log(1 - u), 1 / shape); }
    double cdf(double t) const { return -std::expm1(-std::pow(t / real(scale), shape)); }
    std::string describe() const {
        return "weibull(shape " + number_text(shape) + ", scale " + to_string(scale) + ")";
    }
};

struct pareto_shape {
    double shape;
    sim_time minimum;

    double quantile(double u) const { return real(minimum) * std::pow(1 - u, -1 / shape); }
    double cdf(double t) const { return 1 - std::pow(real(minimum) / t, shape); }
    std::string describe() const {
        return "pareto(shape " + number_text(shape) + ", minimum " + to_string(minimum) + ")";
    }
};

// Shapes and sigmas outside this are slips: everything would be 0 or longest_span, or constant.
constexpr double least_shape = 1e-3;
constexpr double most_shape = 1e6;

}  // namespace

distribution_ptr make_uniform(sim_time low, sim_time high) {
    check_span("uniform", "low", low);
    check_span("uniform", "high", high, low);
    if (low == high) return make_constant(low);
    return make_continuous(uniform_shape{low, high});
}

distribution_ptr make_normal(sim_time mean, sim_time sd) {
    check_span("normal", "sd", sd);
    // Further below zero the condition keeps less than 3e-7 of the curve and what is left is
    // nearly an exponential: not what somebody who writes "normal" means.
    if (mean < sim_time() && real(mean) < -5 * real(sd)) {
        refuse("normal", "mean",
               "is " + to_string(mean) +
                   ", more than 5 sd below zero, and spans are not "
                   "negative; use exponential for a decaying tail");
    }
    if (mean > longest_span) check_span("normal", "mean", mean);
    if (sd == sim_time()) return make_constant(mean);
    return make_continuous(normal_shape(mean, sd));
}

distribution_ptr make_lognormal(sim_time median, double sigma) {
    check_span("lognormal", "median", median, picoseconds(1));
    check_number("lognormal", "sigma", sigma, 1e-6, 100);
    return make_continuous(lognormal_shape{median, sigma});
}

distribution_ptr make_exponential(sim_time mean) {
    check_span("exponential", "mean", mean, picoseconds(1));
    return make_continuous(exponential_shape{mean});
}

distribution_ptr make_gamma(double shape, sim_time mean) {
    check_number("gamma", "shape", shape, least_shape, most_shape);
    check_span("gamma", "mean", mean, picoseconds(1));
    return make_continuous(gamma_shape{shape, mean});
}

distribution_ptr make_weibull(double shape, sim_time scale) {
    check_number("weibull", "shape", shape, least_shape, most_shape);
    check_span("weibull", "scale", scale, picoseconds(1));
    return make_continuous(weibull_shape{shape, scale});
}

distribution_ptr make_pareto(double shape, sim_time minimum) {
    check_number("pareto", "shape", shape, least_shape, most_shape);
    check_span("pareto", "minimum", minimum, picoseconds(1));
    return make_continuous(pareto_shape{shape, minimum});
}

}  // namespace scmi_vp
