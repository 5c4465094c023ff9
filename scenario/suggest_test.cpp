// SPDX-License-Identifier: Apache-2.0
// Edit distances by hand, and that nothing far away is suggested.
#include "scenario/suggest.h"

#include <gtest/gtest.h>

namespace scmi_vp::scenario {
namespace {

// Values of optimal string alignment worked out by hand (Damerau 1964: four kinds of slips).
TEST(suggest, counts_the_four_slips_of_the_pen) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("guest", ""), 5u);
    EXPECT_EQ(edit_distance("guest", "gest"), 1u);    // left out
    EXPECT_EQ(edit_distance("guest", "guuest"), 1u);  // too many
    EXPECT_EQ(edit_distance("guest", "gueat"), 1u);   // another one
    EXPECT_EQ(edit_distance("guest", "geust"), 1u);   // swapped
    EXPECT_EQ(edit_distance("Guest", "guest"), 0u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(suggest, names_the_nearest_or_all) {
    const std::vector<std::string> names{"uniform", "normal", "lognormal"};
    EXPECT_EQ(nearest("unifrom", names), "uniform");
    EXPECT_EQ(nearest("lgnormal", names), "lognormal");
    EXPECT_EQ(nearest("cauchy", names), std::nullopt);
    EXPECT_EQ(nearest("", names), std::nullopt);
    EXPECT_EQ(suggestion("nromal", names), ", did you mean normal?");
    EXPECT_EQ(suggestion("cauchy", names), ": one of uniform, normal, lognormal");
}

// Two letters of two are no likeness.
TEST(suggest, short_names_must_be_half_right) {
    EXPECT_EQ(nearest("xy", {"hz", "id"}), std::nullopt);
    EXPECT_EQ(nearest("hx", {"hz", "id"}), "hz");
}

}  // namespace
}  // namespace scmi_vp::scenario
