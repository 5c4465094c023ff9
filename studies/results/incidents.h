// SPDX-License-Identifier: Apache-2.0
// Timeouts that fail together: one freeze of the host that fails forty calls happened once. What is
// counted per hour is incidents, because they are (nearly) independent and timeouts are not.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "studies/results/point_totals.h"

namespace scmi_vp::studies {

/// The incidents of one run. Two timeouts are of the same one when their waits (from entering the
/// driver to giving up) overlap or lie at most `gap` apart; so are all that are linked through
/// others. This is declustering by runs (Ferro and Segers 2003) with the rx timeout as run length.
/// Timeouts may come in any order: one whose reply is late is done with only then. Memory grows
/// with incidents, not with timeouts.
class incident_counter {
public:
    explicit incident_counter(sim_time gap) : gap_(gap) {}

    /// A wait, from <= to.
    void add(sim_time from, sim_time to);
    std::uint64_t count() const { return spans_.size(); }

private:
    using span = std::pair<sim_time, sim_time>;
    sim_time gap_;
    std::vector<span> spans_;  ///< ascending, more than gap_ apart
};

/// Those of a run's rx timeouts, spurious and true ones apart.
class timeout_incidents {
public:
    explicit timeout_incidents(sim_time rx_timeout) : spurious_(rx_timeout), true_(rx_timeout) {}

    void add(const models::request& r);
    void count_into(point_totals& t) const;

private:
    incident_counter spurious_, true_;
};

}  // namespace scmi_vp::studies
