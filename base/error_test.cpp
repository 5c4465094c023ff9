// SPDX-License-Identifier: Apache-2.0
// The error type says where before what; the list of hops is the design's table.
#include "base/error.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/hops.h"

namespace scmi_vp {
namespace {

TEST(error_text, begins_with_the_place_if_there_is_one) {
    const error with(error_kind::config, "a.toml:3:7", "unknown key 'qeue'");
    EXPECT_STREQ(with.what(), "a.toml:3:7: unknown key 'qeue'");
    EXPECT_EQ(with.kind(), error_kind::config);
    const error without(error_kind::usage, "no scenario");
    EXPECT_STREQ(without.what(), "no scenario");
    EXPECT_EQ(without.kind(), error_kind::usage);
}

// span_table is indexed by the enumerator (name_of), so the order of the two must agree.
TEST(hops, are_found_by_number_and_by_name) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < span_count; ++i) {
        const hop h = static_cast<hop>(i);
        EXPECT_EQ(span_table[i].id, h);
        if (i < hop_count) {
            EXPECT_EQ(hop_table[i].id, h);
        }
        EXPECT_EQ(hop_named(name_of(h)), h);
        EXPECT_FALSE(span_table[i].from.empty());
        EXPECT_FALSE(span_table[i].until.empty());
        names.insert(name_of(h));
    }
    EXPECT_EQ(names.size(), span_count);
    EXPECT_EQ(hop_named("return_"), std::nullopt);
}

}  // namespace
}  // namespace scmi_vp
