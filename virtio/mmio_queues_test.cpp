// SPDX-License-Identifier: Apache-2.0
// The queue registers against virtio 1.x 4.2.2 and 4.2.3, the probe sequence of Linux 6.1
// virtio_mmio.c, and random accesses.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/mmio_fixture.h"
#include "virtio/mmio_registers.h"

namespace scmi_vp::virtio {
namespace {

using fixture = mmio_fixture;

// --- queues ---

TEST(mmio_queue, layout_is_what_was_written) {
    fixture f;
    f.negotiate();
    f.place_queue(1, 128, 0x80010000);
    const register_effect e = f.set(mmio::queue_ready, 1);
    EXPECT_TRUE(e.queue_enabled);
    EXPECT_EQ(e.queue, 1);
    const auto expected = ring_layout::linux_block(0x80010000, 128, 4096);
    const ring_layout got = f.regs.layout(1);
    EXPECT_EQ(got.size, 128);
    EXPECT_EQ(got.desc, expected.desc);
    EXPECT_EQ(got.avail, expected.avail);
    EXPECT_EQ(got.used, expected.used);
    EXPECT_THROW(f.regs.layout(2), error);
    f.ok(mmio::queue_sel, 0);
    EXPECT_EQ(f.get(mmio::queue_ready), 0u);
}

TEST(mmio_queue, high_words_count) {
    fixture f(scmi_config());
    mmio_register_file regs(scmi_config());  // no memory to check against
    regs.write(mmio::queue_desc_high, 4, 0x12);
    regs.write(mmio::queue_desc_low, 4, 0xfffffff0);
    regs.write(mmio::queue_desc_high, 4, 0x34);
    EXPECT_EQ(regs.layout(0).desc, 0x34fffffff0u);
}

TEST(mmio_queue, MMIO_33_selector_does_not_alias) {
    fixture f;
    f.negotiate();
    for (const u32 sel : {2u, 0x10000u, 0xffffffffu}) {
        f.ok(mmio::queue_sel, sel);
        EXPECT_EQ(f.get(mmio::queue_size_max), 0u);
        EXPECT_EQ(f.get(mmio::queue_ready), 0u);
        EXPECT_NE(f.set(mmio::queue_size, 8).guest_error, nullptr);
        EXPECT_NE(f.set(mmio::queue_ready, 1).guest_error, nullptr);
    }
    EXPECT_EQ(f.regs.state().queues[0], queue_config{});
}

TEST(mmio_queue, SCMI_03_event_queue_needs_p2a) {
    fixture f;
    f.ok(mmio::queue_sel, 1);
    EXPECT_EQ(f.get(mmio::queue_size_max), 256u) << "offered, not settled yet";
    f.negotiate(feature::version_1);
    EXPECT_EQ(f.get(mmio::queue_size_max), 0u);
    EXPECT_NE(f.set(mmio::queue_ready, 1).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::queue_ready), 0u);
    fixture without(scmi_config(feature::version_1));
    without.ok(mmio::queue_sel, 1);
    EXPECT_EQ(without.get(mmio::queue_size_max), 0u);
    device_config other = scmi_config(feature::version_1);
    other.device_id = 4;  // another device's queue 1 is just a queue
    mmio_register_file rng(other);
    rng.write(mmio::queue_sel, 4, 1);
    EXPECT_EQ(rng.peek(mmio::queue_size_max), 256u);
}

TEST(mmio_queue, MMIO_21_configuration_is_fixed_while_ready) {
    fixture f;  // BUG-25
    f.run();
    const device_state before = f.regs.state();
    for (const u32 offset :
         {mmio::queue_size, mmio::queue_desc_low, mmio::queue_desc_high, mmio::queue_driver_low,
          mmio::queue_driver_high, mmio::queue_device_low, mmio::queue_device_high}) {
        EXPECT_NE(f.set(offset, 16).guest_error, nullptr);
    }
    const register_effect again = f.set(mmio::queue_ready, 1);
    EXPECT_NE(again.guest_error, nullptr);
    EXPECT_FALSE(again.queue_enabled);
    EXPECT_EQ(f.regs.state(), before);
}

TEST(mmio_queue, MMIO_22_stop_and_start_with_another_size) {
    fixture f;
    f.run();
    const register_effect stop = f.set(mmio::queue_ready, 0);
    EXPECT_TRUE(stop.queue_disabled);
    EXPECT_EQ(stop.guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::queue_ready), 0u);
    EXPECT_FALSE(f.set(mmio::queue_ready, 0).queue_disabled) << "nothing to stop";
    f.place_queue(0, 8, 0x80020000);
    EXPECT_TRUE(f.set(mmio::queue_ready, 1).queue_enabled);
    EXPECT_EQ(f.regs.layout(0).size, 8);
}

TEST(mmio_queue, ready_uses_bit_0_only) {
    fixture f;
    f.negotiate();
    f.place_queue(0, 64);
    EXPECT_NE(f.set(mmio::queue_ready, 2).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::queue_ready), 0u);
    const register_effect e = f.set(mmio::queue_ready, 3);
    EXPECT_NE(e.guest_error, nullptr);
    EXPECT_TRUE(e.queue_enabled);
}

TEST(mmio_queue, ready_before_features_ok_is_ignored) {
    fixture f;
    f.place_queue(0, 64);
    const register_effect e = f.set(mmio::queue_ready, 1);
    EXPECT_NE(e.guest_error, nullptr);
    EXPECT_FALSE(e.queue_enabled || e.needs_reset);
    EXPECT_EQ(f.get(mmio::queue_ready), 0u);
}

TEST(mmio_queue, MMIO_20_32_illegal_queue_is_fatal) {
    const struct {
        u32 offset, value;
        const char* says;
    } cases[] = {{mmio::queue_size, 0, "power of two"},
                 {mmio::queue_size, 3, "power of two"},
                 {mmio::queue_size, 65, "power of two"},
                 {mmio::queue_size, 0x10040, "power of two"},  // not truncated to 64
                 {mmio::queue_size, 0xffffffff, "power of two"},
                 {mmio::queue_size, 128, "QueueSizeMax"},
                 {mmio::queue_desc_low, 0x80000008, "16-byte"},
                 {mmio::queue_driver_low, 0x80001001, "2-byte"},
                 {mmio::queue_device_low, 0x80002002, "4-byte"},
                 {mmio::queue_desc_low, 0x1000, "descriptor area"},
                 {mmio::queue_desc_high, 1, "descriptor area"},
                 {mmio::queue_driver_low, 0x800ffffe, "driver area"},
                 {mmio::queue_device_low, 0x800ffff0, "device area"},
                 {mmio::queue_device_high, 0xffffffff, "device area"}};
    for (const auto& c : cases) {
        SCOPED_TRACE(c.says);
        fixture f;
        f.negotiate();
        f.place_queue(0, 64);
        f.ok(c.offset, c.value);
        const register_effect e = f.set(mmio::queue_ready, 1);
        EXPECT_TRUE(e.needs_reset);
        EXPECT_FALSE(e.queue_enabled);
        ASSERT_NE(e.guest_error, nullptr);
        EXPECT_THAT(e.guest_error, testing::HasSubstr(c.says));
        EXPECT_EQ(f.get(mmio::queue_ready), 0u);
        EXPECT_EQ(f.get(mmio::status), 0x4bu);
        EXPECT_NE(f.set(mmio::queue_ready, 1).guest_error, nullptr) << "dead until reset";
    }
}

TEST(mmio_queue, areas_that_wrap_are_refused_without_memory_to_check) {
    mmio_register_file regs(scmi_config());
    regs.write(mmio::driver_features_sel, 4, 1);
    regs.write(mmio::driver_features, 4, 1);
    regs.write(mmio::status, 4, 0xb);
    regs.write(mmio::queue_size, 4, 64);
    regs.write(mmio::queue_desc_high, 4, 0xffffffff);
    regs.write(mmio::queue_desc_low, 4, 0xfffffff0);
    EXPECT_TRUE(regs.write(mmio::queue_ready, 4, 1).needs_reset);
}

// --- sequences ---

TEST(mmio_sequence, linux_probe) {
    fixture f;  // Linux 6.1 drivers/virtio/virtio_mmio.c: virtio_mmio_probe, vm_*, vm_setup_vq
    EXPECT_EQ(f.get(mmio::magic_value), 0x74726976u);
    EXPECT_EQ(f.get(mmio::version), 2u);
    EXPECT_EQ(f.get(mmio::device_id), 32u);
    EXPECT_EQ(f.get(mmio::vendor_id), 0x554d4551u);
    EXPECT_TRUE(f.set(mmio::status, 0).reset);
    EXPECT_EQ(f.get(mmio::status), 0u);
    f.ok(mmio::status, 1);
    f.ok(mmio::status, f.get(mmio::status) | 2);
    f.ok(mmio::device_features_sel, 1);
    std::uint64_t features = std::uint64_t{f.get(mmio::device_features)} << 32;
    f.ok(mmio::device_features_sel, 0);
    features |= f.get(mmio::device_features);
    EXPECT_EQ(features, all_offered);
    f.accept(features);
    f.ok(mmio::status, f.get(mmio::status) | 8);
    EXPECT_EQ(f.get(mmio::status), 0xbu);
    for (u32 i = 0; i < 2; ++i) {
        f.ok(mmio::queue_sel, i);
        EXPECT_EQ(f.get(mmio::queue_ready), 0u);
        const u32 max = f.get(mmio::queue_size_max);
        EXPECT_EQ(max, i == 0 ? 64u : 256u);
        f.place_queue(i, max, 0x80000000 + 0x10000 * std::uint64_t{i});
        EXPECT_TRUE(f.set(mmio::queue_ready, 1).queue_enabled);
    }
    const register_effect e = f.set(mmio::status, f.get(mmio::status) | 4);
    EXPECT_TRUE(e.driver_ok);
    EXPECT_EQ(f.get(mmio::status), 0xfu);
    EXPECT_TRUE(f.set(mmio::queue_notify, 1).kick);
}

TEST(mmio_sequence, random_accesses_keep_the_invariants) {
    std::mt19937_64 rng(1);
    fixture f;
    unsigned enabled = 0, kicks = 0, resets = 0;
    const u32 values[] = {0, 1, 2, 3, 7, 0xb, 0xf, 0x40, 64, 0x80000000, 0x80001000, 0xffffffff};
    for (int i = 0; i < 200000; ++i) {
        // An illegal queue ends it all until the next reset, which must be legal to get far again.
        if (rng() % 64 == 0) {
            f.set(mmio::status, 0);
            f.negotiate();
            f.place_queue(static_cast<u32>(rng() % 2), 64);
            if (rng() % 2 == 0) enabled += f.set(mmio::queue_ready, 1).queue_enabled;
            if (rng() % 2 == 0) f.ok(mmio::status, 0xf);
        }
        const auto offset = rng() % 16 == 0  ? mmio::queue_notify
                            : rng() % 8 == 0 ? static_cast<u32>(rng())
                                             : static_cast<u32>(rng() % 64 * 4);
        const unsigned size = rng() % 8 == 0 ? static_cast<unsigned>(rng() % 9) : 4;
        const auto value = static_cast<u32>(rng() % 4 == 0 ? rng() : values[rng() % 12]);
        const device_state before = f.regs.state();
        register_effect e;
        if (rng() % 3 == 0) {
            const u32 got = f.regs.read(offset, size, e);
            EXPECT_TRUE(e.guest_error == nullptr || got == 0);
            EXPECT_EQ(f.regs.state(), before) << "reads change nothing";
        } else {
            e = f.regs.write(offset, size, value);
        }
        enabled += e.queue_enabled, kicks += e.kick, resets += e.reset;
        const device_state& s = f.regs.state();
        ASSERT_EQ(s.status & ~0xcfu, 0u);
        if (!e.reset) {
            ASSERT_EQ(before.status & ~s.status, 0u) << "bits were cleared";
        }
        ASSERT_LE(f.regs.interrupt_status(), 3u);
        if ((s.status & device_status::features_ok) != 0) {
            ASSERT_EQ(s.accepted & ~all_offered, 0u);
            ASSERT_TRUE(s.has(feature::version_1));
        } else {
            ASSERT_FALSE(s.driver_ok());
        }
        for (unsigned q = 0; q < 2; ++q) {
            if (!s.queues[q].ready) continue;
            ASSERT_TRUE(legal_queue_size(s.queues[q].size));
            ASSERT_TRUE(
                f.memory.view.contains(s.queues[q].desc, desc_area_bytes(s.queues[q].size)));
        }
    }
    EXPECT_GT(enabled, 100u);
    EXPECT_GT(kicks, 100u);
    EXPECT_GT(resets, 10u);
}

}  // namespace
}  // namespace scmi_vp::virtio
