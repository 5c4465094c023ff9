// SPDX-License-Identifier: Apache-2.0
// See virtio_mmio_device.h.
#include "models/transports/virtio/virtio_mmio_device.h"

#include <algorithm>
#include <cstring>

#include "models/waves.h"

namespace scmi_vp::models {

virtio_mmio_device::virtio_mmio_device(sc_core::sc_module_name name,
                                       const virtio::device_config& config,
                                       virtio::guest_memory& memory, device_backend& device,
                                       monitor& mon)
    : sc_core::sc_module(name),
      in("in", *this),
      irq("irq"),
      registers_(config, &memory),
      device_(device),
      mon_(mon) {
    in.register_b_transport(this, &virtio_mmio_device::b_transport);
    in.register_transport_dbg(this, &virtio_mmio_device::transport_dbg);
    device_.connect(*this);
}

void virtio_mmio_device::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    const std::uint64_t address = payload.get_address();
    std::uint32_t value = 0;
    if (payload.get_data_length() != sizeof value || payload.get_streaming_width() < sizeof value ||
        payload.get_byte_enable_ptr() || address > virtio::mmio::window_size - sizeof value) {
        return other_access(payload);
    }
    const auto offset = static_cast<std::uint32_t>(address);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (payload.is_read()) {
        value = read_register(offset, sizeof value);
        std::memcpy(payload.get_data_ptr(), &value, sizeof value);
    } else if (payload.is_write()) {
        std::memcpy(&value, payload.get_data_ptr(), sizeof value);
        write_register(offset, sizeof value, value);
    }
}

/// All but 32-bit accesses.
void virtio_mmio_device::other_access(tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    const unsigned size = payload.get_data_length();
    if (payload.get_byte_enable_ptr()) {
        payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        return;
    }
    if (payload.get_streaming_width() < size) {
        payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
        return;
    }
    if (address + size > virtio::mmio::window_size) {
        payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        return;
    }
    // An access that a register does not support is a guest error, not a bus error: a bus error
    // would crash a guest kernel where real devices ignore the access.
    const auto offset = static_cast<std::uint32_t>(address);
    const std::size_t used = std::min<std::size_t>(size, sizeof(std::uint32_t));
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (payload.is_read()) {
        const std::uint32_t value = read_register(offset, size);
        std::memset(payload.get_data_ptr(), 0, size);
        std::memcpy(payload.get_data_ptr(), &value, used);
    } else if (payload.is_write()) {
        std::uint32_t value = 0;
        std::memcpy(&value, payload.get_data_ptr(), used);
        write_register(offset, size, value);
    }
}

inline std::uint32_t virtio_mmio_device::read_register(std::uint32_t offset, unsigned size) {
    if (offset == virtio::mmio::interrupt_status && size == sizeof(std::uint32_t)) {
        const std::uint32_t status = registers_.interrupt_status();
        mon_.register_access(false, offset, status);
        return status;
    }
    virtio::register_effect effect;
    const std::uint32_t value = registers_.read(offset, size, effect);
    mon_.register_access(false, offset, value);
    if (effect.guest_error) guest_error(effect.guest_error);  // a read has no other effect
    return value;
}

inline void virtio_mmio_device::write_register(std::uint32_t offset, unsigned size,
                                               std::uint32_t value) {
    mon_.register_access(true, offset, value);
    if (size == sizeof value && write_fast(offset, value)) return;
    apply(registers_.write(offset, size, value));
}

inline bool virtio_mmio_device::write_fast(std::uint32_t offset, std::uint32_t value) {
    if (offset == virtio::mmio::interrupt_ack && registers_.acknowledge(value)) {
        update_irq();
        return true;
    }
    if (offset == virtio::mmio::queue_notify && registers_.kicks(value)) {
        device_.kick(value);
        return true;
    }
    return false;
}

unsigned virtio_mmio_device::transport_dbg(tlm::tlm_generic_payload& payload) {
    if (!payload.is_read()) return 0;
    const std::uint64_t address = payload.get_address();
    unsigned done = 0;
    for (; done < payload.get_data_length() && address + done < virtio::mmio::window_size; ++done) {
        const auto offset = static_cast<std::uint32_t>(address + done);
        payload.get_data_ptr()[done] =
            static_cast<std::uint8_t>(registers_.peek(offset & ~3u) >> (8 * (offset & 3)));
    }
    return done;
}

void virtio_mmio_device::apply(const virtio::register_effect& effect) {
    if (effect.guest_error) guest_error(effect.guest_error);
    if (effect.needs_reset) guest_error("the queue's configuration is illegal: DEVICE_NEEDS_RESET");
    if (effect.reset) {
        device_.reset();
        mon_.device_reset();
        if (mon_.ownership()) mon_.ownership()->reset();
    }
    if (effect.queue_enabled) {
        const virtio::ring_layout layout = registers_.layout(effect.queue);
        device_.start(effect.queue, layout, registers_.features(),
                      registers_.state().has(virtio::feature::scmi_p2a_channels));
        if (mon_.ownership()) mon_.ownership()->queue_enabled(effect.queue, layout);
    }
    if (effect.queue_disabled) {
        device_.stop(effect.queue);
        if (mon_.ownership()) mon_.ownership()->queue_disabled(effect.queue);
    }
    // A driver may fill a ring before DRIVER_OK and never kick again (virtio 2.1, STAT-06).
    if (effect.driver_ok) {
        for (unsigned q = 0; q < registers_.state().queues.size(); ++q) {
            if (registers_.state().queues[q].ready && device_.has_work(q)) device_.kick(q);
        }
    }
    if (effect.kick) device_.kick(effect.queue);
    update_irq();
}

void virtio_mmio_device::guest_error(const std::string& what) {
    ++guest_errors_;
    last_guest_error_ = what;
    if (on_guest_error) on_guest_error(what);
}

void virtio_mmio_device::used_buffer_interrupt(unsigned) {
    registers_.raise_used_buffer();
    update_irq();
}

void virtio_mmio_device::ring_broken(unsigned, const virtio::ring_fault& fault) {
    guest_error(fault.what + " (" + fault.section + "): DEVICE_NEEDS_RESET");
    registers_.enter_needs_reset();
    update_irq();
}

void virtio_mmio_device::update_irq() {
    const std::uint32_t status = registers_.interrupt_status();
    if (waves* w = mon_.wave()) w->interrupt_status(now(), status);
    if (irq_high_ == (status != 0)) return;
    irq_high_ = status != 0;
    mon_.irq_level(irq_high_);
    irq->set(irq_high_);
}

}  // namespace scmi_vp::models
