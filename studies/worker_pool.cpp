// SPDX-License-Identifier: Apache-2.0
// See worker_pool.h.
#include "studies/worker_pool.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace scmi_vp::studies {
namespace {

// Results that wait for an earlier one are kept in memory: so many tasks may be ahead of it.
constexpr std::size_t furthest_ahead = 256;
constexpr int tick_ms = 200;

volatile std::sig_atomic_t caught_signal = 0;

void on_signal(int signal) {
    caught_signal = signal;
}

/// Ctrl-C only sets a flag while this lives; what was installed before comes back.
class signal_guard {
public:
    signal_guard() {
        caught_signal = 0;
        struct sigaction action {};
        action.sa_handler = on_signal;
        sigaction(SIGINT, &action, &old_int_);
        sigaction(SIGTERM, &action, &old_term_);
    }
    ~signal_guard() {
        sigaction(SIGINT, &old_int_, nullptr);
        sigaction(SIGTERM, &old_term_, nullptr);
    }
    signal_guard(const signal_guard&) = delete;
    signal_guard& operator=(const signal_guard&) = delete;

private:
    struct sigaction old_int_ {
    }, old_term_{};
};

void write_all(int fd, const std::string& data) {
    std::size_t done = 0;
    while (done < data.size()) {
        const ssize_t n = ::write(fd, data.data() + done, data.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // the parent is gone
        done += static_cast<std::size_t>(n);
    }
}

/// In the child: 'r' and the result, or 'e', the error's kind and its text.
[[noreturn]] void child_main(const pool_work& work, std::size_t task, int fd, pid_t parent) {
    // Children of a parent that was killed must not go on computing for nobody.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) ::dup2(null, STDOUT_FILENO);  // standard output is the parent's
    std::string message;
    const auto failed = [](error_kind kind, const char* what) {
        return std::string("e") + char('0' + int(kind)) + what;
    };
    try {
        message = "r" + work.run(task);
    } catch (const error& e) {
        message = failed(e.kind(), e.what());
    } catch (const std::exception& e) {
        message = failed(error_kind::model, e.what());
    }
    write_all(fd, message);
    ::_exit(0);
}

struct child {
    std::size_t task = 0;
    pid_t pid = 0;
    int fd = -1;
    std::string message;
};

class pool {
public:
    explicit pool(const pool_work& work) : work_(work) {
        jobs_ = work.jobs ? work.jobs : std::max(1u, std::thread::hardware_concurrency());
    }
    ~pool() {
        for (const child& c : children_) end(c);
    }
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    void run();

private:
    bool may_start() const {
        return !failure_ && started_ < work_.tasks && children_.size() < jobs_ &&
               started_ < taken_ + furthest_ahead;
    }
    void start();
    void wait_for_children();
    bool read_some(child& c);
    void finish(const child& c);
    void fail(std::size_t task, error e);
    static void end(const child& c);

    const pool_work& work_;
    unsigned jobs_;
    std::size_t started_ = 0, ended_ = 0, taken_ = 0;
    std::vector<child> children_;
    std::map<std::size_t, std::string> waiting_;  ///< results whose turn has not come
    std::exception_ptr failure_;
    std::size_t failed_task_ = 0;
};

void pool::run() {
    std::cout.flush();
    while (taken_ < work_.tasks) {
        while (may_start()) start();
        // Whatever fails later than the failure that is known will not be reported.
        if (failure_ && children_.empty()) std::rethrow_exception(failure_);
        wait_for_children();
        if (caught_signal) throw interrupted(caught_signal, ended_, work_.tasks);
        if (work_.tick) work_.tick();
        while (!waiting_.empty() && waiting_.begin()->first == taken_) {
            const std::string result = std::move(waiting_.begin()->second);
            waiting_.erase(waiting_.begin());
            work_.take(taken_++, result);
        }
    }
}

void pool::start() {
    if (work_.prepare) work_.prepare(started_);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw error(error_kind::output, "pipe: " + std::string(std::strerror(errno)));
    }
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
        const std::string reason = std::strerror(errno);
        ::close(ends[0]);
        ::close(ends[1]);
        throw error(error_kind::output,
                    "cannot start a process (" + reason + "); give fewer with --jobs");
    }
    if (pid == 0) {
        ::close(ends[0]);
        child_main(work_, started_, ends[1], parent);
    }
    ::close(ends[1]);
    children_.push_back({started_++, pid, ends[0], {}});
}

void pool::wait_for_children() {
    std::vector<pollfd> fds;
    for (const child& c : children_) fds.push_back({c.fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), tick_ms) < 0) return;  // a signal, or nothing yet
    for (std::size_t i = fds.size(); i-- > 0;) {
        if (!fds[i].revents || read_some(children_[i])) continue;
        const child c = std::move(children_[i]);
        children_.erase(children_.begin() + std::ptrdiff_t(i));
        finish(c);
    }
}

/// False at the end of its message.
bool pool::read_some(child& c) {
    char block[65536];
    const ssize_t n = ::read(c.fd, block, sizeof block);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    c.message.append(block, static_cast<std::size_t>(n));
    return n > 0;
}

void pool::finish(const child& c) {
    ::close(c.fd);
    int status = 0;
    while (::waitpid(c.pid, &status, 0) < 0 && errno == EINTR) {
    }
    ++ended_;
    if (!c.message.empty() && c.message[0] == 'r' && WIFEXITED(status)) {
        if (!failure_) waiting_.emplace(c.task, c.message.substr(1));
        return;
    }
    if (c.message.size() > 1 && c.message[0] == 'e') {
        return fail(c.task, error(error_kind(c.message[1] - '0'),
                                  c.message.substr(2) + "\n  in " + work_.name(c.task)));
    }
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    // Ctrl-C reaches all processes of the terminal's job.
    if (signal == SIGINT || signal == SIGTERM) caught_signal = signal;
    const std::string how =
        signal ? "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")"
               : "status " + std::to_string(WEXITSTATUS(status));
    fail(c.task,
         error(error_kind::model, "a simulation died by " + how + "\n  in " + work_.name(c.task)));
}

/// Tasks before it go on, since one of them may fail too; those behind it are not needed any more.
void pool::fail(std::size_t task, error e) {
    if (failure_ && failed_task_ < task) return;
    failure_ = std::make_exception_ptr(std::move(e));
    failed_task_ = task;
    const auto later = [&](const child& c) {
        if (c.task < task) return false;
        end(c);
        return true;
    };
    children_.erase(std::remove_if(children_.begin(), children_.end(), later), children_.end());
}

void pool::end(const child& c) {
    ::kill(c.pid, SIGKILL);
    ::close(c.fd);
    while (::waitpid(c.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

interrupted::interrupted(int signal, std::size_t done, std::size_t tasks)
    : signal_(signal),
      text_("interrupted after " + std::to_string(done) + " of " + std::to_string(tasks) +
            " runs") {}

void run_pool(const pool_work& work) {
    const signal_guard guard;
    pool(work).run();
}

}  // namespace scmi_vp::studies
