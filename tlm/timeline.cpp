// SPDX-License-Identifier: Apache-2.0
// See timeline.h.
#include "tlm/timeline.h"

#include <algorithm>
#include <utility>

#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

namespace scmi_vp {

void timeline::create() {
    instance = new timeline;  // for the rest of the program, as SystemC's own context
}

timeline::timeline() {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.dont_initialize();
    options.set_sensitivity(&near_);
    options.set_sensitivity(&far_);
    sc_core::sc_spawn([this] { awake(); }, "timeline_awake", &options);
}

void timeline::stop() {
    stopped_ = true;
    sc_core::sc_stop();
}

void timeline::set(alarm& a, sim_time t) {
    if (a.is_set_) take(a);
    t = std::max(t, now());
    a.due_ = t;
    a.order_ = next_order_++;
    a.is_set_ = true;
    alarm** at = &first_;
    while (*at && (*at)->due_ <= t) at = &(*at)->next_;
    a.next_ = std::exchange(*at, &a);
    if (!at_work_) arm(t);
}

void timeline::take(alarm& a) {
    a.is_set_ = false;
    alarm** at = &first_;
    while (*at != &a) at = &(*at)->next_;
    *at = a.next_;
}

/// True when `self` may go on; false when it is another process' turn: what has to follow is armed,
/// or the thread that was started comes back here.
bool timeline::work(const sleeper* self) {
    at_work_ = true;
    for (;;) {
        alarm* const a = first_;
        const bool in_phase = a && a->order_ < phase_ && a->due_ <= now();
        if (!in_phase) {
            if (sleeper* const s = first_ready_) {
                first_ready_ = s->next_;
                if (s == self) return true;
                s->event_.notify();
                return false;
            }
            if (!a) break;
            if (!may_go_to(a->due_)) {
                arm(a->due_);
                break;
            }
            phase_ = next_order_;
            detail::reached = a->due_;
        }
        first_ = a->next_;
        a->is_set_ = false;
        a->step_.call(a->step_.who);
    }
    at_work_ = false;
    return false;
}

/// Without SystemC: nobody else has anything to do until then.
bool timeline::may_go_to(sim_time t) const {
    const sim_time ahead = t - kernel_time();
    if (ahead > most_ || t >= end_ || stopped_) return false;
    // sc_time_to_pending_activity(), without what it adds to these two.
    const sc_core::sc_simcontext& kernel = *sc_core::sc_curr_simcontext;
    if (kernel.pending_activity_at_current_time()) return false;
    sc_core::sc_time next;
    return !kernel.next_time(next) || static_cast<sc_dt::uint64>(t.ps) < next.value();
}

void timeline::suspend(sleeper& s) {
    if (!work(&s)) {
        sc_core::wait(s.event_);
        at_work_ = true;
    }
    s.resumed_ = false;
}

void timeline::resume(sleeper& s) {
    if (std::exchange(s.resumed_, true)) return;
    s.next_ = nullptr;
    (first_ready_ ? last_ready_->next_ : first_ready_) = &s;
    last_ready_ = &s;
    if (!at_work_) arm(now());
}

void sleeper::begin() {
    timeline::get().at_work_ = true;
}

void sleeper::end() {
    timeline::get().settle();
}

/// SystemC goes on without us: what is left comes back to awake().
void timeline::settle() {
    at_work_ = false;
    if (first_ready_) return arm(now());
    if (first_) arm(first_->due_);
}

void timeline::awake() {
    // What came is over. Nothing new was armed in this phase before us (see arm()).
    const sim_time t = kernel_time();
    if (near_at_ <= t) near_at_ = sim_time::max();
    if (far_at_ <= t) far_at_ = sim_time::max();
    phase_ = next_order_;
    work(nullptr);
}

/// Why two events: notifying an event for an earlier time cancels what it was armed for, and the
/// cancelled entry stays in SystemC's heap until its time. With one event, a long timeout behind a
/// stream of short steps would leave an entry per step there (systemc 2.3.4, sc_event::notify and
/// sc_event::cancel). So a far deadline stays armed on an event of its own even if its alarm is
/// cleared, and the next far one finds it there.
void timeline::arm(sim_time due) {
    constexpr sim_time near_span = microseconds(100);
    const sim_time t = kernel_time();
    due = std::max(due, t);
    // Armed for this instant means that awake() is still to come in it, and arms for the rest.
    if (near_at_ <= due || far_at_ <= due) return;
    const bool near = due - t < near_span;
    (near ? near_at_ : far_at_) = due;
    (near ? near_ : far_).notify(to_sc(due - t));
}

void awaited_event::forget(sleeper& s) {
    sleepers_.erase(std::remove(sleepers_.begin(), sleepers_.end(), &s), sleepers_.end());
    awaited_ = !sleepers_.empty() || !alarms_.empty();
}

void awaited_event::release() {
    awaited_ = false;
    for (sleeper* s : std::exchange(sleepers_, {})) s->resume();
    for (alarm* a : std::exchange(alarms_, {})) a->set_by(now());
}

}  // namespace scmi_vp
