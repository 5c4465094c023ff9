// SPDX-License-Identifier: Apache-2.0
// Command-line parsing that the subcommands share: strict, with errors that name the subcommand.
#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <string>

#include "app/program.h"

namespace scmi_vp::app {

/// Parses into a map. Options cannot be abbreviated: a script must not break when one is added.
/// Throws scmi_vp::error (usage).
boost::program_options::variables_map parse_options(
    const std::string& command, const arguments& args,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional);

/// The scenario that a name on the command line means: a file, a folder with a scenario.toml, or
/// the name of a folder in testbenches/. Throws scmi_vp::error (usage) if there is none.
std::filesystem::path scenario_path(const std::string& name);

}  // namespace scmi_vp::app
