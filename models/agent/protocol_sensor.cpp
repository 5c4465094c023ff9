// SPDX-License-Identifier: Apache-2.0
// Sensors: drivers/firmware/arm_scmi/sensors.c, drivers/hwmon/scmi-hwmon.c and
// drivers/iio/common/scmi_sensors/scmi_iio.c, v6.1.
#include <array>
#include <cstdlib>

#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

namespace {

constexpr std::uint32_t sensor_1_0 = 0x10000;  // SCMIv2_SENSOR_PROTOCOL
constexpr std::size_t name_bytes = 16, descriptor_bytes = 28;
constexpr std::size_t extended_bytes = 4 + 16;  // resolution, range
constexpr std::size_t axis_name_bytes = 4 + 64;

bool has_bit(std::uint32_t word, unsigned bit) {
    return (word >> bit & 1) != 0;
}

/// S32_EXT of five bits.
int scale_of(std::uint32_t attributes_high) {
    const int five = int(attributes_high >> 11 & 0x1f);
    return five & 0x10 ? five - 0x20 : five;
}

/// Types that scmi-hwmon shows: scmi_types[], and what it adds to the scale.
struct hwmon_type {
    std::uint8_t scmi_type;
    int scale;
};
constexpr std::array<hwmon_type, 5> hwmon_types{{{2, 3}, {5, 3}, {6, 3}, {7, 6}, {8, 6}}};

const hwmon_type* hwmon_type_of(std::uint8_t type) {
    for (const hwmon_type& t : hwmon_types) {
        if (t.scmi_type == type) return &t;
    }
    return nullptr;
}

}  // namespace

int scmi_protocols::init_sensor(guest_context& c) {
    // scmi_sensors_protocol_init: failures of 0, 1 and 3 are fatal.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::sensor, msg_version, 4, "version_get", &version);
    if (err) return err;
    err =
        simple(c, protocol::sensor, msg_attributes, 16, "scmi_sensor_attributes_get", &attributes);
    if (err) return err;
    sensors_.assign(scmi::get_u32(attributes.data(), 4, 0) & 0xffff, sensor_info{});
    return sensor_descriptions(c, scmi::get_u32(version.data(), 4, 0));
}

int scmi_protocols::sensor_descriptions(guest_context& c, std::uint32_t version) {
    // scmi_sensor_description_get. Sensors of a list that ends early stay blank.
    const auto take = [&](const transfer& t, std::size_t first, std::uint32_t returned) {
        std::size_t at = 4;
        int err = 0;
        for (std::uint32_t i = 0; i < returned && !err; ++i) {
            err = sensor_description(c, t, at, version, sensors_[first + i]);
        }
        return err;
    };
    return iterate(agent_, c, {protocol::sensor, 3, -1, 0xffff, sensors_.size()}, take);
}

/// iter_sens_descr_process_response: one descriptor at `at`, which moves on by its size. Bits that
/// Sensor 1.0 does not have are taken at their word in it, too.
int scmi_protocols::sensor_description(guest_context& c, const transfer& t, std::size_t& at,
                                       std::uint32_t version, sensor_info& s) {
    const std::uint32_t low = t.u32(at + 4), high = t.u32(at + 8);
    const std::string name = name_at(t, at + 12, name_bytes - 1);
    s.id = t.u32(at);
    s.async = has_bit(low, 31);
    s.scale = scale_of(high);
    s.type = static_cast<std::uint8_t>(high);
    s.axes = has_bit(high, 8) ? high >> 16 & 0x3f : 0;
    at += descriptor_bytes;
    if (has_bit(low, 8)) at += 4 + (s.axes == 0 ? extended_bytes : 0);  // SUPPORTS_EXTEND_ATTRS
    if (version != sensor_1_0) sensor_intervals(c, s);                  // optional: may fail
    s.name = name;
    if (version >> 16 >= 3 && has_bit(low, 29)) {
        extended_name(c, protocol::sensor, 0xc, s.id, s.name);
    }
    return s.axes > 0 ? sensor_axes(c, version, s) : 0;
}

/// scmi_sensor_update_intervals: as many as the first reply says that there are.
int scmi_protocols::sensor_intervals(guest_context& c, const sensor_info& s) {
    const auto check = [&](const transfer& t, listed& part) {
        if (part.most != 0) return 0;
        const bool segmented = has_bit(t.u32(0), 12);
        if (segmented && (part.remaining != 0 || part.returned != 3)) {
            agent_.log(c, "Sensor ID:" + std::to_string(s.id) +
                              " advertises an invalid segmented interval (" +
                              std::to_string(part.returned + part.remaining) + ")");
            return -EINVAL;
        }
        part.most = part.returned + part.remaining;
        return 0;
    };
    return iterate(
        agent_, c, {protocol::sensor, 8, s.id, 0xfff, 0},
        [](const transfer&, std::size_t, std::uint32_t) { return 0; }, check);
}

/// scmi_sensor_axis_description.
int scmi_protocols::sensor_axes(guest_context& c, std::uint32_t version, sensor_info& s) {
    bool extended_names = false;
    const auto take = [&](const transfer& t, std::size_t first, std::uint32_t returned) {
        std::size_t at = 4;
        for (std::uint32_t i = 0; i < returned; ++i) {
            const std::uint32_t low = t.u32(at + 4), high = t.u32(at + 8);
            if (first + i == 0) s.axis_type = static_cast<std::uint8_t>(high);
            extended_names = extended_names || has_bit(low, 9);
            at += descriptor_bytes + (has_bit(low, 8) ? extended_bytes : 0);
        }
        return 0;
    };
    const auto check = [](const transfer& t, listed& part) {
        part.remaining = t.u32(0) >> 26;  // NUM_AXIS_REMAINING
        return 0;
    };
    const int err = iterate(agent_, c, {protocol::sensor, 7, s.id, 0x3f, s.axes}, take, check);
    if (err || version >> 16 < 3 || !extended_names) return err;
    return sensor_axis_names(c, s);
}

/// scmi_sensor_axis_extended_names_get: a failure is a warning.
int scmi_protocols::sensor_axis_names(guest_context& c, const sensor_info& s) {
    const auto take = [&](const transfer& t, std::size_t, std::uint32_t returned) {
        for (std::uint32_t i = 0; i < returned; ++i) {
            if (t.u32(4 + i * axis_name_bytes) >= s.axes) return -EPROTO;
        }
        return 0;
    };
    const auto check = [](const transfer& t, listed& part) {
        part.remaining = t.u32(0) >> 26;
        return 0;
    };
    const int err = iterate(agent_, c, {protocol::sensor, 0xd, s.id, 0x3f, s.axes}, take, check);
    if (err) {
        agent_.log(c, "Failed to get axes extended names for " + s.name +
                          " (ret:" + std::to_string(err) + ").");
    }
    return 0;
}

/// scmi_hwmon_probe. Without a sensor that it can show the hwmon core refuses the device
/// (drivers/hwmon/hwmon.c __hwmon_create_attrs: no attributes are -EINVAL).
int scmi_protocols::probe_hwmon(guest_context& c) {
    const bool others = held(protocol::sensor);
    int err = acquire(c, protocol::sensor);
    if (err) return err;
    const auto shown = [](const sensor_info& s) { return hwmon_type_of(s.type) != nullptr; };
    if (sensors_.empty()) {
        err = -EIO;
    } else if (std::none_of(sensors_.begin(), sensors_.end(), shown)) {
        err = -EINVAL;
    }
    hwmon_ = err == 0;  // reads happen at run time
    if (err && !others) forget(protocol::sensor);
    return err;
}

/// scmi_iio_dev_probe wants sensors of three axes that accelerate or turn; without one it fails and
/// lets the protocol go.
int scmi_protocols::probe_iio(guest_context& c, const std::string& device) {
    const bool others = held(protocol::sensor);
    const int err = acquire(c, protocol::sensor);
    if (err) {
        log_device(c, device, "SCMI device has no sensor interface");
        return err;
    }
    constexpr unsigned supported_axes = 3;
    constexpr std::uint8_t radians_sec = 0x57, meters_sec_squared = 0x59;
    for (const sensor_info& s : sensors_) {
        const bool moves = s.axis_type == radians_sec || s.axis_type == meters_sec_squared;
        if (s.axes != supported_axes || !moves) continue;
        not_modelled_.push_back("sensor " + std::to_string(s.id) +
                                " has three axes: Linux' scmi-sensor-iiodev takes it and asks for "
                                "its updates, which is not modelled");
    }
    if (!others) forget(protocol::sensor);
    return -ENODEV;
}

int scmi_protocols::probe_sensor_user(guest_context& c, std::string_view driver,
                                      const std::string& device) {
    return driver == "iio-scmi" ? probe_iio(c, device) : probe_hwmon(c);
}

/// Whether user space would look for a file of hwmon's: its program goes by what it knows.
bool scmi_protocols::read_through_hwmon(std::uint32_t id) const {
    if (!has_driver(config_, "scmi-hwmon")) return false;
    return id >= config_.sensor_types.size() || hwmon_type_of(config_.sensor_types[id]) ||
           !has_driver(config_, caller_driver);
}

/// The sensor behind hwmon's file that the call names: user space counts the sensors of a type as
/// it knows them, hwmon as the guest has learnt them. nullptr: there is no such file.
const sensor_info* scmi_protocols::hwmon_channel(std::uint32_t id) const {
    if (!hwmon_) return nullptr;
    const std::vector<std::uint8_t>& known = config_.sensor_types;
    if (id >= known.size()) {
        return id < sensors_.size() && hwmon_type_of(sensors_[id].type) ? &sensors_[id] : nullptr;
    }
    auto before = std::count(known.begin(), known.begin() + std::ptrdiff_t(id), known[id]);
    if (!hwmon_type_of(known[id])) return nullptr;
    for (const sensor_info& s : sensors_) {
        if (s.type == known[id] && before-- == 0) return &s;
    }
    return nullptr;
}

/// scmi_hwmon_read_scaled_value, which names the sensor as it named itself.
int scmi_protocols::hwmon_read(guest_context& c, std::uint32_t id) {
    const sensor_info* s = hwmon_channel(id);
    if (!s) return -ENODEV;
    const int scale = s->scale + hwmon_type_of(s->type)->scale;
    const int err = sensor_read(c, s->id);
    return !err && std::abs(scale) > 19 ? -E2BIG : err;
}

int scmi_protocols::sensor_read(guest_context& c, std::uint32_t id) {
    // scmi_sensor_reading_get.
    if (id >= sensors_.size()) return -EINVAL;
    transfer t;
    int err = agent_.begin(c, t, protocol::sensor, 6, 8, 0, "scmi_sensor_reading_get",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    const bool async = sensors_[id].async;
    t.put_u32(0, id);
    t.put_u32(4, async ? 1 : 0);
    if (async) {
        err = agent_.do_xfer_with_response(c, t);
        if (!err) {
            // The delayed response names its sensor.
            if (t.u32(0) == id) {
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
