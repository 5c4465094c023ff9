// SPDX-License-Identifier: Apache-2.0
// The whole system in one SystemC hierarchy: guest, bus, RAM, virtio-mmio device, platform, and the
// checkers that watch every run.
#pragma once

#include <memory>

#include <systemc>

#include "models/config.h"
#include "models/guest/guest.h"
#include "models/monitor.h"
#include "models/platform/scmi_device.h"
#include "models/scope.h"
#include "models/transports/virtio/tlm_memory_port.h"
#include "models/transports/virtio/virtio_mmio_device.h"
#include "models/waves.h"
#include "tlm/bus.h"
#include "tlm/interrupt_checker.h"
#include "tlm/interrupt_line.h"
#include "tlm/memory.h"
#include "tlm/protocol_checker.h"

namespace scmi_vp::models {

inline constexpr std::uint64_t ram_base = 0x40000000;

class system : public sc_core::sc_module {
public:
    /// Everything is built and bound; then sc_start. `sink` must outlive the simulation.
    system(sc_core::sc_module_name name, const system_config& config, run_sink& sink);

    monitor& mon() { return monitor_; }
    scmi_vp::models::guest& guest() { return *guest_; }
    scmi_device& platform() { return *platform_; }
    virtio_mmio_device& device() { return *device_; }
    interrupt_line& irq() { return irq_; }
    memory& ram() { return ram_; }
    bus& interconnect() { return bus_; }
    protocol_checker& guest_bus_checker() { return guest_checker_; }
    virtio::guest_memory& view() { return view_; }
    virtio::ownership_checker& ownership() { return ownership_; }

    using sc_core::sc_object::trace;  // SystemC's own, not hidden by this
    /// Signals of this hierarchy into `out`; before the simulation starts.
    void trace(traces::vcd_writer& out, unsigned xfers);

    /// Simulates until then, or until a model ends the simulation. Models run ahead of SystemC's
    /// time by at most config.run_ahead.
    void run(sim_time until);

    /// After the run: open records go to the sink, checkers look a last time. Throws the
    /// scmi_vp::error of a task of the guest or of the waveform, if one ended the run.
    void finish();

private:
    virtio::device_config virtio_config() const;
    void connect_checkers();

    system_config config_;
    monitor monitor_;
    virtio::guest_memory view_;
    virtio::ownership_checker ownership_;
    memory ram_;
    bus bus_;
    interrupt_line irq_;
    tlm_memory_port dma_;
    protocol_checker guest_checker_, dma_checker_;
    std::unique_ptr<scmi_device> platform_;
    std::unique_ptr<virtio_mmio_device> device_;
    std::unique_ptr<scmi_vp::models::guest> guest_;
    std::unique_ptr<interrupt_checker> irq_checker_;
    std::unique_ptr<waves> waves_;
    // Places in the hierarchy for what is not a module of its own.
    scope requests_{"requests"};
};

}  // namespace scmi_vp::models
