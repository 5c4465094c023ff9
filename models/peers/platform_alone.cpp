// SPDX-License-Identifier: Apache-2.0
// See platform_alone.h.
#include "models/peers/platform_alone.h"

namespace scmi_vp::models {

platform_alone::platform_alone(sc_core::sc_module_name name, const system_config& config,
                               run_sink& sink)
    : sc_core::sc_module(name),
      monitor_(sink),
      device_("platform", config.platform, host_latencies_of(config), view_, monitor_) {}

}  // namespace scmi_vp::models
