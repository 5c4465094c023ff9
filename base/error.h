// SPDX-License-Identifier: Apache-2.0
// The one error type. What went wrong, where, and what to do about it, in one line.
#pragma once

#include <stdexcept>
#include <string>

namespace scmi_vp {

/// What kind of error; app/ maps each to an exit status.
enum class error_kind {
    usage,   ///< the command line
    config,  ///< a scenario, platform or device tree says something that cannot be used
    input,   ///< another input file (histogram, trace, recorded list) is malformed or unreadable
    output,  ///< a result cannot be written (path, permission, full disk)
    model,   ///< the simulation broke one of its own rules: a defect of scmi-vp
    memory,  ///< there is less memory than what was asked for needs
};

/// `where` is "file", "file:line:column" or empty; the message says what is wrong and how to mend
/// it.
class error : public std::runtime_error {
public:
    error(error_kind kind, const std::string& where, const std::string& message)
        : std::runtime_error(where.empty() ? message : where + ": " + message), kind_(kind) {}
    error(error_kind kind, const std::string& message) : error(kind, std::string(), message) {}

    error_kind kind() const { return kind_; }

private:
    error_kind kind_;
};

}  // namespace scmi_vp
