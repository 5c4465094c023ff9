// SPDX-License-Identifier: Apache-2.0
// See monitor.h.
#include "models/monitor.h"

#include <algorithm>

#include "models/waves.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {
namespace {
constexpr std::size_t index_of(instant i) {
    return static_cast<std::size_t>(i);
}
}  // namespace

request* monitor::enter(std::uint16_t context, sim_time when) {
    request* r;
    if (free_.empty()) {
        r = &pool_.emplace_back();
    } else {
        r = free_.back();
        free_.pop_back();
        *r = request{};
    }
    r->id = next_id_++;
    r->context = context;
    r->at[0] = when;
    r->pins = 1;
    r->open_index = static_cast<std::uint32_t>(open_.size());
    open_.push_back(r);
    move_hop(-1, 0);
    return r;
}

void monitor::mark_in_vain(request& r, instant i) {
    // It waits in vain until it runs again; what happens to it later is the late reply's.
    if (i == instant::woke) move_hop(lane(r), int(hop::complete));
}

void monitor::notify_watch() {
    ++used_watch_->changes;
    used_watch_->event->notify_delta();
}

void monitor::delayed_matched(request& r, sim_time when) {
    r.delayed_irq = std::max(irq_entered_, r.delayed_used);
    r.delayed_matched = when;
    r.delayed_taken = true;
}

void monitor::conclude(request& r, outcome o, std::int32_t linux_errno, sim_time when) {
    r.result = o;
    r.linux_errno = linux_errno;
    r.felt = when;
    check_each_hop(r);
}

void monitor::delayed_done(request& r, std::int32_t linux_errno, sim_time when) {
    r.delayed = delayed_state::received;
    conclude(r, linux_errno ? outcome::scmi_error : outcome::ok, linux_errno, when);
}

void monitor::delayed_missed(request& r, std::int32_t linux_errno, sim_time when) {
    r.delayed = delayed_state::timed_out;
    if (!r.delayed_lost) pin(r);
    conclude(r, outcome::timed_out, linux_errno, when);
}

void monitor::abandon(request& r) {
    std::replace(by_head_.begin(), by_head_.end(), &r, static_cast<request*>(nullptr));
    forget(unseen_, &r);
    forget(unserved_, &r);
}

void monitor::late(request& r, sim_time when) {
    if (r.late_at == sim_time{}) r.late_at = when;
}

void monitor::release(request& r) {
    sink_.on_request(r);
    request* last = open_.back();
    open_[r.open_index] = last;
    last->open_index = r.open_index;
    open_.pop_back();
    free_.push_back(&r);
}

void monitor::check_sums(const request& r) {
    // Differences of neighbouring instants add up by themselves.
    if (!r.in_order() || !r.never_back()) check_each_hop(r);
}

void monitor::check_each_hop(const request& r) {
    std::int64_t sum = 0, signs = 0;
    for (const sim_time& span : r.hops()) {
        sum += span.ps;
        signs |= span.ps;
    }
    if (sum != r.round_trip().ps || signs < 0) wrong_sums(r, sim_time(sum), signs < 0);
}

void monitor::wrong_sums(const request& r, sim_time sum, bool negative) {
    violate({r.felt, "hop sums",
             "request " + std::to_string(r.id) + ": its hops add up to " + to_string(sum) +
                 ", its round trip is " + to_string(r.round_trip()) +
                 (negative ? ", and a hop is negative" : ""),
             "docs/architecture.md, the hops of a request"});
}

void monitor::forget(std::vector<request*>& list, request* r) {
    const auto it = std::find(list.begin(), list.end(), r);
    if (it != list.end()) list.erase(it);
}

/// Of those whose delayed response is still to come, and that it `is`, the first: a token is drawn
/// again while an earlier request's delayed response is late.
template <class Is>
request* monitor::delayed_of(std::uint16_t token, std::uint8_t protocol, Is is) {
    request* first = nullptr;
    for (request* r : open_) {
        if (r->hdr.token != token || r->hdr.protocol_id != protocol || r->delayed_lost) continue;
        const bool to_come =
            r->delayed == delayed_state::awaited
                ? !r->delayed_taken
                : r->delayed == delayed_state::timed_out && r->delayed_late_at == sim_time{};
        if (to_come && is(*r) && (!first || r->id < first->id)) first = r;
    }
    return first;
}

/// Taken by a worker that was awake before its own kick arrived: it waited in the queue.
void monitor::taken_early(request& r) {
    if (r.at[index_of(instant::seen)] == sim_time{}) {
        forget(unseen_, &r);
        mark(r, instant::seen, r.at[index_of(instant::published)]);
    }
    forget(unserved_, &r);
    mark(r, instant::running, r.at[index_of(instant::seen)]);
}

void monitor::delayed_ready(std::uint16_t token, std::uint8_t protocol, sim_time when) {
    const auto at_work = [](const request& r) { return r.delayed_ready == sim_time{}; };
    if (request* r = delayed_of(token, protocol, at_work)) r->delayed_ready = when;
}

void monitor::delayed_used(std::uint16_t token, std::uint8_t protocol, sim_time when) {
    const auto unsent = [](const request& r) { return r.delayed_used == sim_time{}; };
    if (request* r = delayed_of(token, protocol, unsent)) r->delayed_used = when;
}

void monitor::delayed_lost(std::uint16_t token, std::uint8_t protocol) {
    const auto unsent = [](const request& r) { return r.delayed_used == sim_time{}; };
    if (request* r = delayed_of(token, protocol, unsent)) lose_delayed(*r);
}

void monitor::lose_delayed(request& r) {
    r.delayed_lost = true;
    if (r.delayed == delayed_state::timed_out) unpin(r);
}

void monitor::delayed_late(std::uint16_t token, std::uint8_t protocol, sim_time when) {
    const auto given_up = [](const request& r) { return r.delayed == delayed_state::timed_out; };
    request* r = delayed_of(token, protocol, given_up);
    if (!r) return;
    r->delayed_late_at = when;
    unpin(*r);
}

void monitor::show_access(bool write, std::uint32_t offset, std::uint32_t value) {
    if (trace_registers_) return trace_access(write, offset, value);
    waves_->register_access(now(), write, offset, value);
}

void monitor::trace_access(bool write, std::uint32_t offset, std::uint32_t value) {
    if (waves_) waves_->register_access(now(), write, offset, value);
    using kind_t = traces::register_trace_line::kind_t;
    sink_.on_register(now(), {write ? kind_t::write : kind_t::read, offset, value});
}

void monitor::show_irq(bool level) {
    if (trace_registers_) return trace_irq(level);
    waves_->irq(now(), level);
}

void monitor::trace_irq(bool level) {
    if (waves_) waves_->irq(now(), level);
    sink_.on_register(now(), {traces::register_trace_line::kind_t::irq, 0, level ? 1u : 0u});
}

void monitor::device_reset() {
    for (request*& r : by_head_) {
        if (r) r->lost = true;
        r = nullptr;
    }
    unseen_.clear();
    unserved_.clear();
    std::vector<request*> owed;
    for (request* r : open_) {
        const bool awaited = r->delayed == delayed_state::awaited && !r->delayed_taken;
        const bool late =
            r->delayed == delayed_state::timed_out && r->delayed_late_at == sim_time{};
        if ((awaited || late) && !r->delayed_lost) owed.push_back(r);
    }
    for (request* r : owed) lose_delayed(*r);  // closes some of them
}

void monitor::violate(const violation& v) {
    ++violations_;
    sink_.on_violation(v);
}

void monitor::finish(sim_time when) {
    for (request* r : open_) {
        if (!r->left) {
            r->at[index_of(instant::returned)] = r->felt = when;
            if (r->timed_out && r->at[index_of(instant::woke)] == sim_time{}) r->timed_out = false;
        } else if (r->waited() && r->delayed == delayed_state::awaited) {
            r->result = outcome::unfinished;
            r->felt = when;
        }
        sink_.on_request(*r);
    }
    open_.clear();
}

void monitor::show_move(int from, int to) {
    // Tasks synchronise before each of their instants when there is a waveform: now() is exact.
    waves_->hop_moved(from, to, now());
}

}  // namespace scmi_vp::models
