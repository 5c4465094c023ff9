// SPDX-License-Identifier: Apache-2.0
// See run_extent.h.
#include "runs/run_extent.h"

#include <algorithm>

namespace scmi_vp::runs {

run_extent::run_extent(const scenario::scenario& s) : duration_(s.system.duration) {
    const models::guest_config& g = s.system.guest;
    calls_ = g.sequence.size();
    bool endless = false;
    for (const models::call_loop& l : g.loops) calls_ += l.count, endless |= l.count == 0;
    for (const models::open_arrivals& o : g.open) calls_ += o.count, endless |= o.count == 0;
    if (endless) calls_ = 0;
}

double run_extent::done(sim_time when, std::uint64_t requests) const {
    const double by_time = static_cast<double>(when.ps) / static_cast<double>(duration_.ps);
    const double by_count =
        calls_ ? static_cast<double>(requests) / static_cast<double>(calls_) : 0;
    return std::clamp(std::max(by_time, by_count), 0.0, 1.0);
}

}  // namespace scmi_vp::runs
