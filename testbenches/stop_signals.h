// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and the like (SIGINT, SIGTERM, SIGHUP), so that a run ends in order: as something to poll
// in wall-clock time, as a flag where nobody polls.
#pragma once

#include <array>
#include <csignal>

#include "models/peers/wall_clock.h"
#include "virtio/file_descriptor.h"

namespace scmi_vp::testbenches {

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

/// While this lives, they set a flag instead of ending the process; one at a time.
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

}  // namespace scmi_vp::testbenches
