// SPDX-License-Identifier: Apache-2.0
// What the distributions share: rounding, range checks, numbers as text. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>

#include "base/distribution.h"
#include "base/time.h"

namespace scmi_vp::distribution_detail {

/// Nearest picosecond, cut to [0, longest_span]. Not std::llround: that is a call, and this is in
/// the path of every draw. (Casting truncates; the difference to the truncated value is exact.)
inline sim_time to_span(double ps) {
    if (!(ps > 0)) return sim_time();
    if (!(ps < static_cast<double>(longest_span.ps))) return longest_span;
    const auto whole = static_cast<std::int64_t>(ps);
    return sim_time(whole + (ps - static_cast<double>(whole) >= 0.5 ? 1 : 0));
}

/// Everything below this rounds to t or less: where a CDF of whole picoseconds looks at the
/// continuous one.
inline double upper_edge(sim_time t) {
    return static_cast<double>(t.ps) + 0.5;
}

[[noreturn]] void refuse_probability(double u);

inline void check_probability(double u) {
    if (!(u > 0 && u < 1)) refuse_probability(u);
}

/// Throws scmi_vp::error (config) "<maker>: <parameter> <problem>".
[[noreturn]] void refuse(const char* maker, const std::string& parameter,
                         const std::string& problem);

/// Refuses spans outside [least, longest_span].
void check_span(const char* maker, const char* parameter, sim_time value,
                sim_time least = sim_time());

/// Refuses numbers outside [least, most], and NaN.
void check_number(const char* maker, const std::string& parameter, double value, double least,
                  double most);

/// The shortest text that reads back as the same double.
std::string number_text(double value);

}  // namespace scmi_vp::distribution_detail
