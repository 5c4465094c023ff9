// SPDX-License-Identifier: Apache-2.0
// The numbers that results hold, by name: made from the results themselves, so that there is no
// second list. "round_trip_ps": { "p99": ... } is the time round_trip.p99, "tasks": [ { "name":
// "poller", "calls": ... } ] the count tasks.poller.calls; an object with `low` and `high` is a
// rate with its interval.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace scmi_vp::scenario {

enum class number_kind : std::uint8_t {
    count,
    time,  ///< picoseconds
    rate,  ///< an estimate with an interval
};

struct result_number {
    std::string name;
    number_kind kind = number_kind::count;
    /// False: nothing was measured that it could be taken from (a quantile of no requests).
    bool known = true;
    bool integral = true;
    std::int64_t whole = 0;                    ///< when integral
    double real = 0;                           ///< always
    double low = 0, high = 0, confidence = 0;  ///< of a rate
    std::string unit;                          ///< of a rate: "per million"
};

/// All of them, in the order of the results. What describes the run instead of its outcome (seed,
/// format, numbers of requests) is left out.
std::vector<result_number> numbers_of(const nlohmann::ordered_json& results);

/// ", did you mean X?" for a name that is none of them, or those that sound like it.
std::string number_suggestion(const std::string& name, const std::vector<result_number>& known);

}  // namespace scmi_vp::scenario
