// SPDX-License-Identifier: Apache-2.0
// Operations of the SCMI protocols that a driver calls directly, and their notifications: v6.1
// drivers/firmware/arm_scmi/{base,clock,perf,power,sensors}.c, the *_proto_ops and *_event_ops.
#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

int scmi_protocols::command(guest_context& c, const operation& o,
                            std::initializer_list<std::uint32_t> words) {
    transfer t;
    int err = agent_.begin(c, t, o.protocol_id, o.message_id,
                           static_cast<std::uint16_t>(4 * words.size()), o.reply_bytes, o.caller,
                           o.resource);
    if (err) return err;
    std::size_t at = 0;
    for (const std::uint32_t w : words) {
        t.put_u32(at, w);
        at += 4;
    }
    err = agent_.do_xfer(c, t);
    if (!err) last_value_ = t.u32(0);
    agent_.end(t);
    return err;
}

int scmi_protocols::make_operation(guest_context& c, const call& what) {
    const auto id = static_cast<std::int32_t>(what.id);
    const auto low = static_cast<std::uint32_t>(what.value);
    const auto high = static_cast<std::uint32_t>(what.value >> 32);
    const call_info& info = info_of(what.kind);
    // Who has been given none of the protocol's operations has none to call.
    const bool notifies = info.protocol_id == protocol::base;
    if (notifies ? has_driver(config_, caller_driver) && called_.empty()
                 : !usable(info.protocol_id)) {
        return -ENODEV;
    }
    switch (what.kind) {
        case call_kind::power_state_set:  // flags 0: synchronously
            return command(c, {protocol::power, 4, 0, "scmi_power_state_set", id},
                           {0, what.id, low});
        case call_kind::power_state_get:
            return command(c, {protocol::power, 5, 4, "scmi_power_state_get", id}, {what.id});
        case call_kind::perf_limits_set:
            if (what.id >= perf_domains_.size()) return -EINVAL;
            if (perf_version_ >= 0x30000 && what.value == 0) return -EINVAL;
            return command(c, {protocol::perf, 5, 0, "scmi_perf_limits_set", id},
                           {what.id, high, low});
        case call_kind::perf_limits_get:
            if (what.id >= perf_domains_.size()) return -EINVAL;
            return command(c, {protocol::perf, 6, 0, "scmi_perf_limits_get", id}, {what.id});
        case call_kind::sensor_trip_config:  // trip point 0, both directions
            return command(c, {protocol::sensor, 5, 0, "scmi_sensor_trip_point_config", id},
                           {what.id, 3, low, high});
        case call_kind::notify_register:
            return notifications_.register_notifier(c, std::uint8_t(low >> 8), std::uint8_t(low),
                                                    what.id);
        case call_kind::notify_unregister:
            return notifications_.unregister_notifier(c, std::uint8_t(low >> 8), std::uint8_t(low),
                                                      what.id);
        default:
            return -EINVAL;
    }
}

std::uint32_t scmi_protocols::sources_of(std::uint8_t protocol_id) const {
    switch (protocol_id) {
        case protocol::base:
            return 1;  // SCMI_BASE_NUM_SOURCES
        case protocol::power:
            return std::uint32_t(power_domains_.size());
        case protocol::perf:
            return std::uint32_t(perf_domains_.size());
        case protocol::clock:
            return std::uint32_t(clocks_.size());
        case protocol::sensor:
            return std::uint32_t(sensors_.size());
        default:
            return 0;
    }
}

std::uint32_t scmi_protocols::readings_of(std::uint32_t sensor) const {
    return sensor < sensors_.size() ? std::max(1u, sensors_[sensor].axes) : 0;
}

int scmi_protocols::set_notify_enabled(guest_context& c, std::uint8_t protocol_id,
                                       std::uint8_t event, std::uint32_t source, bool enable) {
    const auto id = static_cast<std::int32_t>(source);
    const std::uint32_t on = enable ? 1 : 0;
    switch (protocol_id) {
        case protocol::base:
            return command(c, {protocol::base, 8, 0, "scmi_base_set_notify_enabled", -1}, {on});
        case protocol::power:
            return command(c, {protocol::power, 6, 0, "scmi_power_set_notify_enabled", id},
                           {source, on});
        case protocol::perf:
            return command(c,
                           {protocol::perf, std::uint8_t(event == 0 ? 9 : 10), 0,
                            "scmi_perf_set_notify_enabled", id},
                           {source, on});
        case protocol::clock:
            return command(c,
                           {protocol::clock, std::uint8_t(event == 0 ? 9 : 10), 0,
                            "scmi_clk_set_notify_enabled", id},
                           {source, on});
        case protocol::sensor:
            return command(c,
                           {protocol::sensor, std::uint8_t(event == 0 ? 4 : 11), 0,
                            "scmi_sensor_set_notify_enabled", id},
                           {source, on});
        default:
            return -EINVAL;
    }
}

}  // namespace scmi_vp::models
