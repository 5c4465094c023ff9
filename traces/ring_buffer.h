// SPDX-License-Identifier: Apache-2.0
// The scmi:* events in the memory of a kernel that could not print them: pages of its ring buffer
// (Linux 6.1 kernel/trace/ring_buffer.c struct buffer_data_page, include/linux/ring_buffer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "traces/ftrace.h"

namespace scmi_vp::traces {

/// Looks for the pages by what they are: a page counts when every record in it parses to the end
/// that the page itself gives. What the events' numbers are is told by scmi_msg_dump, which has its
/// tag in clear: those that include/trace/events/scmi.h defines in front of it are its neighbours.
class ring_buffer_reader {
public:
    /// Memory of a 64-bit little-endian kernel without tracing of anything else, in pages of 4 KiB.
    /// It may change meanwhile.
    void look_through(const std::uint8_t* memory, std::size_t bytes);
    /// By time. Tasks have no names here: "<idle>" and what ftrace writes for others, "<...>".
    std::vector<ftrace_event> finish();
    /// After finish(): which kernel's events they are.
    ftrace_format format() const { return format_; }

    struct record {
        std::uint64_t stamp_ns;
        std::vector<std::uint8_t> data;  ///< from struct trace_entry on
    };

private:
    std::vector<std::vector<record>> pages_;
    ftrace_format format_ = ftrace_format::linux_6_1;
};

}  // namespace scmi_vp::traces
