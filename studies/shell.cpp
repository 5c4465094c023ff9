// SPDX-License-Identifier: Apache-2.0
// See shell.h.
#include "studies/shell.h"

namespace scmi_vp::studies {

std::string run_command_line(const std::string& scenario, const std::vector<std::string>& set,
                             std::uint64_t seed) {
    std::string line = "scmi-vp run " + shell_quoted(scenario);
    for (const std::string& s : set) {
        if (s.rfind("sim.seed=", 0) == 0) continue;  // replaced by --seed
        line += " --set " + shell_quoted(s);
    }
    return line + " --seed " + std::to_string(seed);
}

std::string study_command_line(const std::string& study, const std::vector<std::string>& set,
                               std::uint64_t seed) {
    std::string line = "scmi-vp study " + shell_quoted(study) + " --seed " + std::to_string(seed);
    for (const std::string& s : set) line += " --set " + shell_quoted(s);
    return line;
}

}  // namespace scmi_vp::studies
