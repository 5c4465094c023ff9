// SPDX-License-Identifier: Apache-2.0
// The scenario of the recorded Linux 6.1: what it says, and that its gaps are those of the
// recording.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "runs/load.h"
#include "scenario/scenario_testing.h"
#include "traces/ftrace.h"

namespace scmi_vp::runs {
namespace {

using testing::ElementsAre;

const std::string root = SCMI_VP_SOURCE_DIR;

scenario::scenario recording() {
    return load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", {});
}

TEST(recording_scenario, describes_the_recorded_system) {
    const scenario::scenario s = recording();
    EXPECT_EQ(s.system.title, "linux-6.1-recording");
    EXPECT_EQ(s.system.guest.profile.name, "linux-6.1");
    EXPECT_EQ(s.system.guest.hz, 100u);
    EXPECT_EQ(s.system.guest.cpus, 1u);
    EXPECT_EQ(s.system.guest.costs.clock_read, nanoseconds(256));
    EXPECT_TRUE(s.system.guest.costs.printk_on_tick);
    EXPECT_THAT(s.system.guest.device_tree.protocols, ElementsAre(0x14, 0x15));
    const scmi::platform_description& p = s.system.platform.description;
    EXPECT_THAT(p.protocols, ElementsAre(0x13, 0x14, 0x15));
    EXPECT_EQ(p.implementation_version, 0xc0ffeeu);
    EXPECT_EQ(p.unknown_message, scmi::status::not_supported);
    ASSERT_EQ(p.sensors.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(p.sensors[i].name, "temp" + std::to_string(i));
        EXPECT_EQ(p.sensors[i].exponent, -3);
        EXPECT_EQ(p.sensors[i].reading, 40000 + 1000 * std::int64_t(i));
        EXPECT_EQ(p.sensors[i].async, i == 4);
    }
    EXPECT_EQ(p.sensors[4].delayed_reading, 45000);
    ASSERT_EQ(s.system.platform.service.size(), 1u);
    EXPECT_EQ(s.system.platform.service[0].protocol_id, 0x15);
    EXPECT_EQ(s.system.platform.service[0].message_id, 6);
    EXPECT_EQ(s.system.platform.service[0].resource, 2);
    EXPECT_EQ(s.system.platform.workers, 0u);
    EXPECT_EQ(s.system.guest.sequence.size(), 9u);
    EXPECT_EQ(s.inputs.size(), 3u);
}

/// The clock of the recording: a clock read in a task first takes 256 ns, stamps are cut down to
/// multiples of 256 ns and printed in microseconds, halves up (linux-6.1 ftrace, um time-travel).
struct recorded_clock {
    sim_time now;
    std::vector<sim_time> stamps;

    static sim_time printed(sim_time t) {
        const std::int64_t ns = t / nanoseconds(256) * 256;
        return microseconds((ns + 500) / 1000);
    }
    void task_reads() {
        now += nanoseconds(256);
        stamps.push_back(printed(now));
    }
    void interrupt_reads(sim_time t) { stamps.insert(stamps.end(), 2, printed(t)); }

    /// begin, CMND, response_wait; RESP and rx_done 50 us after the doorbell; end.
    void call(bool async, bool times_out) {
        task_reads();
        const sim_time kick = now;
        task_reads();
        task_reads();
        if (times_out) {
            now = milliseconds(64480);  // the timer wheel's grain at HZ=100: 5.12 s
            task_reads();
            return;
        }
        now = kick + microseconds(50);
        interrupt_reads(now);
        task_reads();
        if (!async) return;
        now = kick + microseconds(100);
        interrupt_reads(now);
    }
};

TEST(recording_scenario, its_gaps_reproduce_every_stamp) {
    const scenario::scenario s = recording();
    recorded_clock clock{s.system.guest.probe_start, {}};
    for (int i = 0; i < 23; ++i) clock.call(false, false);  // the probe
    for (const models::sequence_step& step : s.system.guest.sequence) {
        clock.now += step.gap;
        const bool sensor = step.what.row == models::call_named("sensor_read");
        clock.call(sensor && step.what.id == 4, sensor && step.what.id == 2);
    }
    const std::string file = root + "/traces/recorded/linux-6.1-probe-sensors-timeout.ftrace";
    std::ifstream in(file);
    const std::vector<traces::ftrace_event> events = traces::read_ftrace(in, file);
    ASSERT_EQ(events.size(), 192u);
    ASSERT_EQ(clock.stamps.size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(to_string(clock.stamps[i]), to_string(events[i].stamp)) << "event " << i;
    }
}

TEST(recording_scenario, its_tasks_are_those_of_the_recording) {
    const scenario::scenario s = recording();
    const std::string file = root + "/traces/recorded/linux-6.1-probe-sensors-timeout.ftrace";
    std::ifstream in(file);
    std::size_t call = 0;
    for (const traces::ftrace_event& e : traces::read_ftrace(in, file)) {
        if (e.kind != traces::ftrace_kind::xfer_begin || e.task == "kworker/u2:0") continue;
        ASSERT_LT(call, s.system.guest.sequence.size());
        const models::sequence_step& step = s.system.guest.sequence[call++];
        EXPECT_EQ(step.context, e.task);
        EXPECT_EQ(step.what.row == models::call_named("sensor_read"), e.protocol_id == 0x15);
        for (const models::context_config& c : s.system.guest.contexts) {
            if (c.name != e.task) continue;
            EXPECT_EQ(c.pid, e.pid);
        }
    }
    EXPECT_EQ(call, 9u);
}

}  // namespace
}  // namespace scmi_vp::runs
