// SPDX-License-Identifier: Apache-2.0
// See linux_time.h.
#include "models/kernel/linux_time.h"

namespace scmi_vp::models {
namespace {

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);
}

constexpr unsigned level_clock_shift = 3;  // LVL_CLK_SHIFT
constexpr std::int64_t level_size = 64;    // LVL_SIZE

constexpr unsigned depth_of(unsigned hz) {
    return hz > 100 ? 9 : 8;  // LVL_DEPTH
}

}  // namespace

tick_clock::tick_clock(unsigned hz, sim_time phase)
    : hz_(hz), phase_(phase), period_(nanoseconds((1'000'000'000 + hz / 2) / hz)) {}

std::int64_t tick_clock::ticks_at(sim_time t) const {
    return floor_div((t - phase_).ps, period_.ps);
}

sim_time tick_clock::timeout_fires(sim_time asleep, sim_time timeout) const {
    const std::int64_t ms = (timeout.ps + milliseconds(1).ps - 1) / milliseconds(1).ps;
    return time_of_tick(timer_wheel_fires(ticks_at(asleep), msecs_to_jiffies(ms, hz_), hz_));
}

void tick_timeout::look_up(sim_time asleep) {
    const std::int64_t tick = ticks_.ticks_at(asleep);
    from_ = ticks_.time_of_tick(tick);
    until_ = from_ + ticks_.period();
    fires_ = n_jiffies_ == never
                 ? sim_time::max()
                 : ticks_.time_of_tick(timer_wheel_fires(tick, n_jiffies_, ticks_.hz()));
}

std::int64_t msecs_to_jiffies(std::int64_t ms, unsigned hz) {
    return (ms * static_cast<std::int64_t>(hz) + 999) / 1000;
}

unsigned tick_timeout::level() const {
    return n_jiffies_ == never ? 0 : timer_wheel_level(n_jiffies_, ticks_.hz());
}

unsigned timer_wheel_level(std::int64_t n_jiffies, unsigned hz) {
    const unsigned depth = depth_of(hz);
    // LVL_START(n) = (LVL_SIZE - 1) << ((n - 1) * LVL_CLK_SHIFT).
    unsigned level = 0;
    while (level < depth - 1 && n_jiffies >= (level_size - 1) << (level * level_clock_shift))
        ++level;
    return level;
}

std::int64_t timer_wheel_fires(std::int64_t now_ticks, std::int64_t n_jiffies, unsigned hz) {
    const unsigned depth = depth_of(hz);
    const std::int64_t initial = 300 * static_cast<std::int64_t>(hz);  // -INITIAL_JIFFIES
    const unsigned shift = timer_wheel_level(n_jiffies, hz) * level_clock_shift;
    // WHEEL_TIMEOUT_CUTOFF, WHEEL_TIMEOUT_MAX: longer timers fire at the end of the last level.
    const std::int64_t cutoff = (level_size - 1) << (depth - 1) * level_clock_shift;
    const std::int64_t delta =
        n_jiffies >= cutoff ? cutoff - (std::int64_t(1) << shift) : n_jiffies;
    const std::int64_t expires = now_ticks - initial + delta;
    const std::int64_t granularity = std::int64_t(1) << shift;
    return (floor_div(expires, granularity) + 1) * granularity + initial;
}

}  // namespace scmi_vp::models
