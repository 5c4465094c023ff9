// SPDX-License-Identifier: Apache-2.0
// The device's side against rings written by hand: legal framings, every illegal one,
// notifications.
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/ring/raw_ring.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {
namespace {

constexpr ring_features plain{}, with_indirect{false, true}, with_event_idx{true, false};

/// A legal two-descriptor command at head 0.
void put_command(raw_ring& r) {
    r.desc(0, r.buffers, 12, desc_f_next, 1);
    r.desc(1, r.buffers + 64, 16, desc_f_write);
    r.make_available(0);
}

TEST(split_ring, linux_block_is_vring_init) {
    // Linux include/uapi/linux/virtio_ring.h vring_init, vring_size: 256 entries take 3 pages
    const auto l = ring_layout::linux_block(0x4000, 256, 4096);
    EXPECT_EQ(l.avail, 0x5000u);
    EXPECT_EQ(l.used, 0x6000u);
    EXPECT_EQ(l.used_event(), 0x5000u + 4 + 512);
    EXPECT_EQ(l.avail_event(), 0x6000u + 4 + 2048);
    EXPECT_EQ(l.avail_slot(256), l.avail_slot(0));
    EXPECT_EQ(ring_layout::linux_block_bytes(256, 4096), 0x2000u + 6 + 2048);
    EXPECT_EQ(ring_layout::linux_block_bytes(1, 4096), 4096u + 14);
}

TEST(split_ring, event_hit_agrees_with_counting) {
    // SPL-30, BUG-20: true exactly when one of the published indices is the event
    for (const int start : {0, 0xfff8, 0x7ffc}) {
        for (int before = 0; before < 16; ++before) {
            for (int count = 0; count < 12; ++count) {
                for (int e = 0; e < 32; ++e) {
                    const auto at = [&](int i) { return static_cast<std::uint16_t>(start + i); };
                    bool expected = false;
                    for (int i = before; i < before + count; ++i) expected |= at(i) == at(e);
                    EXPECT_EQ(event_hit(at(e), at(before + count), at(before)), expected);
                }
            }
        }
    }
}

TEST(device_queue, refuses_sizes_that_are_no_ring) {
    raw_ring r(4);  // BUG-29
    for (const std::uint16_t size : {0, 3, 32769, 65535}) {
        auto layout = r.layout;
        layout.size = size;
        EXPECT_THROW(device_queue(r.memory.view, layout, plain), error) << size;
    }
    device_queue none;
    chain c;
    EXPECT_EQ(none.take(c), take_result::empty);
    EXPECT_FALSE(none.has_available());
    EXPECT_FALSE(none.should_interrupt());
}

TEST(device_queue, takes_a_linux_command) {
    raw_ring r(4);
    put_command(r);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    EXPECT_EQ(q.available(), 1);
    ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_EQ(c.head, 0);
    EXPECT_EQ(c.readable_bytes(), 12u);
    EXPECT_EQ(c.writable_bytes(), 16u);
    EXPECT_EQ(q.take(c), take_result::empty);
}

// Whoever lets the queue go on only to where the driver was at an earlier time.
TEST(device_queue, sees_no_further_than_to_the_index_of_an_earlier_look) {
    raw_ring r(4);
    put_command(r);
    device_queue q(r.memory.view, r.layout, plain);
    const auto earlier = q.look();
    ASSERT_EQ(earlier, std::uint16_t{1});
    EXPECT_FALSE(q.seen_more());
    r.make_available(2);
    EXPECT_EQ(q.look(), std::uint16_t{2});
    chain c;
    EXPECT_TRUE(q.see(earlier));
    EXPECT_TRUE(q.seen_more());
    ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_FALSE(q.seen_more()) << "the second one was made later";
    EXPECT_TRUE(q.see(q.look()));
    EXPECT_TRUE(q.seen_more());
}

// SPL-23: an index more than the queue's size ahead, or behind; one that cannot be read.
TEST(device_queue, an_index_that_cannot_be_is_a_fault_where_it_is_seen) {
    using index = std::optional<std::uint16_t>;
    for (const index idx : {index(5), index(65535), index()}) {
        raw_ring r(4);
        device_queue q(r.memory.view, r.layout, plain);
        EXPECT_FALSE(q.see(idx));
        EXPECT_TRUE(q.broken());
        EXPECT_NE(q.fault().what, "");
        EXPECT_FALSE(q.see(0));
    }
    EXPECT_EQ(device_queue().look(), std::nullopt);
}

TEST(device_queue, SPL_03_framing_does_not_matter) {
    // virtio 2.7.4.1: a request cut into up to 4 pieces with empty ones between reads the same
    std::vector<std::uint8_t> request(12), got(12);
    std::iota(request.begin(), request.end(), std::uint8_t{1});
    for (unsigned cut1 = 0; cut1 <= 12; ++cut1) {
        for (unsigned cut2 = cut1; cut2 <= 12; ++cut2) {
            raw_ring r(8);
            for (unsigned i = 0; i < 12; ++i) r.memory.put(r.buffers + i, request[i]);
            r.desc(0, r.buffers, cut1, desc_f_next, 1);
            r.desc(1, r.buffers + cut1, cut2 - cut1, desc_f_next, 2);
            r.desc(2, r.buffers + cut2, 12 - cut2, desc_f_next, 3);
            r.desc(3, r.buffers + 0x100, cut1, desc_f_write | desc_f_next, 4);
            r.desc(4, r.buffers + 0x100 + cut1, 12 - cut1, desc_f_write);
            r.make_available(0);
            device_queue q(r.memory.view, r.layout, plain);
            chain c;
            ASSERT_EQ(q.take(c), take_result::taken);
            ASSERT_EQ(q.read(c, got.data(), 100), 12u);
            EXPECT_EQ(got, request);
            EXPECT_EQ(q.write(c, request.data(), 12), 12u);
            for (unsigned i = 0; i < 12; ++i) {
                EXPECT_EQ(r.memory.get<std::uint8_t>(r.buffers + 0x100 + i), request[i]);
            }
        }
    }
}

TEST(device_queue, read_and_write_are_clipped) {
    raw_ring r(4);  // SPL-34: never beyond the descriptors
    put_command(r);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    std::vector<std::uint8_t> data(64, 0x77);
    EXPECT_EQ(q.read(c, data.data(), 5), 5u);
    EXPECT_EQ(data[5], 0x77);
    data.assign(64, 0x99);
    EXPECT_EQ(q.write(c, data.data(), 64), 16u);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.buffers + 64 + 15), 0x99);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.buffers + 64 + 16), 0);
}

TEST(device_queue, SPL_11_13_14_junk_that_means_nothing) {
    raw_ring r(4);
    r.desc(0, UINT64_MAX, 0, desc_f_next | 0xfff8, 1);       // empty: address not looked at
    r.desc(1, r.buffers, 8, desc_f_write | 0xfff8, 0xffff);  // last: next not looked at
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_TRUE(c.readable.empty());
    EXPECT_EQ(c.writable_bytes(), 8u);
}

TEST(device_queue, SPL_19_20_direct_then_indirect) {
    raw_ring r(4);
    const std::uint64_t table = r.buffers + 0x800;
    r.desc(0, r.buffers, 8, desc_f_next, 2);
    r.desc(2, table, 32, desc_f_indirect | desc_f_write);  // WRITE is ignored
    r.desc_at(table, r.buffers + 64, 4, desc_f_next, 1);
    r.desc_at(table + 16, r.buffers + 128, 8, desc_f_write);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, with_indirect);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    ASSERT_EQ(c.readable.size(), 2u);
    EXPECT_EQ(c.readable_bytes(), 12u);
    EXPECT_EQ(c.writable_bytes(), 8u);
}

TEST(device_queue, BUG_04_table_longer_than_the_queue) {
    raw_ring r(4);
    const std::uint64_t table = r.buffers + 0x800;
    r.desc(0, table, 512 * 16, desc_f_indirect);
    r.desc_at(table, r.buffers, 4, desc_f_next, 511);
    r.desc_at(table + 511 * 16, r.buffers + 64, 8, desc_f_write);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, with_indirect);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken) << q.fault().what;
    EXPECT_EQ(c.writable_bytes(), 8u);
}

TEST(device_queue, size_one) {
    raw_ring r(1);  // SPL-01
    r.desc(0, r.buffers, 8, desc_f_write);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    for (int i = 0; i < 70000; ++i) {  // BUG-10
        r.make_available(0);
        ASSERT_EQ(q.take(c), take_result::taken);
        q.put_used(0, static_cast<std::uint32_t>(i));
        ASSERT_EQ(r.used_idx(), r.avail_idx);
        ASSERT_EQ(r.used(0).length, static_cast<std::uint32_t>(i));
    }
}

TEST(device_queue, SPL_10_chain_over_4GiB) {
    // Overlapping descriptors of a large memory add up in 64 bits; the memory is only said to be
    // there.
    struct claims_all : memory_port {
        bool covers(std::uint64_t address, std::uint64_t) override {
            return address >= 0x100000000;
        }
        bool read(std::uint64_t, void*, std::size_t) override { return false; }
        bool write(std::uint64_t, const void*, std::size_t) override { return false; }
    } port;
    raw_ring r(4);
    r.memory.view.set_port(&port);
    r.desc(0, 0x100000000, 0xffffffff, desc_f_next, 1);
    r.desc(1, 0x100000000, 2, desc_f_write);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::fault);
    EXPECT_THAT(q.fault().what, testing::HasSubstr("2^32"));
}

TEST(device_queue, BUG_08_rom_cannot_be_a_writable_buffer) {
    raw_ring r(4);
    std::vector<std::uint8_t> rom(64);
    r.memory.view.add_region({0x1000, rom.size(), rom.data(), false});
    r.desc(0, 0x1000, 8, desc_f_next, 1);
    r.desc(1, r.buffers, 8, desc_f_write);
    r.make_available(0);
    r.desc(2, 0x1000, 8, desc_f_write);
    r.make_available(2);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    EXPECT_EQ(q.take(c), take_result::taken);
    EXPECT_EQ(q.take(c), take_result::fault);
    EXPECT_THAT(q.fault().what, testing::HasSubstr("writable guest memory"));
}

TEST(device_queue, ring_memory_that_goes_away_is_a_fault) {
    raw_ring r(4);  // BUG-30: memory revoked between two accesses
    put_command(r);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    r.memory.view.clear_regions();
    q.put_used(0, 4);
    EXPECT_TRUE(q.broken());
    EXPECT_THAT(q.fault().what, testing::HasSubstr("used ring"));
}

TEST(device_queue, BUG_11_each_field_is_read_once) {
    raw_ring r(4);
    const std::uint64_t table = r.buffers + 0x800;
    r.desc(0, r.buffers, 8, desc_f_next, 2);
    r.desc(2, table, 32, desc_f_indirect);
    r.desc_at(table, r.buffers + 64, 4, desc_f_next, 1);
    r.desc_at(table + 16, r.buffers + 128, 8, desc_f_write);
    r.make_available(0);
    access_log log;
    r.memory.view.set_observer(&log);
    device_queue q(r.memory.view, r.layout, with_indirect);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    // SPL-46: index, then slot, then each descriptor in one 16-byte access, and nothing else.
    std::vector<std::uint64_t> addresses;
    for (const access_log::entry& e : log.entries) addresses.push_back(e.address);
    EXPECT_THAT(addresses,
                testing::ElementsAre(r.layout.avail_idx(), r.layout.avail_slot(0), r.layout.desc,
                                     r.layout.desc + 32, table, table + 16));
    // What the driver does to the table from now on does not matter.
    r.desc(0, 0, 0xffffffff, 0xffff, 0xffff);
    r.desc_at(table + 16, 0, 0xffffffff, 0xffff, 0xffff);
    EXPECT_EQ(q.write(c, reinterpret_cast<const std::uint8_t*>("12345678"), 8), 8u);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.buffers + 128 + 7), '8');
}

TEST(device_queue, SPL_46_burst_reads_the_index_once) {
    raw_ring r(8);
    for (unsigned i = 0; i < 4; ++i) {
        r.desc(i, r.buffers, 4, desc_f_write);
        r.make_available(i);
    }
    access_log log;
    r.memory.view.set_observer(&log);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    for (int i = 0; i < 4; ++i) ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_EQ(log.touching(r.layout.avail_idx(), r.layout.avail_idx() + 2), 1u);
}

TEST(device_queue, BUG_13_same_head_twice_gives_two_used_entries) {
    raw_ring r(4);
    put_command(r);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, plain);
    chain a, b;
    ASSERT_EQ(q.take(a), take_result::taken);
    ASSERT_EQ(q.take(b), take_result::taken);
    q.put_used(a.head, 4);
    q.put_used(b.head, 8);
    EXPECT_EQ(r.used_idx(), 2);
    EXPECT_EQ(r.used(1).length, 8u);
}

TEST(device_queue, BUG_13_buffer_that_overlaps_the_ring_corrupts_only_the_ring) {
    raw_ring r(4);
    r.desc(0, r.layout.desc, 0x2000, desc_f_write);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    const std::vector<std::uint8_t> junk(0x2000, 0xff);
    q.write(c, junk.data(), junk.size());
    q.put_used(c.head, 0x2000);
    EXPECT_EQ(q.take(c), take_result::fault);
}

TEST(device_queue, SPL_32_element_before_index) {
    raw_ring r(4);
    put_command(r);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    access_log log;
    r.memory.view.set_observer(&log);
    q.put_used(c.head, 12);
    ASSERT_EQ(log.entries.size(), 2u);
    EXPECT_EQ(log.entries[0].address, r.layout.used_slot(0));
    EXPECT_EQ(log.entries[0].size, 8u);
    EXPECT_EQ(log.entries[1].address, r.layout.used_idx());
    EXPECT_EQ(r.used(0).id, 0u);
    EXPECT_EQ(r.used(0).length, 12u);
    EXPECT_THROW(q.put_used(4, 0), error);
}

TEST(device_queue, BUG_37_bytes_are_little_endian) {
    raw_ring r(2);
    const std::uint8_t golden[16] = {0x00, 0x20, 0, 0x80, 0,    0, 0, 0,
                                     0x34, 0x02, 0, 0,    0x02, 0, 0, 0};
    for (unsigned i = 0; i < 16; ++i) r.memory.put(r.layout.desc + i, golden[i]);
    r.make_available(0);
    device_queue q(r.memory.view, r.layout, plain);
    chain c;
    ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_EQ(c.writable[0].address, 0x80002000u);
    EXPECT_EQ(c.writable[0].size, 0x234u);
    q.put_used(0, 0x0102);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.layout.used + 2), 1);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.layout.used + 8), 2);
    EXPECT_EQ(r.memory.get<std::uint8_t>(r.layout.used + 9), 1);
}

// --- notifications ---

TEST(device_queue, SPL_27_28_flags_decide_without_event_idx) {
    raw_ring r(4);
    device_queue q(r.memory.view, r.layout, plain);
    r.memory.put<std::uint16_t>(r.layout.used_event(), 0x1234);
    EXPECT_FALSE(q.should_interrupt()) << "nothing published";
    q.put_used(0, 0);
    EXPECT_TRUE(q.should_interrupt());
    EXPECT_FALSE(q.should_interrupt()) << "asked already";
    r.memory.put<std::uint16_t>(r.layout.avail, avail_f_no_interrupt);
    q.put_used(0, 0);
    EXPECT_FALSE(q.should_interrupt());
    r.memory.put<std::uint16_t>(r.layout.avail, 0xfffe);  // undefined bits
    q.put_used(0, 0);
    EXPECT_TRUE(q.should_interrupt());
}

TEST(device_queue, SPL_29_30_used_event_decides_with_event_idx) {
    for (const std::uint16_t start : {0, 2, 0xfffd, 0xffff}) {
        for (int batch = 1; batch <= 4; ++batch) {
            for (int event = -2; event < 6; ++event) {
                raw_ring r(4);
                device_queue q(r.memory.view, r.layout, with_event_idx);
                q.resume_at(start, start);
                r.memory.put<std::uint16_t>(r.layout.avail, avail_f_no_interrupt);  // ignored
                r.memory.put(r.layout.used_event(), static_cast<std::uint16_t>(start + event));
                for (int i = 0; i < batch; ++i) q.put_used(0, 0);
                EXPECT_EQ(q.should_interrupt(), event >= 0 && event < batch);
                EXPECT_FALSE(q.should_interrupt());
            }
        }
    }
}

TEST(device_queue, BUG_19_full_lap_without_asking_interrupts) {
    raw_ring r(4);
    device_queue q(r.memory.view, r.layout, with_event_idx);
    for (int i = 0; i < 65536; ++i) q.put_used(0, 0);
    EXPECT_TRUE(q.should_interrupt());
    EXPECT_FALSE(q.should_interrupt());
}

TEST(device_queue, SPL_39_kicks_wanted_without_event_idx) {
    raw_ring r(4);
    device_queue q(r.memory.view, r.layout, plain);
    q.set_kicks_wanted(false);
    EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.used), used_f_no_notify);
    EXPECT_FALSE(q.kicks_wanted());
    q.set_kicks_wanted(true);
    EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.used), 0);
    EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.avail_event()), 0);
}

TEST(device_queue, SPL_39_avail_event_follows_with_event_idx) {
    raw_ring r(4);
    device_queue q(r.memory.view, r.layout, with_event_idx);
    chain c;
    for (std::uint16_t i = 1; i <= 10; ++i) {
        put_command(r);
        ASSERT_EQ(q.take(c), take_result::taken);
        EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.avail_event()), i);
        q.put_used(c.head, 0);
    }
    q.set_kicks_wanted(false);
    put_command(r);
    ASSERT_EQ(q.take(c), take_result::taken);
    EXPECT_FALSE(event_hit(r.memory.get<std::uint16_t>(r.layout.avail_event()), 11, 10));
    q.set_kicks_wanted(true);
    EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.avail_event()), 11);
    EXPECT_EQ(r.memory.get<std::uint16_t>(r.layout.used), 0) << "flags stay 0";
}

}  // namespace
}  // namespace scmi_vp::virtio
