// SPDX-License-Identifier: Apache-2.0
// A change-driven VCD writer (IEEE 1364-2005 section 18): told of each change, it writes it, several
// within one instant included (SystemC's own samples once per time step and loses pulses). Plus the
// GTKWave save file and filter files that show states as words.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/time.h"
#include "traces/output_file.h"

namespace scmi_vp::traces {

using wave_id = std::uint32_t;

/// How a signal is shown.
enum class wave_radix : std::uint8_t { bit, hexadecimal, decimal, states };

/// Names for the values of a `states` signal: one filter file per table.
struct state_table {
    std::string name;                              ///< file name stem, "xfer_state"
    std::vector<std::pair<std::uint64_t, std::string>> words;
};

/// Part of the simulation that is written; outside, changes only update the current values.
struct wave_window {
    sim_time from;
    sim_time to = sim_time::max();
};

/// Declare all signals, start(), then change() in order of time. A pulse within one instant (0, 1, 0
/// at the same time) is shown: value changes at one time stamp are written in order, and
/// `glitches()` counts them, since viewers draw only the last.
class vcd_writer {
public:
    vcd_writer(std::ostream& out, std::string name, std::vector<wave_window> windows = {{}});

    /// Declares a signal: `path` is the SystemC hierarchical name, dots make scopes; 1..64 bits.
    /// Throws scmi_vp::error (model) for a path used twice or after start().
    wave_id declare(const std::string& path, unsigned width, wave_radix radix = wave_radix::hexadecimal,
                    const state_table* states = nullptr, std::uint64_t initial = 0);

    /// Writes header, definitions and, when the first window is open at 0, the initial values.
    void start();

    /// A new value at `now`, not earlier than any before. Equal values are not written.
    void change(wave_id id, sim_time now, std::uint64_t value);

    /// Closes the file at `end`. Throws scmi_vp::error (output) when nothing could be written, and if
    /// no change at all fell into a window says so in the result (records = 0): the caller decides.
    written finish(sim_time end);

    std::uint64_t glitches() const;

    /// GTKWave save file: all signals grouped by scope, radixes and filters set, marker at `marker`.
    /// `filter_dir` is where write_filters put them, as seen from the save file.
    void write_save_file(std::ostream& out, const std::string& vcd_file_name, sim_time marker) const;
    /// One filter text per state table, by file name ("xfer_state.filter").
    std::map<std::string, std::string> filters() const;
};

}  // namespace scmi_vp::traces
