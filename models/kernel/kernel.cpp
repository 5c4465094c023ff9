// SPDX-License-Identifier: Apache-2.0
// See kernel.h.
#include "models/kernel/kernel.h"

#include <algorithm>

#include "base/error.h"
#include "models/waves.h"

namespace scmi_vp::models {

guest_context::guest_context(sc_core::sc_module_name name, guest_kernel& kernel,
                             context_config config, std::uint16_t index)
    : sc_core::sc_module(name),
      kernel_(kernel),
      config_(std::move(config)),
      index_(index),
      cpu_(kernel.cpu(config_.cpu)),
      quantum_(kernel.quantum()),
      passed_(calling<&sleeper::resume>(&thread_)) {
    SC_HAS_PROCESS(guest_context);
    SC_THREAD(run);
}

void guest_context::run() {
    thread_.begin();
    try {
        take_cpu();
        body(*this);
        sync();
        give_cpu();
        finished_ = true;
        ++kernel_.finished_;
        if (waves* w = kernel_.mon().wave()) w->context(now(), index_, context_wave::done);
        if (kernel_.all_finished()) timeline::get().stop();
    } catch (const error&) {
        // SystemC would turn it into a report of its own and forget its kind.
        kernel_.fail(std::current_exception());
    }
    thread_.end();
}

/// Simulated time passes for everybody; others run meanwhile.
void guest_context::pass(sim_time span) {
    passed_.set(now() + span);
    thread_.suspend();
}

void guest_context::use(sim_time cost) {
    ahead_ += cost;
    if (ahead_ >= quantum_) sync();
}

void guest_context::catch_up() {
    while (ahead_.ps > 0) {
        sim_time before = cpu_.stolen;
        const sim_time span = ahead_;
        ahead_ = sim_time{};
        pass(span);
        // What interrupts took meanwhile is still to be done; one may be in the middle of taking.
        sim_time taken = cpu_.stolen - before;
        if (cpu_.in_irq) {
            taken += now() - cpu_.irq_since;
            wait_for(cpu_.irq_exited);
        }
        ahead_ += taken;
    }
}

void guest_context::take_cpu() {
    if (!kernel_.claim_cpu(*this)) thread_.suspend();
    if (waves* w = kernel_.mon().wave()) w->context(now(), index_, context_wave::running);
    spend(kernel_.costs().context_switch);
}

void guest_context::idle(sim_time span) {
    sync();
    if (span.ps > 0) leave_cpu_for(span);
}

void guest_context::leave_cpu_for(sim_time span) {
    if (waves* w = kernel_.mon().wave()) w->context(now(), index_, context_wave::idle);
    give_cpu();
    pass(span);
    take_cpu();
}

void guest_context::wait_woken(context_wave shown) {
    sync();
    block(shown);
}

void guest_context::spin(awaited_event& progress, sim_time period, sim_time until) {
    sync();
    const sim_time begin = now(), stolen = cpu_.stolen;
    if (until > begin) {
        progress.await(thread_);
        pass(until - begin);
        passed_.clear();
        progress.forget(thread_);
    }
    pass({});  // what interrupts at this instant comes first
    while (cpu_.in_irq) wait_for(cpu_.irq_exited);
    if (period.ps == 0) return;
    const sim_time spent = now() - begin - (cpu_.stolen - stolen);
    const std::int64_t into_turn = spent.ps % period.ps;
    if (into_turn != 0 || spent.ps == 0) ahead_ += sim_time(period.ps - into_turn);
    sync();
}

void guest_context::lock(guest_mutex& m) {
    sync();  // others see who came first
    if (!m.holder) {
        m.holder = this;
        return;
    }
    m.waiters.push_back(this);
    while (m.holder != this) wait_woken(context_wave::waiting_lock);
}

void guest_context::unlock(guest_mutex& m) {
    sync();
    m.holder = nullptr;
    if (m.waiters.empty()) return;
    m.holder = m.waiters.front();
    m.waiters.pop_front();
    kernel_.wake(*m.holder);
}

guest_kernel::guest_kernel(sc_core::sc_module_name name, const guest_config& config,
                           sim_time quantum, latency guest_wake, monitor& mon)
    : sc_core::sc_module(name),
      config_(config),
      ticks_(config.hz, config.tick_phase),
      quantum_(quantum),
      guest_wake_(std::move(guest_wake)),
      mon_(mon),
      timers_(calling<&guest_kernel::timers_due>(this)) {
    for (unsigned i = 0; i < config_.cpus; ++i) {
        cpus_.push_back(std::make_unique<guest_cpu>());
        cpus_.back()->index = i;
    }
}

guest_context& guest_kernel::add_context(const context_config& c,
                                         std::function<void(guest_context&)> body) {
    // A SystemC name must be an identifier; the pid keeps it unique.
    std::string id;
    for (char ch : c.name) id += std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
    id += "_" + std::to_string(c.pid);
    contexts_.push_back(std::make_unique<guest_context>(
        id.c_str(), *this, c, static_cast<std::uint16_t>(contexts_.size())));
    contexts_.back()->body = std::move(body);
    return *contexts_.back();
}

void guest_kernel::fail(std::exception_ptr what) {
    if (failure_) return;  // the first one says why
    failure_ = std::move(what);
    timeline::get().stop();
}

void guest_kernel::rethrow_failure() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void guest_kernel::no_progress() {
    throw error(error_kind::config,
                "simulated time stands still at " + to_string(now()) +
                    ": a workload without think time or interarrival time meets a platform without "
                    "latency; give workload.loop.think, workload.open.interarrival or hops.service "
                    "a value");
}

void guest_kernel::wake(guest_context& c) {
    if (!c.blocked_ || c.waking_) return;
    c.waking_ = true;
    const sim_time delay = guest_wake_.next();
    if (delay.ps > 0) {
        timers_.at(now() + delay, {&c, timer_kind::runnable});
    } else {
        make_runnable(c);
    }
}

void guest_kernel::start(guest_context& c) {
    if (!c.blocked_ || c.waking_) return;
    c.waking_ = true;
    make_runnable(c);
}

bool guest_kernel::claim_cpu(guest_context& c) {
    guest_cpu& cpu = c.cpu();
    if (!cpu.running && !cpu.in_irq && cpu.run_queue.empty()) {
        cpu.running = &c;
        return true;
    }
    queue_up(c);
    return false;
}

void guest_kernel::queue_up(guest_context& c) {
    if (mon_.wave()) mon_.wave()->context(now(), c.index_, context_wave::runnable);
    c.cpu().run_queue.push_back(&c);
}

void guest_kernel::run_next(guest_cpu& cpu) {
    cpu.running = cpu.run_queue.front();
    cpu.run_queue.pop_front();
    cpu.running->thread_.resume();
}

void guest_kernel::make_runnable(guest_context& c) {
    if (claim_cpu(c)) c.thread_.resume();
}

void guest_kernel::arm_anew(guest_context& c, sim_time deadline) {
    c.armed_ = deadline;
    timers_.at(deadline, {&c, timer_kind::deadline});
}

void guest_kernel::timers_due() {
    timer_item item;
    while (timers_.pop_due(item)) {
        guest_context& c = *item.context;
        if (item.kind == timer_kind::runnable) {
            make_runnable(c);
            continue;
        }
        if (now() < c.armed_) continue;  // an older entry than the one that counts
        c.armed_ = sim_time::max();
        if (c.deadline_ <= now()) {
            expired_.push_back(&c);
        } else {
            arm(c, c.deadline_);
        }
    }
    wake_expired();
}

/// kernel/time/timer.c: of the timers of one tick, __run_timers() takes the higher levels first,
/// and enqueue_timer() has put each in front of those that were armed before it.
void guest_kernel::wake_expired() {
    std::sort(expired_.begin(), expired_.end(), [](const guest_context* a, const guest_context* b) {
        return a->wheel_level_ != b->wheel_level_ ? a->wheel_level_ > b->wheel_level_
                                                  : a->wait_number_ > b->wait_number_;
    });
    for (guest_context* c : expired_) wake(*c);
    expired_.clear();
}

void guest_kernel::irq_enter(guest_cpu& cpu) {
    cpu.in_irq = true;
    cpu.irq_since = now();
    if (mon_.wave()) mon_.wave()->irq_handler(now(), true);
}

void guest_kernel::irq_exit(guest_cpu& cpu) {
    mon_.irq_left();
    cpu.in_irq = false;
    cpu.stolen += now() - cpu.irq_since;
    cpu.irq_exited.notify();
    if (mon_.wave()) mon_.wave()->irq_handler(now(), false);
    dispatch(cpu);
}

void guest_kernel::printk(const std::string& text, sim_time when) {
    // Before the first edge the tick's clock stands at zero.
    mon_.log({costs().printk_on_tick ? std::max(sim_time{}, ticks_.floor(when)) : when, text});
}

void guest_kernel::stamp(guest_context& c, traces::ftrace_event& e) {
    c.spend(clock_read(c.cpu()));
    c.sync();
    e.stamp = clock_stamp(now());
    e.task = c.config().name;
    e.pid = c.config().pid;
    e.cpu = c.config().cpu;
    e.flags = c.cpu().irqs_off > 0 ? "d...." : ".....";
}

void guest_kernel::trace(guest_context& c, traces::ftrace_event& e) {
    stamp(c, e);
    mon_.ftrace(e);
}

void guest_kernel::trace(guest_context& c, traces::ftrace_event& e, const std::uint8_t* payload,
                         std::size_t size) {
    stamp(c, e);
    e.payload.assign(payload, payload + size);
    mon_.ftrace(e);
}

void guest_kernel::trace_irq(guest_cpu& cpu, traces::ftrace_event& e) {
    // A method cannot let the time pass here: the handler does, after its message.
    cpu.irq_clock_reads += clock_read(cpu);
    e.stamp = clock_stamp(now() + cpu.irq_clock_reads);
    e.task = cpu.running ? cpu.running->config().name : "<idle>";
    e.pid = cpu.running ? cpu.running->config().pid : 0;
    e.cpu = cpu.index;
    // A workqueue's thread handles what polling has fetched.
    e.flags = cpu.in_irq ? "d.h.." : cpu.irqs_off > 0 ? "d...." : ".....";
    mon_.ftrace(e);
}

}  // namespace scmi_vp::models
