// SPDX-License-Identifier: Apache-2.0
// Between our picoseconds and SystemC's time (its resolution must be the default 1 ps).
#pragma once

#include <systemc>

#include "base/time.h"

namespace scmi_vp {

/// As sc_time_stamp() says, without a call into the library: models ask often. There is a
/// simulation context as soon as there is a module or an event.
inline sim_time now() {
    return sim_time(static_cast<std::int64_t>(sc_core::sc_curr_simcontext->time_stamp().value()));
}
/// Negative spans become zero.
inline sc_core::sc_time to_sc(sim_time t) {
    return sc_core::sc_time::from_value(t.ps > 0 ? static_cast<sc_dt::uint64>(t.ps) : 0);
}
inline sim_time from_sc(const sc_core::sc_time& t) {
    return sim_time(static_cast<std::int64_t>(t.value()));
}

/// to_sc for a place where the same span comes again and again (a constant latency): the conversion
/// is a call into the library.
class same_span {
public:
    const sc_core::sc_time& to_sc(sim_time t) {
        if (t != span_) {
            span_ = t;
            time_ = scmi_vp::to_sc(t);
        }
        return time_;
    }

private:
    sim_time span_;
    sc_core::sc_time time_;
};

}  // namespace scmi_vp
