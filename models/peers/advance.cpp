// SPDX-License-Identifier: Apache-2.0
// See advance.h.
#include "models/peers/advance.h"

#include <systemc>

#include "tlm/sc_time.h"

namespace scmi_vp::models {

sim_time next_event() {
    if (sc_core::sc_pending_activity_at_current_time()) return now();
    if (!sc_core::sc_pending_activity_at_future_time()) return sim_time::max();
    return now() + from_sc(sc_core::sc_time_to_pending_activity());
}

// sc_start runs the processes of its last instant only in the next call (IEEE 1666-2011 4.3.4.2), a
// delta at a time.
void advance(sim_time to) {
    if (to > now() && !simulation_stopped()) sc_core::sc_start(to_sc(to - now()));
    while (!simulation_stopped() && sc_core::sc_pending_activity_at_current_time()) {
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
}

bool simulation_stopped() {
    return sc_core::sc_get_status() == sc_core::SC_STOPPED;
}

}  // namespace scmi_vp::models
