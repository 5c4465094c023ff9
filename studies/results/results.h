// SPDX-License-Identifier: Apache-2.0
// What a study found, as results.json and requests.csv.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "studies/results/estimators.h"
#include "studies/results/point_result.h"
#include "studies/study.h"

namespace scmi_vp::studies {

/// A point with what its numbers mean.
struct point_findings {
    const study_point* point = nullptr;
    const point_result* result = nullptr;
    rate_estimate spurious, true_timeouts;
    /// Per million waits for a delayed response: timeouts of its limit.
    rate_estimate delayed_spurious, delayed_true;
    /// What its requests, taken together, do not show: runs without a workload, calls that were
    /// never made, timeouts that had not struck yet. One sentence each.
    std::vector<std::string> remarks;
    incident_rate spurious_incidents, true_incidents;

    bool has_delayed() const { return result->totals.delayed.requests > 0; }
    bool open_loop() const { return !point->scenario.system.guest.open.empty(); }
};

struct findings {
    const study* what = nullptr;
    std::vector<point_findings> points;
    std::vector<std::string> notes;  ///< the study's, then what recordings cannot tell
    std::optional<early_end> early;  ///< the study did not come to its end
};

/// Estimates; `s` and `results` must outlive what is returned.
findings find_out(const study& s, const std::vector<point_result>& results);

/// results.json (docs/study.md).
nlohmann::ordered_json results_json(const findings& f);

/// A point's element of results.json when nothing has been simulated.
nlohmann::ordered_json empty_point_json(const study_point& p);

/// The kept requests of all points, with the heading.
void write_kept_requests(const findings& f, std::ostream& out);

}  // namespace scmi_vp::studies
