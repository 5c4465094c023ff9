// SPDX-License-Identifier: Apache-2.0
// A passive monitor of the TLM-2.0 base protocol (IEEE 1666-2011 clauses 11, 14, 15), to be bound
// between an initiator and a target.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "base/time.h"
#include "tlm/direct_target_socket.h"

namespace scmi_vp {

struct protocol_violation {
    std::string checker;  ///< hierarchical name
    std::string rule;     ///< one sentence with the values
    const char* source;   ///< "IEEE 1666-2011 14.7"
};

/// Forwards everything unchanged and reports each broken rule once per occurrence: initiator's
/// rules before forwarding (command, data pointer, length, streaming width, byte enables, response
/// status INCOMPLETE, DMI hint cleared, option, reference count), target's rules after (response
/// set, attributes that the target must not change, time not decreased, DMI range holds the
/// address, debug count), b_transport from a method process with a wait.
class protocol_checker : public sc_core::sc_module {
public:
    using report = std::function<void(const protocol_violation&)>;
    direct_target_socket<protocol_checker> in;
    tlm_utils::simple_initiator_socket<protocol_checker> out;

    /// Throws scmi_vp::error (model) if there is nobody to report to.
    protocol_checker(const sc_core::sc_module_name& name, report r);

    std::uint64_t transactions() const { return transactions_; }
    std::uint64_t violations() const { return violations_; }

private:
    friend direct_target_socket<protocol_checker>;
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    unsigned transport_dbg(tlm::tlm_generic_payload& payload);
    void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end);

    struct attributes;
    static bool clean_request(const tlm::tlm_generic_payload& payload);
    [[gnu::cold]] void check_request(const tlm::tlm_generic_payload& payload);
    void check_byte_enables(const tlm::tlm_generic_payload& payload);
    [[gnu::cold]] void check_response(const tlm::tlm_generic_payload& payload);
    [[gnu::cold]] void check_unchanged(const tlm::tlm_generic_payload& payload,
                                       const attributes& before);
    [[gnu::cold]] void check_time(sim_time before, const sc_core::sc_time& delay_after);
    void check_grant(std::uint64_t address, tlm::tlm_command command, const tlm::tlm_dmi& dmi);
    [[gnu::cold]] void violated(const char* source, const std::string& rule);

    transport_link<tlm_utils::simple_initiator_socket<protocol_checker>> link_{out};
    report report_;
    std::uint64_t transactions_ = 0, violations_ = 0;
};

}  // namespace scmi_vp
