// SPDX-License-Identifier: Apache-2.0
// See vhost_user_peer.h.
#include "models/peers/vhost_user_peer.h"

#include "base/error.h"

namespace scmi_vp::models {

namespace vhost_user = virtio::vhost_user;
using vhost_user::traffic;

vhost_user_peer::vhost_user_peer(virtio::unix_listener listener, vhost_user::session_config config,
                                 scmi_device& device, virtio::guest_memory& view, manner how)
    : listener_(std::move(listener)),
      config_(std::move(config)),
      how_(how),
      session_(config_),
      device_(device),
      view_(view) {
    view_.set_concurrent(how_ == manner::at_once);
    device_.connect(*this);
}

int vhost_user_peer::fd() const {
    if (ended_) return -1;
    return main_ ? main_->fd() : listener_.fd();
}

void vhost_user_peer::accept() {
    auto connection = listener_.accept();
    if (!connection) return;
    main_.emplace(std::move(*connection), traffic::requests);
    ++connections_;
    complaint_.clear();
    complaints_ = 0;
    ring_fault_.clear();
    if (how_ == manner::in_turns) listener_.close();  // one guest, and a device of its own
}

// --- messages ---------------------------------------------------------------------------------

/// A whole message has arrived; whatever is wrong with it ends the connection.
bool vhost_user_peer::receive() {
    try {
        const channel::outcome got = main_->receive();
        if (got == channel::outcome::closed) end("");
        return got == channel::outcome::message;
    } catch (const error& e) {
        end(e.what());
        return false;
    }
}

bool vhost_user_peer::serve() {
    kicked_ = false;
    if (ended_) return false;
    if (!main_) {
        accept();
        return false;
    }
    if (!receive()) return false;
    vhost_user::effects e = session_.handle(main_->data(), main_->size(), main_->take_fds());
    apply(e);
    return true;
}

void vhost_user_peer::apply(vhost_user::effects& e) {
    stop_queues(e);
    if (e.memory_changed) session_.memory().install(view_);
    if (e.device_reset) device_.reset();
    if (e.backend_channel.valid()) {
        channel_.emplace(virtio::unix_stream(std::move(e.backend_channel)), traffic::replies);
    }
    if (e.start >> virtio::scmi_cmdq & 1) forget_last_driver(e.start);
    for (unsigned q = 0; q < queues; ++q) {
        if (e.start >> q & 1) start(q, session_.base(q));
        if (e.resume >> q & 1) start(q, *positions_[q]);
        if (e.kick >> q & 1) hear(q);
    }
    paused_ &= ~(e.start | e.resume);
    // A start looks at its queue as well, but only a kick comes from the driver.
    kicked_ = e.kick != 0;
    kicks_ += kicked_ && (e.start | e.resume) == 0;
    // User-Mode Linux starts a queue with its first kick.
    const bool command = (e.kick >> virtio::scmi_cmdq & 1) != 0;
    if (command && first_command_ == sim_time{}) first_command_ = now();
    if (!e.complaint.empty()) complain(e.complaint);
    reply_ = std::move(e.reply);
    call_again_ = e.call_again;
    last_reply_ = e.ended;
}

/// What is in flight on a queue that pauses is answered before the front end is told that it has
/// stopped; nothing of it is left when it goes on (vhost-user.rst, "Ring states").
void vhost_user_peer::stop_queues(vhost_user::effects& e) {
    for (unsigned q = 0; q < queues; ++q) {
        const queue_mask bit = queue_mask{1} << q;
        const bool asked = e.base_of == q;
        if ((e.pause & bit) != 0 || (asked && (paused_ & bit) == 0)) {
            positions_[q] = device_.suspend(q);
        } else if ((e.stop & bit) != 0) {
            device_.stop(q);
        }
        if ((e.stop & bit) != 0) paused_ &= ~bit;
        if ((e.pause & bit) != 0) paused_ |= bit;
        if (((e.stop | e.pause) & bit) != 0) heard_ &= ~bit;
        if (asked) e.reply = session_.base_reply(q, *positions_[q]);
    }
}

/// Whether the driver is a new one is said by no message: QEMU sends SET_FEATURES for a machine
/// that was only paused, and UML nothing else for a driver that was bound again. But who goes on
/// starts the command queue where it was stopped, and a new driver does so at 0.
void vhost_user_peer::forget_last_driver(queue_mask starting) {
    const std::optional<std::uint16_t> last = positions_[virtio::scmi_cmdq];
    if (!last || *last == session_.base(virtio::scmi_cmdq)) return;
    device_.reset();
    call_due_ = {};
    for (unsigned q = 0; q < queues; ++q) {
        if (!session_.running(q) || (starting >> q & 1)) continue;
        start(q, session_.base(q));
        hear(q);
    }
}

void vhost_user_peer::start(unsigned queue, std::uint16_t position) {
    const bool p2a = (session_.features() & virtio::feature::scmi_p2a_channels) != 0;
    device_.start(queue, session_.layout(queue), session_.ring(), p2a);
    device_.resume_at(queue, position);
}

void vhost_user_peer::complain(const std::string& what) {
    complaint_ = what;
    ++complaints_;
}

void vhost_user_peer::reply() {
    if (!reply_.empty()) send(main_, reply_);
    reply_.clear();
    if (last_reply_) return end(complaint_);
    for (unsigned q = 0; call_again_ != 0 && q < queues; ++q) {
        if (call_again_ >> q & 1) used_buffer_interrupt(q);
    }
    call_again_ = 0;
    if (!failure_.empty()) end(failure_);
}

void vhost_user_peer::end(const std::string& given) {
    if (ended_ || !main_) return;
    const std::string why = given;  // it may be our own complaint or failure
    if (how_ == manner::in_turns) last_memory_ = session_.memory();
    if (!session_.ended()) {
        vhost_user::effects e = session_.close(why);
        e.complaint.clear();
        apply(e);
    }
    device_.reset();
    view_.clear_regions();
    if (!why.empty()) complaint_ = why;
    reply_.clear();
    failure_.clear();
    last_reply_ = false;
    call_due_ = {};
    call_again_ = paused_ = heard_ = 0;
    positions_ = {};
    main_.reset();
    channel_.reset();
    session_ = session(config_);
    ended_ = how_ == manner::in_turns;
}

/// Never waits: what the peer does not read yet is kept for it, up to a limit. May be called while
/// the device runs, so that the connection cannot end here.
void vhost_user_peer::send(std::optional<channel>& to, const vhost_user::wire& message) {
    if (!to || !failure_.empty()) return;
    try {
        to->send(message);
    } catch (const error& e) {
        failure_ = e.what();
    }
}

void vhost_user_peer::flush() {
    try {
        if (main_ && main_->backlog()) main_->flush();
        if (channel_ && channel_->backlog()) channel_->flush();
    } catch (const error& e) {
        end(e.what());
    }
}

// --- kicks and calls --------------------------------------------------------------------------

int vhost_user_peer::kick_fd(unsigned queue) {
    if (!main_ || !session_.running(queue)) return -1;
    const vhost_user::doorbell& bell = session_.kick_bell(queue);
    return bell.valid() ? bell.fd() : -1;
}

void vhost_user_peer::serve_kick(unsigned queue) {
    if (kick_fd(queue) < 0) return;
    vhost_user::doorbell& bell = session_.kick_bell(queue);
    const auto heard = bell.listen();
    if (heard == vhost_user::doorbell::heard::gone) bell.close();
    if (heard == vhost_user::doorbell::heard::semaphore) {
        return end("the kick descriptor of queue " + std::to_string(queue) +
                   " is a semaphore (EFD_SEMAPHORE): it stays rung however often it is read");
    }
    if (heard != vhost_user::doorbell::heard::rung) return;
    vhost_user::effects e = session_.kicked(queue);
    apply(e);
    if (last_reply_) end(complaint_);
}

void vhost_user_peer::hear(unsigned queue) {
    if (how_ == manner::in_turns) return device_.kick(queue);
    if (queue == virtio::scmi_cmdq) device_.look();
    heard_ |= queue_mask{1} << queue;
}

bool vhost_user_peer::look_at(unsigned queue) {
    // Of event buffers nobody waits for: the next look is soon enough.
    const bool more = queue == virtio::scmi_cmdq && device_.look();
    if (more || queue != virtio::scmi_cmdq) heard_ |= queue_mask{1} << queue;
    return more;
}

void vhost_user_peer::pass_on_kicks() {
    for (unsigned q = 0; q < queues; ++q) {
        if (heard_ >> q & 1) device_.kick(q);
    }
    heard_ = 0;
}

void vhost_user_peer::hear_what_was_not_kicked() {
    if (!session_.ring().event_idx || !session_.running(virtio::scmi_cmdq)) return;
    if (device_.look()) heard_ |= queue_mask{1} << virtio::scmi_cmdq;
}

void vhost_user_peer::used_buffer_interrupt(unsigned queue) {
    if (how_ == manner::in_turns) {
        call_due_[queue] = true;
    } else {
        call(queue);
    }
}

void vhost_user_peer::call(unsigned queue) {
    if (!main_ || session_.ended()) return;
    // One message at a time may be unacknowledged.
    call_due_[queue] = session_.call_pending();
    if (call_due_[queue]) return;
    vhost_user::wire message;
    const vhost_user::call_route route = session_.call(queue, message);
    if (route == vhost_user::call_route::message) send(channel_, message);
    calls_ += route == vhost_user::call_route::message || route == vhost_user::call_route::rung;
}

void vhost_user_peer::ring_broken(unsigned queue, const virtio::ring_fault& fault) {
    if (session_.memory().lost()) {
        failure_ = "the front end has cut off the file behind its memory";
        return;
    }
    ring_fault_ = "queue " + std::to_string(queue) + ": " + fault.what + " [" + fault.section + "]";
    // User-Mode Linux knows no VRING_ERR: whoever runs the guest reports it.
    if (how_ == manner::in_turns || session_.call_pending()) return;
    vhost_user::wire message;
    const std::uint16_t position = device_.suspend(queue);
    if (session_.ring_broken(queue, position, message) == vhost_user::call_route::message) {
        send(channel_, message);
    }
}

bool vhost_user_peer::begin_call() {
    for (unsigned q = 0; q < queues; ++q) {
        if (!call_due_[q] || !session_.running(q)) continue;
        call(q);
        if (session_.call_pending()) return true;
    }
    return false;
}

bool vhost_user_peer::serve_channel() {
    if (ended_ || !channel_) return false;
    try {
        const channel::outcome got = channel_->receive();
        if (got == channel::outcome::closed) channel_.reset();
        if (got != channel::outcome::message) return false;
        const auto fds = channel_->take_fds();
        if (!session_.call_acknowledged(channel_->data(), channel_->size(), fds.size())) {
            complain("the guest refused an interrupt");
        }
    } catch (const error& e) {
        end(e.what());
        return false;
    }
    if (how_ == manner::at_once) {
        for (unsigned q = 0; q < queues; ++q) {
            if (call_due_[q]) call(q);
        }
    }
    return true;
}

}  // namespace scmi_vp::models
