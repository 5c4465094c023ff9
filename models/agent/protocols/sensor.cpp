// SPDX-License-Identifier: Apache-2.0
// Sensors: drivers/firmware/arm_scmi/sensors.c, drivers/hwmon/scmi-hwmon.c and
// drivers/iio/common/scmi_sensors/scmi_iio.c, v6.1.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

/// A sensor that a listing left out stays blank (sensors.c scmi_sensors_protocol_init: an array of
/// as many as the attributes say).
struct sensor_info {
    std::uint32_t id = 0;
    std::string name;
    std::uint8_t type = 0;
    bool async = false;
    int scale = 0;               ///< power of ten of its readings' unit
    unsigned axes = 0;           ///< 0: scalar
    std::uint8_t axis_type = 0;  ///< of the first axis
};

class sensor_driver : public protocol_driver {
public:
    explicit sensor_driver(scmi_instance& instance)
        : protocol_driver(instance, protocol::sensor),
          has_hwmon_(instance.has_driver("scmi-hwmon")) {}

    int init(guest_context& c, std::uint32_t version) override;
    void forget() override {
        sensors_.clear();
        hwmon_ = false;
    }
    std::uint32_t sources() const override { return std::uint32_t(sensors_.size()); }
    bool has_report(const event_row& e, const std::vector<std::uint8_t>& payload) const override;

    int probe_hwmon(guest_context& c, const std::string& device);
    int probe_iio(guest_context& c, const std::string& device);
    int read_call(guest_context& c, const call& what);
    int trip_config_call(guest_context& c, const call& what);

private:
    int descriptions(guest_context& c, std::uint32_t version);
    int description(guest_context& c, const transfer& t, std::size_t& at, std::uint32_t version,
                    sensor_info& s);
    int intervals(guest_context& c, const sensor_info& s);
    int axes(guest_context& c, std::uint32_t version, sensor_info& s);
    int axis_names(guest_context& c, const sensor_info& s);
    bool read_through_hwmon(std::uint32_t id) const;
    const sensor_info* hwmon_channel(std::uint32_t id) const;
    int hwmon_read(guest_context& c, std::uint32_t id);
    int read(guest_context& c, std::uint32_t id);

    const bool has_hwmon_;  ///< the driver is there ...
    bool hwmon_ = false;    ///< ... and shows the sensors
    std::vector<sensor_info> sensors_;
};

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

/// scmi_sensors_protocol_init: a failure of its descriptions is fatal, too.
int sensor_driver::init(guest_context& c, std::uint32_t version) {
    std::vector<std::uint8_t> reply;
    const int err = ask(c, msg_attributes, 16, "scmi_sensor_attributes_get", &reply);
    if (err) return err;
    sensors_.assign(scmi::get_u32(reply.data(), 4, 0) & 0xffff, sensor_info{});
    return descriptions(c, version);
}

int sensor_driver::descriptions(guest_context& c, std::uint32_t version) {
    // scmi_sensor_description_get. Sensors of a list that ends early stay blank.
    const auto take = [&](const transfer& t, std::size_t first, std::uint32_t returned) {
        std::size_t at = 4;
        int err = 0;
        for (std::uint32_t i = 0; i < returned && !err; ++i) {
            err = description(c, t, at, version, sensors_[first + i]);
        }
        return err;
    };
    return iterate(agent(), c, {protocol::sensor, 3, -1, 0xffff, sensors_.size()}, take);
}

/// iter_sens_descr_process_response: one descriptor at `at`, which moves on by its size. Bits that
/// Sensor 1.0 does not have are taken at their word in it, too.
int sensor_driver::description(guest_context& c, const transfer& t, std::size_t& at,
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
    if (version != sensor_1_0) intervals(c, s);                         // optional: may fail
    s.name = name;
    if (version >> 16 >= 3 && has_bit(low, 29)) {
        extended_name(c, 0xc, s.id, s.name);
    }
    return s.axes > 0 ? axes(c, version, s) : 0;
}

/// scmi_sensor_update_intervals: as many as the first reply says that there are.
int sensor_driver::intervals(guest_context& c, const sensor_info& s) {
    const auto check = [&](const transfer& t, listed& part) {
        if (part.most != 0) return 0;
        const bool segmented = has_bit(t.u32(0), 12);
        if (segmented && (part.remaining != 0 || part.returned != 3)) {
            agent().log(c, "Sensor ID:" + std::to_string(s.id) +
                               " advertises an invalid segmented interval (" +
                               std::to_string(part.returned + part.remaining) + ")");
            return -EINVAL;
        }
        part.most = part.returned + part.remaining;
        return 0;
    };
    return iterate(
        agent(), c, {protocol::sensor, 8, s.id, 0xfff, 0},
        [](const transfer&, std::size_t, std::uint32_t) { return 0; }, check);
}

/// scmi_sensor_axis_description.
int sensor_driver::axes(guest_context& c, std::uint32_t version, sensor_info& s) {
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
    const int err = iterate(agent(), c, {protocol::sensor, 7, s.id, 0x3f, s.axes}, take, check);
    if (err || version >> 16 < 3 || !extended_names) return err;
    return axis_names(c, s);
}

/// scmi_sensor_axis_extended_names_get: a failure is a warning.
int sensor_driver::axis_names(guest_context& c, const sensor_info& s) {
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
    const int err = iterate(agent(), c, {protocol::sensor, 0xd, s.id, 0x3f, s.axes}, take, check);
    if (err) {
        agent().log(c, "Failed to get axes extended names for " + s.name +
                           " (ret:" + std::to_string(err) + ").");
    }
    return 0;
}

/// scmi_hwmon_probe. Without a sensor that it can show the hwmon core refuses the device
/// (drivers/hwmon/hwmon.c __hwmon_create_attrs: no attributes are -EINVAL).
int sensor_driver::probe_hwmon(guest_context& c, const std::string&) {
    const bool others = held;
    int err = instance().acquire(c, *this);
    if (err) return err;
    const auto shown = [](const sensor_info& s) { return hwmon_type_of(s.type) != nullptr; };
    if (sensors_.empty()) {
        err = -EIO;
    } else if (std::none_of(sensors_.begin(), sensors_.end(), shown)) {
        err = -EINVAL;
    }
    hwmon_ = err == 0;  // reads happen at run time
    if (err && !others) instance().release(*this);
    return err;
}

/// scmi_iio_dev_probe wants sensors of three axes that accelerate or turn; without one it fails and
/// lets the protocol go.
int sensor_driver::probe_iio(guest_context& c, const std::string& device) {
    const bool others = held;
    const int err = instance().acquire(c, *this);
    if (err) {
        log_device(c, device, "SCMI device has no sensor interface");
        return err;
    }
    constexpr unsigned supported_axes = 3;
    constexpr std::uint8_t radians_sec = 0x57, meters_sec_squared = 0x59;
    for (const sensor_info& s : sensors_) {
        const bool moves = s.axis_type == radians_sec || s.axis_type == meters_sec_squared;
        if (s.axes != supported_axes || !moves) continue;
        instance().say_not_modelled(
            "sensor " + std::to_string(s.id) +
            " has three axes: Linux' scmi-sensor-iiodev takes it and asks for "
            "its updates, which is not modelled");
    }
    if (!others) instance().release(*this);
    return -ENODEV;
}

/// Whether user space would look for a file of hwmon's: its program goes by what it knows.
bool sensor_driver::read_through_hwmon(std::uint32_t id) const {
    if (!has_hwmon_) return false;
    return id >= config().sensor_types.size() || hwmon_type_of(config().sensor_types[id]) ||
           !instance().has_caller();
}

/// The sensor behind hwmon's file that the call names: user space counts the sensors of a type as
/// it knows them, hwmon as the guest has learnt them. nullptr: there is no such file.
const sensor_info* sensor_driver::hwmon_channel(std::uint32_t id) const {
    if (!hwmon_) return nullptr;
    const std::vector<std::uint8_t>& known = config().sensor_types;
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
int sensor_driver::hwmon_read(guest_context& c, std::uint32_t id) {
    const sensor_info* s = hwmon_channel(id);
    if (!s) return -ENODEV;
    const int scale = s->scale + hwmon_type_of(s->type)->scale;
    const int err = read(c, s->id);
    return !err && std::abs(scale) > 19 ? -E2BIG : err;
}

int sensor_driver::read(guest_context& c, std::uint32_t id) {
    // scmi_sensor_reading_get.
    if (id >= sensors_.size()) return -EINVAL;
    transfer t;
    int err = agent().begin(c, t, protocol::sensor, 6, 8, 0, "scmi_sensor_reading_get",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    const bool async = sensors_[id].async;
    t.put_u32(0, id);
    t.put_u32(4, async ? 1 : 0);
    if (async) {
        err = agent().do_xfer_with_response(c, t);
        if (!err) {
            // The delayed response names its sensor.
            if (t.u32(0) == id) {
                last_value() = u64_at(t, 4);
            } else {
                err = -EPROTO;
            }
        }
    } else {
        err = agent().do_xfer(c, t);
        if (!err) last_value() = u64_at(t, 0);
    }
    agent().end(t);
    return err;
}

int sensor_driver::read_call(guest_context& c, const call& what) {
    if (read_through_hwmon(what.id)) return hwmon_read(c, what.id);
    return usable() ? read(c, what.id) : -ENODEV;
}

/// sensor ops trip_point_config: trip point 0, both directions.
int sensor_driver::trip_config_call(guest_context& c, const call& what) {
    if (!usable()) return -ENODEV;
    return command(c, {5, 0, "scmi_sensor_trip_point_config", static_cast<std::int32_t>(what.id)},
                   {what.id, 3, static_cast<std::uint32_t>(what.value),
                    static_cast<std::uint32_t>(what.value >> 32)});
}

constexpr std::uint8_t sensor_update = 1;

/// sensors.c scmi_sensor_fill_custom_report: an update has a reading for each axis, or one.
bool sensor_driver::has_report(const event_row& e, const std::vector<std::uint8_t>& payload) const {
    if (e.event != sensor_update) return true;
    const std::uint32_t id = scmi::get_u32(payload.data(), payload.size(), e.source_at);
    if (id >= sensors_.size()) return false;
    return payload.size() >= 8 + 16 * std::size_t(std::max(1u, sensors_[id].axes));
}

constexpr call_row calls[] = {
    // hwmon: SENSOR_READING_GET, asynchronous when the sensor says so.
    {"sensor_read", protocol::sensor, "scmi-hwmon", "sensor", argument_kind::none,
     making<&sensor_driver::read_call>, nullptr, false, true},
    {"sensor_trip_config", protocol::sensor, "scmi-hwmon", "sensor", argument_kind::trip_point,
     making<&sensor_driver::trip_config_call>},
};

constexpr event_row events[] = {
    {"sensor_trip_point", protocol::sensor, 0, 12, 12, 12, 4, 4, "scmi_sensor_set_notify_enabled"},
    // One reading of a scalar sensor, at most 63 axes.
    {"sensor_update", protocol::sensor, sensor_update, 8 + 16, 8 + 16 * 63, 8 + 16 * 63, 4, 11,
     "scmi_sensor_set_notify_enabled"},
};

constexpr user_driver users[] = {
    // drivers/iio/common/scmi_sensors/scmi_iio.c
    {"iio-scmi", protocol::sensor, "scmi-sensor-iiodev", probing<&sensor_driver::probe_iio>},
    // drivers/hwmon/scmi-hwmon.c
    {"scmi-hwmon", protocol::sensor, "scmi-hwmon", probing<&sensor_driver::probe_hwmon>},
};

}  // namespace

extern const agent_protocol sensor_driver_row;
const agent_protocol sensor_driver_row{
    protocol::sensor, calls, events, users, [](scmi_instance& i) {
        return std::unique_ptr<protocol_driver>(std::make_unique<sensor_driver>(i));
    }};

}  // namespace scmi_vp::models
