// SPDX-License-Identifier: Apache-2.0
// See protocol_table.h.
#include "models/agent/protocol_table.h"

#include <algorithm>

#include "base/error.h"

namespace scmi_vp::models {

extern const agent_protocol base_driver_row, power_driver_row, performance_driver_row,
    clock_driver_row, sensor_driver_row;

namespace {

std::vector<const agent_protocol*>& table() {
    static std::vector<const agent_protocol*> all{&base_driver_row, &power_driver_row,
                                                  &performance_driver_row, &clock_driver_row,
                                                  &sensor_driver_row};
    return all;
}

template <class Row>
std::vector<const Row*> rows(boost::span<const Row> agent_protocol::*of) {
    std::vector<const Row*> found;
    for (const agent_protocol* p : table()) {
        for (const Row& r : p->*of) found.push_back(&r);
    }
    return found;
}

template <class Row>
const Row* named(boost::span<const Row> agent_protocol::*of, std::string_view name) {
    for (const agent_protocol* p : table()) {
        for (const Row& r : p->*of) {
            if (r.name == name) return &r;
        }
    }
    return nullptr;
}

}  // namespace

const std::vector<const agent_protocol*>& agent_protocols() {
    return table();
}

void add_agent_protocol(const agent_protocol& p) {
    const auto before = [](const agent_protocol* a, const agent_protocol* b) {
        return a->id < b->id;
    };
    std::vector<const agent_protocol*>& all = table();
    const auto at = std::lower_bound(all.begin(), all.end(), &p, before);
    if (at != all.end() && (*at)->id == p.id) {
        throw error(error_kind::model, "add_agent_protocol", "a second driver of one protocol");
    }
    all.insert(at, &p);
}

std::vector<const call_row*> call_rows() {
    return rows(&agent_protocol::calls);
}

std::vector<const event_row*> event_rows() {
    return rows(&agent_protocol::events);
}

const call_row* call_named(std::string_view name) {
    return named(&agent_protocol::calls, name);
}

const event_row* event_named(std::string_view name) {
    return named(&agent_protocol::events, name);
}

const event_row* find_event(std::uint8_t protocol_id, std::uint8_t event) {
    for (const agent_protocol* p : table()) {
        if (p->id != protocol_id) continue;
        for (const event_row& e : p->events) {
            if (e.event == event) return &e;
        }
    }
    return nullptr;
}

std::vector<user_driver> user_drivers() {
    std::vector<user_driver> found;
    for (const agent_protocol* p : table()) {
        found.insert(found.end(), p->users.begin(), p->users.end());
    }
    // tools/linux/module/scmi_vp_caller.c
    for (const agent_protocol* p : table()) {
        if (p->id == scmi::protocol::base) continue;
        found.push_back({caller_driver, p->id, caller_driver, nullptr});
    }
    return found;
}

}  // namespace scmi_vp::models
