// SPDX-License-Identifier: Apache-2.0
// Kernel messages and register accesses against recordings (traces/recorded/README.md).
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "traces/ftrace.h"

namespace scmi_vp::traces {
namespace {

using testing::HasSubstr;

std::string recorded(const std::string& file) {
    const std::string path = std::string(SCMI_VP_SOURCE_DIR "/traces/recorded/") + file;
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<log_line> parse_log(const std::string& text) {
    std::istringstream in(text);
    return read_dmesg(in, "t.dmesg");
}

std::vector<register_trace_line> parse_registers(const std::string& text) {
    std::istringstream in(text);
    return read_register_trace(in, "t.trace");
}

template <class F>
std::string error_of(F&& f, const std::string& text) {
    try {
        f(text);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        return e.what();
    }
    return "no error";
}

TEST(dmesg, rewrites_the_recording_byte_for_byte) {
    const std::string text = recorded("linux-6.1-probe-sensors-timeout.dmesg");
    const auto lines = parse_log(text);
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[3].stamp, milliseconds(64'480));
    EXPECT_EQ(without_function_offsets(lines[3].text),
              "arm-scmi firmware:scmi: timed out in resp(caller: scmi_sensor_reading_get)");
    std::string again;
    for (const log_line& l : lines) again += format_log_line(l) + "\n";
    EXPECT_EQ(again, text);
}

TEST(dmesg, reads_consoles_and_empty_lines_and_names_bad_ones) {
    const auto lines = parse_log("[    0.000000] a [1.5] b\r\n\r\n[12345.678901] \n");
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].text, "a [1.5] b");
    EXPECT_EQ(lines[1].stamp, seconds(12345) + microseconds(678'901));
    EXPECT_EQ(lines[1].text, "");
    const std::string good = "[    0.000000] a\n";
    EXPECT_THAT(error_of(parse_log, good + "no stamp\n"), HasSubstr("t.dmesg:2: expected '['"));
    EXPECT_THAT(error_of(parse_log, good + "[ 1.5] a\n"),
                HasSubstr("t.dmesg:2: expected seconds with six"));
    EXPECT_THAT(error_of(parse_log, good + "[ 1.500000\n"), HasSubstr("t.dmesg:2: expected '] '"));
    EXPECT_THAT(error_of(parse_log, "[    0.000000] cu"),
                HasSubstr("t.dmesg:1: the last line has no"));
}

// kernel/printk/printk.c, print_time(): nanoseconds / 1000, cut off, unlike ftrace's.
TEST(dmesg, cuts_stamps_to_microseconds) {
    EXPECT_EQ(format_log_line({picoseconds(1'999'999), "x"}), "[    0.000001] x");
    EXPECT_EQ(format_log_line({seconds(123'456), "x"}), "[123456.000000] x");
    EXPECT_THROW(format_log_line({picoseconds(-1), "x"}), error);
}

// lib/vsprintf.c, %pS: symbol+0xoffset/0xsize.
TEST(dmesg, removes_only_function_offsets) {
    EXPECT_EQ(without_function_offsets("f+0xbb/0xef g+0x0/0x1"), "f g");
    for (const char* kept :
         {"", "+", "a+b", "1+0x2", "a+0x/0x1", "a+0x1/", "a+0x1/0x", "0x1/0x2", "+0x1f"}) {
        EXPECT_EQ(without_function_offsets(kept), kept);
    }
}

// Linux 6.12 on virtio-mmio version 2: the probe's first accesses (virtio 1.2, 4.2.3.1).
TEST(register_trace, rewrites_the_recording_without_its_notes) {
    const std::string text = recorded("linux-6.12-virtio-mmio-registers.trace");
    const auto lines = parse_registers(text);
    std::string again, expected, line;
    for (const register_trace_line& l : lines) again += format_register_trace_line(l) + "\n";
    std::istringstream in(text);
    std::size_t notes = 0;
    while (std::getline(in, line)) {
        const bool note = line.rfind("status", 0) == 0 || line.rfind("queue-size", 0) == 0 ||
                          line.rfind("virtio_queue_notify", 0) == 0;
        notes += note ? 1U : 0U;
        if (!note) expected += line + "\n";
    }
    EXPECT_EQ(again, expected);
    EXPECT_EQ(notes, 10U);
    EXPECT_EQ(lines.size(), 179U);
    EXPECT_EQ(lines[1].offset, 4U);
    EXPECT_EQ(lines[4].kind, register_trace_line::kind_t::write);
    EXPECT_EQ(lines[4].offset, 0x70U);
    EXPECT_EQ(lines[5].kind, register_trace_line::kind_t::irq);
}

TEST(register_trace, names_malformed_lines) {
    const auto error_in_line_two = [](const std::string& line) {
        return error_of(parse_registers, "read offset 0x0\n" + line + "\n");
    };
    EXPECT_EQ(error_in_line_two("status 1"), "no error");
    for (const char* bad :
         {"read offset", "read offset 4", "read offset 0x", "read offset 0x4 value 0x1",
          "write offset 0x70", "write offset 0x70 value", "write offset 0x70 value 1",
          "write offset 0x100000000 value 0x1", "irq", "irq 2", "irq x", "raed offset 0x0"}) {
        EXPECT_THAT(error_in_line_two(bad), HasSubstr("t.trace:2: ")) << bad;
    }
}

}  // namespace
}  // namespace scmi_vp::traces
