// SPDX-License-Identifier: Apache-2.0
// Scenarios that are drawn: the same for the same seed, valid all of them, and of every kind.
#include "runs/linux/random_faults.h"

#include <set>

#include <gtest/gtest.h>

#include "runs/load.h"
#include "scenario/scenario.h"

namespace scmi_vp::runs {
namespace {

TEST(random_faults, one_seed_is_one_scenario) {
    EXPECT_EQ(random_fault_scenario(17), random_fault_scenario(17));
    EXPECT_NE(random_fault_scenario(17), random_fault_scenario(18));
    EXPECT_NE(random_fault_scenario(17).find("--seeds 1 --seed 17"), std::string::npos);
    EXPECT_EQ(random_fault_name(17), "random-17");
}

TEST(random_faults, every_seed_is_a_scenario_with_faults_and_calls) {
    std::set<models::fault_kind> kinds;
    std::set<const models::call_row*> calls;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const scenario::scenario s =
            parse_scenario(random_fault_scenario(seed), random_fault_name(seed) + ".toml", {});
        ASSERT_FALSE(s.system.platform.faults.empty()) << seed;
        for (const models::fault_config& f : s.system.platform.faults) kinds.insert(f.kind);
        for (const models::call& c : s.system.guest.loops.at(0).calls) calls.insert(c.row);
    }
    EXPECT_EQ(kinds.size(), 7u);
    EXPECT_GE(calls.size(), 14u);
}

// Seeds of any size, the largest included.
TEST(random_faults, take_any_seed) {
    for (const std::uint64_t seed : {std::uint64_t(0), UINT64_MAX}) {
        parse_scenario(random_fault_scenario(seed), "s.toml", {});
    }
}

}  // namespace
}  // namespace scmi_vp::runs
