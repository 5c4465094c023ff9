// SPDX-License-Identifier: Apache-2.0
// When things happen: the instants of all models, and the threads that wait for them, in one order.
//
// SystemC moves its time by an event per instant and changes threads to do so: most of what a
// simulated request would cost. The timeline knows what its models do next. While nothing else in
// the simulation has anything to do before that, it goes on at once: its time, now(), runs ahead of
// SystemC's (temporal decoupling, IEEE 1666-2011 10.3), and a thread that waits lends its stack
// meanwhile. It never passes another process' event, so nobody can tell, and what happens is the
// same however far it may run.
//
// Order at one instant, as SystemC's evaluation phases and deltas: what was set before the phase
// began, first set first; then the threads that were resumed; what they set for this instant is the
// next phase's.
#pragma once

#include <cstdint>
#include <vector>

#include <systemc>

#include "tlm/sc_time.h"

namespace scmi_vp {

class timeline;

/// A member function of somebody.
struct callback {
    void (*call)(void*);
    void* who;
};
template <auto Method, class T>
callback calling(T* who) {
    return {[](void* w) { (static_cast<T*>(w)->*Method)(); }, who};
}

/// What its owner does at an instant; set for one at a time. It must not wait.
class alarm {
public:
    explicit alarm(callback step) : step_(step) {}
    ~alarm() { clear(); }
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;

    /// For `t` instead of what it was set for; the past is now.
    void set(sim_time t);
    /// The same, unless it is set for an earlier instant.
    void set_by(sim_time t) {
        if (!is_set_ || t < due_) set(t);
    }
    void clear();
    bool is_set() const { return is_set_; }
    sim_time due() const { return due_; }  ///< if it is set

private:
    friend class timeline;
    callback step_;
    sim_time due_;
    std::uint64_t order_ = 0;
    alarm* next_ = nullptr;  ///< that comes after it
    bool is_set_ = false;
};

/// A thread, for those that it waits for.
class sleeper {
public:
    /// In the thread: returns when somebody has resumed it.
    void suspend();
    /// At once in this phase of the instant, after those that were resumed before. It is suspended,
    /// or about to be (never waiting in SystemC's own way); twice is once.
    void resume();
    /// The thread begins, or comes back from waiting in SystemC's own way.
    void begin();
    /// The thread is about to end, or to wait in SystemC's own way.
    void end();

private:
    friend class timeline;
    sc_core::sc_event event_;
    bool resumed_ = false;
    sleeper* next_ = nullptr;  ///< that was resumed after it
};

class timeline {
public:
    /// The one of this simulation.
    static timeline& get() {
        if (!instance) create();
        return *instance;
    }

    /// How far ahead of SystemC's time it may go, and before which instant it has to stay: that of
    /// sc_start's end. Until this is called it does not run ahead.
    void run_ahead(sim_time most, sim_time end) { most_ = most, end_ = end; }
    /// sc_stop, at the models' time.
    void stop();

private:
    friend class alarm;
    friend class sleeper;
    timeline();
    [[gnu::cold]] static void create();

    void set(alarm& a, sim_time t);
    void take(alarm& a);
    bool work(const sleeper* self);
    bool may_go_to(sim_time t) const;
    void suspend(sleeper& s);
    void resume(sleeper& s);
    void arm(sim_time due);
    void settle();
    void awake();

    inline static timeline* instance = nullptr;

    alarm* first_ = nullptr;  ///< of those that are set, in order: a few per model
    std::uint64_t next_order_ = 0;
    std::uint64_t phase_ = 0;  ///< what was set earlier is in this phase
    sleeper* first_ready_ = nullptr;
    sleeper* last_ready_ = nullptr;
    bool at_work_ = false;  ///< in work(), or in a thread that will come there
    sim_time most_ = picoseconds(-1), end_;
    bool stopped_ = false;
    sc_core::sc_event near_{"timeline"}, far_{"timeline_far"};
    sim_time near_at_ = sim_time::max(), far_at_ = sim_time::max();  ///< what they are armed for
};

inline void alarm::set(sim_time t) {
    timeline::get().set(*this, t);
}
inline void alarm::clear() {
    if (is_set_) timeline::get().take(*this);
}
inline void sleeper::suspend() {
    timeline::get().suspend(*this);
}
inline void sleeper::resume() {
    timeline::get().resume(*this);
}

/// Somebody else's condition, rarely waited for: notifying it costs a branch when nobody waits.
class awaited_event {
public:
    awaited_event() : later_(calling<&awaited_event::release>(this)) {}

    /// Until the next notification; `s` has yet to suspend.
    void await(sleeper& s) { sleepers_.push_back(&s), awaited_ = true; }
    /// Sets `a` for the instant of the next notification; it must live until then.
    void await(alarm& a) { alarms_.push_back(&a), awaited_ = true; }
    /// Not any longer.
    void forget(sleeper& s);

    /// Resumes who waits, in this phase.
    void notify() {
        if (awaited_) release();
    }
    /// In the next one.
    void notify_delta() {
        if (awaited_) later_.set_by(now());
    }

private:
    void release();

    bool awaited_ = false;
    std::vector<sleeper*> sleepers_;
    std::vector<alarm*> alarms_;
    alarm later_;
};

}  // namespace scmi_vp
