// SPDX-License-Identifier: Apache-2.0
// Power domain 1.0 to 3.0: attributes, states set now and later, wishes of several agents.
#include <gtest/gtest.h>

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

constexpr std::uint8_t pwr = protocol::power;
constexpr std::uint32_t on = 0, off = 0x40000000, async_flag = 1;

/// Set synchronously only, both ways, asynchronously only, and not at all.
platform_description four_domains(std::size_t agents = 1) {
    platform_description d;
    d.protocols = {pwr};
    d.agents.resize(agents);
    d.power_domains = {{"gpu", true, true, false},
                       {"isp", false, true, true},
                       {"core0", true, false, true},
                       {"soc", true, false, false}};
    return d;
}

status set_state(platform_server& server, std::uint32_t id, std::uint32_t state,
                 std::uint32_t flags = 0, const asking& how = {}) {
    return status_for(server, pwr, 0x04, {flags, id, state}, how);
}

std::uint32_t state_of(platform_server& server, std::uint32_t id) {
    const message_bytes m = ask(server, pwr, 0x05, {id}).response;
    EXPECT_EQ(m.size(), 12u);
    return word_of(m, 0);
}

// DEN0056 4.3.2.3: 15:0 domains; no statistics in shared memory: address and length 0.
TEST(power_protocol, attributes_count_domains) {
    for (const std::uint32_t version : {0x10000u, 0x20000u, 0x30000u}) {
        platform_description d = four_domains();
        d.power_version = version;
        platform_server server(d);
        EXPECT_EQ(word_of(ask(server, pwr, 0x00).response, 0), version);
        EXPECT_EQ(payload_of(ask(server, pwr, 0x01).response), "04000000000000000000000000000000");
    }
}

// A platform may list the protocol and have no domains.
TEST(power_protocol, may_have_no_domains) {
    platform_description d;
    d.protocols = {pwr};
    platform_server server(d);
    EXPECT_EQ(word_of(ask(server, pwr, 0x01).response, 0), 0u);
    EXPECT_EQ(status_for(server, pwr, 0x05, {0}), status::not_found);
}

// DEN0056 4.3.2: 30 asynchronous set, 29 synchronous set, 27 extended name; 31 and 28
// (notifications) are 0 with and without P2A channels.
TEST(power_protocol, domain_attributes) {
    platform_description d = four_domains();
    d.power_version = 0x30000;
    d.power_domains[3].name = "a-domain-name-of-32-bytes-in-all";
    platform_server server(d);
    const char* const expected[] = {
        "0000002067707500000000000000000000000000", "0000006069737000000000000000000000000000",
        "00000040636f7265300000000000000000000000", "00000008612d646f6d61696e2d6e616d652d6f00"};
    for (const bool p2a : {true, false}) {
        for (std::uint32_t id = 0; id < 4; ++id) {
            EXPECT_EQ(payload_of(ask(server, pwr, 0x03, {id}, {1, 136, p2a}).response),
                      expected[id]);
        }
    }
}

// NOT_FOUND for an id that names no domain, in every command that takes one, whatever else is
// wrong.
TEST(power_protocol, unknown_domains_are_not_found) {
    platform_description d = four_domains();
    d.power_version = 0x30000;
    platform_server server(d);
    for (const std::uint32_t id : {4u, 0x10000u, 0xffffffffu}) {
        for (const auto& [message, payload] : {std::pair<int, words>{0x03, {id}},
                                               {0x04, {0xff, id, 77}},
                                               {0x05, {id}},
                                               {0x06, {id, 9}},
                                               {0x07, {id, 9}},
                                               {0x08, {id}}}) {
            const command_result r = ask(server, pwr, std::uint8_t(message), payload);
            EXPECT_EQ(status_of(r.response), status::not_found) << message;
            EXPECT_EQ(r.response.size(), 8u);
            EXPECT_EQ(r.resource, -1);
        }
    }
}

TEST(power_protocol, results_name_the_domain) {
    platform_server server(four_domains());
    EXPECT_EQ(ask(server, pwr, 0x04, {0, 1, on}).resource, 1);
    EXPECT_EQ(ask(server, pwr, 0x05, {2}).resource, 2);
    EXPECT_EQ(ask(server, pwr, 0x01).resource, -1);
}

// DEN0056 4.3.2: the generic states ON and OFF.
TEST(power_protocol, states_are_set_and_read) {
    platform_server server(four_domains());
    EXPECT_EQ(state_of(server, 0), on);
    EXPECT_EQ(state_of(server, 1), off);
    const command_result r = ask(server, pwr, 0x04, {0, 0, off});
    EXPECT_EQ(payload_of(r.response), "");
    EXPECT_EQ(state_of(server, 0), off);
    EXPECT_EQ(set_state(server, 1, on), status::success);
    EXPECT_EQ(state_of(server, 1), on);
    EXPECT_EQ(set_state(server, 1, on), status::success);  // idempotent
    EXPECT_EQ(set_state(server, 1, off), status::success);
    EXPECT_EQ(state_of(server, 1), off);
}

// Asynchronous behaviour without a delayed response: so it does not need P2A channels.
TEST(power_protocol, asynchronous_set_has_no_delayed_response) {
    platform_server server(four_domains());
    for (const bool p2a : {true, false}) {
        const command_result r = ask(server, pwr, 0x04, {async_flag, 1, on}, {1, 136, p2a});
        EXPECT_EQ(status_of(r.response), status::success);
        EXPECT_FALSE(r.delayed);
        EXPECT_EQ(state_of(server, 1), on);
        EXPECT_EQ(set_state(server, 1, off), status::success);
    }
}

// DEN0056 4.3.2: NOT_SUPPORTED for the way that attributes 30:29 do not offer.
TEST(power_protocol, a_way_that_is_not_offered_is_not_supported) {
    platform_server server(four_domains());
    EXPECT_EQ(set_state(server, 0, off, async_flag), status::not_supported);
    EXPECT_EQ(set_state(server, 2, off), status::not_supported);
    EXPECT_EQ(set_state(server, 3, off), status::not_supported);
    EXPECT_EQ(set_state(server, 3, off, async_flag), status::not_supported);
    for (const std::uint32_t id : {0u, 2u, 3u}) EXPECT_EQ(state_of(server, id), on);
    EXPECT_EQ(set_state(server, 2, off, async_flag), status::success);
    EXPECT_EQ(state_of(server, 2), off);
}

// Reserved flags and states that the platform does not define, OFF without its lost context among
// them.
TEST(power_protocol, bad_flags_and_states_are_invalid) {
    platform_server server(four_domains());
    for (int bit = 1; bit < 32; ++bit) {
        EXPECT_EQ(set_state(server, 0, off, 1u << bit), status::invalid_parameters);
        if (bit != 30) {
            EXPECT_EQ(set_state(server, 0, 1u << bit), status::invalid_parameters);
        }
    }
    for (const std::uint32_t bad : {1u, 0x40000001u, 0xc0000000u, 0xffffffffu}) {
        EXPECT_EQ(set_state(server, 0, bad), status::invalid_parameters);
    }
    EXPECT_EQ(state_of(server, 0), on);
}

// DEN0056 4.3.2: of a domain whose attributes offer none.
TEST(power_protocol, notifications_are_not_supported) {
    platform_server server(four_domains());
    for (const std::uint8_t message : {0x06, 0x07}) {
        for (const std::uint32_t enable : {0u, 1u}) {
            EXPECT_EQ(status_for(server, pwr, message, {0, enable}), status::not_supported);
        }
        EXPECT_EQ(status_for(server, pwr, message, {0, 2}), status::invalid_parameters);
        EXPECT_EQ(status_for(server, pwr, message, {0, 0x80000001}), status::invalid_parameters);
    }
}

// A domain without extended name answers NAME_GET with its short one.
TEST(power_protocol, name_get_returns_64_bytes) {
    platform_description d = four_domains();
    d.power_version = 0x30000;
    d.power_domains[0].name = std::string(63, 'n');
    platform_server server(d);
    const message_bytes full = ask(server, pwr, 0x08, {0}).response;
    ASSERT_EQ(full.size(), 8u + 68);
    EXPECT_EQ(word_of(full, 0), 0u);
    EXPECT_EQ(std::string(full.begin() + 12, full.end()), std::string(63, 'n') + '\0');
    const message_bytes brief = ask(server, pwr, 0x08, {1}).response;
    EXPECT_EQ(std::string(brief.begin() + 12, brief.end()), "isp" + std::string(61, '\0'));
}

// Shared domains are aggregated: on while any agent wants it. A reset takes back what one agent
// did, and nothing else.
TEST(power_protocol, wishes_of_agents_are_aggregated_and_reset) {
    platform_server server(four_domains(2));
    const asking one{1}, two{2};
    EXPECT_EQ(set_state(server, 0, off, 0, one), status::success);
    EXPECT_EQ(state_of(server, 0), on);
    EXPECT_EQ(set_state(server, 0, off, 0, two), status::success);
    EXPECT_EQ(state_of(server, 0), off);
    EXPECT_EQ(set_state(server, 1, on, 0, one), status::success);
    EXPECT_EQ(state_of(server, 1), on);
    test::reset(server, 2);
    EXPECT_EQ(state_of(server, 0), on);
    EXPECT_EQ(state_of(server, 1), on);
    test::reset(server, 1);
    EXPECT_EQ(state_of(server, 1), off);
    EXPECT_EQ(set_state(server, 0, off, 0, two), status::success);
    EXPECT_EQ(state_of(server, 0), on);  // agent 1 wants it again
}

}  // namespace
}  // namespace scmi_vp::scmi
