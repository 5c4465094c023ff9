// SPDX-License-Identifier: Apache-2.0
// Reads a [[check]] of a scenario or a study. All throw scmi_vp::error (config) with the place.
#pragma once

#include "scenario/check.h"
#include "scenario/value.h"

namespace scmi_vp::scenario {

/// A key of a check but for a study's `where`; scenarios and studies derive their schema from it.
struct check_key {
    const char* name;  ///< "at_most"
    const char* type;
    const char* default_text;
    const char* meaning;
    void (*apply)(check&, const value&);
};
const std::vector<check_key>& check_keys();

/// Its keys have been read: completes it, refuses what contradicts itself.
void finish_check(check& c, const value& element);

}  // namespace scmi_vp::scenario
