// SPDX-License-Identifier: Apache-2.0
// The timer wheel's arithmetic against a wheel of buckets that is stepped tick by tick, and against
// measured and tabulated values (kernel/time/timer.c of Linux 6.1).
#include "models/kernel/linux_time.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace scmi_vp::models {
namespace {

constexpr unsigned rates[] = {100, 250, 300, 1000};

/// struct timer_base with one timer: buckets, pending bits and base->clk as in kernel/time/timer.c.
/// Nothing here is a formula for the expiry: the bucket is found when the clock gets there.
class wheel {
public:
    wheel(unsigned hz, std::uint64_t ticks_since_boot)
        : depth_(hz > 100 ? 9 : 8),  // LVL_DEPTH
          pending_(std::size_t(depth_) * 64),
          // INITIAL_JIFFIES is (unsigned long)(unsigned int)(-300 * HZ), also on 64 bits.
          initial_(std::uint32_t(-300 * std::int64_t(hz))),
          clk_(initial_ + ticks_since_boot) {}

    /// __mod_timer: enqueues a timer that expires `n` jiffies from now.
    void add(std::uint64_t n) { pending_[index(clk_ + n)] = true; }

    /// Steps base->clk until the timer fires; ticks since boot.
    std::uint64_t run() {
        for (;; ++clk_) {
            if (collect()) return clk_ - initial_;
        }
    }
    /// The same, started close to where nothing can be missed: `skip` ticks cannot hold the expiry.
    std::uint64_t run_after(std::uint64_t skip) { return clk_ += skip, run(); }

private:
    // calc_index
    std::size_t index_at(std::uint64_t expires, int level) const {
        return std::size_t(level) * 64 + (((expires >> (3 * level)) + 1) & 63);
    }
    // calc_wheel_index
    std::size_t index(std::uint64_t expires) const {
        const std::uint64_t delta = expires - clk_;
        for (int level = 0; level < depth_ - 1; ++level) {
            if (delta < start(level + 1)) return index_at(expires, level);
        }
        const std::uint64_t cutoff = start(depth_);
        if (delta >= cutoff) expires = clk_ + cutoff - (1ull << 3 * (depth_ - 1));
        return index_at(expires, depth_ - 1);
    }
    static std::uint64_t start(int level) { return 63ull << (3 * (level - 1)); }  // LVL_START
    // collect_expired_timers
    bool collect() {
        std::uint64_t clk = clk_;
        for (int level = 0; level < depth_; ++level) {
            if (pending_[std::size_t(level) * 64 + (clk & 63)]) return true;
            if (clk & 7) return false;  // LVL_CLK_MASK
            clk >>= 3;
        }
        return false;
    }

    int depth_;
    std::vector<bool> pending_;
    std::uint64_t initial_, clk_;
};

std::uint64_t by_wheel(unsigned hz, std::uint64_t now, std::uint64_t jiffies) {
    wheel w(hz, now);
    w.add(jiffies);
    return w.run();
}

TEST(timer_wheel, equals_a_wheel_of_buckets_at_every_level_and_phase) {
    for (const unsigned hz : rates) {
        // Around every LVL_START, where the level changes, and in between.
        for (const std::int64_t n :
             {0,   1,   2,    7,    8,    62,   63,   64,    65,    100,   503,   504,   505,
              511, 512, 1000, 4031, 4032, 4033, 6000, 15000, 18000, 32255, 32256, 32257, 60000}) {
            // Phases: all of the first two levels' granularities, then steps that hit all others.
            for (std::int64_t now = 0; now < 4200; now += now < 130 ? 1 : 61) {
                ASSERT_EQ(timer_wheel_fires(now, n, hz),
                          std::int64_t(by_wheel(hz, std::uint64_t(now), std::uint64_t(n))))
                    << "HZ " << hz << ", armed in tick " << now << " for " << n << " jiffies";
            }
        }
    }
}

TEST(timer_wheel, long_timers_equal_a_wheel_of_buckets) {
    for (const unsigned hz : rates) {
        for (const std::int64_t n : {258'047, 258'048, 2'064'383, 2'064'384, 3'000'000}) {
            for (const std::int64_t now : {0, 1, 4095, 4096, 100'000, 262'143}) {
                wheel w(hz, std::uint64_t(now));
                w.add(std::uint64_t(n));
                // It never fires early, so the ticks before need not be stepped.
                ASSERT_EQ(timer_wheel_fires(now, n, hz),
                          std::int64_t(w.run_after(std::uint64_t(n) - 1)))
                    << "HZ " << hz << ", armed in tick " << now << " for " << n << " jiffies";
            }
        }
    }
}

TEST(timer_wheel, beyond_the_last_level_a_timer_fires_at_its_end) {
    // WHEEL_TIMEOUT_CUTOFF, WHEEL_TIMEOUT_MAX: HZ 100 has 8 levels, so about 15 days at most.
    const std::int64_t cutoff = 63ll << 21, gran = 1ll << 21;
    const std::int64_t fires = timer_wheel_fires(0, cutoff + 12345, 100);
    EXPECT_EQ(fires, timer_wheel_fires(0, cutoff, 100));
    EXPECT_GT(fires, cutoff - gran);
    EXPECT_LE(fires, cutoff);
}

struct measured {
    unsigned hz;
    sim_time asleep, timeout, fires;
};

TEST(timer_wheel, times_of_the_recording_and_of_the_rule) {
    // The first two were recorded (traces/recorded, HZ=100); the others follow from the wheel's
    // grid, which starts at -300 s.
    const measured all[] = {
        {100, microseconds(1593), seconds(60), milliseconds(64'480)},
        {100, microseconds(1415), milliseconds(30), milliseconds(40)},
        {100, microseconds(64'480'002), seconds(60), milliseconds(125'920)},
        {250, {}, seconds(60), milliseconds(60'384)},
        {1000, {}, seconds(60), milliseconds(62'432)},
    };
    for (const measured& m : all) {
        EXPECT_EQ(to_string(tick_clock(m.hz, {}).timeout_fires(m.asleep, m.timeout)),
                  to_string(m.fires))
            << "HZ " << m.hz << ", " << to_string(m.timeout) << " from " << to_string(m.asleep);
    }
}

struct bounds {
    sim_time timeout;
    unsigned hz;
    std::int64_t jiffies, granularity;
};

TEST(timer_wheel, elapsed_times_reach_their_bounds_and_never_leave_them) {
    // From N + 1 to N + G ticks after the one in which the task went to sleep.
    const bounds all[] = {
        {milliseconds(30), 100, 3, 1},  {milliseconds(30), 250, 8, 1},
        {milliseconds(30), 300, 9, 1},  {milliseconds(30), 1000, 30, 1},
        {seconds(2), 100, 200, 8},      {seconds(2), 250, 500, 8},
        {seconds(2), 1000, 2000, 64},   {seconds(3), 100, 300, 8},
        {seconds(3), 250, 750, 64},     {seconds(3), 1000, 3000, 64},
        {seconds(5), 100, 500, 8},      {seconds(5), 250, 1250, 64},
        {seconds(5), 1000, 5000, 512},  {seconds(60), 100, 6000, 512},
        {seconds(60), 250, 15000, 512}, {seconds(60), 1000, 60000, 4096},
    };
    for (const bounds& b : all) {
        const tick_clock ticks(b.hz, {});
        EXPECT_EQ(msecs_to_jiffies(b.timeout / milliseconds(1), b.hz), b.jiffies);
        std::int64_t least = INT64_MAX, most = 0;
        for (std::int64_t n = 0; n < b.granularity; ++n) {
            const std::int64_t fired =
                ticks.ticks_at(ticks.timeout_fires(ticks.time_of_tick(n), b.timeout));
            least = std::min(least, fired - n);
            most = std::max(most, fired - n);
        }
        EXPECT_EQ(least, b.jiffies + 1) << to_string(b.timeout) << " at HZ " << b.hz;
        EXPECT_EQ(most, b.jiffies + b.granularity) << to_string(b.timeout) << " at HZ " << b.hz;
    }
}

TEST(timer_wheel, fires_on_a_tick_edge_of_the_given_phase_and_never_early) {
    for (const unsigned hz : rates) {
        const sim_time period = tick_clock(hz, {}).period();
        for (int part = 0; part < 10; ++part) {
            const sim_time phase(period.ps * part / 10);
            const tick_clock ticks(hz, phase);
            for (int n = 0; n < 2000; ++n) {
                const sim_time asleep = microseconds(137) * n;
                const sim_time fires = ticks.timeout_fires(asleep, milliseconds(30));
                ASSERT_GE(fires, asleep + milliseconds(30));
                ASSERT_EQ((fires - phase).ps % period.ps, 0);
                // The tick under way counts as whole: at most N + 1 ticks.
                const std::int64_t jiffies = msecs_to_jiffies(30, hz);
                ASSERT_LE(fires, asleep + period * (jiffies + 1));
            }
        }
    }
}

TEST(jiffies, round_up_and_follow_the_tick) {
    // include/linux/jiffies.h: msecs_to_jiffies rounds up; TICK_NSEC is rounded to nanoseconds.
    EXPECT_EQ(msecs_to_jiffies(1, 100), 1);
    EXPECT_EQ(msecs_to_jiffies(10, 100), 1);
    EXPECT_EQ(msecs_to_jiffies(11, 100), 2);
    EXPECT_EQ(msecs_to_jiffies(1, 300), 1);
    EXPECT_EQ(msecs_to_jiffies(10, 300), 3);
    EXPECT_EQ(msecs_to_jiffies(60'000, 300), 18'000);
    EXPECT_EQ(tick_clock(300, {}).period(), nanoseconds(3'333'333));
    const tick_clock t(250, milliseconds(1));
    EXPECT_EQ(t.ticks_at({}), -1);
    EXPECT_EQ(t.ticks_at(milliseconds(1)), 0);
    EXPECT_EQ(t.ticks_at(milliseconds(5) - picoseconds(1)), 0);
    EXPECT_EQ(t.floor(milliseconds(8)), milliseconds(5));
}

}  // namespace
}  // namespace scmi_vp::models
