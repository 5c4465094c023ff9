// SPDX-License-Identifier: Apache-2.0
// Clocks: drivers/firmware/arm_scmi/clock.c and drivers/clk/clk-scmi.c, v6.1.
#include "models/agent/protocol_tools.h"
#include "models/agent/scmi_protocols.h"

namespace scmi_vp::models {

namespace protocol = scmi::protocol;

int scmi_protocols::probe_clk_scmi(guest_context& c, const std::string& device) {
    const int err = acquire(c, protocol::clock);
    if (err) return err;
    // scmi_clocks_probe: a clock without a name was not described.
    for (std::uint32_t id = 0; id < clocks_.size(); ++id) {
        if (clocks_[id].name.empty() || register_clock(c, id)) continue;
        log_device(c, device, "failed to register clock " + std::to_string(id));
    }
    return 0;
}

/// scmi_clk_ops_init. A clock whose list of rates is empty is refused after it was registered: the
/// framework shows it all the same.
bool scmi_protocols::register_clock(guest_context& c, std::uint32_t id) {
    clock_info& clock = clocks_[id];
    for (std::uint32_t other = 0; other < clocks_.size(); ++other) {
        // drivers/clk/clk.c __clk_core_init(): -EEXIST.
        if (clocks_[other].registered && clocks_[other].name == clock.name) return false;
    }
    clock.registered = true;
    clock.atomic = config_.atomic && clock.enable_latency_us <= config_.atomic_threshold_us;
    if (!clock_rate_get(c, id)) clock.rate = last_value_;  // the framework reads its rate
    return !clock.discrete || clock.rates != 0;
}

int scmi_protocols::init_clock(guest_context& c) {
    // scmi_clock_protocol_init.
    std::vector<std::uint8_t> version, attributes;
    int err = simple(c, protocol::clock, msg_version, 4, "version_get", &version);
    if (err) return err;
    err = simple(c, protocol::clock, msg_attributes, 4, "scmi_clock_protocol_attributes_get",
                 &attributes);
    if (err) return err;
    clock_max_async_ = (scmi::get_u32(attributes.data(), 4, 0) >> 16) & 0xff;
    clock_async_ = 0;
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
        clocks_[id].name = name_at(t, 4, 15);  // strscpy: the last byte is a 0
        extended = version >= 0x20000 && (t.u32(0) & 1u << 29);
        // Not told is as long as can be.
        if (version >= 0x20000 && t.u32(20) != 0) clocks_[id].enable_latency_us = t.u32(20);
    }
    agent_.end(t);
    if (err || !extended) return err;
    extended_name(c, protocol::clock, 8, id, clocks_[id].name);
    return 0;
}

int scmi_protocols::clock_rates(guest_context& c, std::uint32_t id) {
    // scmi_clock_describe_rates_get; SCMI_MAX_NUM_RATES. A range is a triplet in one reply; 6.1
    // mends one whose only fault is its count (iter_clk_describe_update_state).
    const auto check = [&](const transfer& t, listed& part) {
        const bool range = (t.u32(0) & 1u << 12) != 0;
        clocks_[id].discrete = !range;
        if (!range || (part.returned == 3 && part.remaining == 0)) return 0;
        agent_.log(c, "Out-of-spec CLOCK_DESCRIBE_RATES reply for " + clocks_[id].name +
                          " - returned:" + std::to_string(part.returned) +
                          " remaining:" + std::to_string(part.remaining) +
                          " rx_len:" + std::to_string(t.x->rx_len));
        constexpr std::size_t triplet_bytes = 4 + 3 * 8;
        if (part.returned == 3 || part.remaining != 0 || t.x->rx_len != triplet_bytes) {
            agent_.log(c, "Cannot fix out-of-spec reply !");
            return -EPROTO;
        }
        part.returned = 3;
        return 0;
    };
    const auto take = [&](const transfer&, std::size_t first, std::uint32_t returned) {
        // iter_clk_describe_process_response: a range has three values and no more.
        if (!clocks_[id].discrete) return first + returned > 3 ? -EINVAL : 0;
        clocks_[id].rates += returned;
        return 0;
    };
    return iterate(agent_, c, {protocol::clock, 4, static_cast<std::int32_t>(id), 0xfff, 16}, take,
                   check);
}

/// Whether user space would read the clock framework's file: its program goes by the names that it
/// knows; one that is blank, no file's, or another clock's, too, has none.
bool scmi_protocols::read_through_debugfs(std::uint32_t id) const {
    if (!has_driver(config_, "clk-scmi")) return false;
    if (id >= config_.clock_names.size() || !has_driver(config_, caller_driver)) return true;
    const std::string& name = config_.clock_names[id];
    return !name.empty() && name.find_first_of("/ \t\n") == std::string::npos &&
           std::count(config_.clock_names.begin(), config_.clock_names.end(), name) == 1;
}

/// /sys/kernel/debug/clk/NAME/clk_rate (drivers/clk/clk.c clk_rate_get), of a clock that the guest
/// knows by another name or has not registered there is none. The framework shows a rate that it
/// could not read as 0 (scmi_clk_recalc_rate): its reader sees no error.
int scmi_protocols::clock_file_read(guest_context& c, std::uint32_t id) {
    std::uint32_t at = id;
    if (id < config_.clock_names.size()) {
        const auto shown = [&](const clock_info& k) {
            return k.registered && k.name == config_.clock_names[id];
        };
        at = std::uint32_t(std::find_if(clocks_.begin(), clocks_.end(), shown) - clocks_.begin());
    }
    if (at >= clocks_.size() || !clocks_[at].registered) return -ENODEV;
    if (clock_rate_get(c, at)) last_value_ = 0;
    return 0;
}

int scmi_protocols::clock_call(guest_context& c, const call& what) {
    const bool read = what.kind == call_kind::clock_get_rate;
    if (read && read_through_debugfs(what.id)) return clock_file_read(c, what.id);
    // The protocol's own operations do not look whether there is such a clock.
    if (called(protocol::clock)) {
        return read ? clock_rate_get(c, what.id) : clock_set(c, what);
    }
    if (what.id >= clocks_.size() || !clocks_[what.id].registered) return -ENODEV;
    return read ? clock_rate_get(c, what.id) : clock_set(c, what);
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
    if (what.kind == call_kind::clock_set_rate) return clock_rate_set(c, what);
    // scmi_clock_config_set.
    transfer t;
    int err = agent_.begin(c, t, protocol::clock, 7, 8, 0, "scmi_clock_config_set",
                           static_cast<std::int32_t>(what.id));
    if (err) return err;
    t.x->poll = what.poll || is_atomic(what);  // enable_atomic, disable_atomic
    t.put_u32(0, what.id);
    t.put_u32(4, what.kind == call_kind::clock_enable ? 1 : 0);
    err = agent_.do_xfer(c, t);
    agent_.end(t);
    return err;
}

int scmi_protocols::clock_rate_set(guest_context& c, const call& what) {
    // scmi_clock_rate_set.
    constexpr std::uint32_t set_async = 1;  // CLOCK_SET_ASYNC
    transfer t;
    int err = agent_.begin(c, t, protocol::clock, 5, 16, 0, "scmi_clock_rate_set",
                           static_cast<std::int32_t>(what.id));
    if (err) return err;
    // The one that is counted here is one of them: with a maximum of 1 there is never any.
    const bool async = clock_max_async_ != 0 && ++clock_async_ < clock_max_async_;
    t.put_u32(0, async ? set_async : 0);
    t.put_u32(4, what.id);
    t.put_u32(8, static_cast<std::uint32_t>(what.value));
    t.put_u32(12, static_cast<std::uint32_t>(what.value >> 32));
    if (async) {
        err = agent_.do_xfer_with_response(c, t);
        if (!err && t.u32(0) != what.id) err = -EPROTO;  // it names its clock
    } else {
        err = agent_.do_xfer(c, t);
    }
    if (clock_max_async_ != 0) --clock_async_;
    agent_.end(t);
    return err;
}

}  // namespace scmi_vp::models
