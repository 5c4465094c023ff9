// SPDX-License-Identifier: Apache-2.0
// Performance 1.0 to 3.0: attributes, levels in parts, levels and limits of several agents.
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

constexpr std::uint8_t perf = protocol::perf;

/// Free, with a fixed level, with fixed limits.
platform_description three_domains(std::uint32_t version = 0x20000, std::size_t agents = 1) {
    platform_description d;
    d.protocols = {perf};
    d.performance_version = version;
    d.agents.resize(agents);
    performance_domain_description cpu;
    cpu.name = "cpu";
    cpu.levels = {{100, 10, 50}, {200, 30, 60}, {400, 0x12345678, 0xffff}, {800, 0, 0}};
    cpu.level = 200;
    cpu.rate_limit_us = 0x12345;
    cpu.sustained_freq_khz = 1'000'000;
    cpu.sustained_level = 400;
    d.performance_domains.assign(3, cpu);
    d.performance_domains[1].name = "dsp";
    d.performance_domains[1].set_level = false;
    d.performance_domains[2].name = "ddr";
    d.performance_domains[2].set_limits = false;
    return d;
}

status set_level(platform_server& server, std::uint32_t id, std::uint32_t level,
                 const asking& how = {}) {
    return status_for(server, perf, 0x07, {id, level}, how);
}

std::uint32_t level_of(platform_server& server, std::uint32_t id = 0) {
    const message_bytes m = ask(server, perf, 0x08, {id}).response;
    EXPECT_EQ(m.size(), 12u);
    return word_of(m, 0);
}

status set_limits(platform_server& server, std::uint32_t id, std::uint32_t max, std::uint32_t min,
                  const asking& how = {}) {
    return status_for(server, perf, 0x05, {id, max, min}, how);
}

std::pair<std::uint32_t, std::uint32_t> limits_of(platform_server& server, std::uint32_t id = 0) {
    const message_bytes m = ask(server, perf, 0x06, {id}).response;
    EXPECT_EQ(m.size(), 16u);
    return {word_of(m, 0), word_of(m, 1)};
}

using range = std::pair<std::uint32_t, std::uint32_t>;

// DEN0056 4.5.2.3: 15:0 domains, 17:16 unit of power (bit 17 since 3.0); no statistics.
TEST(performance_protocol, attributes_tell_the_unit_of_power) {
    const struct {
        std::uint32_t version;
        power_unit unit;
        const char* words;
    } rows[] = {
        {0x10000, power_unit::abstract, "03000000000000000000000000000000"},
        {0x20000, power_unit::milliwatt, "03000100000000000000000000000000"},
        {0x30000, power_unit::milliwatt, "03000100000000000000000000000000"},
        {0x30000, power_unit::microwatt, "03000200000000000000000000000000"},
    };
    for (const auto& row : rows) {
        platform_description d = three_domains(row.version);
        d.performance_power_unit = row.unit;
        platform_server server(d);
        EXPECT_EQ(word_of(ask(server, perf, 0x00).response, 0), row.version);
        EXPECT_EQ(payload_of(ask(server, perf, 0x01).response), row.words);
    }
}

// DEN0056 4.5.2: 31 limits, 30 level, 26 extended name (3.0); 29 and 28 (notifications) and 27
// (FastChannels, which virtio does not have) are 0.
TEST(performance_protocol, domain_attributes) {
    platform_description d = three_domains(0x30000);
    d.performance_domains[2].name = "a-domain-name-of-32-bytes-in-all";
    platform_server server(d);
    const std::string numbers = "4523010040420f0090010000";
    EXPECT_EQ(payload_of(ask(server, perf, 0x03, {0}).response),
              "000000c0" + numbers + "63707500000000000000000000000000");
    EXPECT_EQ(payload_of(ask(server, perf, 0x03, {1}).response),
              "00000080" + numbers + "64737000000000000000000000000000");
    EXPECT_EQ(payload_of(ask(server, perf, 0x03, {2}, {1, 136, false}).response),
              "00000044" + numbers + "612d646f6d61696e2d6e616d652d6f00");
}

// NOT_FOUND for an id that names no domain, in every command that takes one, whatever else is
// wrong.
TEST(performance_protocol, unknown_domains_are_not_found) {
    platform_server server(three_domains(0x30000));
    for (const std::uint32_t id : {3u, 0x10000u, 0xffffffffu}) {
        for (const auto& [message, payload] : {std::pair<int, words>{0x03, {id}},
                                               {0x04, {id, 99}},
                                               {0x05, {id, 0, 0}},
                                               {0x06, {id}},
                                               {0x07, {id, 1}},
                                               {0x08, {id}},
                                               {0x09, {id, 9}},
                                               {0x0a, {id, 9}},
                                               {0x0b, {id, 99}},
                                               {0x0c, {id}}}) {
            const command_result r = ask(server, perf, std::uint8_t(message), payload);
            EXPECT_EQ(status_of(r.response), status::not_found) << message;
            EXPECT_EQ(r.response.size(), 8u);
            EXPECT_EQ(r.resource, -1);
        }
    }
}

TEST(performance_protocol, results_name_the_domain) {
    platform_server server(three_domains());
    EXPECT_EQ(ask(server, perf, 0x07, {2, 100}).resource, 2);
    EXPECT_EQ(ask(server, perf, 0x04, {1, 0}).resource, 1);
    EXPECT_EQ(ask(server, perf, 0x01).resource, -1);
}

// DEN0056 4.5.2: three words a level before 4.0.
TEST(performance_protocol, describes_levels) {
    platform_server server(three_domains());
    EXPECT_EQ(payload_of(ask(server, perf, 0x04, {0, 0}).response),
              "04000000"
              "640000000a00000032000000"
              "c80000001e0000003c000000"
              "9001000078563412ffff0000"
              "200300000000000000000000");
    EXPECT_EQ(payload_of(ask(server, perf, 0x04, {0, 3}).response),
              "01000000200300000000000000000000");
}

// DEN0056 4.5.2: 31:16 remaining, 15:12 zero, 11:0 returned; as many as fit, never 0 while some
// remain. Linux 6.1 over virtio has room for 10 (128 bytes of payload).
TEST(performance_protocol, describes_levels_in_parts) {
    platform_description d = three_domains();
    d.performance_domains[0].levels.clear();
    for (std::uint32_t i = 0; i < 40; ++i) d.performance_domains[0].levels.push_back({1000 + i});
    d.performance_domains[0].level = 1000;
    platform_server server(d);
    EXPECT_EQ(word_of(ask(server, perf, 0x04, {0, 0}).response, 0), 30u << 16 | 10);
    for (std::size_t room = 24; room <= 500; room += 7) {
        std::vector<std::uint32_t> seen;
        std::uint32_t remaining = 0;
        do {
            const message_bytes m =
                ask(server, perf, 0x04, {0, std::uint32_t(seen.size())}, {1, room}).response;
            ASSERT_EQ(status_of(m), status::success);
            const std::uint32_t flags = word_of(m, 0), n = flags & 0xfff;
            EXPECT_EQ(flags & 0xf000, 0u);
            EXPECT_EQ(n, std::min<std::size_t>((room - 12) / 12, 40 - seen.size()));
            EXPECT_EQ(m.size(), 12 + 12 * n);
            for (std::uint32_t i = 0; i < n; ++i) seen.push_back(word_of(m, 1 + 3 * i));
            remaining = flags >> 16;
            ASSERT_EQ(remaining, 40 - seen.size());
        } while (remaining != 0);
        for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(seen[i], 1000 + i);
    }
    for (std::size_t room = 8; room < 24; ++room) {
        EXPECT_EQ(status_for(server, perf, 0x04, {0, 0}, {1, room}), status::protocol_error);
    }
}

// An index at or beyond the count: INVALID_PARAMETERS up to 2.0 (Arm's suite, SCP-firmware),
// OUT_OF_RANGE since 3.0.
TEST(performance_protocol, level_index_is_checked) {
    for (const std::uint32_t version : {0x10000u, 0x20000u, 0x30000u}) {
        platform_server server(three_domains(version));
        const status wrong = version == 0x30000 ? status::out_of_range : status::invalid_parameters;
        EXPECT_EQ(status_for(server, perf, 0x04, {0, 3}), status::success);
        EXPECT_EQ(status_for(server, perf, 0x04, {0, 4}), wrong);
        EXPECT_EQ(status_for(server, perf, 0x04, {0, 0xffffffff}), wrong);
    }
}

// DEN0056 4.5.2: OUT_OF_RANGE for what is no level of the domain.
TEST(performance_protocol, levels_are_set_and_read) {
    platform_server server(three_domains());
    EXPECT_EQ(level_of(server), 200u);
    EXPECT_EQ(payload_of(ask(server, perf, 0x07, {0, 800}).response), "");
    EXPECT_EQ(level_of(server), 800u);
    for (const std::uint32_t bad : {0u, 99u, 101u, 399u, 801u, 0xffffffffu}) {
        EXPECT_EQ(set_level(server, 0, bad), status::out_of_range) << bad;
    }
    EXPECT_EQ(level_of(server), 800u);
    EXPECT_EQ(level_of(server, 1), 200u);  // another domain
}

// DEN0056 4.5.2: DENIED where attributes bits 31 and 30 are 0, before the values are looked at.
TEST(performance_protocol, what_attributes_do_not_offer_is_denied) {
    platform_server server(three_domains());
    EXPECT_EQ(set_level(server, 1, 100), status::denied);
    EXPECT_EQ(set_level(server, 1, 7), status::denied);
    EXPECT_EQ(set_limits(server, 2, 800, 100), status::denied);
    EXPECT_EQ(set_limits(server, 2, 1, 2), status::denied);
    EXPECT_EQ(set_limits(server, 1, 400, 100), status::success);
    EXPECT_EQ(set_level(server, 2, 100), status::success);
}

// DEN0056 4.5.2: limits lie within the levels, and need not be levels.
TEST(performance_protocol, limits_are_set_and_read) {
    platform_server server(three_domains());
    EXPECT_EQ(limits_of(server), range(800, 100));
    EXPECT_EQ(set_limits(server, 0, 450, 150), status::success);
    EXPECT_EQ(limits_of(server), range(450, 150));
    EXPECT_EQ(set_level(server, 0, 800), status::out_of_range);
    EXPECT_EQ(set_level(server, 0, 100), status::out_of_range);
    EXPECT_EQ(set_level(server, 0, 400), status::success);
    EXPECT_EQ(set_limits(server, 0, 300, 301), status::invalid_parameters);
    EXPECT_EQ(set_limits(server, 0, 801, 100), status::out_of_range);
    EXPECT_EQ(set_limits(server, 0, 800, 99), status::out_of_range);
    EXPECT_EQ(limits_of(server), range(450, 150));
    EXPECT_EQ(limits_of(server, 1), range(800, 100));
}

// Zero is an ordinary value up to 2.0; since 3.0 it leaves a bound as it is, but not both.
TEST(performance_protocol, zero_limits_by_version) {
    for (const std::uint32_t version : {0x10000u, 0x20000u}) {
        platform_server server(three_domains(version));
        EXPECT_EQ(set_limits(server, 0, 400, 0), status::out_of_range);
        EXPECT_EQ(set_limits(server, 0, 0, 100), status::invalid_parameters);
        EXPECT_EQ(limits_of(server), range(800, 100));
    }
    platform_server server(three_domains(0x30000));
    EXPECT_EQ(set_limits(server, 0, 400, 0), status::success);
    EXPECT_EQ(limits_of(server), range(400, 100));
    EXPECT_EQ(set_limits(server, 0, 0, 200), status::success);
    EXPECT_EQ(limits_of(server), range(400, 200));
    EXPECT_EQ(set_limits(server, 0, 0, 0), status::out_of_range);
    EXPECT_EQ(set_limits(server, 0, 0, 401), status::invalid_parameters);
    EXPECT_EQ(set_limits(server, 0, 199, 0), status::invalid_parameters);
    EXPECT_EQ(limits_of(server), range(400, 200));
}

// "If new limits exclude the current level, the level must move into them."
TEST(performance_protocol, a_level_moves_into_new_limits) {
    const struct {
        std::uint32_t max, min, level;
    } rows[] = {
        {800, 100, 200}, {800, 300, 400}, {800, 400, 400}, {199, 100, 100},
        {800, 800, 800}, {100, 100, 100}, {250, 150, 200}, {700, 401, 400},  // no level inside
        {150, 120, 100},                                                     // nor here
    };
    for (const auto& row : rows) {
        platform_server server(three_domains());
        EXPECT_EQ(set_limits(server, 0, row.max, row.min), status::success);
        EXPECT_EQ(level_of(server), row.level) << row.max << " " << row.min;
    }
}

// Limits of several agents add up to the tightest common range; a cap beats a floor.
TEST(performance_protocol, limits_of_agents_are_aggregated) {
    platform_server server(three_domains(0x20000, 2));
    const asking one{1}, two{2};
    EXPECT_EQ(set_limits(server, 0, 800, 200, one), status::success);
    EXPECT_EQ(set_limits(server, 0, 400, 100, two), status::success);
    EXPECT_EQ(limits_of(server), range(400, 200));
    EXPECT_EQ(set_limits(server, 0, 150, 100, two), status::success);
    EXPECT_EQ(limits_of(server), range(150, 150));
    EXPECT_EQ(level_of(server), 100u);
    EXPECT_EQ(set_limits(server, 0, 800, 100, two), status::success);
    EXPECT_EQ(limits_of(server), range(800, 200));
}

// A reset gives back what this agent did and leaves the other's alone.
TEST(performance_protocol, reset_agent_undoes_only_its_own) {
    platform_server server(three_domains(0x20000, 2));
    set_limits(server, 0, 400, 100, {1});
    set_limits(server, 0, 800, 200, {2});
    set_level(server, 0, 400, {1});
    set_level(server, 2, 800, {2});
    test::reset(server, 1);
    EXPECT_EQ(limits_of(server), range(800, 200));
    EXPECT_EQ(level_of(server), 200u);
    EXPECT_EQ(level_of(server, 2), 800u);
    set_limits(server, 1, 100, 100, {2});
    EXPECT_EQ(level_of(server, 1), 100u);
    test::reset(server, 2);
    EXPECT_EQ(limits_of(server), range(800, 100));
    EXPECT_EQ(level_of(server, 1), 200u);  // its limits had moved that level
    EXPECT_EQ(level_of(server, 2), 200u);
}

// DEN0056 4.5.2: of a domain whose attributes offer none.
TEST(performance_protocol, notifications_are_not_supported) {
    platform_server server(three_domains());
    for (const std::uint8_t message : {0x09, 0x0a}) {
        for (const std::uint32_t enable : {0u, 1u}) {
            EXPECT_EQ(status_for(server, perf, message, {0, enable}), status::not_supported);
        }
        EXPECT_EQ(status_for(server, perf, message, {0, 2}), status::invalid_parameters);
        EXPECT_EQ(status_for(server, perf, message, {0, 0x80000001}), status::invalid_parameters);
    }
}

// virtio 5.17.6.1: no FastChannels. NOT_SUPPORTED for messages of the protocol, NOT_FOUND for what
// is none (SCP-firmware, Arm's suite).
TEST(performance_protocol, has_no_fastchannels) {
    platform_server server(three_domains());
    for (std::uint32_t id = 0; id <= 0xb; ++id) {
        EXPECT_EQ(status_for(server, perf, 0x0b, {0, id}), status::not_supported) << id;
    }
    for (const std::uint32_t id : {0xcu, 0x10u, 0x11u, 0x80000007u}) {
        EXPECT_EQ(status_for(server, perf, 0x0b, {0, id}), status::not_found) << id;
    }
}

// A platform that relays firmware for another transport claims them all the same: what the messages
// and the domain say agrees, and what cannot be described is not.
TEST(performance_protocol, fastchannels_can_be_claimed) {
    platform_description d = three_domains();
    d.performance_domains[1].fast_channels = true;
    platform_server server(d);
    const auto bit = [&](std::uint32_t domain) {
        return word_of(ask(server, perf, 0x03, {domain}).response, 0) >> 27 & 1;
    };
    EXPECT_EQ(bit(0), 0u);
    EXPECT_EQ(bit(1), 1u);
    for (const std::uint32_t id : {5u, 6u, 7u, 8u}) {
        EXPECT_EQ(word_of(ask(server, perf, 0x02, {id}).response, 0), 1u) << id;
        EXPECT_EQ(status_for(server, perf, 0x0b, {1, id}), status::not_supported) << id;
    }
    EXPECT_EQ(word_of(ask(server, perf, 0x02, {4}).response, 0), 0u);
    EXPECT_EQ(status_for(server, perf, 0x02, {0xb}), status::success);
    d.performance_version = 0x10000;
    EXPECT_THROW(platform_server{d}, scmi_vp::error);
}

// A domain without extended name answers NAME_GET with its short one.
TEST(performance_protocol, name_get_returns_64_bytes) {
    platform_description d = three_domains(0x30000);
    d.performance_domains[0].name = std::string(63, 'n');
    platform_server server(d);
    const message_bytes full = ask(server, perf, 0x0c, {0}).response;
    ASSERT_EQ(full.size(), 8u + 68);
    EXPECT_EQ(word_of(full, 0), 0u);
    EXPECT_EQ(std::string(full.begin() + 12, full.end()), std::string(63, 'n') + '\0');
    const message_bytes brief = ask(server, perf, 0x0c, {1}).response;
    EXPECT_EQ(std::string(brief.begin() + 12, brief.end()), "dsp" + std::string(61, '\0'));
}

// A platform may list the protocol and have no domains, as the recorded one does.
TEST(performance_protocol, may_have_no_domains) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(word_of(ask(server, perf, 0x01).response, 0), 0u);
    EXPECT_EQ(status_for(server, perf, 0x08, {0}), status::not_found);
}

}  // namespace
}  // namespace scmi_vp::scmi
