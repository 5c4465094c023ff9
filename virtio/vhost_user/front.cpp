// SPDX-License-Identifier: Apache-2.0
// The front end's sequences: connect, set up, start, stop; its kicks; and the back end's requests.
#include "virtio/vhost_user/front.h"

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {

namespace {

namespace pf = protocol_feature;
using r = front_request;

[[noreturn]] void refuse_config(const std::string& what) {
    throw error(error_kind::config, "vhost-user front end: " + what);
}

[[noreturn]] void back_end_error(const std::string& what) {
    throw error(error_kind::input, "the vhost-user back end " + what);
}

}  // namespace

front_end::front_end(front_config config) : config_(std::move(config)) {
    if (config_.memory.empty() || config_.memory.size() > max_regions) {
        refuse_config("needs 1 to " + std::to_string(max_regions) + " memory regions");
    }
    if (config_.queues.empty() || config_.queues.size() > 64) {
        refuse_config("needs 1 to 64 queues");
    }
    if ((config_.features & feature::version_1) == 0) {
        refuse_config("the driver must accept VERSION_1");
    }
    constexpr std::uint64_t inband = pf::inband_notifications | pf::reply_ack | pf::backend_req;
    if ((config_.protocol_features & pf::inband_notifications) != 0 &&
        ((config_.protocol_features & inband) != inband || config_.backend_channel < 0)) {
        refuse_config("INBAND_NOTIFICATIONS needs REPLY_ACK, BACKEND_REQ and a back-end channel");
    }
    bells_.resize(config_.queues.size());
    for (unsigned q = 0; q < config_.queues.size(); ++q) {
        if (config_.start_at_once) check_queue(q);
        bells_[q] = {doorbell::make(), doorbell::make(), doorbell::make()};
    }
    plan_connect();
}

void front_end::check_queue(unsigned queue) const {
    if (!legal_queue_size(config_.queues.at(queue).layout.size)) {
        refuse_config("the size of queue " + std::to_string(queue) +
                      " is no power of two up to 32768");
    }
    addresses(queue);
}

void front_end::set_queue(unsigned queue, const ring_layout& layout, std::uint16_t next_available) {
    config_.queues.at(queue) = {layout, next_available};
    if (layout.size != 0) check_queue(queue);
}

std::uint64_t front_end::user_address(std::uint64_t guest, std::uint64_t size) const {
    for (const front_config::region& m : config_.memory) {
        const std::uint64_t offset = guest - m.where.guest_addr;
        if (guest < m.where.guest_addr || offset >= m.where.size) continue;
        if (size <= m.where.size - offset) return m.where.user_addr + offset;
    }
    refuse_config("a ring does not lie in one region of the shared memory");
}

vring_addr front_end::addresses(unsigned queue) const {
    const ring_layout& l = config_.queues[queue].layout;
    vring_addr a;
    a.index = queue;
    a.desc = user_address(l.desc, desc_area_bytes(l.size));
    a.avail = user_address(l.avail, avail_area_bytes(l.size));
    a.used = user_address(l.used, used_area_bytes(l.size));
    return a;
}

mem_table front_end::table() const {
    mem_table t;
    for (const front_config::region& m : config_.memory) t.regions.push_back(m.where);
    return t;
}

ring_features front_end::ring() const {
    return {(accepted_ & feature::event_idx) != 0, (accepted_ & feature::indirect_desc) != 0};
}

// --- sequences ----------------------------------------------------------------------------------

void front_end::plan_connect() {
    plan_ = {{r::set_owner}, {r::get_features}};
    at_ = 0;
    state_ = state::connecting;
}

/// After the features are known: what depends on them.
void front_end::plan_setup() {
    if (has_protocol(pf::mq)) plan_.push_back({r::get_queue_num});
    if (has_protocol(pf::backend_req) && config_.backend_channel >= 0) {
        plan_.push_back({r::set_backend_req_fd});
    }
    if (config_.start_at_once) plan_start();
}

void front_end::plan_start() {
    plan_.push_back({r::set_features});
    plan_.push_back({r::set_mem_table});
    const auto queues = static_cast<unsigned>(config_.queues.size());
    for (unsigned q = 0; q < queues; ++q) {
        if (!in_use(q)) continue;
        plan_.push_back({r::set_vring_num, q});
        plan_.push_back({r::set_vring_base, q});
        plan_.push_back({r::set_vring_addr, q});
        plan_.push_back({r::set_vring_err, q});
        if (in_band()) continue;
        plan_.push_back({r::set_vring_call, q});
        plan_.push_back({r::set_vring_kick, q});
    }
    for (unsigned q = 0; (accepted_ & feature_protocol_features) != 0 && q < queues; ++q) {
        if (in_use(q)) plan_.push_back({r::set_vring_enable, q, 1});
    }
    barrier();
}

/// Without acknowledgements a request that has a reply tells that all before it are done (QEMU does
/// the same, vhost_user_set_vring_enable).
void front_end::barrier() {
    if (!has_protocol(pf::reply_ack)) plan_.push_back({r::get_features});
}

/// Not for SET_PROTOCOL_FEATURES: back ends differ in whether it takes effect before its own
/// acknowledgement, and QEMU does not ask there either.
bool front_end::wants_ack(front_request what) const {
    return !info_of(what).replies && has_protocol(pf::reply_ack) &&
           what != r::set_protocol_features;
}

std::optional<front_end::outgoing> front_end::next() {
    if (awaited_ != nullptr || at_ == plan_.size()) return std::nullopt;
    const step s = plan_[at_++];
    outgoing out = make(s);
    const request_info& info = info_of(s.what);
    awaiting_ack_ = wants_ack(s.what);
    if (info.replies || awaiting_ack_) {
        awaited_ = &info;
        awaited_queue_ = s.queue;
    } else if (at_ == plan_.size()) {
        sequence_done();
    }
    return out;
}

front_end::outgoing front_end::make(const step& s) const {
    outgoing out;
    const std::uint32_t flags = flag_version | (wants_ack(s.what) ? flag_need_reply : 0);
    out.bytes = encode(s.what, flags, body_of(s));
    switch (s.what) {
        case r::set_mem_table:
            for (const front_config::region& m : config_.memory) out.fds.push_back(m.fd);
            break;
        case r::set_backend_req_fd:
            out.fds.push_back(config_.backend_channel);
            break;
        case r::set_vring_kick:
            out.fds.push_back(bells_[s.queue].kick.fd());
            break;
        case r::set_vring_call:
            out.fds.push_back(bells_[s.queue].call.fd());
            break;
        case r::set_vring_err:
            out.fds.push_back(bells_[s.queue].err.fd());
            break;
        default:
            break;
    }
    return out;
}

payload front_end::body_of(const step& s) const {
    const front_config::queue* queue = &config_.queues[s.queue];
    switch (s.what) {
        case r::set_features:
            return accepted_;
        case r::set_protocol_features:
            return protocol_;
        case r::set_mem_table:
            return table();
        case r::set_vring_num:
            return vring_state{s.queue, queue->layout.size};
        case r::set_vring_base:
            return vring_state{s.queue, queue->base};
        case r::set_vring_addr:
            return addresses(s.queue);
        case r::set_vring_enable:
            return vring_state{s.queue, s.value};
        case r::get_vring_base:
            return vring_state{s.queue, 0};
        case r::set_vring_kick:
        case r::set_vring_call:
        case r::set_vring_err:
            return vring_fd{static_cast<std::uint8_t>(s.queue), false};
        default:
            return std::monostate{};
    }
}

void front_end::on_reply(const std::uint8_t* bytes, std::size_t size, std::size_t fd_count) {
    if (size < header_bytes) back_end_error("sent " + std::to_string(size) + " bytes");
    const header h = read_header(bytes, traffic::replies);
    if (awaited_ == nullptr || h.request != awaited_->id) {
        back_end_error("answers message " + std::to_string(h.request) + ", awaited is " +
                       (awaited_ == nullptr ? "nothing" : std::string(awaited_->name)));
    }
    const request_info& info = *awaited_;
    awaited_ = nullptr;
    const std::uint8_t* data = bytes + header_bytes;
    if (awaiting_ack_) {
        awaiting_ack_ = false;
        const std::uint64_t verdict = parse_ack(info, data, size - header_bytes, fd_count);
        if (verdict != 0) {
            back_end_error("refuses " + std::string(info.name) + " (" + std::to_string(verdict) +
                           ")");
        }
    } else {
        awaited_ = &info;  // take_reply asks which
        const payload body = parse_reply(info, data, size - header_bytes, fd_count);
        take_reply(body);
        awaited_ = nullptr;
    }
    if (at_ == plan_.size()) sequence_done();
}

void front_end::take_reply(const payload& body) {
    switch (static_cast<r>(awaited_->id)) {
        case r::get_features:
            if (!features_known_) take_features(std::get<std::uint64_t>(body));
            return;
        case r::get_protocol_features:
            return take_protocol_features(std::get<std::uint64_t>(body));
        case r::get_queue_num: {
            const auto has = std::get<std::uint64_t>(body);
            if (has < config_.queues.size()) {
                back_end_error("has " + std::to_string(has) + " queues, " +
                               std::to_string(config_.queues.size()) + " are needed");
            }
            return;
        }
        case r::get_vring_base: {
            const auto& s = std::get<vring_state>(body);
            if (s.index != awaited_queue_ || s.num > 0xffff) {
                back_end_error("answers GET_VRING_BASE of queue " + std::to_string(awaited_queue_) +
                               " with queue " + std::to_string(s.index) + ", base " +
                               std::to_string(s.num));
            }
            config_.queues[s.index].base = static_cast<std::uint16_t>(s.num);
            return;
        }
        default:
            return;
    }
}

void front_end::take_features(std::uint64_t offered) {
    if ((offered & feature::version_1) == 0) {
        back_end_error("does not offer VERSION_1: only legacy rings, which are not supported");
    }
    features_known_ = true;
    offered_ = offered;
    accepted_ = offered & (config_.features | feature_protocol_features);
    if ((offered & feature_protocol_features) == 0) {
        if ((config_.protocol_features & pf::inband_notifications) != 0) {
            back_end_error("has no protocol features, in-band notifications are wanted");
        }
        plan_setup();
    } else {
        plan_.push_back({r::get_protocol_features});
    }
}

void front_end::take_protocol_features(std::uint64_t offered) {
    protocol_ = offered & config_.protocol_features;
    constexpr std::uint64_t inband = pf::inband_notifications | pf::reply_ack | pf::backend_req;
    if ((config_.protocol_features & pf::inband_notifications) != 0 &&
        (protocol_ & inband) != inband) {
        back_end_error(
            "does not offer INBAND_NOTIFICATIONS with REPLY_ACK and BACKEND_REQ, which "
            "are wanted");
    }
    plan_.push_back({r::set_protocol_features});
    plan_setup();
}

void front_end::sequence_done() {
    if (state_ == state::connecting) {
        state_ = config_.start_at_once ? state::running : state::stopped;
    }
    if (state_ == state::stopping) state_ = state::stopped;
}

void front_end::stop() {
    if (state_ != state::running || awaited_ != nullptr) {
        throw error(error_kind::model,
                    "vhost-user front end: stop while not running, or before the "
                    "last kick was acknowledged");
    }
    plan_.clear();
    at_ = 0;
    state_ = state::stopping;
    const auto queues = static_cast<unsigned>(config_.queues.size());
    for (unsigned q = queues; (accepted_ & feature_protocol_features) != 0 && q-- > 0;) {
        if (in_use(q)) plan_.push_back({r::set_vring_enable, q, 0});
    }
    for (unsigned q = 0; q < queues; ++q) {
        if (in_use(q)) plan_.push_back({r::get_vring_base, q});
    }
}

void front_end::restart() {
    if (state_ != state::stopped) {
        throw error(error_kind::model, "vhost-user front end: restart while not stopped");
    }
    plan_.clear();
    at_ = 0;
    config_.start_at_once = true;
    state_ = state::connecting;
    plan_start();
}

// --- while it runs ------------------------------------------------------------------------------

void front_end::kick(unsigned queue, wire& message) {
    message.clear();
    if (state_ != state::running || awaited_ != nullptr) {
        throw error(error_kind::model,
                    "vhost-user front end: a kick while not running, or before "
                    "the last one was acknowledged");
    }
    if (!in_band()) {
        bells_.at(queue).kick.ring();
        return;
    }
    message = encode(r::vring_kick, flag_version | flag_need_reply, vring_state{queue, 0});
    awaited_ = &info_of(r::vring_kick);
    awaited_queue_ = queue;
    awaiting_ack_ = true;
}

front_end::backend_event front_end::on_backend_request(const std::uint8_t* bytes, std::size_t size,
                                                       std::size_t fd_count) {
    if (size < header_bytes) back_end_error("sent " + std::to_string(size) + " bytes");
    const header h = read_header(bytes, traffic::requests);
    backend_event event;
    const request_info* info = find_back_request(h.request);
    bool good = info != nullptr && info->served && has_protocol(info->needs);
    if (good) {
        try {
            const payload body =
                parse_request(*info, bytes + header_bytes, size - header_bytes, fd_count);
            const std::uint32_t queue = std::get<vring_state>(body).index;
            const bool call = h.request == static_cast<std::uint32_t>(back_request::vring_call);
            good = queue < config_.queues.size();
            if (good) (call ? event.called : event.broken) = queue;
        } catch (const error&) {
            good = false;
        }
    }
    if (h.need_reply() && has_protocol(pf::reply_ack)) {
        event.reply = encode(h.request, reply_flags, std::uint64_t{good ? 0u : 1u});
    }
    return event;
}

}  // namespace scmi_vp::virtio::vhost_user
