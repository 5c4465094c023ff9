// SPDX-License-Identifier: Apache-2.0
// Performance levels: drivers/firmware/arm_scmi/perf.c and drivers/cpufreq/scmi-cpufreq.c, v6.1.
#include <algorithm>
#include <cerrno>
#include <deque>

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

struct domain_info {
    std::string name;
    std::uint32_t mult_factor = 0;      ///< Hz per level; 0: the attributes were not answered
    std::vector<std::uint32_t> levels;  ///< described, ascending
    bool policy = false;                ///< cpufreq made a policy of it
    std::uint32_t level = 0;            ///< when its policy came up
};

class performance_driver : public protocol_driver {
public:
    explicit performance_driver(scmi_instance& instance)
        : protocol_driver(instance, protocol::perf) {}

    int init(guest_context& c, std::uint32_t version) override;
    void forget() override { domains_.clear(); }
    std::uint32_t sources() const override { return std::uint32_t(domains_.size()); }

    int probe_cpufreq(guest_context& c, const std::string& device);
    int level_get_call(guest_context& c, const call& what);
    int level_set_call(guest_context& c, const call& what);
    int limits_set_call(guest_context& c, const call& what);
    int limits_get_call(guest_context& c, const call& what);
    call_lock policy_lock(const call& what);

private:
    bool online(guest_context& c, std::uint32_t id);
    bool attributes(guest_context& c, std::uint32_t id);
    void fast_channels(guest_context& c, std::uint32_t id);
    void fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                      std::uint32_t domain);
    int describe_fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                              std::uint32_t domain);
    int describe_levels(guest_context& c, std::uint32_t id);
    int find(std::uint32_t id) const;
    int level_get(guest_context& c, std::uint32_t id, bool poll = false);
    int level_set(guest_context& c, std::uint32_t id, std::uint32_t level, bool poll = false);

    std::vector<domain_info> domains_;
    std::deque<guest_mutex> locks_;  ///< of cpufreq's policies; they outlive an instance
    std::uint32_t version_ = 0;
};

int performance_driver::probe_cpufreq(guest_context& c, const std::string& device) {
    const int err = instance().acquire(c, *this);
    if (err) return err;
    bool any = false;
    for (std::uint32_t id = 0; id < domains_.size(); ++id) {
        domains_[id].policy = online(c, id);
        any = any || domains_[id].policy;
    }
    // cpufreq_register_driver fails when no policy came of it.
    if (!any) {
        log_device(c, device, "scmi_cpufreq_probe: registering cpufreq failed, err: -19");
        instance().release(*this);
    }
    return any ? 0 : -ENODEV;
}

/// drivers/cpufreq/cpufreq.c cpufreq_online for the CPUs of one domain; the model has one policy
/// for each domain. The governor leaves the level alone.
bool performance_driver::online(guest_context& c, std::uint32_t id) {
    domain_info& d = domains_[id];
    if (d.levels.empty()) return false;  // "No OPPs for this device": no CPU has a policy of it
    if (level_get(c, id) || last_value() * d.mult_factor < 1000) {
        agent().kernel().printk("cpufreq: cpufreq_online: ->get() failed", c.time());
        return false;
    }
    d.level = static_cast<std::uint32_t>(last_value());
    if (std::binary_search(d.levels.begin(), d.levels.end(), d.level)) return true;
    // CPUFREQ_NEED_INITIAL_FREQ_CHECK: an unlisted frequency is left for the next one above, or
    // the highest. That can be where the driver's list is shorter than the platform's.
    const auto above = std::lower_bound(d.levels.begin(), d.levels.end(), d.level);
    const std::uint32_t next = above == d.levels.end() ? d.levels.back() : *above;
    if (!level_set(c, id, next)) d.level = next;
    return true;
}

/// scmi_perf_protocol_init: failures of a domain are not fatal. A domain that says that it has
/// FastChannels (attributes bit 27) is asked for them, whatever the transport.
int performance_driver::init(guest_context& c, std::uint32_t version) {
    std::vector<std::uint8_t> reply;
    const int err = ask(c, msg_attributes, 16, "scmi_perf_attributes_get", &reply);
    if (err) return err;
    version_ = version;
    domains_.assign(scmi::get_u32(reply.data(), 4, 0) & 0xffff, domain_info{});
    for (std::uint32_t id = 0; id < domains_.size(); ++id) {
        const bool fast = attributes(c, id);
        describe_levels(c, id);
        if (fast) fast_channels(c, id);
    }
    if (locks_.size() < domains_.size()) locks_.resize(domains_.size());
    return 0;
}

/// Whether the domain says that it has FastChannels.
bool performance_driver::attributes(guest_context& c, std::uint32_t id) {
    // scmi_perf_domain_attributes_get.
    transfer t;
    if (agent().begin(c, t, protocol::perf, 3, 4, 32, "scmi_perf_domain_attributes_get",
                      static_cast<std::int32_t>(id))) {
        return false;
    }
    t.put_u32(0, id);
    const int err = agent().do_xfer(c, t);
    bool extended = false, fast = false;
    if (!err) {
        domain_info& d = domains_[id];
        const std::uint64_t sustained_khz = t.u32(8);
        const std::uint32_t sustained_level = t.u32(12);
        const bool told = sustained_khz != 0 && sustained_level != 0;
        d.mult_factor =
            static_cast<std::uint32_t>(told ? sustained_khz * 1000 / sustained_level : 1000);
        d.name = name_at(t, 16, 15);
        fast = (t.u32(0) & 1u << 27) != 0;
        extended = version_ >= 0x30000 && (t.u32(0) & 1u << 26);
    }
    agent().end(t);
    if (extended) extended_name(c, 0xc, id, domains_[id].name);
    return fast;
}

/// scmi_perf_domain_init_fc.
void performance_driver::fast_channels(guest_context& c, std::uint32_t id) {
    fast_channel(c, 7, 4, id);  // PERF_LEVEL_SET
    fast_channel(c, 8, 4, id);  // PERF_LEVEL_GET
    fast_channel(c, 5, 8, id);  // PERF_LIMITS_SET
    fast_channel(c, 6, 8, id);  // PERF_LIMITS_GET
}

/// scmi_common_fastchannel_init: a message without one is passed over in silence.
void performance_driver::fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                                      std::uint32_t domain) {
    const auto id = static_cast<std::int32_t>(domain);
    constexpr std::uint32_t supports_fast_channel = 1;
    if (command(c, {2, 0, "scmi_protocol_msg_check", id}, {message}) ||
        !(last_value() & supports_fast_channel)) {
        return;
    }
    const int err = describe_fast_channel(c, message, bytes, domain);
    agent().log(c, "Failed to get FC for protocol 13 [MSG_ID:" + std::to_string(message) +
                       " / RES_ID:" + std::to_string(domain) + "] - ret:" + std::to_string(err) +
                       ". Using regular messaging.");
}

/// Always an error: virtio has no FastChannels (virtio 5.17.6.1). An address that the platform
/// gives all the same is none of this machine's: devm_ioremap() fails.
int performance_driver::describe_fast_channel(guest_context& c, std::uint8_t message,
                                              std::uint8_t bytes, std::uint32_t domain) {
    constexpr std::uint16_t reply_bytes = 44;  // struct scmi_msg_resp_desc_fc
    constexpr std::size_t size_at = 16;        // chan_size
    transfer t;
    int err = agent().begin(c, t, protocol::perf, 0xb, 8, reply_bytes,
                            "scmi_common_fastchannel_init", static_cast<std::int32_t>(domain));
    if (err) return err;
    t.put_u32(0, domain);
    t.put_u32(4, message);
    err = agent().do_xfer(c, t);
    if (!err) err = static_cast<std::uint8_t>(t.u32(size_at)) == bytes ? -EADDRNOTAVAIL : -EINVAL;
    agent().end(t);
    return err;
}

int performance_driver::describe_levels(guest_context& c, std::uint32_t id) {
    // scmi_perf_describe_levels_get; MAX_OPPS. What came before a failure is kept.
    std::vector<std::uint32_t>& levels = domains_[id].levels;
    const auto take = [&levels](const transfer& t, std::size_t, std::uint32_t returned) {
        for (std::uint32_t i = 0; i < returned; ++i) levels.push_back(t.u32(4 + 12 * i));
        return 0;
    };
    const int err =
        iterate(agent(), c, {protocol::perf, 4, static_cast<std::int32_t>(id), 0xffff, 16}, take);
    std::sort(levels.begin(), levels.end());
    return err;
}

int performance_driver::level_get(guest_context& c, std::uint32_t id, bool poll) {
    transfer t;
    int err = agent().begin(c, t, protocol::perf, 8, 4, 4, "scmi_perf_level_get",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.x->poll = poll;
    t.put_u32(0, id);
    err = agent().do_xfer(c, t);
    if (!err) last_value() = t.u32(0);
    agent().end(t);
    return err;
}

int performance_driver::level_set(guest_context& c, std::uint32_t id, std::uint32_t level,
                                  bool poll) {
    transfer t;
    int err = agent().begin(c, t, protocol::perf, 7, 8, 0, "scmi_perf_level_set",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.x->poll = poll;
    t.put_u32(0, id);
    t.put_u32(4, level);
    err = agent().do_xfer(c, t);
    agent().end(t);
    return err;
}

/// policy->rwsem (drivers/cpufreq/cpufreq.c): readers, too, wait for a writer; that they do not
/// wait for each other is left out.
call_lock performance_driver::policy_lock(const call& what) {
    return {what.id < domains_.size() ? &locks_[what.id] : nullptr};
}

/// Whether cpufreq has a policy of the domain; an operation looks the domain up (perf.c
/// scmi_perf_domain_lookup). 0 or a negative errno.
int performance_driver::find(std::uint32_t id) const {
    if (id >= domains_.size()) return called ? -EINVAL : -ENODEV;
    return called || domains_[id].policy ? 0 : -ENODEV;
}

int performance_driver::level_get_call(guest_context& c, const call& what) {
    const int err = find(what.id);
    return err ? err : level_get(c, what.id, what.poll);
}

int performance_driver::level_set_call(guest_context& c, const call& what) {
    const int err = find(what.id);
    return err ? err : level_set(c, what.id, static_cast<std::uint32_t>(what.value), what.poll);
}

/// scmi_perf_limits_set.
int performance_driver::limits_set_call(guest_context& c, const call& what) {
    if (!usable()) return -ENODEV;
    if (what.id >= domains_.size()) return -EINVAL;
    const auto [lowest, highest] = what.limits;
    if (version_ >= 0x30000 && lowest == 0 && highest == 0) return -EINVAL;
    return command(c, {5, 0, "scmi_perf_limits_set", static_cast<std::int32_t>(what.id)},
                   {what.id, highest, lowest});
}

int performance_driver::limits_get_call(guest_context& c, const call& what) {
    if (!usable()) return -ENODEV;
    if (what.id >= domains_.size()) return -EINVAL;
    return command(c, {6, 0, "scmi_perf_limits_get", static_cast<std::int32_t>(what.id)},
                   {what.id});
}

constexpr call_row calls[] = {
    {"perf_level_get", protocol::perf, "scmi-cpufreq", "performance domain", argument_kind::none,
     making<&performance_driver::level_get_call>, locking<&performance_driver::policy_lock>, true},
    {"perf_level_set", protocol::perf, "scmi-cpufreq", "performance domain", argument_kind::level,
     making<&performance_driver::level_set_call>, locking<&performance_driver::policy_lock>, true},
    {"perf_limits_set", protocol::perf, "scmi-cpufreq", "performance domain", argument_kind::limits,
     making<&performance_driver::limits_set_call>},
    {"perf_limits_get", protocol::perf, "scmi-cpufreq", "performance domain", argument_kind::none,
     making<&performance_driver::limits_get_call>},
};

constexpr event_row events[] = {
    {"perf_limits_changed", protocol::perf, 0, 16, 16, 16, 4, 9, "scmi_perf_set_notify_enabled"},
    {"perf_level_changed", protocol::perf, 1, 12, 12, 12, 4, 10, "scmi_perf_set_notify_enabled"},
};

constexpr user_driver users[] = {
    // drivers/cpufreq/scmi-cpufreq.c
    {"scmi-cpufreq", protocol::perf, "scmi-cpufreq", probing<&performance_driver::probe_cpufreq>},
};

}  // namespace

extern const agent_protocol performance_driver_row;
const agent_protocol performance_driver_row{
    protocol::perf, calls, events, users, [](scmi_instance& i) {
        return std::unique_ptr<protocol_driver>(std::make_unique<performance_driver>(i));
    }};

}  // namespace scmi_vp::models
