// SPDX-License-Identifier: Apache-2.0
// What a scenario has to know of each SCMI protocol besides its rows in models/agent/protocols and
// scmi/: one file per protocol in scenario/protocols/; protocol_schema.cpp is the only list of
// them.
#pragma once

#include <cstdint>
#include <string>

#include "models/agent/protocol_driver.h"
#include "scmi/platform_server.h"

namespace scmi_vp::scenario {

struct protocol_schema {
    std::uint8_t id;
    const char* resource;  ///< what its calls, faults and changes are about
    /// How many of these the platform has.
    std::size_t (*resources)(const scmi::platform_description& platform);
    /// The file in which real Linux shows the result of a call to user space, for calls that have
    /// one (call_row::has_file); empty: this resource has none. nullptr: no call has one.
    std::string (*user_file)(const models::call& what, const scmi::platform_description& platform);
};

/// One more, which must outlive every scenario: a protocol of somebody's own.
void add_protocol_schema(const protocol_schema& p);
/// nullptr: a protocol without resources.
const protocol_schema* find_protocol_schema(std::uint8_t id);

}  // namespace scmi_vp::scenario
