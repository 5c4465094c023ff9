// SPDX-License-Identifier: Apache-2.0
// See turns.h.
#include "models/peers/turns.h"

#include <array>

#include <poll.h>

#include <systemc>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {
namespace {

// The guest's clock of the day at its boot: 2023-01-01 00:00 UTC, in every run.
constexpr std::uint64_t boot_time_of_day_ns = 1672531200ull * 1'000'000'000ull;

}  // namespace

using virtio::io_result;

turns::turns(virtio::unix_stream calendar, vhost_user_peer& peer)
    : calendar_(std::move(calendar)), peer_(peer), clock_(boot_time_of_day_ns) {}

turns::ending turns::run(sim_time until) {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (;;) {
        finish_turn();
        if (gone()) return ending::gone;
        for (sim_time next = next_event(); next <= clock_.requested(); next = next_event()) {
            if (next == sim_time::max()) return ending::asleep;
            if (next > until) return ending::deadline;
            advance(next);
            interrupt();
            if (gone()) return ending::gone;
        }
        if (clock_.requested() > until) return ending::deadline;
        advance(clock_.requested());
        give_turn();
    }
}

/// The guest runs until it waits, or has ended.
void turns::finish_turn() {
    while (!gone() && (!clock_.started() || clock_.running() || clock_.unacknowledged())) {
        serve_or_wait();
    }
}

/// Tells the guest of used buffers. It asks for the time and for its turn, then acknowledges.
void turns::interrupt() {
    while (!gone() && peer_.begin_call()) {
        while (!gone() && peer_.call_pending() && !peer_.ended()) serve_or_wait();
        interrupted_ = true;
    }
}

void turns::give_turn() {
    // Free time saves the guest a question per clock read, but costs two messages: after an
    // interrupt it mostly goes to sleep again without reading its clock.
    const sim_time next = next_event();
    if (!interrupted_ && next > now()) tell(clock_.free_until(next));
    interrupted_ = false;
    tell(clock_.run(now()));
}

// --- messages ---------------------------------------------------------------------------------

bool turns::serve() {
    if (serve_calendar()) return true;
    if (peer_.call_pending() && peer_.serve_channel()) return true;
    return serve_peer();
}

bool turns::serve_calendar() {
    auto* to = reinterpret_cast<std::uint8_t*>(&incoming_);
    virtio::fd_list passed;
    while (have_ < sizeof incoming_) {
        const io_result r = calendar_.receive(to + have_, sizeof incoming_ - have_, passed);
        if (r.what == io_result::status::would_block) return false;
        if (r.what == io_result::status::closed) {
            calendar_.close();
            return true;
        }
        have_ += r.bytes;
    }
    have_ = 0;
    ++messages_;
    const clock_effect e = clock_.receive(incoming_, now());
    if (e.moved_to) advance(*e.moved_to);
    if (e.answer) tell(*e.answer);
    return true;
}

bool turns::serve_peer() {
    if (!peer_.serve()) return false;
    if (peer_.kicked()) shorten_free_time();
    peer_.reply();
    return true;
}

/// A kick made an event that is earlier than what the guest was told: it must know before it goes
/// on, or it runs past it.
void turns::shorten_free_time() {
    if (!clock_.running() || !clock_.free_limit()) return;
    const sim_time next = next_event();
    if (next >= *clock_.free_limit()) return;
    tell(clock_.free_until(next));
    while (!gone() && clock_.unacknowledged()) {
        if (serve_calendar()) continue;
        pollfd p{calendar_.fd(), POLLIN, 0};
        if (::poll(&p, 1, patience_s * 1000) == 0) {
            throw error(error_kind::input, "the guest", "it does not answer on its clock's socket");
        }
    }
}

void turns::serve_or_wait() {
    if (serve()) return;
    std::array<pollfd, 3> p{{{calendar_.fd(), POLLIN, 0},
                             {peer_.fd(), POLLIN, 0},
                             {peer_.call_pending() ? peer_.channel_fd() : -1, POLLIN, 0}}};
    if (::poll(p.data(), p.size(), patience_s * 1000) == 0) {
        throw error(error_kind::input, "the guest",
                    "it has said nothing for " + std::to_string(patience_s) + " s");
    }
}

/// A whole message in one write: the guest reads 16 bytes at a time and panics on less.
void turns::tell(const time_travel_message& m) {
    const io_result r = calendar_.send(&m, sizeof m);
    if (r.what == io_result::status::closed) return;  // the next read will tell
    if (r.bytes != sizeof m) {
        throw error(error_kind::input, "the guest", "it does not read its clock's socket");
    }
}

// --- SystemC ----------------------------------------------------------------------------------

sim_time turns::next_event() {
    if (sc_core::sc_pending_activity_at_current_time()) return now();
    if (!sc_core::sc_pending_activity_at_future_time()) return sim_time::max();
    return now() + from_sc(sc_core::sc_time_to_pending_activity());
}

/// All that is due up to and at `to` has happened. sc_start runs the processes of its last instant
/// only in the next call (IEEE 1666-2011 4.3.4.2), a delta at a time.
void turns::advance(sim_time to) {
    if (to > now()) sc_core::sc_start(to_sc(to - now()));
    while (sc_core::sc_pending_activity_at_current_time()) sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

}  // namespace scmi_vp::models
