// SPDX-License-Identifier: Apache-2.0
// The interrupt checker: each rule seeded once and seen, a clean device silent.
#include "tlm/interrupt_checker.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp {
namespace {

/// A device's two halves, to be driven in the right or the wrong way.
struct interrupt_checking : testing::Test {
    interrupt_line line{"line"};
    unsigned status = 0;
    std::vector<interrupt_violation> seen;
    interrupt_checker checker{line, [this] { return status != 0; },
                              [this](const interrupt_violation& v) { seen.push_back(v); }};
};

// virtio 1.3 4.2.2.1: an event's bit stays set until acknowledged; 4.2.3.4: one interrupt for all.
TEST_F(interrupt_checking, a_device_that_changes_its_status_and_then_the_line_is_clean) {
    for (int i = 0; i < 3; ++i) {
        status |= 1;
        line.set(status != 0);
        status |= 2;
        line.set(status != 0);
        checker.check();
        status &= ~1u;
        line.set(status != 0);
        checker.check();
        status &= ~2u;
        line.set(status != 0);
        checker.check();
    }
    EXPECT_EQ(checker.violations(), 0u);
    EXPECT_EQ(checker.rises(), 3u);
    EXPECT_TRUE(seen.empty());
}

TEST_F(interrupt_checking, a_rise_without_a_cause) {
    line.set(true);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].line, "line");
    EXPECT_EQ(seen[0].rule, "the interrupt line rose without a cause at 0s");
    EXPECT_STREQ(seen[0].source, "virtio 1.3 4.2.3.4");
    checker.check();  // the same occurrence
    EXPECT_EQ(checker.violations(), 1u);
}

TEST_F(interrupt_checking, a_fall_with_the_cause_pending) {
    status = 3;
    line.set(true);
    status = 2;
    line.set(false);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].rule, "the interrupt line fell while its cause is pending at 0s");
}

TEST_F(interrupt_checking, a_line_that_did_not_follow_is_seen_by_check_once) {
    status = 1;
    checker.check();
    checker.check();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].rule, "the interrupt line is low with a cause pending at 0s");
    line.set(true);
    checker.check();
    status = 0;
    checker.check();
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[1].rule, "the interrupt line is high without a cause at 0s");
}

TEST_F(interrupt_checking, a_checker_without_cause_or_report_is_refused) {
    const auto cause = [] { return false; };
    const auto report = [](const interrupt_violation&) {};
    EXPECT_THROW(interrupt_checker(line, nullptr, report), error);
    EXPECT_THROW(interrupt_checker(line, cause, nullptr), error);
}

}  // namespace
}  // namespace scmi_vp
