// SPDX-License-Identifier: Apache-2.0
// Numbers for people, ASCII only.
#pragma once

#include <cstdint>
#include <string>

namespace scmi_vp::studies {

/// "229 010".
std::string grouped(std::uint64_t n);
/// Three significant digits, never an exponent: "0.0123", "16.7", "12 300".
std::string rate_text(double x);
/// "5.2%", "<0.1%": with so many digits as a share needs.
std::string share_text(double part, double whole);
/// "1.65s", "3.2min", "5.1h", "2.3d".
std::string long_time(double seconds);

}  // namespace scmi_vp::studies
