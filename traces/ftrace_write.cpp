// SPDX-License-Identifier: Apache-2.0
// ftrace's text: the header block (kernel/trace/trace.c, print_func_help_header_irq()), the columns
// (kernel/trace/trace_output.c, trace_print_context()) and the events
// (include/trace/events/scmi.h).
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "traces/ftrace.h"

namespace scmi_vp::traces {
namespace {

constexpr std::string_view header_columns =
    "#\n"
    "#                                _-----=> irqs-off/BH-disabled\n"
    "#                               / _----=> need-resched\n"
    "#                              | / _---=> hardirq/softirq\n"
    "#                              || / _--=> preempt-depth\n"
    "#                              ||| / _-=> migrate-disable\n"
    "#                              |||| /     delay\n"
    "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
    "#              | |         |   |||||     |         |\n";

template <class T>
void put_decimal(std::string& out, T value, std::size_t width = 0, char fill = ' ') {
    char digits[24];
    const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const auto n = static_cast<std::size_t>(end - digits);
    if (n < width) out.append(width - n, fill);
    out.append(digits, n);
}

void put_hex(std::string& out, std::uint32_t value, unsigned min_digits) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    unsigned n = 1;
    while (n < 8 && value >> (4 * n) != 0) ++n;
    for (n = std::max(n, min_digits); n-- > 0;) out += digits[value >> (4 * n) & 15];
}

/// "<task>-<pid> [cpu] flags seconds.micros: "
void put_context(std::string& out, const ftrace_event& e) {
    if (e.stamp < sim_time()) {
        throw error(error_kind::model, "ftrace", "negative time stamp " + to_string(e.stamp));
    }
    // The clock counts nanoseconds; ns2usecs() adds 500 before it divides.
    const std::int64_t us = (e.stamp.ps / 1'000 + 500) / 1'000;
    if (e.task.size() < 16) out.append(16 - e.task.size(), ' ');
    out += e.task;
    out += '-';
    const std::size_t pid_begin = out.size();
    put_decimal(out, e.pid);
    const std::size_t pid_size = out.size() - pid_begin;
    if (pid_size < 7) out.append(7 - pid_size, ' ');
    out += " [";
    put_decimal(out, e.cpu, 3, '0');
    out += "] ";
    out += e.flags;
    out += ' ';
    put_decimal(out, us / 1'000'000, 5);
    out += '.';
    put_decimal(out, us % 1'000'000, 6, '0');
    out += ": ";
}

/// "pt=10 msg_id=00 seq=0001 transfer_id=1", the start of every event but msg_dump.
void put_xfer(std::string& out, const ftrace_event& e) {
    out += "pt=";
    put_hex(out, e.protocol_id, 2);
    out += " msg_id=";
    put_hex(out, e.message_id, 2);
    out += " seq=";
    put_hex(out, e.seq, 4);
    out += " transfer_id=";
    put_hex(out, static_cast<std::uint32_t>(e.transfer_id), 1);
}

void put_msg_dump(std::string& out, const ftrace_event& e, ftrace_format format) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (format == ftrace_format::linux_6_3) {
        out += "id=";
        put_decimal(out, e.instance);
        out += " ch=";
        put_hex(out, e.channel, 2);
        out += ' ';
    }
    out += "pt=";
    put_hex(out, e.protocol_id, 2);
    out += " t=";
    out += e.tag;
    out += " msg_id=";
    put_hex(out, e.message_id, 2);
    out += " seq=";
    put_hex(out, e.seq, 4);
    out += " s=";
    put_decimal(out, e.status);
    out += " pyld=";
    for (const std::uint8_t byte : e.payload) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

void put_event(std::string& out, const ftrace_event& e, ftrace_format format) {
    switch (e.kind) {
        case ftrace_kind::xfer_begin:
            out += "scmi_xfer_begin: ";
            put_xfer(out, e);
            out += e.poll ? " poll=1" : " poll=0";
            break;
        case ftrace_kind::msg_dump:
            out += "scmi_msg_dump: ";
            put_msg_dump(out, e, format);
            break;
        case ftrace_kind::xfer_response_wait:
            out += "scmi_xfer_response_wait: ";
            put_xfer(out, e);
            out += " tmo_ms=";
            put_decimal(out, e.timeout_ms);
            out += e.poll ? " poll=1" : " poll=0";
            break;
        case ftrace_kind::rx_done:
            out += "scmi_rx_done: ";
            put_xfer(out, e);
            out += " msg_type=";
            put_decimal(out, e.msg_type);
            break;
        case ftrace_kind::xfer_end:
            out += "scmi_xfer_end: ";
            put_xfer(out, e);
            out += " s=";
            put_decimal(out, e.status);
            break;
    }
}

std::string header(std::size_t entries, unsigned cpus) {
    std::string text = "# tracer: nop\n#\n# entries-in-buffer/entries-written: ";
    put_decimal(text, entries);
    text += '/';
    put_decimal(text, entries);
    text += "   #P:";
    put_decimal(text, cpus);
    text += '\n';
    text += header_columns;
    return text;
}

}  // namespace

std::string format_ftrace_line(const ftrace_event& e, ftrace_format format) {
    std::string line;
    put_context(line, e);
    put_event(line, e, format);
    return line;
}

ftrace_writer::ftrace_writer(std::ostream& out, std::string name, ftrace_format format,
                             unsigned cpus)
    : out_(out), name_(std::move(name)), format_(format), cpus_(cpus) {
    if (cpus_ == 0) throw error(error_kind::model, name_, "an ftrace file needs at least one CPU");
}

void ftrace_writer::add(const ftrace_event& e) {
    if (finished_) throw error(error_kind::model, name_, "an event after finish()");
    if (e.stamp < put_aside_to_) {
        throw error(error_kind::model, name_,
                    "an event at " + to_string(e.stamp) + " after a whole block up to " +
                        to_string(put_aside_to_));
    }
    const std::size_t begin = lines_.size();
    put_context(lines_, e);
    put_event(lines_, e, format_);
    lines_ += '\n';
    places_.push_back({e.stamp, begin});
    ++counted_.records;
    counted_.bytes += lines_.size() - begin;
    if (lines_.size() >= block_bytes) put_aside();
}

void ftrace_writer::sort_lines() {
    const auto earlier = [](const line_place& a, const line_place& b) { return a.stamp < b.stamp; };
    if (std::is_sorted(places_.begin(), places_.end(), earlier)) return;
    std::stable_sort(places_.begin(), places_.end(), earlier);
    std::string sorted;
    sorted.reserve(lines_.size());
    for (line_place& place : places_) {
        const std::size_t size = lines_.find('\n', place.begin) + 1 - place.begin;
        sorted.append(lines_, place.begin, size);
        place.begin = sorted.size() - size;
    }
    lines_ = std::move(sorted);
}

// The older half: what is not quite in order yet is among the newest.
void ftrace_writer::put_aside() {
    sort_lines();
    if (!blocks_) blocks_.reset(std::tmpfile());
    const std::size_t half = places_.size() / 2, bytes = places_[half].begin;
    if (!blocks_ || std::fwrite(lines_.data(), 1, bytes, blocks_.get()) != bytes) {
        throw error(error_kind::output, name_,
                    std::string("a temporary file for it cannot be written: ") +
                        std::strerror(errno) + "; free some space there");
    }
    put_aside_to_ = places_[half - 1].stamp;
    lines_.erase(0, bytes);
    places_.erase(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(half));
    for (line_place& place : places_) place.begin -= bytes;
}

void ftrace_writer::copy_blocks() {
    if (!blocks_) return;
    std::rewind(blocks_.get());
    char part[65536];
    while (const std::size_t n = std::fread(part, 1, sizeof part, blocks_.get())) {
        out_.write(part, static_cast<std::streamsize>(n));
    }
    blocks_.reset();
}

written ftrace_writer::finish() {
    if (finished_) throw error(error_kind::model, name_, "finish() was called twice");
    finished_ = true;
    const std::string head = header(counted_.records, cpus_);
    out_ << head;
    copy_blocks();
    sort_lines();
    out_ << lines_;
    check_stream(out_, name_);
    return {counted_.records, head.size() + counted_.bytes};
}

}  // namespace scmi_vp::traces
