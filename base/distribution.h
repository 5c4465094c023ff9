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

/// A distribution of non-negative spans. Immutable; share it.
class distribution {
public:
    virtual ~distribution() = default;

    /// The smallest t with CDF(t) >= u, for u in (0, 1), rounded to the nearest picosecond, never
    /// negative. A span above sim_time::max()/4 is cut there.
    virtual sim_time quantile(double u) const = 0;

    /// The n-th value of a recorded list; everything else draws from `stream`.
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
    uniform,  ///< uniform between the last bin and the recorded maximum
};

/// One bin: samples in [low, low + width).
struct histogram_bin {
    sim_time low;
    std::uint64_t count = 0;
};

struct histogram {
    sim_time width;                   ///< of every bin
    std::vector<histogram_bin> bins;  ///< ascending, only bins with count > 0
    std::uint64_t overflows = 0;      ///< samples beyond the last representable bin
    sim_time max;                     ///< the largest sample that was seen, if known, else the end of the last bin
};

/// Makers. All throw scmi_vp::error (config) for parameters out of range, naming the parameter.
distribution_ptr make_constant(sim_time value);
distribution_ptr make_uniform(sim_time low, sim_time high);        ///< low <= high
distribution_ptr make_normal(sim_time mean, sim_time sd);          ///< conditioned on >= 0 (truncated at zero)
distribution_ptr make_lognormal(sim_time median, double sigma);    ///< sigma > 0: sd of ln(t)
distribution_ptr make_exponential(sim_time mean);                  ///< mean > 0
distribution_ptr make_gamma(double shape, sim_time mean);          ///< shape > 0
distribution_ptr make_weibull(double shape, sim_time scale);       ///< shape > 0
distribution_ptr make_pareto(double shape, sim_time minimum);      ///< shape > 0, minimum > 0
distribution_ptr make_mixture(std::vector<std::pair<double, distribution_ptr>> parts);  ///< weights > 0
distribution_ptr make_histogram(histogram h, histogram_overflow overflow);  ///< at least one count; uniform inside a bin

/// Plays recorded values in order, once per draw; `repeat` starts again at the end, otherwise the
/// last value goes on for ever. Each user has its own position (the stream's index).
distribution_ptr make_recorded(std::vector<sim_time> values, bool repeat);

/// A distribution bound to the stream of its user: what an injection point holds.
class latency {
public:
    latency() : latency(make_constant(sim_time{}), random_stream(0, "", "")) {}
    latency(distribution_ptr d, random_stream stream)
        : distribution_(std::move(d)), stream_(stream) {
        if (const sim_time* c = distribution_->constant()) constant_ = *c, is_constant_ = true;
    }

    sim_time next() { return is_constant_ ? constant_ : distribution_->sample(stream_); }
    bool is_zero() const { return is_constant_ && constant_ == sim_time{}; }
    const scmi_vp::distribution& shape() const { return *distribution_; }

private:
    distribution_ptr distribution_;
    random_stream stream_;
    sim_time constant_;
    bool is_constant_ = false;
};

}  // namespace scmi_vp
