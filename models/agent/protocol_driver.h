// SPDX-License-Identifier: Apache-2.0
// What one file of drivers/firmware/arm_scmi is to the rest of the driver: the calls that its users
// make, its events, how it is initialised. Each is a file of models/agent/protocols/;
// protocol_table.cpp is the only list of them.
#pragma once

#include <boost/core/span.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/agent/call.h"
#include "models/agent/scmi_agent.h"

namespace scmi_vp::models {

class protocol_driver;
class scmi_instance;

/// What a call says besides the id of what it is about.
enum class argument_kind : std::uint8_t {
    none,
    rate,        ///< call::value, Hz, 64 bits
    level,       ///< call::value, 32 bits
    state,       ///< call::value, 32 bits
    trip_point,  ///< call::value, 64 bits
    limits,      ///< call::limits
    event,       ///< call::event
};

/// Who makes a call: a driver of SCMI, or the user of the driver core's sysfs files.
enum class call_target : std::uint8_t { protocol, unbind, bind };

/// What the kernel's subsystem holds over a call.
struct call_lock {
    guest_mutex* mutex = nullptr;  ///< nullptr: nothing
    bool irqs_off = false;         ///< a spinlock that is taken with interrupts off
};

/// A kind of call. Scenarios and results go by its name.
struct call_row {
    std::string_view name;
    std::uint8_t protocol_id;
    std::string_view driver;    ///< of user_drivers(); empty: the SCMI core itself
    std::string_view resource;  ///< what call::id names; empty: nothing
    argument_kind argument = argument_kind::none;
    /// 0 or a negative errno (-ENODEV: the driver did not find that id). nullptr: not a protocol's.
    int (*make)(protocol_driver& d, guest_context& c, const call& what) = nullptr;
    /// nullptr: no lock.
    call_lock (*lock)(protocol_driver& d, const call& what) = nullptr;
    bool may_poll = false;
    /// User space reads it from a file of the subsystem, even where scmi-vp-caller is loaded.
    bool has_file = false;
    bool in_probe_only = false;  ///< real Linux makes it in its probe and nowhere else
    call_target target = call_target::protocol;
};

inline constexpr std::size_t no_source = SIZE_MAX;

/// An event of a protocol (struct scmi_event): its payload as fill_custom_report() wants it, and
/// as scmi_notify() admits it (max_payld_sz).
struct event_row {
    std::string_view name;
    std::uint8_t protocol_id, event;
    std::size_t shortest, longest, admitted;  ///< bytes
    std::size_t source_at;                    ///< of the source's id in the payload, or no_source
    std::uint8_t set_notify;                  ///< the message that switches it on and off
    const char* caller;                       ///< as the timeout message names who sends that
};

/// A user of SCMI in the kernel that is modelled; it exists where its protocol has a node.
struct user_driver {
    std::string_view name;
    std::uint8_t protocol_id;
    std::string_view kernel_name;  ///< as the kernel's messages name it
    /// Its probe with the device of this name: 0 or a negative errno.
    int (*probe)(protocol_driver& d, guest_context& c, const std::string& device);
};

/// A module loaded after the boot that makes any call of a workload (tools/linux/module).
inline constexpr std::string_view caller_driver = "scmi-vp-caller";

/// The driver of one protocol in one instance.
class protocol_driver {
public:
    protocol_driver(scmi_instance& instance, std::uint8_t id) : instance_(instance), id_(id) {}
    virtual ~protocol_driver() = default;
    protocol_driver(const protocol_driver&) = delete;
    protocol_driver& operator=(const protocol_driver&) = delete;

    std::uint8_t id() const { return id_; }
    /// PROTOCOL_VERSION: 0 or a negative errno.
    int ask_version(guest_context& c, std::uint32_t& version);
    /// The protocol's init; `version` is what the platform said. 0 or a negative errno.
    virtual int init(guest_context& c, std::uint32_t version) = 0;
    /// Nobody holds it any more: what it has learnt is forgotten.
    virtual void forget() = 0;
    /// Of its events (get_num_sources): 0 while it is not initialised.
    virtual std::uint32_t sources() const = 0;
    /// Whether a payload of a length that the event can have makes a report.
    virtual bool has_report(const event_row&, const std::vector<std::uint8_t>&) const {
        return true;
    }
    /// What its users switch off at the end of the boot because nobody has claimed it, in their
    /// order.
    virtual std::vector<std::uint32_t> unused() const { return {}; }
    virtual void switch_off(guest_context&, std::uint32_t) {}

    /// set_notify_enabled: 0 or a negative errno.
    int set_notify(guest_context& c, const event_row& e, std::uint32_t source, bool on);

    bool held = false;    ///< it is initialised
    bool called = false;  ///< scmi-vp-caller holds it, too

protected:
    struct operation {
        std::uint8_t message_id;
        std::uint16_t reply_bytes;  ///< 0: up to max_msg_size
        const char* caller;         ///< as the timeout message names it
        std::int32_t resource;      ///< -1: none
    };
    /// A command of words; the first word of its reply becomes the last value.
    int command(guest_context& c, const operation& o, std::initializer_list<std::uint32_t> words);
    /// A command without parameters; `reply` gets `reply_bytes` of the answer.
    int ask(guest_context& c, std::uint8_t message, std::uint16_t reply_bytes, const char* caller,
            std::vector<std::uint8_t>* reply);
    /// scmi_common_extended_name_get: after a failure the short name stays.
    void extended_name(guest_context& c, std::uint8_t message, std::uint32_t id, std::string& name);
    /// By a driver's device, "scmi-cpufreq scmi_dev.3".
    void log_device(guest_context& c, const std::string& device, const std::string& text);
    /// Operations are the caller's where it is loaded: it has those that it was given in its probe.
    bool usable() const;

    scmi_agent& agent() const;
    scmi_instance& instance() const { return instance_; }
    const guest_config& config() const;
    std::uint64_t& last_value();  ///< what the last read returned

private:
    scmi_instance& instance_;
    const std::uint8_t id_;
};

/// A protocol as the table knows it.
struct agent_protocol {
    std::uint8_t id;
    boost::span<const call_row> calls;
    boost::span<const event_row> events;
    boost::span<const user_driver> users;  ///< besides scmi-vp-caller, which has all but Base
    std::unique_ptr<protocol_driver> (*make_driver)(scmi_instance& instance);
};

/// Members of a driver as the rows' functions.
template <auto Member>
struct row_function;
template <class Driver, int (Driver::*Member)(guest_context&, const call&)>
struct row_function<Member> {
    static int make(protocol_driver& d, guest_context& c, const call& what) {
        return (static_cast<Driver&>(d).*Member)(c, what);
    }
};
template <class Driver, call_lock (Driver::*Member)(const call&)>
struct row_function<Member> {
    static call_lock lock(protocol_driver& d, const call& what) {
        return (static_cast<Driver&>(d).*Member)(what);
    }
};
template <class Driver, int (Driver::*Member)(guest_context&, const std::string&)>
struct row_function<Member> {
    static int probe(protocol_driver& d, guest_context& c, const std::string& device) {
        return (static_cast<Driver&>(d).*Member)(c, device);
    }
};
template <auto Member>
inline constexpr auto making = &row_function<Member>::make;
template <auto Member>
inline constexpr auto locking = &row_function<Member>::lock;
template <auto Member>
inline constexpr auto probing = &row_function<Member>::probe;

}  // namespace scmi_vp::models
