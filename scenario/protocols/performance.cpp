// SPDX-License-Identifier: Apache-2.0
// The scenario side of Performance.
#include "scenario/protocol_schema.h"

namespace scmi_vp::scenario {

extern const protocol_schema performance_schema;
const protocol_schema performance_schema{
    scmi::protocol::perf, "performance domain",
    [](const scmi::platform_description& p) { return p.performance_domains.size(); }, nullptr};

}  // namespace scmi_vp::scenario
