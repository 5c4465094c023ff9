// SPDX-License-Identifier: Apache-2.0
// A system's hop latencies bound to their random streams: the same numbers whoever is in front, the
// modelled guest or a real one.
#pragma once

#include "models/config.h"
#include "models/guest/guest.h"
#include "models/platform/scmi_device.h"

namespace scmi_vp::models {

/// What the scenario puts on one hop; zero if nothing.
latency hop_latency_of(const system_config& config, hop h, std::uint32_t agent = 1);

/// What the scenario puts on the guest's own hops.
guest_hop_latencies guest_hop_latencies_of(const system_config& config);

/// Everything that the host adds. Each further agent of a platform draws numbers of its own; the
/// host's pauses are the same for all.
host_latencies host_latencies_of(const system_config& config, std::uint32_t agent = 1);

}  // namespace scmi_vp::models
