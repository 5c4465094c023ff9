// SPDX-License-Identifier: Apache-2.0
// A timeout that is worked out once per tick gives what the timer wheel gives at every instant
// (Linux kernel/time/timer.c, calc_wheel_index).
#include <gtest/gtest.h>

#include "models/kernel/linux_time.h"

namespace scmi_vp::models {
namespace {

TEST(tick_timeout, equals_the_wheel_at_every_instant) {
    const tick_clock ticks(250, microseconds(700));
    const sim_time timeout = milliseconds(30);
    tick_timeout timer(ticks, msecs_to_jiffies(30, 250));
    // Steps that meet tick edges, the picosecond before one, many instants of one tick, and go
    // back.
    const sim_time edge = ticks.time_of_tick(41);
    for (const sim_time t : {sim_time{}, microseconds(699), edge, edge + picoseconds(1),
                             edge + microseconds(3999), edge + ticks.period() - picoseconds(1),
                             edge + ticks.period(), seconds(3600), edge - picoseconds(1), edge}) {
        EXPECT_EQ(timer.fires(t).ps, ticks.timeout_fires(t, timeout).ps) << to_string(t);
    }
    for (sim_time t; t < milliseconds(50); t += microseconds(37)) {
        ASSERT_EQ(timer.fires(t).ps, ticks.timeout_fires(t, timeout).ps) << to_string(t);
    }
}

TEST(tick_timeout, never_is_never) {
    const tick_clock ticks(1000, sim_time{});
    tick_timeout timer(ticks, tick_timeout::never);
    EXPECT_EQ(timer.fires(sim_time{}), sim_time::max());
    EXPECT_EQ(timer.fires(seconds(100)), sim_time::max());
}

}  // namespace
}  // namespace scmi_vp::models
