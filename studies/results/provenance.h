// SPDX-License-Identifier: Apache-2.0
// Whether what results were made from is still what it was: else whoever repeats their run tells
// another one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "studies/results/report_data.h"

namespace scmi_vp::studies {

/// Names and values, as runs::add_fingerprint() takes them.
using result_parts = std::vector<std::pair<std::string, nlohmann::json>>;

/// What of a study's results made the rest of them: what was set, the seeds.
result_parts parts_of_study(const json_place& results);
/// The same of a run's summary.json.
result_parts parts_of_run(const json_place& summary);

/// Compares `parts` with their digests in "made_from". Throws scmi_vp::error (input).
void check_parts(const json_place& results, const std::string& file, const result_parts& parts,
                 const std::string& again);

/// Compares "made_from" with this program, the files as they are now, and `parts`. Throws
/// scmi_vp::error (input) that names the first that has changed, with `again`, the command that
/// makes the results anew. Results of other sources with the same version pass: whether they tell
/// the same shows when their run is repeated (made_by_others()).
void check_made_from(const json_place& results, const std::string& file, const result_parts& parts,
                     const std::string& again);

/// "another build of scmi-vp made them (...)"; empty if it was this one.
std::string made_by_others(const nlohmann::json& made_from);

}  // namespace scmi_vp::studies
