// SPDX-License-Identifier: Apache-2.0
// The scenario side of Power domain.
#include "scenario/protocol_schema.h"

namespace scmi_vp::scenario {

extern const protocol_schema power_schema;
const protocol_schema power_schema{
    scmi::protocol::power, "power domain",
    [](const scmi::platform_description& p) { return p.power_domains.size(); }, nullptr};

}  // namespace scmi_vp::scenario
