// SPDX-License-Identifier: Apache-2.0
// See virtio_driver.h. The order of accesses is Linux 6.1's (virtio_mmio_probe, virtio_dev_probe,
// vm_finalize_features, vm_setup_vq); 6.12 differs where the profile says so.
#include "models/transports/virtio/virtio_driver.h"

#include "base/error.h"

namespace scmi_vp::models {

using namespace virtio;

std::uint64_t guest_allocator::take(std::uint64_t bytes, std::uint64_t alignment) {
    const std::uint64_t at = (next_ + alignment - 1) / alignment * alignment;
    if (at + bytes > end_ || at + bytes < at) {
        throw error(error_kind::config,
                    "guest.memory is too small for the rings and message buffers");
    }
    next_ = at + bytes;
    return at;
}

virtio_driver::virtio_driver(sc_core::sc_module_name name, guest_kernel& kernel,
                             std::uint64_t device_base, guest_memory& memory,
                             guest_allocator& allocator)
    : sc_core::sc_module(name),
      bus("bus"),
      kernel_(kernel),
      base_(device_base),
      memory_(memory),
      allocator_(allocator) {
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&data_));
    payload_.set_data_length(sizeof data_);
    payload_.set_streaming_width(sizeof data_);
    payload_.set_byte_enable_ptr(nullptr);
}

void virtio_driver::transport(tlm::tlm_command command, std::uint32_t offset) {
    payload_.set_command(command);
    payload_.set_address(base_ + offset);
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = time_offset();
    link_.b_transport(payload_, delay);
    if (payload_.is_response_error()) bus_error(offset);
}

void virtio_driver::bus_error(std::uint32_t offset) {
    throw error(error_kind::model, std::string(name()) + ": register access at offset " +
                                       std::to_string(offset) + " answered " +
                                       payload_.get_response_string());
}

std::uint32_t virtio_driver::read(guest_context& c, std::uint32_t offset) {
    c.spend(kernel_.costs().mmio_read);
    c.sync();
    return read_now(offset);
}

void virtio_driver::write(guest_context& c, std::uint32_t offset, std::uint32_t value) {
    c.spend(kernel_.costs().mmio_write);
    c.sync();
    write_now(offset, value);
}

void virtio_driver::add_status(guest_context& c, std::uint32_t bits) {
    write(c, mmio::status, read(c, mmio::status) | bits);  // virtio_add_status
}

void virtio_driver::fail(guest_context& c, const std::string& why) {
    add_status(c, device_status::failed);
    kernel_.printk("virtio virtio0: " + why, c.time());
}

bool virtio_driver::identify(guest_context& c) {
    // virtio_mmio_probe.
    const std::uint32_t magic = read(c, mmio::magic_value);
    if (magic != 0x74726976) {
        kernel_.printk("virtio-mmio: Wrong magic value " + std::to_string(magic), c.time());
        return false;
    }
    const std::uint32_t version = read(c, mmio::version);
    if (version != 2) {
        kernel_.printk("virtio-mmio: Version " + std::to_string(version) + " not supported!",
                       c.time());
        return false;
    }
    const std::uint32_t device = read(c, mmio::device_id);
    if (device == 0) return false;  // a placeholder: silent (virtio 4.2.2.2)
    read(c, mmio::vendor_id);
    write(c, mmio::status, 0);  // register_virtio_device: reset
    add_status(c, device_status::acknowledge);
    return device == scmi_device_id;
}

bool virtio_driver::negotiate(guest_context& c) {
    // virtio_dev_probe: high word first, both ways.
    add_status(c, device_status::driver);
    write(c, mmio::device_features_sel, 1);
    std::uint64_t offered = std::uint64_t(read(c, mmio::device_features)) << 32;
    write(c, mmio::device_features_sel, 0);
    offered |= read(c, mmio::device_features);
    // vring_transport_features keeps what the ring code knows (the packed ring is not modelled);
    // scmi_vio_probe's table has P2A_CHANNELS only.
    features_ = offered & (feature::scmi_p2a_channels | feature::indirect_desc |
                           feature::event_idx | feature::version_1);
    if (!(features_ & feature::version_1)) {
        fail(c, "device must provide VIRTIO_F_VERSION_1");
        return false;
    }
    write(c, mmio::driver_features_sel, 1);
    write(c, mmio::driver_features, static_cast<std::uint32_t>(features_ >> 32));
    write(c, mmio::driver_features_sel, 0);
    write(c, mmio::driver_features, static_cast<std::uint32_t>(features_));
    add_status(c, device_status::features_ok);
    if (!(read(c, mmio::status) & device_status::features_ok)) {
        fail(c, "device refuses features");
        return false;
    }
    p2a_ = (features_ & feature::scmi_p2a_channels) != 0;
    return true;
}

bool virtio_driver::set_up_queue(guest_context& c, unsigned index) {
    // vm_setup_vq.
    write(c, mmio::queue_sel, index);
    if (read(c, mmio::queue_ready) != 0) return false;
    const std::uint32_t num = read(c, mmio::queue_size_max);
    if (num == 0) {
        write(c, mmio::queue_ready, 0);
        read(c, mmio::queue_ready);
        return false;
    }
    const std::uint32_t align = kernel_.config().vring_align;
    const auto size = static_cast<std::uint16_t>(num);
    const std::uint64_t base = allocator_.take(ring_layout::linux_block_bytes(size, align), align);
    const ring_layout layout = ring_layout::linux_block(base, size, align);
    queues_[index] = driver_queue(
        memory_, layout,
        {(features_ & feature::event_idx) != 0, (features_ & feature::indirect_desc) != 0});
    write(c, mmio::queue_size, num);
    write(c, mmio::queue_desc_low, static_cast<std::uint32_t>(layout.desc));
    write(c, mmio::queue_desc_high, static_cast<std::uint32_t>(layout.desc >> 32));
    write(c, mmio::queue_driver_low, static_cast<std::uint32_t>(layout.avail));
    write(c, mmio::queue_driver_high, static_cast<std::uint32_t>(layout.avail >> 32));
    write(c, mmio::queue_device_low, static_cast<std::uint32_t>(layout.used));
    write(c, mmio::queue_device_high, static_cast<std::uint32_t>(layout.used >> 32));
    write(c, mmio::queue_ready, 1);
    return true;
}

bool virtio_driver::probe(guest_context& c) {
    return identify(c) && bind(c);
}

void virtio_driver::unbind(guest_context& c) {
    write(c, mmio::status, 0);
    for (unsigned q = 0; q < queues(); ++q) {
        write(c, mmio::queue_sel, q);
        write(c, mmio::queue_ready, 0);
        read(c, mmio::queue_ready);
        queues_[q] = driver_queue();
    }
    read(c, mmio::status);  // virtio_dev_remove makes sure that it was reset
    add_status(c, device_status::acknowledge);
}

bool virtio_driver::bind(guest_context& c) {
    if (!negotiate(c)) return false;
    for (unsigned q = 0; q < queues(); ++q) {
        if (!set_up_queue(c, q)) {
            fail(c, "probe of virtio0 failed: queue " + std::to_string(q) + " cannot be used");
            return false;
        }
    }
    if (kernel_.config().profile.driver_ok_in_driver_probe) {
        add_status(c, device_status::driver_ok);  // scmi_vio_probe: virtio_device_ready
        read(c, mmio::status);                    // virtio_dev_probe only looks
    } else {
        read(c, mmio::status);                    // virtio_dev_probe looks,
        add_status(c, device_status::driver_ok);  // then virtio_device_ready
    }
    return true;
}

}  // namespace scmi_vp::models
