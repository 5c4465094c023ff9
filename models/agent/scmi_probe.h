// SPDX-License-Identifier: Apache-2.0
// What scmi_probe takes from the device tree, and says of it, before its notification core
// (drivers/firmware/arm_scmi/driver.c, v6.1 and v6.12).
#pragma once

#include <cstddef>

#include "models/agent/scmi_agent.h"

namespace scmi_vp::models {

/// v6.12 scmi_transport_setup: the transport, and how long it waits for replies.
void say_transport(guest_context& c, scmi_agent& agent);

/// "SCMI System wide atomic threshold set to 20000 us", if the tree says so, even when it is 0.
void say_atomic_threshold(guest_context& c, scmi_agent& agent);

/// scmi_channels_setup after the Base protocol's: on virtio every protocol node shares its
/// channels, and one that comes again, or is Base's, fails the probe with -ENOSPC: false.
bool set_up_protocol_channels(guest_context& c, scmi_agent& agent);

/// "Out of range protocol 256" for each node that stands before protocol `index` of the tree and
/// after the one before it; index = their number: after the last.
void say_out_of_range(guest_context& c, scmi_agent& agent, std::size_t index);

}  // namespace scmi_vp::models
