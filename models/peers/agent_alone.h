// SPDX-License-Identifier: Apache-2.0
// The guest side of a system without the modelled platform: the driver on its virtio-mmio
// transport, in front of a foreign device behind a vhost-user socket, in wall-clock time.
#pragma once

#include <memory>
#include <string>

#include <systemc>

#include "models/config.h"
#include "models/guest/guest.h"
#include "models/monitor.h"
#include "models/peers/remote_device.h"
#include "models/transports/virtio/virtio_mmio_device.h"
#include "tlm/bus.h"
#include "tlm/interrupt_line.h"
#include "tlm/protocol_checker.h"

namespace scmi_vp::models {

class agent_alone : public sc_core::sc_module {
public:
    /// Connects to the socket at `path`; throws scmi_vp::error (input) as remote_device does.
    agent_alone(sc_core::sc_module_name name, const system_config& config, run_sink& sink,
                const std::string& path, bool in_band);

    monitor& mon() { return monitor_; }
    scmi_vp::models::guest& guest() { return *guest_; }
    remote_device& device() { return device_; }
    /// After the run: open records go to the sink. Throws the scmi_vp::error of a task of the
    /// guest, if one ended the run.
    void finish();

private:
    system_config config_;
    monitor monitor_;
    virtio::vhost_user::shared_memory ram_;
    virtio::guest_memory view_;
    remote_device device_;
    bus bus_;
    interrupt_line irq_;
    protocol_checker guest_checker_;
    std::unique_ptr<virtio_mmio_device> registers_;
    std::unique_ptr<scmi_vp::models::guest> guest_;
};

}  // namespace scmi_vp::models
