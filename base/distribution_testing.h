// SPDX-License-Identifier: Apache-2.0
// For tests: the Kolmogorov-Smirnov distance of samples from a CDF, and messages of errors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "base/error.h"
#include "base/random.h"

namespace scmi_vp::testing_tools {

inline std::vector<sim_time> draw(const distribution& d, std::size_t n, const char* name) {
    random_stream stream(2024, name, "test");
    std::vector<sim_time> samples;
    for (std::size_t i = 0; i < n; ++i) samples.push_back(d.sample(stream));
    return samples;
}

/// sqrt(n) times the largest distance between the samples' CDF and `cdf`, a function of real
/// picoseconds. Above 1.95 for one in a thousand sets of samples that do follow `cdf`.
template <class Cdf>
double ks_distance(std::vector<sim_time> samples, const Cdf& cdf) {
    std::sort(samples.begin(), samples.end());
    const double n = static_cast<double>(samples.size());
    double distance = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double p = cdf(static_cast<double>(samples[i].ps));
        distance = std::max(distance, std::abs(p - static_cast<double>(i) / n));
        distance = std::max(distance, std::abs(p - static_cast<double>(i + 1) / n));
    }
    return distance * std::sqrt(n);
}

inline double mean_of(const std::vector<sim_time>& samples) {
    double sum = 0;
    for (sim_time t : samples) sum += static_cast<double>(t.ps);
    return sum / static_cast<double>(samples.size());
}

/// The message and the kind of the error that f throws; "" if it throws none.
template <class F>
std::string message_of(const F& f, error_kind expected) {
    try {
        f();
    } catch (const error& e) {
        return e.kind() == expected ? e.what() : std::string("wrong kind: ") + e.what();
    }
    return "";
}

}  // namespace scmi_vp::testing_tools
