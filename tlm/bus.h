// SPDX-License-Identifier: Apache-2.0
// An address decoder: initiators on `in`, targets on `out`, each with a window.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "tlm/direct_target_socket.h"

namespace scmi_vp {

/// Forwards transactions to the target whose window holds the address (made relative to the
/// window's base, restored on the way back); none, or a transfer that leaves the window:
/// TLM_ADDRESS_ERROR_RESPONSE. Debug transfers end at the window's end. DMI ranges and
/// invalidations are translated and cut to the window. No latency of its own.
class bus : public sc_core::sc_module {
public:
    using in_socket = direct_target_socket<bus, tlm_utils::simple_target_socket_tagged<bus>>;
    using out_socket = tlm_utils::simple_initiator_socket_tagged<bus>;

    explicit bus(const sc_core::sc_module_name& name);

    /// A new initiator's side; bind its socket to what this returns. The socket is "<bus>.<name>".
    in_socket& add_initiator(const char* name);
    /// A new target with the window [base, base + size). Throws scmi_vp::error (model) on overlap,
    /// an empty window, or one that leaves the 64-bit address space.
    out_socket& add_target(const char* name, std::uint64_t base, std::uint64_t size);

private:
    struct window {
        std::uint64_t base, size;
        out_socket* socket;
        transport_link<out_socket> link;
    };
    friend in_socket;
    class inside;
    window* decode(std::uint64_t address) {
        if (latest_ && address - latest_->base < latest_->size) return latest_;
        return search(address);
    }
    window* search(std::uint64_t address);
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void b_transport_tagged(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
        b_transport(payload, delay);
    }
    bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
    void invalidate_direct_mem_ptr(int id, sc_dt::uint64 start, sc_dt::uint64 end);

    std::deque<in_socket> ins_;
    std::deque<out_socket> outs_;
    std::vector<window> windows_;  ///< the index is the tag of the target's socket
    window* latest_ = nullptr;     ///< found by the latest search
};

}  // namespace scmi_vp
