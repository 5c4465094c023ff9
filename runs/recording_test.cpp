// SPDX-License-Identifier: Apache-2.0
// The model against what a real Linux 6.1 was recorded doing: trace events, kernel messages, and
// that the comparison itself sees differences.
#include <gtest/gtest.h>

#include "runs/linux/trace_compare.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing_tools::events_of;
using testing_tools::messages_of;
using testing_tools::run_in_child;
using traces::ftrace_event;
using traces::ftrace_format;
using traces::ftrace_kind;

const std::string root = SCMI_VP_SOURCE_DIR;
const std::string recorded = root + "/traces/recorded/linux-6.1-probe-sensors-timeout";

scenario::scenario recording(const std::vector<std::string>& overrides = {}) {
    return load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", overrides);
}

class recording_run : public testing::Test {
protected:
    void run(const std::vector<std::string>& overrides = {}) {
        EXPECT_EQ(run_in_child(recording(overrides), out.path() / "o").status, run_status::ok);
        events = events_of(out.path() / "o/scmi.ftrace");
        log = messages_of(out.path() / "o/dmesg.txt");
    }
    scratch_folder out;
    std::vector<ftrace_event> events;
    std::vector<traces::log_line> log;
};

TEST_F(recording_run, has_the_same_events_at_the_same_times) {
    run();
    const auto expected = events_of(recorded + ".ftrace");
    ASSERT_EQ(expected.size(), 192u);
    const trace_comparison c = compare_traces(expected, events, ftrace_format::linux_6_1);
    // No exceptions: rounding included, every time from a request's begin is the recorded one.
    EXPECT_TRUE(c.same() && c.time_exceptions.empty()) << c.text();
    EXPECT_EQ(c.compared, expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(events[i].task, expected[i].task) << "event " << i + 1;
        EXPECT_EQ(events[i].flags, expected[i].flags) << "event " << i + 1;
    }
}

TEST_F(recording_run, has_the_same_kernel_messages_within_one_tick) {
    run();
    const trace_comparison c =
        compare_logs(messages_of(recorded + ".dmesg"), log, milliseconds(10));
    EXPECT_TRUE(c.same()) << c.text();
    EXPECT_EQ(c.compared, 5u);
}

TEST_F(recording_run, times_out_when_its_wheel_says_so) {
    // 60 s begun at 1.6 ms end at 64.48 s with HZ=100 (recorded); the same wait ends elsewhere with
    // another HZ or tick phase, so 64.48 s is nobody's constant.
    struct {
        const char* hz;
        const char* phase;
        sim_time end;
    } const cases[] = {{"100", "0s", milliseconds(64480)},
                       {"100", "3ms", milliseconds(64483)},
                       {"250", "0s", milliseconds(60384)},
                       {"1000", "0s", milliseconds(62432)}};
    for (const auto& c : cases) {
        run({std::string("guest.hz=") + c.hz, std::string("guest.tick_phase=") + c.phase});
        std::vector<ftrace_event> failed;
        for (const ftrace_event& e : events) {
            if (e.kind == ftrace_kind::xfer_end && e.status == -110) failed.push_back(e);
        }
        ASSERT_EQ(failed.size(), 1u);
        // The trace event reads the clock: 256 ns after the wake-up, in multiples of 256 ns,
        // printed in microseconds.
        EXPECT_LE(failed[0].stamp - c.end, microseconds(1)) << c.hz << " " << c.phase;
        EXPECT_GE(failed[0].stamp - c.end, microseconds(0)) << c.hz << " " << c.phase;
    }
}

TEST(trace_compare, names_the_first_event_that_differs_and_how) {
    const auto expected = events_of(recorded + ".ftrace");
    const auto difference = [&](auto change) {
        std::vector<ftrace_event> actual = expected;
        change(actual);
        return compare_traces(expected, actual, ftrace_format::linux_6_1).first_difference;
    };
    const std::string d = difference([](auto& a) { a[7].seq ^= 1, a[7].payload = {7}; });
    EXPECT_EQ(d.substr(0, d.find('\n')), "event 8 of 192 differs in seq, payload");
    EXPECT_NE(d.find("\n  expected:     kworker/u2:0-5"), std::string::npos) << d;
    EXPECT_NE(d.find("pyld=07"), std::string::npos) << d;
    // Each compared field is seen.
    EXPECT_NE(difference([](auto& a) { a[0].protocol_id = 1; }).find("protocol"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[0].message_id = 9; }).find("message id"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[0].transfer_id = 9; }).find("transfer_id"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[0].poll = true; }).find("poll"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[2].timeout_ms = 30; }).find("timeout"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[5].status = -110; }).find("status"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[4].msg_type = 2; }).find("message type"), d.npos);
    EXPECT_NE(difference([](auto& a) { a[3].tag = "DLYD"; }).find("tag"), d.npos);
    EXPECT_NE(difference([](auto& a) { std::swap(a[3], a[4]); }).find("event 4"), d.npos);
    EXPECT_NE(difference([](auto& a) { a.pop_back(); }).find("too few events"), d.npos);
    EXPECT_NE(difference([](auto& a) { a.push_back(a[0]); }).find("too many events"), d.npos);
}

TEST(trace_compare, counts_times_from_each_requests_begin) {
    const auto expected = events_of(recorded + ".ftrace");
    std::vector<ftrace_event> actual = expected;
    for (ftrace_event& e : actual) e.stamp += milliseconds(5);  // the whole run later: the same
    EXPECT_TRUE(compare_traces(expected, actual, ftrace_format::linux_6_1).time_exceptions.empty());
    actual[5].stamp += microseconds(1);
    const auto c = compare_traces(expected, actual, ftrace_format::linux_6_1);
    EXPECT_TRUE(c.same());
    ASSERT_EQ(c.time_exceptions.size(), 1u);
    EXPECT_EQ(c.time_exceptions[0].substr(0, 9), "event 6: ");
}

TEST(trace_compare, logs_differ_in_text_or_by_more_than_the_tolerance) {
    const auto expected = messages_of(recorded + ".dmesg");
    auto actual = expected;
    actual[3].text = "arm-scmi firmware:scmi: timed out in resp(caller: scmi_sensor_reading_get)";
    actual[3].stamp += milliseconds(10);
    EXPECT_TRUE(compare_logs(expected, actual, milliseconds(10)).same());
    actual[3].stamp += picoseconds(1);
    EXPECT_NE(compare_logs(expected, actual, milliseconds(10)).first_difference.find("message 4"),
              std::string::npos);
    actual = expected;
    actual[4].text += "!";
    EXPECT_NE(compare_logs(expected, actual, milliseconds(10)).first_difference.find("its text"),
              std::string::npos);
    actual.clear();
    EXPECT_NE(compare_logs(expected, actual, {}).first_difference.find("too few messages"),
              std::string::npos);
}

}  // namespace
}  // namespace scmi_vp::runs
