// SPDX-License-Identifier: Apache-2.0
// Spans as text: exact, both ways; everything else is refused.
#include "base/time.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/distribution_testing.h"
#include "base/error.h"
#include "base/random.h"

namespace scmi_vp {
namespace {

using testing_tools::message_of;

// The examples of time.h, and the ends of the range.
TEST(time_text, is_the_exact_decimal_form) {
    EXPECT_EQ(to_string(sim_time()), "0s");
    EXPECT_EQ(to_string(milliseconds(30)), "30ms");
    EXPECT_EQ(to_string(nanoseconds(1500)), "1.5us");
    EXPECT_EQ(to_string(nanoseconds(28'928)), "28.928us");
    EXPECT_EQ(to_string(picoseconds(-3)), "-3ps");
    EXPECT_EQ(to_string(picoseconds(999)), "999ps");
    EXPECT_EQ(to_string(picoseconds(1000)), "1ns");
    EXPECT_EQ(to_string(picoseconds(1001)), "1.001ns");
    EXPECT_EQ(to_string(seconds(1) + picoseconds(1)), "1.000000000001s");
    EXPECT_EQ(to_string(seconds(3600)), "3600s");
    EXPECT_EQ(to_string(sim_time::max()), "9223372.036854775807s");
    EXPECT_EQ(to_string(sim_time(INT64_MIN)), "-9223372.036854775808s");
}

TEST(time_text, is_read_to_the_picosecond) {
    const std::vector<std::pair<std::string, sim_time>> cases = {
        {"30ms", milliseconds(30)},
        {"1.5 us", nanoseconds(1500)},
        {"0s", sim_time()},
        {"0.000ps", sim_time()},
        {"1ps", picoseconds(1)},
        {"007ns", nanoseconds(7)},
        {"-2.5ns", picoseconds(-2500)},
        {"1min", seconds(60)},
        {"0.5min", seconds(30)},
        {"2h", seconds(7200)},
        {"0.0000152587890625h", picoseconds(54'931'640'625)},  // 2^-16 h: exact after 16 digits
        {"28.92800000000000000000000000us", nanoseconds(28'928)},
        {"9223372.036854775807s", sim_time::max()},
        {"-9223372.036854775808s", sim_time(INT64_MIN)},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_time(text).ps, expected.ps) << text;
}

TEST(time_text, that_is_no_time_is_refused_with_the_reason) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "'': not a time; write a decimal number and a unit (ps, ns, us, ms, s, min or h)"},
        {"30", "'30': a time needs a unit; write 30us"},
        {"30 parsecs", "unknown unit 'parsecs'; use ps, ns, us, ms, s, min or h"},
        {"30 MS", "unknown unit 'MS'"},
        {"1e3ms", "unknown unit 'e3ms'"},  // a decimal number: no exponents
        {"0x10us", "unknown unit 'x10us'"},
        {"30ms ", "unknown unit 'ms '"},
        {"ms", "not a time"},
        {" 30ms", "not a time"},
        {".5ms", "not a time"},
        {"5.ms", "not a time"},
        {"--5ms", "not a time"},
        {"-", "not a time"},
        {"+5ms", "not a time"},
        {"nan s", "not a time"},
        {"0.0001ps", "finer than a picosecond"},
        {"1.0005ns", "finer than a picosecond"},
        {"0.33333333333333333333h", "finer than a picosecond"},
        {"9223372.036854775808s", "out of range; a time is at most 106 days"},
        {"-9223372.036854775809s", "out of range"},
        {"107000h", "out of range"},
        {"99999999999999999999999ps", "out of range"},
        {"18446744073709551616ps", "out of range"},
    };
    for (const auto& [text, expected] : cases) {
        const auto parse = [t = text] { parse_time(t); };
        const std::string message = message_of(parse, error_kind::config);
        EXPECT_NE(message.find(expected), std::string::npos) << "'" << text << "' -> " << message;
    }
}

TEST(time_text, comes_back_as_the_same_time) {
    const random_stream stream(1, "time", "round trip");
    for (unsigned i = 0; i < 10'000; ++i) {
        const auto bits = static_cast<std::int64_t>(stream.bits(i));
        const sim_time t(bits >> i % 64);
        EXPECT_EQ(parse_time(to_string(t)).ps, t.ps) << to_string(t);
    }
}

}  // namespace
}  // namespace scmi_vp
