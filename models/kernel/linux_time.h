// SPDX-License-Identifier: Apache-2.0
// Linux' jiffies and timer wheel as arithmetic (kernel/time/timer.c, since v4.8).
#pragma once

#include <cstdint>

#include "base/time.h"

namespace scmi_vp::models {

/// The periodic tick of one kernel: HZ, and where its edges lie.
class tick_clock {
public:
    /// `hz` 1..10000; edges at `phase` + n * TICK_NSEC, 0 <= phase < one tick.
    tick_clock(unsigned hz, sim_time phase);

    unsigned hz() const { return hz_; }
    /// TICK_NSEC = (NSEC_PER_SEC + HZ/2) / HZ (include/vdso/jiffies.h, include/linux/jiffies.h).
    sim_time period() const { return period_; }

    /// Ticks since boot at `t`: edges at or before it. Negative before the first edge.
    std::int64_t ticks_at(sim_time t) const;
    sim_time time_of_tick(std::int64_t n) const { return phase_ + period_ * n; }

    /// The last edge at or before `t`.
    sim_time floor(sim_time t) const { return time_of_tick(ticks_at(t)); }

    /// When schedule_timeout(msecs_to_jiffies(timeout)) wakes a task that went to sleep at
    /// `asleep`: a tick edge. The wheel never fires early and rounds up to the granularity of the
    /// level that the timer falls in (calc_index, __mod_timer); its grid is absolute in jiffies,
    /// which start at -300 s (INITIAL_JIFFIES).
    sim_time timeout_fires(sim_time asleep, sim_time timeout) const;

private:
    unsigned hz_;
    sim_time phase_, period_;
};

/// One timeout, asked for again and again. When it fires is the same for all that go to sleep in
/// the same tick, so it is worked out once per tick: a wheel look-up costs several divisions.
class tick_timeout {
public:
    static constexpr std::int64_t never = -1;
    /// `n_jiffies` may be `never`.
    tick_timeout(const tick_clock& ticks, std::int64_t n_jiffies)
        : ticks_(ticks), n_jiffies_(n_jiffies) {}

    /// When it wakes a task that goes to sleep at `asleep`; sim_time::max() for `never`.
    sim_time fires(sim_time asleep) {
        if (asleep < from_ || asleep >= until_) look_up(asleep);
        return fires_;
    }
    /// Of the wheel: of timers that fire in the same tick, those of higher levels come first.
    unsigned level() const;

private:
    void look_up(sim_time asleep);

    const tick_clock& ticks_;
    std::int64_t n_jiffies_;
    sim_time from_, until_;  ///< the tick that fires_ is for; empty at first
    sim_time fires_;
};

/// msecs_to_jiffies (include/linux/jiffies.h), rounding up; fractions of a millisecond count as
/// one.
std::int64_t msecs_to_jiffies(std::int64_t ms, unsigned hz);

/// The level of the wheel that a timer of `n_jiffies` is put into (calc_wheel_index).
unsigned timer_wheel_level(std::int64_t n_jiffies, unsigned hz);

/// The tick in which a timer of `n_jiffies` armed in tick `now_ticks` (since boot) fires.
std::int64_t timer_wheel_fires(std::int64_t now_ticks, std::int64_t n_jiffies, unsigned hz);

}  // namespace scmi_vp::models
