// SPDX-License-Identifier: Apache-2.0
// See remote_device.h.
#include "models/peers/remote_device.h"

#include <poll.h>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {

namespace vhost_user = virtio::vhost_user;
using virtio::actor;

namespace {

constexpr int patience_ms = 10'000;
constexpr std::uint64_t known_features = virtio::feature::scmi_p2a_channels |
                                         virtio::feature::indirect_desc |
                                         virtio::feature::event_idx | virtio::feature::version_1;

[[noreturn]] void refuse(const std::string& why) {
    throw error(error_kind::input, "the device", why);
}

}  // namespace

remote_device::remote_device(const std::string& path, bool in_band,
                             const vhost_user::shared_memory& memory, std::uint64_t base,
                             virtio::guest_memory& view, monitor& mon)
    : view_(view),
      mon_(mon),
      main_(virtio::unix_stream::connect(path), vhost_user::traffic::replies),
      peer_(make_front(memory, base, in_band)) {
    view_.set_concurrent(true);
    try {
        exchange();
    } catch (const error& e) {
        throw error(e.kind(), path, e.what());  // what is wrong, and with whom
    }
}

remote_device::front_end remote_device::make_front(const vhost_user::shared_memory& memory,
                                                   std::uint64_t base, bool in_band) {
    vhost_user::front_config c;
    c.features = known_features;
    if (in_band) {
        pair_ = virtio::unix_stream::make_pair();
        back_.emplace(std::move(pair_.first), vhost_user::traffic::requests);
        c.protocol_features = vhost_user::offer_for_uml_time_travel;
        c.backend_channel = pair_.second.fd();
    }
    c.memory = {{memory.region(base), memory.fd()}};
    c.queues.resize(queues);
    c.start_at_once = false;
    return front_end(std::move(c));
}

std::uint64_t remote_device::features() const {
    return peer_.features() & known_features;
}

// --- the sequences, which wait ----------------------------------------------------------------

void remote_device::exchange() {
    while (auto m = peer_.next()) {
        try {
            main_.send(m->bytes, m->fds.data(), m->fds.size());
        } catch (const error&) {
            // It may go before it has been asked, or after.
            if (const vhost_user::request_info* asked = peer_.awaited()) closed_when_asked(*asked);
            throw;
        }
        if (peer_.awaited()) await_reply();
    }
}

void remote_device::closed_when_asked(const vhost_user::request_info& asked) {
    refuse("it closed the connection when asked " + std::string(asked.name));
}

void remote_device::await_reply() {
    const vhost_user::request_info* asked = peer_.awaited();
    for (;;) {
        switch (main_.receive()) {
            case channel::outcome::message:
                return take_reply();
            case channel::outcome::closed:
                closed_when_asked(*asked);
            case channel::outcome::nothing:
                break;
        }
        pollfd p{main_.fd(), POLLIN, 0};
        if (::poll(&p, 1, patience_ms) == 0) {
            refuse("it has not answered " + std::string(asked->name) + " for " +
                   std::to_string(patience_ms / 1000) + " s");
        }
    }
}

void remote_device::take_reply() {
    peer_.on_reply(main_.data(), main_.size(), main_.take_fds().size());
}

/// The driver is done with its set-up, and wants something: queues, memory, bells.
void remote_device::bring_up() {
    peer_.accept(accepted_);
    for (unsigned q = 0; q < queues; ++q) peer_.set_queue(q, rings_[q].layout);
    peer_.restart();
    exchange();
}

// --- told by the front ------------------------------------------------------------------------

void remote_device::start(unsigned queue, const virtio::ring_layout& layout,
                          virtio::ring_features features, bool p2a_channels) {
    rings_[queue] = ring{layout, 0, 0, std::vector<sim_time>(layout.size)};
    accepted_ = virtio::feature::version_1;
    if (features.event_idx) accepted_ |= virtio::feature::event_idx;
    if (features.indirect) accepted_ |= virtio::feature::indirect_desc;
    if (p2a_channels) accepted_ |= virtio::feature::scmi_p2a_channels;
}

void remote_device::stop(unsigned queue) {
    // A device stops all its queues or none here: vhost-user has no other way of a reset.
    rings_[queue] = ring();
    reset();
}

void remote_device::reset() {
    if (peer_.now() != front_end::state::running || !failure_.empty()) return;
    try {
        while (peer_.awaited()) await_reply();
        peer_.stop();
        exchange();
    } catch (const error& e) {
        fail(e.what());
    }
    rings_ = {};
    kick_due_ = {};
}

bool remote_device::has_work(unsigned queue) {
    const ring& r = rings_[queue];
    return r.layout.size != 0 &&
           view_.load<std::uint16_t>(actor::device, r.layout.avail_idx()) != r.announced;
}

void remote_device::kick(unsigned queue) {
    if (!failure_.empty()) return;
    try {
        if (peer_.now() == front_end::state::stopped) bring_up();
        collect();  // before a chain's head may carry another request
        if (queue == virtio::scmi_cmdq) announce();
        send_kick(queue);
    } catch (const error& e) {
        fail(e.what());
    }
}

/// In band, one message at a time may be unacknowledged; kicks that come meanwhile are one.
void remote_device::send_kick(unsigned queue) {
    kick_due_[queue] = peer_.awaited() != nullptr;
    if (kick_due_[queue]) return;
    vhost_user::wire message;
    peer_.kick(queue, message);
    if (!message.empty()) main_.send(message);
}

/// What is new in the command queue: its response time begins here. Between doorbell and call
/// nothing is known of the hops: all of it counts as service.
void remote_device::announce() {
    ring& r = rings_[virtio::scmi_cmdq];
    mon_.kick_seen(virtio::scmi_cmdq, now());
    mon_.worker_running(now());
    const auto index = view_.load<std::uint16_t>(actor::device, r.layout.avail_idx());
    const sim_time host = host_time();
    for (; r.announced != index; ++r.announced) {
        const auto head =
            view_.load<std::uint16_t>(actor::device, r.layout.avail_slot(r.announced));
        if (head >= r.rung.size()) continue;
        r.rung[head] = host;
        mon_.taken(head, now());
    }
}

// --- replies ----------------------------------------------------------------------------------

void remote_device::collect() {
    for (unsigned q = 0; q < queues; ++q) {
        ring& r = rings_[q];
        if (r.layout.size == 0) continue;
        const auto index = view_.load<std::uint16_t>(actor::device, r.layout.used_idx());
        virtio::guest_memory::keep_order();
        // A foreign device may say anything: no more than the ring has.
        for (unsigned n = 0; r.used != index && n < r.layout.size; ++r.used, ++n) {
            const auto id = view_.load<std::uint32_t>(actor::device, r.layout.used_slot(r.used));
            if (id >= r.layout.size) continue;
            const auto head = static_cast<std::uint16_t>(id);
            q == virtio::scmi_cmdq ? replied(head) : delayed_came(head);
        }
        r.used = index;
    }
}

void remote_device::replied(std::uint16_t head) {
    mon_.ready(head, now());
    mon_.used(head, now());
    const sim_time rung = std::exchange(rings_[virtio::scmi_cmdq].rung[head], sim_time{});
    if (rung == sim_time{} || responses_.size() == most_responses) {
        ++not_listed_;
    } else {
        responses_.push_back(host_time() - rung);
    }
}

void remote_device::delayed_came(std::uint16_t head) {
    // An event buffer is one descriptor (scmi_channel.cpp, repost).
    const virtio::ring_layout& l = rings_[virtio::scmi_eventq].layout;
    const auto buffer = view_.load<std::uint64_t>(actor::device, l.desc + 16u * head);
    const scmi::header h = scmi::header::unpack(view_.load<std::uint32_t>(actor::device, buffer));
    if (h.type != scmi::message_type::delayed_response) return;
    mon_.delayed_ready(h.token, h.protocol_id, now());
    mon_.delayed_used(h.token, h.protocol_id, now());
}

void remote_device::called(unsigned queue) {
    ++calls_;
    collect();
    front_->used_buffer_interrupt(queue);
}

// --- descriptors ------------------------------------------------------------------------------

void remote_device::watch(std::vector<pollfd>& fds) {
    const bool over = !failure_.empty();
    const auto events = static_cast<short>(POLLIN | (main_.backlog() ? POLLOUT : 0));
    fds.push_back({over ? -1 : main_.fd(), events, 0});
    fds.push_back({over || !back_ ? -1 : back_->fd(), POLLIN, 0});
    for (unsigned q = 0; q < queues; ++q) {
        const bool bells = !over && !back_;
        fds.push_back({bells ? peer_.call_bell(q).fd() : -1, POLLIN, 0});
        fds.push_back({bells ? peer_.error_bell(q).fd() : -1, POLLIN, 0});
    }
}

void remote_device::serve(const pollfd* fds, std::size_t) {
    try {
        for (unsigned q = 0; q < queues; ++q) {
            if (fds[2 + 2 * q].revents &&
                peer_.call_bell(q).listen() == vhost_user::doorbell::heard::rung) {
                called(q);
            }
            if (fds[3 + 2 * q].revents) {
                refuse("it says that the ring of queue " + std::to_string(q) + " is malformed");
            }
        }
        if (fds[1].revents) serve_back();
        if (fds[0].revents) serve_main();
    } catch (const error& e) {
        fail(e.what());
    }
}

void remote_device::serve_main() {
    if (main_.backlog()) main_.flush();
    const channel::outcome got = main_.receive();
    if (got == channel::outcome::closed) refuse("it closed the connection");
    if (got != channel::outcome::message) return;
    take_reply();
    for (unsigned q = 0; q < queues; ++q) {
        if (kick_due_[q]) send_kick(q);
    }
}

void remote_device::serve_back() {
    const channel::outcome got = back_->receive();
    if (got == channel::outcome::closed) refuse("it closed its channel");
    if (got != channel::outcome::message) return;
    const auto event =
        peer_.on_backend_request(back_->data(), back_->size(), back_->take_fds().size());
    if (event.called) called(*event.called);
    if (!event.reply.empty()) back_->send(event.reply);
    if (event.broken) {
        refuse("it says that the ring of queue " + std::to_string(*event.broken) + " is malformed");
    }
}

void remote_device::fail(const std::string& why) {
    if (failure_.empty()) failure_ = why;
}

}  // namespace scmi_vp::models
