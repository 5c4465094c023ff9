// SPDX-License-Identifier: Apache-2.0
// The model's register accesses against those of a real Linux 6.12 on virtio-mmio, and against the
// order of Linux 6.1's drivers.
#include <algorithm>

#include <gtest/gtest.h>

#include "runs/linux/trace_compare.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"
#include "virtio/mmio_registers.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing_tools::accesses_of;
using testing_tools::run_in_child;
using line = traces::register_trace_line;
using kind = line::kind_t;

const std::string recorded =
    std::string(SCMI_VP_SOURCE_DIR) + "/traces/recorded/linux-6.12-virtio-mmio-registers.trace";

const char* const text = R"(
[guest]
cpus = 2
memory = "8MiB"
[output]
registers = true
[hops]
service = "50us"
[platform]
sensor_max_async = 4
[[platform.sensor]]
name = "s0"
[[platform.sensor]]
name = "s1"
async = true
[[workload.context]]
name = "cat"
cpu = 1
[[workload.loop]]
context = "cat"
count = 20
calls = [{ call = "sensor_read", id = 0 }, { call = "sensor_read", id = 1 }]
)";

std::vector<line> run(const std::vector<std::string>& overrides) {
    const scratch_folder out;
    const scenario::scenario s = parse_scenario(text, "registers.toml", overrides);
    EXPECT_EQ(run_in_child(s, out.path() / "o").status, run_status::ok);
    return accesses_of(out.path() / "o/registers.trace");
}

/// Up to the first interrupt after DRIVER_OK.
std::vector<line> probe_of(const std::vector<line>& all) {
    bool driver_ok = false;
    std::vector<line> probe;
    for (const line& l : all) {
        driver_ok |= l.kind == kind::write && l.offset == virtio::mmio::status && (l.value & 4);
        if (l.kind == kind::irq && l.value == 1 && driver_ok) break;
        probe.push_back(l);
    }
    return probe;
}

/// From then on, without kicks. The recording's interrupt line is left out where asked: there,
/// lines of one interrupt are printed between those of another.
std::vector<std::string> interrupts_of(const std::vector<line>& all, bool with_line) {
    std::vector<std::string> found;
    for (std::size_t i = probe_of(all).size(); i < all.size(); ++i) {
        if (all[i].offset == virtio::mmio::queue_notify) continue;
        if (all[i].kind == kind::irq && !with_line) continue;
        found.push_back(format_register_trace_line(all[i]));
    }
    return found;
}

TEST(registers, of_linux_6_12_are_the_recorded_ones_at_probe) {
    const auto actual =
        run({"guest.profile=linux-6.12", "device.queue_size=1024", "device.event_queue_size=1024"});
    const auto expected = accesses_of(recorded);
    const trace_comparison c = compare_registers(probe_of(expected), probe_of(actual));
    EXPECT_TRUE(c.same()) << c.text();
    EXPECT_EQ(c.compared, 45u);
}

TEST(registers, around_each_interrupt_are_the_recorded_ones) {
    // Read the status, acknowledge what was read (drivers/virtio/virtio_mmio.c vm_interrupt).
    const auto actual =
        run({"guest.profile=linux-6.12", "device.queue_size=1024", "device.event_queue_size=1024"});
    const auto expected = interrupts_of(accesses_of(recorded), false);
    ASSERT_EQ(expected.size(), 66u);
    const auto accesses = interrupts_of(actual, false);
    ASSERT_GE(accesses.size(), 66u);
    for (std::size_t i = 0; i < accesses.size(); ++i) EXPECT_EQ(accesses[i], expected[i % 66]) << i;
    const char* const around[] = {"irq 1", "read offset 0x60", "write offset 0x64 value 0x1",
                                  "irq 0"};
    const auto lines = interrupts_of(actual, true);
    ASSERT_EQ(lines.size(), 2 * accesses.size());
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], around[i % 4]) << i;
}

TEST(registers, of_linux_6_1_set_driver_ok_after_the_cores_look) {
    // drivers/virtio/virtio.c virtio_dev_probe of 6.1: status is read, and DRIVER_OK set if the
    // driver's probe has not done so; in 6.12 the driver's probe does.
    const auto tail = [](const std::vector<line>& all) {
        std::string last;
        const auto probe = probe_of(all);
        std::vector<line> kept;
        for (const line& l : probe) {
            if (l.kind != kind::irq && l.offset != virtio::mmio::queue_notify) kept.push_back(l);
        }
        for (std::size_t i = kept.size() - 4; i < kept.size(); ++i) {
            last += format_register_trace_line(kept[i]) + "; ";
        }
        return last;
    };
    EXPECT_EQ(tail(run({"guest.profile=linux-6.1"})),
              "write offset 0x44 value 0x1; read offset 0x70; read offset 0x70; "
              "write offset 0x70 value 0xf; ");
    EXPECT_EQ(tail(run({"guest.profile=linux-6.12"})),
              "write offset 0x44 value 0x1; read offset 0x70; write offset 0x70 value 0xf; "
              "read offset 0x70; ");
}

TEST(registers, event_buffers_are_posted_with_a_kick_each_before_the_first_command) {
    // scmi_vio_feed_vq_rx in virtio_chan_setup: one virtqueue_kick per buffer, then Base's first.
    std::vector<std::uint32_t> kicks;
    for (const line& l : probe_of(run({"device.event_queue_size=64"}))) {
        if (l.kind == kind::write && l.offset == virtio::mmio::queue_notify)
            kicks.push_back(l.value);
    }
    ASSERT_EQ(kicks.size(), 65u);
    EXPECT_EQ(std::count(kicks.begin(), kicks.begin() + 64, 1u), 64);
    EXPECT_EQ(kicks.back(), 0u);
}

TEST(registers, without_delayed_responses_there_is_no_event_queue) {
    for (const line& l : run({"device.p2a_channels=false"})) {
        EXPECT_FALSE(l.kind == kind::write && l.offset == virtio::mmio::queue_sel && l.value != 0);
    }
}

TEST(trace_compare, register_accesses_differ_in_order_offset_value_and_ring_layout) {
    const auto expected = probe_of(accesses_of(recorded));
    const auto differs = [&](auto change) {
        auto actual = expected;
        change(actual);
        return compare_registers(expected, actual).first_difference;
    };
    EXPECT_EQ(differs([](auto& a) { std::swap(a[0], a[1]); }),
              "register access 1 of 45 differs\n  expected: read offset 0x0\n"
              "  actual:   read offset 0x4\n");
    EXPECT_EQ(differs([](auto& a) {
                  for (line& l : a) l.value += l.offset >= 0x80 && l.value ? 0x1000000 : 0;
              }),
              "");
    EXPECT_NE(differs([](auto& a) {
                  for (line& l : a) l.value += l.offset == 0xa0 ? 0x1000 : 0;
              }).find("relative to the first"),
              std::string::npos);
    EXPECT_NE(differs([](auto& a) { a.pop_back(); }).find("too few"), std::string::npos);
}

}  // namespace
}  // namespace scmi_vp::runs
