// SPDX-License-Identifier: Apache-2.0
// Guest memory by TLM: direct regions where the memory grants DMI, transactions where it does not.
#pragma once

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "virtio/ring/guest_memory.h"

namespace scmi_vp::models {

/// Fills a guest_memory view through `bus` and serves as its slow path. Works in methods: the
/// memory must not block.
class tlm_memory_port : public sc_core::sc_module, public virtio::memory_port {
public:
    tlm_utils::simple_initiator_socket<tlm_memory_port> bus;

    /// The view covers [base, base + size) of the bus.
    tlm_memory_port(sc_core::sc_module_name name, virtio::guest_memory& view, std::uint64_t base,
                    std::uint64_t size);

    bool read(std::uint64_t address, void* data, std::size_t size) override;
    bool write(std::uint64_t address, const void* data, std::size_t size) override;
    bool covers(std::uint64_t address, std::uint64_t size) override;

private:
    void end_of_elaboration() override;
    void map();
    void invalidated(sc_dt::uint64 start, sc_dt::uint64 end);
    bool access(tlm::tlm_command command, std::uint64_t address, void* data, std::size_t size);

    virtio::guest_memory& view_;
    std::uint64_t base_, size_;
    tlm::tlm_generic_payload payload_;
};

}  // namespace scmi_vp::models
