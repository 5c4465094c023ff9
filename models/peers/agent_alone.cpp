// SPDX-License-Identifier: Apache-2.0
// See agent_alone.h.
#include "models/peers/agent_alone.h"

#include "models/hop_latencies.h"
#include "models/system.h"

namespace scmi_vp::models {

agent_alone::agent_alone(sc_core::sc_module_name name, const system_config& config, run_sink& sink,
                         const std::string& path, bool in_band)
    : sc_core::sc_module(name),
      config_(config),
      monitor_(sink),
      ram_(config.guest.memory_bytes),
      device_(path, in_band, ram_, ram_base, view_, monitor_),
      bus_("bus"),
      irq_("irq"),
      guest_checker_("guest_bus_checker", [this](const protocol_violation& v) {
          monitor_.violate({now(), "TLM base protocol", v.checker + ": " + v.rule, v.source});
      }) {
    view_.add_region({ram_base, ram_.size(), ram_.data()});
    virtio::device_config registers;
    registers.offered = device_.features();
    registers.queue_size_max = {config_.device.cmdq_size, config_.device.eventq_size};
    config_.guest.irq = config_.device.irq;
    // What the device has is the device's to say.
    config_.guest.sensor_types.clear();
    config_.guest.clock_names.clear();
    registers_ =
        std::make_unique<virtio_mmio_device>("device", registers, view_, device_, monitor_);
    guest_ = std::make_unique<scmi_vp::models::guest>(
        "guest", config_.guest, config_.quantum, config_.seed, guest_hop_latencies_of(config_),
        ram_base, config_.device.mmio_base, view_, monitor_);

    guest_->driver().bus.bind(guest_checker_.in);
    guest_checker_.out.bind(bus_.add_initiator("guest"));
    bus_.add_target("device", config_.device.mmio_base, virtio::mmio::window_size)
        .bind(registers_->in);
    registers_->irq.bind(irq_);
    guest_->interrupts().irq.bind(irq_);
    irq_.observe([this](bool level) { monitor_.irq_level(level); });
}

void agent_alone::finish() {
    guest_->kernel().rethrow_failure();
    monitor_.finish(now());
}

}  // namespace scmi_vp::models
