// SPDX-License-Identifier: Apache-2.0
// See vhost_user_peer.h.
#include "models/peers/vhost_user_peer.h"

#include <poll.h>

#include "base/error.h"

namespace scmi_vp::models {

namespace vhost_user = virtio::vhost_user;
using virtio::io_result;

vhost_user_peer::vhost_user_peer(virtio::unix_listener listener, vhost_user::session_config config,
                                 scmi_device& device, virtio::guest_memory& view)
    : listener_(std::move(listener)), session_(std::move(config)), device_(device), view_(view) {
    device_.connect(*this);
}

int vhost_user_peer::fd() const {
    if (ended_) return -1;
    return socket_.valid() ? socket_.fd() : listener_.fd();
}

void vhost_user_peer::accept() {
    if (auto connection = listener_.accept()) {
        socket_ = std::move(*connection);
        listener_.close();  // one guest, and a device of its own
    }
}

// A whole message has arrived. Descriptors are kept for it.
bool vhost_user_peer::receive(virtio::unix_stream& from, assembler& into) {
    while (!into.complete()) {
        const io_result r = from.receive(into.space(), into.wanted(), fds_);
        if (r.what == io_result::status::would_block) return false;
        if (r.what == io_result::status::closed) {
            end(into.idle() ? "" : "the guest closed its connection in the middle of a message");
            return false;
        }
        into.received(r.bytes);
    }
    return true;
}

bool vhost_user_peer::serve() {
    kicked_ = false;
    if (ended_) return false;
    if (!socket_.valid()) {
        accept();
        return false;
    }
    if (!receive(socket_, incoming_)) return false;
    vhost_user::effects e =
        session_.handle(incoming_.data(), incoming_.size(), std::exchange(fds_, {}));
    incoming_.next();
    apply(e);
    return true;
}

void vhost_user_peer::apply(vhost_user::effects& e) {
    for (unsigned q = 0; q < session_.queues(); ++q) {
        if ((e.stop | e.pause) >> q & 1) device_.stop(q);
    }
    if (e.memory_changed) session_.memory().install(view_);
    if (e.features_set || e.device_reset) device_.reset();
    if (e.backend_channel.valid()) channel_ = virtio::unix_stream(std::move(e.backend_channel));
    if (e.resume || e.base_of) {
        throw error(error_kind::input, "the guest",
                    "it suspends its queues and goes on; only a guest that sets them up anew is "
                    "served in simulated time");
    }
    for (unsigned q = 0; q < session_.queues(); ++q) {
        if (e.start >> q & 1) start(q);
        if (e.kick >> q & 1) device_.kick(q);
    }
    // A start looks at its queue as well, but only a kick comes from the driver.
    kicked_ = e.kick != 0;
    kicks_ += kicked_ && e.start == 0;
    // User-Mode Linux starts a queue with its first kick.
    const bool command = (e.kick >> virtio::scmi_cmdq & 1) != 0;
    if (command && first_command_ == sim_time{}) first_command_ = now();
    if (!e.complaint.empty()) complaint_ = e.complaint;
    reply_ = std::move(e.reply);
    last_reply_ = e.ended;
}

void vhost_user_peer::start(unsigned queue) {
    if (session_.base(queue) != 0) {
        throw error(error_kind::input, "the guest",
                    "it starts queue " + std::to_string(queue) + " at index " +
                        std::to_string(session_.base(queue)) + "; only new queues are served here");
    }
    signalled_[queue] = 0;
    call_due_[queue] = false;
    const bool p2a = (session_.features() & virtio::feature::scmi_p2a_channels) != 0;
    device_.start(queue, session_.layout(queue), session_.ring(), p2a);
}

void vhost_user_peer::reply() {
    if (!reply_.empty()) send(socket_, reply_);
    reply_.clear();
    if (last_reply_) end(complaint_);
}

void vhost_user_peer::end(const std::string& why) {
    if (ended_) return;
    if (!session_.ended()) {
        vhost_user::effects e = session_.close(why);
        e.reply.clear();
        apply(e);
    }
    for (unsigned q = 0; q < session_.queues(); ++q) device_.stop(q);
    view_.clear_regions();
    if (!why.empty()) complaint_ = why;
    ended_ = true;
    call_due_ = {};
    socket_.close();
    channel_.close();
    listener_.close();
}

// The messages are short and at most two are on their way: there is room in the socket.
void vhost_user_peer::send(virtio::unix_stream& to, const vhost_user::wire& message) {
    for (std::size_t sent = 0; sent < message.size();) {
        const io_result r = to.send(message.data() + sent, message.size() - sent);
        if (r.what == io_result::status::closed) return;  // the next read will tell
        sent += r.bytes;
        if (r.what == io_result::status::done) continue;
        pollfd p{to.fd(), POLLOUT, 0};
        if (::poll(&p, 1, 10'000) == 0) {
            throw error(error_kind::input, "the guest", "it has not read its socket for 10 s");
        }
    }
}

// The device does not say which queue it was: look for what has been published since the last call.
void vhost_user_peer::used_buffer_interrupt() {
    for (unsigned q = 0; q < call_due_.size(); ++q) {
        if (session_.running(q) && wants_interrupt(q)) call_due_[q] = true;
    }
}

// Whether the driver wants to hear of what was published since (virtio 2.7.7.2).
bool vhost_user_peer::wants_interrupt(unsigned queue) {
    const virtio::ring_layout& l = session_.layout(queue);
    const auto used = view_.load<std::uint16_t>(virtio::actor::device, l.used_idx());
    const std::uint16_t before = std::exchange(signalled_[queue], used);
    if (used == before) return false;
    if (session_.ring().event_idx) {
        const auto event = view_.load<std::uint16_t>(virtio::actor::device, l.used_event());
        return virtio::event_hit(event, used, before);
    }
    const auto flags = view_.load<std::uint16_t>(virtio::actor::device, l.avail);
    return (flags & virtio::avail_f_no_interrupt) == 0;
}

void vhost_user_peer::ring_broken(const virtio::ring_fault& fault) {
    // User-Mode Linux knows no VRING_ERR: whoever runs the guest reports it.
    ring_fault_ = fault.what + " [" + fault.section + "]";
}

bool vhost_user_peer::begin_call() {
    for (unsigned q = 0; q < call_due_.size(); ++q) {
        if (!std::exchange(call_due_[q], false)) continue;
        vhost_user::wire message;
        if (session_.call(q, message) != vhost_user::call_route::message) continue;
        ++calls_;
        send(channel_, message);
        return true;
    }
    return false;
}

bool vhost_user_peer::serve_channel() {
    if (ended_ || !channel_.valid() || !receive(channel_, acknowledgements_)) return false;
    const bool accepted =
        session_.call_acknowledged(acknowledgements_.data(), acknowledgements_.size(), fds_.size());
    acknowledgements_.next();
    fds_.clear();
    if (!accepted) complaint_ = "the guest refused an interrupt";
    return true;
}

}  // namespace scmi_vp::models
