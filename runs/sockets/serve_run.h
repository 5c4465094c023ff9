// SPDX-License-Identifier: Apache-2.0
// A scenario's platform behind sockets, in wall-clock time: for real guests over vhost-user, and
// for whoever speaks SCMI over a stream.
#pragma once

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <vector>

#include "scenario/scenario.h"

namespace scmi_vp::runs {

struct serve_options {
    std::vector<std::filesystem::path> sockets;  ///< vhost-user; one guest and agent each
    std::vector<std::filesystem::path> streams;  ///< SCMI over a stream; the agents after those
    /// Offer in-band notifications (User-Mode Linux understands them, QEMU does not).
    bool in_band = false;
    sim_time until = sim_time::max();  ///< ends by itself then
    std::ostream* status = nullptr;    ///< a terminal, for the line that shows how it goes
};

struct serve_outcome {
    std::uint64_t served = 0, malformed = 0, connections = 0;
    int signal = 0;  ///< that ended it
};

/// Serves until a signal comes or `until`; `report` is told at once of what happens. Throws
/// scmi_vp::error: no socket given, one that cannot be made, more of them than agents. Once per
/// process.
serve_outcome run_serve(const scenario::scenario& s, const serve_options& options,
                        std::ostream& report);

}  // namespace scmi_vp::runs
