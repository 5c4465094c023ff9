// SPDX-License-Identifier: Apache-2.0
// See system.h.
#include "models/system.h"

#include "models/hop_latencies.h"

namespace scmi_vp::models {

system::system(sc_core::sc_module_name name, const system_config& config, run_sink& sink)
    : sc_core::sc_module(name),
      config_(config),
      monitor_(sink),
      ownership_([this](const virtio::ownership_violation& v) {
          monitor_.violate({now(), "virtqueue ownership",
                            v.rule + " (" + (v.who == virtio::actor::driver ? "driver" : "device") +
                                (v.write ? " write" : " read") + " of " + std::to_string(v.size) +
                                " bytes at " + std::to_string(v.address) + ")",
                            v.source});
      }),
      ram_("ram", config.guest.memory_bytes),
      bus_("bus"),
      irq_("irq"),
      dma_("dma", view_, ram_base, config.guest.memory_bytes),
      guest_checker_(
          "guest_bus_checker",
          [this](const protocol_violation& v) {
              monitor_.violate({now(), "TLM base protocol", v.checker + ": " + v.rule, v.source});
          }),
      dma_checker_("dma_checker", [this](const protocol_violation& v) {
          monitor_.violate({now(), "TLM base protocol", v.checker + ": " + v.rule, v.source});
      }) {
    // "Simulation stopped by user" is how every finished run ends.
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                            sc_core::SC_DO_NOTHING);
    ram_.allow_dmi(config_.use_dmi);
    config_.guest.irq = config_.device.irq;
    platform_ = std::make_unique<scmi_device>("platform", config_.platform,
                                              host_latencies_of(config_), view_, monitor_);
    device_ = std::make_unique<virtio_mmio_device>("device", virtio_config(), view_, *platform_,
                                                   monitor_);
    guest_ = std::make_unique<scmi_vp::models::guest>(
        "guest", config_.guest, config_.quantum, config_.seed, guest_hop_latencies_of(config_),
        ram_base, config_.device.mmio_base, view_, monitor_);

    guest_->driver().bus.bind(guest_checker_.in);
    guest_checker_.out.bind(bus_.add_initiator("guest"));
    dma_.bus.bind(dma_checker_.in);
    dma_checker_.out.bind(bus_.add_initiator("dma"));
    bus_.add_target("ram", ram_base, config_.guest.memory_bytes).bind(ram_.in);
    bus_.add_target("device", config_.device.mmio_base, virtio::mmio::window_size)
        .bind(device_->in);
    device_->irq.bind(irq_);
    guest_->interrupts().irq.bind(irq_);
    connect_checkers();
}

void system::connect_checkers() {
    view_.set_observer(&ownership_);
    monitor_.set_ownership(&ownership_);
    irq_checker_ = std::make_unique<interrupt_checker>(
        irq_, [this] { return device_->registers().interrupt_status() != 0; },
        [this](const interrupt_violation& v) {
            monitor_.violate({now(), "interrupt line", v.line + ": " + v.rule, v.source});
        });
}

virtio::device_config system::virtio_config() const {
    virtio::device_config c;
    c.offered = virtio::feature::version_1;
    if (config_.device.p2a_channels) c.offered |= virtio::feature::scmi_p2a_channels;
    if (config_.device.event_idx) c.offered |= virtio::feature::event_idx;
    if (config_.device.indirect_desc) c.offered |= virtio::feature::indirect_desc;
    c.queue_size_max = {config_.device.cmdq_size, config_.device.eventq_size};
    return c;
}

void system::trace(traces::vcd_writer& out, unsigned xfers) {
    waves::names n;
    n.device = device_->name();
    n.irq = irq_.name();
    n.guest = guest_->name();
    n.requests = requests_.name();
    n.platform = platform_->name();
    n.queues = {std::string(platform_->name()) + ".cmdq",
                std::string(platform_->name()) + ".eventq"};
    n.xfers = xfers;
    for (const auto& c : guest_->kernel().contexts()) n.contexts.emplace_back(c->name());
    waves_ = std::make_unique<waves>(out, n);
    monitor_.set_waves(waves_.get());
}

void system::run(sim_time until) {
    timeline::get().run_ahead(config_.run_ahead, until);
    sc_core::sc_start(to_sc(until - kernel_time()));
}

void system::finish() {
    guest_->kernel().rethrow_failure();
    if (waves_) waves_->finish();
    irq_checker_->check();
    monitor_.finish(now());
}

}  // namespace scmi_vp::models
