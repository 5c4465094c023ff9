// SPDX-License-Identifier: Apache-2.0
// Performance levels: drivers/firmware/arm_scmi/perf.c and drivers/cpufreq/scmi-cpufreq.c, v6.1.
#include "models/guest/protocol_tools.h"
#include "models/guest/scmi_protocols.h"

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
    // scmi_perf_protocol_init: 0 and 1 are fatal, failures of a domain are not. FastChannels
    // (attributes bit 27) do not exist over virtio (virtio 5.17.6.1), so nobody asks for them.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::perf, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::perf, msg_attributes, 16, "scmi_perf_attributes_get", &attributes);
    if (err) return err;
    perf_version_ = scmi::get_u32(version.data(), 4, 0);
    perf_domains_.assign(scmi::get_u32(attributes.data(), 4, 0) & 0xffff, perf_domain_info{});
    for (std::uint32_t id = 0; id < perf_domains_.size(); ++id) {
        perf_attributes(c, id, scmi::get_u32(version.data(), 4, 0));
        perf_levels(c, id);
    }
    return 0;
}

void scmi_protocols::perf_attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    // scmi_perf_domain_attributes_get.
    transfer t;
    if (agent_.begin(c, t, protocol::perf, 3, 4, 32, "scmi_perf_domain_attributes_get",
                     static_cast<std::int32_t>(id))) {
        return;
    }
    t.put_u32(0, id);
    const int err = agent_.do_xfer(c, t);
    bool extended = false;
    if (!err) {
        perf_domain_info& d = perf_domains_[id];
        const std::uint64_t sustained_khz = t.u32(8);
        const std::uint32_t sustained_level = t.u32(12);
        const bool told = sustained_khz != 0 && sustained_level != 0;
        d.mult_factor =
            static_cast<std::uint32_t>(told ? sustained_khz * 1000 / sustained_level : 1000);
        d.name = name_at(t, 16, 16);
        extended = version >= 0x30000 && (t.u32(0) & 1u << 26);
    }
    agent_.end(t);
    if (extended) extended_name(c, protocol::perf, 0xc, id, perf_domains_[id].name);
}

int scmi_protocols::perf_levels(guest_context& c, std::uint32_t id) {
    // scmi_perf_describe_levels_get; MAX_OPPS. What came before a failure is kept.
    std::vector<std::uint32_t>& levels = perf_domains_[id].levels;
    const auto take = [&levels](const transfer& t, std::size_t, std::uint32_t returned) {
        for (std::uint32_t i = 0; i < returned; ++i) levels.push_back(t.u32(4 + 12 * i));
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
