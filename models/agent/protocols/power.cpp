// SPDX-License-Identifier: Apache-2.0
// Power domains: drivers/firmware/arm_scmi/{power,scmi_pm_domain}.c, v6.1.
#include <cerrno>
#include <deque>

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

constexpr std::uint32_t state_on = 0, state_off = 0x40000000;  // SCMI_POWER_STATE_GENERIC_*

struct domain_info {
    std::string name;
    bool registered = false;  ///< genpd made a domain of it
    bool on = false;          ///< when it was registered
};

class power_driver : public protocol_driver {
public:
    explicit power_driver(scmi_instance& instance) : protocol_driver(instance, protocol::power) {}

    int init(guest_context& c, std::uint32_t version) override;
    void forget() override { domains_.clear(); }
    std::uint32_t sources() const override { return std::uint32_t(domains_.size()); }
    std::vector<std::uint32_t> unused() const override;
    void switch_off(guest_context& c, std::uint32_t id) override;

    int probe_genpd(guest_context& c, const std::string& device);
    int on_call(guest_context& c, const call& what) { return genpd_call(c, what, true); }
    int off_call(guest_context& c, const call& what) { return genpd_call(c, what, false); }
    int state_set_call(guest_context& c, const call& what);
    int state_get_call(guest_context& c, const call& what);
    call_lock genpd_lock(const call& what);

private:
    void attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    int genpd_call(guest_context& c, const call& what, bool on);
    int state_get(guest_context& c, std::uint32_t id);
    int set(guest_context& c, std::uint32_t id, bool on);

    std::vector<domain_info> domains_;
    std::deque<guest_mutex> locks_;  ///< of genpd's domains; they outlive an instance
};

int power_driver::probe_genpd(guest_context& c, const std::string& device) {
    const int err = instance().acquire(c, *this);
    if (err) return err;
    // scmi_pm_domain_probe: a domain whose state cannot be read is left out.
    for (std::uint32_t id = 0; id < domains_.size(); ++id) {
        domains_[id].registered = state_get(c, id) == 0;
        domains_[id].on = last_value() != state_off;
        if (domains_[id].registered) continue;
        log_device(c, device, "failed to get state for domain " + std::to_string(id));
    }
    return 0;
}

/// drivers/base/power/domain.c: pm_genpd_init() puts each domain at the head of the list that
/// genpd_power_off_unused() goes through; none has a device here.
std::vector<std::uint32_t> power_driver::unused() const {
    std::vector<std::uint32_t> unused;
    for (std::size_t id = domains_.size(); id-- > 0;) {
        const domain_info& d = domains_[id];
        if (d.registered && d.on) unused.push_back(std::uint32_t(id));
    }
    return unused;
}

/// scmi_power_protocol_init: failures of a domain are not fatal.
int power_driver::init(guest_context& c, std::uint32_t version) {
    std::vector<std::uint8_t> reply;
    const int err = ask(c, msg_attributes, 16, "scmi_power_attributes_get", &reply);
    if (err) return err;
    domains_.assign(scmi::get_u32(reply.data(), 4, 0) & 0xffff, domain_info{});
    for (std::uint32_t id = 0; id < domains_.size(); ++id) {
        attributes(c, id, version);
    }
    if (locks_.size() < domains_.size()) locks_.resize(domains_.size());
    return 0;
}

void power_driver::attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    // scmi_power_domain_attributes_get.
    transfer t;
    if (agent().begin(c, t, protocol::power, 3, 4, 20, "scmi_power_domain_attributes_get",
                      static_cast<std::int32_t>(id))) {
        return;
    }
    t.put_u32(0, id);
    bool extended = false;
    if (!agent().do_xfer(c, t)) {
        domains_[id].name = name_at(t, 4, 15);
        extended = version >= 0x30000 && (t.u32(0) & 1u << 27);
    }
    agent().end(t);
    if (extended) extended_name(c, 8, id, domains_[id].name);
}

int power_driver::state_get(guest_context& c, std::uint32_t id) {
    transfer t;
    int err = agent().begin(c, t, protocol::power, 5, 4, 4, "scmi_power_state_get",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent().do_xfer(c, t);
    if (!err) last_value() = t.u32(0);
    agent().end(t);
    return err;
}

/// scmi_pd_power: sets the state (synchronously: flags 0) and reads it back.
int power_driver::set(guest_context& c, std::uint32_t id, bool on) {
    const std::uint32_t state = on ? state_on : state_off;
    transfer t;
    int err = agent().begin(c, t, protocol::power, 4, 12, 0, "scmi_power_state_set",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, 0);
    t.put_u32(4, id);
    t.put_u32(8, state);
    err = agent().do_xfer(c, t);
    agent().end(t);
    if (!err) err = state_get(c, id);
    if (!err && last_value() != state) err = -EIO;
    return err;
}

/// genpd_power_off_work_fn(), under the domain's lock: while one worker waits for the platform, the
/// next one runs.
void power_driver::switch_off(guest_context& c, std::uint32_t id) {
    c.lock(locks_[id]);
    set(c, id, false);
    c.unlock(locks_[id]);
}

/// genpd_lock of the domain (drivers/base/power/domain.c).
call_lock power_driver::genpd_lock(const call& what) {
    return {what.id < domains_.size() ? &locks_[what.id] : nullptr};
}

/// genpd's, for a domain that it has registered; or an operation.
int power_driver::genpd_call(guest_context& c, const call& what, bool on) {
    if (!called && (what.id >= domains_.size() || !domains_[what.id].registered)) return -ENODEV;
    return set(c, what.id, on);
}

/// power ops state_set, synchronously: flags 0.
int power_driver::state_set_call(guest_context& c, const call& what) {
    if (!usable()) return -ENODEV;
    return command(c, {4, 0, "scmi_power_state_set", static_cast<std::int32_t>(what.id)},
                   {0, what.id, static_cast<std::uint32_t>(what.value)});
}

int power_driver::state_get_call(guest_context& c, const call& what) {
    if (!usable()) return -ENODEV;
    return command(c, {5, 4, "scmi_power_state_get", static_cast<std::int32_t>(what.id)},
                   {what.id});
}

constexpr call_row calls[] = {
    // POWER_STATE_SET, then POWER_STATE_GET to see whether it worked.
    {"power_on", protocol::power, "scmi-power-domain", "power domain", argument_kind::none,
     making<&power_driver::on_call>, locking<&power_driver::genpd_lock>},
    {"power_off", protocol::power, "scmi-power-domain", "power domain", argument_kind::none,
     making<&power_driver::off_call>, locking<&power_driver::genpd_lock>},
    {"power_state_set", protocol::power, "scmi-power-domain", "power domain", argument_kind::state,
     making<&power_driver::state_set_call>},
    {"power_state_get", protocol::power, "scmi-power-domain", "power domain", argument_kind::none,
     making<&power_driver::state_get_call>},
};

constexpr event_row events[] = {
    {"power_state_changed", protocol::power, 0, 12, 12, 12, 4, 6, "scmi_power_set_notify_enabled"},
};

constexpr user_driver users[] = {
    // drivers/firmware/arm_scmi/scmi_pm_domain.c
    {"scmi-power-domain", protocol::power, "scmi-power-domain",
     probing<&power_driver::probe_genpd>},
};

}  // namespace

extern const agent_protocol power_driver_row;
const agent_protocol power_driver_row{
    protocol::power, calls, events, users, [](scmi_instance& i) {
        return std::unique_ptr<protocol_driver>(std::make_unique<power_driver>(i));
    }};

}  // namespace scmi_vp::models
