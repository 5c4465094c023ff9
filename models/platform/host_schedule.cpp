// SPDX-License-Identifier: Apache-2.0
// See host_schedule.h.
#include "models/platform/host_schedule.h"

#include <algorithm>

namespace scmi_vp::models {
namespace {

/// Pauses that go on until the end of the run.
constexpr std::uint64_t no_limit = UINT64_MAX;

}  // namespace

host_schedule::host_schedule(const host_slot& slot, const std::vector<host_pause>& pauses,
                             std::uint64_t seed, const std::string& name)
    : slot_(slot) {
    if (slot_.slot >= slot_.period) slot_ = host_slot{};  // it fills the period
    std::size_t n = 0;
    for (const host_pause& p : pauses) {
        const std::string stream = name + ".pause." + std::to_string(n++);
        pauses_.push_back({latency(p.every, random_stream(seed, stream, "every")),
                           latency(p.length, random_stream(seed, stream, "length")),
                           p.count ? p.count : no_limit,
                           sim_time{},
                           {}});
    }
}

void host_schedule::draw(pause_process& p, sim_time beyond) {
    while (p.left > 0 && p.drawn_to <= beyond) {
        // Endless ones at least a picosecond apart: empty gaps would never get beyond anything.
        const sim_time gap = p.every.next();
        const sim_time from =
            p.drawn_to + (p.left == no_limit ? std::max(gap, picoseconds(1)) : gap);
        const sim_time to = from + p.length.next();
        p.known.push_back({from, to});
        p.drawn_to = to;
        if (p.left != no_limit) --p.left;
    }
}

sim_time host_schedule::blocked_until(sim_time t) {
    sim_time until = t;
    if (slot_.period > sim_time{}) {
        const std::int64_t period = slot_.period.ps;
        const std::int64_t into = ((t - slot_.phase).ps % period + period) % period;
        if (into >= slot_.slot.ps) until = t + sim_time(period - into);
    }
    for (pause_process& p : pauses_) {
        draw(p, t);
        for (const interval& i : p.known) {
            if (i.from > t) break;
            if (t < i.to) until = std::max(until, i.to);
        }
    }
    return until;
}

sim_time host_schedule::next_block(sim_time t) {
    sim_time from = sim_time::max();
    if (slot_.period > sim_time{}) {
        const std::int64_t period = slot_.period.ps;
        const std::int64_t into = ((t - slot_.phase).ps % period + period) % period;
        from = t + sim_time(slot_.slot.ps - into);
    }
    for (pause_process& p : pauses_) {
        draw(p, t);
        for (const interval& i : p.known) {
            if (i.from <= t) continue;
            from = std::min(from, i.from);
            break;
        }
    }
    return from;
}

sim_time host_schedule::running_from(sim_time t) {
    for (;;) {
        const sim_time until = blocked_until(t);
        if (until == t) return t;
        t = until;
    }
}

sim_time host_schedule::finish_interrupted(sim_time t, sim_time work) {
    for (;;) {
        t = running_from(t);
        const sim_time block = next_block(t);
        if (work <= block - t) return t + work;
        work -= block - t;
        t = block;
    }
}

void host_schedule::forget_before(sim_time t) {
    for (pause_process& p : pauses_) {
        while (!p.known.empty() && p.known.front().to <= t) p.known.pop_front();
    }
}

}  // namespace scmi_vp::models
