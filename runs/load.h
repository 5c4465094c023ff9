// SPDX-License-Identifier: Apache-2.0
// A scenario that can be run: read, and each of its checks found among the numbers of a run's
// results before anything is simulated.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace scmi_vp::runs {

/// scenario::read_scenario. Throws as that does, and scmi_vp::error (config) for a check of a
/// number that no run of it has.
scenario::scenario load_scenario(const std::filesystem::path& path,
                                 const std::vector<std::string>& overrides);

/// The same for a text (scenario::parse_scenario).
scenario::scenario parse_scenario(const std::string& text, const std::filesystem::path& name,
                                  const std::vector<std::string>& overrides = {});

}  // namespace scmi_vp::runs
