// SPDX-License-Identifier: Apache-2.0
// See guest.h.
#include "models/guest/guest.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "models/agent/scmi_probe.h"

namespace scmi_vp::models {

guest::guest(sc_core::sc_module_name name, const guest_config& config, sim_time quantum,
             std::uint64_t seed, guest_hop_latencies latencies, std::uint64_t ram_base,
             std::uint64_t device_base, virtio::guest_memory& memory, monitor& mon)
    : sc_core::sc_module(name),
      config_(config),
      latencies_(std::move(latencies)),
      allocator_(ram_base, config.memory_bytes),
      kernel_("kernel", config_, quantum, latencies_.guest_wake, mon),
      driver_("virtio", kernel_, device_base, memory, allocator_),
      channel_(kernel_, driver_, memory, allocator_, latencies_.extra),
      agent_(kernel_, channel_, memory, latencies_.extra),
      instance_(agent_, config_),
      handler_("interrupt_handler", kernel_, driver_, channel_, agent_, latencies_.interrupt,
               latencies_.extra),
      arrival_times_(calling<&guest::arrivals_due>(this)) {
    for (const open_arrivals& o : config_.open) {
        arrival_queue& q = arrivals_.emplace_back();
        q.config = &o;
        q.interarrival =
            latency(o.interarrival, random_stream(seed,
                                                  std::string(this->name()) + ".open." +
                                                      std::to_string(arrivals_.size() - 1),
                                                  "interarrival"));
        q.lock = mutex_named(o.lock);
    }
    kernel_.add_context(config_.probe_context, [this](guest_context& c) { probe(c); });
    for (const context_config& c : config_.contexts) {
        const std::size_t index = tasks_.size();
        task& t = tasks_.emplace_back();
        configure(t, c, seed);
        t.context =
            &kernel_.add_context(c, [this, index](guest_context& ctx) { run_task(index, ctx); });
    }
    add_kernel_tasks();
}

/// In the order of all_contexts().
void guest::add_kernel_tasks() {
    const std::vector<context_config> all = all_contexts(config_);
    std::size_t next = 1 + config_.contexts.size();
    if (has_driver(config_, caller_driver)) {
        loader_ = &kernel_.add_context(all[next++], [this](guest_context& c) { load_module(c); });
    }
    for (std::size_t i = 0; next < all.size(); ++next, ++i) {
        power_off_workers_.push_back(
            &kernel_.add_context(all[next], [this, i](guest_context& c) { power_off(i, c); }));
    }
    add_daemons();
}

/// Kernel threads without requests of their own.
void guest::add_daemons() {
    if (any_call([](const call& c) { return c.row->argument == argument_kind::event; })) {
        // Any idle worker of an unbound workqueue (notify.c scmi_notification_init).
        instance_.notifications().set_worker(&kernel_.add_daemon(
            {"kworker/u2:1", 30, 0},
            [this](guest_context& ctx) { instance_.notifications().work(ctx); }));
    }
    if (config_.atomic || any_call([](const call& c) { return c.poll; })) {
        channel_.set_deferred_worker(&kernel_.add_daemon(
            {"kworker/u2:2", 31, 0}, [this](guest_context& ctx) { agent_.deferred_work(ctx); }));
    }
}

bool guest::any_call(bool (*is)(const call&)) const {
    const auto any = [is](const auto& work) {
        return std::any_of(work.calls.begin(), work.calls.end(), is);
    };
    return std::any_of(config_.sequence.begin(), config_.sequence.end(),
                       [is](const sequence_step& s) { return is(s.what); }) ||
           std::any_of(config_.loops.begin(), config_.loops.end(), any) ||
           std::any_of(config_.open.begin(), config_.open.end(), any);
}

void guest::power_off(std::size_t worker, guest_context& c) {
    while (!booted_) c.wait_woken(context_wave::idle);
    if (worker >= unused_.size()) return;
    unused_[worker].driver->switch_off(c, unused_[worker].id);
}

void guest::load_module(guest_context& c) {
    while (!booted_) c.wait_woken(context_wave::idle);
    if (config_.loader_start > c.time()) c.idle(config_.loader_start - c.time());
    if (probed_) instance_.load_caller(c);
    start_workload(c);
}

void guest::configure(task& t, const context_config& c, std::uint64_t seed) {
    t.at.task = c.name + "-" + std::to_string(c.pid);
    for (const call_loop& l : config_.loops) {
        if (l.context != c.name) continue;
        t.loop = &l;
        t.at.endless = l.count == 0;
        t.lock = mutex_named(l.lock);
        t.think = latency(l.think ? l.think : make_constant({}),
                          random_stream(seed, std::string(name()) + "." + c.name, "think"));
    }
    for (arrival_queue& q : arrivals_) {
        for (const std::string& name : q.config->contexts) {
            if (name != c.name) continue;
            t.open = &q;
            t.at.endless = q.config->count == 0;
        }
    }
}

guest_mutex* guest::mutex_named(const std::string& name) {
    return name.empty() ? nullptr : &mutexes_[name];
}

void guest::probe(guest_context& c) {
    // Up to v6.11 arm-scmi registers before virtio-mmio and is deferred once at boot, after it has
    // read the threshold.
    const bool device = config_.device_tree.available;
    if (device && config_.profile.deferral_logged) {
        say_atomic_threshold(c, agent_);
        agent_.log(c, "Deferring probe after not finding a bound scmi-virtio device");
    }
    if (driver_.probe(c) && device && set_up_instance(c)) {
        c.idle(config_.probe_start - c.time());
        probed_ = bound_ = instance_.probe(c);
    }
    c.sync();
    probe_end_ = now();
    booted_ = true;
    unused_ = instance_.unused();
    for (guest_context* t : power_off_workers_) kernel_.start(*t);
    if (loader_) {
        kernel_.start(*loader_);
    } else {
        start_workload(c);
    }
}

/// scmi_probe up to its notification core.
bool guest::set_up_instance(guest_context& c) {
    say_transport(c, agent_);
    say_atomic_threshold(c, agent_);
    channel_.set_up(c, config_.profile.max_msg_size);
    if (!set_up_protocol_channels(c, agent_)) return false;
    agent_.set_up();
    return true;
}

void guest::start_workload(guest_context& c) {
    c.sync();
    step_returned_ = now();
    workload_may_start_ = true;
    if (probed_) start_arrivals();
    for (task& t : tasks_) kernel_.start(*t.context);
}

void guest::start_arrivals() {
    for (arrival_queue& q : arrivals_) {
        arrival_times_.at(now() + q.config->start + q.interarrival.next(), &q);
    }
}

void guest::arrivals_due() {
    arrival_queue* q;
    while (arrival_times_.pop_due(q)) {
        try {
            kernel_.check_progress();
        } catch (const error&) {
            return kernel_.fail(std::current_exception());
        }
        q->waiting.push_back(now());
        q->ended = ++q->arrived == q->config->count;
        if (!q->ended) arrival_times_.at(now() + q->interarrival.next(), q);
        // The last arrival lets every idle task look: they find nothing more to wait for.
        do {
            if (q->idle.empty()) break;
            kernel_.wake(*q->idle.front());
            q->idle.pop_front();
        } while (q->ended);
    }
}

void guest::run_open(task& t, guest_context& c) {
    arrival_queue& q = *t.open;
    for (;;) {
        while (!q.waiting.empty()) {
            const sim_time intended = q.waiting.front();
            q.waiting.pop_front();
            make(t, c, q.config->calls[q.taken++ % q.config->calls.size()], intended, q.lock);
            c.sync();
        }
        if (q.ended) return;
        q.idle.push_back(&c);
        c.wait_woken(context_wave::idle);
    }
}

void guest::run_task(std::size_t index, guest_context& c) {
    task& t = tasks_[index];
    while (!workload_may_start_) c.wait_woken(context_wave::idle);
    if (probed_ && t.loop) run_loop(t, c);
    if (probed_ && t.open) run_open(t, c);
    if (probed_ && !t.loop && !t.open) run_sequence(t, c);
    t.at.finished = true;
}

void guest::run_loop(task& t, guest_context& c) {
    const call_loop& loop = *t.loop;
    if (loop.at.empty()) c.idle(loop.start);
    const std::uint64_t count = loop.count ? loop.count : UINT64_MAX;
    std::size_t next = 0;  // of the calls, in turn
    for (std::uint64_t n = 0; n < count; ++n) {
        c.idle(n < loop.at.size() ? loop.at[n] - c.time() : t.think.next());
        make(t, c, t.loop->calls[next], c.stamp(), t.lock);
        if (++next == t.loop->calls.size()) next = 0;
    }
}

void guest::run_sequence(task& t, guest_context& c) {
    const std::string& name = c.config().name;
    const auto mine_left = [&] {
        for (std::size_t s = step_; s < config_.sequence.size(); ++s) {
            if (config_.sequence[s].context == name) return true;
        }
        return false;
    };
    while (mine_left()) {
        while (config_.sequence[step_].context != name) c.wait_woken(context_wave::idle);
        const sequence_step& step = config_.sequence[step_];
        c.idle(step_returned_ + step.gap - now());
        make(t, c, step.what, c.stamp(), nullptr);
        c.sync();
        step_returned_ = now();
        ++step_;
        next_step();
    }
}

void guest::next_step() {
    if (step_ >= config_.sequence.size()) return;
    for (task& t : tasks_) {
        if (!t.loop && t.context->config().name == config_.sequence[step_].context) {
            kernel_.wake(*t.context);
        }
    }
}

void guest::make(task& t, guest_context& c, const call& what, sim_time intended,
                 guest_mutex* lock) {
    kernel_.check_progress();
    c.sync();
    t.at.in_call = true;
    t.at.doing = what.row;
    t.at.since = c.time();
    c.call = {true, intended, c.time()};
    const call_lock subsystem = instance_.lock_of(what);
    if (rarely(lock != nullptr)) c.lock(*lock);
    if (rarely(subsystem.mutex != nullptr)) c.lock(*subsystem.mutex);
    const bool atomic = rarely(subsystem.irqs_off);
    if (atomic) kernel_.irqs_off(c.cpu());
    const int err = call_driver(c, what);
    if (atomic) {
        c.sync();
        kernel_.irqs_on(c.cpu());
    }
    if (rarely(subsystem.mutex != nullptr)) c.unlock(*subsystem.mutex);
    if (rarely(lock != nullptr)) c.unlock(*lock);
    c.call.active = false;
    t.at.in_call = false;
    t.at.blocked += c.time() - t.at.since;
    ++t.at.calls;
    if (t.open) tell_of_call(c, err);
    if (!err) return;
    ++t.at.failed;
    if (err == -ENODEV) ++t.at.no_device;
    t.at.last_errno = -err;
}

void guest::tell_of_call(guest_context& c, int err) {
    const bool answered = err == 0 || (c.call.sent && !c.call.refused);
    kernel_.mon().call_returned({c.index(), c.call.intended, c.stamp(), err, answered});
}

int guest::call_driver(guest_context& c, const call& what) {
    if (rarely(what.row->target != call_target::protocol)) {
        return what.row->target == call_target::unbind ? unbind(c) : bind(c);
    }
    if (!bound_) return -ENODEV;
    ++calls_under_way_;
    const int err = instance_.make(c, what);
    if (--calls_under_way_ == 0 && unbinding_) kernel_.wake(*unbinding_);
    return err;
}

/// Writing to sysfs' unbind: files of the drivers go first, after the last call in them has
/// returned (fs/kernfs/dir.c kernfs_drain); then the users, the instance, the transport
/// (drivers/base/core.c device_links_unbind_consumers).
int guest::unbind(guest_context& c) {
    if (!bound_) return -ENODEV;
    bound_ = false;
    unbinding_ = &c;
    while (calls_under_way_ != 0) c.wait_woken(context_wave::waiting);
    unbinding_ = nullptr;
    instance_.remove();
    driver_.unbind(c);
    channel_.shut_down();
    return 0;
}

int guest::bind(guest_context& c) {
    if (bound_) return -EBUSY;
    if (!driver_.bind(c)) return -ENODEV;
    bound_ = set_up_instance(c) && instance_.probe(c);
    return 0;
}

std::uint64_t guest::calls_waiting() const {
    std::uint64_t n = 0;
    for (const arrival_queue& q : arrivals_) n += q.waiting.size();
    return n;
}

bool guest::all_done() const {
    const auto goes_on = [this](const task& t) {
        return probed_ && t.at.endless && !t.at.finished;
    };
    return kernel_.unfinished() ==
           std::size_t(std::count_if(tasks_.begin(), tasks_.end(), goes_on));
}

std::vector<task_position> guest::positions() const {
    std::vector<task_position> out;
    for (const task& t : tasks_) out.push_back(t.at);
    return out;
}

}  // namespace scmi_vp::models
