// SPDX-License-Identifier: Apache-2.0
// A scenario's guest in front of a foreign SCMI device, in wall-clock time: the same results as of
// a run, and the device's response times as a latency for other scenarios.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "runs/run.h"
#include "scenario/scenario.h"

namespace scmi_vp::runs {

struct connect_options {
    std::filesystem::path socket;      ///< a vhost-user back end listens there
    std::filesystem::path out;         ///< output directory; empty = write no files
    bool in_band = false;              ///< kicks and calls as messages (the device must offer it)
    bool quiet = false;                ///< no account of each request
    sim_time until = sim_time::max();  ///< ends by itself then, counted from the start
};

/// The file in the output directory that `{ kind = "recorded", file = ... }` reads.
inline constexpr const char* response_file = "response.txt";

/// The overrides that put what was measured into that folder in the place of a scenario's platform:
/// from the doorbell until the device's call everything is hop `service`.
std::vector<std::string> settings_of_device(const std::filesystem::path& folder);

/// Runs once; `report` gets the readable account. Loops and arrivals without a count are finished
/// when the run ends, by `until`, a signal or sim.duration. Throws scmi_vp::error: nobody listens,
/// or the device broke the connection off. Once per process.
run_status run_connect(const scenario::scenario& s, const connect_options& options,
                       std::ostream& report);

}  // namespace scmi_vp::runs
