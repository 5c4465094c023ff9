// SPDX-License-Identifier: Apache-2.0
// See estimators.h.
#include "studies/results/estimators.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace scmi_vp::studies {
namespace {

double t_quantile(std::size_t units, double confidence) {
    const boost::math::students_t t(static_cast<double>(units - 1));
    return boost::math::quantile(t, 0.5 + confidence / 2);
}

mean_estimate around(double mean, double variance_of_mean, std::size_t units, double confidence) {
    const double half = t_quantile(units, confidence) * std::sqrt(variance_of_mean);
    return {mean, {mean - half, mean + half}, units};
}

/// The same sentence whatever the time: how many per hour that is stands in `incident_rate`.
std::string nothing_seen(const std::string& events, std::size_t n) {
    return "no " + events + " in " +
           (n == 1 ? "the one replication" : std::to_string(n) + " replications") +
           ": with 95% confidence, at most 3 incidents in the time simulated are to be expected";
}

/// Of nothing seen the one-sided bound: 3 over the requests, nearly ("rule of three"). It holds for
/// incidents that come independently of each other and take one request each along.
void add_exact_bounds(rate_estimate& r, std::uint64_t trials) {
    if (trials == 0) {
        r.bounds = {0, 1e6};
        r.bounds_method = "no requests";
        return;
    }
    const interval i = r.count == 0 ? interval{0, zero_count_bound(trials)}
                                    : clopper_pearson(r.count, std::max(r.count, trials));
    r.bounds = {1e6 * i.low, 1e6 * i.high};
    r.bounds_method = (r.count == 0 ? "one-sided exact binomial over " : "exact binomial over ") +
                      std::to_string(trials) + " requests, taken as independent";
}

}  // namespace

mean_estimate t_interval(const std::vector<double>& values, double confidence) {
    const std::size_t n = values.size();
    if (n == 0) return {};
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
    if (n == 1) return {mean, {mean, mean}, 1};
    double squares = 0;
    for (const double v : values) squares += (v - mean) * (v - mean);
    const double count = static_cast<double>(n);
    return around(mean, squares / (count - 1) / count, n, confidence);
}

interval clopper_pearson(std::uint64_t k, std::uint64_t n, double confidence) {
    if (n == 0 || k > n) {
        throw error(error_kind::model, "clopper_pearson: " + std::to_string(k) + " of " +
                                           std::to_string(n) + " trials is no count");
    }
    const double tail = (1 - confidence) / 2;
    const double hits = static_cast<double>(k), misses = static_cast<double>(n - k);
    using boost::math::beta_distribution;
    interval i{0, 1};
    if (k > 0) i.low = boost::math::quantile(beta_distribution<>(hits, misses + 1), tail);
    if (k < n) i.high = boost::math::quantile(beta_distribution<>(hits + 1, misses), 1 - tail);
    return i;
}

double zero_count_bound(std::uint64_t n, double confidence) {
    if (n == 0) return 1;
    return -std::expm1(std::log1p(-confidence) / static_cast<double>(n));
}

interval poisson_interval(std::uint64_t count, double exposure, double confidence) {
    if (!(exposure > 0)) {
        throw error(error_kind::model, "poisson_interval: an exposure that is not above 0");
    }
    using boost::math::chi_squared;
    const double n = static_cast<double>(count);
    if (count == 0) return {0, -std::log1p(-confidence) / exposure};
    const double tail = (1 - confidence) / 2;
    return {boost::math::quantile(chi_squared(2 * n), tail) / 2 / exposure,
            boost::math::quantile(chi_squared(2 * n + 2), 1 - tail) / 2 / exposure};
}

incident_rate incidents_in(std::uint64_t count, double hours) {
    incident_rate r;
    r.count = count;
    r.hours = hours;
    if (!(hours > 0)) return r;
    r.per_hour = static_cast<double>(count) / hours;
    const interval i = poisson_interval(count, hours, r.confidence);
    r.low = i.low;
    r.high = i.high;
    return r;
}

bool tells_quantile(std::uint64_t values, double q) {
    // 1000 values tell 99.9 %, whatever 1 - q is in binary.
    return values > 0 && (q >= 1 || static_cast<double>(values) * (1 - q) > 1 - 1e-9);
}

mean_estimate ratio_of_sums(const std::vector<unit_counts>& units, double confidence) {
    double events = 0, trials = 0;
    for (const unit_counts& u : units) {
        events += static_cast<double>(u.events), trials += static_cast<double>(u.trials);
    }
    if (trials == 0) return {};
    const double ratio = events / trials, n = static_cast<double>(units.size());
    if (units.size() < 2) return {ratio, {ratio, ratio}, units.size()};
    double squares = 0;
    for (const unit_counts& u : units) {
        const double rest = static_cast<double>(u.events) - ratio * static_cast<double>(u.trials);
        squares += rest * rest;
    }
    const double per_unit = trials / n;
    mean_estimate e =
        around(ratio, squares / (n - 1) / n / (per_unit * per_unit), units.size(), confidence);
    e.range.low = std::max(0.0, e.range.low);
    return e;
}

void batch_counts::halve() {
    for (std::size_t i = 0; i < fewest; ++i) {
        const unit_counts &a = batches_[2 * i], &b = batches_[2 * i + 1];
        batches_[i] = {a.events + b.events, a.trials + b.trials};
    }
    std::fill(batches_ + fewest, batches_ + 2 * fewest, unit_counts{});
    ++size_bits_;
}

std::vector<unit_counts> batch_counts::units() const {
    const auto full = [this](const unit_counts& b) { return b.trials >> size_bits_ != 0; };
    const auto end = std::find_if_not(batches_, batches_ + 2 * fewest, full);
    std::vector<unit_counts> all(batches_, end);
    if (end == batches_ + 2 * fewest || all.empty()) return all;
    all.back().events += end->events;
    all.back().trials += end->trials;
    return all;
}

mean_estimate batch_means(const std::vector<double>& values, std::size_t batches,
                          double confidence) {
    if (batches == 0 || values.size() < batches) return t_interval(values, confidence);
    const std::size_t size = values.size() / batches;
    std::vector<double> means;
    auto at = values.end() - static_cast<std::ptrdiff_t>(size * batches);
    for (std::size_t i = 0; i < batches; ++i, at += static_cast<std::ptrdiff_t>(size)) {
        means.push_back(std::accumulate(at, at + static_cast<std::ptrdiff_t>(size), 0.0) /
                        static_cast<double>(size));
    }
    return t_interval(means, confidence);
}

rate_estimate rate_of(const std::vector<unit_counts>& replications,
                      const std::vector<unit_counts>& batches, const std::string& events) {
    rate_estimate r;
    for (const unit_counts& u : replications) r.count += u.events;
    const std::size_t n = replications.size();
    mean_estimate e = ratio_of_sums(replications);
    r.method = "t over " + std::to_string(n) + " replications";
    if (n == 1) {
        r.method = "t over " + std::to_string(batches.size()) + " batches of one replication";
        if (batches.size() >= batch_counts::fewest) e.range = ratio_of_sums(batches).range;
    }
    r.per_million = 1e6 * e.mean;
    r.low = 1e6 * e.range.low;
    r.high = 1e6 * e.range.high;
    if (r.count == 0) {
        r.method =
            "zero count over " + std::to_string(n) + (n == 1 ? " replication" : " replications");
        r.beyond = nothing_seen(events, n);
    } else if (n == 1 && batches.size() < batch_counts::fewest) {
        r.beyond = "too few requests for an interval";
    } else if (r.low == r.high) {
        r.nothing_random = true;
        r.beyond = "the same rate in all " + std::to_string(n == 1 ? batches.size() : n) +
                   (n == 1 ? " batches" : " replications") +
                   ": nothing random decides it, so there is no interval";
    }
    r.bounds = {r.low, r.high};
    std::uint64_t trials = 0;
    for (const unit_counts& u : replications) trials += u.trials;
    // What rounding leaves between equal rates is no width.
    if (r.count == 0 || !(r.high - r.low > 1e-9 * r.per_million)) add_exact_bounds(r, trials);
    return r;
}

}  // namespace scmi_vp::studies
