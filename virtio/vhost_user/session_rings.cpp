// SPDX-License-Identifier: Apache-2.0
// The rings of a vhost-user session: when they start, pause, resume and stop (vhost-user.rst, "Ring
// states": started and enabled are independent, a ring runs when it is both).
#include "base/error.h"
#include "virtio/vhost_user/session.h"

namespace scmi_vp::virtio::vhost_user {

namespace {

[[noreturn]] void refuse_request(const std::string& what) {
    throw error(error_kind::input, what);
}

std::string queue_name(std::uint32_t index) {
    return "queue " + std::to_string(index);
}

}  // namespace

session::ring_state& session::ring_of(std::uint32_t index) {
    if (index >= rings_.size()) {
        refuse_request("there is no " + queue_name(index) + ": the device has " +
                       std::to_string(rings_.size()));
    }
    return rings_[index];
}

unsigned session::index_of(const ring_state& r) const {
    return static_cast<unsigned>(&r - rings_.data());
}

ring_features session::ring() const {
    return {(accepted_ & feature::event_idx) != 0, (accepted_ & feature::indirect_desc) != 0};
}

bool session::polled(unsigned queue) const {
    return running(queue) && !rings_[queue].kick.valid() &&
           !has_protocol(protocol_feature::inband_notifications);
}

device_queue session::open_queue(unsigned queue, guest_memory& view) const {
    const ring_state& r = rings_.at(queue);
    if (r.phase != ring_phase::running) {
        throw error(error_kind::model, "vhost-user: " + queue_name(queue) + " does not run");
    }
    device_queue q(view, r.layout, ring());
    // The front end keeps the available position, the ring itself the used one (libvhost-user,
    // vu_set_vring_addr_exec).
    q.resume_at(r.base, view.load<std::uint16_t>(actor::device, r.layout.used_idx()));
    return q;
}

/// Where the ring lies in guest-physical memory. Throws when it cannot run there.
ring_layout session::locate(std::uint16_t size, const vring_addr& at,
                            const memory_table& table) const {
    const std::string name = queue_name(at.index);
    if ((accepted_ & feature::version_1) == 0) {
        refuse_request(name + " cannot start: the driver has not accepted VERSION_1");
    }
    const auto find = [&](std::uint64_t user, std::uint64_t bytes, const char* what) {
        const auto guest = table.guest_address(user, bytes);
        if (!guest) {
            refuse_request("the " + std::string(what) + " of " + name + " (" +
                           std::to_string(bytes) +
                           " bytes) does not lie in one region of the memory table");
        }
        return *guest;
    };
    ring_layout l;
    l.size = size;
    l.desc = find(at.desc, desc_area_bytes(size), "descriptor table");
    l.avail = find(at.avail, avail_area_bytes(size), "available ring");
    l.used = find(at.used, used_area_bytes(size), "used ring");
    if (l.desc % 16 != 0 || l.avail % 2 != 0 || l.used % 4 != 0) {
        refuse_request(name + " is misaligned in guest memory (virtio 2.7: 16, 2 and 4 bytes)");
    }
    return l;
}

/// Makes the ring what `started` and `enabled` say. Throws before anything has changed when it
/// would run and cannot.
void session::switch_ring(ring_state& r, bool started, bool enabled, effects& out) {
    const bool run = started && enabled && configured(r) && !r.broken;
    const ring_layout found =
        run && r.phase == ring_phase::idle ? locate(r.size, *r.addr, table_) : r.layout;
    r.started = started;
    r.enabled = enabled;
    if (run == (r.phase == ring_phase::running)) return;
    if (!run) {
        out.pause |= bit_of(r);
        r.phase = ring_phase::paused;
        return;
    }
    r.layout = found;
    (r.phase == ring_phase::idle ? out.start : out.resume) |= bit_of(r);
    // Kicks that came while it was disabled are not lost: every start looks at the ring.
    out.kick |= bit_of(r);
    out.bells_changed = true;
    r.phase = ring_phase::running;
}

/// Back to "not started"; the ring's addresses and its call and error bells stay.
void session::halt(ring_state& r, effects& out) {
    if (r.phase != ring_phase::idle) {
        out.stop |= bit_of(r);
        out.bells_changed = true;
    }
    r.phase = ring_phase::idle;
    r.started = false;
    r.kick.close();
}

/// Before size, addresses or base change. UML only disables a ring before it sets it up anew
/// (virtio_uml.c, vu_del_vqs): what was paused is gone then.
void session::reconfigure(ring_state& r, effects& out) {
    if (r.phase == ring_phase::running) {
        refuse_request(
            queue_name(index_of(r)) +
            " is set up anew while it runs: stop it (GET_VRING_BASE) or disable it first");
    }
    if (r.phase == ring_phase::paused || r.broken) halt(r, out);
    r.broken = false;
}

void session::set_num(const vring_state& s, effects& out) {
    ring_state& r = ring_of(s.index);
    const std::uint16_t most = config_.queue_size_max[s.index];
    if (!legal_queue_size(s.num) || s.num > most) {
        refuse_request("SET_VRING_NUM: " + queue_name(s.index) + " cannot have " +
                       std::to_string(s.num) + " entries; a power of two up to " +
                       std::to_string(most) + " is possible");
    }
    reconfigure(r, out);
    const std::uint16_t before = r.size;
    r.size = static_cast<std::uint16_t>(s.num);
    try {
        switch_ring(r, r.started, r.enabled, out);
    } catch (...) {
        r.size = before;
        throw;
    }
}

void session::set_addr(const vring_addr& a, effects& out) {
    ring_state& r = ring_of(a.index);
    if (a.flags != 0) {
        refuse_request("SET_VRING_ADDR: asks for logged writes, which were not offered");
    }
    if (a.desc % 16 != 0 || a.avail % 2 != 0 || a.used % 4 != 0) {
        refuse_request(
            "SET_VRING_ADDR: " + queue_name(a.index) +
            " is misaligned; its parts need multiples of 16, 2 and 4 bytes (virtio 2.7)");
    }
    // With all that it takes it is judged now, where the message still says what is wrong.
    if (r.size != 0 && !table_.empty() && features_set_) locate(r.size, a, table_);
    reconfigure(r, out);
    const std::optional<vring_addr> before = r.addr;
    r.addr = a;
    try {
        switch_ring(r, r.started, r.enabled, out);
    } catch (...) {
        r.addr = before;
        throw;
    }
}

void session::set_base(const vring_state& s, effects& out) {
    ring_state& r = ring_of(s.index);
    if (s.num > 0xffff) {
        refuse_request("SET_VRING_BASE: " + std::to_string(s.num) + " is no index of a split ring");
    }
    reconfigure(r, out);
    r.base = static_cast<std::uint16_t>(s.num);
}

void session::get_base(const vring_state& s, incoming& in) {
    ring_state& r = ring_of(s.index);
    const bool live = r.phase != ring_phase::idle;
    halt(r, in.out);
    r.broken = r.missed_call = false;
    r.call.close();
    r.err.close();
    if (!live) return answer(in, vring_state{s.index, r.base});
    base_owed_ = s.index;
    in.out.base_of = s.index;
}

wire session::base_reply(unsigned queue, std::uint16_t next_available) {
    if (base_owed_ != queue) {
        throw error(error_kind::model, "vhost-user: no base of " + queue_name(queue) + " is owed");
    }
    base_owed_.reset();
    rings_[queue].base = next_available;
    return encode(front_request::get_vring_base, reply_flags, vring_state{queue, next_available});
}

void session::set_kick(const vring_fd& f, incoming& in) {
    ring_state& r = ring_of(f.index);
    doorbell bell = f.no_fd ? doorbell() : doorbell(std::move(in.fds.front()));
    switch_ring(r, true, r.enabled, in.out);
    r.kick = std::move(bell);
    in.out.bells_changed = true;
    if (r.phase == ring_phase::running) in.out.kick |= bit_of(r);  // what the old bell had to tell
}

void session::set_call(const vring_fd& f, incoming& in) {
    ring_state& r = ring_of(f.index);
    r.call = f.no_fd ? doorbell() : doorbell(std::move(in.fds.front()));
    r.call.only_ring();
    // What was published while there was no bell (libvhost-user rings always, "in case of I/O
    // hang").
    if (r.missed_call && r.call.valid()) r.missed_call = !r.call.ring();
}

void session::set_err(const vring_fd& f, incoming& in) {
    ring_state& r = ring_of(f.index);
    r.err = f.no_fd ? doorbell() : doorbell(std::move(in.fds.front()));
    r.err.only_ring();
}

void session::set_enable(const vring_state& s, effects& out) {
    ring_state& r = ring_of(s.index);
    if (s.num > 1) {
        refuse_request("SET_VRING_ENABLE: " + std::to_string(s.num) + " is neither 0 nor 1");
    }
    if (features_set_ && (accepted_ & feature_protocol_features) == 0) {
        refuse_request(
            "SET_VRING_ENABLE: PROTOCOL_FEATURES (bit 30) was not accepted, rings are enabled "
            "from the start");
    }
    switch_ring(r, r.started, s.num == 1, out);
}

void session::kick_message(const vring_state& s, effects& out) {
    ring_state& r = ring_of(s.index);
    if (!configured(r)) {
        refuse_request("VRING_KICK: " + queue_name(s.index) +
                       " has no size and addresses yet (SET_VRING_NUM, SET_VRING_ADDR)");
    }
    switch_ring(r, true, r.enabled, out);
    if (r.phase == ring_phase::running) out.kick |= bit_of(r);
}

}  // namespace scmi_vp::virtio::vhost_user
