// SPDX-License-Identifier: Apache-2.0
// The scmi:* trace events of the Linux driver in ftrace's own text format, written and read.
// Formats: include/trace/events/scmi.h and kernel/trace/trace_output.c (6.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/time.h"
#include "traces/output_file.h"

namespace scmi_vp::traces {

enum class ftrace_kind : std::uint8_t {
    xfer_begin,
    msg_dump,
    xfer_response_wait,
    rx_done,
    xfer_end
};

/// Which kernel's text format.
enum class ftrace_format : std::uint8_t {
    linux_6_1,  ///< msg_dump: pt= t= msg_id= seq= s= pyld=
    linux_6_3,  ///< 6.3 and later: msg_dump starts with id= ch=
};

/// One event. Fields that a kind does not have stay at their default.
struct ftrace_event {
    sim_time stamp;    ///< trace_clock=mono
    std::string task;  ///< comm, "<idle>" in an interrupt of an idle CPU
    int pid = 0;
    unsigned cpu = 0;
    std::string flags = ".....";
    ftrace_kind kind = ftrace_kind::xfer_begin;
    std::uint8_t protocol_id = 0, message_id = 0;
    std::uint16_t seq = 0;
    std::int32_t transfer_id = 0;
    bool poll = false;
    std::uint32_t timeout_ms = 0;
    std::int32_t status = 0;  ///< s=
    std::uint8_t msg_type = 0;
    int instance = 0;          ///< id=, 6.3 and later
    std::uint8_t channel = 0;  ///< ch=, 6.3 and later
    std::string tag;           ///< CMND, RESP, DLYD, NOTI, !RESP, ...
    std::vector<std::uint8_t> payload;
};

/// Writes header and lines in finish(): the header names the number of entries, and the kernel
/// prints the buffers of all CPUs merged by time, so events may be added out of order (equal stamps
/// stay in the order of add()) within `block_bytes` of text. Full blocks wait in an unnamed
/// temporary file: memory does not grow with the run.
class ftrace_writer {
public:
    /// `cpus` is the number of CPUs online (#P: in the header), at least 1.
    ftrace_writer(std::ostream& out, std::string name, ftrace_format format, unsigned cpus);

    static constexpr std::size_t block_bytes = 16u << 20;

    /// Throws scmi_vp::error (model) for an event older than the blocks that are put aside,
    /// (output) when these cannot be kept.
    void add(const ftrace_event& e);

    /// Writes everything, once. records = events, 0 if there were none: the caller decides whether
    /// an empty trace is an error. Throws scmi_vp::error (output) when it cannot be written.
    written finish();

private:
    struct line_place {
        sim_time stamp;
        std::size_t begin;
    };
    struct close_file {
        void operator()(std::FILE* f) const { std::fclose(f); }
    };
    void sort_lines();
    void put_aside();
    void copy_blocks();

    std::ostream& out_;
    std::string name_;
    ftrace_format format_;
    unsigned cpus_;
    std::string lines_;
    std::vector<line_place> places_;
    std::unique_ptr<std::FILE, close_file> blocks_;  ///< sorted, oldest first
    sim_time put_aside_to_{-1};                      ///< latest stamp in there
    written counted_;
    bool finished_ = false;
};

/// One line without the newline. Stamps are nanoseconds rounded half up to microseconds
/// (kernel/trace/trace.c, ns2usecs()). Throws scmi_vp::error (model) for a negative stamp.
std::string format_ftrace_line(const ftrace_event& e, ftrace_format format);

/// Reads a whole ftrace file of Linux 6.1 or later, either format. Lines of other events, "LOST
/// EVENTS" notes and kernel messages in between (a recorded console) are skipped and counted in
/// `skipped` (may be nullptr). The inflight= of 6.18 is read and dropped. Throws scmi_vp::error
/// (input) "name:line: ..." for a line that is cut or malformed.
std::vector<ftrace_event> read_ftrace(std::istream& in, const std::string& name,
                                      std::uint64_t* skipped = nullptr);

/// One kernel message.
struct log_line {
    sim_time stamp;
    std::string text;  ///< "arm-scmi firmware:scmi: SCMI Notifications - Core Enabled."
};
/// "[   64.480000] arm-scmi ...", microseconds cut off (kernel/printk/printk.c, print_time()).
std::string format_log_line(const log_line& l);
/// Empty lines are skipped. Throws scmi_vp::error (input) "name:line: ..." for any other line that
/// does not start with a time stamp.
std::vector<log_line> read_dmesg(std::istream& in, const std::string& name);
/// Without "+0x1f/0x2e" and ".isra.0" behind function names (they differ from build to build).
std::string without_function_offsets(std::string text);

/// A register access as QEMU's virtio_mmio trace events print it ("read offset 0x44",
/// "write offset 0x70 value 0x1", "irq 1").
struct register_trace_line {
    enum class kind_t : std::uint8_t { read, write, irq } kind;
    std::uint32_t offset = 0;
    std::uint32_t value = 0;  ///< of a write; irq level
};
/// Skips the transport's own notes ("status 15", "queue-size 0x400 of 1024", "virtio_queue_notify n
/// 1") and empty lines. Throws scmi_vp::error (input) "name:line: ..." for any other line.
std::vector<register_trace_line> read_register_trace(std::istream& in, const std::string& name);
std::string format_register_trace_line(const register_trace_line& l);

}  // namespace scmi_vp::traces
