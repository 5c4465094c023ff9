// SPDX-License-Identifier: Apache-2.0
// Clock protocol 1.0 and 2.0. Rate notifications (2.0) are optional and not served.
#include <algorithm>

#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

constexpr std::size_t short_name = 15;  // bytes in name[16]

// The clock that word `n` of the payload names, or nullptr.
clock_state* find_clock(server_state& state, const request& r, std::size_t n, command_result& out) {
    const std::uint32_t id = r.word(n);
    if (id >= state.clocks.size()) return nullptr;
    out.resource = static_cast<std::int32_t>(id);
    return &state.clocks[id];
}

status attributes(server_state& state, const request& r, command_result& out) {
    const std::uint32_t max_async = r.delayed_allowed ? state.description.clock_max_async : 0;
    put_u32(out.response, max_async << 16 | static_cast<std::uint32_t>(state.clocks.size()));
    return status::success;
}

status clock_attributes(server_state& state, const request& r, command_result& out) {
    const clock_state* clock = find_clock(state, r, 0, out);
    if (!clock) return status::not_found;
    const clock_description& d = state.description.clocks[r.word(0)];
    const std::uint32_t extended_name = d.name.size() > short_name ? 1u << 29 : 0;
    put_u32(out.response, extended_name | (clock->wanted_by != 0 ? 1 : 0));
    put_name(out.response, d.name, 16);
    if (r.table->version >= 0x20000) put_u32(out.response, d.enable_delay_us);
    return status::success;
}

// A triplet is one entry of three values and is not indexed (DEN0056 4.6.2.6; SCP-firmware ignores
// the index, Arm's conformance suite passes 0).
status describe_triplet(const clock_rates& rates, command_result& out) {
    put_u32(out.response, 1u << 12 | 3);
    for (const std::uint64_t rate : rates.list) put_u64(out.response, rate);
    return status::success;
}

status describe_rates(server_state& state, const request& r, command_result& out) {
    if (!find_clock(state, r, 0, out)) return status::not_found;
    const clock_rates& rates = state.description.clocks[r.word(0)].rates;
    if (rates.triplet) return describe_triplet(rates, out);
    const std::size_t index = r.word(1), count = rates.list.size();
    if (index >= count && index != 0) return status::out_of_range;
    const list_part part = part_of_list(count, index, r.room < 4 ? 0 : r.room - 4, 8);
    if (!part.fits) return status::protocol_error;
    put_u32(out.response, part.remaining << 16 | part.returned);
    for (std::uint32_t i = 0; i < part.returned; ++i) put_u64(out.response, rates.list[index + i]);
    return status::success;
}

enum class rounding { down, up, nearest };

// Of two neighbours of a rate; at equal distance the lower one (the text leaves it open).
std::uint64_t choose(std::uint64_t below, std::uint64_t above, std::uint64_t rate, rounding how) {
    if (how == rounding::nearest) return above - rate < rate - below ? above : below;
    return how == rounding::up ? above : below;
}

std::uint64_t round_in_list(const std::vector<std::uint64_t>& list, std::uint64_t rate,
                            rounding how) {
    const auto above = std::lower_bound(list.begin(), list.end(), rate);
    return *above == rate ? rate : choose(*std::prev(above), *above, rate, how);
}

// The highest rate is legal even where it is not a whole number of steps away.
std::uint64_t round_in_triplet(const std::vector<std::uint64_t>& t, std::uint64_t rate,
                               rounding how) {
    const std::uint64_t lowest = t[0], highest = t[1], step = t[2];
    if (rate == highest) return rate;
    const std::uint64_t below = lowest + (rate - lowest) / step * step;
    if (below == rate) return rate;
    const std::uint64_t above = highest - below < step ? highest : below + step;
    return choose(below, above, rate, how);
}

// A rate outside the clock's range is refused whatever the rounding (Arm's conformance suite). A
// clock that describes no rates has the one it runs at.
bool settable_rate(const clock_rates& rates, std::uint64_t now, std::uint64_t rate, rounding how,
                   std::uint64_t& chosen) {
    const std::vector<std::uint64_t>& list = rates.list;
    chosen = now;
    if (list.empty()) return rate == now;
    if (rate < list.front() || rate > (rates.triplet ? list[1] : list.back())) return false;
    chosen = rates.triplet ? round_in_triplet(list, rate, how) : round_in_list(list, rate, how);
    return true;
}

rounding rounding_of(std::uint32_t flags) {
    if (flags & 1u << 3) return rounding::nearest;
    return flags & 1u << 2 ? rounding::up : rounding::down;
}

// CLOCK_RATE_SET_COMPLETE, unless bit 1 asks for none: then nothing comes back that could free a
// place, so none is taken.
status queue_completion(server_state& state, const request& r, std::uint64_t rate,
                        command_result& out) {
    if (r.word(0) & 1u << 1) return status::success;
    std::uint32_t& pending = state.pending_clock[r.agent_id - 1];
    if (pending >= state.description.clock_max_async) return status::busy;
    ++pending;
    message_bytes& delayed = start_delayed(r, out);
    put_u32(delayed, r.word(1));
    put_u64(delayed, rate);
    return status::success;
}

// DEN0056 4.6.2.7. Bit 1 (no delayed response) is ignored in a synchronous request. Setting a clock
// that is off is legal, the rate is the one it will have when it is on.
status rate_set(server_state& state, const request& r, command_result& out) {
    const std::uint32_t flags = r.word(0);
    clock_state* clock = find_clock(state, r, 1, out);
    if (!clock) return status::not_found;
    if (flags & ~0xfu) return status::invalid_parameters;
    const bool async = flags & 1;
    if (async && (state.description.clock_max_async == 0 || !r.delayed_allowed)) {
        return status::not_supported;
    }
    const std::uint64_t wanted = r.word(2) | std::uint64_t(r.word(3)) << 32;
    std::uint64_t rate = 0;
    if (!settable_rate(state.description.clocks[r.word(1)].rates, clock->rate, wanted,
                       rounding_of(flags), rate)) {
        return status::invalid_parameters;
    }
    if (async) {
        const status s = queue_completion(state, r, rate, out);
        if (s != status::success) return s;
    }
    clock->rate = rate;
    clock->rate_setter = r.agent_id;
    return status::success;
}

status rate_get(server_state& state, const request& r, command_result& out) {
    const clock_state* clock = find_clock(state, r, 0, out);
    if (!clock) return status::not_found;
    put_u64(out.response, clock->rate);
    return status::success;
}

void set_wanted(clock_state& clock, std::uint32_t agent_id, bool on) {
    std::uint8_t& mine = clock.wanted[agent_id - 1];
    clock.wanted_by += static_cast<std::uint32_t>(on) - mine;
    mine = on;
}

// DEN0056 4.6.2.9 as of Clock 1.0 and 2.0: bit 0, the others reserved.
status config_set(server_state& state, const request& r, command_result& out) {
    clock_state* clock = find_clock(state, r, 0, out);
    if (!clock) return status::not_found;
    if (r.word(1) & ~1u) return status::invalid_parameters;
    set_wanted(*clock, r.agent_id, r.word(1) != 0);
    return status::success;
}

// A clock without an extended name answers with its short one.
status name_get(server_state& state, const request& r, command_result& out) {
    if (!find_clock(state, r, 0, out)) return status::not_found;
    put_u32(out.response, 0);
    put_name(out.response, state.description.clocks[r.word(0)].name, 64);
    return status::success;
}

}  // namespace

command_table clock_commands(const platform_description& description) {
    command_table table = make_table(protocol::clock, description.clock_version, attributes);
    serve(table, 0x3, clock_attributes);
    serve(table, 0x4, describe_rates);
    serve(table, 0x5, rate_set);
    serve(table, 0x6, rate_get);
    serve(table, 0x7, config_set);
    if (description.clock_version >= 0x20000) serve(table, 0x8, name_get);
    return table;
}

std::vector<clock_state> initial_clocks(const platform_description& description) {
    const std::size_t agents = std::max<std::size_t>(1, description.agents.size());
    std::vector<clock_state> clocks;
    for (const clock_description& d : description.clocks) {
        clock_state c;
        c.rate = d.rate;
        c.wanted.assign(agents, d.enabled);
        c.wanted_by = d.enabled ? static_cast<std::uint32_t>(agents) : 0;
        clocks.push_back(std::move(c));
    }
    return clocks;
}

void reset_clocks_of(server_state& state, std::uint32_t agent_id) {
    for (std::size_t i = 0; i < state.clocks.size(); ++i) {
        const clock_description& d = state.description.clocks[i];
        set_wanted(state.clocks[i], agent_id, d.enabled);
        if (state.clocks[i].rate_setter != agent_id) continue;
        state.clocks[i].rate = d.rate;
        state.clocks[i].rate_setter = 0;
    }
}

}  // namespace scmi_vp::scmi::detail
