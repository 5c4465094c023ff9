// SPDX-License-Identifier: Apache-2.0
// See time_travel.h.
#include "models/peers/time_travel.h"

#include <string>

#include "base/error.h"

namespace scmi_vp::models {
namespace {

constexpr std::int64_t ps_per_ns = 1000;

[[noreturn]] void refuse(const std::string& what) {
    throw error(error_kind::input, "the guest's clock",
                what + ": this is no Linux of User-Mode Linux with time-travel=ext, or a defect");
}

time_travel_message ack_of(const time_travel_message& m, std::uint64_t time = 0) {
    return {static_cast<std::uint32_t>(time_travel_op::ack), m.seq, time};
}

}  // namespace

std::uint64_t guest_ns(sim_time t) {
    return std::uint64_t(t.ps / ps_per_ns);
}

sim_time from_guest_ns(std::uint64_t ns) {
    return ns >= std::uint64_t(INT64_MAX / ps_per_ns) ? sim_time::max()
                                                      : nanoseconds(std::int64_t(ns));
}

clock_effect guest_clock::receive(const time_travel_message& m, sim_time now) {
    const auto op = static_cast<time_travel_op>(m.op);
    if (op == time_travel_op::ack) return acknowledged(m), clock_effect{};
    if (!started_ && op != time_travel_op::start) refuse("it spoke before it started");
    switch (op) {
        case time_travel_op::start:
            if (started_) refuse("it started twice");
            started_ = true;
            return {ack_of(m), std::nullopt};
        case time_travel_op::request:
            requested_ = from_guest_ns(m.time);
            return {ack_of(m), std::nullopt};
        case time_travel_op::wait:
            if (waiting_) refuse("it waited twice");
            waiting_ = true;
            free_limit_.reset();  // arch/um/kernel/time.c time_travel_ext_wait() forgets it too
            return {ack_of(m), std::nullopt};
        case time_travel_op::get:
            return {ack_of(m, guest_ns(now)), std::nullopt};
        case time_travel_op::get_tod:
            return {ack_of(m, time_of_day_ns_), std::nullopt};
        case time_travel_op::update:
            return moved(m, now);
        default:
            refuse("it sent an unknown message (op " + std::to_string(m.op) + ")");
    }
}

clock_effect guest_clock::moved(const time_travel_message& m, sim_time now) {
    const sim_time to = from_guest_ns(m.time);
    // The simulator may stand at a fraction of a nanosecond, which the guest cannot know.
    if (m.time < guest_ns(now)) {
        refuse("it went back from " + to_string(now) + " to " + to_string(to));
    }
    if (m.time > guest_ns(now) && (!free_limit_ || to >= *free_limit_)) {
        refuse("it moved to " + to_string(to) + ", beyond " + to_string(free_limit_.value_or(now)));
    }
    return {ack_of(m), to > now ? std::optional<sim_time>(to) : std::nullopt};
}

void guest_clock::acknowledged(const time_travel_message& m) {
    if (!unacknowledged() || m.seq != acknowledged_ + 1) {
        refuse("it acknowledged message " + std::to_string(m.seq) + ", which it was not sent");
    }
    ++acknowledged_;
}

time_travel_message guest_clock::run(sim_time now) {
    if (!started_ || !waiting_) {
        throw error(error_kind::model, "a guest that runs was given its turn");
    }
    waiting_ = false;
    requested_ = sim_time::max();
    ++turns_;
    return {static_cast<std::uint32_t>(time_travel_op::run), ++sent_, guest_ns(now)};
}

time_travel_message guest_clock::free_until(sim_time until) {
    if (running() && (!free_limit_ || until > *free_limit_)) {
        throw error(error_kind::model, "a guest's free time was extended behind its back");
    }
    free_limit_ = until;
    return {static_cast<std::uint32_t>(time_travel_op::free_until), ++sent_, guest_ns(until)};
}

}  // namespace scmi_vp::models
