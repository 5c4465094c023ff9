// SPDX-License-Identifier: Apache-2.0
// Sensors: drivers/firmware/arm_scmi/sensors.c, v6.1.
#include "models/guest/protocol_tools.h"
#include "models/guest/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

int scmi_protocols::init_sensor(guest_context& c) {
    // scmi_sensors_protocol_init: failures of 0, 1 and 3 are fatal.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::sensor, msg_version, 4, "version_get", &version);
    if (err) return err;
    err =
        simple(c, protocol::sensor, msg_attributes, 16, "scmi_sensor_attributes_get", &attributes);
    if (err) return err;
    return sensor_descriptions(c, scmi::get_u32(version.data(), 4, 0),
                               scmi::get_u32(attributes.data(), 4, 0) & 0xffff);
}

int scmi_protocols::sensor_descriptions(guest_context& c, std::uint32_t, std::size_t count) {
    // scmi_sensor_description_get; Sensor 1.0: seven words a descriptor.
    constexpr std::size_t descriptor_bytes = 28;
    sensors_.clear();
    const auto take = [this](const transfer& t, std::size_t, std::uint32_t returned) {
        for (std::uint32_t i = 0; i < returned; ++i) {
            const std::size_t at = 4 + i * descriptor_bytes;
            sensors_.push_back({t.u32(at), name_at(t, at + 12, 16),
                                static_cast<std::uint8_t>(t.u32(at + 8)),
                                (t.u32(at + 4) >> 31) != 0});
        }
    };
    return iterate(agent_, c, {protocol::sensor, 3, -1, 0xffff, count}, take);
}

int scmi_protocols::sensor_read(guest_context& c, const sensor_info& s) {
    // scmi_sensor_reading_get.
    transfer t;
    int err = agent_.begin(c, t, protocol::sensor, 6, 8, 0, "scmi_sensor_reading_get",
                           static_cast<std::int32_t>(s.id));
    if (err) return err;
    t.put_u32(0, s.id);
    t.put_u32(4, s.async ? 1 : 0);
    if (s.async) {
        err = agent_.do_xfer_with_response(c, t);
        if (!err) {
            // The delayed response names its sensor.
            if (t.u32(0) == s.id) {
                last_value_ = u64_at(t, 4);
            } else {
                err = -EPROTO;
            }
        }
    } else {
        err = agent_.do_xfer(c, t);
        if (!err) last_value_ = u64_at(t, 0);
    }
    agent_.end(t);
    return err;
}

}  // namespace scmi_vp::models
