// SPDX-License-Identifier: Apache-2.0
// An address decoder: initiators on `in`, targets on `out`, each with a window.
#include "tlm/bus.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "base/error.h"

namespace scmi_vp {

namespace {

std::string range(std::uint64_t base, std::uint64_t size) {
    std::ostringstream text;
    text << "[0x" << std::hex << base << ", +0x" << size << ")";
    return text.str();
}

/// Cuts [start, end], relative to a window, to the window; false if nothing is left.
bool cut_and_translate(std::uint64_t base, std::uint64_t size, sc_dt::uint64& start,
                       sc_dt::uint64& end) {
    if (start > end || start >= size) return false;
    end = std::min<sc_dt::uint64>(end, size - 1) + base;
    start += base;
    return true;
}

}  // namespace

/// Sockets are added after the constructor; they belong below the bus all the same, because
/// hierarchical names are keys.
class bus::inside {
public:
#if SC_VERSION_MAJOR >= 3
    explicit inside(bus& b) : scope_(b.get_hierarchy_scope()) {}

private:
    sc_core::sc_hierarchy_scope scope_;
#else
    explicit inside(bus& b) {
        sc_core::sc_get_curr_simcontext()->hierarchy_push(&b);
    }
    ~inside() {
        sc_core::sc_get_curr_simcontext()->hierarchy_pop();
    }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
#endif
};

bus::bus(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}

bus::in_socket& bus::add_initiator(const char* name) {
    const inside scope(*this);
    const int id = static_cast<int>(ins_.size());
    in_socket& in = ins_.emplace_back(name, *this);
    in.register_b_transport(this, &bus::b_transport_tagged, id);
    in.register_get_direct_mem_ptr(this, &bus::get_direct_mem_ptr, id);
    in.register_transport_dbg(this, &bus::transport_dbg, id);
    return in;
}

bus::out_socket& bus::add_target(const char* name, std::uint64_t base, std::uint64_t size) {
    const std::string mine = std::string("the window ") + range(base, size) + " of '" + name + "' ";
    if (size == 0) throw error(error_kind::model, this->name(), mine + "is empty");
    if (size - 1 > UINT64_MAX - base) {
        throw error(error_kind::model, this->name(), mine + "leaves the 64-bit address space");
    }
    for (const window& w : windows_) {
        if (base <= w.base + (w.size - 1) && w.base <= base + (size - 1)) {
            throw error(error_kind::model, this->name(),
                        mine + "overlaps " + range(w.base, w.size) + " of '" +
                            w.socket->basename() + "'; move one of them");
        }
    }
    const inside scope(*this);
    const int id = static_cast<int>(windows_.size());
    out_socket& out = outs_.emplace_back(name);
    out.register_invalidate_direct_mem_ptr(this, &bus::invalidate_direct_mem_ptr, id);
    windows_.push_back({base, size, &out, transport_link(out)});
    latest_ = nullptr;  // it may have moved
    return out;
}

bus::window* bus::search(std::uint64_t address) {
    for (window& w : windows_) {
        if (address - w.base < w.size) return latest_ = &w;  // one comparison: below it wraps
    }
    return nullptr;
}

void bus::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const std::uint64_t address = payload.get_address();
    window* const w = decode(address);
    const std::uint64_t span = std::min(payload.get_data_length(), payload.get_streaming_width());
    if (!w || span > w->size - (address - w->base)) {
        payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        return;
    }
    payload.set_address(address - w->base);
    w->link.b_transport(payload, delay);
    payload.set_address(address);
}

bool bus::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    const std::uint64_t address = payload.get_address();
    const window* w = decode(address);
    if (w) {
        payload.set_address(address - w->base);
        const bool granted = (*w->socket)->get_direct_mem_ptr(payload, dmi);
        payload.set_address(address);
        sc_dt::uint64 start = dmi.get_start_address(), end = dmi.get_end_address();
        if (cut_and_translate(w->base, w->size, start, end)) {
            dmi.set_start_address(start);
            dmi.set_end_address(end);
            return granted;
        }
    }
    // Nobody there (or the target's range misses its own window): refused for this address.
    dmi.init();
    dmi.allow_read_write();
    dmi.set_start_address(address);
    dmi.set_end_address(address);
    return false;
}

unsigned bus::transport_dbg(int, tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    const window* w = decode(address);
    if (!w) return 0;
    const unsigned length = payload.get_data_length();
    payload.set_address(address - w->base);
    payload.set_data_length(
        static_cast<unsigned>(std::min<std::uint64_t>(length, w->size - (address - w->base))));
    const unsigned count = (*w->socket)->transport_dbg(payload);
    payload.set_address(address);
    payload.set_data_length(length);
    return count;
}

void bus::invalidate_direct_mem_ptr(int id, sc_dt::uint64 start, sc_dt::uint64 end) {
    const window& w = windows_[static_cast<std::size_t>(id)];
    if (!cut_and_translate(w.base, w.size, start, end)) return;
    for (in_socket& in : ins_) in->invalidate_direct_mem_ptr(start, end);
}

}  // namespace scmi_vp
