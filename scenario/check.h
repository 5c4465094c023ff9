// SPDX-License-Identifier: Apache-2.0
// What a scenario or a study demands of its results ([[check]]), and whether they hold it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/time.h"
#include "scenario/result_numbers.h"

namespace scmi_vp::scenario {

enum class limit_kind : std::uint8_t { at_most, at_least, equals };
std::string_view key_of(limit_kind k);  ///< "at_most"

struct check_limit {
    limit_kind kind = limit_kind::at_most;
    bool is_time = false;
    double number = 0;  ///< when it is no time
    sim_time time;
    std::string text;   ///< as it was written: "30ms", "5"
    std::string place;  ///< "scenario.toml:12:1: check.0.at_most", for errors
};

/// One demand: of a number that the results hold, or of how many kernel messages have a text.
struct check {
    std::string name;     ///< in lists; as given, or what it checks
    std::string number;   ///< "round_trip.p99"; empty: of messages
    std::string message;  ///< part of a kernel message
    bool absent = false;  ///< no such message
    std::vector<check_limit> limits;
    std::string place, number_place;  ///< of the element, and of `number`
    number_kind kind = number_kind::count;

    /// "at least 1 and at most 5"
    std::string limits_text() const;
};

/// Finds the number of each check among those that the results will hold. Throws scmi_vp::error
/// (config) for a name that is none of them, with the nearest, and for a limit in another unit;
/// `where_listed` says how to print all names.
void resolve_check(check& c, const std::vector<result_number>& known,
                   const std::string& where_listed);

struct check_result {
    std::string name, subject;  ///< subject: "round_trip.p99", "kernel messages with \"timed out\""
    std::string at;             ///< in a study, the point; else empty
    std::string limit, value;   ///< "at most 30ms", "31.2ms"
    bool passed = false;
    /// How far off: the value over the limit, or the reverse; 0 when it passed.
    double excess = 0;
    double json_value = 0;
    std::int64_t whole = 0;  ///< instead, when it is `integral`: picoseconds of hours are exact
    bool has_value = false, integral = false;
    const check* what = nullptr;

    /// "round_trip.p99: 31.2ms; must be at most 30ms"
    std::string sentence() const;
};

/// `messages`: how many kernel messages had its text. Of a rate the bound of the interval counts
/// that the limit is about, since the estimate alone shows nothing.
check_result evaluate(const check& c, const std::vector<result_number>& numbers,
                      std::uint64_t messages);

/// For results: name, number or message, value, limits, passed.
nlohmann::ordered_json json_of(const check_result& r);

/// "3 checks passed", or how many failed and one line for each; nothing without checks.
void print_checks(std::ostream& out, const std::vector<check_result>& results);

bool all_passed(const std::vector<check_result>& results);

}  // namespace scmi_vp::scenario
