// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and the like (SIGINT, SIGTERM, SIGHUP), so that a run ends in order: as something to poll
// in wall-clock time, as a flag where nobody polls.
#pragma once

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

#include "models/peers/wall_clock.h"
#include "virtio/vhost_user/file_descriptor.h"

namespace scmi_vp::runs {

/// What ends a process that has something to put in order first: Ctrl-C, kill, a closed terminal.
inline constexpr std::array<int, 3> stopping_signals{SIGINT, SIGTERM, SIGHUP};

/// Whether who started this process wants it to outlive that signal (nohup, a script's `&`).
bool is_ignored(int signal);

/// While this lives, they stop the clock instead of ending the process.
class stop_signals : public models::wall_client {
public:
    explicit stop_signals(models::wall_clock& clock);
    ~stop_signals() override;
    stop_signals(const stop_signals&) = delete;
    stop_signals& operator=(const stop_signals&) = delete;

    void watch(std::vector<pollfd>& fds) override;
    void serve(const pollfd* fds, std::size_t n) override;
    /// The signal that came; 0: none.
    int number() const { return number_; }

private:
    models::wall_clock& clock_;
    virtio::file_descriptor fd_;
    sigset_t before_{};
    int number_ = 0;
};

/// One of them ended what was going on; how far it had come, and what is kept. The program then
/// ends as the signal would have ended it.
class stopped : public std::runtime_error {
public:
    stopped(int signal, const std::string& what) : std::runtime_error(what), signal_(signal) {}
    int signal() const { return signal_; }

private:
    int signal_;
};

/// While this lives, they set a flag (to their number) instead of ending the process; one at a
/// time. Ignored ones stay ignored.
class stop_flag {
public:
    stop_flag();
    ~stop_flag();
    stop_flag(const stop_flag&) = delete;
    stop_flag& operator=(const stop_flag&) = delete;

    const volatile std::sig_atomic_t* asked() const;

private:
    std::array<struct sigaction, 3> before_{};
};

}  // namespace scmi_vp::runs
