// SPDX-License-Identifier: Apache-2.0
// ftrace text against recordings of real kernels (traces/recorded/README.md).
#include "traces/ftrace.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string recorded(const std::string& file) {
    const std::string path = std::string(SCMI_VP_SOURCE_DIR "/traces/recorded/") + file;
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// The lines of the 6.12 console that are ftrace's; the others are kernel messages.
std::string console_ftrace() {
    std::istringstream in(recorded("linux-6.12-virtio-mmio-console.txt"));
    std::string line, text;
    while (std::getline(in, line)) {
        if (line.front() != '[') text += line + '\n';
    }
    return text;
}

std::vector<ftrace_event> parse(const std::string& text, std::uint64_t* skipped = nullptr) {
    std::istringstream in(text);
    return read_ftrace(in, "t.ftrace", skipped);
}

std::string error_of(const std::string& text) {
    try {
        parse(text);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        return e.what();
    }
    return "no error";
}

std::string write(const std::vector<ftrace_event>& events, ftrace_format format, unsigned cpus) {
    std::ostringstream out;
    ftrace_writer w(out, "t.ftrace", format, cpus);
    for (const ftrace_event& e : events) w.add(e);
    const written result = w.finish();
    EXPECT_EQ(result.records, events.size());
    EXPECT_EQ(result.bytes, out.str().size());
    return out.str();
}

const std::string context = "              sh-22      [000] .....    79.480107: ";

// Linux 6.1.192, header block included.
TEST(ftrace, rewrites_the_recording_of_linux_6_1_byte_for_byte) {
    const std::string text = recorded("linux-6.1-probe-sensors-timeout.ftrace");
    std::uint64_t skipped = 99;
    const std::vector<ftrace_event> events = parse(text, &skipped);
    ASSERT_EQ(events.size(), 192U);
    EXPECT_EQ(skipped, 0U);
    EXPECT_EQ(write(events, ftrace_format::linux_6_1, 1), text);
}

// Linux 6.12 (two CPUs), msg_dump with id= and ch=; no header in that file.
TEST(ftrace, rewrites_the_recording_of_linux_6_12_byte_for_byte) {
    const std::string text = console_ftrace();
    const std::vector<ftrace_event> events = parse(text);
    ASSERT_EQ(events.size(), 25U);
    const std::string out = write(events, ftrace_format::linux_6_3, 2);
    EXPECT_THAT(out, HasSubstr("# entries-in-buffer/entries-written: 25/25   #P:2\n"));
    ASSERT_GT(out.size(), text.size());
    EXPECT_EQ(out.substr(out.size() - text.size()), text);
}

TEST(ftrace, reads_every_field_of_linux_6_1) {
    const auto events = parse(recorded("linux-6.1-probe-sensors-timeout.ftrace"));
    ASSERT_EQ(events.size(), 192U);
    const ftrace_event& begin = events[0];
    EXPECT_EQ(begin.kind, ftrace_kind::xfer_begin);
    EXPECT_EQ(begin.task, "kworker/u2:0");
    EXPECT_EQ(begin.pid, 5);
    EXPECT_EQ(begin.stamp, microseconds(29));
    EXPECT_EQ(begin.flags, ".....");
    const ftrace_event& response = events[3];
    EXPECT_EQ(response.kind, ftrace_kind::msg_dump);
    EXPECT_EQ(response.task, "<idle>");
    EXPECT_EQ(response.flags, "d.h..");
    EXPECT_EQ(response.tag, "RESP");
    EXPECT_EQ(response.protocol_id, 0x10);
    EXPECT_THAT(response.payload, ElementsAre(0, 0, 2, 0));
    // The read that timed out at 64.48 s: transfer 28, -ETIMEDOUT.
    std::vector<ftrace_event> failed;
    for (const ftrace_event& e : events) {
        if (e.kind == ftrace_kind::xfer_end && e.status != 0) failed.push_back(e);
    }
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].status, -110);
    EXPECT_EQ(failed[0].transfer_id, 28);
    EXPECT_EQ(failed[0].seq, 28);
    EXPECT_EQ(failed[0].stamp / milliseconds(10), 6448);
    const ftrace_event& wait = events[2];
    EXPECT_EQ(wait.kind, ftrace_kind::xfer_response_wait);
    EXPECT_EQ(wait.timeout_ms, 60'000U);
    EXPECT_FALSE(wait.poll);
}

TEST(ftrace, reads_a_console_with_kernel_messages_in_between) {
    std::uint64_t skipped = 0;
    const auto events = parse(recorded("linux-6.12-virtio-mmio-console.txt"), &skipped);
    EXPECT_EQ(events.size(), 25U);
    EXPECT_EQ(skipped, 16U);
    EXPECT_THAT(error_of("[   79.480000 cut\n"), HasSubstr("t.ftrace:1: "));
}

TEST(ftrace, reads_every_field_of_linux_6_12) {
    const auto events = parse(console_ftrace());
    ASSERT_EQ(events.size(), 25U);
    const ftrace_event& last = events.back();
    EXPECT_EQ(last.tag, "!RESP");
    EXPECT_EQ(last.status, -2);
    EXPECT_EQ(last.instance, 0);
    EXPECT_EQ(last.channel, 0x10);
    EXPECT_TRUE(last.payload.empty());
    EXPECT_EQ(events[23].msg_type, 2);
    EXPECT_EQ(events[0].cpu, 1U);
}

// Serial consoles end lines with \r\n.
TEST(ftrace, reads_lines_from_a_serial_console) {
    std::string text = recorded("linux-6.1-probe-sensors-timeout.ftrace");
    const std::string original = text;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
        text.insert(at, 1, '\r');
    }
    EXPECT_EQ(write(parse(text), ftrace_format::linux_6_1, 1), original);
}

TEST(ftrace, skips_and_counts_other_events) {
    std::uint64_t skipped = 0;
    const auto events =
        parse(context + "sched_wakeup: comm=sh pid=22 prio=120 target_cpu=000\n" +
                  "CPU:1 [LOST 12 EVENTS]\n[   79.480000] reboot: Power down\n" + context +
                  "scmi_fc_call: pt=13 msg_id=07 res_id:1 vals=1:2\n" + context +
                  "scmi_xfer_end: pt=15 msg_id=06 seq=001E transfer_id=1E s=0\n",
              &skipped);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(skipped, 4U);
    EXPECT_EQ(events[0].seq, 0x1e);
}

// prctl(PR_SET_NAME) allows any name, dashes, brackets and spaces included.
TEST(ftrace, reads_task_names_with_odd_characters) {
    for (const std::string& task :
         {std::string("a b-1 [000] x"), std::string("my-task"), std::string("[kthr]")}) {
        ftrace_event e;
        e.task = task;
        e.pid = 1234567;
        e.cpu = 12;
        e.stamp = seconds(123456);
        const auto events = parse(format_ftrace_line(e, ftrace_format::linux_6_1) + "\n");
        ASSERT_EQ(events.size(), 1U);
        EXPECT_EQ(events[0].task, task);
        EXPECT_EQ(events[0].pid, 1234567);
        EXPECT_EQ(events[0].cpu, 12U);
        EXPECT_EQ(events[0].stamp, seconds(123456));
    }
    const auto events = parse(
        "sh-22      (     22) [000] ..... 1.000001: scmi_rx_done: pt=15 msg_id=06 "
        "seq=0001 transfer_id=1 msg_type=0\n");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].task, "sh");
    EXPECT_EQ(events[0].pid, 22);
}

// include/trace/events/scmi.h of 6.18 adds inflight= to begin and end.
TEST(ftrace, reads_the_events_of_linux_6_18) {
    const auto events = parse(
        context + "scmi_xfer_begin: pt=15 msg_id=06 seq=001E transfer_id=1E poll=1 inflight=3\n" +
        context + "scmi_xfer_end: pt=15 msg_id=06 seq=001E transfer_id=1E s=-110 inflight=2\n");
    ASSERT_EQ(events.size(), 2U);
    EXPECT_TRUE(events[0].poll);
    EXPECT_EQ(events[1].status, -110);
}

// transfer_id is an int printed with %X.
TEST(ftrace, keeps_the_extremes_of_each_field) {
    ftrace_event e;
    e.task = "sh";
    e.kind = ftrace_kind::xfer_response_wait;
    e.protocol_id = 0xff;
    e.message_id = 0xff;
    e.seq = 0xffff;
    e.transfer_id = -1;
    e.timeout_ms = UINT32_MAX;
    e.poll = true;
    const std::string line = format_ftrace_line(e, ftrace_format::linux_6_1);
    EXPECT_THAT(
        line, HasSubstr("pt=FF msg_id=FF seq=FFFF transfer_id=FFFFFFFF tmo_ms=4294967295 poll=1"));
    const auto events = parse(line + "\n");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].transfer_id, -1);
    EXPECT_EQ(events[0].timeout_ms, UINT32_MAX);
    EXPECT_TRUE(events[0].poll);
}

// kernel/trace/trace.c, ns2usecs(): (ns + 500) / 1000, on the clock's whole nanoseconds.
TEST(ftrace, rounds_nanoseconds_half_up_to_microseconds) {
    const auto stamp = [](std::int64_t ps) {
        ftrace_event e;
        e.stamp = picoseconds(ps);
        const std::string line = format_ftrace_line(e, ftrace_format::linux_6_1);
        return line.substr(line.find("....."), 20);
    };
    EXPECT_EQ(stamp(0), ".....     0.000000: ");
    EXPECT_EQ(stamp(499'999), ".....     0.000000: ");
    EXPECT_EQ(stamp(500'000), ".....     0.000001: ");
    EXPECT_EQ(stamp(28'928'000), ".....     0.000029: ");
    EXPECT_EQ(stamp(999'999'500'000), ".....     1.000000: ");
    EXPECT_EQ(stamp(12'345'000'001'000'000), "..... 12345.000001: ");
    EXPECT_THROW(stamp(-1), error);
}

// The kernel merges the CPUs' buffers by time.
TEST(ftrace, prints_events_in_order_of_time) {
    std::vector<ftrace_event> events(4);
    const std::int64_t at[] = {5, 3, 5, 4};
    for (int i = 0; i < 4; ++i) {
        events[i].stamp = microseconds(at[i]);
        events[i].seq = static_cast<std::uint16_t>(i);
    }
    const auto sorted = parse(write(events, ftrace_format::linux_6_1, 2));
    ASSERT_EQ(sorted.size(), 4U);
    EXPECT_EQ(sorted[0].seq, 1);
    EXPECT_EQ(sorted[1].seq, 3);
    EXPECT_EQ(sorted[2].seq, 0);
    EXPECT_EQ(sorted[3].seq, 2);
}

TEST(ftrace, names_the_line_that_is_cut_or_malformed) {
    const std::string end =
        context + "scmi_xfer_end: pt=15 msg_id=06 seq=001E transfer_id=1E s=0\n";
    EXPECT_EQ(error_of(end), "no error");
    EXPECT_THAT(error_of(end.substr(0, end.size() - 1)),
                HasSubstr("t.ftrace:1: the last line has no"));
    EXPECT_THAT(error_of(end + "# comment\n\nhello\n"),
                HasSubstr("t.ftrace:4: expected 'task-pid"));
    // Every shorter line is an error, except where only digits of the last number are missing.
    const std::string full = context + "scmi_xfer_end: pt=15 msg_id=06 seq=001E transfer_id=1E s=";
    for (std::size_t n = 1; n <= full.size(); ++n) {
        EXPECT_THAT(error_of(full.substr(0, n) + "\n"), HasSubstr("t.ftrace:1: ")) << n;
    }
    EXPECT_THAT(error_of(end.substr(0, end.size() - 1) + " more\n"), HasSubstr("unexpected text"));
    EXPECT_THAT(error_of(context + "scmi_xfer_be\n"), HasSubstr("name is cut"));
}

TEST(ftrace, names_fields_out_of_range) {
    const auto rest = [](const std::string& text) { return error_of(context + text + "\n"); };
    EXPECT_THAT(rest("scmi_rx_done: pt=100 msg_id=06 seq=001E transfer_id=1E msg_type=0"),
                HasSubstr("protocol is out of range at column 69"));
    EXPECT_THAT(rest("scmi_rx_done: pt=15 msg_id=06 seq=10000 transfer_id=1 msg_type=0"),
                HasSubstr("sequence number is out of range"));
    EXPECT_THAT(rest("scmi_xfer_begin: pt=15 msg_id=06 seq=0001 transfer_id=1 poll=2"),
                HasSubstr("neither 0 nor 1"));
    EXPECT_THAT(rest("scmi_msg_dump: pt=15 t=RESP msg_id=06 seq=001E s=0 pyld=469"),
                HasSubstr("odd number"));
    EXPECT_THAT(rest("scmi_msg_dump: pt=15 t=RESP msg_id=06 seq=001E s=0 pyld=4x"),
                HasSubstr("hexadecimal digits"));
    EXPECT_THAT(rest("scmi_msg_dump: pt=15 t= msg_id=06 seq=001E s=0 pyld="),
                HasSubstr("expected tag"));
}

TEST(ftrace, says_what_to_record_instead) {
    EXPECT_THAT(
        error_of(context + "scmi_xfer_begin: transfer_id=1 msg_id=0 protocol_id=16 seq=1 poll=0\n"),
        HasSubstr("before 6.1"));
    EXPECT_THAT(error_of("  sh-22      [000]    79.480107: scmi_rx_done: pt=15\n"),
                HasSubstr("irq-info"));
    EXPECT_THAT(error_of("  sh-22      [000] ..... 79480107: scmi_rx_done: pt=15\n"),
                HasSubstr("expected seconds with six decimals"));
    EXPECT_THAT(error_of("  sh-22      [000] ..... 99999999.480107: scmi_rx_done: pt=15\n"),
                HasSubstr("106 days"));
}

TEST(ftrace_writer, reports_an_empty_trace_and_refuses_misuse) {
    std::ostringstream out;
    ftrace_writer w(out, "t.ftrace", ftrace_format::linux_6_1, 1);
    const written result = w.finish();
    EXPECT_EQ(result.records, 0U);
    EXPECT_EQ(result.bytes, out.str().size());
    EXPECT_THROW(w.add(ftrace_event()), error);
    EXPECT_THROW(w.finish(), error);
    EXPECT_THROW(ftrace_writer(out, "t.ftrace", ftrace_format::linux_6_1, 0), error);
}

TEST(ftrace_writer, tells_of_a_full_disk) {
    std::ofstream out("/dev/full");
    if (!out) GTEST_SKIP() << "no /dev/full here";
    ftrace_writer w(out, "full.ftrace", ftrace_format::linux_6_1, 1);
    w.add(ftrace_event());
    try {
        w.finish();
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::output);
        EXPECT_THAT(e.what(), HasSubstr("full.ftrace: cannot write: No space left"));
    }
}

// Memory does not grow with the run: whole blocks are put aside, and come back in order.
TEST(ftrace_writer, a_trace_longer_than_a_block_is_complete_and_in_order) {
    std::ostringstream out;
    ftrace_writer writer(out, "long", ftrace_format::linux_6_1, 2);
    ftrace_event e;
    e.task = "sh";
    e.pid = 22;
    constexpr int events = 300'000;  // about 2.4 blocks of text
    for (int i = 0; i < events; ++i) {
        e.stamp = microseconds(i ^ 1);  // neighbours out of order
        e.transfer_id = i ^ 1;
        writer.add(e);
    }
    const written w = writer.finish();
    EXPECT_EQ(w.records, std::uint64_t(events));
    EXPECT_EQ(w.bytes, out.str().size());
    EXPECT_GT(w.bytes, 2 * ftrace_writer::block_bytes);
    std::istringstream in(out.str());
    const std::vector<ftrace_event> back = read_ftrace(in, "long");
    ASSERT_EQ(back.size(), std::size_t(events));
    for (int i = 0; i < events; ++i) ASSERT_EQ(back[std::size_t(i)].transfer_id, i);
    e.stamp = {};
    EXPECT_THROW(writer.add(e), error);
}

}  // namespace
}  // namespace scmi_vp::traces
