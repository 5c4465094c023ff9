// SPDX-License-Identifier: Apache-2.0
// What comes back from a real kernel, and the device tree and command line that go there.
#include "runs/linux/results.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/linux/device_tree.h"
#include "runs/linux/process.h"
#include "scenario/device_tree.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// kernel/printk/printk.c syslog_print_all(): each line with its level in front.
TEST(linux_results, the_drivers_messages_are_kept_without_level) {
    EXPECT_EQ(
        scmi_messages(
            "<5>[    0.000000] Linux version 6.1.192\n"
            "<6>[    0.000000] arm-scmi firmware:scmi: SCMI Notifications - Core Enabled.\n"
            "<6>[    1.000000] scmi: not a device of the driver\n"
            "<3>[   70.000000] scmi_protocol scmi_dev.1: Message for 28 type 0 is not expected!\n"),
        "[    0.000000] arm-scmi firmware:scmi: SCMI Notifications - Core Enabled.\n"
        "[   70.000000] scmi_protocol scmi_dev.1: Message for 28 type 0 is not expected!\n");
}

// The recording has no other kind of line, so none may be dropped.
TEST(linux_results, every_line_of_the_recorded_log_is_the_drivers) {
    std::ifstream in(std::string(SCMI_VP_SOURCE_DIR) +
                     "/traces/recorded/linux-6.1-probe-sensors-timeout.dmesg");
    const std::string all{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(scmi_messages(all), all);
}

// kernel/trace/trace.c print_event_info().
TEST(linux_results, lost_events_are_counted_from_the_header) {
    EXPECT_EQ(lost_trace_entries(
                  "# tracer: nop\n#\n# entries-in-buffer/entries-written: 192/192   #P:1\n", "t"),
              0u);
    EXPECT_EQ(lost_trace_entries("# entries-in-buffer/entries-written: 10/4000   #P:1\n", "t"),
              3990u);
    EXPECT_THAT(
        scenario::testing_tools::error_of([] { lost_trace_entries("nothing", "x.ftrace"); }),
        HasSubstr("x.ftrace: is no trace"));
}

TEST(linux_results, the_players_facts_are_read_back) {
    const player_result r = read_player_result(
        "played 1\nfinished 0\nmodule 800000\n"
        "task sh 7 1 110 1000000 2000256\ntask cat 2 0 0 1500000 0\nmade 1 3 1500512\n");
    EXPECT_TRUE(r.played);
    EXPECT_FALSE(r.finished);
    EXPECT_EQ(r.calls(), 9u);
    EXPECT_EQ(r.errors(), 1u);
    ASSERT_EQ(r.tasks.size(), 2u);
    EXPECT_EQ(r.tasks[0].last_errno, 110);
    EXPECT_EQ(r.module, microseconds(800));
    ASSERT_EQ(r.calls_made.size(), 1u);
    EXPECT_EQ(r.calls_made[0].task, 1u);
    EXPECT_EQ(r.calls_made[0].call, 3u);
    EXPECT_EQ(r.calls_made[0].at, nanoseconds(1500512));
    // Less the clock read that told the end (arch/um/kernel/time.c timer_read()).
    EXPECT_EQ(r.span(), milliseconds(1));
    EXPECT_FALSE(r.files);
    EXPECT_EQ(read_player_result("played 1\nfiles 12 3456\n").files->trace, 3456u);
    EXPECT_EQ(read_player_result("played 0\nfinished 0\n").span(), sim_time{});
    EXPECT_THAT(scenario::testing_tools::error_of([] { read_player_result("played 1\nwhat 3\n"); }),
                HasSubstr("cannot read: what 3"));
    EXPECT_THAT(scenario::testing_tools::error_of([] { read_player_result("task sh 7\n"); }),
                HasSubstr("cannot read: task sh 7"));
}

// Documentation/devicetree/bindings/firmware/arm,scmi.yaml, read back as the driver would.
TEST(linux_device_tree, what_is_made_says_what_was_asked_for) {
    models::device_tree_info info;
    info.scmi_node = "scmi";
    info.protocols = {0x11, 0x14, 0x15};
    info.max_rx_timeout_ms = 30;
    std::istringstream blob(make_device_tree(info));
    const models::device_tree_info back = scenario::read_device_tree(blob, "made");
    EXPECT_EQ(back.scmi_node, "scmi");
    EXPECT_THAT(back.protocols, ElementsAre(0x11, 0x14, 0x15));
    EXPECT_EQ(back.max_rx_timeout_ms, 30u);
}

// arch/um/Documentation and drivers/virtio_uml.c: <socket>:<virtio id>; 32 is SCMI.
TEST(linux_process, the_kernel_is_told_its_clock_device_and_trace) {
    linux_boot boot;
    boot.kernel = "/k/linux";
    boot.initramfs = "/k/initramfs.cpio";
    std::vector<std::string> a = linux_arguments(boot, "/folder");
    EXPECT_EQ(a.front(), "/k/linux");
    for (const char* wanted : {"mem=64M", "initrd=/k/initramfs.cpio", "dtb=scmi.dtb",
                               "virtio_uml.device=device.sock:32", "time-travel=ext:1:clock.sock",
                               "SCMI_VP_HOST=/folder", "trace_event=scmi:*", "trace_clock=mono"}) {
        EXPECT_THAT(a, Contains(wanted));
    }
    boot.trace = false;
    EXPECT_THAT(linux_arguments(boot, "/folder"), Not(Contains(HasSubstr("trace_"))));
}

TEST(linux_process, a_guest_that_does_not_end_is_killed_with_what_it_started) {
    const private_folder folder;
    folder.write("stubborn", "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho $! > child\nwait\n");
    std::filesystem::permissions(folder.path() / "stubborn", std::filesystem::perms::owner_all);
    linux_boot boot;
    boot.kernel = boot.initramfs = folder.path() / "stubborn";
    linux_process p(boot, folder);
    while (folder.read("child").find('\n') == std::string::npos && p.running()) {
    }
    const pid_t child = pid_t(std::stol(folder.read("child")));
    ASSERT_EQ(kill(child, 0), 0);
    EXPECT_TRUE(p.running());
    EXPECT_EQ(p.finish(0), "it did not end by itself");
    EXPECT_FALSE(p.running());
    // It may be a zombie for a moment, until whoever adopted it has noticed.
    std::string state = "?";
    for (int i = 0; i < 200 && state != "Z" && !state.empty(); ++i) {
        std::ifstream in("/proc/" + std::to_string(child) + "/stat");
        std::string pid, name;
        state.clear();
        in >> pid >> name >> state;
        usleep(10'000);
    }
    EXPECT_TRUE(state.empty() || state == "Z") << state;
}

TEST(linux_process, how_it_ended_is_told) {
    const private_folder folder;
    folder.write("quick", "#!/bin/sh\necho said\nexit 3\n");
    std::filesystem::permissions(folder.path() / "quick", std::filesystem::perms::owner_all);
    linux_boot boot;
    boot.kernel = boot.initramfs = folder.path() / "quick";
    linux_process p(boot, folder);
    EXPECT_EQ(p.finish(20), "exit status 3");
    EXPECT_EQ(folder.read("console.txt"), "said\n");
}

}  // namespace
}  // namespace scmi_vp::runs
