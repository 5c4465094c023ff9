// SPDX-License-Identifier: Apache-2.0
// The platform side of a system without the modelled guest: device, platform server and the memory
// that whoever is in front shares.
#pragma once

#include <systemc>

#include "models/config.h"
#include "models/hop_latencies.h"
#include "models/monitor.h"
#include "models/platform/scmi_device.h"

namespace scmi_vp::models {

class platform_alone : public sc_core::sc_module {
public:
    platform_alone(sc_core::sc_module_name name, const system_config& config, run_sink& sink);

    scmi_device& device() { return device_; }
    virtio::guest_memory& view() { return view_; }
    const monitor& mon() const { return monitor_; }

private:
    monitor monitor_;
    virtio::guest_memory view_;
    scmi_device device_;
};

}  // namespace scmi_vp::models
