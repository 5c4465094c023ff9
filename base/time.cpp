// SPDX-License-Identifier: Apache-2.0
// Spans as text, both ways, exact to the picosecond.
#include "base/time.h"

#include <array>

#include "base/error.h"

namespace scmi_vp {
namespace {

struct time_unit {
    std::string_view name;
    std::uint64_t ps;
    int decimals;  // zeros of a power of ten; 0 for units that to_string does not use
};

constexpr std::array<time_unit, 7> units{{{"h", 3'600'000'000'000'000, 0},
                                          {"min", 60'000'000'000'000, 0},
                                          {"s", 1'000'000'000'000, 12},
                                          {"ms", 1'000'000'000, 9},
                                          {"us", 1'000'000, 6},
                                          {"ns", 1'000, 3},
                                          {"ps", 1, 0}}};
constexpr std::string_view unit_names = "ps, ns, us, ms, s, min or h";

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits;
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw error(error_kind::config, "'" + std::string(text) + "': " + why);
}

const time_unit& unit_named(std::string_view name, std::string_view text) {
    for (const time_unit& unit : units) {
        if (unit.name == name) return unit;
    }
    if (name.empty()) {
        refuse(text, "a time needs a unit; write " + std::string(text) + "us, for example (" +
                         std::string(unit_names) + ")");
    }
    refuse(text, "unknown unit '" + std::string(name) + "'; use " + std::string(unit_names));
}

std::uint64_t whole_ps(std::string_view digits, const time_unit& unit, std::string_view text) {
    std::uint64_t number = 0;
    for (char c : digits) {
        if (__builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, static_cast<unsigned>(c - '0'), &number)) {
            refuse(text, "out of range; a time is at most 106 days");
        }
    }
    if (__builtin_mul_overflow(number, unit.ps, &number)) {
        refuse(text, "out of range; a time is at most 106 days");
    }
    return number;
}

// From the last digit to the first: the sum is whole exactly if every step is (the last digit that
// is left decides whether what remains is divisible by ten).
std::uint64_t fraction_ps(std::string_view digits, const time_unit& unit, std::string_view text) {
    std::uint64_t ps = 0;
    for (auto c = digits.rbegin(); c != digits.rend(); ++c) {
        ps += static_cast<std::uint64_t>(*c - '0') * unit.ps;
        if (ps % 10 != 0) refuse(text, "finer than a picosecond, the resolution of simulated time");
        ps /= 10;
    }
    return ps;
}

}  // namespace

std::string to_string(sim_time t) {
    if (t.ps == 0) return "0s";
    const bool negative = t.ps < 0;
    const std::uint64_t magnitude =
        negative ? 0 - static_cast<std::uint64_t>(t.ps) : static_cast<std::uint64_t>(t.ps);
    const time_unit* unit = &units[2];  // seconds: minutes and hours are for input only
    while (magnitude < unit->ps) ++unit;

    std::string text = (negative ? "-" : "") + std::to_string(magnitude / unit->ps);
    if (std::uint64_t rest = magnitude % unit->ps) {
        std::string fraction = std::to_string(rest);
        fraction.insert(0, static_cast<std::size_t>(unit->decimals) - fraction.size(), '0');
        fraction.erase(fraction.find_last_not_of('0') + 1);
        text += "." + fraction;
    }
    return text + std::string(unit->name);
}

sim_time parse_time(std::string_view text) {
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest.front() == '-';
    if (negative) rest.remove_prefix(1);
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    bool well_formed = !whole.empty();
    if (well_formed && !rest.empty() && rest.front() == '.') {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
        well_formed = !fraction.empty();
    }
    if (!well_formed) {
        refuse(text, "not a time; write a decimal number and a unit (" + std::string(unit_names) +
                         "), for example 1.5us");
    }
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    const time_unit& unit = unit_named(rest, text);

    std::uint64_t ps = whole_ps(whole, unit, text);
    const std::uint64_t largest = static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (__builtin_add_overflow(ps, fraction_ps(fraction, unit, text), &ps) || ps > largest) {
        refuse(text, "out of range; a time is at most 106 days");
    }
    return sim_time(static_cast<std::int64_t>(negative ? 0 - ps : ps));
}

}  // namespace scmi_vp
