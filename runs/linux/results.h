// SPDX-License-Identifier: Apache-2.0
// What a real kernel hands back, brought into the form that the model writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace scmi_vp::runs {

/// The driver's lines of the kernel's message buffer (syslog(2) format, "<6>[    0.000000] text"),
/// without the level.
std::string scmi_messages(const std::string& kernel_log);

/// Entries that the kernel's trace buffer could not keep, from the trace's header
/// ("entries-in-buffer/entries-written: 10/12"). Throws scmi_vp::error (input) without that header.
std::uint64_t lost_trace_entries(const std::string& trace, const std::string& name);

/// What tools/linux/player.c wrote: one line per fact.
struct player_result {
    struct task {
        std::string name;
        std::uint64_t calls = 0, errors = 0;
        int last_errno = 0;
        sim_time begin, end;  ///< guest time, each after its clock read; 0 = it did not come there
    };
    /// A call that was made, if they were to be logged.
    struct made {
        std::size_t task = 0;
        std::size_t call = 0;  ///< of linux_workload::kinds
        sim_time at;
    };
    bool played = false;    ///< the driver was probed
    bool finished = false;  ///< all tasks ended in time
    sim_time module;        ///< when the module of calls was loaded
    std::vector<task> tasks;
    std::vector<made> calls_made;  ///< task by task, in order
    /// The last line: bytes of the kernel's messages and of the trace. Without it this is cut off.
    struct sizes {
        std::uint64_t log, trace;
    };
    std::optional<sizes> files;

    std::uint64_t calls() const;
    std::uint64_t errors() const;
    /// From the start of the first task to the end of the last, less the clock read (256 ns) that
    /// it took to find that out; zero if none ended.
    sim_time span() const;
};
/// Throws scmi_vp::error (input) for anything else.
player_result read_player_result(const std::string& text);

}  // namespace scmi_vp::runs
