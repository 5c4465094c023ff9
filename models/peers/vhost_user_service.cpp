// SPDX-License-Identifier: Apache-2.0
// See vhost_user_service.h.
#include "models/peers/vhost_user_service.h"

#include <algorithm>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {
namespace {

// Others wait while one front end talks.
constexpr int messages_per_turn = 64;
constexpr std::uint64_t most_complaints = 8;
// A front end that neither rings nor sends messages has its ring looked at as often as this while
// commands come, and ever more rarely while none do: that costs next to nothing.
constexpr sim_time look_soon = microseconds(50), look_rarely = milliseconds(10);

}  // namespace

vhost_user_service::vhost_user_service(virtio::unix_listener listener,
                                       virtio::vhost_user::session_config config,
                                       scmi_device& device, virtio::guest_memory& view,
                                       std::function<void(const std::string&)> report)
    : peer_(std::move(listener), std::move(config), device, view, vhost_user_peer::manner::at_once),
      report_(std::move(report)) {}

// The connection, the back-end channel, a kick descriptor for each queue; poll skips -1.
void vhost_user_service::watch(std::vector<pollfd>& fds) {
    peer_.hear_what_was_not_kicked();
    const auto events = static_cast<short>(POLLIN | (peer_.backlog() ? POLLOUT : 0));
    const bool closed = !peer_.connected() && !accept_pause_.over();
    fds.push_back({closed ? -1 : peer_.fd(), events, 0});
    fds.push_back({peer_.channel_fd(), events, 0});
    for (unsigned q = 0; q < vhost_user_peer::queues; ++q) {
        fds.push_back({peer_.kick_fd(q), POLLIN, 0});
    }
}

void vhost_user_service::serve(const pollfd* fds, std::size_t) {
    // Kicks first: they are what has come before a message that stops the queue.
    for (unsigned q = 0; q < vhost_user_peer::queues; ++q) {
        if (fds[2 + q].revents) peer_.serve_kick(q);
    }
    if ((fds[0].revents | fds[1].revents) & POLLOUT) peer_.flush();
    if (fds[1].revents) peer_.serve_channel();
    if (fds[0].revents) serve_connection();
    after();
}

bool vhost_user_service::pass_on() {
    const bool heard = peer_.heard();
    peer_.pass_on_kicks();
    return heard;
}

void vhost_user_service::serve_connection() {
    try {
        const bool connected = peer_.connected();
        for (int i = 0; i < messages_per_turn && peer_.serve(); ++i) {
            peer_.reply();
            if (!peer_.connected()) break;
        }
        if (!connected && peer_.connected()) {
            accept_pause_.succeeded();
            told_ = 0;
            look_after_ = look_soon;
        }
    } catch (const error& e) {
        if (peer_.connected() || accept_pause_.failed()) report_(e.what());
    }
}

/// What follows from whatever was done: limits of time, reports.
void vhost_user_service::after() {
    if (!peer_.failure().empty()) peer_.end(peer_.failure());
    if (!peer_.stalled()) {
        stalled_at_ = sim_time::max();
    } else if (stalled_at_ == sim_time::max()) {
        stalled_at_ = now() + patience;
    }
    bool polled = false;
    for (unsigned q = 0; q < vhost_user_peer::queues; ++q) {
        polled |= peer_.connected() && peer_.polled(q);
    }
    look_at_ = polled ? now() + look_after_ : sim_time::max();
    tell();
}

void vhost_user_service::tell() {
    if (peer_.connected() && !was_connected_) report_("connected");
    if (peer_.complaints() > told_ && peer_.connected()) {
        told_ = peer_.complaints();
        if (told_ < most_complaints) report_("refused: " + peer_.complaint());
        if (told_ == most_complaints) report_("refused more; no more of it is reported");
    }
    if (!peer_.ring_fault().empty() && peer_.ring_fault() != told_fault_) {
        report_("its ring is malformed: " + peer_.ring_fault());
    }
    told_fault_ = peer_.ring_fault();
    if (!peer_.connected() && was_connected_) {
        report_(peer_.complaint().empty() ? "disconnected"
                                          : "the session ended: " + peer_.complaint());
    }
    was_connected_ = peer_.connected();
}

sim_time vhost_user_service::deadline() const {
    if (!peer_.failure().empty() || peer_.heard()) return sim_time{};
    const sim_time accept_at = peer_.connected() ? sim_time::max() : accept_pause_.deadline();
    return std::min({stalled_at_, look_at_, accept_at});
}

void vhost_user_service::overdue() {
    if (now() >= stalled_at_) {
        peer_.end((peer_.backlog() ? "it has not read its socket for "
                                   : "it has not sent the rest of a message for ") +
                  to_string(patience));
    }
    if (now() >= look_at_) look();
    after();
}

void vhost_user_service::look() {
    bool commands = false;
    for (unsigned q = 0; q < vhost_user_peer::queues; ++q) {
        commands |= peer_.connected() && peer_.polled(q) && peer_.look_at(q);
    }
    look_after_ = commands ? look_soon : std::min(look_rarely, look_after_ + look_after_);
}

}  // namespace scmi_vp::models
