// SPDX-License-Identifier: Apache-2.0
// Which messages a fault hits, and what each kind makes of one. The rules are those of
// models/platform/fault_config.h, which docs/scenario.md states.
#include "models/platform/fault_injector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scmi_vp::models {
namespace {

using scmi::message_type;
using testing::ElementsAre;

scmi::message_bytes reading(std::uint16_t token = 5) {
    scmi::message_bytes m;
    scmi::put_u32(m, scmi::header{6, message_type::command, scmi::protocol::sensor, token}.pack());
    scmi::put_u32(m, 0);
    scmi::put_u32(m, 0x11223344);
    return m;
}

fault_config fault(fault_kind kind) {
    fault_config f;
    f.name = "platform.fault.0";
    f.kind = kind;
    return f;
}

/// Which of `n` messages, one each millisecond, the fault drops.
std::vector<int> dropped(const fault_config& f, int n) {
    fault_injector injector({f}, 1);
    std::vector<int> hit;
    for (int i = 1; i <= n; ++i) {
        scmi::message_bytes m = reading();
        if (injector.apply(fault_target::response, 2, milliseconds(i), m).dropped) hit.push_back(i);
    }
    return hit;
}

TEST(fault_injector, hits_the_nth_and_then_each_so_manyth) {
    fault_config f = fault(fault_kind::drop);
    EXPECT_EQ(dropped(f, 3), (std::vector<int>{1, 2, 3}));
    f.nth = 2;
    f.every = 3;
    EXPECT_EQ(dropped(f, 10), (std::vector<int>{2, 5, 8}));
    f.count = 2;
    EXPECT_EQ(dropped(f, 10), (std::vector<int>{2, 5}));
    f.from = milliseconds(4);  // messages before are not counted
    f.to = milliseconds(7);
    EXPECT_EQ(dropped(f, 10), (std::vector<int>{5}));
}

TEST(fault_injector, hits_what_it_matches) {
    fault_config f = fault(fault_kind::drop);
    f.match.resource = 3;
    EXPECT_EQ(dropped(f, 3).size(), 0u);
    f.match = {scmi::protocol::sensor, 6, 2};
    EXPECT_EQ(dropped(f, 3).size(), 3u);
    f.match.message_id = 7;
    EXPECT_EQ(dropped(f, 3).size(), 0u);
    f = fault(fault_kind::drop);
    f.target = fault_target::delayed_response;
    EXPECT_EQ(dropped(f, 3).size(), 0u);
}

TEST(fault_injector, a_share_is_drawn_from_a_stream_of_its_own) {
    fault_config f = fault(fault_kind::drop);
    f.probability = 0.25;
    const std::vector<int> hit = dropped(f, 4000);
    EXPECT_NEAR(double(hit.size()), 1000, 4 * 27.4);  // four standard deviations
    f.name = "platform.fault.1";
    EXPECT_NE(dropped(f, 4000), hit);
}

TEST(fault_injector, changes_the_message_and_nothing_else) {
    const scmi::message_bytes before = reading();
    const auto after = [&](const fault_config& f) {
        fault_injector injector({f}, 1);
        scmi::message_bytes m = before;
        EXPECT_FALSE(injector.apply(fault_target::response, 2, sim_time{}, m).dropped);
        EXPECT_EQ(injector.rows()[0].hits, 1u);
        return std::vector<int>(m.begin(), m.end());
    };
    fault_config f = fault(fault_kind::truncate);
    f.length = 4;
    EXPECT_EQ(after(f).size(), 4u);
    f.length = 100;
    EXPECT_EQ(after(f).size(), 12u);

    f = fault(fault_kind::corrupt);
    f.offset = 10;
    f.bytes = {0xff, 0x01, 0x55};  // the third lies beyond the end
    f.exclusive_or = true;
    EXPECT_THAT(after(f), ElementsAre(0x06, 0x54, 0x14, 0, 0, 0, 0, 0, 0x44, 0x33, 0xdd, 0x10));
    f.exclusive_or = false;
    EXPECT_THAT(after(f), ElementsAre(0x06, 0x54, 0x14, 0, 0, 0, 0, 0, 0x44, 0x33, 0xff, 0x01));

    f = fault(fault_kind::rewrite);
    f.edit.token = 1023;
    f.edit.token_add = 3;  // wraps (DEN0056 4.1.3: ten bits)
    f.edit.type = message_type::notification;
    f.edit.protocol_id = 0x13;
    f.edit.message_id = 1;
    f.edit.status = -6;
    const scmi::header h{1, message_type::notification, 0x13, 2};
    const std::uint32_t w = h.pack();
    EXPECT_THAT(after(f), ElementsAre(w & 0xff, (w >> 8) & 0xff, (w >> 16) & 0xff, w >> 24, 0xfa,
                                      0xff, 0xff, 0xff, 0x44, 0x33, 0x22, 0x11));
}

TEST(fault_injector, rows_take_effect_in_their_order) {
    fault_config late = fault(fault_kind::delay);
    late.delay = make_constant(microseconds(3));
    fault_config twice = fault(fault_kind::duplicate);
    twice.delay = make_constant(microseconds(7));
    twice.edit.type = message_type::delayed_response;
    fault_config cut = fault(fault_kind::truncate);
    cut.length = 8;
    fault_config length = fault(fault_kind::length);
    length.length = 200;
    fault_config held = fault(fault_kind::reorder);
    held.replies = 2;
    fault_injector injector({late, twice, cut, length, held, late}, 1);
    scmi::message_bytes m = reading();
    const fault_effect e = injector.apply(fault_target::response, 2, sim_time{}, m);
    EXPECT_EQ(e.delay, microseconds(6));
    EXPECT_EQ(m.size(), 8u);
    EXPECT_EQ(e.used_length, 200u);
    EXPECT_EQ(e.replies_first, 2u);
    EXPECT_EQ(e.held_at_most, sim_time::max());
    EXPECT_FALSE(e.unusable);
    // The copy was made before the end was cut off.
    ASSERT_EQ(e.copies.size(), 1u);
    EXPECT_EQ(e.copies[0].bytes.size(), 12u);
    EXPECT_EQ(e.copies[0].after, microseconds(7));
    EXPECT_EQ(scmi::header::unpack(scmi::get_u32(e.copies[0].bytes.data(), 12, 0)).type,
              message_type::delayed_response);
}

TEST(fault_injector, nothing_happens_to_a_message_that_is_gone) {
    fault_config gone = fault(fault_kind::drop);
    gone.target = fault_target::reply;
    fault_injector injector({gone, fault(fault_kind::duplicate)}, 1);
    scmi::message_bytes m = reading();
    const fault_effect e = injector.apply(fault_target::response, 2, sim_time{}, m);
    EXPECT_TRUE(e.dropped && e.delayed_dropped && e.unusable);
    EXPECT_EQ(e.copies.size(), 0u);
    EXPECT_EQ(injector.rows()[1].matched, 0u);
    scmi::message_bytes nothing;
    EXPECT_FALSE(injector.apply(fault_target::response, 2, sim_time{}, nothing).dropped);
}

}  // namespace
}  // namespace scmi_vp::models
