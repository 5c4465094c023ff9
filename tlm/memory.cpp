// SPDX-License-Identifier: Apache-2.0
// A RAM behind a TLM-2.0 target socket: b_transport, DMI, debug transport.
#include "tlm/memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/mman.h>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp {

namespace {

std::uint8_t* reserve(const char* name, std::uint64_t size) {
    if (size == 0)
        throw error(error_kind::config, name, "a memory needs a size of at least 1 byte");
    void* p = MAP_FAILED;
    if (size <= SIZE_MAX / 2) {
        p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    } else {
        errno = ENOMEM;
    }
    if (p == MAP_FAILED) {
        throw error(error_kind::config, name,
                    "the host cannot reserve a memory of " + std::to_string(size) + " bytes (" +
                        std::strerror(errno) + "); choose a smaller size");
    }
    return static_cast<std::uint8_t*>(p);
}

/// Byte i of a transfer is at address + i % streaming width, and is transferred if byte
/// i % byte enable length of the enables is set (IEEE 1666-2011 14.13, 14.15).
void copy_slowly(const tlm::tlm_generic_payload& payload, std::uint8_t* start) {
    std::uint8_t* data = payload.get_data_ptr();
    const std::uint8_t* enables = payload.get_byte_enable_ptr();
    const unsigned enables_length = payload.get_byte_enable_length();
    const unsigned width = payload.get_streaming_width();
    for (unsigned i = 0; i < payload.get_data_length(); ++i) {
        if (enables && enables[i % enables_length] != TLM_BYTE_ENABLED) continue;
        if (payload.is_write()) {
            start[i % width] = data[i];
        } else {
            data[i] = start[i % width];
        }
    }
}

}  // namespace

memory::memory(const sc_core::sc_module_name& name, std::uint64_t size, sim_time access_latency)
    : sc_core::sc_module(name), in("in"), size_(size), latency_(to_sc(access_latency)) {
    if (access_latency < sim_time{}) {
        throw error(
            error_kind::config, this->name(),
            "the access latency is " + to_string(access_latency) + "; it must not be negative");
    }
    data_ = reserve(this->name(), size);
    in.register_b_transport(this, &memory::b_transport);
    in.register_get_direct_mem_ptr(this, &memory::get_direct_mem_ptr);
    in.register_transport_dbg(this, &memory::transport_dbg);
}

memory::~memory() {
    if (data_) munmap(data_, size_);
}

void memory::allow_dmi(bool allowed) {
    const bool withdrawn = dmi_allowed_ && !allowed;
    dmi_allowed_ = allowed;
    // Sockets are connected when elaboration is over; nobody can have asked before.
    if (withdrawn && sc_core::sc_get_status() >= sc_core::SC_START_OF_SIMULATION) {
        in->invalidate_direct_mem_ptr(0, size_ - 1);
    }
}

tlm::tlm_response_status memory::access(const tlm::tlm_generic_payload& payload) {
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_OK_RESPONSE;
    if (!payload.is_read() && !payload.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
    const unsigned length = payload.get_data_length();
    const unsigned width = payload.get_streaming_width();
    const bool enables = payload.get_byte_enable_ptr() != nullptr;
    if (length == 0 || width == 0) return tlm::TLM_BURST_ERROR_RESPONSE;
    if (!payload.get_data_ptr()) return tlm::TLM_GENERIC_ERROR_RESPONSE;
    if (enables && payload.get_byte_enable_length() == 0)
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;

    const std::uint64_t address = payload.get_address();
    if (address >= size_ || std::min(length, width) > size_ - address) {
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    }
    if (enables || width < length) {
        copy_slowly(payload, data_ + address);
    } else if (payload.is_write()) {
        std::memcpy(data_ + address, payload.get_data_ptr(), length);
    } else {
        std::memcpy(payload.get_data_ptr(), data_ + address, length);
    }
    return tlm::TLM_OK_RESPONSE;
}

void memory::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const tlm::tlm_response_status status = access(payload);
    payload.set_response_status(status);
    payload.set_dmi_allowed(dmi_allowed_ && status == tlm::TLM_OK_RESPONSE);
    delay += latency_;
}

bool memory::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    // A refusal says for which range and which kinds of access (IEEE 1666-2011 11.2.5).
    const bool inside = payload.get_address() < size_;
    dmi.allow_read_write();
    dmi.set_start_address(inside ? 0 : size_);
    dmi.set_end_address(inside ? size_ - 1 : UINT64_MAX);
    if (!inside || !dmi_allowed_) return false;
    dmi.set_dmi_ptr(data_);
    dmi.set_read_latency(latency_);
    dmi.set_write_latency(latency_);
    return true;
}

unsigned memory::transport_dbg(tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    if (address >= size_ || !payload.get_data_ptr()) return 0;
    const auto count =
        static_cast<unsigned>(std::min<std::uint64_t>(payload.get_data_length(), size_ - address));
    if (payload.is_write()) {
        std::memcpy(data_ + address, payload.get_data_ptr(), count);
    } else if (payload.is_read()) {
        std::memcpy(payload.get_data_ptr(), data_ + address, count);
    } else {
        return 0;
    }
    return count;
}

}  // namespace scmi_vp
