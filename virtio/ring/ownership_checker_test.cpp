// SPDX-License-Identifier: Apache-2.0
// One test per rule of the ownership checker, and a clean run that breaks none.
#include "virtio/ring/ownership_checker.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio/ring/raw_ring.h"

namespace scmi_vp::virtio {
namespace {

/// A queue of 8 with one command in flight: head 2 (descriptors 2 and 3), buffers at odd addresses.
struct fixture {
    fixture() : ring(8), checker([this](const ownership_violation& v) { seen.push_back(v); }) {
        checker.queue_enabled(0, ring.layout);
        checker.on_write(actor::driver, ring.layout.desc + 32, 16);
        checker.on_write(actor::driver, ring.layout.desc + 48, 16);
        checker.made_available(0, 2, &out, 1, &in, 1);
    }
    void clean() const {
        EXPECT_TRUE(seen.empty()) << seen.front().rule;
        EXPECT_EQ(checker.violations(), 0u);
    }
    void one(actor who, bool write, const char* rule, const char* source) {
        ASSERT_EQ(seen.size(), 1u);
        EXPECT_EQ(checker.violations(), 1u);
        EXPECT_EQ(seen[0].who, who);
        EXPECT_EQ(seen[0].write, write);
        EXPECT_THAT(seen[0].rule, testing::HasSubstr(rule));
        EXPECT_STREQ(seen[0].source, source);
        seen.clear();
    }

    raw_ring ring;
    std::vector<ownership_violation> seen;
    ownership_checker checker;
    buffer out{ring.buffers + 1, 13}, in{ring.buffers + 14, 137};  // adjoining within a granule
};

TEST(ownership_checker, device_reads_readable_and_writes_writable) {
    fixture f;
    f.checker.on_read(actor::device, f.out.address, f.out.size);
    f.checker.on_write(actor::device, f.in.address, f.in.size);
    f.checker.on_read(actor::driver, f.out.address, f.out.size);
    f.clean();
    EXPECT_EQ(f.checker.accesses(), 5u);
}

TEST(ownership_checker, device_never_writes_a_readable_buffer) {
    fixture f;  // SPL-07
    f.checker.on_write(actor::device, f.out.address + 12, 1);
    f.one(actor::device, true, "device-readable buffer", "virtio 2.7.5.1");
}

TEST(ownership_checker, device_should_not_read_a_writable_buffer) {
    fixture f;  // SPL-08
    f.checker.on_read(actor::device, f.in.address, 1);
    f.one(actor::device, false, "device-writable buffer", "virtio 2.7.5.1");
}

TEST(ownership_checker, access_over_the_end_of_a_buffer) {
    fixture f;
    f.checker.on_write(actor::device, f.in.address + 136, 2);
    f.one(actor::device, true, "made available", "virtio 2.7.5");
    f.checker.on_read(actor::device, f.out.address - 1, 14);
    ASSERT_EQ(f.seen.size(), 1u);
    EXPECT_EQ(f.seen[0].address, f.out.address - 1);
    EXPECT_EQ(f.seen[0].size, 14u);
}

TEST(ownership_checker, memory_of_nobody_is_the_drivers) {
    fixture f;
    f.checker.on_write(actor::driver, f.ring.buffers + 0x2000, 64);
    f.checker.on_read(actor::driver, 0, 64);
    f.clean();
    f.checker.on_read(actor::device, f.ring.buffers + 0x2000, 64);  // untouched page
    f.one(actor::device, false, "made available", "virtio 2.7.5");
    f.checker.on_write(actor::device, f.ring.buffers + 0x800, 1);  // page that holds buffers
    EXPECT_EQ(f.seen.size(), 1u);
}

TEST(ownership_checker, device_reads_but_never_writes_descriptors_and_available_ring) {
    fixture f;  // SPL-09, SPL-22
    f.checker.on_read(actor::device, f.ring.layout.desc + 32, 16);
    f.checker.on_read(actor::device, f.ring.layout.avail_idx(), 2);
    f.checker.on_read(actor::device, f.ring.layout.used_event(), 2);
    f.clean();
    f.checker.on_write(actor::device, f.ring.layout.desc, 2);
    f.one(actor::device, true, "descriptor", "virtio 2.7.5.1");
}

TEST(ownership_checker, device_never_writes_the_available_ring) {
    fixture f;
    f.checker.on_write(actor::device, f.ring.layout.used_event(), 2);
    f.one(actor::device, true, "available ring", "virtio 2.7.6");
}

TEST(ownership_checker, used_ring_and_avail_event_are_the_devices) {
    fixture f;
    f.checker.on_write(actor::device, f.ring.layout.used_slot(0), 8);
    f.checker.on_write(actor::device, f.ring.layout.avail_event(), 2);
    f.checker.on_read(actor::driver, f.ring.layout.used_idx(), 2);
    f.clean();
    f.checker.on_write(actor::driver, f.ring.layout.avail_event(), 2);
    f.one(actor::driver, true, "device area", "virtio 2.7.8");
}

TEST(ownership_checker, driver_may_not_modify_a_readable_buffer_in_flight) {
    fixture f;  // STAT-17
    f.checker.on_write(actor::driver, f.out.address + 12, 1);
    f.one(actor::driver, true, "may not modify a buffer", "virtio 3.3");
}

TEST(ownership_checker, driver_may_not_touch_a_writable_buffer_in_flight) {
    fixture f;
    f.checker.on_write(actor::driver, f.in.address, 1);
    f.one(actor::driver, true, "may not modify a buffer", "virtio 3.3");
}

TEST(ownership_checker, driver_may_not_read_a_writable_buffer_in_flight) {
    fixture f;  // SPL-35
    f.checker.on_read(actor::driver, f.in.address, 8);
    f.one(actor::driver, false, "before it is used", "virtio 2.7.8.3");
}

TEST(ownership_checker, driver_may_not_modify_a_descriptor_in_flight) {
    fixture f;  // STAT-17
    f.checker.on_write(actor::driver, f.ring.layout.desc, 16);
    f.checker.on_read(actor::driver, f.ring.layout.desc + 32, 16);
    f.clean();
    f.checker.on_write(actor::driver, f.ring.layout.desc + 48 + 14, 2);
    f.one(actor::driver, true, "descriptor that the device has", "virtio 3.3");
}

TEST(ownership_checker, used_buffers_are_the_drivers_again) {
    fixture f;
    f.checker.made_used(0, 2);
    f.checker.on_read(actor::driver, f.in.address, f.in.size);
    f.checker.on_write(actor::driver, f.out.address, f.out.size);
    f.checker.on_write(actor::driver, f.ring.layout.desc + 48, 16);
    f.clean();
    f.checker.on_write(actor::device, f.in.address, 1);  // a late write
    f.one(actor::device, true, "made available", "virtio 2.7.5");
}

TEST(ownership_checker, returning_what_is_not_in_flight) {
    fixture f;  // BUG-14
    f.checker.made_used(0, 2);
    f.clean();
    f.checker.made_used(0, 2);
    f.one(actor::device, true, "does not have it", "virtio 2.7.8");
    ownership_checker silent(nullptr);
    silent.made_used(7, 9);
    EXPECT_EQ(silent.violations(), 1u);
}

TEST(ownership_checker, head_available_twice) {
    fixture f;  // BUG-13
    f.checker.made_available(0, 2, nullptr, 0, nullptr, 0);
    f.one(actor::driver, true, "made available twice", "virtio 2.7.13");
}

TEST(ownership_checker, buffer_available_twice) {
    fixture f;  // BUG-13
    const buffer overlap{f.in.address + 136, 10};
    f.checker.made_available(0, 4, nullptr, 0, &overlap, 1);
    f.one(actor::driver, true, "in use", "virtio 2.7.13");
    const buffer in_ring{f.ring.layout.used, 4};
    f.checker.made_available(0, 5, &in_ring, 1, nullptr, 0);
    EXPECT_EQ(f.seen.size(), 1u) << "a buffer in the ring";
}

TEST(ownership_checker, head_that_cannot_exist) {
    fixture f;
    f.checker.made_available(0, 8, nullptr, 0, nullptr, 0);
    f.one(actor::driver, true, "no such descriptor", "virtio 2.7.6");
    f.checker.made_available(3, 0, nullptr, 0, nullptr, 0);
    EXPECT_EQ(f.seen.size(), 1u);
}

TEST(ownership_checker, queues_that_share_memory) {
    fixture f;  // BUG-13
    f.checker.queue_enabled(
        1, ring_layout::linux_block(f.ring.layout.avail & ~std::uint64_t{0xfff}, 8, 4096));
    EXPECT_EQ(f.seen.size(), 3u);
    EXPECT_THAT(f.seen[0].rule, testing::HasSubstr("shares memory"));
}

TEST(ownership_checker, stopped_queue_gives_everything_back) {
    for (const bool whole_device : {false, true}) {
        fixture f;
        if (whole_device)
            f.checker.reset();
        else
            f.checker.queue_disabled(0);
        f.checker.on_write(actor::driver, f.ring.layout.used, 64);
        f.checker.on_write(actor::driver, f.ring.layout.desc + 32, 16);
        f.checker.on_write(actor::driver, f.in.address, f.in.size);
        f.clean();
        f.checker.on_read(actor::device, f.ring.layout.avail_idx(), 2);  // MMIO-07
        f.one(actor::device, false, "made available", "virtio 2.7.5");
        f.seen.clear();
        f.checker.queue_enabled(0, f.ring.layout);
        f.checker.made_available(0, 2, &f.out, 1, &f.in, 1);
        EXPECT_TRUE(f.seen.empty());
    }
}

TEST(ownership_checker, buffers_across_pages) {
    fixture f;
    const buffer big{f.ring.buffers + 0x1001, 3 * 4096};
    f.checker.made_available(0, 4, nullptr, 0, &big, 1);
    f.checker.on_write(actor::device, big.address, big.size);
    f.clean();
    f.checker.on_write(actor::device, big.address, big.size + 1);
    f.one(actor::device, true, "made available", "virtio 2.7.5");
    f.checker.made_used(0, 4);
    f.checker.on_write(actor::driver, big.address, big.size);
    EXPECT_TRUE(f.seen.empty());
}

TEST(ownership_checker, both_sides_of_a_real_queue_are_clean) {
    fixture f;
    f.checker.reset();
    f.checker.queue_enabled(0, f.ring.layout);
    guest_memory& view = f.ring.memory.view;
    view.set_observer(&f.checker);
    driver_queue driver(view, f.ring.layout, {true, true});
    device_queue device(view, f.ring.layout, {true, true});
    chain c;
    std::uint8_t bytes[256];
    for (int i = 0; i < 1000; ++i) {
        view.write(actor::driver, f.out.address, bytes, f.out.size);
        const std::uint64_t table = i % 2 == 0 ? f.ring.buffers + 0x800 : 0;
        std::uint16_t head = 0;
        ASSERT_EQ(driver.add(&f.out, 1, &f.in, 1, &f, &head, table), add_result::added);
        const buffer readable[] = {f.out, {table, 32}};
        f.checker.made_available(0, head, readable, table != 0 ? 2 : 1, &f.in, 1);
        driver.kick_prepare();
        device.set_kicks_wanted(i % 3 == 0);
        ASSERT_EQ(device.take(c), take_result::taken);
        device.read(c, bytes, sizeof bytes);
        device.write(c, bytes, sizeof bytes);
        device.put_used(c.head, 137);
        f.checker.made_used(0, c.head);
        device.should_interrupt();
        driver.disable_cb();
        ASSERT_EQ(driver.get_buf().token, &f);
        view.read(actor::driver, f.in.address, bytes, f.in.size);
        ASSERT_TRUE(driver.enable_cb());
    }
    f.clean();
    EXPECT_GT(f.checker.accesses(), 15000u);
}

}  // namespace
}  // namespace scmi_vp::virtio
