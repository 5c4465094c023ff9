// SPDX-License-Identifier: Apache-2.0
// Reads ftrace's text back. Layout: kernel/trace/trace_output.c, trace_print_context(); events:
// include/trace/events/scmi.h of Linux 6.1 and later.
#include <array>
#include <optional>
#include <string_view>

#include "traces/ftrace.h"
#include "traces/text_scanner.h"

namespace scmi_vp::traces {
namespace {

constexpr std::array<std::pair<std::string_view, ftrace_kind>, 5> event_names{{
    {"scmi_xfer_begin", ftrace_kind::xfer_begin},
    {"scmi_msg_dump", ftrace_kind::msg_dump},
    {"scmi_xfer_response_wait", ftrace_kind::xfer_response_wait},
    {"scmi_rx_done", ftrace_kind::rx_done},
    {"scmi_xfer_end", ftrace_kind::xfer_end},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "  comm-22  ": fills in task and pid; false when there is no pid.
bool split_task(std::string_view text, ftrace_event& e) {
    // Option record-tgid puts the thread group between pid and CPU: "-22  (   22) [000]".
    if (!text.empty() && text.back() == ')') text = text.substr(0, text.rfind('('));
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    const std::size_t dash = text.rfind('-');
    if (dash == std::string_view::npos || dash + 1 == text.size()) return false;
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + dash + 1, end, e.pid);
    if (status != std::errc() || stop != end) return false;
    text = text.substr(0, dash);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    e.task.assign(text);
    return true;
}

/// Task, pid and CPU: the first "[digits] " after a pid. A task may be called "a-1 [000] b"; the
/// kernel's own columns (at most 15 characters, right-aligned to 16, then the dash) tell it apart.
/// Lines whose leading spaces were lost on the way are found as well.
void read_task_and_cpu(text_scanner& s, ftrace_event& e) {
    const std::string_view line = s.rest();
    const std::size_t from = line.size() > 16 && line[16] == '-' ? 16 : 0;
    for (std::size_t open = line.find('[', from); open != std::string_view::npos;
         open = line.find('[', open + 1)) {
        std::size_t close = open + 1;
        while (close < line.size() && is_digit(line[close])) ++close;
        if (close == open + 1 || line.substr(close, 2) != "] " || open == 0 ||
            line[open - 1] != ' ' || !split_task(line.substr(0, open - 1), e)) {
            continue;
        }
        s.skip(open + 1);
        e.cpu = s.number<unsigned>(10, "CPU number");
        s.skip(2);
        return;
    }
    s.fail("expected 'task-pid [cpu] flags seconds: event: ...' (ftrace's text format)");
}

void read_context(text_scanner& s, ftrace_event& e) {
    read_task_and_cpu(s, e);
    const std::string_view flags = s.word("flags (trace option irq-info)");
    if (is_digit(flags.front()) && flags.find_first_not_of("0123456789.:") == flags.npos) {
        s.fail("no flags before the time stamp: record with the trace option irq-info");
    }
    e.flags.assign(flags);
    e.stamp = s.time_stamp();
    s.expect(": ");
}

bool read_poll(text_scanner& s) {
    s.expect(" poll=");
    const auto poll = s.number<unsigned>(10, "0 or 1");
    if (poll > 1) s.fail("poll is neither 0 nor 1");
    return poll == 1;
}

void read_protocol(text_scanner& s, ftrace_event& e) {
    s.expect("pt=");
    e.protocol_id = s.number<std::uint8_t>(16, "protocol");
}

void read_message_and_seq(text_scanner& s, ftrace_event& e) {
    s.expect(" msg_id=");
    e.message_id = s.number<std::uint8_t>(16, "message");
    s.expect(" seq=");
    e.seq = s.number<std::uint16_t>(16, "sequence number");
}

void read_payload(text_scanner& s, std::vector<std::uint8_t>& payload) {
    const std::size_t digits = s.rest().size();
    if (digits % 2 != 0) s.fail("the payload is cut: an odd number of hexadecimal digits");
    payload.reserve(digits / 2);
    while (!s.at_end()) {
        std::uint8_t byte = 0;
        const std::string_view pair = s.rest().substr(0, 2);
        const auto [stop, status] = std::from_chars(pair.data(), pair.data() + 2, byte, 16);
        if (status != std::errc() || stop != pair.data() + 2) {
            s.fail("expected two hexadecimal digits of the payload");
        }
        payload.push_back(byte);
        s.skip(2);
    }
}

void read_msg_dump(text_scanner& s, ftrace_event& e) {
    if (s.accept("id=")) {
        e.instance = s.number<int>(10, "instance");
        s.expect(" ch=");
        e.channel = s.number<std::uint8_t>(16, "channel");
        s.expect(" ");
    }
    read_protocol(s, e);
    s.expect(" t=");
    e.tag.assign(s.word("tag"));
    read_message_and_seq(s, e);
    s.expect(" s=");
    e.status = s.number<std::int32_t>(10, "status");
    s.expect(" pyld=");
    read_payload(s, e.payload);
}

void read_xfer(text_scanner& s, ftrace_event& e) {
    read_protocol(s, e);
    read_message_and_seq(s, e);
    s.expect(" transfer_id=");
    e.transfer_id = static_cast<std::int32_t>(s.number<std::uint32_t>(16, "transfer id"));
    switch (e.kind) {
        case ftrace_kind::xfer_response_wait:
            s.expect(" tmo_ms=");
            e.timeout_ms = s.number<std::uint32_t>(10, "timeout");
            e.poll = read_poll(s);
            return;
        case ftrace_kind::rx_done:
            s.expect(" msg_type=");
            e.msg_type = s.number<std::uint8_t>(10, "message type");
            return;
        case ftrace_kind::xfer_begin:
            e.poll = read_poll(s);
            break;
        default:
            s.expect(" s=");
            e.status = s.number<std::int32_t>(10, "status");
            break;
    }
    // Since 6.18 begin and end count the commands in flight; nothing here uses it.
    if (s.accept(" inflight=")) s.number<int>(10, "commands in flight");
}

std::optional<ftrace_kind> read_event_name(text_scanner& s) {
    const std::string_view rest = s.rest();
    const std::string_view name = rest.substr(0, rest.find_first_of(": "));
    for (const auto& [known, kind] : event_names) {
        if (name != known) continue;
        s.skip(name.size());
        s.expect(": ");
        return kind;
    }
    // Other events have a colon behind their name, the function tracer prints "f <-caller".
    if (rest.substr(name.size(), 1) != ":" && rest.substr(name.size(), 3) != " <-") {
        s.fail("the event's name is cut");
    }
    return std::nullopt;
}

/// False for another event.
bool read_event(text_scanner& s, ftrace_event& e) {
    read_context(s, e);
    const std::optional<ftrace_kind> kind = read_event_name(s);
    if (!kind) return false;
    e.kind = *kind;
    if (s.rest().substr(0, 12) == "transfer_id=") {
        s.fail("the event format of kernels before 6.1; record with Linux 6.1 or later");
    }
    if (e.kind == ftrace_kind::msg_dump) {
        read_msg_dump(s, e);
    } else {
        read_xfer(s, e);
    }
    s.expect_end();
    return true;
}

/// Lines between the events that are none: lost events (kernel/trace/trace.c, print_trace_line():
/// "CPU:1 [LOST 12 EVENTS]") and, when a serial console was recorded, kernel messages.
bool is_between_events(const std::string& line) {
    if (line.compare(0, 4, "CPU:") == 0) return line.find(" EVENTS]") != std::string::npos;
    if (line.front() != '[') return false;
    const std::size_t digit = line.find_first_not_of(' ', 1);
    return digit != std::string::npos && is_digit(line[digit]) &&
           line.find("] ", digit) == line.find_first_not_of("0123456789.", digit);
}

}  // namespace

std::vector<ftrace_event> read_ftrace(std::istream& in, const std::string& name,
                                      std::uint64_t* skipped) {
    std::vector<ftrace_event> events;
    std::uint64_t others = 0;
    std::string line;
    for (std::uint64_t number = 1; read_line(in, name, number, line); ++number) {
        if (line.empty() || line.front() == '#') continue;
        if (is_between_events(line)) {
            ++others;
            continue;
        }
        text_scanner s(line, name, number);
        ftrace_event e;
        if (read_event(s, e)) {
            events.push_back(std::move(e));
        } else {
            ++others;
        }
    }
    if (skipped != nullptr) *skipped = others;
    return events;
}

}  // namespace scmi_vp::traces
