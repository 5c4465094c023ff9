// SPDX-License-Identifier: Apache-2.0
// A RAM behind a TLM-2.0 target socket: b_transport, DMI, debug transport.
#pragma once

#include <cstdint>
#include <memory>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "base/time.h"

namespace scmi_vp {

/// `in` answers addresses 0..size-1 (the bus subtracts the base). Contents start as zero; host
/// memory is taken page by page as it is touched.
class memory : public sc_core::sc_module {
public:
    tlm_utils::simple_target_socket<memory> in;

    /// `access_latency` is added to the annotated delay of each b_transport. Throws scmi_vp::error
    /// (config) if the size is zero, the host cannot reserve that much, or the latency is negative.
    memory(const sc_core::sc_module_name& name, std::uint64_t size, sim_time access_latency = {});
    ~memory() override;

    std::uint64_t size() const { return size_; }
    std::uint8_t* data() { return data_; }
    /// With DMI refused, every access has to come through b_transport; pointers that were handed
    /// out are invalidated.
    void allow_dmi(bool allowed);

private:
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    tlm::tlm_response_status access(const tlm::tlm_generic_payload& payload);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    unsigned transport_dbg(tlm::tlm_generic_payload& payload);

    std::uint64_t size_;
    std::uint8_t* data_ = nullptr;  ///< anonymous mmap
    sc_core::sc_time latency_;
    bool dmi_allowed_ = true;
};

}  // namespace scmi_vp
