// SPDX-License-Identifier: Apache-2.0
// Power domains: drivers/firmware/arm_scmi/{power,scmi_pm_domain}.c, v6.1.
#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

constexpr std::uint32_t state_on = 0, state_off = 0x40000000;  // SCMI_POWER_STATE_GENERIC_*

int scmi_protocols::probe_power_domain(guest_context& c, const std::string& device) {
    const int err = acquire(c, protocol::power);
    if (err) return err;
    // scmi_pm_domain_probe: a domain whose state cannot be read is left out.
    for (std::uint32_t id = 0; id < power_domains_.size(); ++id) {
        power_domains_[id].registered = power_state_get(c, id) == 0;
        power_domains_[id].on = last_value_ != state_off;
        if (power_domains_[id].registered) continue;
        log_device(c, device, "failed to get state for domain " + std::to_string(id));
    }
    return 0;
}

/// drivers/base/power/domain.c: pm_genpd_init() puts each domain at the head of the list that
/// genpd_power_off_unused() goes through; none has a device here.
std::vector<std::uint32_t> scmi_protocols::unused_power_domains() const {
    std::vector<std::uint32_t> unused;
    for (std::size_t id = power_domains_.size(); id-- > 0;) {
        const power_domain_info& d = power_domains_[id];
        if (d.registered && d.on) unused.push_back(std::uint32_t(id));
    }
    return unused;
}

int scmi_protocols::init_power(guest_context& c) {
    // scmi_power_protocol_init: 0 and 1 are fatal, failures of a domain are not.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::power, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::power, msg_attributes, 16, "scmi_power_attributes_get", &attributes);
    if (err) return err;
    power_domains_.assign(scmi::get_u32(attributes.data(), 4, 0) & 0xffff, power_domain_info{});
    for (std::uint32_t id = 0; id < power_domains_.size(); ++id) {
        power_attributes(c, id, scmi::get_u32(version.data(), 4, 0));
    }
    return 0;
}

void scmi_protocols::power_attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    // scmi_power_domain_attributes_get.
    transfer t;
    if (agent_.begin(c, t, protocol::power, 3, 4, 20, "scmi_power_domain_attributes_get",
                     static_cast<std::int32_t>(id))) {
        return;
    }
    t.put_u32(0, id);
    bool extended = false;
    if (!agent_.do_xfer(c, t)) {
        power_domains_[id].name = name_at(t, 4, 15);
        extended = version >= 0x30000 && (t.u32(0) & 1u << 27);
    }
    agent_.end(t);
    if (extended) extended_name(c, protocol::power, 8, id, power_domains_[id].name);
}

int scmi_protocols::power_state_get(guest_context& c, std::uint32_t id) {
    transfer t;
    int err = agent_.begin(c, t, protocol::power, 5, 4, 4, "scmi_power_state_get",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent_.do_xfer(c, t);
    if (!err) last_value_ = t.u32(0);
    agent_.end(t);
    return err;
}

/// scmi_pd_power: sets the state (synchronously: flags 0) and reads it back.
int scmi_protocols::power_set(guest_context& c, std::uint32_t id, bool on) {
    const std::uint32_t state = on ? state_on : state_off;
    transfer t;
    int err = agent_.begin(c, t, protocol::power, 4, 12, 0, "scmi_power_state_set",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, 0);
    t.put_u32(4, id);
    t.put_u32(8, state);
    err = agent_.do_xfer(c, t);
    agent_.end(t);
    if (!err) err = power_state_get(c, id);
    if (!err && last_value_ != state) err = -EIO;
    return err;
}

}  // namespace scmi_vp::models
