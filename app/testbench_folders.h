// SPDX-License-Identifier: Apache-2.0
// What a name on the command line means: a file, a folder, or a testbench of this project, from
// whichever folder the program was started.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scmi_vp::app {

/// The folders testbenches/ that are there, the first the one to look in first: of the working
/// folder, of the folders above the program's own file, of the sources it was built from.
std::vector<std::filesystem::path> testbench_folders();

/// `name` itself if it is a file; `file` ("scenario.toml", "study.toml") in the folder that it
/// names, which is one of a testbenches/ when the name has no slash. Nothing: there is none. Throws
/// scmi_vp::error (usage) for a folder that has the other kind of file only.
std::optional<std::filesystem::path> input_path(const std::string& name, const std::string& file);

/// The testbenches that have such a file.
std::vector<std::string> testbench_names(const std::string& file);

}  // namespace scmi_vp::app
