// SPDX-License-Identifier: Apache-2.0
// When the platform's host runs: always, in a slot of each period, and never during pauses. Pure:
// it is asked about instants and answers; work under way is suspended while the host does not run.
#pragma once

#include <deque>
#include <vector>

#include "base/distribution.h"
#include "models/config.h"

namespace scmi_vp::models {

class host_schedule {
public:
    host_schedule() = default;
    /// Random streams are named "<name>.pause.<n>".
    host_schedule(const host_slot& slot, const std::vector<host_pause>& pauses, std::uint64_t seed,
                  const std::string& name);

    bool always() const { return slot_.period == sim_time{} && pauses_.empty(); }

    /// The first instant at or after `t` at which the host runs. `t` not before forget_before().
    sim_time running_from(sim_time t);
    /// When `work` is done that starts at `t`.
    sim_time finish(sim_time t, sim_time work) {
        return always() ? t + work : finish_interrupted(t, work);
    }
    /// Pauses that ended by `t` will not be asked about any more.
    void forget_before(sim_time t);

private:
    struct interval {
        sim_time from, to;
    };
    /// One kind of pause: a renewal process, drawn as far ahead as was asked.
    struct pause_process {
        latency every, length;
        std::uint64_t left;  ///< pauses still to be drawn
        sim_time drawn_to;
        std::deque<interval> known;
    };
    static void draw(pause_process& p, sim_time beyond);
    sim_time finish_interrupted(sim_time t, sim_time work);
    sim_time blocked_until(sim_time t);
    sim_time next_block(sim_time t);

    host_slot slot_{};
    std::vector<pause_process> pauses_;
};

}  // namespace scmi_vp::models
