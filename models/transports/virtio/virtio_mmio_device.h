// SPDX-License-Identifier: Apache-2.0
// virtio-mmio version 2 as a TLM-2.0 target: translates register accesses to the register file and
// what follows from them to the device behind.
#pragma once

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "models/monitor.h"
#include "models/platform/scmi_device.h"
#include "tlm/direct_target_socket.h"
#include "tlm/interrupt_line.h"
#include "virtio/mmio_registers.h"

namespace scmi_vp::models {

/// Window of virtio::mmio::window_size bytes. Registers answer in zero time (what an access costs
/// is the guest's: guest_costs::mmio_read, mmio_write); no DMI; debug reads have no side effects.
class virtio_mmio_device : public sc_core::sc_module, public device_front {
public:
    direct_target_socket<virtio_mmio_device> in;
    sc_core::sc_port<interrupt_if> irq;

    virtio_mmio_device(sc_core::sc_module_name name, const virtio::device_config& config,
                       virtio::guest_memory& memory, device_backend& device, monitor& mon);

    const virtio::mmio_register_file& registers() const { return registers_; }
    std::uint64_t guest_errors() const { return guest_errors_; }
    const std::string& last_guest_error() const { return last_guest_error_; }
    /// Told of each broken rule of the driver and of DEVICE_NEEDS_RESET.
    std::function<void(const std::string&)> on_guest_error;

    void used_buffer_interrupt(unsigned queue) override;
    void ring_broken(unsigned queue, const virtio::ring_fault& fault) override;

private:
    friend direct_target_socket<virtio_mmio_device>;
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    unsigned transport_dbg(tlm::tlm_generic_payload& payload);
    std::uint32_t read_register(std::uint32_t offset, unsigned size);
    void write_register(std::uint32_t offset, unsigned size, std::uint32_t value);
    /// The accesses that every request makes; false: not one of them, or not a legal one.
    bool write_fast(std::uint32_t offset, std::uint32_t value);
    [[gnu::cold]] void other_access(tlm::tlm_generic_payload& payload);
    void apply(const virtio::register_effect& effect);
    [[gnu::cold]] void guest_error(const std::string& what);
    void update_irq();

    virtio::mmio_register_file registers_;
    device_backend& device_;
    monitor& mon_;
    bool irq_high_ = false;
    std::uint64_t guest_errors_ = 0;
    std::string last_guest_error_;
};

}  // namespace scmi_vp::models
