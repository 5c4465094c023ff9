// SPDX-License-Identifier: Apache-2.0
// See worker_pool.h.
#include "studies/methods/worker_pool.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <map>
#include <thread>
#include <vector>

#include <poll.h>

#include "base/error.h"
#include "runs/forked.h"
#include "runs/stop_signals.h"

namespace scmi_vp::studies {
namespace {

// Results that wait for an earlier one are kept in memory: so many tasks may be ahead of it.
constexpr std::size_t furthest_ahead = 256;
constexpr int tick_ms = 200;

volatile std::sig_atomic_t caught_signal = 0;

void on_signal(int signal) {
    caught_signal = signal;
}

bool is_stopping(int signal) {
    const auto& all = runs::stopping_signals;
    return std::find(all.begin(), all.end(), signal) != all.end();
}

/// Ctrl-C only sets a flag while this lives; what was installed before comes back. A signal that
/// was ignored when scmi-vp was started (nohup, a script's background job) stays so.
class signal_guard {
public:
    signal_guard() {
        caught_signal = 0;
        struct sigaction action {};
        action.sa_handler = on_signal;
        for (std::size_t i = 0; i < runs::stopping_signals.size(); ++i) {
            old& o = before_[i];
            o.signal = runs::stopping_signals[i];
            sigaction(o.signal, nullptr, &o.action);
            if (o.action.sa_handler != SIG_IGN) sigaction(o.signal, &action, nullptr);
        }
    }
    ~signal_guard() {
        for (const old& o : before_) sigaction(o.signal, &o.action, nullptr);
    }
    signal_guard(const signal_guard&) = delete;
    signal_guard& operator=(const signal_guard&) = delete;

private:
    struct old {
        int signal = 0;
        struct sigaction action {};
    };
    old before_[runs::stopping_signals.size()] = {};
};

struct child {
    std::size_t task = 0;
    runs::child_process process;
};

class pool {
public:
    explicit pool(const pool_work& work) : work_(work) {
        jobs_ = work.jobs ? work.jobs : std::max(1u, std::thread::hardware_concurrency());
    }
    void run();

private:
    bool may_start() const {
        return !failure_ && started_ < work_.tasks && children_.size() < jobs_ &&
               started_ < taken_ + furthest_ahead;
    }
    void start();
    void wait_for_children();
    void finish(child c);
    template <class error_t>
    void fail(std::size_t task, error_t e);
    void take_in_turn();
    void take_what_ended();

    const pool_work& work_;
    unsigned jobs_;
    std::size_t started_ = 0, taken_ = 0, done_ = 0;
    std::vector<child> children_;
    std::map<std::size_t, std::string> waiting_;  ///< results whose turn has not come
    std::exception_ptr failure_;
    std::size_t failed_task_ = 0;
    bool died_ = false;  ///< what failed is a child that died
};

void pool::run() {
    while (taken_ < work_.tasks) {
        while (may_start()) start();
        // Whatever fails later than the failure that is known will not be reported.
        if (failure_ && children_.empty()) {
            if (died_) take_what_ended();
            std::rethrow_exception(failure_);
        }
        wait_for_children();
        if (caught_signal) {
            children_.clear();
            take_what_ended();
            throw interrupted(caught_signal, done_, work_.tasks);
        }
        if (work_.tick) work_.tick();
        take_in_turn();
    }
    if (caught_signal) throw interrupted(caught_signal, done_, work_.tasks);
}

void pool::take_in_turn() {
    while (!waiting_.empty() && waiting_.begin()->first == taken_) {
        const std::string result = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        work_.take(taken_++, result);
        ++done_;
    }
}

/// Those too that were waiting for one that will not come.
void pool::take_what_ended() {
    for (const auto& [task, result] : waiting_) work_.take(task, result);
    done_ += waiting_.size();
    waiting_.clear();
}

void pool::start() {
    const std::size_t task = started_;
    if (work_.prepare) work_.prepare(task);
    children_.push_back(
        {task, runs::child_process([&] { return work_.run(task); }, "; give fewer with --jobs")});
    ++started_;
}

void pool::wait_for_children() {
    std::vector<pollfd> fds;
    for (const child& c : children_) fds.push_back({c.process.fd(), POLLIN, 0});
    if (::poll(fds.data(), fds.size(), tick_ms) < 0) return;  // a signal, or nothing yet
    for (std::size_t i = fds.size(); i-- > 0;) {
        if (!fds[i].revents || children_[i].process.read_some()) continue;
        child c = std::move(children_[i]);
        children_.erase(children_.begin() + std::ptrdiff_t(i));
        finish(std::move(c));
    }
}

void pool::finish(child c) {
    const runs::child_ending ending = c.process.wait();
    const std::string where = "\n  in " + work_.name(c.task);
    if (ending.result) {
        if (!failure_) waiting_.emplace(c.task, *ending.result);
        return;
    }
    if (ending.failure) {
        return fail(c.task, error(ending.failure->kind(), ending.failure->what() + where));
    }
    // Ctrl-C reaches all processes of the terminal's job.
    if (is_stopping(ending.signal)) caught_signal = ending.signal;
    died_ = true;
    const error died = runs::died("a simulation", ending);
    fail(c.task, child_died(died.kind(), died.what() + where));
}

/// Tasks before it go on, since one of them may fail too; those behind it are not needed any more.
template <class error_t>
void pool::fail(std::size_t task, error_t e) {
    if (failure_ && failed_task_ < task) return;
    failure_ = std::make_exception_ptr(std::move(e));
    failed_task_ = task;
    const auto later = [&](const child& c) { return c.task >= task; };
    children_.erase(std::remove_if(children_.begin(), children_.end(), later), children_.end());
}

}  // namespace

interrupted::interrupted(int signal, std::size_t done, std::size_t tasks)
    : signal_(signal),
      done_(done),
      text_("interrupted after " + std::to_string(done) + " of " + std::to_string(tasks) +
            " runs") {}

void run_pool(const pool_work& work) {
    const signal_guard guard;
    pool(work).run();
}

}  // namespace scmi_vp::studies
