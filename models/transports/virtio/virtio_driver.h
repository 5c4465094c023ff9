// SPDX-License-Identifier: Apache-2.0
// Linux' virtio core and virtio-mmio driver: probe register by register, queue set-up, notify
// (drivers/virtio/virtio.c, virtio_mmio.c, virtio_ring.c; drivers/firmware/arm_scmi/virtio.c).
#pragma once

#include <array>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "models/kernel/kernel.h"
#include "tlm/direct_target_socket.h"
#include "virtio/mmio_registers.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::models {

/// Hands out guest memory; nothing is freed (rings and message buffers live as long as the device).
class guest_allocator {
public:
    guest_allocator(std::uint64_t base, std::uint64_t size) : next_(base), end_(base + size) {}
    /// Throws scmi_vp::error (config) when guest.memory is too small.
    std::uint64_t take(std::uint64_t bytes, std::uint64_t alignment);

private:
    std::uint64_t next_, end_;
};

class virtio_driver : public sc_core::sc_module {
public:
    tlm_utils::simple_initiator_socket<virtio_driver> bus;

    /// `device_base` is where the device's window lies on the bus.
    virtio_driver(sc_core::sc_module_name name, guest_kernel& kernel, std::uint64_t device_base,
                  virtio::guest_memory& memory, guest_allocator& allocator);

    /// From the first register read to DRIVER_OK. False when the device cannot be driven: FAILED is
    /// set where Linux sets it and the reason is in the log.
    bool probe(guest_context& c);
    /// The second half of it: features, queues, DRIVER_OK; for a driver that is bound again.
    bool bind(guest_context& c);
    /// The driver is unbound: the device is reset, its queues are given up
    /// (scmi_vio_remove, vm_del_vqs, virtio_dev_remove).
    void unbind(guest_context& c);

    bool has_eventq() const { return p2a_; }
    bool has_indirect() const { return (features_ & virtio::feature::indirect_desc) != 0; }
    unsigned queues() const { return p2a_ ? 2 : 1; }
    virtio::driver_queue& queue(unsigned q) { return queues_[q]; }
    const virtio::driver_queue& queue(unsigned q) const { return queues_[q]; }

    /// Register accesses in task context, with their cost; they synchronise.
    std::uint32_t read(guest_context& c, std::uint32_t offset);
    void write(guest_context& c, std::uint32_t offset, std::uint32_t value);
    /// ... and at the current time, for interrupt handlers that account for cost themselves.
    std::uint32_t read_now(std::uint32_t offset) {
        data_ = 0;
        transport(tlm::TLM_READ_COMMAND, offset);
        return data_;
    }
    void write_now(std::uint32_t offset, std::uint32_t value) {
        data_ = value;
        transport(tlm::TLM_WRITE_COMMAND, offset);
    }

private:
    bool identify(guest_context& c);
    bool negotiate(guest_context& c);
    bool set_up_queue(guest_context& c, unsigned index);
    void add_status(guest_context& c, std::uint32_t bits);
    void fail(guest_context& c, const std::string& why);
    void transport(tlm::tlm_command command, std::uint32_t offset);
    [[gnu::cold]] [[noreturn]] void bus_error(std::uint32_t offset);

    guest_kernel& kernel_;
    std::uint64_t base_;
    virtio::guest_memory& memory_;
    guest_allocator& allocator_;
    std::array<virtio::driver_queue, 2> queues_;
    std::uint64_t features_ = 0;
    bool p2a_ = false;
    transport_link<tlm_utils::simple_initiator_socket<virtio_driver>> link_{bus};
    tlm::tlm_generic_payload payload_;  ///< used again and again; what never changes is set once
    std::uint32_t data_ = 0;            ///< its data
};

}  // namespace scmi_vp::models
