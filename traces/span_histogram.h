// SPDX-License-Identifier: Apache-2.0
// Spans counted in buckets whose width grows with their value: quantiles within 1/128 of the exact
// ones, in fixed memory, however many are counted (after HdrHistogram).
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace scmi_vp::traces {

/// An exact sum of spans that does not overflow (a picosecond count in 64 bits would after 213
/// days).
class span_sum {
public:
    void add(sim_time t) {
        picoseconds_ += static_cast<std::uint64_t>(t.ps);
        if (picoseconds_ >= carry_at) carry();
    }
    void merge(const span_sum& o);

    std::uint64_t whole_seconds() const;
    std::uint64_t rest_picoseconds() const;  ///< < 10^12
    static span_sum from(std::uint64_t whole_seconds, std::uint64_t rest_picoseconds);

    /// Rounded to the nearest picosecond; 0 for n = 0.
    sim_time mean(std::uint64_t n) const;
    double as_seconds() const;

private:
    static constexpr std::uint64_t second = 1'000'000'000'000;
    static constexpr std::uint64_t carry_at = std::uint64_t(1) << 62;
    void carry();

    std::uint64_t seconds_ = 0, picoseconds_ = 0;
};

/// Counts spans >= 0. A value, about 58 KB.
class span_histogram {
public:
    /// A bucket: the largest span that falls into it, and how many did.
    using bucket = std::pair<sim_time, std::uint64_t>;

    /// A negative span counts as 0 (no caller has any: hops are checked to be positive).
    void add(sim_time t) {
        if (t.ps < 0) t = sim_time{};
        ++counts_[index_of(static_cast<std::uint64_t>(t.ps))];
        ++count_;
        sum_.add(t);
        if (t < min_) min_ = t;
        if (t > max_) max_ = t;
    }

    void merge(const span_histogram& o);

    std::uint64_t count() const { return count_; }
    sim_time min() const { return count_ ? min_ : sim_time{}; }  ///< exact
    sim_time max() const { return max_; }                        ///< exact
    sim_time mean() const { return sum_.mean(count_); }          ///< exact
    const span_sum& sum() const { return sum_; }

    /// The smallest span that at least the fraction q of all spans do not exceed (nearest rank),
    /// rounded up by less than 1/128; never beyond max(). 0 <= q <= 1; 0 without spans.
    sim_time quantile(double q) const;

    /// How many spans lie in buckets that end above t: more than t, give or take one bucket.
    std::uint64_t count_above(sim_time t) const;

    /// The buckets that are not empty, ascending.
    std::vector<bucket> occupied() const;

    /// The histogram that occupied(), min(), max() and sum() were taken from. Throws
    /// scmi_vp::error (input) when they cannot be of one histogram.
    static span_histogram from(const std::vector<bucket>& occupied, sim_time min, sim_time max,
                               const span_sum& sum);

    /// The largest span in the bucket of t.
    static sim_time bucket_end(sim_time t);

private:
    static constexpr unsigned sub_bits = 7;  ///< 128 buckets for each power of two
    static constexpr std::uint64_t sub_count = std::uint64_t(1) << sub_bits;
    static constexpr std::size_t bucket_count = (63 - sub_bits + 1) * sub_count;

    /// Below 128 each value has a bucket; above, the eight leading bits name it.
    static std::size_t index_of(std::uint64_t v) {
        if (v < sub_count) return static_cast<std::size_t>(v);
        const unsigned shift = 63u - static_cast<unsigned>(__builtin_clzll(v)) - sub_bits;
        return static_cast<std::size_t>((std::uint64_t(shift) << sub_bits) + (v >> shift));
    }
    static sim_time end_of(std::size_t index);

    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t count_ = 0;
    span_sum sum_;
    sim_time min_ = sim_time::max(), max_;
};

}  // namespace scmi_vp::traces
