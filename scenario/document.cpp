// SPDX-License-Identifier: Apache-2.0
// TOML to a flat list of values, guided by the schema: unknown names end here.
#include "scenario/document.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/console.h"
#include "base/error.h"
#include "base/printable.h"
#include "scenario/schema.h"

namespace scmi_vp::scenario {
namespace {

bool is_plain_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-';
    });
}

bool is_index(const std::string& s) {
    return !s.empty() && s.size() < 7 &&
           std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string trimmed(const std::string& s) {
    const std::size_t first = s.find_first_not_of(" \t");
    return first == std::string::npos ? "" : s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

std::string joined_path(const std::string& a, const std::string& b) {
    return a.empty() ? b : a + "." + b;
}

[[noreturn]] void refuse(const std::string& where, const std::string& message) {
    throw error(error_kind::config, where, printable(message));  // it may quote keys
}

/// The members of a table in the order in which they were written: the first error is the first.
std::vector<std::pair<const toml::key*, const toml::node*>> in_order(const toml::table& table) {
    std::vector<std::pair<const toml::key*, const toml::node*>> members;
    for (auto it = table.cbegin(); it != table.cend(); ++it) {
        members.emplace_back(&it->first, &it->second);
    }
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        const auto &x = a.first->source().begin, &y = b.first->source().begin;
        return x.line != y.line ? x.line < y.line : x.column < y.column;
    });
    return members;
}

/// The value of an option: TOML, or a bare word as a string.
std::unique_ptr<toml::table> parse_option_value(const std::string& text,
                                                const value_source& source) {
    try {
        auto table = std::make_unique<toml::table>(parse_toml("v = " + text, source));
        if (table->size() == 1) return table;
    } catch (const toml::parse_error& e) {
        // What starts like TOML was meant to be TOML.
        if (!text.empty() && std::strchr("[{\"'", text[0])) {
            refuse(source.name, std::string(e.description()));
        }
    }
    auto table = std::make_unique<toml::table>();
    table->insert("v", text);
    return table;
}

/// As the writer of the results sees it.
bool is_utf8(const std::string& text) {
    try {
        nlohmann::json(text).dump();
        return true;
    } catch (const nlohmann::json::type_error&) {
        return false;
    }
}

}  // namespace

void document::add_file(const std::filesystem::path& name, const std::string& text,
                        const std::string& section) {
    const value_source& source =
        sources_.emplace_back(value_source{name.string(), name.parent_path(), true});
    try {
        tables_.push_back(std::make_unique<toml::table>(parse_toml(text, source)));
    } catch (const toml::parse_error& e) {
        refuse(place_of(e.source(), source), std::string(e.description()));
    }
    walk(*tables_.back(), section, section, source);
}

void document::add_override(const std::string& option) {
    const value_source& source = sources_.emplace_back(
        value_source{set_option_name(option), std::filesystem::path(), false});
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) {
        refuse(source.name, "has no value: write --set key=value, for example --set guest.hz=1000");
    }
    const std::string key = trimmed(option.substr(0, equals));
    tables_.push_back(parse_option_value(trimmed(option.substr(equals + 1)), source));
    accept(*tables_.back()->get("v"), pattern_of(key, source.name), key, source.name, source);
}

const value* document::find(const std::string& key) const {
    const auto it = values_.find(key);
    return it == values_.end() ? nullptr : &it->second;
}

std::size_t document::count(const std::string& list) const {
    const value* v = find(list);
    return v ? v->node->as_array()->size() : 0;
}

std::string document::place(const std::string& key) const {
    for (std::string k = key;; k.resize(k.rfind('.'))) {
        if (const value* v = find(k)) return v->where();
        if (k.rfind('.') == std::string::npos) break;
    }
    return name_;
}

void document::walk(const toml::table& table, const std::string& pattern, const std::string& key,
                    const value_source& source) {
    for (const auto& [k, node] : in_order(table)) {
        const std::string name(k->str());
        const std::string where = place_of(k->source(), source);
        if (!is_plain_name(name)) {
            refuse(where, "unknown key '" + name + "'; `scmi-vp list keys` prints all keys");
        }
        accept(*node, joined_path(pattern, name), joined_path(key, name), where, source);
    }
}

void document::accept(const toml::node& node, const std::string& pattern, const std::string& key,
                      const std::string& where, const value_source& source) {
    const key_info* info = find_key(pattern);
    if (info && info->type == key_type::tables) return accept_list(node, pattern, key, source);
    if (info) {
        values_[key] = {&node, &source, key};
        return;
    }
    if (!is_section(pattern)) {
        if (source.has_lines && (pattern == "study" || pattern == "axis")) {
            refuse(where,
                   "this is a study, not a scenario: scmi-vp study " + shell_quoted(source.name));
        }
        refuse(where, "unknown key " + pattern + key_suggestion(pattern));
    }
    if (!node.is_table()) {
        std::string names;
        for (const std::string& n : names_below(pattern)) names += (names.empty() ? "" : ", ") + n;
        refuse(where, pattern + " is a section, not a value; its keys: " + names);
    }
    // An option that is nothing but this would have no effect; in a file it is a heading.
    if (!source.has_lines && node.as_table()->empty()) {
        refuse(where, pattern + " = {} sets nothing; name a key below it: --set " + pattern + "." +
                          names_below(pattern).front() + "=VALUE (scmi-vp list keys " + pattern +
                          ")");
    }
    walk(*node.as_table(), pattern, key, source);
}

void document::accept_list(const toml::node& node, const std::string& pattern,
                           const std::string& key, const value_source& source) {
    const value list{&node, &source, key};
    const toml::array* elements = node.as_array();
    if (!elements) list.refuse_type("a list of tables: write [[" + pattern + "]]");
    forget(key);
    values_[key] = list;
    for (const value& e : list.elements("a list of tables")) {
        if (!e.node->is_table()) e.refuse_type("a table { ... }");
        values_[e.key] = e;
        walk(*e.node->as_table(), pattern + "[]", e.key, source);
    }
}

/// "platform.sensor.2.reading" is "platform.sensor[].reading".
std::string document::pattern_of(const std::string& key, const std::string& where) const {
    std::string pattern, path, segment;
    std::istringstream segments(key);
    while (std::getline(segments, segment, '.')) {
        path = joined_path(path, segment);
        const key_info* list = find_key(pattern);
        if (!list || list->type != key_type::tables) {
            if (!is_plain_name(segment)) refuse(where, "'" + key + "' is not a key like guest.hz");
            pattern = joined_path(pattern, segment);
            continue;
        }
        const std::string name = path.substr(0, path.size() - segment.size() - 1);
        const std::size_t n = count(name);
        if (!is_index(segment)) {
            refuse(where, name + " is a list: write " + name + ".0." + segment);
        }
        if (!find(path)) {
            refuse(where, name + " has " + std::to_string(n) + " elements" +
                              (n ? ", 0.." + std::to_string(n - 1) : std::string()));
        }
        pattern += "[]";
    }
    if (pattern.empty() || key.back() == '.')
        refuse(where, "'" + key + "' is not a key like guest.hz");
    if (pattern.size() > 2 && pattern.compare(pattern.size() - 2, 2, "[]") == 0) {
        refuse(where,
               key + " is an element of a list: name one of its keys (" + key + ".KEY=VALUE)");
    }
    return pattern;
}

void document::forget(const std::string& key) {
    const std::string prefix = key + ".";
    auto it = values_.lower_bound(prefix);
    while (it != values_.end() && it->first.compare(0, prefix.size(), prefix) == 0) {
        it = values_.erase(it);
    }
}

void require_utf8(const std::filesystem::path& file, const std::vector<std::string>& options) {
    if (!is_utf8(file.string())) {
        throw error(error_kind::usage, file.string(),
                    "this path is not UTF-8 and cannot be written into results; rename it, or "
                    "start scmi-vp in that folder");
    }
    for (const std::string& o : options) {
        if (is_utf8(o)) continue;
        throw error(error_kind::usage, set_option_name(o),
                    "is not UTF-8 and cannot be written into results");
    }
}

}  // namespace scmi_vp::scenario
