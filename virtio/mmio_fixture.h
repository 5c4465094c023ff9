// SPDX-License-Identifier: Apache-2.0
// For tests: an SCMI device's registers with memory behind them, and the steps of a well-behaved
// driver.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>

#include "virtio/mmio_registers.h"
#include "virtio/ring/raw_ring.h"

namespace scmi_vp::virtio {

using u32 = std::uint32_t;
inline constexpr std::uint64_t all_offered =
    feature::scmi_p2a_channels | feature::indirect_desc | feature::event_idx | feature::version_1;

inline device_config scmi_config(std::uint64_t offered = all_offered) {
    device_config c;
    c.offered = offered;
    c.queue_size_max = {64, 256};
    return c;
}

/// A device with 1 MiB of memory at 0x80000000.
struct mmio_fixture {
    explicit mmio_fixture(const device_config& c = scmi_config()) : regs(c, &memory.view) {}

    u32 get(u32 offset) {
        register_effect e;
        const u32 value = regs.read(offset, 4, e);
        EXPECT_EQ(e.guest_error, nullptr) << std::hex << offset << " " << e.guest_error;
        return value;
    }
    register_effect set(u32 offset, u32 value) { return regs.write(offset, 4, value); }
    void ok(u32 offset, u32 value) {
        const register_effect e = set(offset, value);
        EXPECT_EQ(e.guest_error, nullptr) << std::hex << offset << " " << e.guest_error;
    }
    void accept(std::uint64_t bits) {
        ok(mmio::driver_features_sel, 1);
        ok(mmio::driver_features, static_cast<u32>(bits >> 32));
        ok(mmio::driver_features_sel, 0);
        ok(mmio::driver_features, static_cast<u32>(bits));
    }
    void negotiate(std::uint64_t bits = all_offered) {
        ok(mmio::status, 1);
        ok(mmio::status, 3);
        accept(bits);
        ok(mmio::status, 0xb);
        ASSERT_EQ(get(mmio::status), 0xbu);
    }
    void place_queue(u32 queue, u32 size, std::uint64_t base = 0x80000000) {
        const auto l = ring_layout::linux_block(base, static_cast<std::uint16_t>(size), 4096);
        ok(mmio::queue_sel, queue);
        ok(mmio::queue_size, size);
        const std::uint64_t areas[] = {l.desc, l.avail, l.used};
        const u32 at[] = {mmio::queue_desc_low, mmio::queue_driver_low, mmio::queue_device_low};
        for (int i = 0; i < 3; ++i) {
            ok(at[i] + 4, static_cast<u32>(areas[i] >> 32));  // MMIO-27: high first is fine
            ok(at[i], static_cast<u32>(areas[i]));
        }
    }
    void run() {
        negotiate();
        place_queue(0, 64);
        ok(mmio::queue_ready, 1);
        ok(mmio::status, 0xf);
    }

    test_memory memory;
    mmio_register_file regs;
};

}  // namespace scmi_vp::virtio
