// SPDX-License-Identifier: Apache-2.0
// When the host runs beside pauses that follow each other at once.
#include "models/platform/host_schedule.h"

#include <gtest/gtest.h>

namespace scmi_vp::models {
namespace {

host_pause pauses(sim_time every, sim_time length, std::uint64_t count) {
    return {make_constant(every), make_constant(length), count};
}

// Three of 10 ms back to back are one of 30 ms: nothing runs in between, not even for a moment.
TEST(host_schedule, pauses_back_to_back_are_one) {
    host_schedule h({}, {pauses({}, milliseconds(10), 3)}, 1, "host");
    EXPECT_EQ(h.running_from({}), milliseconds(30));
    EXPECT_EQ(h.running_from(milliseconds(10)), milliseconds(30));
    EXPECT_EQ(h.running_from(milliseconds(20)), milliseconds(30));
    EXPECT_EQ(h.finish({}, {}), milliseconds(30));
    EXPECT_EQ(h.finish({}, milliseconds(5)), milliseconds(35));
    EXPECT_EQ(h.finish(milliseconds(40), milliseconds(5)), milliseconds(45));
}

TEST(host_schedule, pauses_apart_let_work_go_on_between_them) {
    host_schedule h({}, {pauses(milliseconds(2), milliseconds(10), 3)}, 1, "host");
    EXPECT_EQ(h.running_from({}), sim_time{});
    EXPECT_EQ(h.finish({}, milliseconds(5)), milliseconds(2 + 10 + 2 + 10 + 1));
}

}  // namespace
}  // namespace scmi_vp::models
