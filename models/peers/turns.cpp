// SPDX-License-Identifier: Apache-2.0
// See turns.h.
#include "models/peers/turns.h"

#include <array>

#include <poll.h>

#include <systemc>

#include "base/error.h"
#include "models/peers/advance.h"
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
        serve_one();
    }
}

/// Tells the guest of used buffers. It asks for the time and for its turn, then acknowledges.
void turns::interrupt() {
    while (!gone() && peer_.begin_call()) {
        while (!gone() && peer_.call_pending() && !peer_.ended()) serve_one();
        interrupted_ = true;
    }
}

void turns::give_turn() {
    // With free time a guest needs no turn per clock read, but a kick in it costs two messages
    // more. After an interrupt it often does nothing else than the next kick, if it is not traced:
    // then it gets this very instant only, which spares it a second turn for the handler.
    if (after_interrupt_ && !interrupted_) reads_clock_after_ = true;
    if (after_interrupt_ && interrupted_ && !moved_) reads_clock_after_ = false;
    const bool instant_only = interrupted_ && !reads_clock_after_;
    const sim_time instant = from_guest_ns(guest_ns(now()) + 1);
    const sim_time until = instant_only ? instant : std::max(instant, next_event());
    after_interrupt_ = std::exchange(interrupted_, false);
    moved_ = false;
    const std::array<time_travel_message, 2> m{clock_.free_until(until), clock_.run(now())};
    tell(m.data(), m.size());
}

// --- messages ---------------------------------------------------------------------------------

bool turns::serve_calendar() {
    time_travel_message m;
    if (!take_message(m)) return gone();
    ++messages_;
    const clock_effect e = clock_.receive(m, now());
    if (e.moved_to) {
        advance(*e.moved_to);
        moved_ = true;
    }
    if (e.answer) tell(&*e.answer, 1);
    return true;
}

/// The next of the messages that have come; closes the socket at its end.
bool turns::take_message(time_travel_message& m) {
    if (first_ == have_) first_ = have_ = 0;
    virtio::fd_list passed;
    while (have_ - first_ < sizeof m) {
        if (!calendar_.valid()) return false;
        const io_result r =
            calendar_.receive(incoming_.data() + have_, incoming_.size() - have_, passed);
        if (r.what == io_result::status::closed) calendar_.close();
        if (r.what != io_result::status::done) return false;
        have_ += r.bytes;
    }
    std::memcpy(&m, incoming_.data() + first_, sizeof m);
    first_ += sizeof m;
    return true;
}

void turns::serve_peer() {
    if (!peer_.serve()) return;
    if (peer_.kicked()) shorten_free_time();
    peer_.reply();
}

/// A kick made an event that is earlier than what the guest was told: it must know before it goes
/// on, or it runs past it.
void turns::shorten_free_time() {
    if (!clock_.running() || !clock_.free_limit()) return;
    // It is at this instant already.
    const sim_time until = std::max(next_event(), from_guest_ns(guest_ns(now()) + 1));
    if (until >= *clock_.free_limit()) return;
    const time_travel_message m = clock_.free_until(until);
    tell(&m, 1);
    while (!gone() && clock_.unacknowledged()) {
        if (serve_calendar()) continue;
        pollfd p{calendar_.fd(), POLLIN, 0};
        if (::poll(&p, 1, patience_s * 1000) == 0) {
            throw error(error_kind::input, "the guest", "it does not answer on its clock's socket");
        }
    }
}

/// Waits first: as both run on one CPU, nothing has come since the last message was answered.
void turns::serve_one() {
    if (first_ < have_) {
        serve_calendar();
        return;
    }
    std::array<pollfd, 3> p{{{calendar_.fd(), POLLIN, 0},
                             {peer_.call_pending() ? peer_.channel_fd() : -1, POLLIN, 0},
                             {peer_.fd(), POLLIN, 0}}};
    if (stop && *stop) throw error(error_kind::input, "stopped by a signal");
    const int ready = ::poll(p.data(), p.size(), patience_s * 1000);
    if (ready < 0) return;  // a signal
    if (ready == 0) {
        throw error(error_kind::input, "the guest",
                    "it has said nothing for " + std::to_string(patience_s) + " s");
    }
    if (p[0].revents) {
        serve_calendar();
    } else if (p[1].revents) {
        peer_.serve_channel();
    } else if (p[2].revents) {
        serve_peer();
    }
}

/// Whole messages in one write: the guest reads 16 bytes at a time and panics on less.
void turns::tell(const time_travel_message* m, std::size_t n) {
    const io_result r = calendar_.send(m, n * sizeof *m);
    if (r.what == io_result::status::closed) return;  // the next read will tell
    if (r.bytes != n * sizeof *m) {
        throw error(error_kind::input, "the guest", "it does not read its clock's socket");
    }
}

}  // namespace scmi_vp::models
