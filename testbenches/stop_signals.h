// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and the like as something to poll, so that a run in wall-clock time ends in order.
#pragma once

#include <csignal>

#include "models/peers/wall_clock.h"
#include "virtio/file_descriptor.h"

namespace scmi_vp::testbenches {

/// While this lives, SIGINT, SIGTERM and SIGHUP stop the clock instead of ending the process.
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

}  // namespace scmi_vp::testbenches
