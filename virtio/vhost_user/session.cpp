// SPDX-License-Identifier: Apache-2.0
// A vhost-user session of the back end: what may be sent when, negotiation, memory table, status.
// The rings are in session_rings.cpp.
#include "virtio/vhost_user/session.h"

#include <utility>

#include "base/error.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {

namespace {

namespace pf = protocol_feature;

/// Features of the device itself (bits 23:0) and those that device_queue honours. Not LOG_ALL,
/// ACCESS_PLATFORM, RING_PACKED, NOTIFICATION_DATA, RING_RESET: nothing here implements them.
constexpr std::uint64_t supported_features = 0xffffff | feature::indirect_desc |
                                             feature::event_idx | feature::version_1 |
                                             feature_protocol_features;
constexpr std::uint64_t inband_needs = pf::reply_ack | pf::backend_req;

std::string hex(std::uint64_t v) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    do text.insert(text.begin(), digits[v & 15]);
    while ((v >>= 4) != 0);
    return "0x" + text;
}

[[noreturn]] void refuse_config(const std::string& what) {
    throw error(error_kind::config, "vhost-user: " + what);
}

[[noreturn]] void refuse_request(const std::string& what) {
    throw error(error_kind::input, what);
}

void check_config(const session_config& c) {
    if ((c.features & feature::version_1) == 0) {
        refuse_config("the device must offer VERSION_1: it knows no legacy rings");
    }
    if (const std::uint64_t bad = c.features & ~supported_features) {
        refuse_config("features " + hex(bad) + " cannot be offered: they are not implemented");
    }
    if (const std::uint64_t bad = c.protocol_features & ~supported_protocol_features) {
        refuse_config("protocol features " + hex(bad) +
                      " cannot be offered: they are not implemented");
    }
    if ((c.protocol_features & pf::inband_notifications) != 0 &&
        (c.protocol_features & inband_needs) != inband_needs) {
        refuse_config("INBAND_NOTIFICATIONS needs REPLY_ACK and BACKEND_REQ: offer those as well");
    }
    if (c.queue_size_max.empty() || c.queue_size_max.size() > 64) {
        refuse_config("a device has 1 to 64 queues, not " +
                      std::to_string(c.queue_size_max.size()));
    }
    for (std::uint16_t size : c.queue_size_max) {
        if (!legal_queue_size(size)) {
            refuse_config("a queue's largest size is a power of two up to 32768, not " +
                          std::to_string(size));
        }
    }
}

}  // namespace

session::session(session_config config) : config_(std::move(config)) {
    check_config(config_);
    config_.features |= feature_protocol_features;
    rings_.resize(config_.queue_size_max.size());
}

effects session::handle(const std::uint8_t* bytes, std::size_t size, fd_list fds) {
    if (ended_ || base_owed_) {
        throw error(error_kind::model, ended_ ? "vhost-user: a message for a session that has ended"
                                              : "vhost-user: a message before base_reply");
    }
    effects out;
    retired_ = memory_table();
    if (table_.lost()) {
        end("the front end has cut off the file behind its memory", out);
        return out;
    }
    try {
        if (size < header_bytes) refuse_request("a message of " + std::to_string(size) + " bytes");
        const header h = read_header(bytes, traffic::requests);
        if (h.size != size - header_bytes) {
            refuse_request("message " + std::to_string(h.request) + ": has " +
                           std::to_string(size - header_bytes) + " bytes of payload, announces " +
                           std::to_string(h.size));
        }
        process(h, bytes + header_bytes, h.size, fds, out);
    } catch (const error& e) {
        end(e.what(), out);
    }
    return out;
}

void session::process(const header& h, const std::uint8_t* bytes, std::size_t size, fd_list& fds,
                      effects& out) {
    const request_info* info = find_front_request(h.request);
    try {
        check_allowed(h, info);
        payload body = parse_request(*info, bytes, size, fds.size());
        incoming in{*info, body, fds, out};
        dispatch(in);
    } catch (const error& e) {
        refuse(h, info, e.what(), out);
        return;
    }
    // After it was applied: UML asks for the acknowledgement of the very SET_PROTOCOL_FEATURES that
    // switches acknowledgements on (virtio_uml.c, vhost_user_set_protocol_features).
    if (!info->replies && h.need_reply() && has_protocol(pf::reply_ack)) {
        out.reply = encode(h.request, reply_flags, std::uint64_t{0});
    }
}

void session::check_allowed(const header& h, const request_info* info) const {
    if (info == nullptr) {
        refuse_request("message " + std::to_string(h.request) + " is unknown");
    }
    if (!info->served) {
        refuse_request(std::string(info->name) + ": is not supported, and was not offered");
    }
    if (!has_protocol(info->needs)) {
        refuse_request(std::string(info->name) + ": needs protocol feature " + hex(info->needs) +
                       ", which was not negotiated");
    }
}

/// Refused with an acknowledgement where the front end awaits one: nothing has changed then.
/// Without, it would go on as if all were well, so that only the end of the session tells it.
void session::refuse(const header& h, const request_info* info, const std::string& why,
                     effects& out) {
    const bool own_reply = info != nullptr && info->replies;
    if (own_reply || !h.need_reply() || !has_protocol(pf::reply_ack)) {
        end(why, out);
        return;
    }
    out = effects();
    out.complaint = why;
    out.reply = encode(h.request, reply_flags, std::uint64_t{1});
}

void session::end(const std::string& why, effects& out) {
    out = effects();
    for (ring_state& r : rings_) {
        halt(r, out);
        r = ring_state();
    }
    // The mappings stay until the session goes, for the shell may still have them in its view.
    if (!table_.empty()) {
        retired_ = std::move(table_);
        table_ = memory_table();
        out.memory_changed = true;
    }
    ended_ = true;
    base_owed_.reset();
    pending_call_ = nullptr;
    out.ended = true;
    out.complaint = why;
}

effects session::close(const std::string& reason) {
    effects out;
    if (!ended_) end(reason, out);
    return out;
}

effects session::kicked(unsigned queue) {
    effects out;
    if (ended_) return out;
    if (table_.lost()) {
        end("the front end has cut off the file behind its memory", out);
    } else if (running(queue)) {
        out.kick = queue_mask{1} << queue;
    }
    return out;
}

void session::answer(incoming& in, const payload& body) const {
    in.out.reply = encode(in.info.id, reply_flags, body);
}

void session::dispatch(incoming& in) {
    using r = front_request;
    switch (static_cast<r>(in.info.id)) {
        case r::get_features:
            return answer(in, config_.features);
        case r::set_features:
            return set_features(std::get<std::uint64_t>(in.body), in.out);
        case r::set_owner:
            return;
        // Deprecated; rings are disabled and the negotiation is kept (vhost-user.rst).
        case r::reset_owner:
            return disable_all(in.out);
        case r::get_protocol_features:
            return answer(in, config_.protocol_features);
        case r::set_protocol_features:
            return set_protocol_features(std::get<std::uint64_t>(in.body));
        case r::get_queue_num:
            return answer(in, std::uint64_t{rings_.size()});
        case r::set_backend_req_fd:
            return set_backend_channel(in);
        case r::get_max_mem_slots:
            return answer(in, std::uint64_t{max_regions});
        case r::set_mem_table:
        case r::add_mem_reg:
        case r::rem_mem_reg:
            return change_table(in);
        case r::reset_device:
            return reset_device(in.out);
        case r::set_status:
            return set_status(std::get<std::uint64_t>(in.body), in.out);
        case r::get_status: {
            std::uint64_t status = status_;
            for (const ring_state& ring : rings_) {
                if (ring.broken) status |= device_status::needs_reset;
            }
            return answer(in, status);
        }
        default:
            return dispatch_queue(in);
    }
}

void session::dispatch_queue(incoming& in) {
    using r = front_request;
    switch (static_cast<r>(in.info.id)) {
        case r::set_vring_addr:
            return set_addr(std::get<vring_addr>(in.body), in.out);
        case r::set_vring_kick:
            return set_kick(std::get<vring_fd>(in.body), in);
        case r::set_vring_call:
            return set_call(std::get<vring_fd>(in.body), in);
        case r::set_vring_err:
            return set_err(std::get<vring_fd>(in.body), in);
        default:
            break;
    }
    const auto& state = std::get<vring_state>(in.body);
    switch (static_cast<r>(in.info.id)) {
        case r::set_vring_num:
            return set_num(state, in.out);
        case r::set_vring_base:
            return set_base(state, in.out);
        case r::get_vring_base:
            return get_base(state, in);
        case r::set_vring_enable:
            return set_enable(state, in.out);
        case r::vring_kick:
            return kick_message(state, in.out);
        default:
            throw error(error_kind::model,
                        "vhost-user: nothing serves " + std::string(in.info.name));
    }
}

void session::set_features(std::uint64_t bits, effects& out) {
    if (const std::uint64_t bad = bits & ~config_.features) {
        refuse_request("SET_FEATURES: accepts features " + hex(bad) + ", which were not offered");
    }
    const bool changed = features_set_ && bits != accepted_;
    for (const ring_state& r : rings_) {
        if (changed && r.phase == ring_phase::running) {
            refuse_request("SET_FEATURES: changes features from " + hex(accepted_) + " to " +
                           hex(bits) + " while queue " + std::to_string(index_of(r)) + " runs");
        }
    }
    // Without PROTOCOL_FEATURES rings are enabled from the start (vhost-user.rst, "Ring states").
    const bool enable = (bits & feature_protocol_features) == 0;
    const std::uint64_t before = std::exchange(accepted_, bits);
    try {
        for (const ring_state& r : rings_) {
            if (enable && r.started && configured(r)) locate(r.size, *r.addr, table_);
        }
    } catch (...) {
        accepted_ = before;
        throw;
    }
    features_set_ = true;
    out.features_set = true;
    for (ring_state& r : rings_) {
        // What a paused ring holds was made under other features.
        if (changed && r.phase == ring_phase::paused) halt(r, out);
        if (enable) switch_ring(r, r.started, true, out);
    }
}

void session::set_protocol_features(std::uint64_t bits) {
    if (const std::uint64_t bad = bits & ~config_.protocol_features) {
        refuse_request("SET_PROTOCOL_FEATURES: accepts features " + hex(bad) +
                       ", which were not offered");
    }
    if ((bits & pf::inband_notifications) != 0 && (bits & inband_needs) != inband_needs) {
        // Ends the session even where REPLY_ACK was on before (vhost-user.rst).
        protocol_ = 0;
        refuse_request(
            "SET_PROTOCOL_FEATURES: INBAND_NOTIFICATIONS (bit 14) without REPLY_ACK and "
            "BACKEND_REQ (bits 3 and 5)");
    }
    protocol_ = bits;
}

void session::set_backend_channel(incoming& in) {
    if (!is_unix_stream(in.fds.front().get())) {
        refuse_request("SET_BACKEND_REQ_FD: the descriptor is no Unix stream socket");
    }
    in.out.backend_channel = std::move(in.fds.front());
    backend_channel_ = true;
    pending_call_ = nullptr;  // what the old channel owed will not come
    for (ring_state& r : rings_) {
        if (r.missed_call && r.phase == ring_phase::running) in.out.call_again |= bit_of(r);
    }
}

void session::set_status(std::uint64_t status, effects& out) {
    if (status > 0xff) {
        refuse_request("SET_STATUS: status " + hex(status) + " has more than 8 bits");
    }
    status_ = status;
    // virtio 3.1.1 step 6: the driver reads FEATURES_OK back to learn whether the device agrees.
    if ((accepted_ & feature::version_1) == 0) {
        status_ &= ~std::uint64_t{device_status::features_ok};
    }
    if (status == 0) reset_device(out);
}

void session::reset_device(effects& out) {
    for (ring_state& r : rings_) {
        halt(r, out);
        r.broken = r.missed_call = false;
        r.enabled = features_set_ && (accepted_ & feature_protocol_features) == 0;
    }
    status_ = 0;
    out.device_reset = true;
}

void session::disable_all(effects& out) {
    for (ring_state& r : rings_) switch_ring(r, r.started, false, out);
}

// --- memory -------------------------------------------------------------------------------------

void session::change_table(incoming& in) {
    if (const auto* regions = std::get_if<mem_table>(&in.body)) {
        return replace_table(memory_table(regions->regions, in.fds), in.out);
    }
    const mem_region& region = std::get<single_region>(in.body).region;
    memory_table table = table_;
    if (static_cast<front_request>(in.info.id) == front_request::add_mem_reg) {
        table.add(region, in.fds.front());
    } else {
        table.remove(region);
    }
    replace_table(std::move(table), in.out);
}

/// A running ring keeps its place in guest memory, whatever happens to user addresses around it.
void session::replace_table(memory_table table, effects& out) {
    std::vector<ring_state*> displaced;
    for (ring_state& r : rings_) {
        if (r.phase == ring_phase::idle) continue;
        bool same = true;
        try {
            const ring_layout now = locate(r.size, *r.addr, table);
            same = now.desc == r.layout.desc && now.avail == r.layout.avail &&
                   now.used == r.layout.used;
        } catch (const error&) {
            same = false;
        }
        if (!same && r.phase == ring_phase::running) {
            refuse_request("the new memory table moves or drops the ring of queue " +
                           std::to_string(index_of(r)) + ", which runs");
        }
        if (!same) displaced.push_back(&r);
    }
    for (ring_state* r : displaced) halt(*r, out);
    retired_ = std::move(table_);
    table_ = std::move(table);
    out.memory_changed = true;
}

// --- calls --------------------------------------------------------------------------------------

call_route session::by_message(unsigned queue, back_request what, wire& message) {
    if (!backend_channel_ || !has_protocol(pf::inband_notifications)) return call_route::none;
    if (pending_call_ != nullptr) {
        throw error(error_kind::model, "vhost-user: a call before the last one was acknowledged");
    }
    message = encode(what, flag_version | flag_need_reply, vring_state{queue, 0});
    pending_call_ = &info_of(what);
    return call_route::message;
}

call_route session::call(unsigned queue, wire& message) {
    ring_state& r = rings_.at(queue);
    call_route route = call_route::none;
    // A descriptor is preferred over the message (vhost-user.rst, INBAND_NOTIFICATIONS).
    if (!r.call.valid()) {
        route = by_message(queue, back_request::vring_call, message);
    } else if (r.call.ring()) {
        route = call_route::rung;
    } else {
        r.call.close();
        route = call_route::gone;
    }
    r.missed_call = route == call_route::none;
    return route;
}

call_route session::ring_broken(unsigned queue, std::uint16_t next_available, wire& message) {
    ring_state& r = rings_.at(queue);
    r.broken = true;
    r.base = next_available;
    r.phase = ring_phase::idle;
    if (!r.err.valid()) return by_message(queue, back_request::vring_err, message);
    return r.err.ring() ? call_route::rung : call_route::gone;
}

bool session::call_acknowledged(const std::uint8_t* bytes, std::size_t size, std::size_t fd_count) {
    if (size < header_bytes) {
        refuse_request("an acknowledgement of " + std::to_string(size) + " bytes");
    }
    const header h = read_header(bytes, traffic::replies);
    if (pending_call_ == nullptr || h.request != pending_call_->id) {
        refuse_request("the front end answers message " + std::to_string(h.request) +
                       " on the back-end channel, which awaits " +
                       (pending_call_ == nullptr ? "nothing" : std::string(pending_call_->name)));
    }
    const std::uint64_t verdict =
        parse_ack(*pending_call_, bytes + header_bytes, size - header_bytes, fd_count);
    pending_call_ = nullptr;
    return verdict == 0;
}

}  // namespace scmi_vp::virtio::vhost_user
