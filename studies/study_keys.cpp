// SPDX-License-Identifier: Apache-2.0
// See study_keys.h.
#include "studies/study_keys.h"

#include <algorithm>

#include "base/console.h"
#include "base/error.h"
#include "scenario/check_value.h"
#include "scenario/suggest.h"
#include "studies/toml_text.h"

namespace scmi_vp::studies {
namespace {

using scenario::key_type;
using scenario::value;
using scenario::value_source;

constexpr std::int64_t most_replications = 100'000;

std::string name_text(const value& v) {
    std::string s = v.text();
    if (s.empty()) v.refuse("is empty");
    const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    if (std::any_of(s.begin(), s.end(), control)) v.refuse("has a control character or two lines");
    return s;
}

void set_notes(study& s, const value& v) {
    for (const value& e : v.elements("a list of sentences")) s.notes.push_back(e.text());
}

void begin_axis(study& s, const value&) {
    s.axes.emplace_back();
}

void set_axis_name(study& s, const value& v) {
    s.axes.back().name = name_text(v);
    for (std::size_t i = 0; i + 1 < s.axes.size(); ++i) {
        if (s.axes[i].name == s.axes.back().name) {
            v.refuse("there is another axis '" + s.axes[i].name + "'");
        }
    }
}

void begin_value(study& s, const value&) {
    s.axes.back().values.emplace_back();
}

void set_label(study& s, const value& v) {
    std::vector<axis_value>& values = s.axes.back().values;
    values.back().label = name_text(v);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        if (values[i].label == values.back().label) {
            v.refuse("there is another value '" + values[i].label + "'");
        }
    }
}

/// One --set option for each key; guest = { hz = 1000 } and "guest.hz" = 1000 are the same.
void add_sets(axis_value& a, const toml::table& table, const std::string& prefix,
              const value_source& source) {
    for (const auto& [k, node] : table) {
        const std::string key = prefix + std::string(k.str());
        const scenario::key_info* info = scenario::find_key(key);
        if (!info && node.is_table() && scenario::is_section(key)) {
            if (node.as_table()->empty()) {
                throw error(error_kind::config, scenario::place_of(k.source(), source),
                            key + " = {} sets nothing; name a key below it or leave it out");
            }
            add_sets(a, *node.as_table(), key + ".", source);
            continue;
        }
        std::string text = override_text(node, source.folder);
        if (info && info->type == key_type::path && node.is_string()) {
            const value v{&node, &source, key};
            if (!v.path().empty()) text = v.path().lexically_normal().string();
        }
        a.set.push_back(key + "=" + text);
        a.places.push_back(scenario::place_of(k.source(), source));
    }
}

void set_keys(study& s, const value& v) {
    if (!v.node->is_table()) {
        v.refuse_type("a table of scenario keys { \"guest.max_rx_timeout\" = \"30ms\" }");
    }
    add_sets(s.axes.back().values.back(), *v.node->as_table(), "", *v.source);
}

const axis& axis_named(const study& s, const std::string& name, const std::string& place) {
    std::vector<std::string> names;
    for (const axis& a : s.axes) {
        if (a.name == name) return a;
        names.push_back(a.name);
    }
    throw error(error_kind::config, place,
                "there is no axis '" + name + "'" +
                    (names.empty() ? std::string(": this study has none")
                                   : scenario::suggestion(name, names)));
}

void check_label(const axis& a, const value& v) {
    std::vector<std::string> labels;
    for (const axis_value& known : a.values) labels.push_back(known.label);
    const std::string label = v.text();
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) return;
    v.refuse("axis '" + a.name + "' has no value '" + label + "'" +
             scenario::suggestion(label, labels));
}

void set_where(study& s, const value& v) {
    const toml::table* table = v.node->as_table();
    if (!table) v.refuse_type("a table of axes and labels { timeout = \"30ms\" }");
    for (const auto& [k, node] : *table) {
        const std::string name(k.str());
        const axis& a = axis_named(s, name, scenario::place_of(k.source(), *v.source));
        study_check::axis_labels w{name, {}};
        const value label{&node, v.source, v.key + "." + name};
        const auto labels =
            node.is_array() ? label.elements("a list of labels") : std::vector<value>{label};
        for (const value& one : labels) {
            check_label(a, one);
            w.labels.push_back(one.text());
        }
        if (w.labels.empty()) label.refuse("an empty list: no point has it");
        s.checks.back().where.push_back(std::move(w));
    }
}

std::vector<study_key> study_and_axis_keys() {
    return {
        {"study.title", key_type::text, "(the file's or its folder's name)", "A name for reports.",
         [](study& s, const value& v) { s.title = name_text(v); }},
        {"study.description", key_type::text, "\"\"", "What the study is for.",
         [](study& s, const value& v) { s.description = v.text(); }},
        {"study.scenario", key_type::path, "(required)",
         "The scenario that is run at every point; relative paths start at this file's folder.",
         [](study& s, const value& v) {
             name_text(v);
             s.scenario = v.path().lexically_normal();
         }},
        {"study.replications", key_type::integer, "10",
         "Runs of each point, each with other random numbers; they are what intervals rest on. "
         "[1..100000]",
         [](study& s, const value& v) {
             s.replications = unsigned(v.integer(1, most_replications));
         }},
        {"study.seed", key_type::integer, "1",
         "The replications' seeds come from it; the same seed gives the same results. [0..]",
         [](study& s, const value& v) { s.seed = std::uint64_t(v.integer(0, INT64_MAX)); }},
        {"study.notes", key_type::list, "[]",
         "Sentences for the report: what the results do not tell.", set_notes},
        {"axis", key_type::tables, "[]",
         "What is varied; the points are all combinations of the axes' values.", begin_axis},
        {"axis[].name", key_type::text, "(required)", "A column of the table.", set_axis_name},
        {"axis[].values", key_type::tables, "(required)",
         "values = [ { label = \"30ms\", set = { \"guest.max_rx_timeout\" = \"30ms\" } }, ... ]",
         begin_value},
        {"axis[].values[].label", key_type::text, "(required)", "Its name in tables.", set_label},
        {"axis[].values[].set", key_type::list, "{}",
         "Keys of the scenario that it sets, as --set does.", set_keys},
    };
}

/// The same keys as a scenario's.
void add_check_keys(std::vector<study_key>& keys) {
    keys.push_back(
        {"check", key_type::tables, "[]",
         "What must be true of the results of each point: else scmi-vp study ends with "
         "status 6.",
         [](study& s, const value&) { s.checks.emplace_back(); },
         [](study& s, const value& v) { scenario::finish_check(s.checks.back().what, v); }});
    for (const scenario::check_key& k : scenario::check_keys()) {
        const std::string_view type = k.type;
        keys.push_back({std::string("check[].") + k.name,
                        type == "boolean"          ? key_type::boolean
                        : type == "number or time" ? key_type::limit
                                                   : key_type::text,
                        k.default_text, k.meaning, [apply = k.apply](study& s, const value& v) {
                            apply(s.checks.back().what, v);
                        }});
    }
    keys.push_back({"check[].where", key_type::list, "{}",
                    "Only at points with these labels: where = { timeout = \"30ms\", host = "
                    "[\"idle\", \"busy\"] }.",
                    set_where});
}

const study_key* find(const std::string& pattern) {
    for (const study_key& k : study_keys()) {
        if (k.path == pattern) return &k;
    }
    return nullptr;
}

/// The names directly below "study", "axis[]" or, for "", all of the top.
std::vector<std::string> names_below(const std::string& pattern) {
    const std::string prefix = pattern.empty() ? "" : pattern + ".";
    std::vector<std::string> names;
    for (const study_key& k : study_keys()) {
        if (k.path.compare(0, prefix.size(), prefix) != 0) continue;
        const std::string rest = k.path.substr(prefix.size());
        std::string name = rest.substr(0, rest.find_first_of(".["));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

void refuse_unknown(const toml::table& table, const std::string& pattern, const std::string& key,
                    const value_source& source) {
    const std::vector<std::string> names = names_below(pattern);
    for (const auto& [k, node] : table) {
        const std::string name(k.str());
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        throw error(error_kind::config, scenario::place_of(k.source(), source),
                    "unknown key " + (key.empty() ? name : key + "." + name) +
                        scenario::suggestion(name, names));
    }
}

/// A file without a key of studies, but with sections of scenarios.
void refuse_scenario(const toml::table& document, const value_source& source) {
    for (const std::string& name : names_below("")) {
        if (name != "check" && document.contains(name)) return;  // scenarios have checks, too
    }
    for (const auto& [k, node] : document) {
        if (!scenario::is_section(std::string(k.str()))) continue;
        throw error(error_kind::config, scenario::place_of(k.source(), source),
                    "this is a scenario, not a study: scmi-vp run " + shell_quoted(source.name));
    }
}

void apply_table(study& s, const toml::table& table, const std::string& pattern, const value& at);

void apply_key(study& s, const study_key& k, const value& v) {
    if (k.type != key_type::tables) return k.apply(s, v);
    for (const value& e : v.elements("a list of tables")) {
        if (!e.node->is_table()) e.refuse_type("a table { ... }");
        k.apply(s, e);
        apply_table(s, *e.node->as_table(), k.path + "[]", e);
        if (k.finish) k.finish(s, e);
    }
}

/// In the order of the schema, so that an element has a name before it is talked about.
void apply_table(study& s, const toml::table& table, const std::string& pattern, const value& at) {
    refuse_unknown(table, pattern, at.key, *at.source);
    for (const std::string& name : names_below(pattern)) {
        const std::string path = pattern.empty() ? name : pattern + "." + name;
        const std::string key = at.key.empty() ? name : at.key + "." + name;
        const value v{table.get(name), at.source, key};
        const study_key* k = find(path);
        if (k && v.node) {
            apply_key(s, *k, v);
        } else if (k && k->default_text == "(required)") {
            throw error(error_kind::config, at.where(), key + " is missing: " + k->meaning);
        } else if (!k) {
            static const toml::table empty;
            if (v.node && !v.node->is_table()) v.refuse_type("a section [" + path + "]");
            const toml::table& section = v.node ? *v.node->as_table() : empty;
            apply_table(s, section, path, v.node ? v : value{&table, at.source, key});
        }
    }
}

}  // namespace

const std::vector<study_key>& study_keys() {
    static const std::vector<study_key> keys = [] {
        std::vector<study_key> all = study_and_axis_keys();
        add_check_keys(all);
        return all;
    }();
    return keys;
}

void apply_study_keys(study& s, const toml::table& document, const value_source& source) {
    refuse_scenario(document, source);
    apply_table(s, document, "", value{&document, &source, ""});
}

void print_study_keys(std::ostream& out, const std::string& prefix) {
    std::vector<std::vector<std::string>> table{{"key", "type", "default", "meaning"}};
    std::vector<std::string> names;
    for (const study_key& k : study_keys()) {
        names.push_back(k.path);
        if (k.path.compare(0, prefix.size(), prefix) != 0) continue;
        const bool set = k.path == "axis[].values[].set";
        const bool where = k.path == "check[].where";
        table.push_back({k.path,
                         set     ? "table of keys"
                         : where ? "table of labels"
                                 : std::string(name_of(k.type)),
                         k.default_text, k.meaning});
    }
    if (table.size() == 1) {
        scenario::refuse_prefix("study-keys", prefix, names, scenario::suggestion(prefix, names));
    }
    scenario::print_columns(out, table);
}

}  // namespace scmi_vp::studies
