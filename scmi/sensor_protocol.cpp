// SPDX-License-Identifier: Apache-2.0
// Sensor protocol 1.0: descriptions, readings, trip points and their events.
#include <algorithm>

#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

constexpr std::size_t descriptor_bytes = 28;

const sensor_description* find_sensor(const server_state& state, const request& r,
                                      command_result& out) {
    const std::uint32_t id = r.word(0);
    if (id >= state.description.sensors.size()) return nullptr;
    out.resource = static_cast<std::int32_t>(id);
    return &state.description.sensors[id];
}

// No shared memory of values: address and length are 0.
status attributes(server_state& state, const request& r, command_result& out) {
    const platform_description& d = state.description;
    const std::uint32_t max_async = r.delayed_allowed ? d.sensor_max_async : 0;
    put_u32(out.response, max_async << 16 | static_cast<std::uint32_t>(d.sensors.size()));
    put_u64(out.response, 0);
    put_u32(out.response, 0);
    return status::success;
}

void put_descriptor(message_bytes& m, std::uint32_t id, const sensor_description& s, bool async) {
    const auto five_bits = [](std::int32_t v) { return static_cast<std::uint32_t>(v) & 0x1f; };
    put_u32(m, id);
    put_u32(m, (async ? 1u << 31 : 0) | s.trip_points);
    put_u32(m, five_bits(s.update_interval_s) << 27 | five_bits(s.update_interval_exponent) << 22 |
                   five_bits(s.exponent) << 11 | s.type);
    put_name(m, s.name, 16);
}

status description_get(server_state& state, const request& r, command_result& out) {
    const platform_description& d = state.description;
    const std::size_t index = r.word(0), count = d.sensors.size();
    if (index >= count && index != 0) return status::invalid_parameters;
    std::size_t room = r.room < 4 ? 0 : r.room - 4;
    if (d.sensor_descriptors_per_reply != 0) {
        room = std::min(room, d.sensor_descriptors_per_reply * descriptor_bytes);
    }
    const list_part part = part_of_list(count, index, room, descriptor_bytes);
    if (!part.fits) return status::protocol_error;
    put_u32(out.response, part.remaining << 16 | part.returned);
    for (std::size_t i = index; i < index + part.returned; ++i) {
        put_descriptor(out.response, static_cast<std::uint32_t>(i), d.sensors[i],
                       d.sensors[i].async && r.delayed_allowed);
    }
    return status::success;
}

// DEN0056 4.7.2.8: a sensor without trip points does not support their events.
status trip_point_notify(server_state& state, const request& r, command_result& out) {
    const sensor_description* s = find_sensor(state, r, out);
    if (!s) return status::not_found;
    return set_notify(r, r.word(1), s->trip_points != 0, state.sensors[r.word(0)].notify_trips);
}

// DEN0056 4.7.2.9: ev_ctrl bits 31:12 and 3:2 are reserved, 11:4 are the trip point, 1:0 the
// directions. A trip point has one setting, whoever set it.
status trip_point_config(server_state& state, const request& r, command_result& out) {
    const sensor_description* s = find_sensor(state, r, out);
    if (!s) return status::not_found;
    const std::uint32_t control = r.word(1);
    if (control & ~0xff3u) return status::invalid_parameters;
    if (s->trip_points == 0) return status::not_supported;
    const std::uint32_t trip = control >> 4;
    if (trip >= s->trip_points) return status::invalid_parameters;
    const std::uint64_t value = r.word(2) | std::uint64_t(r.word(3)) << 32;
    state.sensors[r.word(0)].trips[trip] = {static_cast<std::int64_t>(value),
                                            static_cast<std::uint8_t>(control & 3)};
    return status::success;
}

// The value of a reading and its place in the sequence; unsigned, so that it wraps.
std::uint64_t next_reading(server_state& state, const sensor_description& s, std::int64_t first) {
    return static_cast<std::uint64_t>(first) +
           static_cast<std::uint64_t>(s.reading_step) * state.readings++;
}

// A sensor that advertises asynchronous reads (attr_low bit 31) still answers synchronous ones: the
// bit says what is possible, no status code is listed for a synchronous read of such a sensor, and
// without P2A channels it could not be read at all. Linux follows the bit and never sends one.
status reading_get(server_state& state, const request& r, command_result& out) {
    const sensor_description* s = find_sensor(state, r, out);
    if (!s) return status::not_found;
    const std::uint32_t flags = r.word(1);
    if (flags & ~1u) return status::invalid_parameters;
    if (flags == 0) {
        if (r.room < 8) return status::protocol_error;  // before the reading is counted
        put_u64(out.response, next_reading(state, *s, state.sensors[r.word(0)].reading));
        return status::success;
    }
    if (!s->async || !r.delayed_allowed) return status::not_supported;
    std::uint32_t& pending = state.pending_sensor[r.agent_id - 1];
    if (pending >= state.description.sensor_max_async) return status::busy;
    ++pending;
    message_bytes& delayed = start_delayed(r, out);
    put_u32(delayed, r.word(0));
    put_u64(delayed, next_reading(state, *s, state.sensors[r.word(0)].delayed_reading));
    return status::success;
}

}  // namespace

// SENSOR_TRIP_POINT_EVENT: bit 16 of the last word says that the value rose to the trip point.
void change_reading(server_state& state, const platform_change& c, notifications& out) {
    sensor_state& s = state.sensors[c.id];
    const std::int64_t before = s.reading;
    s.reading = s.delayed_reading = c.value;
    for (std::uint32_t trip = 0; trip < s.trips.size(); ++trip) {
        const trip_point& t = s.trips[trip];
        const bool rose = before < t.value && c.value >= t.value;
        const bool fell = before > t.value && c.value <= t.value;
        if (!(rose && (t.directions & 1)) && !(fell && (t.directions & 2))) continue;
        notify_agents(s.notify_trips, protocol::sensor, 0, static_cast<std::int32_t>(c.id),
                      {0, c.id, std::uint32_t(rose) << 16 | trip}, out);
    }
}

std::vector<sensor_state> initial_sensors(const platform_description& description) {
    const std::size_t agents = std::max<std::size_t>(1, description.agents.size());
    std::vector<sensor_state> sensors;
    for (const sensor_description& d : description.sensors) {
        sensor_state s;
        s.reading = d.reading;
        s.delayed_reading = d.delayed_reading;
        s.trips.resize(d.trip_points);
        s.notify_trips.assign(agents, 0);
        sensors.push_back(std::move(s));
    }
    return sensors;
}

void reset_sensors_of(server_state& state, std::uint32_t agent_id) {
    for (sensor_state& s : state.sensors) s.notify_trips[agent_id - 1] = 0;
}

command_table sensor_commands(const platform_description& description) {
    command_table table = make_table(protocol::sensor, description.sensor_version, attributes);
    serve(table, 0x3, description_get);
    const auto& sensors = description.sensors;
    const bool trips =
        std::any_of(sensors.begin(), sensors.end(), [](auto& s) { return s.trip_points != 0; });
    serve(table, 0x4, trip_point_notify, trips);
    serve(table, 0x5, trip_point_config, trips);
    serve(table, 0x6, reading_get);
    return table;
}

}  // namespace scmi_vp::scmi::detail
