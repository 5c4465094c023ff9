// SPDX-License-Identifier: Apache-2.0
// The list of hops of a request: injection points, histogram rows, trace lanes, report columns; and
// what a caller waits for after its response, when the result comes in a delayed response.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace scmi_vp {

/// The hops of an interrupt-driven request over virtio, in order; `poll` replaces the last four of
/// a polled one. Those from `delayed_work` on follow where the result comes in a delayed response:
/// they are the rest of its caller's wait. All together add up to the round trip exactly.
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
    delayed_work,
    delayed_return,
    delayed_interrupt,
    delayed_collect,
    delayed_wake,
};

/// Of the way to the response: scenarios put latencies on these.
inline constexpr std::size_t hop_count = 13;
/// Of the whole round trip, the wait for a delayed response included.
inline constexpr std::size_t span_count = 18;

struct hop_info {
    hop id;
    std::string_view name;   ///< key in scenarios, column in results, lane in traces
    std::string_view from;   ///< the instant it starts
    std::string_view until;  ///< the instant it ends
};

inline constexpr std::array<hop_info, span_count> span_table{{
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
    {hop::delayed_work, "delayed_work", "the caller has the response and waits for the result",
     "the delayed response is ready"},
    {hop::delayed_return, "delayed_return", "delayed response ready", "its used index is visible"},
    {hop::delayed_interrupt, "delayed_interrupt", "its used index visible",
     "the guest CPU enters the handler"},
    {hop::delayed_collect, "delayed_collect", "handler entered",
     "the delayed response is matched with its xfer"},
    {hop::delayed_wake, "delayed_wake", "delayed response matched",
     "the waiting thread runs and the caller returns"},
}};

constexpr std::array<hop_info, hop_count> hops_to_the_response() {
    std::array<hop_info, hop_count> rows{};
    for (std::size_t i = 0; i < hop_count; ++i) rows[i] = span_table[i];
    return rows;
}
inline constexpr std::array<hop_info, hop_count> hop_table = hops_to_the_response();

constexpr std::string_view name_of(hop h) {
    return span_table[static_cast<std::size_t>(h)].name;
}

/// The hop with that name, if there is one.
constexpr std::optional<hop> hop_named(std::string_view name) {
    for (const hop_info& info : span_table) {
        if (info.name == name) return info.id;
    }
    return std::nullopt;
}

}  // namespace scmi_vp
