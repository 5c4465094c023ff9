// SPDX-License-Identifier: Apache-2.0
// Latency distributions, sampled by inverse CDF so that gcc and clang draw the same numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace scmi_vp {

/// The longest span a distribution gives (26.7 days), so that four of them add up without overflow.
inline constexpr sim_time longest_span = sim_time(sim_time::max().ps / 4);

/// A distribution of non-negative spans. Immutable; share it.
class distribution {
public:
    virtual ~distribution() = default;

    /// The smallest t with CDF(t) >= u, rounded to the nearest picosecond, never negative. A span
    /// above longest_span is cut there. Throws scmi_vp::error (model) if u is not in (0, 1).
    virtual sim_time quantile(double u) const = 0;

    /// The probability that a draw, in whole picoseconds, is at most t. (By bisection of quantile()
    /// unless a distribution knows better; all of the makers below do.)
    virtual double cdf(sim_time t) const;

    /// A draw from `stream`. A recorded list gives its n-th value, n being the stream's index; a
    /// constant draws nothing; a mixture draws one number for the part and then samples the part;
    /// everything else draws one number.
    virtual sim_time sample(random_stream& stream) const { return quantile(stream.next_unit()); }

    /// One line for reports: "normal(mean 50us, sd 5us, at least 0)".
    virtual std::string describe() const = 0;

    /// The value if it is the same for every draw (then no random number is used).
    virtual const sim_time* constant() const { return nullptr; }
};

using distribution_ptr = std::shared_ptr<const distribution>;

/// What happens past the last bin of a histogram that counted overflows (cyclictest does not say
/// how long those samples were).
enum class histogram_overflow {
    drop,     ///< they are ignored: the tail is cut
    at_max,   ///< each lasts the recorded maximum
    uniform,  ///< uniform between the end of the histogram and the recorded maximum
    fit,      ///< between the same two, the longest at the maximum, the others falling off (or
              ///< rising) exponentially such that the recorded average is met: of all distributions
              ///< with that range and mean the one of greatest entropy
};

/// One bin: samples in [low, low + width).
struct histogram_bin {
    sim_time low;
    std::uint64_t count = 0;
    sim_time width = sim_time(-1);  ///< negative: the histogram's; 0: all samples are at low
};

struct histogram {
    sim_time width;                   ///< of every bin that has none of its own
    std::vector<histogram_bin> bins;  ///< ascending, only bins with count > 0
    std::uint64_t overflows = 0;      ///< samples beyond the last representable bin
    sim_time max{};    ///< the largest sample that was seen, if known, else the end of the last bin
    sim_time limit{};  ///< where overflows begin; 0: at the end of the last bin
    sim_time mean{};   ///< the recorded average of all samples, overflows included; 0: not known

    sim_time end_of(const histogram_bin& b) const {
        return b.low + (b.width < sim_time() ? width : b.width);
    }
};

/// Makers. All throw scmi_vp::error (config) for parameters out of range, naming the parameter. No
/// span may be negative or above longest_span, except a normal's mean, which may lie as far as five
/// standard deviations below zero.
distribution_ptr make_constant(sim_time value);
distribution_ptr make_uniform(sim_time low, sim_time high);  ///< low <= high
distribution_ptr make_normal(sim_time mean,
                             sim_time sd);  ///< conditioned on >= 0 (truncated at zero)
distribution_ptr make_lognormal(sim_time median, double sigma);  ///< sd of ln(t): 1e-6 to 100
distribution_ptr make_exponential(sim_time mean);                ///< mean > 0
distribution_ptr make_gamma(double shape, sim_time mean);        ///< shape 0.001 to 1e6
distribution_ptr make_weibull(double shape, sim_time scale);     ///< shape 0.001 to 1e6
distribution_ptr make_pareto(double shape, sim_time minimum);  ///< shape 0.001 to 1e6, minimum > 0

/// Weights > 0, of any sum. quantile() inverts the mixture's CDF by bisection and is not for hot
/// paths; sample() chooses the part with a number of its own, so that a part of tiny weight keeps
/// its whole tail. A recorded list cannot be a part.
distribution_ptr make_mixture(std::vector<std::pair<double, distribution_ptr>> parts);

/// At least one count; uniform inside a bin. `fit` needs a mean that overflows between limit and
/// max can have.
distribution_ptr make_histogram(const histogram& h, histogram_overflow overflow);
/// What becomes of its overflows: "at 35.773ms", "uniform up to 35.773ms", "dropped".
std::string describe_overflows(const histogram& h, histogram_overflow overflow);
/// The mean of make_histogram(h, overflow). Of the same arguments, which it refuses alike.
sim_time mean_of(const histogram& h, histogram_overflow overflow);

/// Plays recorded values in order, once per draw; `repeat` starts again at the end, otherwise the
/// last value goes on for ever. Each user has its own position (the stream's index). quantile() and
/// cdf() are those of the list as a set.
distribution_ptr make_recorded(std::vector<sim_time> values, bool repeat);

/// A distribution bound to the stream of its user: what an injection point holds.
class latency {
public:
    latency() : latency(make_constant(sim_time{}), random_stream(0, "", "")) {}
    latency(distribution_ptr d, random_stream stream)
        : distribution_(std::move(d)), stream_(stream) {
        if (const sim_time* c = distribution_->constant()) constant_ = *c, is_constant_ = true;
    }

    sim_time next() { return __builtin_expect(is_constant_, 1) ? constant_ : draw(); }
    bool is_zero() const { return is_constant_ && constant_ == sim_time{}; }
    const scmi_vp::distribution& shape() const { return *distribution_; }

private:
    [[gnu::noinline]] sim_time draw() { return distribution_->sample(stream_); }

    distribution_ptr distribution_;
    random_stream stream_;
    sim_time constant_;
    bool is_constant_ = false;
};

}  // namespace scmi_vp
