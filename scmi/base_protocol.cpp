// SPDX-License-Identifier: Apache-2.0
// Base protocol 2.0: discovery and error notifications. Permissions and agent reset (0x9 to 0xB)
// are optional and not served.
#include <algorithm>

#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

status attributes(server_state& state, const request&, command_result& out) {
    const platform_description& d = state.description;
    put_u32(out.response, static_cast<std::uint32_t>(d.agents.size() << 8 | d.protocols.size()));
    return status::success;
}

status discover_vendor(server_state& state, const request&, command_result& out) {
    put_name(out.response, state.description.vendor, 16);
    return status::success;
}

status discover_sub_vendor(server_state& state, const request&, command_result& out) {
    put_name(out.response, state.description.sub_vendor, 16);
    return status::success;
}

status discover_implementation_version(server_state& state, const request&, command_result& out) {
    put_u32(out.response, state.description.implementation_version);
    return status::success;
}

// Four ids per word, the last one padded with 0 (DEN0056 4.2.2.8; Linux
// scmi_base_implementation_list_get checks the length). Skipping all of them is no error, unlike
// the index of other listings (SCP-firmware, gem5, OP-TEE).
status discover_list_protocols(server_state& state, const request& r, command_result& out) {
    const std::vector<std::uint8_t>& ids = state.description.protocols;
    const std::size_t skip = r.word(0);
    if (skip > ids.size()) return status::invalid_parameters;
    const std::size_t room = r.room < 4 ? 0 : (r.room - 4) / 4 * 4;
    const list_part part = part_of_list(ids.size(), skip, room, 1);
    if (!part.fits) return status::protocol_error;
    put_u32(out.response, part.returned);
    for (std::uint32_t i = 0; i < part.returned; i += 4) {
        std::uint32_t word = 0;
        for (std::uint32_t j = i; j < std::min(i + 4, part.returned); ++j) {
            word |= std::uint32_t(ids[skip + j]) << 8 * (j - i);
        }
        put_u32(out.response, word);
    }
    return status::success;
}

// DEN0056 4.2.2.10: 0 is the platform, 0xffffffff the one who asks.
status discover_agent(server_state& state, const request& r, command_result& out) {
    const platform_description& d = state.description;
    const std::uint32_t id = r.word(0) == 0xffffffff ? r.agent_id : r.word(0);
    if (id > d.agents.size()) return status::not_found;
    put_u32(out.response, id);
    put_name(out.response, id == 0 ? d.platform_name : d.agents[id - 1].name, 16);
    return status::success;
}

status notify_errors(server_state& state, const request& r, command_result&) {
    return set_notify(r, r.word(0), true, state.notify_errors);
}

}  // namespace

// BASE_ERROR_EVENT: error_status bit 31 says that it is fatal, bits 9:0 that no command is to
// blame.
void report_base_error(server_state& state, const platform_change& c, notifications& out) {
    const std::uint32_t error_status = c.value != 0 ? 1u << 31 : 0;
    notify_agents(state.notify_errors, protocol::base, 0, -1, {0, error_status}, out);
}

command_table base_commands(const platform_description& description) {
    command_table table = make_table(protocol::base, description.base_version, attributes);
    serve(table, 0x3, discover_vendor);
    serve(table, 0x4, discover_sub_vendor);
    serve(table, 0x5, discover_implementation_version);
    serve(table, 0x6, discover_list_protocols);
    // A number of agents of 0 says that there is no agent discovery (DEN0056 4.2.2.3).
    if (!description.agents.empty()) serve(table, 0x7, discover_agent);
    if (description.base_notifies) serve(table, 0x8, notify_errors);
    return table;
}

}  // namespace scmi_vp::scmi::detail
