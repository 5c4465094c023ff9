// SPDX-License-Identifier: Apache-2.0
// See wall_clock.h.
#include "models/peers/wall_clock.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <systemc>

#include "base/error.h"
#include "models/peers/advance.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {

sim_time host_time() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return seconds(t.tv_sec) + nanoseconds(t.tv_nsec);
}

wall_clock::wall_clock() : begin_(host_time()) {
    cpu_set_t cpus;
    const bool several = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1;
    awake_after = several ? microseconds(50) : sim_time{};
    // A thread's timers may be 50 us late by default, to wake up together (prctl(2)).
    ::prctl(PR_SET_TIMERSLACK, 1);
}

sim_time wall_clock::elapsed() const {
    return host_time() - begin_;
}

wall_clock::ending wall_clock::run(sim_time until) {
    if (sc_core::sc_get_status() != sc_core::SC_PAUSED) sc_core::sc_start(sc_core::SC_ZERO_TIME);
    stopped_ = false;
    for (;;) {
        // What was taken in is told at the time that it is after that; or later, as long as the
        // models do not keep up.
        while (catch_up() && pass_on()) {
        }
        if (simulation_stopped()) return ending::finished;
        if (stopped_) return ending::stopped;
        if (now() >= until) return ending::deadline;
        if (wait(until)) {
            catch_up();  // it may have slept for long
            if (simulation_stopped()) return ending::finished;
            serve();
            active_ = now();
        }
        call_overdue();
    }
}

/// False when the models do not keep up with the wall, or have stopped.
bool wall_clock::catch_up() {
    const sim_time wall = elapsed(), due = next_event();
    if (due < wall && due > now()) lateness_.add(wall - due);
    if (due <= wall) active_ = wall;
    advance_some(wall);
    return now() >= wall && !simulation_stopped();
}

bool wall_clock::pass_on() {
    bool any = false;
    for (wall_client* c : clients_) any |= c->pass_on();
    return any;
}

/// As advance(), but a guest that keeps the models busy at one instant does not keep us here: then
/// simulated time stays behind, and the next turn goes on.
void wall_clock::advance_some(sim_time to) {
    constexpr int most_steps = 4096;
    for (int n = 0; n < most_steps && !simulation_stopped(); ++n) {
        const sim_time due = next_event();
        if (due > to) {
            if (to > now()) sc_core::sc_start(to_sc(to - now()));
            return;
        }
        sc_core::sc_start(to_sc(due - now()));
    }
}

/// Sleeps until a descriptor is ready (true), an event or a client's deadline is due.
bool wall_clock::wait(sim_time until) {
    fds_.clear();
    counts_.clear();
    sim_time wake = std::min(next_event(), until);
    for (wall_client* c : clients_) {
        const std::size_t before = fds_.size();
        c->watch(fds_);
        counts_.push_back(fds_.size() - before);
        wake = std::min(wake, c->deadline());
    }
    int ready = 0;
    while (ready == 0 && elapsed() < std::min(wake, active_ + awake_after)) {
        ready = sleep(sim_time{});
    }
    if (ready == 0) ready = sleep(wake);
    // Not asleep any more: it is due in a moment.
    const auto almost = [&] {
        const sim_time left = wake == sim_time::max() ? wake : wake - elapsed();
        return left > sim_time{} && left <= awake_before;
    };
    while (ready == 0 && almost()) ready = sleep(sim_time{});
    return ready > 0;
}

/// Until shortly before then; the number of descriptors that are ready.
int wall_clock::sleep(sim_time until) {
    timespec span{};
    const timespec* timeout = nullptr;
    if (until != sim_time::max()) {
        const std::int64_t ns = std::max<std::int64_t>(
            0, until.ps == 0 ? 0 : (until - awake_before - elapsed()) / nanoseconds(1));
        span = {ns / 1'000'000'000, ns % 1'000'000'000};
        timeout = &span;
    }
    const int ready = ::ppoll(fds_.data(), fds_.size(), timeout, nullptr);
    if (ready < 0 && errno != EINTR) {
        throw error(error_kind::model, std::string("ppoll: ") + std::strerror(errno));
    }
    return std::max(0, ready);
}

void wall_clock::serve() {
    const pollfd* at = fds_.data();
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const std::size_t n = counts_[i];
        if (std::any_of(at, at + n, [](const pollfd& p) { return p.revents != 0; })) {
            clients_[i]->serve(at, n);
        }
        at += n;
    }
}

void wall_clock::call_overdue() {
    for (wall_client* c : clients_) {
        if (c->deadline() <= now()) c->overdue();
    }
}

}  // namespace scmi_vp::models
