// SPDX-License-Identifier: Apache-2.0
// A call that a task makes into the kernel's users of SCMI, as data. What it means is in its row
// (models/agent/protocol_driver.h).
#pragma once

#include <cstdint>

namespace scmi_vp::models {

struct call_row;
struct event_row;

/// Performance levels, as perf ops limits_set takes them.
struct level_limits {
    std::uint32_t lowest = 0, highest = 0;
};

struct call {
    const call_row* row = nullptr;  ///< call_named(): never nullptr when it is made
    std::uint32_t id = 0;           ///< sensor, clock, domain; 65535 for all sources of an event
    std::uint64_t value = 0;        ///< rate in Hz, level, state, trip point: the row says which
    bool poll = false;              ///< by an operation that polls for its reply
    level_limits limits{};
    const event_row* event = nullptr;  ///< event_named()
};

}  // namespace scmi_vp::models
