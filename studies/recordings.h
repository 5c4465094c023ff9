// SPDX-License-Identifier: Apache-2.0
// What recorded histograms cannot tell: nothing that is rarer than one in their number of samples,
// and nothing beyond their largest one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "testbenches/scenario.h"

namespace scmi_vp::studies {

struct recording {
    std::filesystem::path file;
    histogram pooled;
    std::uint64_t samples = 0;  ///< overflows included

    /// How many samples may be longer than t; those beyond the histogram as its maximum.
    std::uint64_t above(sim_time t) const;
};

/// The histograms that a scenario reads.
std::vector<recording> recordings_of(const testbenches::scenario& s);

/// How long the driver of this scenario waits for a reply.
sim_time rx_timeout_of(const testbenches::scenario& s);

/// One sentence about the recording itself.
std::string limits_of(const recording& r);

/// What it cannot tell about delays longer than `timeout`; empty if it has plenty of them.
std::string limits_beyond(const recording& r, sim_time timeout);

}  // namespace scmi_vp::studies
