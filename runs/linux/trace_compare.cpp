// SPDX-License-Identifier: Apache-2.0
// See trace_compare.h.
#include "runs/linux/trace_compare.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <tuple>

#include "virtio/mmio_registers.h"

namespace scmi_vp::runs {
namespace {

using traces::ftrace_event;
using traces::ftrace_kind;
using traces::register_trace_line;

std::string two_lines(const std::string& expected, const std::string& actual) {
    return "  expected: " + expected + "\n  actual:   " + actual + "\n";
}

std::string counts(const char* what, std::size_t expected, std::size_t actual,
                   const std::string& next) {
    return std::string(expected > actual ? "too few " : "too many ") + what + ": expected " +
           std::to_string(expected) + ", got " + std::to_string(actual) + "\n  the first " +
           (expected > actual ? "missing" : "surplus") + " one: " + next + "\n";
}

/// The fields in which two events differ, in words; empty if in none.
std::string differing_fields(const ftrace_event& a, const ftrace_event& b) {
    std::string names;
    const auto look = [&names](const char* name, bool same) {
        if (!same) names += (names.empty() ? "" : ", ") + std::string(name);
    };
    look("kind", a.kind == b.kind);
    look("protocol", a.protocol_id == b.protocol_id);
    look("message id", a.message_id == b.message_id);
    look("seq", a.seq == b.seq);
    look("transfer_id", a.transfer_id == b.transfer_id);
    look("poll", a.poll == b.poll);
    look("timeout", a.timeout_ms == b.timeout_ms);
    look("status", a.status == b.status);
    look("message type", a.msg_type == b.msg_type);
    look("tag", a.tag == b.tag);
    look("payload", a.payload == b.payload);
    return names;
}

/// Times from the begin of each event's request, in the microseconds that ftrace prints.
class request_times {
public:
    std::int64_t from_begin(const ftrace_event& e) {
        const std::int64_t at = (e.stamp.ps / 1000 + 500) / 1000;
        const auto key = std::make_tuple(e.protocol_id, e.message_id, e.seq);
        if (e.kind == ftrace_kind::xfer_begin) begins_[key] = at;
        const auto begin = begins_.find(key);
        return begin == begins_.end() ? at : at - begin->second;
    }

private:
    std::map<std::tuple<std::uint8_t, std::uint8_t, std::uint16_t>, std::int64_t> begins_;
};

bool is_ring_address(std::uint32_t offset) {
    namespace mmio = virtio::mmio;
    return offset == mmio::queue_desc_low || offset == mmio::queue_driver_low ||
           offset == mmio::queue_device_low;
}

/// Without what is not compared.
std::vector<register_trace_line> accesses_of(const std::vector<register_trace_line>& all) {
    using kind = register_trace_line::kind_t;
    std::vector<register_trace_line> kept;
    std::optional<std::uint32_t> first_ring;
    for (register_trace_line l : all) {
        if (l.kind == kind::irq || l.offset == virtio::mmio::queue_notify) continue;
        if (l.kind == kind::read) l.value = 0;  // recordings do not have it
        if (l.kind == kind::write && is_ring_address(l.offset)) {
            if (!first_ring) first_ring = l.value;
            l.value -= *first_ring;
        }
        kept.push_back(l);
    }
    return kept;
}

}  // namespace

std::string trace_comparison::text() const {
    std::string t = first_difference;
    for (const std::string& e : time_exceptions) t += "time differs: " + e + "\n";
    if (t.empty()) t = "the same: " + std::to_string(compared) + " compared\n";
    return t;
}

trace_comparison compare_traces(const std::vector<ftrace_event>& expected,
                                const std::vector<ftrace_event>& actual,
                                traces::ftrace_format format) {
    trace_comparison result;
    request_times expected_times, actual_times;
    const std::size_t both = std::min(expected.size(), actual.size());
    for (std::size_t i = 0; i < both; ++i, ++result.compared) {
        const ftrace_event &e = expected[i], &a = actual[i];
        const auto lines = [&] {
            return two_lines(format_ftrace_line(e, format), format_ftrace_line(a, format));
        };
        const std::string fields = differing_fields(e, a);
        if (!fields.empty()) {
            result.first_difference = "event " + std::to_string(i + 1) + " of " +
                                      std::to_string(expected.size()) + " differs in " + fields +
                                      "\n" + lines();
            return result;
        }
        const std::int64_t et = expected_times.from_begin(e), at = actual_times.from_begin(a);
        if (et == at) continue;
        result.time_exceptions.push_back("event " + std::to_string(i + 1) + ": " +
                                         std::to_string(et) + " us after its begin expected, " +
                                         std::to_string(at) + " us got\n" + lines());
    }
    if (expected.size() != actual.size()) {
        const ftrace_event& next = expected.size() > actual.size() ? expected[both] : actual[both];
        result.first_difference =
            counts("events", expected.size(), actual.size(), format_ftrace_line(next, format));
    }
    return result;
}

trace_comparison compare_logs(const std::vector<traces::log_line>& expected,
                              const std::vector<traces::log_line>& actual, sim_time tolerance) {
    trace_comparison result;
    const std::size_t both = std::min(expected.size(), actual.size());
    for (std::size_t i = 0; i < both; ++i, ++result.compared) {
        const traces::log_line &e = expected[i], &a = actual[i];
        const bool text =
            traces::without_function_offsets(e.text) == traces::without_function_offsets(a.text);
        const sim_time apart = e.stamp > a.stamp ? e.stamp - a.stamp : a.stamp - e.stamp;
        if (text && apart <= tolerance) continue;
        result.first_difference = "message " + std::to_string(i + 1) + " of " +
                                  std::to_string(expected.size()) + " differs in its " +
                                  (text ? "time by " + to_string(apart) : std::string("text")) +
                                  "\n" + two_lines(format_log_line(e), format_log_line(a));
        return result;
    }
    if (expected.size() != actual.size()) {
        const traces::log_line& next =
            expected.size() > actual.size() ? expected[both] : actual[both];
        result.first_difference =
            counts("messages", expected.size(), actual.size(), format_log_line(next));
    }
    return result;
}

trace_comparison compare_registers(const std::vector<register_trace_line>& expected,
                                   const std::vector<register_trace_line>& actual) {
    trace_comparison result;
    const std::vector<register_trace_line> e = accesses_of(expected), a = accesses_of(actual);
    const std::size_t both = std::min(e.size(), a.size());
    for (std::size_t i = 0; i < both; ++i, ++result.compared) {
        if (e[i].kind == a[i].kind && e[i].offset == a[i].offset && e[i].value == a[i].value) {
            continue;
        }
        const bool ring = is_ring_address(e[i].offset) && is_ring_address(a[i].offset);
        result.first_difference =
            "register access " + std::to_string(i + 1) + " of " + std::to_string(e.size()) +
            " differs" + (ring ? " (ring addresses are relative to the first)" : "") + "\n" +
            two_lines(format_register_trace_line(e[i]), format_register_trace_line(a[i]));
        return result;
    }
    if (e.size() != a.size()) {
        result.first_difference =
            counts("register accesses", e.size(), a.size(),
                   format_register_trace_line(e.size() > a.size() ? e[both] : a[both]));
    }
    return result;
}

}  // namespace scmi_vp::runs
