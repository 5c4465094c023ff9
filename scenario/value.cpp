// SPDX-License-Identifier: Apache-2.0
// Values of a scenario as typed values, with one clear error for everything else.
#include "scenario/value.h"

#include <cmath>
#include <limits>

#include "base/distribution.h"
#include "base/error.h"
#include "base/nesting.h"
#include "base/printable.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario {
namespace {

std::string shown(const toml::node& node) {
    if (const auto* s = node.as_string()) return "'" + s->get() + "'";
    if (const auto* i = node.as_integer()) return std::to_string(i->get());
    if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
    if (node.is_floating_point()) return std::to_string(**node.as_floating_point());
    if (node.is_array()) return "a list";
    if (node.is_table()) return "a table";
    return "a date";
}

struct byte_unit {
    const char* name;
    std::uint64_t bytes;
};
constexpr byte_unit byte_units[] = {{"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};

}  // namespace

std::string place_of(const toml::source_region& region, const value_source& source) {
    if (!source.has_lines || !region.begin) return source.name;
    return source.name + ":" + std::to_string(region.begin.line) + ":" +
           std::to_string(region.begin.column);
}

toml::table parse_toml(const std::string& text, const value_source& source) {
    if (const auto place = too_deep_in_toml(text)) {
        const std::string where =
            source.name + ":" + std::to_string(place->line) + ":" + std::to_string(place->column);
        throw error(error_kind::config, source.has_lines ? where : source.name,
                    "is nested deeper than " + std::to_string(deepest_nesting) +
                        " levels of brackets, braces or dots; nothing here needs that");
    }
    return toml::parse(text);
}

void value::refuse(const std::string& message) const {
    throw error(error_kind::config, where(), printable(key + ": " + message));
}

void value::refuse_type(const std::string& wanted) const {
    refuse(shown(*node) + " is not " + wanted);
}

std::int64_t value::integer(std::int64_t min, std::int64_t max) const {
    const auto* i = node->as_integer();
    if (!i) refuse_type("an integer");
    if (i->get() < min || i->get() > max) {
        refuse(std::to_string(i->get()) + " is out of range: " + range_text(min, max));
    }
    return i->get();
}

double value::number() const {
    const auto n = node->is_number() ? node->value<double>() : std::nullopt;
    if (!n || !std::isfinite(*n)) refuse_type("a number");
    return *n;
}

bool value::boolean() const {
    const auto* b = node->as_boolean();
    if (!b) refuse_type("true or false");
    return b->get();
}

std::string value::text() const {
    const auto* s = node->as_string();
    if (!s) refuse_type("a string");
    return s->get();
}

std::string value::choice(const std::vector<std::string>& words) const {
    const std::string word = text();
    for (const std::string& w : words) {
        if (w == word) return word;
    }
    refuse("unknown value '" + word + "'" + suggestion(word, words));
}

sim_time value::time(sim_time min, sim_time max) const {
    if (node->is_number()) {
        refuse(shown(*node) +
               " has no unit: write a time like \"30ms\" (ps, ns, us, ms, s, min, h)");
    }
    if (!node->is_string()) refuse_type("a time like \"30ms\"");
    sim_time t;
    try {
        t = parse_time(text());
    } catch (const error& e) {
        refuse(e.what());
    }
    if (t < min || t > max) refuse(to_string(t) + " is out of range: " + range_text(min, max));
    return t;
}

std::uint64_t value::byte_count(std::uint64_t min, std::uint64_t max) const {
    if (node->is_number()) refuse(shown(*node) + " has no unit: write \"64MiB\" (KiB, MiB, GiB)");
    if (!node->is_string()) refuse_type("a size like \"64MiB\"");
    const std::string s = text();
    std::uint64_t n = 0;
    std::size_t digits = 0;
    while (digits < s.size() && digits < 10 && s[digits] >= '0' && s[digits] <= '9') {
        n = n * 10 + std::uint64_t(s[digits++] - '0');
    }
    for (const byte_unit& u : byte_units) {
        if (digits == 0 || s.substr(digits) != u.name) continue;
        if (n * u.bytes < min || n * u.bytes > max) {
            refuse(s + " is out of range: " + std::to_string(min >> 20) + "MiB.." +
                   std::to_string(max >> 20) + "MiB");
        }
        return n * u.bytes;
    }
    refuse("'" + s + "' is not a whole number of KiB, MiB or GiB, like \"64MiB\"");
}

std::filesystem::path value::path() const {
    const std::filesystem::path p = text();
    return p.empty() || p.is_absolute() ? p : source->folder / p;
}

std::vector<value> value::elements(const std::string& wanted) const {
    const auto* a = node->as_array();
    if (!a) refuse_type(wanted);
    std::vector<value> list;
    for (std::size_t i = 0; i < a->size(); ++i) {
        list.push_back({a->get(i), source, key + "." + std::to_string(i)});
    }
    return list;
}

value value::member(const std::string& name) const {
    return {node->as_table()->get(name), source, key + "." + name};
}

std::string range_text(std::int64_t min, std::int64_t max) {
    const bool open = max == std::numeric_limits<std::int64_t>::max();
    return std::to_string(min) + ".." + (open ? "" : std::to_string(max));
}

std::string range_text(sim_time min, sim_time max) {
    return to_string(min) + ".." + (max >= longest_span ? "" : to_string(max));
}

}  // namespace scmi_vp::scenario
