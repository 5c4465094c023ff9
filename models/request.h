// SPDX-License-Identifier: Apache-2.0
// One request's life as instants; the hops are what lies between them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/hops.h"
#include "base/time.h"
#include "scmi/message.h"

namespace scmi_vp::models {

/// The instants that bound the hops: hop i lasts from instant i to instant i + 1.
enum class instant : std::uint8_t {
    entered,
    send,
    locked,
    published,
    seen,
    running,
    taken,
    ready,
    used,
    irq,
    matched,
    woke,
    returned,
};
inline constexpr std::size_t instant_count = 13;

enum class outcome : std::uint8_t {
    ok,           ///< answered with SUCCESS
    scmi_error,   ///< answered with another status
    timed_out,    ///< -ETIMEDOUT: no reply, or no delayed response, within its limit
    no_slot,      ///< -ENOMEM: no free xfer
    no_message,   ///< -EBUSY: no free transport message (the device holds them all)
    send_failed,  ///< -EIO, -ENOSPC, -EINVAL from the ring or a closed channel
    unfinished,   ///< the run ended first
};
std::string_view name_of(outcome o);

/// What became of a delayed response.
enum class delayed_state : std::uint8_t { none, awaited, received, timed_out };

/// What made a caller give up.
enum class limit : std::uint8_t {
    none,
    rx,                ///< guest.max_rx_timeout: there was no response
    delayed_response,  ///< guest.max_delayed_response: accepted, but the result did not come
};
std::string_view name_of(limit l);

/// Valid while it lives in the recorder; copied by nobody.
struct request {
    std::uint64_t id = 0;       ///< 1, 2, 3, ... in order of entering
    std::uint16_t context = 0;  ///< index of the calling context
    scmi::header hdr;
    std::uint32_t transfer_id = 0;
    std::int32_t resource = -1;    ///< clock or sensor id, when the caller knows one
    std::int32_t scmi_status = 0;  ///< raw status of the reply
    std::int32_t linux_errno = 0;
    outcome result = outcome::unfinished;
    std::array<sim_time, instant_count> at{};
    std::uint8_t reached = 0;  ///< index of the latest instant that was reached in order
    bool timed_out = false;
    bool polled = false;  ///< the caller polls: no interrupt's hops are in its way
    bool left = false;    ///< the caller has returned: the hops are complete
    std::uint8_t last = std::uint8_t(instant_count - 1);  ///< instant that it can reach in order
    bool lost = false;  ///< the platform will never reply (a fault): a timeout is a true one
    sim_time intended;  ///< when the call was meant to be made (open loop), else `called`
    sim_time called;    ///< when the call was made; locks are taken between this and entering
    sim_time late_at;   ///< when a reply arrived after the timeout (0: none so far)
    delayed_state delayed = delayed_state::none;
    sim_time delayed_ready, delayed_used, delayed_irq, delayed_matched;
    std::uint32_t pins = 0;  ///< who still needs the record: the caller, the transport's message
    std::uint32_t open_index = 0;  ///< place in the monitor's list of open records
    /// When the caller went on with the result: at `returned`, or when its wait for the delayed
    /// response was over.
    sim_time felt;
    // Of a delayed response only.
    std::uint64_t wait_number = 0;  ///< 1, 2, 3, ... of the waits for one; 0: it did not wait
    sim_time delayed_late_at;       ///< when it came after its caller had given up (0: not so far)
    bool delayed_taken = false;     ///< the driver has matched it
    bool delayed_lost = false;      ///< the platform will never send it

    /// Length of each hop; all zero beyond where a request got stuck. Adds up to round_trip().
    std::array<sim_time, span_count> hops() const {
        std::array<sim_time, span_count> out;
        if (!in_order() || waited()) return hops_of_the_unusual();
        for_each_hop([&](std::size_t i, sim_time span) { out[i] = span; });
        out[std::size_t(hop::poll)] = sim_time{};
        return out;
    }
    /// It went through all its hops: each is what lies between two neighbouring instants.
    bool in_order() const { return reached >= std::size_t(instant::woke); }
    /// For one that is in order: no instant is before the one before.
    bool never_back() const {
        std::int64_t signs = 0;
        for (std::size_t i = 1; i < instant_count; ++i) signs |= (at[i] - at[i - 1]).ps;
        return signs >= 0;
    }
    /// For one that is in order: f(index, span) for the hops up to `complete`.
    template <class F>
    [[gnu::always_inline]] void for_each_hop(F f) const {
        // Once for each request: a loop is less code to fetch than what the compiler makes of it.
#pragma GCC unroll 1
        for (std::size_t i = 0; i <= std::size_t(hop::complete); ++i) f(i, at[i + 1] - at[i]);
    }
    /// Until the caller had the result, its wait for a delayed response included.
    sim_time round_trip() const {
        return felt - at[std::size_t(instant::entered)];
    }
    /// Its response came and said that the result follows in a delayed response.
    bool waited() const {
        return wait_number != 0;
    }
    /// How long its caller waited for the delayed response after the response.
    sim_time delayed_wait() const {
        return felt - at[std::size_t(instant::returned)];
    }
    limit gave_up() const {
        if (timed_out) return limit::rx;
        return delayed == delayed_state::timed_out ? limit::delayed_response : limit::none;
    }
    /// When what its caller had given up on came (0: not so far).
    sim_time came_late_at() const {
        return timed_out ? late_at : delayed_late_at;
    }
    /// From now on its caller polls for the reply.
    void poll() {
        polled = true;
        last = std::uint8_t(instant::used);
    }
    /// The hop in which a request that timed out was waiting.
    hop stuck_in() const {
        if (waited() && delayed != delayed_state::received) return stuck_in_the_wait();
        return polled && reached >= std::size_t(instant::used) ? hop::poll
                                                               : static_cast<hop>(reached);
    }

private:
    using spans = std::array<sim_time, span_count>;
    [[gnu::noinline]] spans hops_of_the_unusual() const;
    void add_until_stuck(spans& out) const;
    hop add_delayed(spans& out) const;
    [[gnu::noinline]] hop stuck_in_the_wait() const;
};

/// It got onto the ring and its caller returned.
inline bool has_round_trip(const request& r) {
    return r.result == outcome::ok || r.result == outcome::scmi_error ||
           r.result == outcome::timed_out;
}

/// The caller gave up, and the platform answers, if late.
inline bool is_spurious_timeout(const request& r) {
    return r.timed_out && !r.lost;
}
/// The platform never answers: its caller gave up, or will, because the run ended before.
inline bool is_true_timeout(const request& r) {
    return r.lost && (r.timed_out || !r.left);
}
/// The same for the limit of delayed responses: the result comes, if late.
inline bool is_spurious_delayed_timeout(const request& r) {
    return r.delayed == delayed_state::timed_out && !r.delayed_lost;
}
inline bool is_true_delayed_timeout(const request& r) {
    return r.delayed_lost && (r.delayed == delayed_state::timed_out ||
                              (r.waited() && r.result == outcome::unfinished));
}

}  // namespace scmi_vp::models
