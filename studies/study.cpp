// SPDX-License-Identifier: Apache-2.0
// From a study file to checked points: read the keys, multiply the axes, load each point's
// scenario.
#include "studies/study.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/input_file.h"
#include "base/printable.h"
#include "base/random.h"
#include "runs/load.h"
#include "scenario/document.h"
#include "studies/shell.h"
#include "studies/study_checks.h"
#include "studies/study_keys.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using scenario::value_source;

constexpr std::size_t most_points = 10'000;

std::string key_of(const std::string& option) {
    const std::size_t end = option.find_first_of("= \t");
    return option.substr(0, end);
}

/// Which axis sets which key: two that set the same one would hide each other.
std::map<std::string, std::string> owners_of_keys(const study& s) {
    std::map<std::string, std::string> owners;
    for (const axis& a : s.axes) {
        for (const axis_value& v : a.values) {
            for (std::size_t i = 0; i < v.set.size(); ++i) {
                const std::string key = key_of(v.set[i]);
                if (key == "sim.seed") {
                    throw error(error_kind::config, v.places[i],
                                "sim.seed is each replication's own: set study.seed instead");
                }
                const auto [it, is_new] = owners.emplace(key, a.name);
                if (is_new || it->second == a.name) continue;
                throw error(error_kind::config, v.places[i],
                            key + " is set by axis '" + it->second + "' too");
            }
        }
    }
    return owners;
}

void check_options(const study& s, const std::map<std::string, std::string>& owners) {
    for (const std::string& option : s.set) {
        const std::string key = key_of(option);
        if (key == "sim.seed") {
            throw error(error_kind::usage, set_option_name(option),
                        "is each replication's own: give the study's with --seed");
        }
        const auto it = owners.find(key);
        if (it != owners.end()) {
            throw error(error_kind::usage, set_option_name(option),
                        key + " is what axis '" + it->second + "' varies");
        }
    }
}

void check_grid(const study& s) {
    std::size_t points = 1;
    for (const axis& a : s.axes) {
        if (a.values.empty()) {
            throw error(error_kind::config, s.file.string(), "axis '" + a.name + "' has no values");
        }
        points *= a.values.size();
        if (points <= most_points) continue;
        throw error(error_kind::config, s.file.string(),
                    "the axes make more than " + std::to_string(most_points) + " points");
    }
}

/// The scenario's errors talk about --set options that nobody wrote: they came from the axes.
[[noreturn]] void rethrow(const error& e, const study& s, const study_point& p,
                          const std::vector<std::string>& places) {
    const std::string what = e.what();
    for (std::size_t i = 0; i < p.set.size(); ++i) {
        const std::string prefix = set_option_name(p.set[i]) + ": ";
        if (what.compare(0, prefix.size(), prefix) == 0) {
            throw error(e.kind(), places[i], what.substr(prefix.size()));
        }
    }
    if (s.axes.empty()) throw e;
    throw error(e.kind(), what + " (at point " + p.name() + ")");
}

study_point make_point(const study& s, std::size_t index) {
    study_point p;
    std::vector<std::string> places;
    std::vector<const axis_value*> chosen(s.axes.size());
    for (std::size_t a = s.axes.size(); a-- > 0;) {
        chosen[a] = &s.axes[a].values[index % s.axes[a].values.size()];
        index /= s.axes[a].values.size();
    }
    for (std::size_t a = 0; a < s.axes.size(); ++a) {
        p.labels.emplace_back(s.axes[a].name, chosen[a]->label);
        p.set.insert(p.set.end(), chosen[a]->set.begin(), chosen[a]->set.end());
        places.insert(places.end(), chosen[a]->places.begin(), chosen[a]->places.end());
    }
    std::vector<std::string> overrides = p.set;
    overrides.insert(overrides.end(), s.set.begin(), s.set.end());
    try {
        p.scenario = runs::load_scenario(s.scenario, overrides);
    } catch (const error& e) {
        rethrow(e, s, p, places);
    }
    return p;
}

std::string name_from(const fs::path& file) {
    const std::string stem = file.stem().string();
    const std::string folder = file.parent_path().filename().string();
    return stem == "study" && !folder.empty() ? folder : stem;
}

void read_keys(study& s, const std::string& text) {
    const value_source source{s.file.string(), s.file.parent_path(), true};
    toml::table document;
    try {
        document = scenario::parse_toml(text, source);
    } catch (const toml::parse_error& e) {
        throw error(error_kind::config, scenario::place_of(e.source(), source),
                    std::string(e.description()));
    }
    apply_study_keys(s, document, source);
}

}  // namespace

std::string study_point::name() const {
    std::string text;
    for (const auto& [axis_name, label] : labels) {
        text += (text.empty() ? "" : ", ") + axis_name + " " + label;
    }
    return text.empty() ? "the scenario" : text;
}

bool study_check::is_about(const study_point& p) const {
    return std::all_of(where.begin(), where.end(), [&p](const axis_labels& w) {
        const auto label = std::find_if(p.labels.begin(), p.labels.end(),
                                        [&w](const auto& l) { return l.first == w.axis; });
        return std::find(w.labels.begin(), w.labels.end(), label->second) != w.labels.end();
    });
}

study parse_study(const std::string& text, const fs::path& name, const study_overrides& overrides) {
    scenario::require_utf8(name, overrides.set);
    study s;
    s.file = name;
    s.inputs.push_back({name.string(), runs::digest_of(text)});
    s.set = overrides.set;
    read_keys(s, text);
    if (s.title.empty()) s.title = name_from(name);
    if (overrides.seed) s.seed = *overrides.seed;
    check_options(s, owners_of_keys(s));
    check_grid(s);
    std::size_t points = 1;
    for (const axis& a : s.axes) points *= a.values.size();
    for (std::size_t i = 0; i < points; ++i) {
        s.points.push_back(make_point(s, i));
        runs::add_inputs(s.inputs, s.points.back().scenario);
    }
    if (overrides.without_checks) s.checks.clear();
    resolve_checks(s);
    return s;
}

study load_study(const fs::path& path, const study_overrides& overrides) {
    return parse_study(read_input(path, inputs::scenario), path, overrides);
}

std::uint64_t replication_seed(std::uint64_t study_seed, std::uint64_t replication) {
    return random_stream(study_seed, "study", "replication").bits(replication) >> 12;
}

std::string command_of_run(const study& s, std::size_t point, std::uint64_t replication) {
    std::vector<std::string> set = s.points[point].set;
    set.insert(set.end(), s.set.begin(), s.set.end());
    return run_command_line(s.scenario.string(), set, replication_seed(s.seed, replication));
}

scenario::scenario scenario_of(const study& s, std::size_t point, std::uint64_t replication) {
    scenario::scenario one = s.points.at(point).scenario;
    one.system.seed = replication_seed(s.seed, replication);
    return one;
}

}  // namespace scmi_vp::studies
