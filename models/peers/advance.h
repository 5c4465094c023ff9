// SPDX-License-Identifier: Apache-2.0
// How those outside SystemC move its time: paced by the wall clock, or in turns with a guest.
#pragma once

#include "base/time.h"

namespace scmi_vp::models {

/// When SystemC has something to do next; sim_time::max() for never.
sim_time next_event();
/// All that is due up to and at `to` has happened, unless a model has called sc_stop.
void advance(sim_time to);
/// A model has called sc_stop: time will not move any more.
bool simulation_stopped();

}  // namespace scmi_vp::models
