// SPDX-License-Identifier: Apache-2.0
// Performance levels: drivers/firmware/arm_scmi/perf.c and drivers/cpufreq/scmi-cpufreq.c, v6.1.
#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

int scmi_protocols::probe_cpufreq(guest_context& c, const std::string& device) {
    const int err = acquire(c, protocol::perf);
    if (err) return err;
    bool any = false;
    for (std::uint32_t id = 0; id < perf_domains_.size(); ++id) {
        perf_domains_[id].policy = cpufreq_online(c, id);
        any = any || perf_domains_[id].policy;
    }
    // cpufreq_register_driver fails when no policy came of it.
    if (!any) {
        log_device(c, device, "scmi_cpufreq_probe: registering cpufreq failed, err: -19");
        forget(protocol::perf);
    }
    return any ? 0 : -ENODEV;
}

/// drivers/cpufreq/cpufreq.c cpufreq_online for the CPUs of one domain; the model has one policy
/// for each domain. The governor leaves the level alone.
bool scmi_protocols::cpufreq_online(guest_context& c, std::uint32_t id) {
    perf_domain_info& d = perf_domains_[id];
    if (d.levels.empty()) return false;  // "No OPPs for this device": no CPU has a policy of it
    if (perf_level_get(c, id) || last_value_ * d.mult_factor < 1000) {
        agent_.kernel().printk("cpufreq: cpufreq_online: ->get() failed", c.time());
        return false;
    }
    d.level = static_cast<std::uint32_t>(last_value_);
    if (std::binary_search(d.levels.begin(), d.levels.end(), d.level)) return true;
    // CPUFREQ_NEED_INITIAL_FREQ_CHECK: an unlisted frequency is left for the next one above, or
    // the highest. That can be where the driver's list is shorter than the platform's.
    const auto above = std::lower_bound(d.levels.begin(), d.levels.end(), d.level);
    const std::uint32_t next = above == d.levels.end() ? d.levels.back() : *above;
    if (!perf_level_set(c, id, next)) d.level = next;
    return true;
}

int scmi_protocols::init_performance(guest_context& c) {
    // scmi_perf_protocol_init: 0 and 1 are fatal, failures of a domain are not. A domain that says
    // that it has FastChannels (attributes bit 27) is asked for them, whatever the transport.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::perf, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::perf, msg_attributes, 16, "scmi_perf_attributes_get", &attributes);
    if (err) return err;
    perf_version_ = scmi::get_u32(version.data(), 4, 0);
    perf_domains_.assign(scmi::get_u32(attributes.data(), 4, 0) & 0xffff, perf_domain_info{});
    for (std::uint32_t id = 0; id < perf_domains_.size(); ++id) {
        const bool fast = perf_attributes(c, id, scmi::get_u32(version.data(), 4, 0));
        perf_levels(c, id);
        if (fast) perf_fast_channels(c, id);
    }
    return 0;
}

/// Whether the domain says that it has FastChannels.
bool scmi_protocols::perf_attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    // scmi_perf_domain_attributes_get.
    transfer t;
    if (agent_.begin(c, t, protocol::perf, 3, 4, 32, "scmi_perf_domain_attributes_get",
                     static_cast<std::int32_t>(id))) {
        return false;
    }
    t.put_u32(0, id);
    const int err = agent_.do_xfer(c, t);
    bool extended = false, fast = false;
    if (!err) {
        perf_domain_info& d = perf_domains_[id];
        const std::uint64_t sustained_khz = t.u32(8);
        const std::uint32_t sustained_level = t.u32(12);
        const bool told = sustained_khz != 0 && sustained_level != 0;
        d.mult_factor =
            static_cast<std::uint32_t>(told ? sustained_khz * 1000 / sustained_level : 1000);
        d.name = name_at(t, 16, 15);
        fast = (t.u32(0) & 1u << 27) != 0;
        extended = version >= 0x30000 && (t.u32(0) & 1u << 26);
    }
    agent_.end(t);
    if (extended) extended_name(c, protocol::perf, 0xc, id, perf_domains_[id].name);
    return fast;
}

/// scmi_perf_domain_init_fc.
void scmi_protocols::perf_fast_channels(guest_context& c, std::uint32_t id) {
    fast_channel(c, 7, 4, id);  // PERF_LEVEL_SET
    fast_channel(c, 8, 4, id);  // PERF_LEVEL_GET
    fast_channel(c, 5, 8, id);  // PERF_LIMITS_SET
    fast_channel(c, 6, 8, id);  // PERF_LIMITS_GET
}

/// scmi_common_fastchannel_init: a message without one is passed over in silence.
void scmi_protocols::fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                                  std::uint32_t domain) {
    const auto id = static_cast<std::int32_t>(domain);
    constexpr std::uint32_t supports_fast_channel = 1;
    if (command(c, {protocol::perf, 2, 0, "scmi_protocol_msg_check", id}, {message}) ||
        !(last_value_ & supports_fast_channel)) {
        return;
    }
    const int err = describe_fast_channel(c, message, bytes, domain);
    agent_.log(c, "Failed to get FC for protocol 13 [MSG_ID:" + std::to_string(message) +
                      " / RES_ID:" + std::to_string(domain) + "] - ret:" + std::to_string(err) +
                      ". Using regular messaging.");
}

/// Always an error: virtio has no FastChannels (virtio 5.17.6.1). An address that the platform
/// gives all the same is none of this machine's: devm_ioremap() fails.
int scmi_protocols::describe_fast_channel(guest_context& c, std::uint8_t message,
                                          std::uint8_t bytes, std::uint32_t domain) {
    constexpr std::uint16_t reply_bytes = 44;  // struct scmi_msg_resp_desc_fc
    constexpr std::size_t size_at = 16;        // chan_size
    transfer t;
    int err = agent_.begin(c, t, protocol::perf, 0xb, 8, reply_bytes,
                           "scmi_common_fastchannel_init", static_cast<std::int32_t>(domain));
    if (err) return err;
    t.put_u32(0, domain);
    t.put_u32(4, message);
    err = agent_.do_xfer(c, t);
    if (!err) err = static_cast<std::uint8_t>(t.u32(size_at)) == bytes ? -EADDRNOTAVAIL : -EINVAL;
    agent_.end(t);
    return err;
}

/// cpufreq's, for a domain that has a policy; or an operation, which looks the domain up
/// (perf.c scmi_perf_domain_lookup).
int scmi_protocols::perf_call(guest_context& c, const call& what) {
    const bool direct = called(protocol::perf);
    if (what.id >= perf_domains_.size()) return direct ? -EINVAL : -ENODEV;
    if (!direct && !perf_domains_[what.id].policy) return -ENODEV;
    if (what.kind == call_kind::perf_level_get) return perf_level_get(c, what.id, what.poll);
    return perf_level_set(c, what.id, static_cast<std::uint32_t>(what.value), what.poll);
}

int scmi_protocols::perf_levels(guest_context& c, std::uint32_t id) {
    // scmi_perf_describe_levels_get; MAX_OPPS. What came before a failure is kept.
    std::vector<std::uint32_t>& levels = perf_domains_[id].levels;
    const auto take = [&levels](const transfer& t, std::size_t, std::uint32_t returned) {
        for (std::uint32_t i = 0; i < returned; ++i) levels.push_back(t.u32(4 + 12 * i));
        return 0;
    };
    const int err =
        iterate(agent_, c, {protocol::perf, 4, static_cast<std::int32_t>(id), 0xffff, 16}, take);
    std::sort(levels.begin(), levels.end());
    return err;
}

int scmi_protocols::perf_level_get(guest_context& c, std::uint32_t id, bool poll) {
    transfer t;
    int err = agent_.begin(c, t, protocol::perf, 8, 4, 4, "scmi_perf_level_get",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.x->poll = poll;
    t.put_u32(0, id);
    err = agent_.do_xfer(c, t);
    if (!err) last_value_ = t.u32(0);
    agent_.end(t);
    return err;
}

int scmi_protocols::perf_level_set(guest_context& c, std::uint32_t id, std::uint32_t level,
                                   bool poll) {
    transfer t;
    int err = agent_.begin(c, t, protocol::perf, 7, 8, 0, "scmi_perf_level_set",
                           static_cast<std::int32_t>(id));
    if (err) return err;
    t.x->poll = poll;
    t.put_u32(0, id);
    t.put_u32(4, level);
    err = agent_.do_xfer(c, t);
    agent_.end(t);
    return err;
}

}  // namespace scmi_vp::models
