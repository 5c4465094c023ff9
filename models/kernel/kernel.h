// SPDX-License-Identifier: Apache-2.0
// The guest's CPUs and kernel services: who runs, what time it is, timers, the log.
//
// A context (task) spends CPU time in local time, ahead of the simulation by at most the quantum,
// and synchronises wherever somebody can see the difference: ring publish, doorbell, trace events,
// sleeping. Interrupts take the CPU from the running context; its remaining work is moved on.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include "base/rarely.h"
#include "models/config.h"
#include "models/kernel/linux_time.h"
#include "models/monitor.h"
#include "models/waves.h"
#include "tlm/calendar.h"

namespace scmi_vp::models {

class guest_kernel;
class guest_context;

/// One CPU: who runs on it and who waits for it (first in, first out; the kernel is not
/// preemptible).
struct guest_cpu {
    unsigned index = 0;
    guest_context* running = nullptr;
    std::deque<guest_context*> run_queue;
    unsigned irqs_off = 0;  ///< depth of local_irq_save
    bool in_irq = false;
    sim_time irq_since, stolen;  ///< CPU time that interrupts took, up to the last exit
    sim_time irq_clock_reads;    ///< that the handler has still to spend, for its trace events
    awaited_event irq_exited, irqs_on;
};

/// struct completion with one waiter.
struct completion {
    bool done = false;
    guest_context* waiter = nullptr;
};

/// A sleeping lock of the guest (struct mutex, or one of user space): first come, first served.
struct guest_mutex {
    guest_context* holder = nullptr;
    std::deque<guest_context*> waiters;
};

/// The call that a task is making, for its requests' records.
struct call_times {
    bool active = false;
    sim_time intended, called;
    bool sent = false;     ///< a request was made for it
    bool refused = false;  ///< the driver could not send one of them
};

/// A task of the guest: one SystemC thread, which waits by the timeline. Blocking calls only from
/// its own thread.
class guest_context : public sc_core::sc_module {
public:
    guest_context(sc_core::sc_module_name name, guest_kernel& kernel, context_config config,
                  std::uint16_t index);

    const context_config& config() const { return config_; }
    std::uint16_t index() const { return index_; }
    guest_cpu& cpu() const { return cpu_; }

    /// The task's own time: simulated time plus what it has run ahead.
    sim_time time() const { return now() + ahead_; }
    /// Synchronises: for instants that are recorded and for what others can see, so that an
    /// interrupt that comes first is accounted for first, whatever the quantum.
    sim_time stamp();
    /// Uses CPU time.
    void spend(sim_time cost) {
        if (rarely(cost.ps != 0)) use(cost);
    }
    /// Lets simulated time catch up, moving on what interrupts took.
    void sync() {
        if (rarely(ahead_.ps > 0)) catch_up();
    }

    /// Sleeps without using the CPU.
    void idle(sim_time span);
    /// Sleeps until the completion is done or `deadline` is reached; true when done when it runs
    /// again (a completion after the timer fired but before the task runs counts).
    /// `wheel_level` is that of the deadline's timer.
    bool wait_for(completion& c, sim_time deadline, context_wave shown, unsigned wheel_level = 0);
    /// Sleeps until somebody wakes it. A wake-up before that is lost: look at the condition first,
    /// and again afterwards.
    void wait_woken(context_wave shown);

    /// Turns in a loop of which each turn takes `period` (0: as good as none) until `progress` is
    /// notified or it is `until`; returns at the start of the turn that sees it. Interrupts are
    /// taken meanwhile.
    void spin(awaited_event& progress, sim_time period, sim_time until);

    /// Keeps the CPU until `e` is notified.
    void wait_for(awaited_event& e) {
        e.await(thread_);
        thread_.suspend();
    }

    void lock(guest_mutex& m);
    void unlock(guest_mutex& m);

    call_times call;  ///< set by who makes calls

    /// What the thread does; set before the simulation starts.
    std::function<void(guest_context&)> body;
    bool finished() const { return finished_; }

private:
    friend class guest_kernel;
    void run();
    [[gnu::noinline]] void use(sim_time cost);
    void catch_up();
    void take_cpu();
    void give_cpu();
    void block(context_wave shown);
    void pass(sim_time span);
    [[gnu::noinline]] void leave_cpu_for(sim_time span);

    guest_kernel& kernel_;
    context_config config_;
    std::uint16_t index_;
    guest_cpu& cpu_;
    sim_time quantum_, ahead_;
    sleeper thread_;
    alarm passed_;          ///< the time that it lets pass is over
    bool blocked_ = false;  ///< in wait_for or wait_woken
    bool waking_ = false;   ///< woken, not yet running
    sim_time deadline_ = sim_time::max();
    sim_time armed_ = sim_time::max();  ///< earliest entry of this task in the timer heap
    unsigned wheel_level_ = 0;
    std::uint64_t wait_number_ = 0;  ///< of the wait that set the deadline, over all tasks
    bool finished_ = false;
};

/// See the top of the file.
class guest_kernel : public sc_core::sc_module {
public:
    guest_kernel(sc_core::sc_module_name name, const guest_config& config, sim_time quantum,
                 latency guest_wake, monitor& mon);

    const guest_config& config() const { return config_; }
    const guest_costs& costs() const { return config_.costs; }
    const tick_clock& ticks() const { return ticks_; }
    monitor& mon() const { return mon_; }
    sim_time quantum() const { return quantum_; }
    guest_cpu& cpu(unsigned i) { return *cpus_[i]; }
    guest_context& add_context(const context_config& c, std::function<void(guest_context&)> body);
    /// The same for a thread that serves others: the run does not wait for its end.
    guest_context& add_daemon(const context_config& c, std::function<void(guest_context&)> body) {
        ++daemons_;
        return add_context(c, std::move(body));
    }
    const std::vector<std::unique_ptr<guest_context>>& contexts() const { return contexts_; }
    bool all_finished() const { return unfinished() == 0; }
    /// How many threads that the run waits for have not ended.
    std::size_t unfinished() const { return contexts_.size() - finished_ - daemons_; }
    /// Entries in the heap of timers: at most a few per task, however many waits there were.
    std::size_t timers_armed() const { return timers_.size(); }

    // --- waking ---
    void complete(completion& c) {
        c.done = true;
        if (c.waiter) wake(*c.waiter);
    }
    /// After the hop guest_wake, `c` competes for its CPU. Waking twice is waking once; a task
    /// that does not sleep is left alone.
    void wake(guest_context& c);
    /// The same at once: for what begins or directs the workload, which is no answer to a request.
    void start(guest_context& c);

    // --- interrupts ---
    void irq_enter(guest_cpu& cpu);
    void irq_exit(guest_cpu& cpu);
    void irqs_off(guest_cpu& cpu) { ++cpu.irqs_off; }
    void irqs_on(guest_cpu& cpu) {
        if (--cpu.irqs_off == 0) cpu.irqs_on.notify_delta();
    }

    /// What it costs to read the clock now: with interrupts off it is as in a handler.
    sim_time clock_read(const guest_cpu& cpu) const {
        return cpu.in_irq || cpu.irqs_off > 0 ? costs().clock_read_irq : costs().clock_read;
    }

    // --- clocks, log, trace ---
    /// The kernel's mono clock at `t`: cut down to its granularity.
    sim_time clock_stamp(sim_time t) const {
        const std::int64_t g = costs().clock_granularity.ps;
        return g > 1 ? sim_time(t.ps - t.ps % g) : t;
    }
    [[gnu::cold]] void printk(const std::string& text, sim_time when);
    using sc_core::sc_object::trace;  // SystemC's own, not hidden by these
    /// Emits a trace event if ftrace is on: in task context (reads the clock first) ...
    void trace(guest_context& c, traces::ftrace_event& e);
    /// ... with a payload. It is copied after the clock was read (kernel/trace/ring_buffer.c
    /// ring_buffer_lock_reserve() before the event's assignments): of a message that is answered
    /// meanwhile the trace shows what the answer made of it.
    void trace(guest_context& c, traces::ftrace_event& e, const std::uint8_t* payload,
               std::size_t size);
    /// ... or in the interrupt handler of `cpu`.
    void trace_irq(guest_cpu& cpu, traces::ftrace_event& e);
    bool tracing() const { return config_.ftrace; }

    // --- what ends a run ---
    /// A task threw scmi_vp::error: the simulation stops.
    void fail(std::exception_ptr what);
    /// After the simulation: throws what a task threw.
    void rethrow_failure();
    /// At each call of the workload: throws scmi_vp::error (config) when no time passes any more.
    void check_progress() {
        if (last_call_ != now()) last_call_ = now(), same_instant_ = 0;
        if (++same_instant_ > max_calls_per_instant) no_progress();
    }

private:
    void stamp(guest_context& c, traces::ftrace_event& e);
    friend class guest_context;
    enum class timer_kind : std::uint8_t { deadline, runnable };
    struct timer_item {
        guest_context* context;
        timer_kind kind;
    };
    void arm(guest_context& c, sim_time deadline);
    void arm_anew(guest_context& c, sim_time deadline);
    [[gnu::cold]] [[noreturn]] void no_progress();
    void timers_due();
    void wake_expired();
    void make_runnable(guest_context& c);
    [[gnu::noinline]] void queue_up(guest_context& c);
    bool claim_cpu(guest_context& c);  ///< false: it queues for it
    void dispatch(guest_cpu& cpu);
    [[gnu::noinline]] void run_next(guest_cpu& cpu);

    guest_config config_;
    tick_clock ticks_;
    sim_time quantum_;
    latency guest_wake_;
    monitor& mon_;
    std::vector<std::unique_ptr<guest_cpu>> cpus_;
    std::vector<std::unique_ptr<guest_context>> contexts_;
    std::size_t finished_ = 0, daemons_ = 0;
    calendar<timer_item> timers_;
    std::uint64_t waits_ = 0;
    std::vector<guest_context*> expired_;  ///< in timers_due() only
    std::exception_ptr failure_;
    static constexpr std::uint64_t max_calls_per_instant = 1'000'000;
    std::uint64_t same_instant_ = 0;  ///< calls since time last moved
    sim_time last_call_;
};

inline sim_time guest_context::stamp() {
    sync();
    return now();
}

// Waiting, in one piece with who waits: after a switch of threads the host mispredicts every return
// on the way back to the caller, so there are few of them.

inline void guest_kernel::dispatch(guest_cpu& cpu) {
    if (cpu.running || cpu.in_irq || cpu.run_queue.empty()) return;
    run_next(cpu);
}

inline void guest_kernel::arm(guest_context& c, sim_time deadline) {
    // Lazy: an earlier entry of this task comes back in time to be moved to the new deadline.
    if (deadline != sim_time::max() && c.armed_ > deadline) arm_anew(c, deadline);
}

inline void guest_context::give_cpu() {
    cpu_.running = nullptr;
    kernel_.dispatch(cpu_);
}

inline void guest_context::block(context_wave shown) {
    waves* w = kernel_.mon().wave();
    if (w) w->context(now(), index_, shown);
    blocked_ = true;
    give_cpu();
    thread_.suspend();
    blocked_ = waking_ = false;
    if (w) w->context(now(), index_, context_wave::running);
    spend(kernel_.costs().context_switch);
    sync();  // what it waited for is looked at when it runs: a reply may come in the meantime
}

inline bool guest_context::wait_for(completion& c, sim_time deadline, context_wave shown,
                                    unsigned wheel_level) {
    sync();
    if (!c.done) {
        c.waiter = this;
        deadline_ = deadline;
        wheel_level_ = wheel_level;
        wait_number_ = ++kernel_.waits_;
        kernel_.arm(*this, deadline);
        block(shown);
        deadline_ = sim_time::max();
        c.waiter = nullptr;
    }
    const bool done = c.done;
    c.done = false;
    return done;
}

}  // namespace scmi_vp::models
