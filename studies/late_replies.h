// SPDX-License-Identifier: Apache-2.0
// Which reply of a whole study came latest: looked up in its requests.csv, which has all timeouts.
#pragma once

#include <filesystem>

#include "studies/explain.h"

namespace scmi_vp::studies {

/// Within choice.point if that is given. Throws scmi_vp::error: (input) when requests.csv cannot be
/// read as such, (usage) when no reply came late.
request_choice recorded_late(const std::filesystem::path& folder, const request_choice& choice);

}  // namespace scmi_vp::studies
