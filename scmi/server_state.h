// SPDX-License-Identifier: Apache-2.0
// Inside the platform server: its state, one request, and the command tables that the protocols
// fill. Not part of the room's interface.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "scmi/message.h"
#include "scmi/platform_server.h"

namespace scmi_vp::scmi::detail {

/// One rate exists per clock, whoever sets it; enables are aggregated: a clock runs while any agent
/// wants it (DEN0056 4.6.2.7, 4.6.2.9).
struct clock_state {
    std::uint64_t rate = 0;
    std::uint32_t rate_setter = 0;     ///< agent that set it last; 0 = nobody yet
    std::vector<std::uint8_t> wanted;  ///< by agent - 1
    std::uint32_t wanted_by = 0;       ///< how many want it
};

/// A domain is on while any agent wants it (DEN0056 4.3: shared domains are aggregated).
struct power_state {
    std::vector<std::uint8_t> wanted;  ///< by agent - 1
    std::uint32_t wanted_by = 0;       ///< how many want it, the platform included
    bool platform_wants = false;
    std::vector<std::uint8_t> notify;  ///< by agent - 1
};

struct level_range {
    std::uint32_t max = 0, min = 0;
};

/// One level exists per domain, whoever sets it; limits of agents add up to the tightest range.
struct performance_state {
    std::uint32_t level = 0;
    std::uint32_t level_setter = 0;   ///< agent whose level or limits moved it last; 0 = nobody yet
    std::vector<level_range> limits;  ///< by agent - 1
    level_range platform_limits;
    std::vector<std::uint8_t> notify_limits, notify_level;  ///< by agent - 1
    level_range range;                                      ///< of all agents together
};

struct trip_point {
    std::int64_t value = 0;
    std::uint8_t directions = 0;  ///< bit 0 rising, bit 1 falling (SENSOR_TRIP_POINT_CONFIG)
};

struct sensor_state {
    std::int64_t reading = 0, delayed_reading = 0;  ///< before reading_step
    std::vector<trip_point> trips;
    std::vector<std::uint8_t> notify_trips;  ///< by agent - 1
};

struct server_state {
    platform_description description;
    std::vector<std::uint8_t> notify_errors;  ///< by agent - 1
    std::vector<sensor_state> sensors;
    std::vector<power_state> power_domains;
    std::vector<performance_state> performance_domains;
    std::vector<clock_state> clocks;
    std::uint64_t readings = 0;  ///< served so far, all sensors together
    /// Delayed responses handed out and not done, by agent - 1.
    std::vector<std::uint32_t> pending_clock, pending_sensor;

    /// Agents that may send; without agent discovery there is one that has no name.
    std::uint32_t agents() const {
        return description.agents.empty() ? 1 : std::uint32_t(description.agents.size());
    }
    /// How a notification names the agent that caused it: 0, too, where agents have no names.
    std::uint32_t named(std::uint32_t agent_id) const {
        return description.agents.empty() ? 0 : agent_id;
    }
};

struct command_table;

struct request {
    std::uint32_t agent_id;
    header hdr;
    std::uint32_t header_word;  ///< as it was sent, reserved bits and all
    const std::uint8_t* payload;
    std::size_t payload_size;
    std::size_t room;  ///< bytes for return values, after status
    bool delayed_allowed;
    const command_table* table;  ///< of the request's protocol

    std::uint32_t word(std::size_t n) const { return get_u32(payload, payload_size, 4 * n); }
};

/// Appends the return values to `out.response` (which holds header and status) and says how it
/// went; what was appended is dropped unless the answer is SUCCESS. Called with a payload of the
/// right size.
using handler = status (*)(server_state&, const request&, command_result& out);

struct command_entry {
    handler run = nullptr;  ///< nullptr: not served
    std::uint16_t payload_bytes = 0;
    bool advertised = false;  ///< by PROTOCOL_MESSAGE_ATTRIBUTES
    bool asks_notification = false;
    std::uint32_t attributes = 0;  ///< what that answers
};

/// The commands of one protocol by message id, 0 to 0x10.
struct command_table {
    bool served = false;
    std::uint32_t version = 0;
    std::array<command_entry, 0x11> commands{};
};

/// Throws scmi_vp::error (config), naming the field, if the description contradicts itself.
void check_description(const platform_description& description);

command_table base_commands(const platform_description& description);
command_table power_commands(const platform_description& description);
command_table performance_commands(const platform_description& description);
command_table clock_commands(const platform_description& description);
command_table sensor_commands(const platform_description& description);

/// A table of the protocol with the commands that all protocols have (0x0 to 0x2) but for
/// PROTOCOL_ATTRIBUTES, which is the protocol's own.
command_table make_table(std::uint8_t protocol_id, std::uint32_t version, handler attributes);
/// Serves a message; a message that is served but not advertised answers errors only.
void serve(command_table& table, std::uint8_t message_id, handler run, bool advertised = true);

std::vector<power_state> initial_power_domains(const platform_description& description);
void reset_power_domains_of(server_state& state, std::uint32_t agent_id, notifications& out);
std::vector<performance_state> initial_performance_domains(const platform_description& description);
void reset_performance_domains_of(server_state& state, std::uint32_t agent_id, notifications& out);
std::vector<clock_state> initial_clocks(const platform_description& description);
void reset_clocks_of(server_state& state, std::uint32_t agent_id);
std::vector<sensor_state> initial_sensors(const platform_description& description);
void reset_sensors_of(server_state& state, std::uint32_t agent_id);

/// platform_server::change, by kind; the domain or sensor exists.
void change_performance_level(server_state& state, const platform_change& c, notifications& out);
void change_performance_limits(server_state& state, const platform_change& c, notifications& out);
void change_power_state(server_state& state, const platform_change& c, notifications& out);
void change_reading(server_state& state, const platform_change& c, notifications& out);
void report_base_error(server_state& state, const platform_change& c, notifications& out);

/// The answer to a command that switches notifications of a resource on or off (bit 0 of the word
/// after its id); `offered`: it has them at all.
status set_notify(const request& r, std::uint32_t control, bool offered,
                  std::vector<std::uint8_t>& by_agent);

/// Tells each agent with a mark in `by_agent` of an event; `words` is the payload.
void notify_agents(const std::vector<std::uint8_t>& by_agent, std::uint8_t protocol_id,
                   std::uint8_t event, std::int32_t resource,
                   std::initializer_list<std::uint32_t> words, notifications& out);

/// Part of a listing that fits one reply. Valid unless `fits` is false: then entries remain and not
/// even one has room, and the answer is PROTOCOL_ERROR (never 0 entries while some remain).
struct list_part {
    std::uint32_t returned = 0;
    std::uint32_t remaining = 0;
    bool fits = true;
};
/// `index` <= `count`; `room` bytes for the entries.
list_part part_of_list(std::size_t count, std::size_t index, std::size_t room,
                       std::size_t entry_bytes);

/// Begins the delayed response to a request: header and status SUCCESS.
message_bytes& start_delayed(const request& r, command_result& out);

}  // namespace scmi_vp::scmi::detail
