// SPDX-License-Identifier: Apache-2.0
// Scenario to guest script: the lines that tools/linux/player.c reads, and what is refused.
#include "runs/linux/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "runs/load.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string root = SCMI_VP_SOURCE_DIR;

const std::string task = "[[workload.context]]\nname = \"sh\"\npid = 22\n";

scenario::scenario with(const std::string& workload, const std::string& sensors = "",
                        const std::string& guest = "") {
    return parse_scenario(R"(
[scenario]
title = "t"
[sim]
duration = "2s"
[guest]
profile = "linux-6.1"
hz = 100
)" + guest + R"(
[platform]
protocols = [0x14, 0x15]
[[platform.clock]]
name = "clk0"
rate = 1_000_000
[[platform.sensor]]
name = "a"
)" + sensors + workload,
                          "s.toml");
}

std::string refusal(const std::string& workload, const std::string& sensors = "") {
    return scenario::testing_tools::error_of([&] { make_linux_workload(with(workload, sensors)); });
}

TEST(linux_workload, the_recording_becomes_steps_of_two_tasks) {
    const scenario::scenario s =
        load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", {});
    const linux_workload w = make_linux_workload(s);
    EXPECT_EQ(w.calls, 9u);
    EXPECT_THAT(w.notes, IsEmpty());
    EXPECT_EQ(w.script,
              "task 22 sh\ntask 23 cat\n"
              "file temp1_input\nfile temp2_input\nfile temp4_input\nfile temp5_input\n"
              "file /sys/kernel/debug/clk/clk1/clk_rate\nfile /sys/kernel/debug/clk/clk0/clk_rate\n"
              "file temp3_input\n"
              "step 0 44288 0\nstep 0 0 1\nstep 0 0 2\nstep 0 0 3\nstep 1 4300 4\nstep 1 0 5\n"
              "step 0 1024 6\nstep 0 1000 0\nstep 0 15000054528 0\n"
              "end 120000000000\ntrace\n");
}

// drivers/hwmon/scmi-hwmon.c counts each type by itself; drivers/hwmon/hwmon.c counts voltages from
// 0.
TEST(linux_workload, hwmon_numbers_each_type_of_sensor_by_itself) {
    const scenario::scenario s = with("",
                                      "[[platform.sensor]]\nname = \"v0\"\ntype = 5\n"
                                      "[[platform.sensor]]\nname = \"b\"\n"
                                      "[[platform.sensor]]\nname = \"v1\"\ntype = 5\n");
    const auto file = [&](std::uint32_t id) {
        const linux_call c = linux_call_of({models::call_named("sensor_read"), id, 0}, s);
        EXPECT_EQ(c.line, "");
        return c.file;
    };
    EXPECT_EQ(file(0), "temp1_input");
    EXPECT_EQ(file(1), "in0_input");
    EXPECT_EQ(file(2), "temp2_input");
    EXPECT_EQ(file(3), "in1_input");
}

// tools/linux/module/scmi_vp_caller.c: "OP ID VALUE POLL".
TEST(linux_workload, what_user_space_cannot_ask_for_goes_through_the_module) {
    const scenario::scenario s = with(
        task + "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"clock_set_rate\"\nvalue = 5\n" +
            "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"sensor_read\"\nid = 1\n",
        "[[platform.sensor]]\nname = \"x\"\ntype = 22\n",
        R"(drivers = ["clk-scmi", "scmi-hwmon", "scmi-vp-caller"])");
    const std::string script = make_linux_workload(s, true).script;
    EXPECT_THAT(script, StartsWith("module\n"));
    EXPECT_THAT(script, HasSubstr("write /sys/kernel/debug/scmi_vp_caller clock_set_rate 0 5 0\n"
                                  "write /sys/kernel/debug/scmi_vp_caller sensor_read 1 0 0\n"));
    EXPECT_THAT(script, HasSubstr("log 2\n"));
}

TEST(linux_workload, loops_carry_their_locks_and_think_times) {
    const linux_workload w = make_linux_workload(with(task + R"(
[[workload.loop]]
context = "sh"
count = 3
start = "1ms"
think = "5us"
lock = "m"
calls = [ { call = "sensor_read", id = 0 }, { call = "clock_get_rate", id = 0 } ]
)"));
    EXPECT_EQ(w.calls, 3u);
    EXPECT_THAT(w.script, HasSubstr("loop 0 1000000 3 0 0 1\nthink 0 5000\n"));
}

// The modelled guest draws from the streams "top.guest.<task>" and "top.guest.open.<n>".
TEST(linux_workload, random_times_are_those_of_the_modelled_guest) {
    const scenario::scenario s = with(task + R"(
[[workload.loop]]
context = "sh"
count = 2
think = { kind = "exponential", mean = "1ms" }
calls = [ { call = "sensor_read", id = 0 } ]
)");
    latency think(s.system.guest.loops[0].think,
                  random_stream(s.system.seed, "top.guest.sh", "think"));
    const std::string first = std::to_string(think.next() / nanoseconds(1));
    const std::string second = std::to_string(think.next() / nanoseconds(1));
    EXPECT_THAT(make_linux_workload(s).script, HasSubstr("think 0 " + first + " " + second + "\n"));
}

TEST(linux_workload, arrivals_are_absolute_and_end_with_the_run) {
    const linux_workload w = make_linux_workload(with(task + R"(
[[workload.open]]
contexts = ["sh"]
interarrival = "500ms"
start = "100ms"
calls = [ { call = "sensor_read", id = 0 } ]
)"));
    EXPECT_EQ(w.calls, 0u);
    EXPECT_THAT(w.script,
                HasSubstr("open -1 0\narrive 600000000 1100000000 1600000000\nmember 0\n"));
}

// Each of these has no file in sysfs or debugfs (drivers/clk/clk.c undefines
// CLOCK_ALLOW_WRITE_DEBUGFS).
TEST(linux_workload, calls_without_a_file_are_refused) {
    const auto step = [](const std::string& what) {
        return task + "[[workload.sequence]]\ncontext = \"sh\"\n" + what;
    };
    EXPECT_THAT(
        refusal(step("call = \"clock_set_rate\"\nid = 0\nvalue = 5\n")),
        HasSubstr("s.toml: call 'clock_set_rate' (0): Linux 6.1 shows user space no file for "
                  "it; add scmi-vp-caller to guest.drivers"));
    EXPECT_THAT(refusal(step("call = \"base_version\"\n")), HasSubstr("call 'base_version'"));
    EXPECT_THAT(refusal(step("call = \"sensor_read\"\nid = 1\n"),
                        "[[platform.sensor]]\nname = \"x\"\ntype = 22\n"),
                HasSubstr("call 'sensor_read' (1): Linux 6.1 shows user space no file"));
}

// drivers/virtio/virtio.c and drivers/base/platform.c in sysfs: nothing probes the instance again
// by itself.
TEST(linux_workload, binding_the_driver_again_takes_two_files) {
    const linux_workload w = make_linux_workload(
        with(task + "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"driver_unbind\"\n" +
             "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"driver_bind\"\n"));
    EXPECT_THAT(w.script, HasSubstr("write /sys/bus/virtio/drivers/scmi-virtio/unbind virtio0\n"
                                    "write /sys/bus/virtio/drivers/scmi-virtio/bind virtio0\n"
                                    "then /sys/bus/platform/drivers_probe firmware:scmi\n"));
}

TEST(linux_workload, notes_name_what_only_the_modelled_guest_follows) {
    scenario::scenario s = with(task);
    s.system.guest.hz = 1000;
    s.system.hops[std::size_t(hop::interrupt)] = make_constant(microseconds(1));
    s.checks.resize(1);
    const linux_workload w = make_linux_workload(s);
    ASSERT_EQ(w.notes.size(), 3u);
    EXPECT_THAT(w.notes[0], HasSubstr("guest.hz"));
    EXPECT_THAT(w.notes[1], HasSubstr("check: none is evaluated here"));
    EXPECT_THAT(w.notes[2], HasSubstr("hops.interrupt"));
}

}  // namespace
}  // namespace scmi_vp::runs
