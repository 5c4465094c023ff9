// SPDX-License-Identifier: Apache-2.0
// Regions, borders, holes, read-only memory, the port and the observer.
#include "virtio/ring/guest_memory.h"

#include <array>
#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/ring/raw_ring.h"

namespace scmi_vp::virtio {
namespace {

constexpr std::uint64_t base = 0x1000;

struct two_regions {
    two_regions() {
        std::iota(low.begin(), low.end(), std::uint8_t{0});
        std::iota(high.begin(), high.end(), std::uint8_t{64});
        memory.add_region({base + 64, 64, high.data()});  // any order
        memory.add_region({base, 64, low.data()});
    }
    std::array<std::uint8_t, 64> low{}, high{};
    guest_memory memory;
};

TEST(guest_memory, reads_and_writes_across_adjoining_regions) {
    two_regions t;  // BUG-05, BUG-08: a border inside an access is no error
    std::array<std::uint8_t, 16> data{};
    ASSERT_TRUE(t.memory.read(actor::device, base + 56, data.data(), data.size()));
    for (std::size_t i = 0; i < data.size(); ++i) EXPECT_EQ(data[i], 56 + i);
    data.fill(0xaa);
    ASSERT_TRUE(t.memory.write(actor::device, base + 60, data.data(), 8));
    EXPECT_EQ(t.low[59], 59);
    EXPECT_EQ(t.low[60], 0xaa);
    EXPECT_EQ(t.high[3], 0xaa);
    EXPECT_EQ(t.high[4], 68);
}

TEST(guest_memory, contains_knows_borders_holes_and_wraps) {
    two_regions t;
    std::array<std::uint8_t, 16> top{};
    t.memory.add_region({UINT64_MAX - 15, 16, top.data()});
    EXPECT_TRUE(t.memory.contains(base, 128));
    EXPECT_FALSE(t.memory.contains(base, 129));
    EXPECT_FALSE(t.memory.contains(base - 1, 2));
    EXPECT_FALSE(t.memory.contains(base + 128, 1));
    EXPECT_TRUE(t.memory.contains(UINT64_MAX - 15, 16));
    EXPECT_FALSE(t.memory.contains(UINT64_MAX - 15, 17));  // SPL-49: wraps
    EXPECT_FALSE(t.memory.contains(base, UINT64_MAX));
    EXPECT_TRUE(t.memory.contains(0, 0));
}

TEST(guest_memory, refused_access_copies_nothing) {
    two_regions t;
    std::array<std::uint8_t, 16> data{};
    data.fill(0x55);
    EXPECT_FALSE(t.memory.read(actor::device, base + 120, data.data(), 16));
    EXPECT_EQ(data[0], 0x55);
    EXPECT_FALSE(t.memory.write(actor::device, base + 120, data.data(), 16));
    EXPECT_EQ(t.high[56], 120);
}

TEST(guest_memory, read_only_region_refuses_writes) {
    two_regions t;  // BUG-08: ROM for a writable buffer
    std::array<std::uint8_t, 64> rom{};
    t.memory.add_region({base + 128, 64, rom.data(), false});
    const std::uint64_t value = 7;
    EXPECT_FALSE(t.memory.write(actor::device, base + 124, &value, 8));
    EXPECT_EQ(t.high[60], 124);
    EXPECT_TRUE(t.memory.contains(base + 120, 16));
    EXPECT_FALSE(t.memory.contains_writable(base + 120, 16));
    EXPECT_TRUE(t.memory.contains_writable(base + 120, 8));
}

TEST(guest_memory, bad_regions_are_refused_with_the_reason) {
    std::array<std::uint8_t, 64> data{};
    const auto message = [&](guest_memory& m, guest_memory::region r) -> std::string {
        try {
            m.add_region(r);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            return e.what();
        }
        return "";
    };
    two_regions t;
    EXPECT_THAT(message(t.memory, {base + 127, 1, data.data()}), testing::HasSubstr("overlaps"));
    EXPECT_THAT(message(t.memory, {base - 1, 2, data.data()}), testing::HasSubstr("overlaps"));
    EXPECT_THAT(message(t.memory, {base, 64, data.data()}), testing::HasSubstr("overlaps"));
    EXPECT_THAT(message(t.memory, {UINT64_MAX - 8, 64, data.data()}), testing::HasSubstr("64-bit"));
    EXPECT_THAT(message(t.memory, {0, 0, data.data()}), testing::HasSubstr("empty"));
    EXPECT_THAT(message(t.memory, {0, 64, nullptr}), testing::HasSubstr("empty"));
    EXPECT_EQ(t.memory.regions().size(), 2u);
}

struct small_port : memory_port {
    bool covers(std::uint64_t address, std::uint64_t size) override {
        return address >= base + 128 && address + size <= base + 192;
    }
    bool read(std::uint64_t address, void* data, std::size_t size) override {
        std::memcpy(data, bytes.data() + (address - base - 128), size);
        return true;
    }
    bool write(std::uint64_t address, const void* data, std::size_t size) override {
        std::memcpy(bytes.data() + (address - base - 128), data, size);
        return true;
    }
    std::array<std::uint8_t, 64> bytes{};
};

TEST(guest_memory, port_serves_what_no_region_covers) {
    two_regions t;  // BUG-30: memory whose DMI is refused or revoked falls back to the port
    small_port port;
    EXPECT_FALSE(t.memory.contains(base + 128, 1));
    t.memory.set_port(&port);
    EXPECT_TRUE(t.memory.contains(base + 64, 128));
    EXPECT_FALSE(t.memory.contains(base + 64, 129));
    t.memory.store<std::uint64_t>(actor::device, base + 124, 0x1122334455667788);
    EXPECT_EQ(t.high[60], 0x88);
    EXPECT_EQ(port.bytes[3], 0x11);
    EXPECT_EQ(t.memory.load<std::uint64_t>(actor::device, base + 124), 0x1122334455667788u);
    EXPECT_FALSE(t.memory.fault());
}

TEST(guest_memory, field_outside_memory_sets_fault) {
    two_regions t;
    EXPECT_EQ(t.memory.load<std::uint32_t>(actor::driver, 0), 0u);
    EXPECT_TRUE(t.memory.fault());
    t.memory.clear_fault();
    t.memory.store<std::uint32_t>(actor::driver, base + 126, 1);
    EXPECT_TRUE(t.memory.fault());
    EXPECT_EQ(t.high[62], 126);
}

TEST(guest_memory, observer_sees_successful_accesses_only) {
    two_regions t;
    access_log log;
    t.memory.set_observer(&log);
    t.memory.load<std::uint16_t>(actor::driver, base);
    t.memory.store<std::uint32_t>(actor::device, base + 62, 1);
    t.memory.load<std::uint16_t>(actor::driver, 0);
    ASSERT_EQ(log.entries.size(), 2u);
    EXPECT_EQ(log.entries[0].who, actor::driver);
    EXPECT_FALSE(log.entries[0].write);
    EXPECT_TRUE(log.entries[1].write);
    EXPECT_EQ(log.entries[1].address, base + 62);
    EXPECT_EQ(log.entries[1].size, 4u);
    EXPECT_TRUE(t.memory.contains(base, 8));
    EXPECT_EQ(log.entries.size(), 2u);
}

TEST(guest_memory, cleared_regions_are_gone) {
    two_regions t;
    t.memory.clear_regions();
    EXPECT_FALSE(t.memory.contains(base, 1));
    EXPECT_FALSE(t.memory.write(actor::driver, base, "x", 1));
}

}  // namespace
}  // namespace scmi_vp::virtio
