// SPDX-License-Identifier: Apache-2.0
// Command-line parsing that the subcommands share: strict, with errors that name the subcommand.
#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/program.h"
#include "runs/run.h"

namespace scmi_vp::app {

/// Parses into a map. Options cannot be abbreviated: a script must not break when one is added.
/// Throws scmi_vp::error (usage).
boost::program_options::variables_map parse_options(
    const std::string& command, const arguments& args,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional);

/// The same for a subcommand with one positional argument, `what`. Prints `help` and gives nothing
/// when it was asked for; throws when the argument is missing.
std::optional<boost::program_options::variables_map> parse_with(
    const std::string& command, const char* what, const arguments& args,
    const boost::program_options::options_description& visible, void (*help)(std::ostream&),
    std::ostream& out);

/// --out DIR; empty: not given. Throws scmi_vp::error (usage) for an empty name.
std::filesystem::path out_folder(const boost::program_options::variables_map& map);
/// --junit FILE; empty: not given. Throws scmi_vp::error (usage) for an empty name.
std::filesystem::path junit_path(const boost::program_options::variables_map& map);
/// All --set KEY=VALUE.
std::vector<std::string> set_options(const boost::program_options::variables_map& map);

/// An option that is a length of time above zero ("10s"). Throws scmi_vp::error (usage).
sim_time span_option(const boost::program_options::variables_map& map, const char* name);

exit_status status_of(runs::run_status s);

/// The scenario that a name on the command line means: a file, a folder with a scenario.toml, or
/// the name of a folder in testbenches/. Throws scmi_vp::error (usage) if there is none.
std::filesystem::path scenario_path(const std::string& name);

}  // namespace scmi_vp::app
