// SPDX-License-Identifier: Apache-2.0
// The platform server: one dispatcher for all protocols, driven by their command tables.
#include "scmi/platform_server.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <string>
#include <utility>

#include "base/error.h"
#include "scmi/server_state.h"

namespace scmi_vp::scmi {
namespace detail {
namespace {

constexpr std::size_t max_returned = 0xfff;  // bits 11:0 of every listing's flags word

status protocol_version(server_state&, const request& r, command_result& out) {
    put_u32(out.response, r.table->version);
    return status::success;
}

// NOT_FOUND is how an agent learns that a command is absent (DEN0056 4.2.2.4).
status message_attributes(server_state&, const request& r, command_result& out) {
    const std::uint32_t id = r.word(0);
    if (id >= r.table->commands.size() || !r.table->commands[id].advertised) {
        return status::not_found;
    }
    // virtio 5.17.6.1: what will be denied is not shown.
    if (r.table->commands[id].asks_notification && !r.delayed_allowed) return status::not_found;
    put_u32(out.response, r.table->commands[id].attributes);
    return status::success;
}

}  // namespace

command_table make_table(std::uint8_t protocol_id, std::uint32_t version, handler attributes) {
    command_table table;
    table.served = true;
    table.version = version;
    for (std::size_t id = 0; id < table.commands.size(); ++id) {
        const message_info* info = find_message(protocol_id, static_cast<std::uint8_t>(id));
        if (!info) continue;
        table.commands[id].payload_bytes = static_cast<std::uint16_t>(info->command_bytes);
        table.commands[id].asks_notification = info->asks_notification;
    }
    serve(table, 0x0, protocol_version);
    serve(table, 0x1, attributes);
    serve(table, 0x2, message_attributes);
    return table;
}

void serve(command_table& table, std::uint8_t message_id, handler run, bool advertised) {
    table.commands[message_id].run = run;
    table.commands[message_id].advertised = advertised;
}

list_part part_of_list(std::size_t count, std::size_t index, std::size_t room,
                       std::size_t entry_bytes) {
    list_part part;
    const std::size_t left = count - index;
    const std::size_t returned = std::min({left, room / entry_bytes, max_returned});
    part.returned = static_cast<std::uint32_t>(returned);
    part.remaining = static_cast<std::uint32_t>(left - returned);
    part.fits = left == 0 || returned != 0;
    return part;
}

status set_notify(const request& r, std::uint32_t control, bool offered,
                  std::vector<std::uint8_t>& by_agent) {
    if (control & ~1u) return status::invalid_parameters;
    if (!offered) return status::not_supported;
    by_agent[r.agent_id - 1] = std::uint8_t(control);
    return status::success;
}

void notify_agents(const std::vector<std::uint8_t>& by_agent, std::uint8_t protocol_id,
                   std::uint8_t event, std::int32_t resource,
                   std::initializer_list<std::uint32_t> words, notifications& out) {
    for (std::uint32_t i = 0; i < by_agent.size(); ++i) {
        if (!by_agent[i]) continue;
        notification& n = out.emplace_back();
        n.agent_id = i + 1;
        n.resource = resource;
        // DEN0056 4.1.3: the token of a notification means nothing; zero.
        put_u32(n.bytes, header{event, message_type::notification, protocol_id, 0}.pack());
        for (const std::uint32_t w : words) put_u32(n.bytes, w);
    }
}

message_bytes& start_delayed(const request& r, command_result& out) {
    constexpr std::uint32_t type_bits = 3u << 8;
    message_bytes& m = out.delayed.emplace();
    put_u32(m, (r.header_word & ~type_bits) |
                   static_cast<std::uint32_t>(message_type::delayed_response) << 8);
    put_u32(m, static_cast<std::uint32_t>(status::success));
    return m;
}

}  // namespace detail

struct platform_server::impl {
    explicit impl(platform_description d) {
        using std::binary_search;
        detail::check_description(d);
        table_of(protocol::base) = detail::base_commands(d);
        // A protocol that Base does not list does not exist for the agents.
        const auto listed = [&d](std::uint8_t id) {
            return binary_search(d.protocols.begin(), d.protocols.end(), id);
        };
        if (listed(protocol::power)) table_of(protocol::power) = detail::power_commands(d);
        if (listed(protocol::perf)) table_of(protocol::perf) = detail::performance_commands(d);
        if (listed(protocol::clock)) table_of(protocol::clock) = detail::clock_commands(d);
        if (listed(protocol::sensor)) table_of(protocol::sensor) = detail::sensor_commands(d);
        state.power_domains = detail::initial_power_domains(d);
        state.performance_domains = detail::initial_performance_domains(d);
        state.clocks = detail::initial_clocks(d);
        state.sensors = detail::initial_sensors(d);
        const std::size_t agents = std::max<std::size_t>(1, d.agents.size());
        state.notify_errors.assign(agents, 0);
        state.pending_clock.assign(agents, 0);
        state.pending_sensor.assign(agents, 0);
        state.description = std::move(d);
    }

    detail::command_table& table_of(std::uint8_t id) { return tables[id - protocol::base]; }

    status execute(detail::request& r, command_result& out);
    [[gnu::cold]] [[noreturn]] void no_such_agent(std::uint32_t agent_id) const {
        throw error(error_kind::model, "a command came from agent " + std::to_string(agent_id) +
                                           "; the platform has agents 1 to " +
                                           std::to_string(state.agents()));
    }

    detail::server_state state;
    std::array<detail::command_table, protocol::sensor - protocol::base + 1> tables;
};

// The order of checks of Arm's SCP-firmware: protocol, message id, payload size, parameters.
status platform_server::impl::execute(detail::request& r, command_result& out) {
    // Only commands travel from agent to platform (DEN0056 4.1.3).
    if (r.hdr.type != message_type::command) return status::protocol_error;
    if (r.hdr.protocol_id < protocol::base || r.hdr.protocol_id > protocol::sensor) {
        return status::not_supported;
    }
    const detail::command_table& table = table_of(r.hdr.protocol_id);
    if (!table.served) return status::not_supported;
    if (r.hdr.message_id >= table.commands.size()) return state.description.unknown_message;
    const detail::command_entry& command = table.commands[r.hdr.message_id];
    // virtio 5.17.6.1: without VIRTIO_SCMI_F_P2A_CHANNELS a request for notifications MUST be
    // denied so, whatever the platform says to a command that it does not have.
    if (command.asks_notification && !r.delayed_allowed) return status::not_supported;
    if (!command.run) return state.description.unknown_message;
    if (r.payload_size != command.payload_bytes) return status::protocol_error;
    r.table = &table;
    return command.run(state, r, out);
}

std::vector<std::uint8_t> listed_but_not_served(const platform_description& d) {
    std::vector<std::uint8_t> ids;
    for (const std::uint8_t id : d.protocols) {
        const bool served = id == protocol::power || id == protocol::perf ||
                            id == protocol::clock || id == protocol::sensor;
        if (!served) ids.push_back(id);
    }
    return ids;
}

platform_server::platform_server(platform_description description)
    : impl_(std::make_unique<impl>(std::move(description))) {}
platform_server::~platform_server() = default;
platform_server::platform_server(const platform_server& other)
    : impl_(std::make_unique<impl>(*other.impl_)) {}
platform_server& platform_server::operator=(const platform_server& other) {
    return *this = platform_server(other);
}
platform_server::platform_server(platform_server&&) noexcept = default;
platform_server& platform_server::operator=(platform_server&&) noexcept = default;

command_result platform_server::handle(std::uint32_t agent_id, const std::uint8_t* data,
                                       std::size_t size, std::size_t max_reply,
                                       bool delayed_allowed) {
    command_result out;
    handle(agent_id, data, size, max_reply, delayed_allowed, out);
    return out;
}

void platform_server::handle(std::uint32_t agent_id, const std::uint8_t* data, std::size_t size,
                             std::size_t max_reply, bool delayed_allowed, command_result& out) {
    if (agent_id == 0 || agent_id > impl_->state.agents()) impl_->no_such_agent(agent_id);
    constexpr std::size_t prefix = 8;  // header and status
    out.response.clear();
    out.delayed.reset();
    out.told.clear();
    out.resource = -1;
    if (size < 4 || max_reply < prefix) return;

    const std::uint32_t word = get_u32(data, size, 0);
    detail::request r{agent_id,           header::unpack(word), word,   data + 4, size - 4,
                      max_reply - prefix, delayed_allowed,      nullptr};
    put_u64(out.response, word);  // and SUCCESS, which is 0
    status s = impl_->execute(r, out);
    if (s == status::success && out.response.size() > max_reply) s = status::protocol_error;
    if (s != status::success) {
        // virtio 5.17.6.1: then the status is the whole payload.
        out.response.resize(prefix);
        boost::endian::store_little_s32(out.response.data() + 4, static_cast<std::int32_t>(s));
    }
}

void platform_server::delayed_done(std::uint32_t agent_id, std::uint8_t protocol_id) {
    if (agent_id == 0 || agent_id > impl_->state.agents()) impl_->no_such_agent(agent_id);
    std::vector<std::uint32_t>* pending = nullptr;
    if (protocol_id == protocol::clock) pending = &impl_->state.pending_clock;
    if (protocol_id == protocol::sensor) pending = &impl_->state.pending_sensor;
    if (!pending || (*pending)[agent_id - 1] == 0) {
        throw error(error_kind::model, "no delayed response of the " +
                                           std::string(protocol_name(protocol_id)) +
                                           " protocol is out, yet one is reported as done");
    }
    --(*pending)[agent_id - 1];
}

namespace {

void need(bool exists, const char* what, std::uint32_t id, std::size_t count) {
    if (exists) return;
    throw error(error_kind::config,
                "there is no " + std::string(what) + " " + std::to_string(id) +
                    ": the platform has " + std::to_string(count) +
                    (count ? ", 0.." + std::to_string(count - 1) : std::string()));
}

}  // namespace

void platform_server::change(const platform_change& c, notifications& out) {
    detail::server_state& s = impl_->state;
    switch (c.kind) {
        case change_kind::performance_level:
        case change_kind::performance_limits:
            need(c.id < s.performance_domains.size(), "performance domain", c.id,
                 s.performance_domains.size());
            return c.kind == change_kind::performance_level
                       ? detail::change_performance_level(s, c, out)
                       : detail::change_performance_limits(s, c, out);
        case change_kind::power_state:
            need(c.id < s.power_domains.size(), "power domain", c.id, s.power_domains.size());
            return detail::change_power_state(s, c, out);
        case change_kind::sensor_reading:
            need(c.id < s.sensors.size(), "sensor", c.id, s.sensors.size());
            return detail::change_reading(s, c, out);
        case change_kind::base_error:
            return detail::report_base_error(s, c, out);
    }
}

void platform_server::reset_agent(std::uint32_t agent_id, notifications& out) {
    if (agent_id == 0 || agent_id > impl_->state.agents()) return;
    detail::reset_power_domains_of(impl_->state, agent_id, out);
    detail::reset_performance_domains_of(impl_->state, agent_id, out);
    detail::reset_clocks_of(impl_->state, agent_id);
    detail::reset_sensors_of(impl_->state, agent_id);
    impl_->state.notify_errors[agent_id - 1] = 0;
}

const platform_description& platform_server::description() const {
    return impl_->state.description;
}

}  // namespace scmi_vp::scmi
