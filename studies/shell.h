// SPDX-License-Identifier: Apache-2.0
// Commands that people paste into a shell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scmi_vp::studies {

/// One argument, quoted for a POSIX shell where it needs to be.
std::string shell_quoted(const std::string& argument);

/// "scmi-vp run SCENARIO --set ... --seed N"; a sim.seed in `set` is left out.
std::string run_command_line(const std::string& scenario, const std::vector<std::string>& set,
                             std::uint64_t seed);

}  // namespace scmi_vp::studies
