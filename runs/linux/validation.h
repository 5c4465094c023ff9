// SPDX-License-Identifier: Apache-2.0
// A scenario played by the modelled driver and by an unmodified Linux kernel, and in what they
// agree.
//
// The kernel goes first: when its probe begins and when its tasks make their calls is a matter of
// its boot and of user space, which nobody models, so the modelled guest is told these times. What
// becomes of them is compared.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/scenario.h"
#include "traces/ftrace.h"

namespace scmi_vp::runs {

/// What one side did.
struct evidence {
    struct task {
        std::string name;
        std::uint64_t calls = 0, errors = 0;
        int last_errno = 0;
    };
    /// What nobody models, because it is the boot's and user space's; the kernel's only.
    struct times {
        sim_time first_command;  ///< the doorbell of the probe's first message
        sim_time module;         ///< when scmi-vp-caller was loaded
        std::vector<std::vector<std::pair<sim_time, models::call>>> calls;  ///< of each task
    };
    std::string status;  ///< "ok", "unfinished", "violations", "no_probe"
    std::vector<traces::ftrace_event> events;
    std::vector<traces::log_line> log;
    std::vector<task> tasks;
    times given;
};

/// What is compared, a column of the table each.
enum class aspect : std::uint8_t {
    messages,      ///< every trace event in order: commands, responses, delayed, notifications,
                   ///< payloads
    statuses,      ///< how each transfer ended, and each call of the workload
    timeouts,      ///< transfers that timed out, and how long after their begin
    late_replies,  ///< log lines about replies that nobody waits for any more
    log_lines,     ///< texts and stamps
    round_trips,   ///< of every transfer, in the microseconds that ftrace prints
};
inline constexpr std::array<std::string_view, 6> aspect_names{
    "messages", "statuses", "timeouts", "late replies", "log lines", "round trips"};

struct agreement {
    struct compared {
        std::uint64_t kernel = 0, model = 0;  ///< how many there were
        std::string difference;               ///< the first; empty: none
    };
    std::array<compared, aspect_names.size()> aspects;

    bool whole() const;
    /// The first difference with its aspect's name; empty: none.
    std::string first_difference() const;
};

agreement compare(const evidence& kernel, const evidence& model);

/// The scenario as the kernel of tools/build-linux runs it: HZ=100, one CPU, 60 s, its drivers,
/// rings of 256, the costs `uml-time-travel`, no hops inside the guest.
scenario::scenario on_the_real_kernel(scenario::scenario s);

/// ... and with the kernel's own times of probe and calls, for the model.
scenario::scenario aligned(scenario::scenario s, const evidence::times& given);

struct validation_options {
    std::filesystem::path out;     ///< both sides' files, a folder per scenario; empty: none
    std::filesystem::path kernel;  ///< empty: the default one
    /// Gets a signal's number when it is to end (stop_flag::asked): then `stopped` is thrown.
    const volatile std::sig_atomic_t* stop = nullptr;
};

/// Runs both, each in a process of its own. Throws scmi_vp::error.
agreement validate(const scenario::scenario& s, const validation_options& options);

}  // namespace scmi_vp::runs
