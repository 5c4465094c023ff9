// SPDX-License-Identifier: Apache-2.0
// What the tests of this room share: an initiator that keeps what comes back, and payloads.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

namespace scmi_vp {

/// Calls from the test's body, between sc_start calls, or from a process.
class test_initiator : public sc_core::sc_module {
public:
    tlm_utils::simple_initiator_socket<test_initiator> out;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay;
    tlm::tlm_dmi dmi;

    explicit test_initiator(const sc_core::sc_module_name& name)
        : sc_core::sc_module(name), out("out") {
        out.register_invalidate_direct_mem_ptr(this, &test_initiator::invalidate);
    }

    /// A well-formed payload; `data` must outlive the call.
    tlm::tlm_generic_payload& prepare(tlm::tlm_command command, std::uint64_t address, void* data,
                                      unsigned length) {
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_ptr(static_cast<unsigned char*>(data));
        payload.set_data_length(length);
        payload.set_streaming_width(length);
        payload.set_byte_enable_ptr(nullptr);
        payload.set_byte_enable_length(0);
        payload.set_dmi_allowed(false);
        payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        payload.set_gp_option(tlm::TLM_MIN_PAYLOAD);
        delay = sc_core::SC_ZERO_TIME;
        return payload;
    }
    tlm::tlm_response_status send() {
        out->b_transport(payload, delay);
        return payload.get_response_status();
    }
    tlm::tlm_response_status write(std::uint64_t address, std::string data) {
        prepare(tlm::TLM_WRITE_COMMAND, address, data.data(), static_cast<unsigned>(data.size()));
        return send();
    }
    /// The bytes read, or the name of the response if it is not OK.
    std::string read(std::uint64_t address, unsigned length) {
        std::string data(length, '?');
        prepare(tlm::TLM_READ_COMMAND, address, data.data(), length);
        return send() == tlm::TLM_OK_RESPONSE ? data : payload.get_response_string();
    }
    bool ask_dmi(std::uint64_t address, tlm::tlm_command command = tlm::TLM_READ_COMMAND) {
        prepare(command, address, nullptr, 0);
        dmi.init();
        return out->get_direct_mem_ptr(payload, dmi);
    }

private:
    void invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
        invalidated.emplace_back(start, end);
    }
};

}  // namespace scmi_vp
