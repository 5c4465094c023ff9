// SPDX-License-Identifier: Apache-2.0
// The one time type: simulated instants and spans as integer picoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scmi_vp {

/// An instant since the start of the simulation, or a span; integer picoseconds. Range: +-106 days.
struct sim_time {
    std::int64_t ps = 0;

    constexpr sim_time() = default;
    constexpr explicit sim_time(std::int64_t picoseconds) : ps(picoseconds) {}

    static constexpr sim_time max() { return sim_time(INT64_MAX); }

    constexpr sim_time& operator+=(sim_time o) { return ps += o.ps, *this; }
    constexpr sim_time& operator-=(sim_time o) { return ps -= o.ps, *this; }
    friend constexpr sim_time operator+(sim_time a, sim_time b) { return sim_time(a.ps + b.ps); }
    friend constexpr sim_time operator-(sim_time a, sim_time b) { return sim_time(a.ps - b.ps); }
    friend constexpr sim_time operator*(sim_time a, std::int64_t n) { return sim_time(a.ps * n); }
    friend constexpr std::int64_t operator/(sim_time a, sim_time b) { return a.ps / b.ps; }
    friend constexpr bool operator==(sim_time a, sim_time b) { return a.ps == b.ps; }
    friend constexpr bool operator!=(sim_time a, sim_time b) { return a.ps != b.ps; }
    friend constexpr bool operator<(sim_time a, sim_time b) { return a.ps < b.ps; }
    friend constexpr bool operator<=(sim_time a, sim_time b) { return a.ps <= b.ps; }
    friend constexpr bool operator>(sim_time a, sim_time b) { return a.ps > b.ps; }
    friend constexpr bool operator>=(sim_time a, sim_time b) { return a.ps >= b.ps; }
};

constexpr sim_time picoseconds(std::int64_t n) {
    return sim_time(n);
}
constexpr sim_time nanoseconds(std::int64_t n) {
    return sim_time(n * 1'000);
}
constexpr sim_time microseconds(std::int64_t n) {
    return sim_time(n * 1'000'000);
}
constexpr sim_time milliseconds(std::int64_t n) {
    return sim_time(n * 1'000'000'000);
}
constexpr sim_time seconds(std::int64_t n) {
    return sim_time(n * 1'000'000'000'000);
}

/// The shortest exact decimal form with a unit: "0s", "30ms", "1.5us", "28.928us", "-3ps".
std::string to_string(sim_time t);

/// Reads a decimal number followed by ps, ns, us, ms, s, min or h ("30ms", "1.5 us").
/// Throws scmi_vp::error (error_kind::config) for a missing or unknown unit, a fraction of a
/// picosecond, or a value out of range; the message names the units.
sim_time parse_time(std::string_view text);

}  // namespace scmi_vp
