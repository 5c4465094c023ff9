// SPDX-License-Identifier: Apache-2.0
// A system's hop latencies bound to their random streams: the same numbers whoever is in front, the
// modelled guest or a real one.
#pragma once

#include "models/config.h"
#include "models/platform/scmi_device.h"

namespace scmi_vp::models {

/// What the scenario puts on one hop; zero if nothing.
latency hop_latency_of(const system_config& config, hop h);

/// Everything that the host adds.
host_latencies host_latencies_of(const system_config& config);

}  // namespace scmi_vp::models
