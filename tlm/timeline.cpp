// SPDX-License-Identifier: Apache-2.0
// See timeline.h.
#include "tlm/timeline.h"

#include <algorithm>
#include <utility>

#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

namespace scmi_vp {

void timeline::create() {
    instance_ = new timeline;  // for the rest of the program, as SystemC's own context
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
    // Mostly the next to come. Of those for one instant, the one that was set first is last here.
    auto at = alarms_.end();
    while (at != alarms_.begin() && (at[-1])->due_ <= t) --at;
    alarms_.insert(at, &a);
    if (!at_work_) arm(t);
}

void timeline::take(alarm& a) {
    a.is_set_ = false;
    alarms_.erase(std::find(alarms_.rbegin(), alarms_.rend(), &a).base() - 1);
}

/// True when `self` may go on; false when it is another process' turn: what has to follow is armed,
/// or the thread that was started comes back here.
bool timeline::work(const sleeper* self) {
    at_work_ = true;
    for (;;) {
        alarm* const a = alarms_.empty() ? nullptr : alarms_.back();
        if (a && a->order_ < phase_ && a->due_ <= now()) {
            alarms_.pop_back();
            a->is_set_ = false;
            a->step_.call(a->step_.who);
            continue;
        }
        if (!ready_.empty()) {
            sleeper* s = ready_.front();
            ready_.pop_front();
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
    at_work_ = false;
    return false;
}

/// Without SystemC: nobody else has anything to do until then.
bool timeline::may_go_to(sim_time t) const {
    const sim_time ahead = t - kernel_time();
    if (ahead > most_ || t >= end_ || stopped_) return false;
    return static_cast<sc_dt::uint64>(ahead.ps) < sc_core::sc_time_to_pending_activity().value();
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
    ready_.push_back(&s);
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
    if (!ready_.empty()) return arm(now());
    if (!alarms_.empty()) arm(alarms_.back()->due_);
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
