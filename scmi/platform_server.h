// SPDX-License-Identifier: Apache-2.0
// The SCMI platform as a pure function of commands and state: never waits, reads no clock. It says
// what to answer; who calls it decides when. Base, Power domain, Performance, Clock and Sensor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scmi/message.h"

namespace scmi_vp::scmi {

struct clock_rates {  ///< either a list (ascending) or one triplet
    std::vector<std::uint64_t> list;
    bool triplet = false;  ///< list = {lowest, highest, step}
};

struct clock_description {
    std::string name;
    std::uint64_t rate = 0;  ///< Hz, at start
    bool enabled = true;
    clock_rates rates;
    std::uint32_t enable_delay_us = 0;  ///< Clock 2.0 and later
};

struct sensor_description {
    std::string name;
    std::uint8_t type = 2;             ///< DEN0056 sensor types; 2 = degrees Celsius
    std::int8_t exponent = 0;          ///< value = reading * 10^exponent; -16..15
    bool async = false;                ///< attr_low bit 31: Linux then reads asynchronously only
    std::int64_t reading = 0;          ///< what a read returns, before `reading_step`
    std::int64_t delayed_reading = 0;  ///< what a delayed response returns, before `reading_step`
    std::int64_t reading_step =
        0;  ///< times the number of readings the platform served before, added
    std::uint8_t update_interval_s = 0;        ///< v1: attr_high 31:27
    std::int8_t update_interval_exponent = 0;  ///< v1: attr_high 26:22
    std::uint8_t trip_points = 0;              ///< attr_low 7:0; with them come their events
};

/// A domain is either on (0) or off (0x40000000): DEN0056's generic states.
struct power_domain_description {
    std::string name;
    bool on = true;          ///< at start
    bool sync_set = true;    ///< attributes bit 29: the response comes after the transition
    bool async_set = false;  ///< attributes bit 30: the response comes when it is scheduled
    bool notifies = false;   ///< attributes bit 31: POWER_STATE_CHANGED can be asked for
};

struct performance_level {
    std::uint32_t level = 0;
    std::uint32_t power = 0;       ///< in performance_power_unit; 0 = unknown
    std::uint32_t latency_us = 0;  ///< worst transition latency, 16 bits
};

struct performance_domain_description {
    std::string name;
    std::vector<performance_level> levels;  ///< at least one, ascending
    std::uint32_t level = 0;                ///< at start; one of `levels`
    bool set_limits = true;                 ///< attributes bit 31: agents may set limits
    bool set_level = true;                  ///< attributes bit 30: agents may set the level
    std::uint32_t rate_limit_us = 0;        ///< between requests, 20 bits; told, not enforced
    std::uint32_t sustained_freq_khz = 0;   ///< 0 = not told
    std::uint32_t sustained_level = 0;
    bool notifies_limits = false;  ///< attributes bit 29: LIMITS_CHANGED can be asked for
    bool notifies_level = false;   ///< attributes bit 28: LEVEL_CHANGED can be asked for
    /// Attributes bit 27 is set, and the messages that could have a FastChannel say that they have
    /// one, although virtio has none (5.17.6.1): a platform that relays firmware for another
    /// transport. Asked to describe one, it says NOT_SUPPORTED. Performance 2.0 and later.
    bool fast_channels = false;
};

/// Unit of performance_level::power (Performance PROTOCOL_ATTRIBUTES bits 17:16).
enum class power_unit : std::uint8_t { abstract = 0, milliwatt = 1, microwatt = 2 };

struct agent_description {
    std::string name;
};

struct platform_description {
    std::uint32_t base_version = 0x20000;
    std::uint32_t power_version = 0x20000;        ///< 0x10000, 0x20000 or 0x30000
    std::uint32_t performance_version = 0x20000;  ///< 0x10000, 0x20000 or 0x30000
    std::uint32_t clock_version = 0x10000;        ///< 0x10000 or 0x20000
    std::uint32_t sensor_version = 0x10000;       ///< 0x10000 (2.0 and later: not yet served)
    std::string vendor = "scmi-vp";
    std::string sub_vendor;
    std::uint32_t implementation_version = 0;
    bool base_notifies = false;              ///< BASE_ERROR_EVENT can be asked for
    std::string platform_name = "platform";  ///< agent 0
    std::vector<agent_description> agents;   ///< agents 1..n
    std::vector<std::uint8_t>
        protocols;  ///< listed by Base, ascending, without Base; may list more than served
    std::vector<power_domain_description> power_domains;
    std::vector<performance_domain_description> performance_domains;
    power_unit performance_power_unit = power_unit::abstract;  ///< microwatt: since 3.0
    std::vector<clock_description> clocks;
    std::uint8_t clock_max_async = 0;  ///< pending asynchronous rate sets of each agent
    std::vector<sensor_description> sensors;
    std::uint8_t sensor_max_async = 0;               ///< pending asynchronous reads of each agent
    std::uint16_t sensor_descriptors_per_reply = 0;  ///< at most so many; 0 = as many as fit
    status unknown_message =
        status::not_found;  ///< answer to an unknown message id (servers differ)
};

/// The protocols that Base lists and nobody serves: each message of them is answered NOT_SUPPORTED.
std::vector<std::uint8_t> listed_but_not_served(const platform_description& d);

/// A message to an agent that asked for it.
struct notification {
    std::uint32_t agent_id = 0;
    std::int32_t resource = -1;  ///< -1: none
    message_bytes bytes;         ///< header and payload
};
using notifications = std::vector<notification>;

/// What a command leads to. The response is computed when the platform takes the command.
struct command_result {
    message_bytes response;                ///< header, status, return values
    std::optional<message_bytes> delayed;  ///< delayed response to send later, after the response
    notifications told;  ///< what it changed, to every agent that asked: the one that sent it, too
    std::int32_t resource =
        -1;  ///< the domain, clock or sensor that it named, if it exists, else -1
};

/// Something that the platform does by itself, as agent 0.
enum class change_kind : std::uint8_t {
    performance_level,   ///< `value`: the level, one of those described
    performance_limits,  ///< the platform's own: `low` to `value`
    power_state,         ///< `value`: 1 on, 0 off whoever wants it on
    sensor_reading,      ///< `value`: what reads return from now on; may cross trip points
    base_error,          ///< `value`: 1 when it is fatal
};
struct platform_change {
    change_kind kind = change_kind::sensor_reading;
    std::uint32_t id = 0;  ///< of the domain or sensor
    std::int64_t value = 0, low = 0;
};

/// One platform with its state, as seen by one or many agents.
class platform_server {
public:
    /// Throws scmi_vp::error (config) if the description contradicts itself (a name over 15 bytes,
    /// rates not ascending, an exponent out of range, protocols not ascending, ...): the message
    /// names the field.
    explicit platform_server(platform_description description);
    ~platform_server();
    platform_server(const platform_server& other);  ///< the state is a value
    platform_server& operator=(const platform_server& other);
    platform_server(platform_server&&) noexcept;
    platform_server& operator=(platform_server&&) noexcept;

    /// Answers one command of agent `agent_id` (1..n). `size` bytes at `data`: header and payload.
    /// `max_reply` is the room for header + status + values (at least 8): a reply that does not fit
    /// becomes PROTOCOL_ERROR, except lists, which return fewer entries. `delayed_allowed` is false
    /// when VIRTIO_SCMI_F_P2A_CHANNELS was not negotiated (virtio 5.17.6.1: then NOT_SUPPORTED and
    /// not advertised). A command shorter than its 4-byte header, or a max_reply below 8, gets an
    /// empty response and does nothing. The response carries the command's header, bit for bit
    /// (DEN0056 4.1.3). Whatever is asked for asynchronously is seen by the matching GET at once:
    /// the server has no clock. Throws scmi_vp::error (model) for an agent_id
    /// that does not exist.
    command_result handle(std::uint32_t agent_id, const std::uint8_t* data, std::size_t size,
                          std::size_t max_reply, bool delayed_allowed);
    /// The same into `out`, whatever that held: no buffer is moved or made anew.
    void handle(std::uint32_t agent_id, const std::uint8_t* data, std::size_t size,
                std::size_t max_reply, bool delayed_allowed, command_result& out);

    /// A delayed response that was handed out to an agent has been delivered (or dropped by a
    /// reset): its place in that agent's asynchronous limit is free again. Exactly once for each;
    /// throws scmi_vp::error (model) when none is out.
    void delayed_done(std::uint32_t agent_id, std::uint8_t protocol_id);

    /// Something changes without a command. Appends what the agents that asked for it are told.
    /// Throws scmi_vp::error (config) for a domain, sensor or level that does not exist.
    void change(const platform_change& c, notifications& out);

    /// Back to the state at construction for this agent (virtio device reset): its clock enables,
    /// its wish for power, its limits, its notifications, and the rates and levels that it was the
    /// last to set. What others did stays, and so do the readings served and the places of delayed
    /// responses (delayed_done frees those that the reset drops). Appends what the others are told.
    void reset_agent(std::uint32_t agent_id, notifications& out);

    const platform_description& description() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace scmi_vp::scmi
