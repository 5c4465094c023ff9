// SPDX-License-Identifier: Apache-2.0
// report.html: what a study found, on one page that needs nothing else: table, pictures (inline
// SVG), the story of the slowest request, notes, and the commands that repeat it.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>

#include "studies/stories/explain.h"

namespace scmi_vp::studies {

/// In the head of each page: how scmi-vp knows its own again.
inline constexpr const char* report_generator = "<meta name=\"generator\" content=\"scmi-vp\">";

/// Writes the page. `results` has the format of results.json (docs/study.md); `slowest` is the
/// story of the slowest request, nullptr if there is none. Two more keys are used when they are
/// there: points[].rx_timeout_ps (else read from the point's and the study's "set") and
/// points[].slowest.hops_ps ({"prepare": N, ...}). Throws scmi_vp::error (input) when a key is
/// missing or has the wrong type, and names it. The stream's state is left for the caller to check.
void write_report(const nlohmann::json& results, const story* slowest, std::ostream& out);

}  // namespace scmi_vp::studies
