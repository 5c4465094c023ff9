// SPDX-License-Identifier: Apache-2.0
// What `scmi-vp connect` measured, in the form of a study's results: from the rows that it wrote.
#pragma once

#include <nlohmann/json.hpp>

namespace scmi_vp::studies {

/// `loaded` is what load_results() gives of such a folder. Throws scmi_vp::error (input) when its
/// files are missing, or are not of one run.
nlohmann::json measured_results(const nlohmann::json& loaded);

}  // namespace scmi_vp::studies
