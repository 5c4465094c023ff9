// SPDX-License-Identifier: Apache-2.0
// Turns a scenario into a system, runs it and writes its outputs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/time.h"
#include "testbenches/scenario.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::testbenches {

/// Which part of a run the waveform shows, when not given by times: found by a first run, written
/// by a second one (runs are deterministic).
enum class wave_around : std::uint8_t {
    none,
    slowest,   ///< the slowest request
    timeouts,  ///< every request that timed out
};

/// What the command line adds to a scenario.
struct run_options {
    std::filesystem::path out;         ///< output directory; empty = write no files
    bool vcd = false;                  ///< write a waveform, as output.vcd.enabled does
    std::optional<sim_time> vcd_from;  ///< window of the waveform
    std::optional<sim_time> vcd_to;
    wave_around vcd_around = wave_around::none;
    std::vector<traces::wave_window> vcd_windows;  ///< or these, ascending
    bool quiet = false;                            ///< no account of each request in the report
};

enum class run_status : std::uint8_t {
    ok,
    violations,  ///< a checker saw a broken rule
    no_probe,    ///< the driver could not be probed: the workload did not run
    unfinished,  ///< sim.duration ended with calls unfinished
};

/// Runs once; `report` gets the readable account. Throws scmi_vp::error. SystemC elaborates once
/// per process, so this can be called once per process.
run_status run_scenario(const scenario& s, const run_options& options, std::ostream& report);

}  // namespace scmi_vp::testbenches
