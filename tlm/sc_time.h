// SPDX-License-Identifier: Apache-2.0
// Between our picoseconds and SystemC's time (its resolution must be the default 1 ps).
#pragma once

#include <systemc>

#include "base/time.h"

namespace scmi_vp {

/// As sc_time_stamp() says, without a call into the library: models ask often.
inline sim_time kernel_time() {
    const sc_core::sc_simcontext* const context = sc_core::sc_curr_simcontext;
#if SC_VERSION_MAJOR >= 3
    if (!context) return sim_time{};  // before the first module or event
#endif
    return sim_time(static_cast<std::int64_t>(context->time_stamp().value()));
}

namespace detail {
/// Where the timeline has got to (tlm/timeline.h); SystemC's time may be behind, or beyond.
inline sim_time reached;
}  // namespace detail

/// The models' time: SystemC's, or what the timeline has run ahead of it.
inline sim_time now() {
    const sim_time kernel = kernel_time();
    return kernel < detail::reached ? detail::reached : kernel;
}
/// Negative spans become zero.
inline sc_core::sc_time to_sc(sim_time t) {
    return sc_core::sc_time::from_value(t.ps > 0 ? static_cast<sc_dt::uint64>(t.ps) : 0);
}
inline sim_time from_sc(const sc_core::sc_time& t) {
    return sim_time(static_cast<std::int64_t>(t.value()));
}

/// What a transaction is annotated with when it is made now (IEEE 1666-2011 10.3.4: the initiator's
/// local time, as an offset to SystemC's), and what to add to a span that SystemC is to wait.
inline sc_core::sc_time time_offset() {
    static sim_time offset;  // often the same: making an sc_time of it is a call into the library
    static sc_core::sc_time time;
    if (const sim_time o = now() - kernel_time(); o != offset) time = to_sc(offset = o);
    return time;
}

}  // namespace scmi_vp
