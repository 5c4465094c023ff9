// SPDX-License-Identifier: Apache-2.0
// The driver's side: what Linux 6.1 drivers/virtio/virtio_ring.c writes, in which order, and what
// it does about a device that breaks the rules.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/ring/raw_ring.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {
namespace {

constexpr ring_features plain{}, with_indirect{false, true}, with_event_idx{true, false};
using u16 = std::uint16_t;

/// A driver on a ring whose device side is written by hand.
struct fixture {
    explicit fixture(u16 size, ring_features f = plain)
        : ring(size), queue(ring.memory.view, ring.layout, f) {}

    /// An SCMI command: one readable, one writable buffer (scmi virtio.c virtio_send_message).
    add_result send(int& token, u16* head = nullptr, std::uint64_t table = 0) {
        const buffer out{ring.buffers, 12}, in{ring.buffers + 256, 136};
        return queue.add(&out, 1, &in, 1, &token, head, table);
    }
    u16 used_event() const { return ring.memory.get<u16>(ring.layout.used_event()); }
    u16 avail_flags() const { return ring.memory.get<u16>(ring.layout.avail); }

    raw_ring ring;
    driver_queue queue;
    int tokens[8] = {};
};

TEST(driver_queue, add_writes_descriptors_slot_index) {
    fixture f(4);  // SPL-42; 36 bytes for a command
    access_log log;
    f.ring.memory.view.set_observer(&log);
    u16 head = 99;
    ASSERT_EQ(f.send(f.tokens[0], &head), add_result::added);
    EXPECT_EQ(head, 0);
    const ring_layout& l = f.ring.layout;
    std::vector<std::pair<std::uint64_t, std::size_t>> writes;
    for (const access_log::entry& e : log.entries) {
        EXPECT_TRUE(e.write && e.who == actor::driver);
        writes.emplace_back(e.address, e.size);
    }
    using p = std::pair<std::uint64_t, std::size_t>;
    EXPECT_THAT(writes, testing::ElementsAre(p{l.desc, 16}, p{l.desc + 16, 16},
                                             p{l.avail_slot(0), 2}, p{l.avail_idx(), 2}));
    const auto d0 = f.ring.memory.get<descriptor>(l.desc),
               d1 = f.ring.memory.get<descriptor>(l.desc + 16);
    EXPECT_EQ(d0.address, f.ring.buffers);
    EXPECT_EQ(d0.length, 12u);
    EXPECT_EQ(d0.flags, desc_f_next);
    EXPECT_EQ(d0.next, 1);
    EXPECT_EQ(d1.flags, desc_f_write);
    EXPECT_EQ(d1.length, 136u);
    EXPECT_EQ(f.ring.memory.get<u16>(l.avail_idx()), 1);
}

TEST(driver_queue, free_descriptors_are_a_lifo_chain) {
    // virtqueue_add_split, detach_buf_split: sequential commands use head 0, the n-th concurrent
    // one 2(n-1); a late one keeps its head
    fixture f(8);
    u16 head = 99;
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(f.send(f.tokens[0], &head), add_result::added);
        EXPECT_EQ(head, 0);
        f.ring.put_used(0, 4);
        EXPECT_EQ(f.queue.get_buf().token, &f.tokens[0]);
    }
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(f.send(f.tokens[i], &head), add_result::added);
        EXPECT_EQ(head, 2 * i);
    }
    EXPECT_EQ(f.queue.free_descriptors(), 0);
    f.ring.put_used(4, 1);
    f.ring.put_used(2, 1);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[2]);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[1]);
    f.send(f.tokens[4], &head);
    EXPECT_EQ(head, 2);
    f.send(f.tokens[5], &head);
    EXPECT_EQ(head, 4);
}

TEST(driver_queue, no_space_leaves_the_ring_alone) {
    fixture f(2);
    ASSERT_EQ(f.send(f.tokens[0]), add_result::added);
    access_log log;
    f.ring.memory.view.set_observer(&log);
    EXPECT_EQ(f.send(f.tokens[1]), add_result::no_space);
    EXPECT_TRUE(log.entries.empty());
    EXPECT_EQ(f.queue.avail_index(), 1);
}

TEST(driver_queue, nonsense_from_the_caller_is_an_error) {
    fixture f(2);  // BUG_ON in virtqueue_add_split
    const buffer b{f.ring.buffers, 4};
    EXPECT_THROW(f.queue.add(&b, 1, nullptr, 0, nullptr), error);
    EXPECT_THROW(f.queue.add(nullptr, 0, nullptr, 0, &f), error);
    auto layout = f.ring.layout;
    layout.size = 5;
    EXPECT_THROW(driver_queue(f.ring.memory.view, layout, plain), error);
    driver_queue none;
    EXPECT_EQ(none.add(&b, 1, nullptr, 0, &f), add_result::broken);
    EXPECT_EQ(none.get_buf().token, nullptr);
    EXPECT_FALSE(none.more_used());
    none.disable_cb();
    EXPECT_TRUE(none.enable_cb());
}

TEST(driver_queue, indirect_table_for_more_than_one_buffer) {
    fixture f(2, with_indirect);
    const std::uint64_t table = f.ring.buffers + 0x800;
    u16 head = 99;
    ASSERT_EQ(f.send(f.tokens[0], &head, table), add_result::added);
    EXPECT_EQ(f.queue.free_descriptors(), 1);
    const auto d = f.ring.memory.get<descriptor>(f.ring.layout.desc);
    EXPECT_EQ(d.address, table);
    EXPECT_EQ(d.length, 32u);
    EXPECT_EQ(d.flags, desc_f_indirect);  // SPL-18: alone
    EXPECT_EQ(f.ring.memory.get<descriptor>(table).flags, desc_f_next);
    EXPECT_EQ(f.ring.memory.get<descriptor>(table).next, 1);
    EXPECT_EQ(f.ring.memory.get<descriptor>(table + 16).flags, desc_f_write);
    // One buffer (an event buffer) stays direct, and so does a command when there is no table.
    const buffer in{f.ring.buffers, 136};
    ASSERT_EQ(f.queue.add(nullptr, 0, &in, 1, &f.tokens[1], &head, table + 64), add_result::added);
    EXPECT_EQ(head, 1);
    EXPECT_EQ(f.ring.memory.get<descriptor>(f.ring.layout.desc + 16).flags, desc_f_write);
    f.ring.put_used(0, 8);
    f.ring.put_used(1, 8);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[0]);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[1]);
    EXPECT_EQ(f.queue.free_descriptors(), 2);
    ASSERT_EQ(f.send(f.tokens[2]), add_result::added);
    EXPECT_EQ(f.queue.free_descriptors(), 0);
}

// --- notifications ---

TEST(driver_queue, SPL_37_kick_without_event_idx) {
    fixture f(4);
    f.ring.memory.put<u16>(f.ring.layout.avail_event(), 0x4321);  // ignored
    f.send(f.tokens[0]);
    EXPECT_TRUE(f.queue.kick_prepare());
    f.ring.memory.put<u16>(f.ring.layout.used, used_f_no_notify);
    f.send(f.tokens[1]);
    EXPECT_FALSE(f.queue.kick_prepare());
}

TEST(driver_queue, SPL_38_kick_with_event_idx) {
    for (int event = -1; event < 5; ++event) {
        fixture f(8, with_event_idx);
        f.ring.memory.put<u16>(f.ring.layout.used, used_f_no_notify);  // ignored
        f.ring.memory.put<u16>(f.ring.layout.avail_event(), static_cast<u16>(event));
        for (int i = 0; i < 3; ++i) f.send(f.tokens[i]);
        EXPECT_EQ(f.queue.kick_prepare(), event >= 0 && event < 3) << event;
        f.send(f.tokens[3]);
        EXPECT_EQ(f.queue.kick_prepare(), event == 3) << event;
        EXPECT_FALSE(f.queue.kick_prepare()) << "nothing added since";
    }
}

TEST(driver_queue, kick_is_overdue_after_65535_chains) {
    fixture f(2);  // virtqueue_add_split: "This is very unlikely, but theoretically possible"
    for (int i = 0; i < 65535; ++i) {
        EXPECT_FALSE(f.queue.kick_overdue());
        ASSERT_EQ(f.send(f.tokens[0]), add_result::added);
        f.ring.put_used(0, 0);
        ASSERT_EQ(f.queue.get_buf().token, &f.tokens[0]);
    }
    EXPECT_TRUE(f.queue.kick_overdue());
    f.queue.kick_prepare();
    EXPECT_FALSE(f.queue.kick_overdue());
}

TEST(driver_queue, callbacks_without_event_idx) {
    // virtqueue_disable_cb_split, virtqueue_enable_cb_prepare_split: the flag in avail, written
    // once
    fixture f(4);
    f.send(f.tokens[0]);
    f.queue.disable_cb();
    EXPECT_EQ(f.avail_flags(), avail_f_no_interrupt);
    EXPECT_EQ(f.used_event(), 0);
    access_log log;
    f.ring.memory.view.set_observer(&log);
    f.queue.disable_cb();
    EXPECT_TRUE(log.entries.empty());
    f.ring.put_used(0, 4);
    EXPECT_NE(f.queue.get_buf().token, nullptr);
    EXPECT_EQ(f.used_event(), 0) << "not moved while disabled";
    f.send(f.tokens[1]);
    f.ring.put_used(0, 4);
    EXPECT_FALSE(f.queue.enable_cb()) << "SPL-47: more is pending";
    EXPECT_EQ(f.avail_flags(), 0);
    EXPECT_EQ(f.used_event(), 1);
    EXPECT_NE(f.queue.get_buf().token, nullptr);
    EXPECT_EQ(f.used_event(), 2) << "moved without EVENT_IDX, too";
    EXPECT_TRUE(f.queue.enable_cb());
}

TEST(driver_queue, callbacks_with_event_idx) {
    fixture f(4, with_event_idx);
    for (int i = 0; i < 3; ++i) {  // bring last_used to 3
        f.send(f.tokens[0]);
        f.ring.put_used(0, 4);
        f.queue.get_buf();
    }
    EXPECT_EQ(f.used_event(), 3);
    f.queue.disable_cb();
    EXPECT_EQ(f.used_event(), 0);
    EXPECT_EQ(f.avail_flags(), 0) << "SPL-25";
    EXPECT_EQ(f.queue.enable_cb_prepare(), 3u);
    EXPECT_EQ(f.used_event(), 3);
    EXPECT_FALSE(f.queue.poll(3));
    f.send(f.tokens[0]);
    f.ring.put_used(0, 4);
    EXPECT_TRUE(f.queue.poll(3));
    // vring_interrupt's hint: the device has triggered, it need not be disabled, and every get_buf
    // asks for the next event.
    f.queue.note_interrupt();
    f.queue.disable_cb();
    EXPECT_EQ(f.used_event(), 3);
    EXPECT_NE(f.queue.get_buf().token, nullptr);
    EXPECT_EQ(f.used_event(), 4);
    EXPECT_TRUE(f.queue.enable_cb());
    f.queue.disable_cb();
    EXPECT_EQ(f.used_event(), 0) << "enable_cb took the hint back";
}

TEST(driver_queue, hint_needs_event_idx) {
    fixture f(4);
    f.queue.note_interrupt();
    f.queue.disable_cb();
    EXPECT_EQ(f.avail_flags(), avail_f_no_interrupt);
}

TEST(driver_queue, detach_unused_gives_back_every_token) {
    fixture f(8);  // virtqueue_detach_unused_buf_split, at remove after the reset
    for (int i = 0; i < 3; ++i) f.send(f.tokens[i]);
    f.ring.put_used(2, 0);
    f.queue.get_buf();
    EXPECT_EQ(f.queue.detach_unused(), &f.tokens[0]);
    EXPECT_EQ(f.queue.detach_unused(), &f.tokens[2]);
    EXPECT_EQ(f.queue.detach_unused(), nullptr);
    EXPECT_EQ(f.queue.free_descriptors(), 8);
    EXPECT_EQ(f.ring.memory.get<u16>(f.ring.layout.avail_idx()), 1);
}

// --- devices that break the rules ---

TEST(driver_queue, SPL_48_BUG_21_bad_ids_break_the_queue) {
    const struct {
        std::uint32_t id;
        const char* says;
    } cases[] = {{4, "id 4 out of range"},
                 {0xffffffff, "id 4294967295 out of range"},
                 {1, "id 1 is not a head!"},   // second descriptor of the chain
                 {2, "id 2 is not a head!"}};  // free
    for (const auto& c : cases) {
        fixture f(4);
        f.send(f.tokens[0]);
        f.ring.put_used(c.id, 4);
        EXPECT_EQ(f.queue.get_buf().token, nullptr);
        EXPECT_TRUE(f.queue.broken());
        EXPECT_EQ(f.queue.bad_ring(), c.says);
        // virtqueue_add -> -EIO, get_buf -> NULL, kick and poll -> false, from now on
        EXPECT_EQ(f.send(f.tokens[1]), add_result::broken);
        f.ring.put_used(0, 4);
        EXPECT_EQ(f.queue.get_buf().token, nullptr);
        EXPECT_FALSE(f.queue.kick_prepare());
        EXPECT_TRUE(f.queue.enable_cb());
        EXPECT_EQ(f.queue.detach_unused(), &f.tokens[0]) << "pending calls can be failed";
    }
}

TEST(driver_queue, SPL_48_same_id_twice) {
    fixture f(4);
    f.send(f.tokens[0]);
    f.ring.put_used(0, 4);
    f.ring.put_used(0, 4);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[0]);
    EXPECT_EQ(f.queue.get_buf().token, nullptr);
    EXPECT_EQ(f.queue.bad_ring(), "id 0 is not a head!");
}

TEST(driver_queue, BUG_23_used_index_that_jumps_ends_broken) {
    for (const u16 jump : {1000, 0xffff}) {
        fixture f(8);
        for (int i = 0; i < 3; ++i) f.send(f.tokens[i]);
        f.ring.memory.put<u16>(f.ring.layout.used_idx(), jump);
        int got = 0;
        while (f.queue.get_buf().token != nullptr) ++got;
        // Linux does not compare the index with what is outstanding: stale slots (id 0) count once.
        EXPECT_EQ(got, 1);
        EXPECT_TRUE(f.queue.broken());
    }
}

TEST(driver_queue, BUG_22_length_is_passed_on_as_written) {
    fixture f(
        4);  // virtqueue_get_buf_ctx_split does not check it; scmi virtio.c takes it as rx_len
    f.send(f.tokens[0]);
    f.ring.put_used(0, 0xffffffff);
    EXPECT_EQ(f.queue.get_buf().length, 0xffffffffu);
}

TEST(driver_queue, BUG_24_device_that_rewrites_the_table) {
    fixture f(8);
    u16 head = 99;
    for (int i = 0; i < 2; ++i) f.send(f.tokens[i]);
    for (unsigned i = 0; i < 8; ++i) f.ring.desc(i, 0, 0, desc_f_next, 7 - i);
    f.ring.put_used(0, 4);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[0]);
    EXPECT_EQ(f.queue.free_descriptors(), 6);
    for (const int expected : {0, 4, 6}) {
        ASSERT_EQ(f.send(f.tokens[3], &head), add_result::added);
        EXPECT_EQ(head, expected);
    }
}

TEST(driver_queue, ring_outside_memory_breaks_the_queue) {
    fixture f(4);
    f.ring.memory.view.clear_regions();
    EXPECT_EQ(f.send(f.tokens[0]), add_result::broken);
    EXPECT_THAT(f.queue.bad_ring(), testing::HasSubstr("not in guest memory"));
}

TEST(driver_queue, SPL_26_spurious_interrupts_change_nothing) {
    fixture f(4);
    f.send(f.tokens[0]);
    for (int i = 0; i < 1000; ++i) {
        f.queue.note_interrupt();
        f.queue.disable_cb();
        EXPECT_EQ(f.queue.get_buf().token, nullptr);
        EXPECT_TRUE(f.queue.enable_cb());
    }
    f.ring.put_used(0, 4);
    EXPECT_EQ(f.queue.get_buf().token, &f.tokens[0]);
}

}  // namespace
}  // namespace scmi_vp::virtio
