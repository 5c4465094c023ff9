// SPDX-License-Identifier: Apache-2.0
// The register file against virtio 1.x 2.1, 2.2 and 4.2.2: every register, features, status,
// interrupts and kicks, and every wrong access.
#include "virtio/mmio_registers.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/mmio_fixture.h"

namespace scmi_vp::virtio {
namespace {

using fixture = mmio_fixture;

// --- configuration ---

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

// --- the table ---

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

// --- features and status ---

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

// --- interrupts and kicks ---

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

}  // namespace
}  // namespace scmi_vp::virtio
