// SPDX-License-Identifier: Apache-2.0
// Commands that people paste into a shell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/console.h"

namespace scmi_vp::studies {

using scmi_vp::shell_quoted;

/// "scmi-vp run SCENARIO --set ... --seed N"; a sim.seed in `set` is left out. Files keep this
/// name of the program; what is printed passes it through as_started().
std::string run_command_line(const std::string& scenario, const std::vector<std::string>& set,
                             std::uint64_t seed);

/// "scmi-vp study STUDY --seed N --set ...".
std::string study_command_line(const std::string& study, const std::vector<std::string>& set,
                               std::uint64_t seed);

}  // namespace scmi_vp::studies
