// SPDX-License-Identifier: Apache-2.0
// How much of a run is done: by simulated time, or by the calls that it makes, whichever is
// further.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "scenario/scenario.h"

namespace scmi_vp::runs {

class run_extent {
public:
    explicit run_extent(const scenario::scenario& s);

    /// 0..1, when a request, the run's `requests`-th, returned at `when`.
    double done(sim_time when, std::uint64_t requests) const;

private:
    sim_time duration_;
    std::uint64_t calls_ = 0;  ///< that the workload makes in all; 0: it has no end of its own
};

}  // namespace scmi_vp::runs
