// SPDX-License-Identifier: Apache-2.0
// See check.h.
#include "scenario/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace scmi_vp::scenario {
namespace {

using nlohmann::ordered_json;

std::string words_of(const check_limit& l) {
    constexpr const char* words[] = {"at most ", "at least ", "exactly "};
    return words[std::size_t(l.kind)] + l.text;
}

std::string plain(double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", x);
    return text;
}

/// -1, 0, 1. Whole numbers exactly, however large.
int compare(const result_number& n, double value, const check_limit& l) {
    if (l.is_time && n.integral) return (n.whole > l.time.ps) - (n.whole < l.time.ps);
    const double limit = l.is_time ? static_cast<double>(l.time.ps) : l.number;
    return (value > limit) - (value < limit);
}

/// The bound that the limit is about, or the number itself.
double bound_of(const result_number& n, limit_kind k) {
    if (n.kind != number_kind::rate) return n.real;
    return k == limit_kind::at_most ? n.high : n.low;
}

bool holds(const result_number& n, const check_limit& l) {
    const int order = compare(n, bound_of(n, l.kind), l);
    if (l.kind == limit_kind::equals) return order == 0;
    return l.kind == limit_kind::at_most ? order <= 0 : order >= 0;
}

double excess_of(const result_number& n, const check_limit& l) {
    const double value = bound_of(n, l.kind);
    const double limit = l.is_time ? static_cast<double>(l.time.ps) : l.number;
    const double high = std::max(value, limit), low = std::min(value, limit);
    // Of what should be none, more is worse.
    return low > 0 ? high / low : 1e6 * (1 + high - low);
}

std::string value_text(const result_number& n, limit_kind k) {
    switch (n.kind) {
        case number_kind::time:
            return to_string(sim_time(n.integral ? n.whole : std::llround(n.real)));
        case number_kind::rate: {
            const std::string side = k == limit_kind::at_most ? "high" : "low";
            return plain(bound_of(n, k)) + " " + n.unit + " (the " + side + " end of its " +
                   plain(100 * n.confidence) + " % interval; the estimate is " + plain(n.real) +
                   ")";
        }
        case number_kind::count:
            break;
    }
    return n.integral ? std::to_string(n.whole) : plain(n.real);
}

const result_number* find(const std::vector<result_number>& numbers, const std::string& name) {
    const auto at = std::find_if(numbers.begin(), numbers.end(),
                                 [&](const result_number& n) { return n.name == name; });
    return at == numbers.end() ? nullptr : &*at;
}

/// A count that the results leave out is zero; of anything else there was nothing to measure.
result_number value_of(const check& c, const std::vector<result_number>& numbers,
                       std::uint64_t messages) {
    result_number n;
    if (c.number.empty()) {
        n.whole = std::int64_t(messages);
        n.real = static_cast<double>(messages);
        return n;
    }
    if (const result_number* found = find(numbers, c.number)) return *found;
    n.kind = c.kind;
    n.known = c.kind == number_kind::count;
    return n;
}

}  // namespace

std::string_view key_of(limit_kind k) {
    constexpr std::string_view keys[] = {"at_most", "at_least", "equals"};
    return keys[std::size_t(k)];
}

std::string check::limits_text() const {
    if (absent) return "absent";
    std::string text;
    for (const check_limit& l : limits) text += (text.empty() ? "" : " and ") + words_of(l);
    return text;
}

void resolve_check(check& c, const std::vector<result_number>& known,
                   const std::string& where_listed) {
    if (c.number.empty()) return;
    const result_number* n = find(known, c.number);
    if (!n) {
        throw error(error_kind::config, c.number_place,
                    "the results have no number '" + c.number + "'" +
                        number_suggestion(c.number, known) + " (" + where_listed + " prints all)");
    }
    c.kind = n->kind;
    for (const check_limit& l : c.limits) {
        if (l.is_time != (n->kind == number_kind::time)) {
            throw error(error_kind::config, l.place,
                        l.is_time ? c.number + " is a number without unit, not a time"
                                  : c.number + " is a time: give the limit a unit, \"30ms\"");
        }
        if (n->kind == number_kind::rate && l.kind == limit_kind::equals) {
            throw error(error_kind::config, l.place,
                        c.number +
                            " is an estimate with an interval, which equals nothing: use "
                            "at_most (compared with its high end) or at_least (with its "
                            "low end)");
        }
    }
}

check_result evaluate(const check& c, const std::vector<result_number>& numbers,
                      std::uint64_t messages) {
    const result_number n = value_of(c, numbers, messages);
    check_result r;
    r.what = &c;
    r.name = c.name;
    r.subject = c.number.empty() ? "kernel messages with \"" + c.message + "\"" : c.number;
    r.limit = c.limits_text();
    r.passed = n.known;
    r.has_value = n.known;
    r.integral = n.integral;
    if (!n.known) {
        r.value = "no value, because there was nothing to measure";
        r.excess = std::numeric_limits<double>::max();
        return r;
    }
    // Shown is the bound of the limit that failed, else of the first.
    limit_kind shown = c.limits.front().kind;
    for (const check_limit& l : c.limits) {
        if (holds(n, l)) continue;
        if (r.passed) shown = l.kind;
        r.passed = false;
        r.excess = std::max(r.excess, excess_of(n, l));
    }
    r.value = value_text(n, shown);
    r.whole = n.integral ? n.whole : 0;
    r.json_value = n.integral ? 0 : bound_of(n, shown);
    return r;
}

std::string check_result::sentence() const {
    const std::string title = name == subject ? "" : name + ": ";
    return title + subject + (at.empty() ? "" : " at " + at) + ": " + value + "; must be " + limit;
}

ordered_json json_of(const check_result& r) {
    ordered_json j{{"name", r.name}};
    const check& c = *r.what;
    if (c.number.empty()) {
        j["message"] = c.message;
    } else {
        j["number"] = c.number;
    }
    const std::string suffix = c.kind == number_kind::time ? "_ps" : "";
    j["value" + suffix] = nullptr;
    if (r.has_value && r.integral) {
        j["value" + suffix] = r.whole;
    } else if (r.has_value && c.kind == number_kind::time) {
        j["value" + suffix] = std::llround(r.json_value);
    } else if (r.has_value) {
        j["value"] = r.json_value;
    }
    for (const check_limit& l : c.limits) {
        const std::string key = std::string(key_of(l.kind)) + suffix;
        if (l.is_time) {
            j[key] = l.time.ps;
        } else if (l.number == std::floor(l.number) && std::abs(l.number) < 1e15) {
            j[key] = std::int64_t(l.number);
        } else {
            j[key] = l.number;
        }
    }
    j["passed"] = r.passed;
    return j;
}

void print_checks(std::ostream& out, const std::vector<check_result>& results) {
    if (results.empty()) return;
    const auto failed = std::count_if(results.begin(), results.end(),
                                      [](const check_result& r) { return !r.passed; });
    const std::string all = std::to_string(results.size());
    const std::string s = results.size() == 1 ? "" : "s";
    out << "\n";
    if (!failed) {
        out << all << " check" << s << " passed\n";
        return;
    }
    out << failed << " of " << all << " check" << s << " failed:\n";
    for (const check_result& r : results) {
        if (!r.passed) out << "  FAILED " << r.sentence() << "\n";
    }
}

bool all_passed(const std::vector<check_result>& results) {
    return std::all_of(results.begin(), results.end(),
                       [](const check_result& r) { return r.passed; });
}

}  // namespace scmi_vp::scenario
