// SPDX-License-Identifier: Apache-2.0
// Clock 1.0 and 2.0: attributes, rates, setting them now and later, enables of several agents.
#include <limits>

#include <gtest/gtest.h>

#include "base/error.h"
#include "scmi/server_test_tools.h"

namespace scmi_vp::scmi {
namespace {

using test::ask;
using test::asking;
using test::payload_of;
using test::status_for;
using test::status_of;
using test::word_of;
using test::words;

constexpr std::uint8_t clk = protocol::clock;
constexpr std::uint32_t async_flag = 1, silent_flag = 2, up_flag = 4, nearest_flag = 8;
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

platform_description three_clocks() {
    platform_description d;
    d.protocols = {clk};
    d.agents = {{"one"}, {"two"}};
    d.clock_max_async = 2;
    d.clocks = {{"list", 200, true, {{100, 200, 400, 5'000'000'000}, false}},
                {"triplet", 1000, false, {{1000, 2050, 100}, true}},
                {"fixed", 77, true, {}}};
    return d;
}

std::uint64_t rate_of(platform_server& server, std::uint32_t id) {
    const message_bytes m = ask(server, clk, 0x06, {id}).response;
    EXPECT_EQ(m.size(), 16u);
    return word_of(m, 0) | std::uint64_t(word_of(m, 1)) << 32;
}

command_result set_rate(platform_server& server, std::uint32_t id, std::uint64_t rate,
                        std::uint32_t flags = 0, const asking& how = {}) {
    return ask(server, clk, 0x05, {flags, id, std::uint32_t(rate), std::uint32_t(rate >> 32)}, how);
}

bool is_on(platform_server& server, std::uint32_t id) {
    return word_of(ask(server, clk, 0x03, {id}).response, 0) & 1;
}

// DEN0056 4.6.2.3: 23:16 pending asynchronous rate sets, 15:0 clocks; virtio 5.17.6.1: none are
// advertised without P2A channels.
TEST(clock_protocol, attributes_advertise_async_only_with_p2a) {
    platform_server server(three_clocks());
    EXPECT_EQ(payload_of(ask(server, clk, 0x01).response), "03000200");
    EXPECT_EQ(payload_of(ask(server, clk, 0x01, {}, {1, 136, false}).response), "03000000");
    EXPECT_EQ(payload_of(ask(server, clk, 0x00).response), "00000100");
}

// NOT_FOUND for an id that names no clock, in every command that takes one.
TEST(clock_protocol, unknown_clocks_are_not_found) {
    platform_description d = three_clocks();
    d.clock_version = 0x20000;
    platform_server server(d);
    for (const std::uint32_t id : {3u, 0x80000000u, 0xffffffffu}) {
        for (const auto& [message, payload] : {std::pair<int, words>{0x03, {id}},
                                               {0x04, {id, 0}},
                                               {0x05, {0, id, 100, 0}},
                                               {0x06, {id}},
                                               {0x07, {id, 1}},
                                               {0x08, {id}}}) {
            const command_result r = ask(server, clk, std::uint8_t(message), payload);
            EXPECT_EQ(status_of(r.response), status::not_found) << message;
            EXPECT_EQ(r.response.size(), 8u);
            EXPECT_EQ(r.resource, -1);
        }
    }
}

TEST(clock_protocol, results_name_the_clock) {
    platform_server server(three_clocks());
    EXPECT_EQ(ask(server, clk, 0x06, {2}).resource, 2);
    EXPECT_EQ(set_rate(server, 1, 1000).resource, 1);
    EXPECT_EQ(ask(server, clk, 0x01).resource, -1);
}

// Clock 1.0 has 20 bytes of attributes and bit 0 only; 2.0 adds the enable delay, bit 29 and
// CLOCK_NAME_GET.
TEST(clock_protocol, attributes_by_version) {
    platform_description d = three_clocks();
    platform_server v1(d);
    EXPECT_EQ(payload_of(ask(v1, clk, 0x03, {1}).response),
              "00000000747269706c6574000000000000000000");
    d.clock_version = 0x20000;
    d.clocks[0].name = "a-clock-name-of-31-bytes-in-all";
    d.clocks[0].enable_delay_us = 0x1234;
    platform_server v2(d);
    EXPECT_EQ(payload_of(ask(v2, clk, 0x00).response), "00000200");
    EXPECT_EQ(payload_of(ask(v2, clk, 0x03, {0}).response),
              "01000020"
              "612d636c6f636b2d6e616d652d6f6600"  // "a-clock-name-of"
              "34120000");
    EXPECT_EQ(payload_of(ask(v2, clk, 0x03, {1}).response),
              "00000000747269706c657400000000000000000000000000");
}

// A clock without extended name answers NAME_GET with its short one.
TEST(clock_protocol, name_get_returns_64_bytes) {
    platform_description d = three_clocks();
    d.clock_version = 0x20000;
    d.clocks[0].name = std::string(63, 'n');
    platform_server server(d);
    const message_bytes full = ask(server, clk, 0x08, {0}).response;
    ASSERT_EQ(full.size(), 8u + 68);
    EXPECT_EQ(word_of(full, 0), 0u);
    EXPECT_EQ(std::string(full.begin() + 12, full.end()), std::string(63, 'n') + '\0');
    const message_bytes brief = ask(server, clk, 0x08, {2}).response;
    EXPECT_EQ(std::string(brief.begin() + 12, brief.end()), "fixed" + std::string(59, '\0'));
    EXPECT_EQ(status_of(ask(server, clk, 0x08, {2}, {1, 75}).response), status::protocol_error);
}

// DEN0056 4.6.2.6: 31:16 remaining, 12 format, 11:0 returned; as many as fit, never 0 while some
// remain.
TEST(clock_protocol, describes_rates_in_parts) {
    platform_description d = three_clocks();
    d.clocks[0].rates.list.clear();
    for (std::uint64_t i = 1; i <= 40; ++i) d.clocks[0].rates.list.push_back(i << 30);
    platform_server server(d);
    for (std::size_t room = 20; room <= 340; room += 7) {
        std::vector<std::uint64_t> seen;
        std::uint32_t remaining = 0;
        do {
            const message_bytes m =
                ask(server, clk, 0x04, {0, std::uint32_t(seen.size())}, {1, room}).response;
            ASSERT_EQ(status_of(m), status::success);
            const std::uint32_t flags = word_of(m, 0), n = flags & 0xfff;
            EXPECT_EQ(flags & 0xf000, 0u);
            EXPECT_EQ(n, std::min<std::size_t>((room - 12) / 8, 40 - seen.size()));
            EXPECT_EQ(m.size(), 12 + 8 * n);
            for (std::uint32_t i = 0; i < n; ++i) {
                seen.push_back(word_of(m, 1 + 2 * i) | std::uint64_t(word_of(m, 2 + 2 * i)) << 32);
            }
            remaining = flags >> 16;
            ASSERT_EQ(remaining, 40 - seen.size());
        } while (remaining != 0);
        EXPECT_EQ(seen, d.clocks[0].rates.list);
    }
    for (std::size_t room = 8; room < 20; ++room) {
        EXPECT_EQ(status_for(server, clk, 0x04, {0, 0}, {1, room}), status::protocol_error);
    }
}

// An index at or beyond the count is OUT_OF_RANGE (SCP-firmware, imx-sm, Arm's suite); an empty
// list from 0 is not; a triplet has no index.
TEST(clock_protocol, rate_index_is_checked) {
    platform_server server(three_clocks());
    EXPECT_EQ(status_for(server, clk, 0x04, {0, 3}), status::success);
    EXPECT_EQ(status_for(server, clk, 0x04, {0, 4}), status::out_of_range);
    EXPECT_EQ(status_for(server, clk, 0x04, {0, 0xffffffff}), status::out_of_range);
    EXPECT_EQ(payload_of(ask(server, clk, 0x04, {2, 0}).response), "00000000");
    EXPECT_EQ(status_for(server, clk, 0x04, {2, 1}), status::out_of_range);
    EXPECT_EQ(word_of(ask(server, clk, 0x04, {1, 9}).response, 0), 0x1003u);
}

// The 12-bit count of a reply bounds it even where the transport does not.
TEST(clock_protocol, a_reply_returns_at_most_4095_rates) {
    platform_description d = three_clocks();
    d.clocks[0].rates.list.clear();
    for (std::uint64_t i = 0; i < 0xffff; ++i) d.clocks[0].rates.list.push_back(i);
    platform_server server(d);
    const message_bytes m = ask(server, clk, 0x04, {0, 0}, {1, 1 << 20}).response;
    EXPECT_EQ(word_of(m, 0), (0xffffu - 0xfff) << 16 | 0xfff);
    EXPECT_EQ(m.size(), 12 + 8 * 0xfffu);
}

// DEN0056 4.6.2.7 flags 3:2, and what Arm's suite wants of a rate outside the range.
TEST(clock_protocol, rates_are_rounded_as_asked) {
    const struct {
        std::uint32_t id;
        std::uint64_t wanted;
        std::uint32_t flags;
        std::uint64_t set;  // 0: INVALID_PARAMETERS
    } rows[] = {
        {0, 200, 0, 200},
        {0, 399, 0, 200},
        {0, 201, up_flag, 400},
        {0, 299, nearest_flag, 200},
        {0, 300, nearest_flag, 200},
        {0, 301, nearest_flag, 400},
        {0, 301, nearest_flag | up_flag, 400},
        {0, 250, nearest_flag | up_flag, 200},  // bit 2 is ignored then
        {0, 5'000'000'000, 0, 5'000'000'000},
        {0, 4'999'999'999, up_flag, 5'000'000'000},
        {0, 99, up_flag, 0},
        {0, 5'000'000'001, 0, 0},
        {0, no_limit, nearest_flag, 0},
        {1, 1000, 0, 1000},
        {1, 1199, 0, 1100},
        {1, 1101, up_flag, 1200},
        {1, 1149, nearest_flag, 1100},
        {1, 1151, nearest_flag, 1200},
        {1, 2049, 0, 2000},
        {1, 2001, up_flag, 2050},  // the highest rate is not a whole number of steps away
        {1, 2050, 0, 2050},
        {1, 999, up_flag, 0},
        {1, 2051, 0, 0},
        {2, 77, 0, 77},
        {2, 78, 0, 0},
        {2, 76, up_flag, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(testing::Message() << row.id << " " << row.wanted << " " << row.flags);
        platform_server server(three_clocks());
        const std::uint64_t before = rate_of(server, row.id);
        const command_result r = set_rate(server, row.id, row.wanted, row.flags);
        EXPECT_EQ(r.response.size(), 8u);
        EXPECT_EQ(status_of(r.response), row.set ? status::success : status::invalid_parameters);
        EXPECT_FALSE(r.delayed);
        EXPECT_EQ(rate_of(server, row.id), row.set ? row.set : before);
    }
}

TEST(clock_protocol, a_triplet_up_to_the_largest_number_does_not_overflow) {
    platform_description d = three_clocks();
    d.clocks[1].rates = {{1, no_limit, no_limit / 2 + 10}, true};
    platform_server server(d);
    set_rate(server, 1, no_limit - 1, up_flag);
    EXPECT_EQ(rate_of(server, 1), no_limit);
    set_rate(server, 1, no_limit - 1);
    EXPECT_EQ(rate_of(server, 1), no_limit / 2 + 11);
    d.clocks[1].rates = {{5, 5, 0}, true};
    platform_server single(d);
    EXPECT_EQ(status_of(set_rate(single, 1, 5, nearest_flag).response), status::success);
}

TEST(clock_protocol, reserved_flags_are_invalid) {
    platform_server server(three_clocks());
    for (int bit = 4; bit < 32; ++bit) {
        EXPECT_EQ(status_of(set_rate(server, 0, 100, 1u << bit).response),
                  status::invalid_parameters);
    }
    EXPECT_EQ(rate_of(server, 0), 200u);
}

// DEN0056 4.6.2.7, 4.6.3.1: the delayed response names the clock and the rate that was chosen.
TEST(clock_protocol, asynchronous_set_is_completed_by_a_delayed_response) {
    platform_server server(three_clocks());
    const command_result r = set_rate(server, 0, 4'999'999'999, async_flag | up_flag);
    EXPECT_EQ(status_of(r.response), status::success);
    EXPECT_EQ(r.response.size(), 8u);
    ASSERT_TRUE(r.delayed);
    EXPECT_EQ(payload_of(*r.delayed), "0000000000f2052a01000000");
    const header h = header::unpack(get_u32(r.delayed->data(), 4, 0));
    EXPECT_EQ(h.type, message_type::delayed_response);
    EXPECT_EQ(h.message_id, 0x05);
    EXPECT_EQ(h.token, 5);
    EXPECT_EQ(rate_of(server, 0), 5'000'000'000u);
}

// More than the advertised number pending: BUSY, and nothing is set.
TEST(clock_protocol, asynchronous_sets_are_limited) {
    platform_server server(three_clocks());
    EXPECT_TRUE(set_rate(server, 0, 100, async_flag).delayed);
    EXPECT_TRUE(set_rate(server, 0, 200, async_flag).delayed);
    const command_result third = set_rate(server, 0, 400, async_flag);
    EXPECT_EQ(status_of(third.response), status::busy);
    EXPECT_FALSE(third.delayed);
    EXPECT_EQ(rate_of(server, 0), 200u);
    EXPECT_EQ(status_of(set_rate(server, 0, 400).response),
              status::success);  // synchronous ones go
    server.delayed_done(1, clk);
    EXPECT_TRUE(set_rate(server, 0, 100, async_flag).delayed);
    server.delayed_done(1, clk);
    server.delayed_done(1, clk);
    EXPECT_THROW(server.delayed_done(1, clk), error);
    EXPECT_THROW(server.delayed_done(1, protocol::base), error);
}

// Bit 1: no delayed response; such a set takes no place. Without bit 0 it is ignored.
TEST(clock_protocol, asynchronous_set_without_delayed_response) {
    platform_server server(three_clocks());
    for (int i = 0; i < 10; ++i) {
        const command_result r = set_rate(server, 0, 400, async_flag | silent_flag);
        EXPECT_EQ(status_of(r.response), status::success);
        EXPECT_FALSE(r.delayed);
    }
    EXPECT_EQ(rate_of(server, 0), 400u);
    EXPECT_EQ(status_of(set_rate(server, 0, 100, silent_flag).response), status::success);
    EXPECT_THROW(server.delayed_done(1, clk), error);
}

// SCP-firmware: NOT_SUPPORTED where attributes say 0; virtio 5.17.6.1: and without P2A channels.
TEST(clock_protocol, asynchronous_set_may_be_unsupported) {
    platform_description d = three_clocks();
    platform_server server(d);
    for (const std::uint32_t flags : {async_flag, async_flag | silent_flag}) {
        EXPECT_EQ(status_of(set_rate(server, 0, 100, flags, {1, 136, false}).response),
                  status::not_supported);
    }
    d.clock_max_async = 0;
    platform_server none(d);
    EXPECT_EQ(status_of(set_rate(none, 0, 100, async_flag).response), status::not_supported);
    EXPECT_EQ(rate_of(none, 0), 200u);
}

// DEN0056 4.6.2.9: bits 31:1 are reserved in versions 1.0 and 2.0 (Arm's suite sends 0xf).
TEST(clock_protocol, config_set_switches) {
    platform_description d = three_clocks();
    d.agents.resize(1);
    platform_server server(d);
    EXPECT_FALSE(is_on(server, 1));
    EXPECT_EQ(ask(server, clk, 0x07, {1, 1}).response.size(), 8u);
    EXPECT_TRUE(is_on(server, 1));
    ask(server, clk, 0x07, {1, 1});  // idempotent
    ask(server, clk, 0x07, {1, 0});
    EXPECT_FALSE(is_on(server, 1));
    for (const std::uint32_t bad : {2u, 0xfu, 0x80000001u}) {
        EXPECT_EQ(status_for(server, clk, 0x07, {1, bad}), status::invalid_parameters);
    }
    EXPECT_FALSE(is_on(server, 1));
}

// "If a clock is disabled, the new rate takes effect when it is enabled", and RATE_GET returns it.
TEST(clock_protocol, a_clock_that_is_off_takes_a_rate) {
    platform_server server(three_clocks());
    ASSERT_FALSE(is_on(server, 1));
    EXPECT_EQ(status_of(set_rate(server, 1, 1500).response), status::success);
    EXPECT_EQ(rate_of(server, 1), 1500u);
}

// Enables are aggregated: a clock is on while any agent wants it.
TEST(clock_protocol, enables_of_agents_are_aggregated) {
    platform_server server(three_clocks());
    const asking one{1}, two{2};
    ask(server, clk, 0x07, {1, 1}, one);
    ask(server, clk, 0x07, {1, 1}, two);
    ask(server, clk, 0x07, {1, 0}, one);
    EXPECT_TRUE(is_on(server, 1));
    ask(server, clk, 0x07, {1, 0}, two);
    EXPECT_FALSE(is_on(server, 1));
    ask(server, clk, 0x07, {0, 0}, one);  // on at start for both
    EXPECT_TRUE(is_on(server, 0));
}

// A reset gives back what this agent did and leaves the other's alone.
TEST(clock_protocol, reset_agent_undoes_only_its_own) {
    platform_server server(three_clocks());
    ask(server, clk, 0x07, {1, 1}, {1});
    ask(server, clk, 0x07, {0, 0}, {1});
    ask(server, clk, 0x07, {0, 0}, {2});
    set_rate(server, 0, 400, 0, {1});
    set_rate(server, 1, 1500, 0, {1});
    set_rate(server, 1, 1600, 0, {2});
    ASSERT_TRUE(set_rate(server, 0, 100, async_flag, {1}).delayed);
    test::reset(server, 1);
    EXPECT_FALSE(is_on(server, 1));
    EXPECT_TRUE(is_on(server, 0));
    EXPECT_EQ(rate_of(server, 0), 200u);
    EXPECT_EQ(rate_of(server, 1), 1600u);
    server.delayed_done(1, clk);  // dropped by the reset
    test::reset(server, 2);
    EXPECT_EQ(rate_of(server, 1), 1000u);
    EXPECT_TRUE(is_on(server, 0));
    // As at construction: another reset changes nothing.
    test::reset(server, 1);
    EXPECT_TRUE(is_on(server, 0));
    EXPECT_FALSE(is_on(server, 1));
}

}  // namespace
}  // namespace scmi_vp::scmi
