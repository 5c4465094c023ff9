// SPDX-License-Identifier: Apache-2.0
#include "models/agent/protocol_table.h"

#include <set>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::models {
namespace {

TEST(agent_protocols, names_of_calls_and_events_are_their_own) {
    std::set<std::string_view> names;
    for (const call_row* r : call_rows()) EXPECT_TRUE(names.insert(r->name).second) << r->name;
    for (const event_row* e : event_rows()) EXPECT_TRUE(names.insert(e->name).second) << e->name;
    for (const std::string_view n : names) {
        EXPECT_NE(call_named(n) != nullptr, event_named(n) != nullptr) << n;
    }
    EXPECT_EQ(call_named("sensor_write"), nullptr);
    EXPECT_EQ(event_named("sensor_read"), nullptr);
}

// The table finds what a row says of itself.
TEST(agent_protocols, rows_are_their_protocols) {
    for (const agent_protocol* p : agent_protocols()) {
        for (const call_row& r : p->calls) {
            EXPECT_EQ(r.protocol_id, p->id) << r.name;
            EXPECT_EQ(r.make == nullptr, r.target != call_target::protocol) << r.name;
            if (r.driver.empty()) continue;
            bool used = false;
            for (const user_driver& u : p->users) used = used || u.name == r.driver;
            EXPECT_TRUE(used) << r.name << " is a call of " << r.driver;
        }
        for (const event_row& e : p->events) {
            EXPECT_EQ(e.protocol_id, p->id) << e.name;
            EXPECT_EQ(find_event(p->id, e.event), &e);
            EXPECT_LE(e.shortest, e.longest);
            EXPECT_LE(e.longest, e.admitted);
            if (e.source_at == no_source) continue;
            EXPECT_LE(e.source_at + 4, e.shortest);
        }
    }
    EXPECT_EQ(find_event(scmi::protocol::perf, 7), nullptr);
    EXPECT_EQ(find_event(0x42, 0), nullptr);
}

TEST(agent_protocols, one_more_is_found_by_its_rows_and_in_its_place) {
    static constexpr call_row calls[] = {{"lamp_on", 0x12, "", "lamp"}};
    static const agent_protocol lamp{0x12, calls, {}, {}, nullptr};
    add_agent_protocol(lamp);
    ASSERT_NE(call_named("lamp_on"), nullptr);
    std::uint8_t last = 0;
    for (const agent_protocol* p : agent_protocols()) {
        EXPECT_GT(p->id, last);
        last = p->id;
    }
    EXPECT_THROW(add_agent_protocol(lamp), error);
}

}  // namespace
}  // namespace scmi_vp::models
