// SPDX-License-Identifier: Apache-2.0
// Every protocol that the modelled driver has, and what can be found among their rows by name.
#pragma once

#include <string_view>
#include <vector>

#include "models/agent/protocol_driver.h"

namespace scmi_vp::models {

/// In the order of their ids.
const std::vector<const agent_protocol*>& agent_protocols();
/// One more, which must outlive every scenario and system: a protocol of somebody's own. Throws
/// scmi_vp::error (model) when there is one of its id.
void add_agent_protocol(const agent_protocol& p);

/// All kinds of call and all events, protocol by protocol.
std::vector<const call_row*> call_rows();
std::vector<const event_row*> event_rows();
/// nullptr: there is none of that name.
const call_row* call_named(std::string_view name);
const event_row* event_named(std::string_view name);
/// nullptr: the protocol has no such event, or there is no such protocol.
const event_row* find_event(std::uint8_t protocol_id, std::uint8_t event);

/// Every driver with every protocol that it uses; scmi-vp-caller's come last.
std::vector<user_driver> user_drivers();

}  // namespace scmi_vp::models
