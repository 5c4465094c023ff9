// SPDX-License-Identifier: Apache-2.0
// What keeps the everyday request's way short.
#pragma once

namespace scmi_vp {

/// A condition that the everyday request does not meet: the code that it leads to is kept out of
/// the request's way. One request runs through more code than an instruction cache likes to hold
/// (bench/README.md).
[[gnu::always_inline]] inline bool rarely(bool condition) {
    return __builtin_expect_with_probability(condition, false, 1.0);
}

}  // namespace scmi_vp
