// SPDX-License-Identifier: Apache-2.0
// See shell.h.
#include "studies/shell.h"

namespace scmi_vp::studies {

std::string shell_quoted(const std::string& argument) {
    const char* const plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
    if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos)
        return argument;
    std::string quoted = "'";
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string run_command_line(const std::string& scenario, const std::vector<std::string>& set,
                             std::uint64_t seed) {
    std::string line = "scmi-vp run " + shell_quoted(scenario);
    for (const std::string& s : set) {
        if (s.rfind("sim.seed=", 0) == 0) continue;  // replaced by --seed
        line += " --set " + shell_quoted(s);
    }
    return line + " --seed " + std::to_string(seed);
}

}  // namespace scmi_vp::studies
