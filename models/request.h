// SPDX-License-Identifier: Apache-2.0
// One request's life as instants; the hops are what lies between them.
#pragma once

#include <array>
#include <cstdint>

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
    timed_out,    ///< -ETIMEDOUT: no reply within the rx timeout
    no_slot,      ///< -ENOMEM: no free xfer
    no_message,   ///< -EBUSY: no free transport message (the device holds them all)
    send_failed,  ///< -EIO, -ENOSPC, -EINVAL from the ring or a closed channel
    unfinished,   ///< the run ended first
};
std::string_view name_of(outcome o);

/// What became of a delayed response.
enum class delayed_state : std::uint8_t { none, awaited, received, timed_out };

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
    bool scheduled = false;  ///< of an open loop: its call was due at `intended`
    bool lost = false;       ///< the platform will never reply (a fault): a timeout is a true one
    sim_time intended;       ///< when the call was meant to be made (open loop), else `called`
    sim_time called;         ///< when the call was made; locks are taken between this and entering
    sim_time late_at;        ///< when a reply arrived after the timeout (0: none so far)
    delayed_state delayed = delayed_state::none;
    sim_time delayed_ready, delayed_used, delayed_irq, delayed_matched;
    std::uint32_t pins = 0;  ///< who still needs the record: the caller, the transport's message
    std::uint32_t open_index = 0;  ///< place in the monitor's list of open records

    /// Length of each hop; all zero beyond where a request got stuck. Adds up to round_trip().
    std::array<sim_time, hop_count> hops() const {
        std::array<sim_time, hop_count> out;
        if (!in_order()) return hops_until_stuck();
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
    sim_time round_trip() const {
        return at[std::size_t(instant::returned)] - at[std::size_t(instant::entered)];
    }
    /// From now on its caller polls for the reply.
    void poll() {
        polled = true;
        last = std::uint8_t(instant::used);
    }
    /// The hop in which a request that timed out was waiting.
    hop stuck_in() const {
        return polled && reached >= std::size_t(instant::used) ? hop::poll
                                                               : static_cast<hop>(reached);
    }

private:
    [[gnu::noinline]] std::array<sim_time, hop_count> hops_until_stuck() const;
};

/// It got onto the ring and its caller returned.
inline bool has_round_trip(const request& r) {
    return r.result == outcome::ok || r.result == outcome::scmi_error ||
           r.result == outcome::timed_out;
}

}  // namespace scmi_vp::models
