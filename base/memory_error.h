// SPDX-License-Identifier: Apache-2.0
// Running out of memory, told from a defect.
#pragma once

#include <exception>

#include "base/error.h"

namespace scmi_vp {

/// Whether it is the standard library's, or what SystemC makes of it in a process (a report of
/// E549 with its text).
bool is_out_of_memory(const std::exception& e);

/// What people are told, and what they can do: (memory).
error out_of_memory();

}  // namespace scmi_vp
