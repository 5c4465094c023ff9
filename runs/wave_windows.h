// SPDX-License-Identifier: Apache-2.0
// Which parts of a run a waveform shows: given by times, or found by a first run in a process of
// its own (SystemC elaborates once per process; the second run is the same run, since runs are
// deterministic).
#pragma once

#include <vector>

#include "runs/run.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::runs {

/// What a waveform shows of a request: all of a short one, of one that took longer than 50 ms its
/// two ends.
std::vector<traces::wave_window> windows_of_request(sim_time entered, sim_time returned);

/// The scenario for a run that only writes a waveform and the kernel's messages: up to `end`, since
/// what happens later changes nothing before. It has no checks.
scenario::scenario shortened(scenario::scenario s, sim_time end);

/// Throws scmi_vp::error: (usage) when the window is empty, (config) when nothing of that kind
/// happened; whatever the first run throws.
std::vector<traces::wave_window> wave_windows(const scenario::scenario& s,
                                              const run_options& options);

}  // namespace scmi_vp::runs
