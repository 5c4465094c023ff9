// SPDX-License-Identifier: Apache-2.0
// Looks keys up, suggests near ones, prints them all.
#include "scenario/schema.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <set>
#include <unordered_map>

#include "base/console.h"
#include "base/error.h"
#include "scenario/schema_rows.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario {
namespace {

/// What each section of the scenario is about, in the order of the schema.
struct section_info {
    std::string_view name;
    std::string_view meaning;
};
constexpr std::array<section_info, 9> sections{{
    {"scenario", "What it is called"},
    {"sim", "The run"},
    {"guest", "The guest: its kernel, its driver and what its operations cost"},
    {"device", "The virtio device"},
    {"platform", "The SCMI platform"},
    {"hops", "Extra latency at each hop of a request"},
    {"workload", "What the guest's tasks do once the driver is there"},
    {"output", "What a run writes into its output directory"},
    {"check", "What must be true of the results"},
}};

/// Keys that were called otherwise: their new names are not always the nearest.
struct former_name {
    std::string_view before, now;
};
constexpr std::array<former_name, 1> former_names{{
    {"platform.slot.slot", "platform.slot.length"},
}};

std::string_view last_segment(std::string_view path) {
    return path.substr(path.rfind('.') + 1);  // npos + 1 is 0: the whole path
}

std::string unit_of(const key_info& k) {
    return k.unit.empty() ? "-" : k.unit;
}

std::string meaning_of(const key_info& k) {
    return k.range.empty() ? k.meaning : k.meaning + " [" + k.range + "]";
}

// A bar ends a cell, even inside code; no key needs one so far.
std::string markdown_cell(const std::string& text) {
    std::string cell;
    for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
    return cell;
}

std::string markdown_default(const key_info& k) {
    return k.has_default() ? "`" + markdown_cell(k.default_text) + "`"
                           : markdown_cell(k.default_text);
}

}  // namespace

void print_columns(std::ostream& out, const std::vector<std::vector<std::string>>& table) {
    std::vector<std::size_t> width;
    for (const auto& row : table) {
        width.resize(std::max(width.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    }
    constexpr std::size_t least = 24;  // columns for the last one; with fewer, it goes below
    std::size_t before = 0;
    for (std::size_t i = 0; i + 1 < width.size(); ++i) before += width[i] + 2;
    const std::size_t columns = console().columns;
    const bool narrow = columns != 0 && before + width.back() > columns;
    const bool below = narrow && before + least > columns;
    for (const auto& row : table) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            // Below the others: what need not line up with it may be shorter.
            const std::size_t pad = below ? row[i].size() : width[i];
            out << std::left << std::setw(int(pad) + 2) << row[i];
        }
        const std::size_t at = below ? 4 : before;
        const std::string next = "\n" + std::string(at, ' ');
        bool first = !below;
        for (const std::string& line :
             narrow ? wrapped(row.back(), columns - at) : std::vector<std::string>{row.back()}) {
            out << (first ? "" : next) << line;
            first = false;
        }
        out << "\n";
    }
}

std::string_view name_of(key_type t) {
    constexpr std::array<std::string_view, 13> names{
        "string",        "integer", "number",  "integer or name",
        "boolean",       "time",    "latency", "choice",
        "path",          "size",    "list",    "tables",
        "number or time"};
    return names[std::size_t(t)];
}

const std::vector<key_info>& schema() {
    static const std::vector<key_info> keys = [] {
        std::vector<key_info> all;
        for (auto part :
             {rows::run_keys(), rows::guest_keys(), rows::device_keys(), rows::platform_keys(),
              rows::domain_keys(), rows::host_keys(), rows::fault_keys(), rows::change_keys(),
              rows::hop_keys(), rows::workload_keys(), rows::output_keys(), rows::check_rows()}) {
            for (key_info& k : part) all.push_back(std::move(k));
        }
        return all;
    }();
    return keys;
}

const key_info* find_key(std::string_view path) {
    static const auto index = [] {
        std::unordered_map<std::string_view, const key_info*> m;
        for (const key_info& k : schema()) m.emplace(k.path, &k);
        return m;
    }();
    const auto it = index.find(path);
    return it == index.end() ? nullptr : it->second;
}

bool is_section(std::string_view path) {
    return !names_below(path).empty();
}

std::vector<std::string> names_below(std::string_view path) {
    std::vector<std::string> names;
    const std::string prefix = path.empty() ? "" : std::string(path) + ".";
    for (const key_info& k : schema()) {
        if (k.path.compare(0, prefix.size(), prefix) != 0) continue;
        const std::string rest = k.path.substr(prefix.size());
        std::string name = rest.substr(0, rest.find_first_of(".["));
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(std::move(name));
        }
    }
    return names;
}

std::string key_suggestion(const std::string& path) {
    const auto renamed = std::find_if(former_names.begin(), former_names.end(),
                                      [&path](const former_name& f) { return f.before == path; });
    if (renamed != former_names.end()) {
        return ", did you mean " + std::string(renamed->now) + "?";
    }
    std::set<std::string> candidates;
    for (const key_info& k : schema()) {
        for (std::size_t dot = k.path.find('.'); dot != std::string::npos;
             dot = k.path.find('.', dot + 1)) {
            candidates.insert(k.path.substr(0, dot));
        }
        candidates.insert(k.path);
    }
    const std::string_view name = last_segment(path);
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, path.size() / 4) + 1;
    for (const std::string& c : candidates) {
        // The right name in the wrong section counts as one edit more than a slip of the pen.
        const std::size_t in_place = edit_distance(path, c);
        const std::size_t elsewhere =
            name.size() < 3 ? in_place : 1 + 2 * edit_distance(name, last_segment(c));
        const std::size_t distance = std::min(in_place, elsewhere);
        if (distance < best_distance) {
            best_distance = distance;
            best = c;
        }
    }
    if (best.empty()) return "; `scmi-vp list keys` prints all keys";
    return ", did you mean " + best + "?";
}

void print_keys(std::ostream& out, const std::string& prefix) {
    std::vector<std::vector<std::string>> table{{"key", "type", "unit", "default", "meaning"}};
    std::vector<std::string> names;
    for (const key_info& k : schema()) {
        names.push_back(k.path);
        if (k.path.compare(0, prefix.size(), prefix) != 0) continue;
        table.push_back(
            {k.path, std::string(name_of(k.type)), unit_of(k), k.default_text, meaning_of(k)});
    }
    if (table.size() == 1) refuse_prefix("keys", prefix, names, key_suggestion(prefix));
    print_columns(out, table);
}

void refuse_prefix(const std::string& topic, const std::string& prefix,
                   const std::vector<std::string>& names, const std::string& advice) {
    std::vector<std::string> with;
    for (const std::string& n : names) {
        if (n.find(prefix) != std::string::npos) with.push_back(n);
    }
    throw error(error_kind::usage,
                "list " + topic + ": no key starts with '" + prefix + "'" +
                    (with.empty() ? advice : "; with it in them: " + joined(with)));
}

void print_keys_markdown(std::ostream& out) {
    for (const section_info& s : sections) {
        out << "\n### " << s.name << "\n\n"
            << s.meaning << ".\n\n"
            << "| key | type | unit | default | meaning |\n|---|---|---|---|---|\n";
        for (const key_info& k : schema()) {
            if (k.path.substr(0, k.path.find_first_of(".[")) != s.name) continue;
            out << "| `" << k.path << "` | " << name_of(k.type) << " | "
                << markdown_cell(unit_of(k)) << " | " << markdown_default(k) << " | "
                << markdown_cell(meaning_of(k)) << " |\n";
        }
    }
}

}  // namespace scmi_vp::scenario
