// SPDX-License-Identifier: Apache-2.0
// See stop_signals.h.
#include "testbenches/stop_signals.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/signalfd.h>

#include "base/error.h"

namespace scmi_vp::testbenches {

stop_signals::stop_signals(models::wall_clock& clock) : clock_(clock) {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
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

}  // namespace scmi_vp::testbenches
