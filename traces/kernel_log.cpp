// SPDX-License-Identifier: Apache-2.0
// Kernel messages and register accesses, read and written (declared in traces/ftrace.h).
#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/error.h"
#include "traces/ftrace.h"
#include "traces/text_scanner.h"

namespace scmi_vp::traces {
namespace {

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Length of "0x1f" at `at`, 0 if there is none.
std::size_t hex_length(std::string_view text, std::size_t at) {
    if (text.substr(at, 2) != "0x") return 0;
    std::size_t n = 2;
    while (at + n < text.size() && is_hex_digit(text[at + n])) ++n;
    return n > 2 ? n : 0;
}

/// Length of "+0x1f/0x2e" at `at`, 0 if there is none.
std::size_t offset_length(std::string_view text, std::size_t at) {
    if (text[at] != '+') return 0;
    const std::size_t offset = hex_length(text, at + 1);
    if (offset == 0 || text.substr(at + 1 + offset, 1) != "/") return 0;
    const std::size_t size = hex_length(text, at + 2 + offset);
    return size == 0 ? 0 : 2 + offset + size;
}

std::string hex(std::uint32_t value) {
    char digits[8];
    return "0x" + std::string(digits, std::to_chars(digits, digits + 8, value, 16).ptr);
}

std::uint32_t read_hex(text_scanner& s, const char* what) {
    s.expect("0x");
    return s.number<std::uint32_t>(16, what);
}

bool is_transport_note(std::string_view line) {
    const std::string_view word = line.substr(0, line.find(' '));
    return word == "status" || word == "queue-size" || word == "virtio_queue_notify";
}

register_trace_line read_register_line(text_scanner& s) {
    register_trace_line l{};
    if (s.accept("read offset ")) {
        l.kind = register_trace_line::kind_t::read;
        l.offset = read_hex(s, "register offset");
    } else if (s.accept("write offset ")) {
        l.kind = register_trace_line::kind_t::write;
        l.offset = read_hex(s, "register offset");
        s.expect(" value ");
        l.value = read_hex(s, "value");
    } else if (s.accept("irq ")) {
        l.kind = register_trace_line::kind_t::irq;
        l.value = s.number<std::uint32_t>(10, "interrupt level");
        if (l.value > 1) s.fail("the interrupt level is neither 0 nor 1");
    } else {
        s.fail("expected 'read offset 0x..', 'write offset 0x.. value 0x..' or 'irq 0|1'");
    }
    s.expect_end();
    return l;
}

/// Length of ".isra.0", ".constprop.2" or ".part.1" at `at`: how gcc names its copies of a
/// function.
std::size_t copy_length(const std::string& text, std::size_t at) {
    for (const std::string_view mark : {".isra.", ".constprop.", ".part.", ".cold"}) {
        if (text.compare(at, mark.size(), mark) != 0) continue;
        std::size_t end = at + mark.size();
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
        return end - at;
    }
    return 0;
}

}  // namespace

std::string format_log_line(const log_line& l) {
    if (l.stamp < sim_time()) {
        throw error(error_kind::model, "kernel log", "negative time stamp " + to_string(l.stamp));
    }
    const std::int64_t us = l.stamp.ps / 1'000'000;
    const std::string whole = std::to_string(us / 1'000'000);
    const std::string fraction = std::to_string(us % 1'000'000);
    std::string line = "[";
    if (whole.size() < 5) line.append(5 - whole.size(), ' ');
    line += whole + '.' + std::string(6 - fraction.size(), '0') + fraction;
    return line + "] " + l.text;
}

std::vector<log_line> read_dmesg(std::istream& in, const std::string& name) {
    std::vector<log_line> lines;
    std::string line;
    for (std::uint64_t number = 1; read_line(in, name, number, line); ++number) {
        if (line.empty()) continue;
        text_scanner s(line, name, number);
        s.expect("[");
        const sim_time stamp = s.time_stamp();
        s.expect("] ");
        lines.push_back({stamp, std::string(s.rest())});
    }
    return lines;
}

std::string without_function_offsets(std::string text) {
    std::string kept;
    kept.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t skip = std::max(offset_length(text, at), copy_length(text, at));
        if (skip == 0) kept += text[at];
        at += skip == 0 ? 1 : skip;
    }
    return kept;
}

std::vector<register_trace_line> read_register_trace(std::istream& in, const std::string& name) {
    std::vector<register_trace_line> lines;
    std::string line;
    for (std::uint64_t number = 1; read_line(in, name, number, line); ++number) {
        if (line.empty() || is_transport_note(line)) continue;
        text_scanner s(line, name, number);
        lines.push_back(read_register_line(s));
    }
    return lines;
}

std::string format_register_trace_line(const register_trace_line& l) {
    switch (l.kind) {
        case register_trace_line::kind_t::read:
            return "read offset " + hex(l.offset);
        case register_trace_line::kind_t::write:
            return "write offset " + hex(l.offset) + " value " + hex(l.value);
        case register_trace_line::kind_t::irq:
            break;
    }
    return "irq " + std::to_string(l.value);
}

}  // namespace scmi_vp::traces
