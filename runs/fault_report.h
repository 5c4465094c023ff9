// SPDX-License-Identifier: Apache-2.0
// What the faults of a scenario did in a run, and what became of messages in event buffers: for the
// report and for summary.json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "models/platform/scmi_device.h"

namespace scmi_vp::runs {

/// A line per fault, also of one that never hit; then messages that found no event buffer.
void print_faults(std::ostream& out, const models::scmi_device& platform);

/// Adds "faults", if there are any, and "events", if any message took an event buffer or found
/// none.
void add_faults(nlohmann::ordered_json& summary, const models::scmi_device& platform);

/// The same of a run in which nothing happened: what results can hold.
void add_empty_faults(nlohmann::ordered_json& summary, const models::platform_config& platform);

}  // namespace scmi_vp::runs
