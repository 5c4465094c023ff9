// SPDX-License-Identifier: Apache-2.0
// See check_value.h.
#include "scenario/check_value.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/distribution.h"

namespace scmi_vp::scenario {
namespace {

std::string one_line(const value& v) {
    std::string s = v.text();
    if (s.empty()) v.refuse("is empty");
    const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    if (std::any_of(s.begin(), s.end(), control)) v.refuse("has a control character or two lines");
    return s;
}

void add_limit(check& c, limit_kind kind, const value& v) {
    check_limit l;
    l.kind = kind;
    l.place = v.where() + ": " + v.key;
    l.is_time = v.node->is_string();
    if (l.is_time) {
        l.time = v.time(sim_time{}, longest_span);
        l.text = v.text();
    } else if (v.node->is_integer() || v.node->is_floating_point()) {
        l.number = v.number();
        char text[40];
        std::snprintf(text, sizeof text, "%.15g", l.number);
        l.text = text;
    } else {
        v.refuse_type("a number or, of a time, a string with a unit like \"30ms\"");
    }
    if (l.number < 0) v.refuse("is negative, and no result is");
    c.limits.push_back(std::move(l));
}

const check_limit* limit_of(const check& c, limit_kind kind) {
    for (const check_limit& l : c.limits) {
        if (l.kind == kind) return &l;
    }
    return nullptr;
}

void check_range(const check& c, const value& element) {
    if (c.limits.size() > 1 && limit_of(c, limit_kind::equals)) {
        element.refuse("equals leaves nothing to at_most and at_least: give either");
    }
    const check_limit *high = limit_of(c, limit_kind::at_most),
                      *low = limit_of(c, limit_kind::at_least);
    if (!high || !low || high->is_time != low->is_time) return;
    if (high->is_time ? high->time < low->time : high->number < low->number) {
        element.refuse("nothing is " + c.limits_text());
    }
}

void finish_message(check& c, const value& element) {
    if (c.absent && !c.limits.empty()) {
        element.refuse("absent = true leaves nothing to other limits: give either");
    }
    for (const check_limit& l : c.limits) {
        if (!l.is_time && l.number == std::floor(l.number)) continue;
        element.refuse(std::string(key_of(l.kind)) +
                       " is how many kernel messages have the text: a whole number");
    }
    if (!c.limits.empty()) return;
    check_limit l;
    l.kind = c.absent ? limit_kind::equals : limit_kind::at_least;
    l.number = c.absent ? 0 : 1;
    l.text = c.absent ? "0" : "1";
    c.limits.push_back(std::move(l));
}

}  // namespace

const std::vector<check_key>& check_keys() {
    static const std::vector<check_key> keys{
        {"name", "string", "(what it checks)", "What it is called when it fails.",
         [](check& c, const value& v) { c.name = one_line(v); }},
        {"number", "string", "(none)",
         "A number of the results by its name, such as round_trip.p99 or outcomes.timed_out: "
         "scmi-vp list numbers FILE.",
         [](check& c, const value& v) {
             c.number = one_line(v);
             c.number_place = v.where() + ": " + v.key;
         }},
        {"message", "string", "(none)",
         "Instead of a number: a part of a kernel message; how many have it is what is limited, "
         "and without a limit there must be one.",
         [](check& c, const value& v) { c.message = one_line(v); }},
        {"absent", "boolean", "false", "No kernel message may have that part.",
         [](check& c, const value& v) { c.absent = v.boolean(); }},
        {"at_most", "number or time", "(none)",
         "The most that it may be; of a rate the high end of its interval counts.",
         [](check& c, const value& v) { add_limit(c, limit_kind::at_most, v); }},
        {"at_least", "number or time", "(none)",
         "The least that it may be; of a rate the low end of its interval counts.",
         [](check& c, const value& v) { add_limit(c, limit_kind::at_least, v); }},
        {"equals", "number or time", "(none)", "What it must be, instead of a range.",
         [](check& c, const value& v) { add_limit(c, limit_kind::equals, v); }},
    };
    return keys;
}

void finish_check(check& c, const value& element) {
    c.place = element.where();
    if (c.number.empty() == c.message.empty()) {
        element.refuse(c.number.empty() ? "checks nothing: give it a number or a message"
                                        : "has a number and a message: make two checks of it");
    }
    if (c.absent && c.message.empty()) element.refuse("absent is for a message");
    if (c.message.empty() && c.limits.empty()) {
        element.refuse("has no limit: give it at_most, at_least or equals");
    }
    check_range(c, element);
    if (c.number.empty()) finish_message(c, element);
    if (c.name.empty()) {
        c.name = c.number.empty() ? "kernel messages with \"" + c.message + "\"" : c.number;
    }
}

}  // namespace scmi_vp::scenario
