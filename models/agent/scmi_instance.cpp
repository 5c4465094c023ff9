// SPDX-License-Identifier: Apache-2.0
// See scmi_instance.h.
#include "models/agent/scmi_instance.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "models/agent/protocol_table.h"
#include "models/agent/scmi_probe.h"

namespace scmi_vp::models {

scmi_instance::scmi_instance(scmi_agent& agent, const guest_config& config)
    : agent_(agent),
      config_(config),
      has_caller_(models::has_driver(config, caller_driver)),
      notifications_(agent, *this) {
    for (const agent_protocol* p : agent_protocols()) {
        protocols_.push_back(p->make_driver(*this));
        by_id_[p->id] = protocols_.back().get();
    }
    agent.set_listener(&notifications_);
}

bool scmi_instance::probe(guest_context& c) {
    agent_.log(c, "SCMI Notifications - Core Enabled.");
    if (initialise(c, *protocol(scmi::protocol::base))) {
        agent_.log(c, "unable to communicate with SCMI");
        return false;
    }
    // bus.c __scmi_device_create(): devices of an earlier instance are there still, and nobody
    // probes them again; their users stay away.
    const bool first = next_device_ == 0;
    if (first) next_device_ = 3;  // scmi_dev.1 and 2 are the transport's devices
    const std::vector<std::uint8_t>& nodes = config_.device_tree.protocols;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        say_out_of_range(c, agent_, i);
        const std::uint8_t id = nodes[i];
        if (!implements(id)) {
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

bool scmi_instance::implements(std::uint8_t id) const {
    return std::find(implemented_.begin(), implemented_.end(), id) != implemented_.end();
}

void scmi_instance::load_caller(guest_context& c) {
    for (const auto& p : protocols_) p->called = false;
    if (!has_caller_) return;
    const std::vector<std::uint8_t>& nodes = config_.device_tree.protocols;
    for (const user_driver& d : user_drivers()) {
        if (d.name != caller_driver || !implements(d.protocol_id)) continue;
        if (std::find(nodes.begin(), nodes.end(), d.protocol_id) != nodes.end()) add_device(c, d);
    }
}

/// drivers/base/dd.c call_driver_probe(): that there is no such device is no failure.
void scmi_instance::add_device(guest_context& c, const user_driver& driver) {
    const std::string device = "scmi_dev." + std::to_string(next_device_++);
    const std::string name(driver.kernel_name);
    const int err = probe_driver(c, driver, name + " " + device);
    if (err == 0 || err == -ENODEV || err == -ENXIO) return;
    agent_.kernel().printk(
        name + ": probe of " + device + " failed with error " + std::to_string(err), c.time());
}

int scmi_instance::probe_driver(guest_context& c, const user_driver& driver,
                                const std::string& device) {
    protocol_driver& p = *protocol(driver.protocol_id);
    if (driver.name != caller_driver) return driver.probe(p, c, device);
    const int err = acquire(c, p);
    if (!err) p.called = true;
    return err;
}

void scmi_instance::remove() {
    for (const auto& p : protocols_) {
        if (p->held) release(*p);
        p->called = false;
    }
    implemented_.clear();
    notifications_.clear();
}

int scmi_instance::acquire(guest_context& c, protocol_driver& p) {
    if (p.held) return 0;
    release(p);
    const int err = initialise(c, p);
    if (err) {
        release(p);
        return err;
    }
    p.held = true;
    // scmi_alloc_init_protocol_instance: events of a protocol without a source of any are refused
    // (notify.c scmi_register_protocol_events).
    if (p.sources() == 0) {
        char text[64];
        std::snprintf(text, sizeof text, "Protocol:%X - Events Registration Failed - err:%d",
                      p.id(), -EINVAL);
        agent_.log(c, text);
    }
    return 0;
}

int scmi_instance::initialise(guest_context& c, protocol_driver& p) {
    std::uint32_t version = 0;
    const int err = p.ask_version(c, version);
    return err ? err : p.init(c, version);
}

void scmi_instance::release(protocol_driver& p) {
    p.held = false;
    p.forget();
}

bool scmi_instance::any_called() const {
    return std::any_of(protocols_.begin(), protocols_.end(),
                       [](const auto& p) { return p->called; });
}

std::vector<scmi_instance::unused_resource> scmi_instance::unused() const {
    std::vector<unused_resource> all;
    for (const auto& p : protocols_) {
        for (const std::uint32_t id : p->unused()) all.push_back({p.get(), id});
    }
    return all;
}

}  // namespace scmi_vp::models
