// SPDX-License-Identifier: Apache-2.0
// See span_histogram.h.
#include "traces/span_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace scmi_vp::traces {

void span_sum::carry() {
    seconds_ += picoseconds_ / second;
    picoseconds_ %= second;
}

void span_sum::merge(const span_sum& o) {
    carry();
    seconds_ += o.whole_seconds();
    picoseconds_ += o.rest_picoseconds();
    carry();
}

std::uint64_t span_sum::whole_seconds() const {
    return seconds_ + picoseconds_ / second;
}

std::uint64_t span_sum::rest_picoseconds() const {
    return picoseconds_ % second;
}

span_sum span_sum::from(std::uint64_t whole_seconds, std::uint64_t rest_picoseconds) {
    span_sum s;
    s.seconds_ = whole_seconds;
    s.picoseconds_ = rest_picoseconds;
    s.carry();
    return s;
}

sim_time span_sum::mean(std::uint64_t n) const {
    if (n == 0) return sim_time{};
    // The seconds' remainder is below n, its picoseconds below n * 10^12: 128 bits hold that.
    using wide = unsigned __int128;
    const wide rest = wide(whole_seconds() % n) * second + rest_picoseconds();
    const wide each = wide(whole_seconds() / n) * second + (rest + n / 2) / n;
    const wide most = static_cast<std::uint64_t>(sim_time::max().ps);
    return sim_time(static_cast<std::int64_t>(std::min(each, most)));
}

double span_sum::as_seconds() const {
    return static_cast<double>(whole_seconds()) + static_cast<double>(rest_picoseconds()) * 1e-12;
}

void span_histogram::merge(const span_histogram& o) {
    for (std::size_t i = 0; i < bucket_count; ++i) counts_[i] += o.counts_[i];
    count_ += o.count_;
    sum_.merge(o.sum_);
    min_ = std::min(min_, o.min_);
    max_ = std::max(max_, o.max_);
}

sim_time span_histogram::quantile(double q) const {
    if (count_ == 0) return sim_time{};
    const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
    const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rank));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(end_of(i), max_);
    }
    return max_;
}

std::uint64_t span_histogram::count_above(sim_time t) const {
    if (t.ps < 0) return count_;
    std::uint64_t above = 0;
    for (std::size_t i = index_of(static_cast<std::uint64_t>(t.ps)) + 1; i < bucket_count; ++i) {
        above += counts_[i];
    }
    return above;
}

std::vector<span_histogram::bucket> span_histogram::occupied() const {
    std::vector<bucket> all;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        if (counts_[i]) all.emplace_back(end_of(i), counts_[i]);
    }
    return all;
}

span_histogram span_histogram::from(const std::vector<bucket>& occupied, sim_time min, sim_time max,
                                    const span_sum& sum) {
    span_histogram h;
    for (const auto& [end, n] : occupied) {
        if (end.ps < 0 || end != bucket_end(end)) {
            throw error(error_kind::input, "histogram",
                        to_string(end) + " is not the end of a bucket; was the file edited?");
        }
        h.counts_[index_of(static_cast<std::uint64_t>(end.ps))] += n;
        h.count_ += n;
    }
    const bool fits = occupied.empty() ||
                      (min <= max && min.ps >= 0 && bucket_end(min) == occupied.front().first &&
                       bucket_end(max) == occupied.back().first);
    if (!fits) {
        throw error(error_kind::input, "histogram",
                    "its least and largest span, " + to_string(min) + " and " + to_string(max) +
                        ", do not lie in its first and last bucket; was the file edited?");
    }
    if (occupied.empty()) return h;
    h.min_ = min;
    h.max_ = max;
    h.sum_ = sum;
    return h;
}

sim_time span_histogram::bucket_end(sim_time t) {
    return end_of(index_of(static_cast<std::uint64_t>(std::max<std::int64_t>(t.ps, 0))));
}

sim_time span_histogram::end_of(std::size_t index) {
    if (index < 2 * sub_count) return sim_time(static_cast<std::int64_t>(index));
    const std::uint64_t shift = (index >> sub_bits) - 1;
    const std::uint64_t leading = sub_count + (index & (sub_count - 1));
    return sim_time(static_cast<std::int64_t>(((leading + 1) << shift) - 1));
}

}  // namespace scmi_vp::traces
