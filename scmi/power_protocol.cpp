// SPDX-License-Identifier: Apache-2.0
// Power domain protocol 1.0, 2.0 and 3.0: domains that are on or off, and who is told when they
// change. Notifications of requested changes are optional and not served.
#include <algorithm>

#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

constexpr std::size_t short_name = 15;  // bytes in name[16]
constexpr std::uint32_t state_on = 0x00000000, state_off = 0x40000000;

// The domain that word `n` of the payload names, or nullptr.
power_state* find_domain(server_state& state, const request& r, std::size_t n,
                         command_result& out) {
    const std::uint32_t id = r.word(n);
    if (id >= state.power_domains.size()) return nullptr;
    out.resource = static_cast<std::int32_t>(id);
    return &state.power_domains[id];
}

// No shared memory of statistics: address and length are 0.
status attributes(server_state& state, const request&, command_result& out) {
    put_u32(out.response, static_cast<std::uint32_t>(state.power_domains.size()));
    put_u64(out.response, 0);
    put_u32(out.response, 0);
    return status::success;
}

status domain_attributes(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, 0, out)) return status::not_found;
    const power_domain_description& d = state.description.power_domains[r.word(0)];
    const bool notifies = d.notifies && r.delayed_allowed;
    put_u32(out.response, std::uint32_t(notifies) << 31 | std::uint32_t(d.async_set) << 30 |
                              std::uint32_t(d.sync_set) << 29 |
                              std::uint32_t(d.name.size() > short_name) << 27);
    put_name(out.response, d.name, 16);
    return status::success;
}

// POWER_STATE_CHANGED; `cause` is the agent that made the transition, 0 the platform.
void tell_of_state(const power_state& domain, std::uint32_t id, std::uint32_t cause,
                   notifications& out) {
    notify_agents(domain.notify, protocol::power, 0, static_cast<std::int32_t>(id),
                  {cause, id, domain.wanted_by != 0 ? state_on : state_off}, out);
}

// DEN0056 4.3: every agent that asked is told of a transition, the one that caused it, too.
void set_wanted(server_state& state, std::uint32_t id, std::uint32_t agent_id, bool on,
                notifications& out) {
    power_state& domain = state.power_domains[id];
    const bool was_on = domain.wanted_by != 0;
    std::uint8_t& mine = domain.wanted[agent_id - 1];
    domain.wanted_by += static_cast<std::uint32_t>(on) - mine;
    mine = on;
    if (was_on != (domain.wanted_by != 0)) tell_of_state(domain, id, state.named(agent_id), out);
}

// DEN0056 4.3.2: bit 0 of the flags asks for an asynchronous change, which has no delayed response.
// Attributes that allow neither way mean that this agent may not set the domain at all.
status state_set(server_state& state, const request& r, command_result& out) {
    const std::uint32_t flags = r.word(0), wanted = r.word(2);
    if (!find_domain(state, r, 1, out)) return status::not_found;
    if (flags & ~1u) return status::invalid_parameters;
    const power_domain_description& d = state.description.power_domains[r.word(1)];
    if (!(flags & 1 ? d.async_set : d.sync_set)) return status::not_supported;
    if (wanted != state_on && wanted != state_off) return status::invalid_parameters;
    set_wanted(state, r.word(1), r.agent_id, wanted == state_on, out.told);
    return status::success;
}

status state_get(server_state& state, const request& r, command_result& out) {
    const power_state* domain = find_domain(state, r, 0, out);
    if (!domain) return status::not_found;
    put_u32(out.response, domain->wanted_by != 0 ? state_on : state_off);
    return status::success;
}

status state_notify(server_state& state, const request& r, command_result& out) {
    power_state* domain = find_domain(state, r, 0, out);
    if (!domain) return status::not_found;
    return set_notify(r, r.word(1), state.description.power_domains[r.word(0)].notifies,
                      domain->notify);
}

// Of domains whose attributes do not offer it (bit 28).
status change_requested_notify(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, 0, out)) return status::not_found;
    std::vector<std::uint8_t> nobody;
    return set_notify(r, r.word(1), false, nobody);
}

// A domain without an extended name answers with its short one.
status name_get(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, 0, out)) return status::not_found;
    put_u32(out.response, 0);
    put_name(out.response, state.description.power_domains[r.word(0)].name, 64);
    return status::success;
}

}  // namespace

void change_power_state(server_state& state, const platform_change& c, notifications& out) {
    power_state& domain = state.power_domains[c.id];
    const bool was_on = domain.wanted_by != 0, on = c.value != 0;
    domain.platform_wants = on;
    if (on) {
        domain.wanted_by = 1;
        for (const std::uint8_t mine : domain.wanted) domain.wanted_by += mine;
    } else {
        // Taken from its users: each has to ask for it again.
        std::fill(domain.wanted.begin(), domain.wanted.end(), std::uint8_t(0));
        domain.wanted_by = 0;
    }
    if (on == was_on) return;
    tell_of_state(domain, c.id, 0, out);
}

command_table power_commands(const platform_description& description) {
    command_table table = make_table(protocol::power, description.power_version, attributes);
    serve(table, 0x3, domain_attributes);
    serve(table, 0x4, state_set);
    serve(table, 0x5, state_get);
    const auto& domains = description.power_domains;
    const bool notifies =
        std::any_of(domains.begin(), domains.end(), [](const auto& d) { return d.notifies; });
    serve(table, 0x6, state_notify, notifies);
    if (description.power_version >= 0x20000) serve(table, 0x7, change_requested_notify, false);
    if (description.power_version >= 0x30000) serve(table, 0x8, name_get);
    return table;
}

std::vector<power_state> initial_power_domains(const platform_description& description) {
    const std::size_t agents = std::max<std::size_t>(1, description.agents.size());
    std::vector<power_state> domains;
    for (const power_domain_description& d : description.power_domains) {
        power_state s;
        s.wanted.assign(agents, d.on);
        s.notify.assign(agents, 0);
        s.wanted_by = d.on ? static_cast<std::uint32_t>(agents) : 0;
        domains.push_back(std::move(s));
    }
    return domains;
}

void reset_power_domains_of(server_state& state, std::uint32_t agent_id, notifications& out) {
    for (std::uint32_t i = 0; i < state.power_domains.size(); ++i) {
        state.power_domains[i].notify[agent_id - 1] = 0;
        set_wanted(state, i, agent_id, state.description.power_domains[i].on, out);
    }
}

}  // namespace scmi_vp::scmi::detail
