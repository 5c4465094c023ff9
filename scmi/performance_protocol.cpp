// SPDX-License-Identifier: Apache-2.0
// Performance protocol 1.0, 2.0 and 3.0: levels and limits, and who is told when they change.
// virtio has no FastChannels (virtio 5.17.6.1): a platform can claim them, not describe them.
#include <algorithm>

#include "base/error.h"
#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

constexpr std::size_t short_name = 15;  // bytes in name[16]
constexpr std::size_t level_bytes = 12;

using levels = std::vector<performance_level>;

// The domain that the first word of the payload names, or nullptr.
performance_state* find_domain(server_state& state, const request& r, command_result& out) {
    const std::uint32_t id = r.word(0);
    if (id >= state.performance_domains.size()) return nullptr;
    out.resource = static_cast<std::int32_t>(id);
    return &state.performance_domains[id];
}

const performance_domain_description& described(const server_state& state, const request& r) {
    return state.description.performance_domains[r.word(0)];
}

// No shared memory of statistics: address and length are 0.
status attributes(server_state& state, const request&, command_result& out) {
    const auto unit = static_cast<std::uint32_t>(state.description.performance_power_unit);
    put_u32(out.response,
            unit << 16 | static_cast<std::uint32_t>(state.performance_domains.size()));
    put_u64(out.response, 0);
    put_u32(out.response, 0);
    return status::success;
}

status domain_attributes(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, out)) return status::not_found;
    const performance_domain_description& d = described(state, r);
    const std::uint32_t p2a = r.delayed_allowed ? 1 : 0;
    put_u32(out.response, std::uint32_t(d.set_limits) << 31 | std::uint32_t(d.set_level) << 30 |
                              (d.notifies_limits & p2a) << 29 | (d.notifies_level & p2a) << 28 |
                              std::uint32_t(d.fast_channels) << 27 |
                              std::uint32_t(d.name.size() > short_name) << 26);
    put_u32(out.response, d.rate_limit_us);
    put_u32(out.response, d.sustained_freq_khz);
    put_u32(out.response, d.sustained_level);
    put_name(out.response, d.name, 16);
    return status::success;
}

// A bad index is INVALID_PARAMETERS up to 2.0 (Arm's conformance suite), OUT_OF_RANGE since 3.0.
status describe_levels(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, out)) return status::not_found;
    const levels& list = described(state, r).levels;
    const std::size_t index = r.word(1);
    if (index >= list.size()) {
        return r.table->version >= 0x30000 ? status::out_of_range : status::invalid_parameters;
    }
    const list_part part =
        part_of_list(list.size(), index, r.room < 4 ? 0 : r.room - 4, level_bytes);
    if (!part.fits) return status::protocol_error;
    put_u32(out.response, part.remaining << 16 | part.returned);
    for (std::size_t i = index; i < index + part.returned; ++i) {
        put_u32(out.response, list[i].level);
        put_u32(out.response, list[i].power);
        put_u32(out.response, list[i].latency_us);
    }
    return status::success;
}

// The tightest range of all agents. Where their ranges do not meet (the text is silent) a cap beats
// a floor, since caps are what thermal and power budgets are made of.
void aggregate(performance_state& domain) {
    level_range all = domain.platform_limits;
    for (const level_range& mine : domain.limits) {
        all.max = std::min(all.max, mine.max);
        all.min = std::max(all.min, mine.min);
    }
    all.min = std::min(all.min, all.max);
    domain.range = all;
}

// A level that the limits no longer allow moves to the nearest one inside; where no level lies
// inside, to the highest below.
void move_into_limits(performance_state& domain, const levels& list) {
    if (domain.level >= domain.range.min && domain.level <= domain.range.max) return;
    const auto below = [](const performance_level& l, std::uint32_t v) { return l.level < v; };
    const auto above = [](std::uint32_t v, const performance_level& l) { return v < l.level; };
    const auto cap = std::prev(std::upper_bound(list.begin(), list.end(), domain.range.max, above));
    const auto floor = std::lower_bound(list.begin(), list.end(), domain.range.min, below);
    domain.level = domain.level > domain.range.max ? cap->level : std::min(floor, cap)->level;
}

// A domain before and after a change: what became different is told to every agent that asked, the
// one that caused it, too (DEN0056 4.5.3); `cause` is that agent, 0 the platform.
class change_of_domain {
public:
    change_of_domain(performance_state& domain, const levels& list, std::uint32_t id)
        : domain_(domain), list_(list), id_(id), range_(domain.range), level_(domain.level) {}

    void apply_limits() {
        aggregate(domain_);
        move_into_limits(domain_, list_);
    }
    bool moved() const { return domain_.level != level_; }

    void tell(std::uint32_t cause, notifications& out) const {
        const auto resource = static_cast<std::int32_t>(id_);
        if (domain_.range.max != range_.max || domain_.range.min != range_.min) {
            notify_agents(domain_.notify_limits, protocol::perf, 0, resource,
                          {cause, id_, domain_.range.max, domain_.range.min}, out);
        }
        if (!moved()) return;
        notify_agents(domain_.notify_level, protocol::perf, 1, resource,
                      {cause, id_, domain_.level}, out);
    }

private:
    performance_state& domain_;
    const levels& list_;
    std::uint32_t id_;
    level_range range_;
    std::uint32_t level_;
};

// DEN0056 4.5.2: a bound need not be a level, but it lies within them. Since 3.0 a zero leaves the
// agent's bound as it is, and two zeroes are OUT_OF_RANGE.
status limits_set(server_state& state, const request& r, command_result& out) {
    performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    const performance_domain_description& d = described(state, r);
    if (!d.set_limits) return status::denied;
    level_range wanted{r.word(1), r.word(2)};
    level_range& mine = domain->limits[r.agent_id - 1];
    if (r.table->version >= 0x30000) {
        if (wanted.max == 0 && wanted.min == 0) return status::out_of_range;
        if (wanted.max == 0) wanted.max = mine.max;
        if (wanted.min == 0) wanted.min = mine.min;
    }
    if (wanted.max < wanted.min) return status::invalid_parameters;
    if (wanted.min < d.levels.front().level || wanted.max > d.levels.back().level) {
        return status::out_of_range;
    }
    change_of_domain change(*domain, d.levels, r.word(0));
    mine = wanted;
    change.apply_limits();
    if (change.moved()) domain->level_setter = r.agent_id;
    change.tell(state.named(r.agent_id), out.told);
    return status::success;
}

status limits_get(server_state& state, const request& r, command_result& out) {
    const performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    put_u32(out.response, domain->range.max);
    put_u32(out.response, domain->range.min);
    return status::success;
}

// DEN0056 4.5.2. What is between two levels is as much out of range as what is outside the limits:
// SCP-firmware, too, knows the described levels only.
status level_set(server_state& state, const request& r, command_result& out) {
    performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    const performance_domain_description& d = described(state, r);
    if (!d.set_level) return status::denied;
    const std::uint32_t wanted = r.word(1);
    if (wanted < domain->range.min || wanted > domain->range.max) return status::out_of_range;
    const auto below = [](const performance_level& l, std::uint32_t v) { return l.level < v; };
    const auto found = std::lower_bound(d.levels.begin(), d.levels.end(), wanted, below);
    if (found == d.levels.end() || found->level != wanted) return status::out_of_range;
    const change_of_domain change(*domain, d.levels, r.word(0));
    domain->level = wanted;
    domain->level_setter = r.agent_id;
    change.tell(state.named(r.agent_id), out.told);
    return status::success;
}

status level_get(server_state& state, const request& r, command_result& out) {
    const performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    put_u32(out.response, domain->level);
    return status::success;
}

status notify_limits(server_state& state, const request& r, command_result& out) {
    performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    return set_notify(r, r.word(1), described(state, r).notifies_limits, domain->notify_limits);
}

status notify_level(server_state& state, const request& r, command_result& out) {
    performance_state* domain = find_domain(state, r, out);
    if (!domain) return status::not_found;
    return set_notify(r, r.word(1), described(state, r).notifies_level, domain->notify_level);
}

// There is no FastChannel, whatever the attributes claim: NOT_FOUND for what is no message of the
// protocol, NOT_SUPPORTED for what is (SCP-firmware, Arm's conformance suite).
status describe_fastchannel(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, out)) return status::not_found;
    const std::uint32_t id = r.word(1);
    if (id >= r.table->commands.size() || !r.table->commands[id].run) return status::not_found;
    return status::not_supported;
}

// A domain without an extended name answers with its short one.
status name_get(server_state& state, const request& r, command_result& out) {
    if (!find_domain(state, r, out)) return status::not_found;
    put_u32(out.response, 0);
    put_name(out.response, described(state, r).name, 64);
    return status::success;
}

level_range all_levels(const performance_domain_description& d) {
    return {d.levels.back().level, d.levels.front().level};
}

// DEN0056 4.2.2.4, 4.5.2: bit 0 says that some domain has a FastChannel for the message.
void offer_fast_channels(command_table& table) {
    for (const std::size_t id : {0x5, 0x6, 0x7, 0x8}) table.commands[id].attributes = 1;
}

}  // namespace

void change_performance_level(server_state& state, const platform_change& c, notifications& out) {
    performance_state& domain = state.performance_domains[c.id];
    const levels& list = state.description.performance_domains[c.id].levels;
    const auto is = [&c](const performance_level& l) { return l.level == c.value; };
    if (std::none_of(list.begin(), list.end(), is)) {
        throw error(error_kind::config, "performance domain " + std::to_string(c.id) +
                                            " has no level " + std::to_string(c.value));
    }
    if (domain.level == c.value) return;
    const change_of_domain change(domain, list, c.id);
    domain.level = static_cast<std::uint32_t>(c.value);
    domain.level_setter = 0;
    change.tell(0, out);
}

void change_performance_limits(server_state& state, const platform_change& c, notifications& out) {
    performance_state& domain = state.performance_domains[c.id];
    const performance_domain_description& d = state.description.performance_domains[c.id];
    if (c.low > c.value || c.low < d.levels.front().level || c.value > d.levels.back().level) {
        throw error(error_kind::config,
                    "limits " + std::to_string(c.low) + " to " + std::to_string(c.value) +
                        " are none of performance domain " + std::to_string(c.id) + ": it has " +
                        std::to_string(d.levels.front().level) + " to " +
                        std::to_string(d.levels.back().level));
    }
    change_of_domain change(domain, d.levels, c.id);
    domain.platform_limits = {static_cast<std::uint32_t>(c.value),
                              static_cast<std::uint32_t>(c.low)};
    change.apply_limits();
    change.tell(0, out);
}

command_table performance_commands(const platform_description& description) {
    const std::uint32_t version = description.performance_version;
    command_table table = make_table(protocol::perf, version, attributes);
    serve(table, 0x3, domain_attributes);
    serve(table, 0x4, describe_levels);
    serve(table, 0x5, limits_set);
    serve(table, 0x6, limits_get);
    serve(table, 0x7, level_set);
    serve(table, 0x8, level_get);
    const auto& domains = description.performance_domains;
    serve(table, 0x9, notify_limits,
          std::any_of(domains.begin(), domains.end(), [](auto& d) { return d.notifies_limits; }));
    serve(table, 0xa, notify_level,
          std::any_of(domains.begin(), domains.end(), [](auto& d) { return d.notifies_level; }));
    const bool fast =
        std::any_of(domains.begin(), domains.end(), [](auto& d) { return d.fast_channels; });
    if (version >= 0x20000) serve(table, 0xb, describe_fastchannel, fast);
    if (fast) offer_fast_channels(table);
    if (version >= 0x30000) serve(table, 0xc, name_get);
    return table;
}

std::vector<performance_state> initial_performance_domains(
    const platform_description& description) {
    const std::size_t agents = std::max<std::size_t>(1, description.agents.size());
    std::vector<performance_state> domains;
    for (const performance_domain_description& d : description.performance_domains) {
        performance_state s;
        s.level = d.level;
        s.range = all_levels(d);
        s.limits.assign(agents, s.range);
        s.platform_limits = s.range;
        s.notify_limits.assign(agents, 0);
        s.notify_level.assign(agents, 0);
        domains.push_back(std::move(s));
    }
    return domains;
}

void reset_performance_domains_of(server_state& state, std::uint32_t agent_id, notifications& out) {
    for (std::uint32_t i = 0; i < state.performance_domains.size(); ++i) {
        performance_state& domain = state.performance_domains[i];
        const performance_domain_description& d = state.description.performance_domains[i];
        change_of_domain change(domain, d.levels, i);
        domain.limits[agent_id - 1] = all_levels(d);
        domain.notify_limits[agent_id - 1] = domain.notify_level[agent_id - 1] = 0;
        if (domain.level_setter == agent_id) {
            domain.level = d.level;
            domain.level_setter = 0;
        }
        change.apply_limits();
        change.tell(state.named(agent_id), out);
    }
}

}  // namespace scmi_vp::scmi::detail
