// SPDX-License-Identifier: Apache-2.0
// A passive monitor of the TLM-2.0 base protocol (IEEE 1666-2011 clauses 11, 14, 15), to be bound
// between an initiator and a target.
//
// Texts are made only when a rule is broken: a clean transaction costs a few loads and compares.
#include "tlm/protocol_checker.h"

#include <cstring>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp {

namespace {

std::string hex(std::uint64_t value) {
    std::ostringstream text;
    text << "0x" << std::hex << value;
    return text.str();
}

std::string range(const tlm::tlm_dmi& dmi) {
    return hex(dmi.get_start_address()) + ".." + hex(dmi.get_end_address());
}

bool fresh(const tlm::tlm_dmi& dmi) {
    return !dmi.get_dmi_ptr() && dmi.is_none_allowed() && dmi.get_start_address() == 0 &&
           dmi.get_end_address() == UINT64_MAX && dmi.get_read_latency() == sc_core::SC_ZERO_TIME &&
           dmi.get_write_latency() == sc_core::SC_ZERO_TIME;
}

}  // namespace

/// What neither target nor interconnect may change (IEEE 1666-2011 14.7, the table); the address
/// is not among them.
struct protocol_checker::attributes {
    tlm::tlm_command command;
    const unsigned char *data, *enables;
    unsigned length, enables_length, width;

    explicit attributes(const tlm::tlm_generic_payload& p)
        : command(p.get_command()),
          data(p.get_data_ptr()),
          enables(p.get_byte_enable_ptr()),
          length(p.get_data_length()),
          enables_length(p.get_byte_enable_length()),
          width(p.get_streaming_width()) {}

    bool same_as(const tlm::tlm_generic_payload& p) const {
        return command == p.get_command() && data == p.get_data_ptr() &&
               enables == p.get_byte_enable_ptr() && length == p.get_data_length() &&
               enables_length == p.get_byte_enable_length() && width == p.get_streaming_width();
    }
};

protocol_checker::protocol_checker(const sc_core::sc_module_name& name, report r)
    : sc_core::sc_module(name), in("in", *this), out("out"), report_(std::move(r)) {
    if (!report_) {
        throw error(error_kind::model, this->name(),
                    "a protocol checker needs somebody to report to");
    }
    in.register_b_transport(this, &protocol_checker::b_transport);
    in.register_get_direct_mem_ptr(this, &protocol_checker::get_direct_mem_ptr);
    in.register_transport_dbg(this, &protocol_checker::transport_dbg);
    out.register_invalidate_direct_mem_ptr(this, &protocol_checker::invalidate_direct_mem_ptr);
}

void protocol_checker::violated(const char* source, const std::string& rule) {
    ++violations_;
    report_({name(), rule + " at " + to_string(now()), source});
}

/// True for the everyday transaction, which breaks none of the rules of check_request.
inline bool protocol_checker::clean_request(const tlm::tlm_generic_payload& p) {
    return (p.is_read() || p.is_write()) && p.get_data_ptr() && p.get_data_length() != 0 &&
           !p.get_byte_enable_ptr() && p.get_streaming_width() != 0 && !p.is_dmi_allowed() &&
           p.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE &&
           p.get_gp_option() == tlm::TLM_MIN_PAYLOAD && !p.has_mm();
}

void protocol_checker::check_request(const tlm::tlm_generic_payload& payload) {
    const bool ignore = payload.get_command() == tlm::TLM_IGNORE_COMMAND;
    if (static_cast<unsigned>(payload.get_command()) > tlm::TLM_IGNORE_COMMAND) {
        violated("IEEE 1666-2011 14.9", "the command " + std::to_string(payload.get_command()) +
                                            " is not read, write or ignore");
    }
    if (!ignore && !payload.get_data_ptr()) {
        violated("IEEE 1666-2011 14.11", "the data pointer is null");
    }
    if (!ignore && payload.get_data_length() == 0) {
        violated("IEEE 1666-2011 14.12", "the data length is 0");
    }
    if (payload.get_byte_enable_ptr()) check_byte_enables(payload);
    if (payload.get_streaming_width() == 0) {
        violated("IEEE 1666-2011 14.15", "the streaming width is 0");
    }
    if (payload.is_dmi_allowed()) {
        violated("IEEE 1666-2011 14.16", "the initiator has not cleared the DMI hint");
    }
    if (payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE) {
        violated("IEEE 1666-2011 14.17", "the initiator passes the response status " +
                                             payload.get_response_string() +
                                             " in place of TLM_INCOMPLETE_RESPONSE");
    }
    if (payload.get_gp_option() != tlm::TLM_MIN_PAYLOAD) {
        violated("IEEE 1666-2011 14.8", "the option " + std::to_string(payload.get_gp_option()) +
                                            " is not TLM_MIN_PAYLOAD");
    }
    if (payload.has_mm() && payload.get_ref_count() == 0) {
        violated("IEEE 1666-2011 14.5", "a payload with a memory manager has reference count 0");
    }
}

void protocol_checker::check_byte_enables(const tlm::tlm_generic_payload& payload) {
    const unsigned length = payload.get_byte_enable_length();
    if (length == 0) {
        violated("IEEE 1666-2011 14.14", "there are byte enables but their length is 0");
    }
    for (unsigned i = 0; i < length; ++i) {
        const unsigned char value = payload.get_byte_enable_ptr()[i];
        if (value == TLM_BYTE_ENABLED || value == TLM_BYTE_DISABLED) continue;
        violated("IEEE 1666-2011 14.13",
                 "byte enable " + std::to_string(i) + " is " + hex(value) + ", neither 0 nor 0xff");
        return;
    }
}

void protocol_checker::check_response(const tlm::tlm_generic_payload& payload) {
    const int status = payload.get_response_status();
    if (status == tlm::TLM_INCOMPLETE_RESPONSE) {
        violated("IEEE 1666-2011 14.17", "the target has not set the response status");
    } else if (status < tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE || status > tlm::TLM_OK_RESPONSE) {
        violated("IEEE 1666-2011 14.17",
                 "the target's response status " + std::to_string(status) + " does not exist");
    }
}

void protocol_checker::check_unchanged(const tlm::tlm_generic_payload& payload,
                                       const attributes& before) {
    const attributes after(payload);
    const auto changed = [this](const char* what, std::uint64_t from, std::uint64_t to) {
        violated("IEEE 1666-2011 14.7", std::string("the target has changed the ") + what +
                                            " from " + hex(from) + " to " + hex(to));
    };
    const auto number = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p); };
    if (after.command != before.command) changed("command", before.command, after.command);
    if (after.data != before.data) changed("data pointer", number(before.data), number(after.data));
    if (after.length != before.length) changed("data length", before.length, after.length);
    if (after.enables != before.enables) {
        changed("byte enable pointer", number(before.enables), number(after.enables));
    }
    if (after.enables_length != before.enables_length) {
        changed("byte enable length", before.enables_length, after.enables_length);
    }
    if (after.width != before.width) changed("streaming width", before.width, after.width);
}

void protocol_checker::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    ++transactions_;
    if (!clean_request(payload)) check_request(payload);
    const attributes before(payload);
    const sim_time entered = kernel_time();
    const sc_dt::uint64 delay_before = delay.value();
    try {
        link_.b_transport(payload, delay);
    } catch (const sc_core::sc_report& r) {
        if (std::strcmp(r.get_msg_type(), sc_core::SC_ID_WAIT_NOT_ALLOWED_) == 0) {
            violated("IEEE 1666-2011 11.1.1.4",
                     "b_transport was called from a method process, and the target waits");
        }
        throw;
    }
    if (payload.get_response_status() != tlm::TLM_OK_RESPONSE) check_response(payload);
    if (!before.same_as(payload)) check_unchanged(payload, before);
    if (delay.value() < delay_before) {
        check_time(entered + sim_time(static_cast<std::int64_t>(delay_before)), delay);
    }
}

/// The target may wait and return a smaller delay, but the time the two make together must not go
/// back.
void protocol_checker::check_time(sim_time before, const sc_core::sc_time& delay_after) {
    const sim_time after = kernel_time() + from_sc(delay_after);
    if (after >= before) return;
    violated("IEEE 1666-2011 15.2.7", "the target has turned the annotated time back from " +
                                          to_string(before) + " to " + to_string(after));
}

void protocol_checker::check_grant(std::uint64_t address, tlm::tlm_command command,
                                   const tlm::tlm_dmi& dmi) {
    if (!dmi.get_dmi_ptr()) violated("IEEE 1666-2011 11.2.5", "DMI is granted with a null pointer");
    if (dmi.get_start_address() > address || dmi.get_end_address() < address) {
        violated("IEEE 1666-2011 11.2.5", "the granted DMI range " + range(dmi) +
                                              " does not hold the address " + hex(address));
    }
    const bool allowed = command == tlm::TLM_WRITE_COMMAND  ? dmi.is_write_allowed()
                         : command == tlm::TLM_READ_COMMAND ? dmi.is_read_allowed()
                                                            : true;
    if (!allowed) {
        violated("IEEE 1666-2011 11.2.5",
                 "DMI is granted, but not for the access that was asked for");
    }
}

bool protocol_checker::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    if (!fresh(dmi)) {
        violated("IEEE 1666-2011 11.2.5", "the initiator asks for DMI with a used descriptor (" +
                                              range(dmi) + "); call init() first");
    }
    const std::uint64_t address = payload.get_address();
    const tlm::tlm_command command = payload.get_command();
    const bool granted = out->get_direct_mem_ptr(payload, dmi);
    if (granted) check_grant(address, command, dmi);
    return granted;
}

unsigned protocol_checker::transport_dbg(tlm::tlm_generic_payload& payload) {
    const unsigned length = payload.get_data_length();
    if (length > 0 && !payload.get_data_ptr()) {
        violated("IEEE 1666-2011 11.3.4", "the data pointer of a debug access is null");
    }
    const unsigned count = out->transport_dbg(payload);
    if (count > length) {
        violated("IEEE 1666-2011 11.3.4", "a debug access of " + std::to_string(length) +
                                              " bytes returned " + std::to_string(count));
    }
    return count;
}

void protocol_checker::invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) {
    if (start > end) {
        violated("IEEE 1666-2011 11.2",
                 "the target invalidates the empty DMI range " + hex(start) + ".." + hex(end));
    }
    in->invalidate_direct_mem_ptr(start, end);
}

}  // namespace scmi_vp
