// SPDX-License-Identifier: Apache-2.0
// The program, called as main() calls it.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "app/program.h"

namespace scmi_vp::app::testing_tools {

struct answer {
    int status;
    std::string out, err;
};

inline answer run(const arguments& args) {
    std::ostringstream out, err;
    const exit_status status = run_program(args, "1.2.3", out, err);
    return {int(status), out.str(), err.str()};
}

/// A refusal: one line, nothing on standard output, status 2.
inline std::string refusal(const arguments& args) {
    const answer a = run(args);
    EXPECT_EQ(a.status, 2) << a.err;
    EXPECT_EQ(a.out, "");
    EXPECT_EQ(std::count(a.err.begin(), a.err.end(), '\n'), 1) << a.err;
    return a.err;
}

}  // namespace scmi_vp::app::testing_tools
