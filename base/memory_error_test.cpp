// SPDX-License-Identifier: Apache-2.0
// Which exceptions mean that memory ran out.
#include "base/memory_error.h"

#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace scmi_vp {
namespace {

TEST(memory_error, is_told_from_a_defect) {
    EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
    EXPECT_TRUE(
        is_out_of_memory(std::runtime_error("Error: (E549) uncaught exception: "
                                            "std::bad_alloc\nIn file: x")));
    EXPECT_FALSE(is_out_of_memory(std::runtime_error("the sky is falling")));
    EXPECT_FALSE(is_out_of_memory(error(error_kind::model, "a hop is negative")));
    std::string what;
    try {
        std::vector<char> v;
        v.resize(std::numeric_limits<std::size_t>::max());
    } catch (const std::exception& e) {
        what = is_out_of_memory(e) ? out_of_memory().what() : "another";
    }
    EXPECT_EQ(what.rfind("out of memory; ask for less", 0), 0u) << what;
    EXPECT_EQ(out_of_memory().kind(), error_kind::memory);
}

}  // namespace
}  // namespace scmi_vp
