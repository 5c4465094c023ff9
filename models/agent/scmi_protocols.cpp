// SPDX-License-Identifier: Apache-2.0
// See scmi_protocols.h.
#include "models/agent/scmi_protocols.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_probe.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

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

void scmi_protocols::extended_name(guest_context& c, std::uint8_t protocol_id, std::uint8_t message,
                                   std::uint32_t id, std::string& name) {
    // scmi_common_extended_name_get: after a failure the short name stays.
    transfer t;
    int err = agent_.begin(c, t, protocol_id, message, 4, 68, "scmi_common_extended_name_get",
                           static_cast<std::int32_t>(id));
    if (!err) {
        t.put_u32(0, id);
        err = agent_.do_xfer(c, t);
        if (!err) name = name_at(t, 4, 63);
        agent_.end(t);
    }
    if (err) {
        agent_.log(c, "Failed to get extended name - id:" + std::to_string(id) +
                          " (ret:" + std::to_string(err) + "). Using " + name);
    }
}

void scmi_protocols::log_device(guest_context& c, const std::string& device,
                                const std::string& text) {
    agent_.kernel().printk(device + ": " + text, c.time());
}

bool scmi_protocols::probe(guest_context& c) {
    agent_.log(c, "SCMI Notifications - Core Enabled.");
    if (!probe_base(c)) return false;
    // bus.c __scmi_device_create(): devices of an earlier instance are there still, and nobody
    // probes them again; their users stay away.
    const bool first = next_device_ == 0;
    if (first) next_device_ = 3;  // scmi_dev.1 and 2 are the transport's devices
    const std::vector<std::uint8_t>& nodes = config_.device_tree.protocols;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        say_out_of_range(c, agent_, i);
        const std::uint8_t id = nodes[i];
        if (std::find(implemented_.begin(), implemented_.end(), id) == implemented_.end()) {
            agent_.log(c, "SCMI protocol " + std::to_string(id) + " not implemented");
            continue;
        }
        // Of one protocol, the device of the driver registered last is made, and probed, first.
        for (auto d = config_.drivers.rbegin(); d != config_.drivers.rend(); ++d) {
            for (const user_driver& info : user_drivers()) {
                if (*d != info.name || info.protocol_id != id || *d == caller_driver) continue;
                if (first) add_device(c, info);
            }
        }
    }
    say_out_of_range(c, agent_, nodes.size());
    return true;
}

void scmi_protocols::load_caller(guest_context& c) {
    const auto has = [](const auto& list, const auto& what) {
        return std::find(list.begin(), list.end(), what) != list.end();
    };
    called_.clear();
    if (!has(config_.drivers, caller_driver)) return;
    for (const user_driver& d : user_drivers()) {
        if (d.name != caller_driver || !has(implemented_, d.protocol_id)) continue;
        if (has(config_.device_tree.protocols, d.protocol_id)) add_device(c, d);
    }
}

/// drivers/base/dd.c call_driver_probe(): that there is no such device is no failure.
void scmi_protocols::add_device(guest_context& c, const user_driver& driver) {
    const std::string device = "scmi_dev." + std::to_string(next_device_++);
    const std::string name(driver.kernel_name);
    const int err = probe_driver(c, driver, name + " " + device);
    if (err == 0 || err == -ENODEV || err == -ENXIO) return;
    agent_.kernel().printk(
        name + ": probe of " + device + " failed with error " + std::to_string(err), c.time());
}

void scmi_protocols::remove() {
    for (const std::uint8_t id : std::vector<std::uint8_t>(held_)) forget(id);
    called_.clear();
    implemented_.clear();
    notifications_.clear();
}

bool scmi_protocols::held(std::uint8_t protocol_id) const {
    return std::find(held_.begin(), held_.end(), protocol_id) != held_.end();
}

/// Operations are the caller's where it is loaded: it has those that it was given in its probe.
bool scmi_protocols::usable(std::uint8_t protocol_id) const {
    return has_driver(config_, caller_driver) ? called(protocol_id) : held(protocol_id);
}

int scmi_protocols::acquire(guest_context& c, std::uint8_t protocol_id) {
    if (held(protocol_id)) return 0;
    forget(protocol_id);
    const int err = initialise(c, protocol_id);
    if (err) {
        forget(protocol_id);
        return err;
    }
    held_.push_back(protocol_id);
    // scmi_alloc_init_protocol_instance: events of a protocol without a source of any are refused
    // (notify.c scmi_register_protocol_events).
    if (sources_of(protocol_id) == 0) {
        char text[64];
        std::snprintf(text, sizeof text, "Protocol:%X - Events Registration Failed - err:%d",
                      protocol_id, -EINVAL);
        agent_.log(c, text);
    }
    return 0;
}

int scmi_protocols::initialise(guest_context& c, std::uint8_t protocol_id) {
    switch (protocol_id) {
        case protocol::power:
            return init_power(c);
        case protocol::perf:
            return init_performance(c);
        case protocol::clock:
            return init_clock(c);
        case protocol::sensor:
            return init_sensor(c);
        default:
            return -EINVAL;
    }
}

/// Nobody holds it any more.
void scmi_protocols::forget(std::uint8_t protocol_id) {
    held_.erase(std::remove(held_.begin(), held_.end(), protocol_id), held_.end());
    if (protocol_id == protocol::power) power_domains_.clear();
    if (protocol_id == protocol::perf) perf_domains_.clear();
    if (protocol_id == protocol::clock) clocks_.clear();
    if (protocol_id == protocol::sensor) {
        sensors_.clear();
        hwmon_ = false;
    }
}

bool scmi_protocols::called(std::uint8_t protocol_id) const {
    return std::find(called_.begin(), called_.end(), protocol_id) != called_.end();
}

bool scmi_protocols::probe_base(guest_context& c) {
    // scmi_base_protocol_init: 0 and 1 are fatal, the rest is not.
    std::vector<std::uint8_t> version, attributes, reply;
    int err = simple(c, protocol::base, msg_version, 4, "version_get", &version);
    if (!err)
        err = simple(c, protocol::base, msg_attributes, 4, "scmi_base_attributes_get", &attributes);
    if (err) {
        agent_.log(c, "unable to communicate with SCMI");
        return false;
    }
    const unsigned protocols = attributes[0], agents = attributes[1];
    const auto text = [](const std::vector<std::uint8_t>& r) {
        return std::string(r.begin(), std::find(r.begin(), r.end(), 0));
    };
    std::string vendor, sub_vendor;
    std::uint32_t implementation = 0;
    if (!simple(c, protocol::base, 3, 16, "scmi_base_vendor_id_get", &reply)) vendor = text(reply);
    if (!simple(c, protocol::base, 4, 16, "scmi_base_vendor_id_get", &reply))
        sub_vendor = text(reply);
    if (!simple(c, protocol::base, 5, 4, "scmi_base_implementation_version_get", &reply)) {
        implementation = scmi::get_u32(reply.data(), reply.size(), 0);
    }
    base_list(c, protocols, implemented_);
    char line[128];
    std::snprintf(line, sizeof line, "SCMI Protocol v%u.%u '%s:%s' Firmware version 0x%x",
                  scmi::get_u32(version.data(), 4, 0) >> 16,
                  scmi::get_u32(version.data(), 4, 0) & 0xffff, vendor.c_str(), sub_vendor.c_str(),
                  implementation);
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

int scmi_protocols::base_list(guest_context& c, unsigned protocols,
                              std::vector<std::uint8_t>& found) {
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
            agent_.log(c, "No. Returned protocols > Total protocols.");
            break;
        }
        if (t.x->rx_len < 8) {
            agent_.log(c, "Truncated reply - rx.len:" + std::to_string(t.x->rx_len));
            err = -EPROTO;
            break;
        }
        const std::size_t sent = t.x->rx_len - 4, counted = (returned + 3) / 4 * 4;
        if (sent != counted) {
            agent_.log(c, "Malformed reply - real_sz:" + std::to_string(sent) +
                              "  calc_sz:" + std::to_string(counted) +
                              "  (loop_num_ret:" + std::to_string(returned) + ")");
            if (counted > sent) {
                err = -EPROTO;
                break;
            }
        }
        for (std::uint32_t i = 0; i < returned; ++i) found.push_back(t.x->buf[4 + i]);
        if (found.size() >= protocols) break;
        agent_.begin_again(c, t, 4);
    }
    agent_.end(t);
    return err;
}

int scmi_protocols::probe_driver(guest_context& c, const user_driver& driver,
                                 const std::string& device) {
    if (driver.name == "clk-scmi") return probe_clk_scmi(c, device);
    if (driver.name == "scmi-cpufreq") return probe_cpufreq(c, device);
    if (driver.name == "scmi-power-domain") return probe_power_domain(c, device);
    if (driver.name != caller_driver) return probe_sensor_user(c, driver.name, device);
    const int err = acquire(c, driver.protocol_id);
    if (!err) called_.push_back(driver.protocol_id);
    return err;
}

int scmi_protocols::make(guest_context& c, const call& what) {
    switch (what.kind) {
        case call_kind::sensor_read:
            if (read_through_hwmon(what.id)) return hwmon_read(c, what.id);
            return usable(protocol::sensor) ? sensor_read(c, what.id) : -ENODEV;
        case call_kind::base_version:
            return simple(c, protocol::base, msg_version, 4, "version_get", nullptr);
        case call_kind::clock_get_rate:
        case call_kind::clock_set_rate:
        case call_kind::clock_enable:
        case call_kind::clock_disable:
            return clock_call(c, what);
        case call_kind::perf_level_get:
        case call_kind::perf_level_set:
            return perf_call(c, what);
        case call_kind::power_on:
        case call_kind::power_off:
            if (called(protocol::power))
                return power_set(c, what.id, what.kind == call_kind::power_on);
            if (what.id >= power_domains_.size() || !power_domains_[what.id].registered)
                return -ENODEV;
            return power_set(c, what.id, what.kind == call_kind::power_on);
        default:
            return make_operation(c, what);
    }
}

}  // namespace scmi_vp::models
