// SPDX-License-Identifier: Apache-2.0
// Numbers and times as the report prints them: three significant digits, thin spaces, real units.
#pragma once

#include <cstdint>
#include <string>

#include "base/hops.h"
#include "base/time.h"
#include "studies/results/report_data.h"

namespace scmi_vp::studies {

/// "71.3 µs", "0".
std::string nice_time(sim_time t);
/// The same for seconds, which may be more than a sim_time holds.
std::string nice_seconds(double seconds);
/// "1 234 567" with thin spaces.
std::string nice_count(std::uint64_t n);
/// "0.0123", "12.3", "1 230": three significant digits, no exponent.
std::string nice_number(double x);
/// "12.3 (8.1 to 17.2)", without an interval "12.3".
std::string nice_rate(const rate_data& r);
/// "99.2 %".
std::string nice_share(double share);

/// A hop's colour, "#rrggbb", the same in every picture. Paul Tol's discrete rainbow (technical
/// note SRON/EPS/TN/09-002), which keeps its order for colour-blind eyes, along the path of a
/// request.
std::string hop_colour(hop h);
/// Attributes of a shape in that colour.
std::string hop_fill(hop h);
/// Attributes of a small text on it.
std::string hop_label_style(hop h);
/// part / whole, 0 of nothing.
double share(sim_time part, sim_time whole);
/// "host wake".
std::string hop_label(hop h);

}  // namespace scmi_vp::studies
