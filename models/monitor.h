// SPDX-License-Identifier: Apache-2.0
// Where guest and device announce what happens: keeps the request records, asserts that hops add
// up, feeds checkers, waves and trace writers.
//
// Life of a record: enter() makes it; guest and device mark() its instants (the device knows a
// chain head, not a request); leave() ends the round trip; when nobody needs it any more it goes to
// the sink and its memory is used again.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "models/request.h"
#include "tlm/timeline.h"
#include "traces/ftrace.h"
#include "virtio/device_state.h"
#include "virtio/ring/ownership_checker.h"

namespace scmi_vp::models {

class waves;

/// A broken rule of the model or of a standard: where, what, and the rule's source.
struct violation {
    sim_time when;
    std::string
        checker;  ///< "virtqueue ownership", "TLM base protocol", "interrupt line", "hop sums"
    std::string what;
    std::string source;
};

/// A call of an open loop that has returned.
struct call_record {
    std::uint16_t context = 0;
    sim_time intended, returned;  ///< when it was due; when its caller went on
    int linux_errno = 0;          ///< 0 or negative: what the caller got
    /// The platform answered all of its messages, or the driver waited for one until its limit: how
    /// long it took says something about the platform. Not so when the driver refused to send.
    bool answered = false;
};

/// What a run reports to, any of it optional. Implemented by runs/ and studies/.
class run_sink {
public:
    virtual ~run_sink() = default;
    virtual void on_request(const request& r) = 0;  ///< once per request, when all of it is known
    virtual void on_ftrace(const traces::ftrace_event& e) = 0;
    virtual void on_log(const traces::log_line& l) = 0;
    virtual void on_register(sim_time when, const traces::register_trace_line& l) = 0;
    virtual void on_violation(const violation& v) = 0;
    virtual void on_call(const call_record&) {}  ///< once per call of an open loop
};

class monitor {
public:
    explicit monitor(run_sink& sink) : sink_(sink) {}

    // --- the guest ---
    request* enter(std::uint16_t context, sim_time when);
    void mark(request& r, instant i, sim_time when) {
        const auto n = static_cast<std::size_t>(i);
        r.at[n] = when;
        if (r.timed_out) return mark_in_vain(r, i);
        // A reply that came another way (in another chain, or as a delayed response first) has let
        // the caller go; what happens to this chain afterwards is in none of its hops.
        if (n != r.reached + 1u || n > r.last) return;
        const int before = lane(r);
        r.reached = static_cast<std::uint8_t>(n);
        move_hop(before, lane(r));
    }
    /// The chain `head` of the command queue carries `r` and is visible to the device.
    void published(request& r, std::uint16_t head, sim_time when);
    void irq_entered(sim_time when);
    void irq_left() { in_handler_ = false; }
    /// The reply was matched in the handler (interrupt, collect end here).
    void matched(request& r, sim_time when);
    void delayed_matched(request& r, sim_time when);
    /// Its response has come: from now on the caller waits for the delayed response.
    void await_delayed(request& r) { r.wait_number = ++waits_; }
    /// The caller goes on with its delayed response, or without. The record of one that gave up is
    /// kept until the delayed response has come or is known never to come.
    void delayed_done(request& r, std::int32_t linux_errno, sim_time when);
    void delayed_missed(request& r, std::int32_t linux_errno, sim_time when);
    /// The driver refused a delayed response: that of a caller that has given up, if there is one.
    void delayed_late(std::uint16_t token, std::uint8_t protocol, sim_time when);
    void call_returned(const call_record& c) { sink_.on_call(c); }
    /// The caller returns: the round trip ends, its hops are checked.
    void leave(request& r, outcome o, std::int32_t linux_errno, sim_time when);
    /// The driver forgets a chain that the device still has: nothing of it is this request's.
    [[gnu::cold]] void abandon(request& r);
    /// A reply came after the caller had given up.
    void late(request& r, sim_time when);
    /// One user less: the caller, or the transport's message object.
    void pin(request& r) { ++r.pins; }
    void unpin(request& r);

    // --- the device ---
    /// It was reset: what it holds will not be answered.
    void device_reset();
    void kick_seen(unsigned queue, sim_time when);
    void worker_running(sim_time when);
    void taken(std::uint16_t head, sim_time when);
    void ready(std::uint16_t head, sim_time when);
    void used(std::uint16_t head, sim_time when);
    /// There will be no reply.
    void lost(std::uint16_t head) {
        if (request* r = at_head(head)) r->lost = true;
    }
    void delayed_ready(std::uint16_t token, std::uint8_t protocol, sim_time when);
    void delayed_used(std::uint16_t token, std::uint8_t protocol, sim_time when);
    /// It will never be sent, or not as what the driver awaits.
    void delayed_lost(std::uint16_t token, std::uint8_t protocol);

    // --- virtqueue ownership, when it is checked ---
    void set_ownership(virtio::ownership_checker* c) { ownership_ = c; }
    virtio::ownership_checker* ownership() const { return ownership_; }
    void made_used(unsigned queue, std::uint16_t head) {
        if (ownership_) ownership_->made_used(queue, head);
        poll_again();
    }

    /// Who polls wants to know when something is used: counted in `changes`, and notified.
    struct used_watch {
        awaited_event* event;
        std::uint64_t changes = 0;
    };
    void watch_used(used_watch* w) { used_watch_ = w; }
    void poll_again() {
        if (used_watch_) notify_watch();
    }

    // --- traces ---
    [[gnu::cold]] void ftrace(const traces::ftrace_event& e) { sink_.on_ftrace(e); }
    [[gnu::cold]] void log(const traces::log_line& l) { sink_.on_log(l); }
    void register_access(bool write, std::uint32_t offset, std::uint32_t value) {
        if (shows_registers()) show_access(write, offset, value);
    }
    void irq_level(bool level) {
        if (shows_registers()) show_irq(level);
    }
    [[gnu::cold]] void violate(const violation& v);

    /// The run is over: records that are still open go to the sink as they are.
    void finish(sim_time when);

    void set_waves(waves* w) { waves_ = w; }
    /// nullptr, as a rule, and the compiler is told so.
    waves* wave() const { return __builtin_expect(waves_ != nullptr, 0) ? waves_ : nullptr; }
    void set_trace_registers(bool on) { trace_registers_ = on; }

    std::uint64_t requests() const { return next_id_ - 1; }
    std::uint64_t violations() const { return violations_; }
    const std::vector<request*>& open() const { return open_; }

private:
    [[gnu::noinline]] void show_access(bool write, std::uint32_t offset, std::uint32_t value);
    [[gnu::noinline]] void trace_access(bool write, std::uint32_t offset, std::uint32_t value);
    [[gnu::noinline]] void show_irq(bool level);
    [[gnu::noinline]] void trace_irq(bool level);
    [[gnu::noinline]] void mark_in_vain(request& r, instant i);
    void release(request& r);
    bool shows_registers() const {
        return __builtin_expect(waves_ != nullptr || trace_registers_, 0);
    }
    void move_hop(int from, int to) {
        if (__builtin_expect(waves_ != nullptr, 0)) show_move(from, to);
    }
    [[gnu::noinline]] void show_move(int from, int to);
    [[gnu::cold]] void notify_watch();
    /// Where it is shown: in the hop that it is in.
    static int lane(const request& r) { return r.polled ? int(r.stuck_in()) : r.reached; }
    void forget(std::vector<request*>& list, request* r);
    [[gnu::noinline]] void taken_early(request& r);
    void check_sums(const request& r);
    [[gnu::noinline]] void check_each_hop(const request& r);
    [[gnu::cold]] void wrong_sums(const request& r, sim_time sum, bool negative);
    request* at_head(std::uint16_t head) {
        return head < by_head_.size() ? by_head_[head] : nullptr;
    }
    template <class Is>
    request* delayed_of(std::uint16_t token, std::uint8_t protocol, Is is);
    void conclude(request& r, outcome o, std::int32_t linux_errno, sim_time when);
    void lose_delayed(request& r);

    run_sink& sink_;
    waves* waves_ = nullptr;
    used_watch* used_watch_ = nullptr;
    virtio::ownership_checker* ownership_ = nullptr;
    std::deque<request> pool_;
    std::vector<request*> free_;
    std::vector<request*> open_;      ///< entered, not yet given to the sink
    std::vector<request*> by_head_;   ///< command queue: the request that a chain carries
    std::vector<request*> unseen_;    ///< published, no kick seen since
    std::vector<request*> unserved_;  ///< seen, no worker running since
    std::uint64_t next_id_ = 1, violations_ = 0, waits_ = 0;
    sim_time irq_entered_;
    bool in_handler_ = false;
    bool trace_registers_ = false;
};

// The steps of every request, each called from one place.

inline void monitor::published(request& r, std::uint16_t head, sim_time when) {
    if (by_head_.size() <= head) by_head_.resize(head + 1u);
    by_head_[head] = &r;
    mark(r, instant::published, when);
    unseen_.push_back(&r);
}

inline void monitor::irq_entered(sim_time when) {
    irq_entered_ = when;
    in_handler_ = true;
    for (request* r : open_) {
        if (r->reached == std::size_t(instant::used)) mark(*r, instant::irq, when);
    }
}

inline void monitor::matched(request& r, sim_time when) {
    if (r.timed_out) return;
    // The handler that collects it may be a later one than the one that ran when it was returned.
    mark(r, instant::irq, std::max(irq_entered_, r.at[std::size_t(instant::used)]));
    mark(r, instant::matched, when);
}

inline void monitor::leave(request& r, outcome o, std::int32_t linux_errno, sim_time when) {
    r.result = o;
    r.linux_errno = linux_errno;
    r.at[std::size_t(instant::returned)] = when;
    r.felt = when;
    r.left = true;
    r.last = 0;
    move_hop(r.timed_out ? int(hop::complete) : lane(r), -1);
    check_sums(r);
}

inline void monitor::unpin(request& r) {
    if (--r.pins == 0) release(r);
}

inline void monitor::kick_seen(unsigned queue, sim_time when) {
    if (queue != virtio::scmi_cmdq) return;
    for (request* r : unseen_) {
        mark(*r, instant::seen, when);
        unserved_.push_back(r);
    }
    unseen_.clear();
}

inline void monitor::worker_running(sim_time when) {
    for (request* r : unserved_) mark(*r, instant::running, when);
    unserved_.clear();
}

inline void monitor::taken(std::uint16_t head, sim_time when) {
    request* r = at_head(head);
    if (!r) return;
    if (r->at[std::size_t(instant::running)] == sim_time{}) taken_early(*r);
    mark(*r, instant::taken, when);
}

inline void monitor::ready(std::uint16_t head, sim_time when) {
    if (request* r = at_head(head)) mark(*r, instant::ready, when);
}

inline void monitor::used(std::uint16_t head, sim_time when) {
    request* r = at_head(head);
    if (!r) return;
    mark(*r, instant::used, when);
    if (in_handler_) mark(*r, instant::irq, when);
    by_head_[head] = nullptr;
}

}  // namespace scmi_vp::models
