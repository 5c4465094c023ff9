// SPDX-License-Identifier: Apache-2.0
// What no single key can tell: whether the parts of a scenario fit together.
#pragma once

#include "scenario/document.h"
#include "scenario/schema.h"

namespace scmi_vp::scenario {

/// Throws scmi_vp::error (config) at the place of the key that does not fit.
void check_scenario(const scenario& s, const document& doc);

}  // namespace scmi_vp::scenario
