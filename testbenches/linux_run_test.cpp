// SPDX-License-Identifier: Apache-2.0
// A real kernel on the platform model: what it did when it was recorded, it does again. Heavy tests
// need the kernel of tools/build-linux and are skipped without it.
#include "testbenches/linux_run.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/scenario_testing.h"
#include "traces/ftrace.h"

namespace scmi_vp::testbenches {
namespace {

using testing::HasSubstr;
using testing_tools::scratch_folder;

const std::string root = SCMI_VP_SOURCE_DIR;
const std::string recorded = root + "/traces/recorded/linux-6.1-probe-sensors-timeout";

std::filesystem::path kernel() {
    return root + "/build/linux/linux";
}

scenario recording(const std::vector<std::string>& set = {}) {
    return load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", set);
}

std::vector<traces::ftrace_event> events_of(const std::string& file) {
    std::ifstream in(file);
    return traces::read_ftrace(in, file);
}

std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Everything of an event but its time, as the kernel prints it.
std::string what(traces::ftrace_event e) {
    e.stamp = {};
    return format_ftrace_line(e, traces::ftrace_format::linux_6_1);
}

#define NEEDS_KERNEL() \
    if (!std::filesystem::exists(kernel())) GTEST_SKIP() << "tools/build-linux was not run"

TEST(linux_run, a_kernel_that_is_not_there_is_named_with_what_makes_it) {
    std::ostringstream report;
    linux_options options;
    options.kernel = "/nowhere/linux";
    const scenario s = recording();
    EXPECT_THAT(testing_tools::error_of([&] { run_linux(s, options, report); }),
                HasSubstr("/nowhere/linux: is not there; tools/build-linux makes it"));
}

TEST(linux_run, a_program_that_is_no_kernel_is_refused_with_what_it_said) {
    const scratch_folder folder;
    linux_options options;
    options.kernel = folder.write("linux", "#!/bin/sh\necho I am a shell\nexit 4\n");
    std::filesystem::permissions(options.kernel, std::filesystem::perms::owner_all);
    folder.write("initramfs.cpio", "");
    std::ostringstream report;
    const scenario s = recording();
    const std::string e = testing_tools::error_of([&] { run_linux(s, options, report); });
    EXPECT_THAT(e, HasSubstr("has not connected to its clock"));
    EXPECT_THAT(e, HasSubstr("I am a shell"));
}

// traces/recorded/README.md: what the same kernel did behind another device.
TEST(linux_run, the_recording_happens_again_heavy) {
    NEEDS_KERNEL();
    const scratch_folder folder;
    linux_options options{folder.path() / "out", kernel()};
    std::ostringstream report;
    const scenario s = recording();
    const linux_outcome r = run_linux(s, options, report);
    EXPECT_EQ(r.status, run_status::ok) << report.str();
    EXPECT_EQ(r.guest.calls(), 9u);
    EXPECT_EQ(r.guest.errors(), 1u);  // the sensor whose reply takes 70 s
    const std::string out = (folder.path() / "out").string();
    const auto mine = events_of(out + "/scmi.ftrace"), theirs = events_of(recorded + ".ftrace");
    ASSERT_EQ(mine.size(), theirs.size());
    // Boot reads the clock a few times more or less with other options: the probe starts so much
    // later.
    const sim_time shift = mine[0].stamp - theirs[0].stamp;
    EXPECT_LE(std::abs(shift.ps), microseconds(3).ps);
    for (std::size_t i = 0; i < mine.size(); ++i) {
        EXPECT_EQ(what(mine[i]), what(theirs[i])) << "event " << i;
        if (mine[i].task != "kworker/u2:0" && mine[i].task != "<idle>") continue;
        if (i >= 138) continue;  // the probe's 23 messages have six events each
        // Both are rounded to microseconds.
        EXPECT_LE(std::abs((mine[i].stamp - theirs[i].stamp - shift).ps), microseconds(1).ps) << i;
    }
    EXPECT_EQ(traces::without_function_offsets(text_of(out + "/dmesg.txt")),
              traces::without_function_offsets(text_of(recorded + ".dmesg")));
}

// With tracing off no clock is read: each call takes the 50 us of its service and nothing else.
TEST(linux_run, twenty_thousand_reads_take_one_second_heavy) {
    NEEDS_KERNEL();
    const scenario s = parse_scenario(
        R"(
[scenario]
title = "reads"
[guest]
profile = "linux-6.1"
hz = 100
ftrace = false
[platform]
protocols = [0x15]
[[platform.sensor]]
name = "a"
[hops]
service = "50us"
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 20000
calls = [ { call = "sensor_read", id = 0 } ]
)",
        "s.toml");
    std::ostringstream report;
    const linux_outcome r = run_linux(s, {{}, kernel()}, report);
    EXPECT_EQ(r.status, run_status::ok) << report.str();
    EXPECT_EQ(r.guest.calls(), 20000u);
    EXPECT_EQ(r.guest.errors(), 0u);
    EXPECT_EQ(r.guest.span(), seconds(1));
}

TEST(linux_run, tells_how_often_each_fault_hit_heavy) {
    NEEDS_KERNEL();
    const scenario s =
        load_scenario(root + "/testbenches/validation/39-one-of-each-fault.toml", {});
    std::ostringstream report;
    EXPECT_EQ(run_linux(s, {{}, kernel()}, report).status, run_status::ok) << report.str();
    EXPECT_THAT(report.str(),
                HasSubstr("\nplatform.fault.0 (drop): hit 2 of 2 messages that match\n"));
    EXPECT_THAT(report.str(), HasSubstr("\nplatform.fault.11 (corrupt): hit 2 of 2"));
}

}  // namespace
}  // namespace scmi_vp::testbenches
