// SPDX-License-Identifier: Apache-2.0
// What agents can ask to be told of, and what they are told when something changes without them
// (DEN0056: the *_NOTIFY commands, sections 4.2.3, 4.3.3, 4.5.3, 4.7.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "scmi/server_test_tools.h"

namespace scmi_vp::scmi::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using strings = std::vector<std::string>;

platform_description talkative(std::size_t agents = 2) {
    platform_description d;
    for (std::size_t i = 0; i < agents; ++i) d.agents.push_back({"a" + std::to_string(i)});
    d.protocols = {protocol::power, protocol::perf, protocol::sensor};
    d.base_notifies = true;
    d.power_domains.resize(2);
    d.power_domains[0].name = "p0";
    d.power_domains[0].notifies = true;
    d.power_domains[1].name = "p1";
    d.performance_domains.resize(1);
    d.performance_domains[0].name = "d0";
    d.performance_domains[0].levels = {{100}, {200}, {300}};
    d.performance_domains[0].level = 300;
    d.performance_domains[0].notifies_limits = true;
    d.performance_domains[0].notifies_level = true;
    d.sensors.resize(2);
    d.sensors[0].name = "s0";
    d.sensors[0].trip_points = 2;
    d.sensors[1].name = "s1";
    return d;
}

/// "agent 1: protocol 13 event 1: 0 0 200" for each message.
strings texts_of(const notifications& out) {
    strings all;
    for (const notification& n : out) {
        const header h = header::unpack(get_u32(n.bytes.data(), n.bytes.size(), 0));
        EXPECT_EQ(h.type, message_type::notification);
        EXPECT_EQ(h.token, 0);
        char head[60];
        std::snprintf(head, sizeof head, "agent %u: protocol %x event %u:", n.agent_id,
                      h.protocol_id, h.message_id);
        std::string text = head;
        for (std::size_t at = 4; at < n.bytes.size(); at += 4) {
            text += " " + std::to_string(get_u32(n.bytes.data(), n.bytes.size(), at));
        }
        all.push_back(text);
    }
    return all;
}

strings told(platform_server& server, const platform_change& c) {
    notifications out;
    server.change(c, out);
    return texts_of(out);
}

/// Both agents want to be told of everything.
void subscribe_all(platform_server& server) {
    for (const std::uint32_t agent : {1u, 2u}) {
        ask(server, protocol::power, 6, {0, 1}, {agent});
        ask(server, protocol::perf, 9, {0, 1}, {agent});
        ask(server, protocol::perf, 10, {0, 1}, {agent});
    }
}

// DEN0056 4.3.3, 4.5.3: every subscriber is told of what an agent changed, the one that caused it,
// too; agent_id says who that was.
TEST(notifications, tell_every_subscriber_what_an_agent_changed) {
    platform_description off_at_start = talkative();
    off_at_start.power_domains[0].on = false;
    platform_server server(off_at_start);
    subscribe_all(server);
    const auto by = [&](std::uint32_t agent, std::uint8_t p, std::uint8_t m, const words& w) {
        return texts_of(ask(server, p, m, w, {agent}).told);
    };
    // Limits that exclude the level move it: two events.
    EXPECT_THAT(by(1, protocol::perf, 5, {0, 200, 100}),
                ElementsAre("agent 1: protocol 13 event 0: 1 0 200 100",
                            "agent 2: protocol 13 event 0: 1 0 200 100",
                            "agent 1: protocol 13 event 1: 1 0 200",
                            "agent 2: protocol 13 event 1: 1 0 200"));
    EXPECT_THAT(by(2, protocol::perf, 7, {0, 100}),
                ElementsAre("agent 1: protocol 13 event 1: 2 0 100",
                            "agent 2: protocol 13 event 1: 2 0 100"));
    // On while anyone wants it: one transition, when the first wants it.
    EXPECT_THAT(
        by(2, protocol::power, 4, {0, 0, 0}),
        ElementsAre("agent 1: protocol 11 event 0: 2 0 0", "agent 2: protocol 11 event 0: 2 0 0"));
    EXPECT_THAT(by(1, protocol::power, 4, {0, 0, 0}), IsEmpty());
    EXPECT_THAT(by(2, protocol::power, 4, {0, 0, 0x40000000}), IsEmpty());
    EXPECT_THAT(by(1, protocol::power, 4, {0, 0, 0x40000000}),
                ElementsAre("agent 1: protocol 11 event 0: 1 0 1073741824",
                            "agent 2: protocol 11 event 0: 1 0 1073741824"));
}

TEST(notifications, tell_nothing_of_what_stays_as_it_is_or_is_refused) {
    platform_server server(talkative());
    subscribe_all(server);
    const auto by = [&](std::uint8_t p, std::uint8_t m, const words& w) {
        return texts_of(ask(server, p, m, w).told);
    };
    EXPECT_THAT(by(protocol::perf, 5, {0, 300, 100}), IsEmpty()) << "the limits that it has";
    EXPECT_THAT(by(protocol::perf, 7, {0, 300}), IsEmpty()) << "the level that it has";
    EXPECT_THAT(by(protocol::perf, 7, {0, 150}), IsEmpty()) << "no level";
    EXPECT_THAT(by(protocol::power, 4, {0, 0, 0}), IsEmpty()) << "on already";
    // Agent 2 limits it further: what agent 1 then loosens changes nothing.
    ask(server, protocol::perf, 5, {0, 100, 100}, {2});
    EXPECT_THAT(by(protocol::perf, 5, {0, 200, 100}), IsEmpty());
}

// What a reset takes back is a change of that agent's; it has forgotten that it asked.
TEST(notifications, tell_the_others_what_a_reset_takes_back) {
    platform_description off_at_start = talkative();
    off_at_start.power_domains[0].on = false;
    platform_server server(off_at_start);
    subscribe_all(server);
    ask(server, protocol::perf, 5, {0, 200, 100}, {1});
    ask(server, protocol::power, 4, {0, 0, 0}, {1});
    EXPECT_THAT(texts_of(reset(server, 1)),
                ElementsAre("agent 2: protocol 11 event 0: 1 0 1073741824",
                            "agent 2: protocol 13 event 0: 1 0 300 100",
                            "agent 2: protocol 13 event 1: 1 0 300"));
    EXPECT_THAT(texts_of(reset(server, 1)), IsEmpty());
}

TEST(notifications, are_told_to_agents_that_asked_only) {
    platform_server server(talkative());
    const platform_change off{change_kind::power_state, 0, 0}, on{change_kind::power_state, 0, 1};
    EXPECT_THAT(told(server, off), IsEmpty());
    EXPECT_EQ(status_for(server, protocol::power, 6, {0, 1}, {2}), status::success);
    EXPECT_THAT(told(server, off), IsEmpty()) << "it was off already";
    EXPECT_THAT(told(server, on), ElementsAre("agent 2: protocol 11 event 0: 0 0 0"));
    EXPECT_THAT(told(server, off), ElementsAre("agent 2: protocol 11 event 0: 0 0 1073741824"));
    EXPECT_EQ(word_of(ask(server, protocol::power, 5, {0}).response, 0), 0x40000000u);
    EXPECT_EQ(status_for(server, protocol::power, 6, {0, 0}, {2}), status::success);
    EXPECT_THAT(told(server, on), IsEmpty());
}

TEST(notifications, of_power_leave_what_agents_want_later_to_them) {
    platform_server server(talkative(1));
    told(server, {change_kind::power_state, 0, 0});
    EXPECT_EQ(status_for(server, protocol::power, 4, {0, 0, 0}), status::success);
    EXPECT_EQ(word_of(ask(server, protocol::power, 5, {0}).response, 0), 0u);
}

TEST(notifications, of_limits_and_the_level_that_they_move) {
    platform_server server(talkative(1));
    EXPECT_EQ(status_for(server, protocol::perf, 9, {0, 1}), status::success);
    EXPECT_EQ(status_for(server, protocol::perf, 10, {0, 1}), status::success);
    EXPECT_THAT(told(server, {change_kind::performance_limits, 0, 200, 100}),
                ElementsAre("agent 1: protocol 13 event 0: 0 0 200 100",
                            "agent 1: protocol 13 event 1: 0 0 200"));
    // Above the platform's cap the level is out of range now.
    EXPECT_EQ(status_for(server, protocol::perf, 7, {0, 300}), status::out_of_range);
    EXPECT_THAT(told(server, {change_kind::performance_limits, 0, 300, 100}),
                ElementsAre("agent 1: protocol 13 event 0: 0 0 300 100"));
    EXPECT_THAT(told(server, {change_kind::performance_level, 0, 100}),
                ElementsAre("agent 1: protocol 13 event 1: 0 0 100"));
    EXPECT_THAT(told(server, {change_kind::performance_level, 0, 100}), IsEmpty());
}

TEST(notifications, of_trip_points_need_both_their_setting_and_their_wish) {
    platform_server server(talkative(1));
    const auto reading = [&](std::int64_t v) {
        return told(server, {change_kind::sensor_reading, 0, v});
    };
    // Trip 1 at 50, rising only; ev_ctrl bits 11:4 and 1:0.
    EXPECT_EQ(status_for(server, protocol::sensor, 5, {0, 1u << 4 | 1, 50, 0}), status::success);
    EXPECT_THAT(reading(60), IsEmpty());
    EXPECT_EQ(status_for(server, protocol::sensor, 4, {0, 1}), status::success);
    EXPECT_THAT(reading(40), IsEmpty()) << "falling was not asked for";
    EXPECT_THAT(reading(50), ElementsAre("agent 1: protocol 15 event 0: 0 0 65537"));
    EXPECT_THAT(reading(55), IsEmpty());
    EXPECT_EQ(status_for(server, protocol::sensor, 5, {0, 3, 45, 0}), status::success);
    EXPECT_THAT(reading(30), ElementsAre("agent 1: protocol 15 event 0: 0 0 0"));
    EXPECT_EQ(word_of(ask(server, protocol::sensor, 6, {0, 0}).response, 0), 30u);
}

TEST(notifications, of_base_errors) {
    platform_server server(talkative(1));
    EXPECT_EQ(status_for(server, protocol::base, 8, {1}), status::success);
    EXPECT_THAT(told(server, {change_kind::base_error, 0, 1}),
                ElementsAre("agent 1: protocol 10 event 0: 0 2147483648"));
    EXPECT_THAT(told(server, {change_kind::base_error, 0, 0}),
                ElementsAre("agent 1: protocol 10 event 0: 0 0"));
}

TEST(notifications, end_with_a_reset_of_the_agent) {
    platform_server server(talkative());
    for (const std::uint32_t agent : {1u, 2u}) {
        ask(server, protocol::base, 8, {1}, {agent});
        ask(server, protocol::power, 6, {0, 1}, {agent});
        ask(server, protocol::perf, 10, {0, 1}, {agent});
        ask(server, protocol::sensor, 4, {0, 1}, {agent});
        ask(server, protocol::sensor, 5, {0, 3, 5, 0}, {agent});
    }
    reset(server, 1);
    for (const platform_change& c : {platform_change{change_kind::base_error},
                                     {change_kind::power_state, 0, 0},
                                     {change_kind::performance_level, 0, 100},
                                     {change_kind::sensor_reading, 0, 9}}) {
        const strings all = told(server, c);
        ASSERT_EQ(all.size(), 1u);
        EXPECT_EQ(all[0].substr(0, 8), "agent 2:");
    }
}

struct refusal {
    std::uint8_t protocol_id, message_id;
    words payload;
    status answer;
};

TEST(notify_commands, answer_as_the_specification_lists) {
    platform_server server(talkative(1));
    for (const refusal& r :
         {refusal{protocol::power, 6, {9, 1}, status::not_found},
          {protocol::power, 6, {0, 2}, status::invalid_parameters},
          {protocol::power, 6, {1, 1}, status::not_supported},
          {protocol::power, 7, {0, 1}, status::not_supported},
          {protocol::perf, 9, {9, 1}, status::not_found},
          {protocol::perf, 10, {0, 6}, status::invalid_parameters},
          {protocol::sensor, 4, {1, 1}, status::not_supported},
          {protocol::sensor, 4, {2, 1}, status::not_found},
          {protocol::sensor, 5, {0, 2u << 4 | 3, 1, 0}, status::invalid_parameters},
          {protocol::sensor, 5, {0, 4, 1, 0}, status::invalid_parameters},
          {protocol::base, 8, {2}, status::invalid_parameters}}) {
        EXPECT_EQ(status_for(server, r.protocol_id, r.message_id, r.payload), r.answer)
            << int(r.protocol_id) << "/" << int(r.message_id);
    }
}

// virtio 5.17.6.1: without P2A channels such a command is denied and nothing is advertised.
TEST(notify_commands, do_not_exist_without_a_way_to_tell) {
    platform_server server(talkative(1));
    const asking deaf{1, 136, false};
    EXPECT_EQ(status_for(server, protocol::perf, 9, {0, 1}, deaf), status::not_supported);
    EXPECT_EQ(status_for(server, protocol::perf, 2, {9}, deaf), status::not_found);
    EXPECT_EQ(status_for(server, protocol::perf, 2, {9}), status::success);
    const auto attributes = [&](std::uint8_t p, const asking& how) {
        return word_of(ask(server, p, 3, {0}, how).response, 0);
    };
    EXPECT_EQ(attributes(protocol::perf, deaf) >> 28, 0xcu);
    EXPECT_EQ(attributes(protocol::perf, {}) >> 28, 0xfu);
    EXPECT_EQ(attributes(protocol::power, deaf) >> 28, 0x2u);
    EXPECT_EQ(attributes(protocol::power, {}) >> 28, 0xau);
}

TEST(changes, of_what_does_not_exist_are_refused) {
    platform_server server(talkative(1));
    const auto what = [&](const platform_change& c) {
        notifications out;
        try {
            server.change(c, out);
        } catch (const error& e) {
            return std::string(e.what());
        }
        return std::string("taken");
    };
    EXPECT_EQ(what({change_kind::power_state, 2, 1}),
              "there is no power domain 2: the platform has 2, 0..1");
    EXPECT_EQ(what({change_kind::performance_level, 0, 150}),
              "performance domain 0 has no level 150");
    EXPECT_EQ(what({change_kind::performance_limits, 0, 400, 100}),
              "limits 100 to 400 are none of performance domain 0: it has 100 to 300");
    EXPECT_EQ(what({change_kind::sensor_reading, 7, 1}),
              "there is no sensor 7: the platform has 2, 0..1");
}

}  // namespace
}  // namespace scmi_vp::scmi::test
