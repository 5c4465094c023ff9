// SPDX-License-Identifier: Apache-2.0
// Sensor protocol 1.0: descriptions and readings. The sensors have no trip points.
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
    put_u32(m, async ? 1u << 31 : 0);
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
    if (!find_sensor(state, r, out)) return status::not_found;
    if (r.word(1) & ~1u) return status::invalid_parameters;
    return status::not_supported;
}

// DEN0056 4.7.2.9: ev_ctrl bits 31:12 and 3:2 are reserved.
status trip_point_config(server_state& state, const request& r, command_result& out) {
    if (!find_sensor(state, r, out)) return status::not_found;
    if (r.word(1) & ~0xff3u) return status::invalid_parameters;
    return status::not_supported;
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
        put_u64(out.response, next_reading(state, *s, s->reading));
        return status::success;
    }
    if (!s->async || !r.delayed_allowed) return status::not_supported;
    if (state.pending_sensor >= state.description.sensor_max_async) return status::busy;
    ++state.pending_sensor;
    message_bytes& delayed = start_delayed(r, out);
    put_u32(delayed, r.word(0));
    put_u64(delayed, next_reading(state, *s, s->delayed_reading));
    return status::success;
}

}  // namespace

command_table sensor_commands(const platform_description& description) {
    command_table table = make_table(protocol::sensor, description.sensor_version, attributes);
    serve(table, 0x3, description_get);
    serve(table, 0x4, trip_point_notify, false);
    serve(table, 0x5, trip_point_config, false);
    serve(table, 0x6, reading_get);
    return table;
}

}  // namespace scmi_vp::scmi::detail
