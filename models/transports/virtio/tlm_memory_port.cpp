// SPDX-License-Identifier: Apache-2.0
// See tlm_memory_port.h.
#include "models/transports/virtio/tlm_memory_port.h"

#include "tlm/sc_time.h"

namespace scmi_vp::models {

tlm_memory_port::tlm_memory_port(sc_core::sc_module_name name, virtio::guest_memory& view,
                                 std::uint64_t base, std::uint64_t size)
    : sc_core::sc_module(name), bus("bus"), view_(view), base_(base), size_(size) {
    view_.set_port(this);
    bus.register_invalidate_direct_mem_ptr(this, &tlm_memory_port::invalidated);
}

void tlm_memory_port::end_of_elaboration() {
    map();
}

void tlm_memory_port::map() {
    view_.clear_regions();
    tlm::tlm_dmi dmi;
    payload_.set_command(tlm::TLM_READ_COMMAND);
    payload_.set_address(base_);
    if (!bus->get_direct_mem_ptr(payload_, dmi) || !dmi.is_read_write_allowed()) return;
    view_.add_region({dmi.get_start_address(), dmi.get_end_address() - dmi.get_start_address() + 1,
                      dmi.get_dmi_ptr()});
}

// From now on every access is a transaction.
void tlm_memory_port::invalidated(sc_dt::uint64, sc_dt::uint64) {
    view_.clear_regions();
}

bool tlm_memory_port::covers(std::uint64_t address, std::uint64_t size) {
    return address >= base_ && size <= size_ && address - base_ <= size_ - size;
}

bool tlm_memory_port::access(tlm::tlm_command command, std::uint64_t address, void* data,
                             std::size_t size) {
    if (!covers(address, size)) return false;
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(static_cast<unsigned char*>(data));
    payload_.set_data_length(static_cast<unsigned>(size));
    payload_.set_streaming_width(static_cast<unsigned>(size));
    payload_.set_byte_enable_ptr(nullptr);
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = time_offset();
    bus->b_transport(payload_, delay);
    return payload_.is_response_ok();
}

bool tlm_memory_port::read(std::uint64_t address, void* data, std::size_t size) {
    return access(tlm::TLM_READ_COMMAND, address, data, size);
}

bool tlm_memory_port::write(std::uint64_t address, const void* data, std::size_t size) {
    return access(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), size);
}

}  // namespace scmi_vp::models
