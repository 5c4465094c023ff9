// SPDX-License-Identifier: Apache-2.0
// Between our picoseconds and SystemC's time.
#include "tlm/sc_time.h"

#include <gtest/gtest.h>

namespace scmi_vp {
namespace {

// IEEE 1666-2011 5.11.3: the default time resolution is 1 ps.
TEST(sc_time_conversion, is_exact_in_both_directions) {
    EXPECT_EQ(to_sc(nanoseconds(3)), sc_core::sc_time(3, sc_core::SC_NS));
    EXPECT_EQ(from_sc(sc_core::sc_time(30, sc_core::SC_MS)), milliseconds(30));
    EXPECT_EQ(from_sc(to_sc(picoseconds(86'400'000'000'000'001))),
              picoseconds(86'400'000'000'000'001));
    EXPECT_EQ(from_sc(to_sc(sim_time::max())), sim_time::max());
}

TEST(sc_time_conversion, negative_spans_become_zero) {
    EXPECT_EQ(to_sc(picoseconds(-1)), sc_core::SC_ZERO_TIME);
}

TEST(sc_time_conversion, now_is_the_simulated_time) {
    EXPECT_EQ(now(), sim_time{});
    sc_core::sc_start(sc_core::sc_time(1500, sc_core::SC_PS));
    EXPECT_EQ(now(), picoseconds(1500));
}

}  // namespace
}  // namespace scmi_vp
