// SPDX-License-Identifier: Apache-2.0
// From what was seen in a repeated run to a story in plain sentences.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "studies/stories/explain.h"
#include "studies/stories/replay.h"

namespace scmi_vp::studies {

/// Everything that a story is told from.
struct story_source {
    std::string scenario;
    std::vector<std::string> set;  ///< of the point and of the study, without the seed
    bool measured = false;         ///< no simulation: nothing repeats it
    std::size_t points = 1, replications = 1;
    story out;  ///< point, replication, seed and point_name are set
    survey seen;
    witness around;
    std::vector<host_gap> gaps;
};

/// "this run", or "replication 3 of point 2 (host busy, timeout 30ms)".
std::string where_of(const story_source& s);

/// The hop that made the request slow: the one that is the most longer than its median.
std::size_t slow_hop(const survey& v);

/// What the second run is to watch.
watch watch_for(const survey& v);

story tell(const story_source& s);

}  // namespace scmi_vp::studies
