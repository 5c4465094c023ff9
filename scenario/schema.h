// SPDX-License-Identifier: Apache-2.0
// The scenario schema, the one place that knows the keys: the loader, the suggestions in errors,
// `scmi-vp list keys` and docs/scenario.md are all derived from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/value.h"

namespace scmi_vp::scenario {

/// A clock's rates while they are read: a list or a triplet, not both.
struct rates_draft {
    std::vector<std::uint64_t> list;
    std::optional<std::uint64_t> lowest, highest, step;
};

/// A scenario being filled. The setters of an element work on the last one of its list.
struct draft {
    scenario out;
    rates_draft rates;  ///< of the clock being read
    bool delayed_reading_given = false;
    bool level_given = false;  ///< of the performance domain being read
    bool protocols_given = false;
    std::vector<value> change_values;  ///< of the change being read
    std::string message;  ///< service rule: its message, resolved at the end of the rule
    tree_choice tree;     ///< guest.device_tree, and what wins over it

    models::guest_config& guest() { return out.system.guest; }
    scmi::platform_description& platform() { return out.system.platform.description; }
};

enum class key_type : std::uint8_t {
    text,
    integer,
    number,
    integer_or_word,
    boolean,
    time,
    latency,
    choice,
    path,
    size,
    list,
    tables,
    limit,  ///< a number, or a time
};
std::string_view name_of(key_type t);

/// A key. `path` is "guest.hz", or "platform.clock[].rate" for a key of the elements of a list.
struct key_info {
    std::string path;
    key_type type;
    std::string unit;          ///< "Hz", or empty
    std::string range;         ///< "1..10000", the words of a choice, or empty
    std::string default_text;  ///< TOML; or a note in parentheses: then nothing is applied
    std::string meaning;       ///< one sentence
    /// Puts the value into the draft; for tables: appends an element.
    std::function<void(draft&, const value&)> apply;
    /// Only for tables: the element's keys have been applied.
    std::function<void(draft&, const value&)> finish;

    bool required() const { return default_text == "(required)"; }
    bool has_default() const { return !default_text.empty() && default_text[0] != '('; }
};

/// All keys, in the order in which they are applied: presets before what overrides them. The keys
/// of a list's elements follow the list.
const std::vector<key_info>& schema();

/// The row, or nullptr.
const key_info* find_key(std::string_view path);
/// Whether keys exist below `path` ("guest", "platform.clock[]").
bool is_section(std::string_view path);
/// The keys and sections directly below a section.
std::vector<std::string> names_below(std::string_view path);
/// ", did you mean guest.hz?", from all keys; or where to look.
std::string key_suggestion(const std::string& path);

/// Prints rows in columns as wide as they need; the first row is the heading. On a terminal that
/// is too narrow the last column is wrapped, or goes below the others.
void print_columns(std::ostream& out, const std::vector<std::vector<std::string>>& table);
/// `scmi-vp list keys [PREFIX]`: one line per key. Throws scmi_vp::error (usage) when none starts
/// so.
void print_keys(std::ostream& out, const std::string& prefix = "");
/// Throws the error of `list TOPIC PREFIX` when no name starts so: those with it in them, or
/// `advice`.
[[noreturn]] void refuse_prefix(const std::string& topic, const std::string& prefix,
                                const std::vector<std::string>& names, const std::string& advice);
/// The tables of docs/scenario.md.
void print_keys_markdown(std::ostream& out);

}  // namespace scmi_vp::scenario
