// SPDX-License-Identifier: Apache-2.0
// A study: one scenario at the points of a grid, each replicated with other random numbers. Read
// from TOML as strictly as scenarios are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "runs/fingerprint.h"
#include "scenario/scenario.h"

namespace scmi_vp::studies {

/// A value of an axis: its name in tables, and the keys of the scenario that it sets.
struct axis_value {
    std::string label;
    std::vector<std::string> set;     ///< "guest.max_rx_timeout=30ms"
    std::vector<std::string> places;  ///< of each of `set`, for errors: "study.toml:12:30"
};

struct axis {
    std::string name;
    std::vector<axis_value> values;
};

/// One value of each axis.
struct study_point {
    std::vector<std::pair<std::string, std::string>> labels;  ///< axis, value; in the study's order
    std::vector<std::string> set;
    scenario::scenario scenario;  ///< loaded and checked; its seed is replaced for each run

    /// "host busy, timeout 30ms"; "the scenario" without axes.
    std::string name() const;
};

/// What every point must hold, or those of some values of the axes.
struct study_check {
    scenario::check what;
    struct axis_labels {
        std::string axis;
        std::vector<std::string> labels;
    };
    std::vector<axis_labels> where;  ///< all of them must be so; empty: every point

    bool is_about(const study_point& p) const;
};

struct study {
    std::string title, description;
    std::filesystem::path file;      ///< as given
    std::filesystem::path scenario;  ///< from the working directory
    unsigned replications = 10;
    std::uint64_t seed = 1;
    std::vector<std::string> notes;
    std::vector<axis> axes;
    std::vector<study_check> checks;
    std::vector<std::string> set;            ///< what the command line added
    std::vector<study_point> points;         ///< the last axis varies fastest
    std::vector<runs::input_digest> inputs;  ///< the study's file, and those of all points
};

/// What the command line adds.
struct study_overrides {
    std::vector<std::string> set;  ///< for every point
    std::optional<std::uint64_t> seed;
    bool without_checks = false;  ///< their numbers are not looked for, and the study has none
};

/// Reads a study and loads the scenario of each of its points. The first thing that is wrong is
/// thrown as scmi_vp::error (config, input) that starts with its place; (usage) for a path or an
/// option that is not UTF-8.
study load_study(const std::filesystem::path& path, const study_overrides& overrides = {});

/// The same for a text; `name` stands for the file, relative paths start at its folder.
study parse_study(const std::string& text, const std::filesystem::path& name,
                  const study_overrides& overrides = {});

/// The seed of a replication: the upper 52 bits of number `replication` of the random stream
/// (study's seed, "study", "replication"). The same at every point (common random numbers: points
/// differ by what they set, not by luck), and exact in a double, so that any JSON reader keeps it.
std::uint64_t replication_seed(std::uint64_t study_seed, std::uint64_t replication);

/// The scenario of one run: the point's, with the replication's seed.
scenario::scenario scenario_of(const study& s, std::size_t point, std::uint64_t replication);

/// The command that makes it alone: "scmi-vp run ...".
std::string command_of_run(const study& s, std::size_t point, std::uint64_t replication);

/// `scmi-vp list study-keys [PREFIX]`: one line per key. Throws scmi_vp::error (usage) when none
/// starts so.
void print_study_keys(std::ostream& out, const std::string& prefix = "");

}  // namespace scmi_vp::studies
