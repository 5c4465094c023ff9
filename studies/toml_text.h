// SPDX-License-Identifier: Apache-2.0
// A TOML value as the text of a --set option: on one line, readable, and the same value when read.
#pragma once

#include <filesystem>
#include <string>

#include <toml++/toml.h>

namespace scmi_vp::studies {

/// "30ms", "1000", "{ kind = \"normal\", mean = \"50us\", sd = \"5us\" }". Files that a latency
/// names start at `folder`: the text's start at the working directory, as those of --set do.
std::string override_text(const toml::node& node, const std::filesystem::path& folder);

}  // namespace scmi_vp::studies
