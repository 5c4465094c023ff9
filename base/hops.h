// SPDX-License-Identifier: Apache-2.0
// The list of hops of a request: injection points, histogram rows, trace lanes, report columns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace scmi_vp {

/// The hops of an interrupt-driven request over virtio, in order; `poll` replaces the last four of
/// a polled one. They add up to the round trip exactly.
enum class hop : std::uint8_t {
    prepare,
    lock,
    publish,
    notify,
    host_wake,
    queue,
    service,
    return_,
    interrupt,
    collect,
    guest_wake,
    complete,
    poll,
};

inline constexpr std::size_t hop_count = 13;

struct hop_info {
    hop id;
    std::string_view name;   ///< key in scenarios, column in results, lane in traces
    std::string_view from;   ///< the instant it starts
    std::string_view until;  ///< the instant it ends
};

inline constexpr std::array<hop_info, hop_count> hop_table{{
    {hop::prepare, "prepare", "the caller enters the driver", "the transport's send is called"},
    {hop::lock, "lock", "send is called", "the channel's lock is held"},
    {hop::publish, "publish", "lock held", "the chain is in the ring and its index visible"},
    {hop::notify, "notify", "the doorbell write starts", "the device sees the kick"},
    {hop::host_wake, "host_wake", "the kick is seen", "a platform worker runs"},
    {hop::queue, "queue", "a worker could take it", "a worker takes it"},
    {hop::service, "service", "taken", "the response is ready"},
    {hop::return_, "return", "response ready", "the used index is visible"},
    {hop::interrupt, "interrupt", "used index visible", "the guest CPU enters the handler"},
    {hop::collect, "collect", "handler entered", "the reply is matched with its xfer"},
    {hop::guest_wake, "guest_wake", "matched", "the waiting thread runs"},
    {hop::complete, "complete", "thread runs", "the caller returns"},
    {hop::poll, "poll", "used index visible", "the polling caller has fetched the reply"},
}};

constexpr std::string_view name_of(hop h) {
    return hop_table[static_cast<std::size_t>(h)].name;
}

/// The hop with that name, if there is one.
constexpr std::optional<hop> hop_named(std::string_view name) {
    for (const hop_info& info : hop_table) {
        if (info.name == name) return info.id;
    }
    return std::nullopt;
}

}  // namespace scmi_vp
