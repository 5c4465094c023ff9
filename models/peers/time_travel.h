// SPDX-License-Identifier: Apache-2.0
// The clock of a User-Mode Linux guest that we own (time-travel=ext): its 16-byte messages and the
// controller's side of them, as pure state.
//
// Source: Linux 6.1 include/uapi/linux/um_timetravel.h (messages), arch/um/kernel/time.c (what the
// guest sends and when). The guest panics on a wrong sequence number and on time that goes back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace scmi_vp::models {

enum class time_travel_op : std::uint32_t {
    ack,         ///< answers a message: its seq, and a time where one was asked for
    start,       ///< guest: it is there and runs
    request,     ///< guest: wants to run at `time`
    wait,        ///< guest: gives up its turn
    get,         ///< guest: what time is it?
    update,      ///< guest: its time is now `time` (it may run on by itself until free_until)
    run,         ///< to the guest: it is `time`, your turn
    free_until,  ///< to the guest: you may move your clock yourself to any time before `time`
    get_tod,     ///< guest: what is the time of day?
};

/// As on the socket, in the host's byte order; times in ns.
struct time_travel_message {
    std::uint32_t op;
    std::uint32_t seq;
    std::uint64_t time;
};
static_assert(sizeof(time_travel_message) == 16, "um_timetravel.h: struct um_timetravel_msg");

/// What follows from a message.
struct clock_effect {
    std::optional<time_travel_message> answer;
    std::optional<sim_time> moved_to;  ///< the guest's clock is there: the simulator must follow
};

/// One guest as its clock's owner sees it. Messages are answered in order; what the guest is told
/// (run, free_until) is acknowledged by it, so at any time we know whether it has understood.
class guest_clock {
public:
    /// `time_of_day` is told at boot; a constant keeps runs identical.
    explicit guest_clock(std::uint64_t time_of_day_ns) : time_of_day_ns_(time_of_day_ns) {}

    /// A message from the guest when the simulator is at `now`. Throws scmi_vp::error (input) for
    /// one that breaks the protocol.
    clock_effect receive(const time_travel_message& m, sim_time now);

    /// Gives the guest its turn; only while it waits.
    time_travel_message run(sim_time now);
    /// Lets it run on by itself up to (excluding) `until`: just before its turn, or to shorten what
    /// it was told while it runs (never to extend it).
    time_travel_message free_until(sim_time until);

    bool started() const { return started_; }
    bool running() const { return started_ && !waiting_; }
    /// Told something that it has not acknowledged.
    bool unacknowledged() const { return sent_ != acknowledged_; }
    /// When it wants to run next; sim_time::max() for never.
    sim_time requested() const { return requested_; }
    /// Up to when it may run by itself in this turn; nothing if it must ask for every step.
    std::optional<sim_time> free_limit() const { return free_limit_; }
    std::uint64_t turns() const { return turns_; }

private:
    clock_effect moved(const time_travel_message& m, sim_time now);
    void acknowledged(const time_travel_message& m);

    std::uint64_t time_of_day_ns_;
    bool started_ = false, waiting_ = false;
    sim_time requested_ = sim_time::max();
    std::optional<sim_time> free_limit_;
    std::uint32_t sent_ = 0, acknowledged_ = 0;
    std::uint64_t turns_ = 0;
};

/// The guest's nanoseconds, rounded down, and back; beyond the range of sim_time: never.
std::uint64_t guest_ns(sim_time t);
sim_time from_guest_ns(std::uint64_t ns);

}  // namespace scmi_vp::models
