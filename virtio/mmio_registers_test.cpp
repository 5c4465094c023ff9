// SPDX-License-Identifier: Apache-2.0
// The register file against virtio 1.x 2.1, 2.2, 3.1 and 4.2.2: every register, the probe sequence
// of Linux 6.1 virtio_mmio.c, every wrong access.
#include "virtio/mmio_registers.h"

#include <random>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/raw_ring.h"

namespace scmi_vp::virtio {
namespace {

using u32 = std::uint32_t;
constexpr std::uint64_t all_offered =
    feature::scmi_p2a_channels | feature::indirect_desc | feature::event_idx | feature::version_1;

device_config scmi_config(std::uint64_t offered = all_offered) {
    device_config c;
    c.offered = offered;
    c.queue_size_max = {64, 256};
    return c;
}

/// A device with 1 MiB of memory at 0x80000000.
struct fixture {
    explicit fixture(const device_config& c = scmi_config()) : regs(c, &memory.view) {}

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

// --- configuration
// --------------------------------------------------------------------------------

TEST(mmio_config, what_cannot_be_offered_is_refused) {
    const auto message = [](const device_config& c) -> std::string {
        try {
            mmio_register_file regs(c);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            return e.what();
        }
        return "";
    };
    EXPECT_EQ(message(scmi_config()), "");
    EXPECT_EQ(message(scmi_config(feature::version_1)), "");
    EXPECT_THAT(message(scmi_config(feature::event_idx)),
                testing::HasSubstr("VERSION_1"));  // FEAT-19
    for (const int bit :
         {1, 2, 23, 24, 27, 30, 31, 33, 34, 37, 39, 40, 41, 42, 44, 63}) {  // FEAT-08
        EXPECT_THAT(message(scmi_config(all_offered | 1ull << bit)),
                    testing::HasSubstr("cannot honour"))
            << bit;
    }
    for (const int size : {0, 3, 32769, 65535}) {  // BUG-29
        device_config c = scmi_config();
        c.queue_size_max[1] = static_cast<std::uint16_t>(size);
        EXPECT_THAT(message(c), testing::AllOf(testing::HasSubstr("queue 1"),
                                               testing::HasSubstr(std::to_string(size))));
    }
    device_config c = scmi_config();
    c.queue_size_max = {64};
    EXPECT_THAT(message(c), testing::HasSubstr("P2A_CHANNELS"));
    c.offered = feature::version_1;
    EXPECT_EQ(message(c), "");
    c.queue_size_max.clear();
    EXPECT_THAT(message(c), testing::HasSubstr("0 queues"));
}

// --- the table
// ------------------------------------------------------------------------------------

TEST(mmio_table, is_complete_and_ascending) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < register_table_size; ++i) {
        const register_info& r = register_table[i];
        EXPECT_TRUE(names.insert(r.name).second) << r.name;
        EXPECT_FALSE(r.meaning.empty());
        EXPECT_EQ(find_register(r.offset), &r);
        EXPECT_EQ(r.offset % 4, 0u);
        if (i > 0) {
            EXPECT_GT(r.offset, register_table[i - 1].offset);
        }
    }
    EXPECT_EQ(names.size(), 29u);  // virtio 1.x table 4.1 without Config
    EXPECT_EQ(find_register(mmio::config), nullptr);
    EXPECT_EQ(find_register(0x018), nullptr);
    EXPECT_EQ(find_register(0x001), nullptr);
}

TEST(mmio_table, every_register_has_its_reset_value_and_direction) {
    fixture f(scmi_config());
    for (u32 offset = 0; offset < mmio::config; offset += 4) {
        SCOPED_TRACE(offset);
        const register_info* const r = find_register(offset);
        const bool readable = r != nullptr && r->direction != access::write_only;
        register_effect e;
        const u32 value = f.regs.read(offset, 4, e);
        EXPECT_EQ(e.guest_error == nullptr, readable);  // MMIO-11
        EXPECT_EQ(f.regs.peek(offset), value);
        if (offset == mmio::device_features) {
            EXPECT_EQ(value, static_cast<u32>(all_offered));
        } else if (offset == mmio::queue_size_max) {
            EXPECT_EQ(value, 64u);
        } else {
            EXPECT_EQ(value, readable ? r->reset : 0u);
        }
    }
}

TEST(mmio_table, read_only_registers_and_holes_ignore_writes) {
    fixture f;
    f.run();
    const device_state before = f.regs.state();
    for (u32 offset = 0; offset < mmio::config; offset += 4) {
        const register_info* const r = find_register(offset);
        if (r != nullptr && r->direction != access::read_only) continue;
        const u32 value = f.regs.peek(offset);
        EXPECT_NE(f.set(offset, 0xa5a5a5a5).guest_error, nullptr) << std::hex << offset;
        EXPECT_EQ(f.regs.peek(offset), value) << std::hex << offset;
    }
    EXPECT_EQ(f.regs.state(), before);
    EXPECT_EQ(f.get(mmio::magic_value), 0x74726976u);  // MMIO-01
    EXPECT_EQ(f.get(mmio::version), 2u);               // MMIO-02
}

TEST(mmio_table, MMIO_12_only_aligned_32_bit_accesses) {
    fixture f;
    for (const unsigned size : {1u, 2u, 8u}) {
        register_effect e;
        EXPECT_EQ(f.regs.read(mmio::magic_value, size, e), 0u);
        EXPECT_NE(e.guest_error, nullptr);
        EXPECT_NE(f.regs.write(mmio::status, size, 1).guest_error, nullptr);
    }
    register_effect e;
    EXPECT_EQ(f.regs.read(2, 4, e), 0u);
    EXPECT_NE(e.guest_error, nullptr);
    EXPECT_NE(f.regs.write(mmio::status + 2, 4, 1).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::status), 0u);
}

TEST(mmio_table, CFG_05_07_configuration_space_is_empty) {
    fixture f;
    for (const unsigned size : {1u, 2u, 4u}) {
        register_effect e;
        EXPECT_EQ(f.regs.read(mmio::config + 3, size, e), 0u);
        EXPECT_EQ(e.guest_error, nullptr);
        EXPECT_NE(f.regs.write(mmio::config, size, 1).guest_error, nullptr);
    }
    register_effect e;
    EXPECT_EQ(f.regs.read(mmio::window_size, 4, e), 0u);
    EXPECT_NE(e.guest_error, nullptr);
    EXPECT_NE(f.regs.write(0xfffffffc, 4, 1).guest_error, nullptr);
}

TEST(mmio_table, shared_memory_and_queue_reset_are_absent) {
    fixture f;
    for (const u32 id : {0u, 1u, 3u, 0x80u, 0x1ffu}) {  // SCMI-27, 2.10
        f.ok(mmio::shm_sel, id);
        for (u32 offset = mmio::shm_len_low; offset <= mmio::shm_base_high; offset += 4) {
            EXPECT_EQ(f.get(offset), 0xffffffffu);
        }
    }
    f.run();
    EXPECT_NE(f.set(mmio::queue_reset, 1).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::queue_reset), 0u);
    EXPECT_EQ(f.get(mmio::queue_ready), 1u);
    EXPECT_EQ(f.get(mmio::config_generation), 0u);
}

// --- features and status
// --------------------------------------------------------------------------

TEST(mmio_features, words_do_not_alias) {
    fixture f;  // FEAT-11, BUG-28, MMIO-33
    f.ok(mmio::device_features_sel, 1);
    EXPECT_EQ(f.get(mmio::device_features), 1u);
    for (const u32 sel : {2u, 3u, 4u, 0x80000000u, 0xffffffffu}) {
        f.ok(mmio::device_features_sel, sel);
        EXPECT_EQ(f.get(mmio::device_features), 0u) << sel;
        f.ok(mmio::driver_features_sel, sel);
        f.ok(mmio::driver_features, 0);
        EXPECT_FALSE(f.regs.state().illegal_feature_word);
    }
    f.ok(mmio::driver_features_sel, 2);
    EXPECT_NE(f.set(mmio::driver_features, 1).guest_error, nullptr);
    EXPECT_EQ(f.regs.state().accepted, 0u);
    f.accept(all_offered);
    f.set(mmio::status, 0xb);
    EXPECT_EQ(f.get(mmio::status), 3u) << "FEATURES_OK refused";
}

TEST(mmio_features, FEAT_07_every_offered_subset_with_version_1_is_accepted) {
    const std::uint64_t bits[] = {feature::scmi_p2a_channels, feature::indirect_desc,
                                  feature::event_idx, feature::version_1};
    fixture f;  // FEAT-09: again and again on one device
    for (unsigned set = 0; set < 16; ++set) {
        std::uint64_t accepted = 0;
        for (unsigned i = 0; i < 4; ++i) accepted |= (set >> i & 1u) != 0 ? bits[i] : 0;
        EXPECT_TRUE(f.set(mmio::status, 0).reset);
        f.ok(mmio::status, 3);
        f.accept(~accepted);
        f.accept(accepted);  // MMIO-19: overwrites
        const bool legal = (accepted & feature::version_1) != 0;
        EXPECT_EQ(f.set(mmio::status, 0xb).guest_error == nullptr, legal);
        EXPECT_EQ(f.get(mmio::status), legal ? 0xbu : 3u);
        EXPECT_EQ(f.regs.features().event_idx, (accepted & feature::event_idx) != 0);
        EXPECT_EQ(f.regs.features().indirect, (accepted & feature::indirect_desc) != 0);
    }
}

TEST(mmio_features, FEAT_01_what_is_not_offered_is_refused) {
    for (int bit = 0; bit < 64; ++bit) {
        if ((all_offered >> bit & 1) != 0) continue;
        fixture f;
        f.ok(mmio::status, 3);
        f.accept(all_offered | 1ull << bit);
        EXPECT_NE(f.set(mmio::status, 0xb).guest_error, nullptr);
        EXPECT_EQ(f.get(mmio::status), 3u) << bit;
    }
}

TEST(mmio_features, STAT_12_nothing_changes_after_features_ok) {
    fixture f;
    f.negotiate(feature::version_1);
    EXPECT_NE(f.set(mmio::driver_features, 0xffffffff).guest_error, nullptr);
    EXPECT_EQ(f.regs.state().accepted, feature::version_1);
}

TEST(mmio_status, STAT_02_bits_are_not_cleared) {
    fixture f;
    f.run();
    EXPECT_NE(f.set(mmio::status, 3).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::status), 0xfu);
}

TEST(mmio_status, bits_that_are_not_the_drivers_are_masked) {
    fixture f;
    for (const u32 bits : {0x10u, 0x20u, 0x40u, 0x100u, 0x80000000u}) {
        EXPECT_NE(f.set(mmio::status, 1 | bits).guest_error, nullptr);
        EXPECT_EQ(f.get(mmio::status), 1u) << bits;
    }
}

TEST(mmio_status, STAT_10_driver_ok_needs_features_ok) {
    fixture f;
    f.ok(mmio::status, 3);
    const register_effect e = f.set(mmio::status, 7);
    EXPECT_NE(e.guest_error, nullptr);
    EXPECT_FALSE(e.driver_ok);
    EXPECT_EQ(f.get(mmio::status), 3u);
}

TEST(mmio_status, STAT_03_failed_lasts_until_reset) {
    fixture f;
    f.run();
    f.ok(mmio::status, 0x8f);
    EXPECT_NE(f.set(mmio::queue_notify, 0).guest_error, nullptr);
    EXPECT_FALSE(f.set(mmio::queue_notify, 0).kick);
    f.set(mmio::status, 0);
    f.ok(mmio::status, 0x80);
    EXPECT_NE(f.set(mmio::status, 0x81).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::status), 0x80u);
}

TEST(mmio_status, STAT_09_needs_reset_interrupts_with_driver_ok_only) {
    fixture f;
    f.negotiate();
    f.regs.enter_needs_reset();
    EXPECT_EQ(f.get(mmio::status), 0x4bu);  // BUG-38: the other bits survive
    EXPECT_EQ(f.get(mmio::interrupt_status), 0u);
    f.set(mmio::status, 0);
    f.run();
    f.regs.raise_used_buffer();
    f.regs.enter_needs_reset();
    EXPECT_EQ(f.get(mmio::status), 0x4fu);
    EXPECT_EQ(f.get(mmio::interrupt_status), 3u);
    f.ok(mmio::interrupt_ack, 3);
    f.regs.enter_needs_reset();
    EXPECT_EQ(f.get(mmio::interrupt_status), 0u) << "once";
    EXPECT_NE(f.set(mmio::queue_notify, 0).guest_error, nullptr);
    f.ok(mmio::status, 0xcf);  // Linux: read, modify, write with FAILED
    EXPECT_EQ(f.get(mmio::status), 0xcfu);
}

TEST(mmio_status, driver_ok_is_announced_once_and_not_when_dead) {
    fixture f;
    f.negotiate();
    EXPECT_TRUE(f.set(mmio::status, 0xf).driver_ok);
    EXPECT_FALSE(f.set(mmio::status, 0xf).driver_ok);
    f.set(mmio::status, 0);
    f.negotiate();
    f.regs.enter_needs_reset();
    EXPECT_FALSE(f.set(mmio::status, 0x4f).driver_ok);
}

TEST(mmio_status, RST_04_reset_is_complete_within_the_write) {
    fixture f;
    f.run();
    f.regs.raise_used_buffer();
    f.ok(mmio::shm_sel, 3);
    f.ok(mmio::device_features_sel, 1);
    const register_effect e = f.set(mmio::status, 0);
    EXPECT_TRUE(e.reset);
    EXPECT_EQ(e.guest_error, nullptr);
    const fixture fresh;
    EXPECT_EQ(f.regs.state(), fresh.regs.state());
    for (u32 offset = 0; offset < mmio::config; offset += 4) {
        EXPECT_EQ(f.regs.peek(offset), fresh.regs.peek(offset)) << std::hex << offset;  // MMIO-05
    }
}

// --- interrupts and kicks
// -------------------------------------------------------------------------

TEST(mmio_interrupt, MMIO_03_each_bit_until_acknowledged) {
    fixture f;
    f.run();
    f.regs.raise_used_buffer();
    f.regs.enter_needs_reset();
    EXPECT_EQ(f.get(mmio::interrupt_status), 3u);
    f.ok(mmio::interrupt_ack, 1);
    EXPECT_EQ(f.get(mmio::interrupt_status), 2u);
    EXPECT_NE(f.set(mmio::interrupt_ack, 0xfffffffe).guest_error, nullptr);
    EXPECT_EQ(f.get(mmio::interrupt_status), 0u);
}

TEST(mmio_notify, kick_names_the_queue) {
    fixture f;
    f.run();
    const register_effect e = f.set(mmio::queue_notify, 0);
    EXPECT_TRUE(e.kick);
    EXPECT_EQ(e.queue, 0);
    EXPECT_EQ(e.guest_error, nullptr);
}

TEST(mmio_notify, NTF_02_08_STAT_16_kicks_that_are_ignored) {
    fixture f;
    f.negotiate();
    f.place_queue(0, 64);
    f.ok(mmio::queue_ready, 1);
    register_effect e = f.set(mmio::queue_notify, 0);
    EXPECT_FALSE(e.kick);
    EXPECT_NE(e.guest_error, nullptr) << "before DRIVER_OK";
    f.ok(mmio::status, 0xf);
    for (const u32 value : {1u /* not ready */, 2u, 0x10000u, 0xffffffffu}) {
        e = f.set(mmio::queue_notify, value);
        EXPECT_FALSE(e.kick) << value;
        EXPECT_NE(e.guest_error, nullptr) << value;
    }
}

// --- queues
// ---------------------------------------------------------------------------------------

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

// --- sequences
// ------------------------------------------------------------------------------------

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
