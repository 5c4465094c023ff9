// SPDX-License-Identifier: Apache-2.0
// See stop_signals.h.
#include "runs/stop_signals.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/signalfd.h>

#include "base/error.h"

namespace scmi_vp::runs {
namespace {

volatile std::sig_atomic_t stop_asked = 0;  // a signal handler knows no object

}  // namespace

bool is_ignored(int signal) {
    struct sigaction now {};
    return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

stop_signals::stop_signals(models::wall_clock& clock) : clock_(clock) {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : stopping_signals) sigaddset(&set, s);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_.valid()) {
        throw error(error_kind::output, std::string("signalfd: ") + std::strerror(errno));
    }
    // Blocked, they are read from the descriptor; the process has one thread.
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    clock_.add(*this);
}

stop_signals::~stop_signals() {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void stop_signals::watch(std::vector<pollfd>& fds) {
    fds.push_back({fd_.get(), POLLIN, 0});
}

void stop_signals::serve(const pollfd*, std::size_t) {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != sizeof info) return;
    number_ = static_cast<int>(info.ssi_signo);
    clock_.stop();
}

stop_flag::stop_flag() {
    stop_asked = 0;
    struct sigaction ask {};
    ask.sa_handler = [](int signal) { stop_asked = signal; };
    for (std::size_t i = 0; i < stopping_signals.size(); ++i) {
        ::sigaction(stopping_signals[i], nullptr, &before_[i]);
        if (before_[i].sa_handler != SIG_IGN) ::sigaction(stopping_signals[i], &ask, nullptr);
    }
}

stop_flag::~stop_flag() {
    for (std::size_t i = 0; i < stopping_signals.size(); ++i) {
        ::sigaction(stopping_signals[i], &before_[i], nullptr);
    }
}

const volatile std::sig_atomic_t* stop_flag::asked() const {
    return &stop_asked;
}

}  // namespace scmi_vp::runs
