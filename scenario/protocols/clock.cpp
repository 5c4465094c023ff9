// SPDX-License-Identifier: Apache-2.0
// The scenario side of Clock.
#include <algorithm>

#include "scenario/protocol_schema.h"

namespace scmi_vp::scenario {
namespace {

/// Empty: it has no file of its own.
std::string clock_file(const models::call& c, const scmi::platform_description& p) {
    const std::string& name = p.clocks[c.id].name;
    const auto same = [&](const scmi::clock_description& k) { return k.name == name; };
    if (name.empty() || name.find_first_of("/ \t\n") != std::string::npos ||
        std::count_if(p.clocks.begin(), p.clocks.end(), same) > 1) {
        return "";
    }
    return "/sys/kernel/debug/clk/" + name + "/clk_rate";
}

}  // namespace

extern const protocol_schema clock_schema;
const protocol_schema clock_schema{
    scmi::protocol::clock, "clock",
    [](const scmi::platform_description& p) { return p.clocks.size(); }, clock_file};

}  // namespace scmi_vp::scenario
