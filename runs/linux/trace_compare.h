// SPDX-License-Identifier: Apache-2.0
// Compares what a run wrote with what was recorded, and says in words where they first differ.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "traces/ftrace.h"

namespace scmi_vp::runs {

/// Result of a comparison.
struct trace_comparison {
    std::size_t compared = 0;      ///< events, lines or accesses that were compared
    std::string first_difference;  ///< what differs and where, several lines; empty: nothing does
    /// Events that are the same but for their time, counted from their request's begin, one line
    /// each.
    std::vector<std::string> time_exceptions;

    bool same() const { return first_difference.empty(); }
    /// Everything, for people.
    std::string text() const;
};

/// Event by event: order, kind, protocol, message id, seq, transfer_id, poll, timeout, status,
/// type, tag and payload; which task and CPU are the system's own affair and not compared. Times
/// are compared from the begin of each event's request, after rounding to microseconds as ftrace
/// prints them.
trace_comparison compare_traces(const std::vector<traces::ftrace_event>& expected,
                                const std::vector<traces::ftrace_event>& actual,
                                traces::ftrace_format format);

/// Kernel messages: the same texts in the same order but for offsets behind function names (they
/// differ from build to build), stamps at most `tolerance` apart.
trace_comparison compare_logs(const std::vector<traces::log_line>& expected,
                              const std::vector<traces::log_line>& actual, sim_time tolerance);

/// Register accesses: the same in order, offset and value; the level of the interrupt line and
/// kicks (QueueNotify) aside. Ring addresses are compared relative to the first one, since each
/// guest places its rings where it likes.
trace_comparison compare_registers(const std::vector<traces::register_trace_line>& expected,
                                   const std::vector<traces::register_trace_line>& actual);

}  // namespace scmi_vp::runs
