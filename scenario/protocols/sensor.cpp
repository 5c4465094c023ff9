// SPDX-License-Identifier: Apache-2.0
// The scenario side of Sensor.
#include <array>

#include "scenario/protocol_schema.h"

namespace scmi_vp::scenario {
namespace {

/// What scmi-hwmon shows (Linux 6.1 drivers/hwmon/scmi-hwmon.c scmi_types): the sensor types of
/// SCMI and hwmon's names; hwmon counts from 1 except voltages (drivers/hwmon/hwmon.c).
struct hwmon_type {
    std::uint8_t scmi_type;
    const char* name;
    unsigned first;
};
constexpr std::array<hwmon_type, 5> hwmon_types{
    {{2, "temp", 1}, {5, "in", 0}, {6, "curr", 1}, {7, "power", 1}, {8, "energy", 1}}};

/// Empty: hwmon does not show it.
std::string sensor_file(const models::call& c, const scmi::platform_description& p) {
    const std::uint8_t type = p.sensors[c.id].type;
    for (const hwmon_type& t : hwmon_types) {
        if (t.scmi_type != type) continue;
        unsigned n = t.first;
        for (std::uint32_t i = 0; i < c.id; ++i) n += p.sensors[i].type == type;
        return t.name + std::to_string(n) + "_input";
    }
    return "";
}

}  // namespace

extern const protocol_schema sensor_schema;
const protocol_schema sensor_schema{
    scmi::protocol::sensor, "sensor",
    [](const scmi::platform_description& p) { return p.sensors.size(); }, sensor_file};

}  // namespace scmi_vp::scenario
