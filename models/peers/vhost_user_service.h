// SPDX-License-Identifier: Apache-2.0
// One guest's place in wall-clock time: its socket, served for as long as the platform runs,
// whoever comes and goes there and whatever they send.
#pragma once

#include <functional>
#include <string>

#include "models/peers/accept_pause.h"
#include "models/peers/vhost_user_peer.h"
#include "models/peers/wall_clock.h"

namespace scmi_vp::models {

class vhost_user_service : public wall_client {
public:
    /// `report` is told of connections, their ends and what was wrong; a flood of complaints is cut
    /// short.
    vhost_user_service(virtio::unix_listener listener, virtio::vhost_user::session_config config,
                       scmi_device& device, virtio::guest_memory& view,
                       std::function<void(const std::string&)> report);

    const vhost_user_peer& peer() const { return peer_; }
    /// How long a peer may owe the rest of a message, or not read.
    sim_time patience = seconds(10);

    void watch(std::vector<pollfd>& fds) override;
    void serve(const pollfd* fds, std::size_t n) override;
    bool pass_on() override;
    sim_time deadline() const override;
    void overdue() override;
    /// The end of the run: whoever is connected is told by the closed connection.
    void close() { peer_.end(""); }

private:
    void serve_connection();
    void after();
    void look();
    void tell();

    vhost_user_peer peer_;
    std::function<void(const std::string&)> report_;
    sim_time stalled_at_ = sim_time::max();
    accept_pause accept_pause_;
    sim_time look_at_ = sim_time::max(), look_after_ = microseconds(50);
    bool was_connected_ = false;
    std::uint64_t told_ = 0;
    std::string told_fault_;
};

}  // namespace scmi_vp::models
