// SPDX-License-Identifier: Apache-2.0
// What is one incident, whatever the order in which its timeouts are told.
#include "studies/results/incidents.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace scmi_vp::studies {
namespace {

using waits = std::vector<std::pair<sim_time, sim_time>>;

std::uint64_t incidents_of(const waits& all, sim_time gap) {
    incident_counter c(gap);
    for (const auto& [from, to] : all) c.add(from, to);
    return c.count();
}

sim_time ms(std::int64_t n) {
    return milliseconds(n);
}

TEST(incidents, none_and_one) {
    EXPECT_EQ(incidents_of({}, ms(30)), 0u);
    EXPECT_EQ(incidents_of({{ms(0), ms(30)}}, ms(30)), 1u);
}

TEST(incidents, waits_that_overlap_or_are_a_timeout_apart_are_one) {
    EXPECT_EQ(incidents_of({{ms(0), ms(30)}, {ms(10), ms(40)}}, ms(30)), 1u);
    EXPECT_EQ(incidents_of({{ms(0), ms(30)}, {ms(60), ms(90)}}, ms(30)), 1u);  // exactly one apart
    EXPECT_EQ(incidents_of({{ms(0), ms(30)}, {ms(61), ms(91)}}, ms(30)), 2u);
}

TEST(incidents, a_wait_between_two_makes_them_one) {
    EXPECT_EQ(incidents_of({{ms(0), ms(30)}, {ms(100), ms(130)}, {ms(50), ms(80)}}, ms(30)), 1u);
}

// Lost replies are told at the end of the run, late ones when they come. Against a count that
// sorts all of them first.
TEST(incidents, their_order_does_not_matter) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        waits all;
        for (int i = 0; i < 50; ++i) {
            const sim_time from = ms(std::int64_t(random() % 10'000));
            all.emplace_back(from, from + ms(std::int64_t(random() % 60)));
        }
        waits sorted = all;
        std::sort(sorted.begin(), sorted.end());
        std::uint64_t expected = 0;
        sim_time end;
        for (const auto& [from, to] : sorted) {
            if (expected == 0 || from - end > ms(30)) ++expected;
            end = std::max(end, to);
        }
        std::shuffle(all.begin(), all.end(), random);
        ASSERT_EQ(incidents_of(all, ms(30)), expected) << "round " << round;
    }
}

}  // namespace
}  // namespace scmi_vp::studies
