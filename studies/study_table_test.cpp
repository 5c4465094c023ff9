// SPDX-License-Identifier: Apache-2.0
// What people read: numbers as text, what recordings cannot tell, and that the table is plain
// ASCII.
#include "studies/study_table.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "studies/human.h"
#include "studies/recordings.h"

namespace scmi_vp::studies {
namespace {

using testing::HasSubstr;

TEST(human, numbers) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1234567), "1 234 567");
    EXPECT_EQ(rate_text(0), "0");
    EXPECT_EQ(rate_text(0.0123456), "0.0123");
    EXPECT_EQ(rate_text(16.72), "16.7");
    EXPECT_EQ(rate_text(100), "100");
    EXPECT_EQ(rate_text(12345), "12 300");
    EXPECT_EQ(long_time(1.65), "1.65s");
    EXPECT_EQ(long_time(0), "0");
    EXPECT_EQ(long_time(600), "10min");
    EXPECT_EQ(long_time(36000), "10h");
    EXPECT_EQ(long_time(864000), "10d");
}

study quickstart() {
    return load_study(std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/quickstart/study.toml");
}

// The recording has 119 959 samples, two of them beyond 20 ms; the larger maximum is 35.8 ms.
TEST(recordings, say_what_they_cannot_tell) {
    const study s = quickstart();
    ASSERT_EQ(s.points.size(), 8u);
    const std::vector<recording> busy = recordings_of(s.points[0].scenario);
    ASSERT_EQ(busy.size(), 1u);
    EXPECT_EQ(busy[0].samples, 119'959u);
    EXPECT_EQ(busy[0].above(milliseconds(20)), 2u);
    EXPECT_EQ(busy[0].above(milliseconds(30)), 2u);
    EXPECT_EQ(busy[0].above(milliseconds(36)), 0u);
    EXPECT_EQ(busy[0].above(sim_time{}), busy[0].samples);
    EXPECT_THAT(limits_of(busy[0]), HasSubstr("119 959 samples"));
    // Clopper-Pearson for 2 of 119 959.
    EXPECT_THAT(limits_beyond(busy[0], milliseconds(30)), HasSubstr("between 2.02 and 60.2"));
    EXPECT_THAT(limits_beyond(busy[0], milliseconds(100)), HasSubstr("beyond the recording"));
    EXPECT_EQ(limits_beyond(busy[0], microseconds(50)), "");
    EXPECT_TRUE(recordings_of(s.points[4].scenario).empty());
}

TEST(study_table, is_plain_and_says_beyond_the_recording) {
    const study s = quickstart();
    std::vector<point_result> results(s.points.size());
    for (point_result& r : results) {
        r.replications.assign(s.replications, {1, 1000, 0, 0, 0, false});
        r.totals.requests = 1000 * s.replications;
    }
    results[5].replications[2].spurious = 7;
    std::ostringstream text;
    const findings f = find_out(s, results);
    print_table(text, f);
    print_hops(text, f);
    print_slowest(text, f, "out");
    print_notes(text, f);
    for (const char c : text.str()) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 127)) << int(c);
    EXPECT_THAT(text.str(), HasSubstr("beyond the recording"));
    EXPECT_THAT(text.str(), HasSubstr("26%"));
    EXPECT_THAT(text.str(), HasSubstr("700 [0 .. 2 280]"));  // 7 of 10 000, t(0.975, 9) = 2.262
    EXPECT_EQ(slowest_point(f), f.points.size());
}

}  // namespace
}  // namespace scmi_vp::studies
