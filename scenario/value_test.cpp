// SPDX-License-Identifier: Apache-2.0
// Values and their places, apart from any key.
#include "scenario/value.h"

#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing_tools::error_of;

struct parsed {
    explicit parsed(const std::string& text) : table(toml::parse("v = " + text)) {}
    value v() const { return {table.get("v"), &source, "k"}; }
    toml::table table;
    value_source source{"f.toml", "folder", true};
};

TEST(value, integers_reach_to_their_bounds) {
    EXPECT_EQ(parsed("1").v().integer(1, 3), 1);
    EXPECT_EQ(parsed("0x3").v().integer(1, 3), 3);
    EXPECT_EQ(error_of([] { parsed("4").v().integer(1, 3); }),
              "f.toml:1:5: k: 4 is out of range: 1..3");
    EXPECT_EQ(error_of([] { parsed("-1").v().integer(0, INT64_MAX); }),
              "f.toml:1:5: k: -1 is out of range: 0..");
}

TEST(value, numbers_are_finite) {
    EXPECT_EQ(parsed("2").v().number(), 2.0);
    EXPECT_EQ(parsed("0.5").v().number(), 0.5);
    EXPECT_NE(error_of([] { parsed("inf").v().number(); }), "no error");
    EXPECT_NE(error_of([] { parsed("nan").v().number(); }), "no error");
    EXPECT_NE(error_of([] { parsed("true").v().number(); }), "no error");
}

TEST(value, sizes_have_units_and_do_not_overflow) {
    const std::uint64_t all = UINT64_MAX;
    EXPECT_EQ(parsed("\"64MiB\"").v().byte_count(0, all), 64ull << 20);
    EXPECT_EQ(parsed("\"4KiB\"").v().byte_count(0, all), 4096u);
    EXPECT_EQ(parsed("\"9999999999GiB\"").v().byte_count(0, all), 9999999999ull << 30);
    EXPECT_NE(error_of([&] { parsed("\"99999999999GiB\"").v().byte_count(0, all); }), "no error");
    EXPECT_NE(error_of([&] { parsed("\"MiB\"").v().byte_count(0, all); }), "no error");
    EXPECT_NE(error_of([&] { parsed("\"1.5MiB\"").v().byte_count(0, all); }), "no error");
}

TEST(value, paths_start_at_the_file_that_names_them) {
    EXPECT_EQ(parsed("\"a.txt\"").v().path(), "folder/a.txt");
    EXPECT_EQ(parsed("\"/a.txt\"").v().path(), "/a.txt");
    EXPECT_TRUE(parsed("\"\"").v().path().empty());
}

TEST(value, elements_know_their_numbers) {
    const parsed p("[1, 2]");
    const auto list = p.v().elements("a list");
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[1].key, "k.1");
    EXPECT_EQ(list[1].where(), "f.toml:1:9");
    EXPECT_EQ(error_of([] { parsed("1").v().elements("a list"); }),
              "f.toml:1:5: k: 1 is not a list");
}

}  // namespace
}  // namespace scmi_vp::scenario
