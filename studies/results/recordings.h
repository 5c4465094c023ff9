// SPDX-License-Identifier: Apache-2.0
// What recorded histograms cannot tell: nothing that is rarer than one in their number of samples,
// and nothing beyond their largest one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "scenario/scenario.h"

namespace scmi_vp::studies {

struct recording {
    std::filesystem::path file;
    histogram pooled;
    std::uint64_t samples = 0;  ///< overflows included
    std::string overflows_as;   ///< what the scenario makes of them, "at 35.773ms"

    /// How many samples are longer than t, at least and at most: of those beyond the histogram only
    /// where it ends and the longest are known.
    std::uint64_t surely_above(sim_time t) const;
    std::uint64_t perhaps_above(sim_time t) const;
};

/// The histograms that a scenario reads.
std::vector<recording> recordings_of(const scenario::scenario& s);

/// How long the driver of this scenario waits for a reply.
sim_time rx_timeout_of(const scenario::scenario& s);

/// One sentence about the recording itself.
std::string limits_of(const recording& r);

/// What it cannot tell about delays longer than `timeout`; empty if it has plenty of them.
std::string limits_beyond(const recording& r, sim_time timeout);

}  // namespace scmi_vp::studies
