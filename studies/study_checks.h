// SPDX-License-Identifier: Apache-2.0
// The checks of a study at its points.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "scenario/check.h"
#include "studies/results/results.h"
#include "studies/study.h"

namespace scmi_vp::studies {

/// Finds each check's number among those that results.json will hold. Throws scmi_vp::error
/// (config) with the place of a name that is none, or of a limit in another unit.
void resolve_checks(study& s);

/// The numbers of a point that a check can be about, all of them zero.
std::vector<scenario::result_number> numbers_of_point(const study_point& p);

struct point_check {
    const study_check* check = nullptr;
    std::size_t point = 0;
    scenario::check_result result;
};

/// Every check at every point that it is about. `results` is results.json.
std::vector<point_check> check_points(const findings& f, const nlohmann::ordered_json& results);

/// results.json's "checks".
nlohmann::ordered_json json_of(const std::vector<point_check>& checks);

/// "3 checks passed", or one line for each that failed; nothing without checks.
void print_checks(std::ostream& out, const std::vector<point_check>& checks);

bool all_passed(const std::vector<point_check>& checks);

/// The replication that shows best why a check failed at a point: for a count the one with most of
/// it (fewest, where there should be more), else that of the slowest request.
std::size_t telling_replication(const findings& f, const point_check& c);

/// The check that failed by most; of equals, the first. nullptr: all passed.
const point_check* worst_of(const std::vector<point_check>& checks);

}  // namespace scmi_vp::studies
