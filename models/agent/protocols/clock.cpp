// SPDX-License-Identifier: Apache-2.0
// Clocks: drivers/firmware/arm_scmi/clock.c and drivers/clk/clk-scmi.c, v6.1.
#include <algorithm>
#include <cerrno>

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

struct clock_info {
    std::string name;
    bool discrete = false;    ///< CLOCK_DESCRIBE_RATES gave a list, not a range
    bool registered = false;  ///< clk-scmi made a clock of it
    std::uint64_t rate = 0;
    std::size_t rates = 0;  ///< described
    std::uint32_t enable_latency_us = UINT32_MAX;
    bool atomic = false;  ///< clk-scmi enables it in atomic context
};

class clock_driver : public protocol_driver {
public:
    explicit clock_driver(scmi_instance& instance)
        : protocol_driver(instance, protocol::clock), has_user_(instance.has_driver("clk-scmi")) {}

    int init(guest_context& c, std::uint32_t version) override;
    void forget() override { clocks_.clear(); }
    std::uint32_t sources() const override { return std::uint32_t(clocks_.size()); }

    int probe_clk_scmi(guest_context& c, const std::string& device);
    int get_rate_call(guest_context& c, const call& what);
    int set_rate_call(guest_context& c, const call& what);
    int enable_call(guest_context& c, const call& what) { return gate_call(c, what, true); }
    int disable_call(guest_context& c, const call& what) { return gate_call(c, what, false); }
    /// clk_set_rate, clk_prepare and clk_get_rate take one mutex for all clocks
    /// (drivers/clk/clk.c).
    call_lock prepare_lock(const call&) { return {&prepare_}; }
    call_lock gate_lock(const call& what);

private:
    bool register_clock(guest_context& c, std::uint32_t id);
    int attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    int describe_rates(guest_context& c, std::uint32_t id);
    bool read_through_debugfs(std::uint32_t id) const;
    int file_read(guest_context& c, std::uint32_t id);
    int rate_get(guest_context& c, std::uint32_t id);
    int rate_set(guest_context& c, std::uint32_t id, std::uint64_t rate);
    int config_set(guest_context& c, const call& what, bool on);
    int gate_call(guest_context& c, const call& what, bool on);
    /// Whether the clock framework switches it with a spinlock held and interrupts off.
    bool is_atomic(std::uint32_t id) const {
        return !called && id < clocks_.size() && clocks_[id].atomic;
    }
    bool known(std::uint32_t id) const { return id < clocks_.size() && clocks_[id].registered; }

    const bool has_user_;  ///< clk-scmi is there
    std::vector<clock_info> clocks_;
    std::uint32_t max_async_ = 0, async_ = 0;  ///< rate sets: may be, are in flight
    guest_mutex prepare_;                      ///< prepare_lock of drivers/clk/clk.c
    guest_mutex enable_;  ///< enable_lock there; who waits sleeps here instead of spinning
};

int clock_driver::probe_clk_scmi(guest_context& c, const std::string& device) {
    const int err = instance().acquire(c, *this);
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
bool clock_driver::register_clock(guest_context& c, std::uint32_t id) {
    clock_info& clock = clocks_[id];
    for (std::uint32_t other = 0; other < clocks_.size(); ++other) {
        // drivers/clk/clk.c __clk_core_init(): -EEXIST.
        if (clocks_[other].registered && clocks_[other].name == clock.name) return false;
    }
    clock.registered = true;
    clock.atomic = config().atomic && clock.enable_latency_us <= config().atomic_threshold_us;
    if (!rate_get(c, id)) clock.rate = last_value();  // the framework reads its rate
    return !clock.discrete || clock.rates != 0;
}

/// scmi_clock_protocol_init.
int clock_driver::init(guest_context& c, std::uint32_t version) {
    std::vector<std::uint8_t> reply;
    const int err = ask(c, msg_attributes, 4, "scmi_clock_protocol_attributes_get", &reply);
    if (err) return err;
    max_async_ = (scmi::get_u32(reply.data(), 4, 0) >> 16) & 0xff;
    async_ = 0;
    clocks_.assign(scmi::get_u32(reply.data(), 4, 0) & 0xffff, clock_info{});
    for (std::uint32_t id = 0; id < clocks_.size(); ++id) {
        if (!attributes(c, id, version)) describe_rates(c, id);
    }
    return 0;
}

int clock_driver::attributes(guest_context& c, std::uint32_t id, std::uint32_t version) {
    transfer t;
    int err = agent().begin(c, t, protocol::clock, 3, 4, 24, "scmi_clock_attributes_get",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent().do_xfer(c, t);
    bool extended = false;
    if (!err) {
        clocks_[id].name = name_at(t, 4, 15);  // strscpy: the last byte is a 0
        extended = version >= 0x20000 && (t.u32(0) & 1u << 29);
        // Not told is as long as can be.
        if (version >= 0x20000 && t.u32(20) != 0) clocks_[id].enable_latency_us = t.u32(20);
    }
    agent().end(t);
    if (err || !extended) return err;
    extended_name(c, 8, id, clocks_[id].name);
    return 0;
}

int clock_driver::describe_rates(guest_context& c, std::uint32_t id) {
    // scmi_clock_describe_rates_get; SCMI_MAX_NUM_RATES. A range is a triplet in one reply; 6.1
    // mends one whose only fault is its count (iter_clk_describe_update_state).
    const auto check = [&](const transfer& t, listed& part) {
        const bool range = (t.u32(0) & 1u << 12) != 0;
        clocks_[id].discrete = !range;
        if (!range || (part.returned == 3 && part.remaining == 0)) return 0;
        agent().log(c, "Out-of-spec CLOCK_DESCRIBE_RATES reply for " + clocks_[id].name +
                           " - returned:" + std::to_string(part.returned) +
                           " remaining:" + std::to_string(part.remaining) +
                           " rx_len:" + std::to_string(t.x->rx_len));
        constexpr std::size_t triplet_bytes = 4 + 3 * 8;
        if (part.returned == 3 || part.remaining != 0 || t.x->rx_len != triplet_bytes) {
            agent().log(c, "Cannot fix out-of-spec reply !");
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
    return iterate(agent(), c, {protocol::clock, 4, static_cast<std::int32_t>(id), 0xfff, 16}, take,
                   check);
}

/// Whether user space would read the clock framework's file: its program goes by the names that it
/// knows; one that is blank, no file's, or another clock's, too, has none.
bool clock_driver::read_through_debugfs(std::uint32_t id) const {
    if (!has_user_) return false;
    if (id >= config().clock_names.size() || !instance().has_caller()) return true;
    const std::string& name = config().clock_names[id];
    return !name.empty() && name.find_first_of("/ \t\n") == std::string::npos &&
           std::count(config().clock_names.begin(), config().clock_names.end(), name) == 1;
}

/// /sys/kernel/debug/clk/NAME/clk_rate (drivers/clk/clk.c clk_rate_get), of a clock that the guest
/// knows by another name or has not registered there is none. The framework shows a rate that it
/// could not read as 0 (scmi_clk_recalc_rate): its reader sees no error.
int clock_driver::file_read(guest_context& c, std::uint32_t id) {
    std::uint32_t at = id;
    if (id < config().clock_names.size()) {
        const auto shown = [&](const clock_info& k) {
            return k.registered && k.name == config().clock_names[id];
        };
        at = std::uint32_t(std::find_if(clocks_.begin(), clocks_.end(), shown) - clocks_.begin());
    }
    if (at >= clocks_.size() || !clocks_[at].registered) return -ENODEV;
    if (rate_get(c, at)) last_value() = 0;
    return 0;
}

int clock_driver::rate_get(guest_context& c, std::uint32_t id) {
    transfer t;
    int err = agent().begin(c, t, protocol::clock, 6, 4, 8, "scmi_clock_rate_get",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    t.put_u32(0, id);
    err = agent().do_xfer(c, t);
    if (!err) last_value() = u64_at(t, 0);
    agent().end(t);
    return err;
}

/// scmi_clock_config_set.
int clock_driver::config_set(guest_context& c, const call& what, bool on) {
    transfer t;
    int err = agent().begin(c, t, protocol::clock, 7, 8, 0, "scmi_clock_config_set",
                            static_cast<std::int32_t>(what.id));
    if (err) return err;
    t.x->poll = what.poll || is_atomic(what.id);  // enable_atomic, disable_atomic
    t.put_u32(0, what.id);
    t.put_u32(4, on ? 1 : 0);
    err = agent().do_xfer(c, t);
    agent().end(t);
    return err;
}

/// scmi_clock_rate_set.
int clock_driver::rate_set(guest_context& c, std::uint32_t id, std::uint64_t rate) {
    constexpr std::uint32_t set_async = 1;  // CLOCK_SET_ASYNC
    transfer t;
    int err = agent().begin(c, t, protocol::clock, 5, 16, 0, "scmi_clock_rate_set",
                            static_cast<std::int32_t>(id));
    if (err) return err;
    // The one that is counted here is one of them: with a maximum of 1 there is never any.
    const bool async = max_async_ != 0 && ++async_ < max_async_;
    t.put_u32(0, async ? set_async : 0);
    t.put_u32(4, id);
    t.put_u32(8, static_cast<std::uint32_t>(rate));
    t.put_u32(12, static_cast<std::uint32_t>(rate >> 32));
    if (async) {
        err = agent().do_xfer_with_response(c, t);
        if (!err && t.u32(0) != id) err = -EPROTO;  // it names its clock
    } else {
        err = agent().do_xfer(c, t);
    }
    if (max_async_ != 0) --async_;
    agent().end(t);
    return err;
}

int clock_driver::get_rate_call(guest_context& c, const call& what) {
    if (read_through_debugfs(what.id)) return file_read(c, what.id);
    // The protocol's own operations do not look whether there is such a clock.
    return called || known(what.id) ? rate_get(c, what.id) : -ENODEV;
}

int clock_driver::set_rate_call(guest_context& c, const call& what) {
    return called || known(what.id) ? rate_set(c, what.id, what.value) : -ENODEV;
}

int clock_driver::gate_call(guest_context& c, const call& what, bool on) {
    return called || known(what.id) ? config_set(c, what, on) : -ENODEV;
}

/// clk_enable_lock: spin_lock_irqsave.
call_lock clock_driver::gate_lock(const call& what) {
    return is_atomic(what.id) ? call_lock{&enable_, true} : call_lock{&prepare_};
}

constexpr call_row calls[] = {
    {"clock_get_rate", protocol::clock, "clk-scmi", "clock", argument_kind::none,
     making<&clock_driver::get_rate_call>, locking<&clock_driver::prepare_lock>, false, true},
    {"clock_set_rate", protocol::clock, "clk-scmi", "clock", argument_kind::rate,
     making<&clock_driver::set_rate_call>, locking<&clock_driver::prepare_lock>},
    {"clock_enable", protocol::clock, "clk-scmi", "clock", argument_kind::none,
     making<&clock_driver::enable_call>, locking<&clock_driver::gate_lock>, true},
    {"clock_disable", protocol::clock, "clk-scmi", "clock", argument_kind::none,
     making<&clock_driver::disable_call>, locking<&clock_driver::gate_lock>, true},
};

constexpr event_row events[] = {
    {"clock_rate_changed", protocol::clock, 0, 16, 16, 16, 4, 9, "scmi_clk_set_notify_enabled"},
    {"clock_rate_change_requested", protocol::clock, 1, 16, 16, 16, 4, 10,
     "scmi_clk_set_notify_enabled"},
};

constexpr user_driver users[] = {
    // drivers/clk/clk-scmi.c
    {"clk-scmi", protocol::clock, "scmi-clocks", probing<&clock_driver::probe_clk_scmi>},
};

}  // namespace

extern const agent_protocol clock_driver_row;
const agent_protocol clock_driver_row{
    protocol::clock, calls, events, users, [](scmi_instance& i) {
        return std::unique_ptr<protocol_driver>(std::make_unique<clock_driver>(i));
    }};

}  // namespace scmi_vp::models
