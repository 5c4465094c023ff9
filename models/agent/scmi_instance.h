// SPDX-License-Identifier: Apache-2.0
// One instance of the SCMI driver with its protocols and their users: what they send in the probe
// and at run time, in Linux' order (v6.1 drivers/firmware/arm_scmi/{driver,bus}.c).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/agent/protocol_driver.h"
#include "models/agent/scmi_agent.h"
#include "models/agent/scmi_notifications.h"

namespace scmi_vp::models {

class scmi_instance : private event_sources {
public:
    scmi_instance(scmi_agent& agent, const guest_config& config);

    /// scmi_probe from "Core Enabled" on: Base, then each device tree child's drivers, in this
    /// thread. False if Base cannot be reached.
    bool probe(guest_context& c);

    /// The instance goes, its users first (scmi_remove). What they had learnt is forgotten.
    void remove();

    /// The module of scmi-vp-caller is loaded: what no other driver holds is initialised.
    void load_caller(guest_context& c);

    /// What is switched off when the boot is over, in its order.
    struct unused_resource {
        protocol_driver* driver;
        std::uint32_t id;
    };
    std::vector<unused_resource> unused() const;

    /// A run-time call of a protocol; 0 or a negative errno.
    int make(guest_context& c, const call& what) {
        return what.row->make(*protocol(what.row->protocol_id), c, what);
    }
    /// What the kernel's subsystem holds over it. Where scmi-vp-caller is loaded its module uses
    /// the protocols' operations, below the subsystems; what a file shows still goes through them.
    call_lock lock_of(const call& what) {
        if (!what.row->lock || (has_caller_ && !what.row->has_file)) return {};
        return what.row->lock(*protocol(what.row->protocol_id), what);
    }

    std::uint64_t last_value() const { return last_value_; }  ///< what the last read returned
    scmi_notifications& notifications() { return notifications_; }
    /// What a real driver would have done and this one does not, each said once.
    const std::vector<std::string>& not_modelled() const { return not_modelled_; }

    // --- for the protocols' drivers ---
    /// nullptr: none of the table.
    protocol_driver* protocol(std::uint8_t id) const override {
        return id < by_id_.size() ? by_id_[id] : nullptr;
    }
    /// scmi_protocol_acquire: initialises a protocol that no other driver holds. 0 or an errno.
    int acquire(guest_context& c, protocol_driver& p);
    /// Nobody holds it any more.
    static void release(protocol_driver& p);
    bool any_called() const;
    /// scmi-vp-caller is among the drivers.
    bool has_caller() const { return has_caller_; }
    bool has_driver(std::string_view name) const { return models::has_driver(config_, name); }
    void set_implemented(std::vector<std::uint8_t> protocols) {
        implemented_ = std::move(protocols);
    }
    void say_not_modelled(std::string what) { not_modelled_.push_back(std::move(what)); }
    scmi_agent& agent() { return agent_; }
    const guest_config& config() const { return config_; }
    std::uint64_t& last_value() { return last_value_; }

private:
    /// Its version, then the protocol's own init.
    int initialise(guest_context& c, protocol_driver& p);
    /// Makes the device of a driver and probes it; a failure is logged by the driver core.
    void add_device(guest_context& c, const user_driver& driver);
    /// 0 or a negative errno.
    int probe_driver(guest_context& c, const user_driver& driver, const std::string& device);
    bool implements(std::uint8_t id) const;

    scmi_agent& agent_;
    const guest_config& config_;
    const bool has_caller_;
    std::vector<std::unique_ptr<protocol_driver>> protocols_;
    std::array<protocol_driver*, 256> by_id_{};
    std::vector<std::uint8_t> implemented_;
    unsigned next_device_ = 0;  ///< number of the next one on the bus
    std::uint64_t last_value_ = 0;
    std::vector<std::string> not_modelled_;
    scmi_notifications notifications_;
};

}  // namespace scmi_vp::models
