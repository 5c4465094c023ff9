// SPDX-License-Identifier: Apache-2.0
// Which parts of a run a waveform shows: given by times, or found by a first run in a process of
// its own (SystemC elaborates once per process; the second run is the same run, since runs are
// deterministic).
#pragma once

#include <vector>

#include "testbenches/run.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::testbenches {

/// Throws scmi_vp::error: (usage) when the window is empty, (config) when nothing of that kind
/// happened; whatever the first run throws.
std::vector<traces::wave_window> wave_windows(const scenario& s, const run_options& options);

}  // namespace scmi_vp::testbenches
