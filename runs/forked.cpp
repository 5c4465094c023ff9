// SPDX-License-Identifier: Apache-2.0
// See forked.h.
#include "runs/forked.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory_error.h"
#include "runs/stop_signals.h"

namespace scmi_vp::runs {
namespace {

// The first byte of a child's message: its result, or an error, of which the kind comes next.
constexpr char result_mark = 'r', error_mark = 'e';

bool write_all(int fd, const std::string& data) {
    std::size_t done = 0;
    while (done < data.size()) {
        const ssize_t n = ::write(fd, data.data() + done, data.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;  // the parent is gone
        done += static_cast<std::size_t>(n);
    }
    return true;
}

std::string message_of(const child_process::work& work) {
    const auto failed = [](error_kind kind, const char* what) {
        return std::string{error_mark, static_cast<char>('0' + int(kind))} + what;
    };
    try {
        return result_mark + work();
    } catch (const error& e) {
        return failed(e.kind(), e.what());
    } catch (const std::exception& e) {
        if (is_out_of_memory(e)) return failed(error_kind::memory, out_of_memory().what());
        return failed(error_kind::model, e.what());
    }
}

[[noreturn]] void child_main(const child_process::work& work, int fd, pid_t parent) {
    for (const int signal : stopping_signals) {
        if (!is_ignored(signal)) std::signal(signal, SIG_DFL);
    }
    // Children of a parent that was killed must not go on computing for nobody. Work that has
    // something to put in order (a guest to end) may catch SIGTERM.
    ::prctl(PR_SET_PDEATHSIG, is_ignored(SIGTERM) ? SIGKILL : SIGTERM);
    if (::getppid() != parent) ::_exit(0);
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) ::dup2(null, STDOUT_FILENO);  // standard output is the parent's
    ::_exit(write_all(fd, message_of(work)) ? 0 : 1);
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

[[noreturn]] void refuse(const std::string& advice) {
    throw error(error_kind::output,
                "cannot start a process (" + std::string(std::strerror(errno)) + ")" + advice);
}

}  // namespace

child_process::child_process(const work& what, const std::string& advice) {
    int ends[2];
    // Or the child would write it a second time.
    std::fflush(nullptr);
    std::cout.flush();
    if (::pipe2(ends, O_CLOEXEC) != 0) refuse(advice);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        const int code = errno;
        ::close(ends[0]);
        ::close(ends[1]);
        errno = code;
        refuse(advice);
    }
    if (pid_ == 0) {
        ::close(ends[0]);
        child_main(what, ends[1], parent);
    }
    ::close(ends[1]);
    fd_ = ends[0];
}

child_process::~child_process() {
    if (fd_ >= 0) ::close(fd_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
}

child_process::child_process(child_process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      fd_(std::exchange(other.fd_, -1)),
      message_(std::move(other.message_)) {}

child_process& child_process::operator=(child_process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(fd_, other.fd_);
    std::swap(message_, other.message_);
    return *this;
}

bool child_process::read_some() {
    char block[65536];
    const ssize_t n = ::read(fd_, block, sizeof block);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    message_.append(block, static_cast<std::size_t>(n));
    return n > 0;
}

child_ending child_process::wait() {
    ::close(std::exchange(fd_, -1));
    const int status = wait_for(std::exchange(pid_, -1));
    child_ending ending;
    if (WIFSIGNALED(status)) {
        ending.signal = WTERMSIG(status);
        ending.how_it_died =
            "signal " + std::to_string(ending.signal) + " (" + ::strsignal(ending.signal) + ")";
    } else if (WEXITSTATUS(status) != 0 || message_.empty()) {
        ending.how_it_died = "status " + std::to_string(WEXITSTATUS(status));
    } else if (message_[0] == result_mark) {
        ending.result = message_.substr(1);
    } else {
        ending.failure.emplace(error_kind(message_.at(1) - '0'), message_.substr(2));
    }
    return ending;
}

error died(const std::string& who, const child_ending& ending) {
    const std::string what = who + " died by " + ending.how_it_died;
    // Nothing of ours sends it to a child that is still waited for.
    if (ending.signal != SIGKILL) return {error_kind::model, what};
    return {error_kind::memory, what + ": somebody killed it, or the kernel, out of memory"};
}

std::string run_forked(const std::string& what, const child_process::work& work,
                       const volatile std::sig_atomic_t* stop) {
    child_process child(work);
    bool told = false;
    for (bool more = true; more;) {
        if (stop && *stop != 0 && !std::exchange(told, true)) ::kill(child.pid(), SIGTERM);
        // A signal that comes between the look and the wait is seen at the next look.
        pollfd message{child.fd(), POLLIN, 0};
        if (stop && ::poll(&message, 1, 200) <= 0) continue;
        more = child.read_some();
    }
    const child_ending ending = child.wait();
    if (stop && *stop != 0) throw stopped(*stop, what + " was stopped");
    if (ending.failure) throw *ending.failure;
    if (ending.result) return *ending.result;
    throw died(what + ": the process", ending);
}

}  // namespace scmi_vp::runs
