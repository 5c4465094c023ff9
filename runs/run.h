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
#include "scenario/scenario.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::runs {

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
    violations,     ///< a checker saw a broken rule
    no_probe,       ///< the driver could not be probed: the workload did not run
    unfinished,     ///< sim.duration ended with calls unfinished
    guest_failed,   ///< a real kernel panicked, hung or ended before it handed back its results
    checks_failed,  ///< a [[check]] of the scenario does not hold, and no rule was broken
};

struct run_result {
    run_status status = run_status::ok;
    std::vector<scenario::check_result> checks;  ///< of the scenario, which must outlive them
    bool any_request = false;                    ///< that was answered or given up
};

/// Runs once; `report` gets the readable account. Throws scmi_vp::error. SystemC elaborates once
/// per process, so this can be called once per process. When a check failed, there is a folder for
/// results and no waveform was asked for, the run is repeated with one, in the folder `failed`.
run_result run_and_check(const scenario::scenario& s, const run_options& options,
                         std::ostream& report);

/// The same without what became of single checks.
run_status run_scenario(const scenario::scenario& s, const run_options& options,
                        std::ostream& report);

}  // namespace scmi_vp::runs
