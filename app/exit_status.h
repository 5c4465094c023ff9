// SPDX-License-Identifier: Apache-2.0
// The exit statuses of scmi-vp, in one table.
#pragma once

#include <array>
#include <string_view>

#include "base/error.h"

namespace scmi_vp::app {

enum class exit_status : int {
    ok = 0,
    rule_violated = 1,
    bad_input = 2,
    output_failed = 3,
    unfinished = 4,
    guest_failed = 5,
    failed_check = 6,
    defect = 70,         ///< EX_SOFTWARE of sysexits.h
    out_of_memory = 71,  ///< EX_OSERR of sysexits.h
};

struct exit_status_info {
    exit_status status;
    std::string_view meaning;
};

inline constexpr std::array<exit_status_info, 9> exit_status_table{{
    {exit_status::ok, "everything went well"},
    {exit_status::rule_violated,
     "a rule was violated, the driver could not be probed, or validate found a difference"},
    {exit_status::bad_input,
     "the command line, a scenario or another input file cannot be used; nothing was simulated"},
    {exit_status::output_failed, "an output could not be written"},
    {exit_status::unfinished, "the run ended by sim.duration with calls unfinished"},
    {exit_status::guest_failed,
     "the real kernel of `scmi-vp linux` panicked, hung or ended without results"},
    {exit_status::failed_check, "a [[check]] of the scenario or of the study does not hold"},
    {exit_status::defect, "a defect of scmi-vp itself; please report it"},
    {exit_status::out_of_memory, "memory ran out, or a simulation was killed"},
}};

constexpr exit_status status_of(error_kind kind) {
    switch (kind) {
        case error_kind::usage:
        case error_kind::config:
        case error_kind::input:
            return exit_status::bad_input;
        case error_kind::output:
            return exit_status::output_failed;
        case error_kind::memory:
            return exit_status::out_of_memory;
        case error_kind::model:
            break;
    }
    return exit_status::defect;
}

}  // namespace scmi_vp::app
