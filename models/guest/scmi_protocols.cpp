// SPDX-License-Identifier: Apache-2.0
// See scmi_protocols.h.
#include "models/guest/scmi_protocols.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;
constexpr std::uint8_t msg_version = 0, msg_attributes = 1;

std::string name_at(const transfer& t, std::size_t offset, std::size_t width) {
    // A reply may claim more entries than its buffer can hold.
    const std::size_t from = std::min(offset, t.x->buf.size());
    const auto begin = t.x->buf.begin() + std::ptrdiff_t(from);
    const auto end = begin + std::ptrdiff_t(std::min(width, t.x->buf.size() - from));
    return std::string(begin, std::find(begin, end, 0));
}

std::uint64_t u64_at(const transfer& t, std::size_t offset) {
    return t.u32(offset) | std::uint64_t(t.u32(offset + 4)) << 32;
}

struct driver_info {
    const char* name;
    std::uint8_t protocol_id;
};
constexpr std::array<driver_info, 3> drivers{{{"clk-scmi", protocol::clock},
                                              {"scmi-hwmon", protocol::sensor},
                                              {"iio-scmi", protocol::sensor}}};

}  // namespace

int scmi_protocols::simple(guest_context& c, std::uint8_t protocol_id, std::uint8_t message,
                           std::uint16_t reply_bytes, const char* caller,
                           std::vector<std::uint8_t>* reply) {
    transfer t;
    int err = agent_.begin(c, t, protocol_id, message, 0, reply_bytes, caller);
    if (err) return err;
    err = agent_.do_xfer(c, t);
    if (!err && reply) reply->assign(t.x->buf.begin(), t.x->buf.begin() + reply_bytes);
    agent_.end(t);
    return err;
}

bool scmi_protocols::probe(guest_context& c) {
    agent_.log(c, "SCMI Notifications - Core Enabled.");
    if (!probe_base(c)) return false;
    for (const std::uint8_t id : config_.device_tree.protocols) {
        if (std::find(implemented_.begin(), implemented_.end(), id) == implemented_.end()) {
            agent_.log(c, "SCMI protocol " + std::to_string(id) + " not implemented");
            continue;
        }
        // Of one protocol, the device of the driver registered last is made, and probed, first.
        for (auto d = config_.drivers.rbegin(); d != config_.drivers.rend(); ++d) {
            for (const driver_info& info : drivers) {
                if (*d == info.name && info.protocol_id == id) probe_driver(c, *d);
            }
        }
    }
    return true;
}

bool scmi_protocols::probe_base(guest_context& c) {
    // scmi_base_protocol_init: 0 and 1 are fatal, the rest is not.
    std::vector<std::uint8_t> version, attributes, reply;
    int err = simple(c, protocol::base, msg_version, 4, "version_get", &version);
    if (!err) err = simple(c, protocol::base, msg_attributes, 4, "scmi_base_attributes_get", &attributes);
    if (err) {
        agent_.log(c, "unable to communicate with SCMI(" + std::to_string(err) + ")");
        return false;
    }
    const unsigned protocols = attributes[0], agents = attributes[1];
    const auto text = [](const std::vector<std::uint8_t>& r) {
        return std::string(r.begin(), std::find(r.begin(), r.end(), 0));
    };
    std::string vendor, sub_vendor;
    std::uint32_t implementation = 0;
    if (!simple(c, protocol::base, 3, 16, "scmi_base_vendor_id_get", &reply)) vendor = text(reply);
    if (!simple(c, protocol::base, 4, 16, "scmi_base_vendor_id_get", &reply)) sub_vendor = text(reply);
    if (!simple(c, protocol::base, 5, 4, "scmi_base_implementation_version_get", &reply)) {
        implementation = scmi::get_u32(reply.data(), reply.size(), 0);
    }
    base_list(c, protocols, implemented_);
    char line[128];
    std::snprintf(line, sizeof line, "SCMI Protocol v%u.%u '%s:%s' Firmware version 0x%x",
                  scmi::get_u32(version.data(), 4, 0) >> 16, scmi::get_u32(version.data(), 4, 0) & 0xffff,
                  vendor.c_str(), sub_vendor.c_str(), implementation);
    agent_.log(c, line);
    for (unsigned id = 0; id < agents; ++id) {
        transfer t;
        if (agent_.begin(c, t, protocol::base, 7, 4, 20, "scmi_base_discover_agent_get")) continue;
        t.put_u32(0, id);
        agent_.do_xfer(c, t);
        agent_.end(t);
    }
    return true;
}

int scmi_protocols::base_list(guest_context& c, unsigned protocols, std::vector<std::uint8_t>& found) {
    // scmi_base_implementation_list_get: one xfer for all rounds.
    found.clear();
    transfer t;
    int err = agent_.begin(c, t, protocol::base, 6, 4, 0, "scmi_base_implementation_list_get");
    if (err) return err;
    for (;;) {
        t.put_u32(0, static_cast<std::uint32_t>(found.size()));
        err = agent_.do_xfer(c, t);
        if (err) break;
        const std::uint32_t returned = t.u32(0);
        if (returned == 0) break;
        if (returned > protocols - found.size()) {
            agent_.log(c, "No. of Protocol > MAX_PROTOCOLS_IMP");
            break;
        }
        if (t.x->rx_len < 8 || t.x->rx_len < 4 + (returned + 3) / 4 * 4) {
            agent_.log(c, "BOGUS data from platform: protocol list too short");
            err = -EPROTO;
            break;
        }
        for (std::uint32_t i = 0; i < returned; ++i) found.push_back(t.x->buf[4 + i]);
        if (found.size() >= protocols) break;
        agent_.begin_again(c, t, 4);
    }
    agent_.end(t);
    return err;
}

bool scmi_protocols::probe_driver(guest_context& c, const std::string& driver) {
    if (driver == "clk-scmi") return probe_clk_scmi(c);
    // Each user initialises the protocol again when no other user holds it.
    const bool held = driver == "iio-scmi" ? false : !sensors_.empty();
    if (!held && init_sensor(c)) {
        sensors_.clear();
        return false;
    }
    if (driver == "iio-scmi") {
        // scmi_iio_dev_probe looks for 3-axis sensors: none can be described by Sensor 1.0, so it
        // fails with -ENODEV and lets the protocol go.
        sensors_.clear();
        return false;
    }
    return true;  // scmi-hwmon: reads happen at run time
}

bool scmi_protocols::probe_clk_scmi(guest_context& c) {
    if (init_clock(c)) return false;
    // scmi_clocks_probe: each clock that was described is registered; the framework reads its rate.
    for (std::uint32_t id = 0; id < clocks_.size(); ++id) {
        if (!clocks_[id].valid) continue;
        clocks_[id].registered = true;
        if (!clock_rate_get(c, id)) clocks_[id].rate = last_value_;
    }
    return true;
}

int scmi_protocols::init_clock(guest_context& c) {
    // scmi_clock_protocol_init.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::clock, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::clock, msg_attributes, 4, "scmi_clock_protocol_attributes_get", &attributes);
    if (err) return err;
    clocks_.assign(scmi::get_u32(attributes.data(), 4, 0) & 0xffff, clock_info{});
    for (std::uint32_t id = 0; id < clocks_.size(); ++id) {
        if (!clock_attributes(c, id, scmi::get_u32(version.data(), 4, 0))) clock_rates(c, id);
    }
    return 0;
}

int scmi_protocols::clock_attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    transfer t;
    int err = agent_.begin(c, t, protocol::clock, 3, 4, 24, "scmi_clock_attributes_get",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent_.do_xfer(c, t);
    bool extended = false;
    if (!err) {
        clocks_[id].valid = true;
        clocks_[id].name = name_at(t, 4, 16);
        extended = version >= 0x20000 && (t.u32(0) & 1u << 29);
    }
    agent_.end(t);
    if (err || !extended) return err;
    // scmi_common_extended_name_get: a failure is ignored.
    if (agent_.begin(c, t, protocol::clock, 8, 4, 68, "scmi_common_extended_name_get",
                     static_cast<std::int32_t>(id))) {
        return 0;
    }
    t.put_u32(0, id);
    if (!agent_.do_xfer(c, t)) clocks_[id].name = name_at(t, 4, 64);
    agent_.end(t);
    return 0;
}

int scmi_protocols::clock_rates(guest_context& c, std::uint32_t id) {
    // scmi_clock_describe_rates_get by scmi_iterator_run: one xfer, index = rates received so far.
    transfer t;
    int err = agent_.begin(c, t, protocol::clock, 4, 8, 0, "scmi_iterator_run",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    constexpr std::size_t max_rates = 16;  // SCMI_MAX_NUM_RATES
    for (;;) {
        t.put_u32(0, id);
        t.put_u32(4, static_cast<std::uint32_t>(clocks_[id].rates));
        err = agent_.do_xfer(c, t);
        if (err) break;
        const std::uint32_t flags = t.u32(0);
        const std::uint32_t returned = flags & 0xfff, remaining = flags >> 16;
        if (clocks_[id].rates + returned > max_rates) {
            agent_.log(c, "No. of rates > " + std::to_string(max_rates));
            err = -EINVAL;
            break;
        }
        clocks_[id].rates += returned;
        if (returned == 0 || remaining == 0) break;
        agent_.begin_again(c, t, 8);
    }
    agent_.end(t);
    return err;
}

int scmi_protocols::clock_rate_get(guest_context& c, std::uint32_t id) {
    transfer t;
    int err = agent_.begin(c, t, protocol::clock, 6, 4, 8, "scmi_clock_rate_get",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent_.do_xfer(c, t);
    if (!err) last_value_ = u64_at(t, 0);
    agent_.end(t);
    return err;
}

int scmi_protocols::clock_set(guest_context& c, const call& what) {
    transfer t;
    const auto resource = static_cast<std::int32_t>(what.id);
    const bool rate = what.kind == call_kind::clock_set_rate;
    int err = rate ? agent_.begin(c, t, protocol::clock, 5, 16, 0, "scmi_clock_rate_set", resource)
                   : agent_.begin(c, t, protocol::clock, 7, 8, 0, "scmi_clock_config_set", resource);
    if (err) return err;
    if (rate) {
        t.put_u32(0, 0);  // flags: synchronous
        t.put_u32(4, what.id);
        t.put_u32(8, static_cast<std::uint32_t>(what.value));
        t.put_u32(12, static_cast<std::uint32_t>(what.value >> 32));
    } else {
        t.put_u32(0, what.id);
        t.put_u32(4, what.kind == call_kind::clock_enable ? 1 : 0);
    }
    err = agent_.do_xfer(c, t);
    agent_.end(t);
    return err;
}

int scmi_protocols::init_sensor(guest_context& c) {
    // scmi_sensors_protocol_init: failures of 0, 1 and 3 are fatal.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::sensor, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::sensor, msg_attributes, 16, "scmi_sensor_attributes_get", &attributes);
    if (err) return err;
    return sensor_descriptions(c, scmi::get_u32(version.data(), 4, 0),
                               scmi::get_u32(attributes.data(), 4, 0) & 0xffff);
}

int scmi_protocols::sensor_descriptions(guest_context& c, std::uint32_t, std::size_t count) {
    // scmi_sensor_description_get by scmi_iterator_run; Sensor 1.0: seven words a descriptor.
    constexpr std::size_t descriptor_bytes = 28;
    sensors_.clear();
    transfer t;
    int err = agent_.begin(c, t, protocol::sensor, 3, 4, 0, "scmi_iterator_run");
    if (err) return err;
    for (;;) {
        t.put_u32(0, static_cast<std::uint32_t>(sensors_.size()));
        err = agent_.do_xfer(c, t);
        if (err) break;
        const std::uint32_t returned = t.u32(0) & 0xfff, remaining = t.u32(0) >> 16;
        if (sensors_.size() + returned > count) {
            agent_.log(c, "No. of sensors > " + std::to_string(count));
            err = -EINVAL;
            break;
        }
        for (std::uint32_t i = 0; i < returned; ++i) {
            const std::size_t at = 4 + i * descriptor_bytes;
            sensors_.push_back({t.u32(at), name_at(t, at + 12, 16),
                                static_cast<std::uint8_t>(t.u32(at + 8)), (t.u32(at + 4) >> 31) != 0});
        }
        if (returned == 0 || remaining == 0) break;
        agent_.begin_again(c, t, 4);
    }
    agent_.end(t);
    return err;
}

int scmi_protocols::sensor_read(guest_context& c, const sensor_info& s) {
    // scmi_sensor_reading_get.
    transfer t;
    int err = agent_.begin(c, t, protocol::sensor, 6, 8, 8, "scmi_sensor_reading_get",
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

int scmi_protocols::make(guest_context& c, const call& what) {
    switch (what.kind) {
        case call_kind::sensor_read:
            return what.id < sensors_.size() ? sensor_read(c, sensors_[what.id]) : -ENODEV;
        case call_kind::base_version:
            return simple(c, protocol::base, msg_version, 4, "version_get", nullptr);
        case call_kind::clock_get_rate:
            if (what.id >= clocks_.size() || !clocks_[what.id].registered) return -ENODEV;
            return clock_rate_get(c, what.id);
        default:
            if (what.id >= clocks_.size() || !clocks_[what.id].registered) return -ENODEV;
            return clock_set(c, what);
    }
}

}  // namespace scmi_vp::models
