// SPDX-License-Identifier: Apache-2.0
// The pictures of the report, each an inline SVG with its legend.
#pragma once

#include <string>

#include "studies/results/report_data.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {

/// (a) P(round trip > t) over t, log-log, a line a point, timeouts as vertical lines.
std::string round_trip_chart(const report_data& d);

enum class hop_chart_of { mean, slowest };
/// (b) A bar a point, split into hops: of the mean request, or of the slowest. Empty when no point
/// has what it needs.
std::string hop_chart(const report_data& d, hop_chart_of what);

/// Which limit was passed: that of responses, or that of delayed responses.
enum class timeouts_of { rx, delayed };
/// (c) Timeouts per million requests (waits for a delayed response) with their intervals; nothing
/// seen is an arrow below its bound.
std::string timeouts_chart(const report_data& d, timeouts_of what);

/// (d) A lane a hop over the time of one request.
std::string timeline_chart(const story& s);

}  // namespace scmi_vp::studies
