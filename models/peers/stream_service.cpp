// SPDX-License-Identifier: Apache-2.0
// See stream_service.h.
#include "models/peers/stream_service.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "scmi/message.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {
namespace {

using virtio::io_result;

constexpr std::uint16_t ring_size = 2 * stream_service::most_commands;
constexpr unsigned event_buffers = 64;
constexpr std::size_t length_bytes = 4, header_bytes = 4, status_bytes = 4;
constexpr std::size_t in_bytes = 1 << 16;
// A peer that does not read gets no further command served from the one, and is dropped at the
// other (delayed responses and notifications go on coming).
constexpr std::size_t much_unread = 1 << 16, most_unread = 1 << 18;
constexpr sim_time accept_pause = seconds(1);

constexpr std::uint64_t ring_at(unsigned queue) {
    return std::uint64_t{queue} * 0x4000;
}
constexpr std::uint64_t buffers_at = 0x8000;
constexpr std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + 63) / 64 * 64;
}

}  // namespace

stream_service::stream_service(virtio::unix_listener listener, scmi_device& device,
                               virtio::guest_memory& view, std::uint32_t max_payload,
                               std::function<void(const std::string&)> report)
    : listener_(std::move(listener)),
      device_(device),
      view_(view),
      reply_bytes_(static_cast<std::uint32_t>(header_bytes + status_bytes) + max_payload),
      report_(std::move(report)),
      slots_(most_commands),
      events_(event_buffers),
      in_(in_bytes) {
    std::uint64_t next = buffers_at;
    const auto take = [&](std::uint64_t bytes) {
        return std::exchange(next, next + aligned(bytes));
    };
    for (slot& s : slots_) s = {take(max_message), take(reply_bytes_)};
    for (slot& s : events_) s = {0, take(reply_bytes_)};
    memory_.resize(next);
    view_.add_region({0, memory_.size(), memory_.data()});
    device_.connect(*this);
}

// --- connections ------------------------------------------------------------------------------

void stream_service::accept() {
    try {
        if (auto connection = listener_.accept()) {
            socket_ = std::move(*connection);
            begin();
        }
    } catch (const error& e) {
        accept_again_ = now() + accept_pause;
        report_(e.what());
    }
}

void stream_service::begin() {
    ++connections_;
    report_("connected");
    std::fill(memory_.begin(), memory_.begin() + buffers_at, std::uint8_t{0});
    for (unsigned q = 0; q < rings_.size(); ++q) {
        const auto layout = virtio::ring_layout::linux_block(ring_at(q), ring_size, 4096);
        rings_[q] = virtio::driver_queue(view_, layout, {});
        device_.start(q, layout, {}, true);
    }
    free_.clear();
    for (slot& s : slots_) free_.push_back(&s);
    for (slot& s : events_) post_event(s);
    in_used_ = in_usable_ = in_have_ = out_sent_ = 0;
    out_.clear();
    input_ended_ = false;
    stalled_at_ = sim_time::max();
}

/// The agent is gone: what it asked for and wished is forgotten.
void stream_service::end(const std::string& why) {
    if (!socket_.valid()) return;
    report_(why.empty() ? "disconnected" : "the session ended: " + std::string(why));
    device_.reset();
    socket_.close();
    failure_.clear();
    stalled_at_ = sim_time::max();
}

// --- wall-clock time --------------------------------------------------------------------------

bool stream_service::may_read() const {
    return !input_ended_ && in_usable_ == in_have_ && !free_.empty() &&
           out_.size() - out_sent_ < much_unread;
}

void stream_service::watch(std::vector<pollfd>& fds) {
    if (!socket_.valid()) {
        fds.push_back({now() < accept_again_ ? -1 : listener_.fd(), POLLIN, 0});
        return;
    }
    const int events = (may_read() ? POLLIN : 0) | (out_sent_ < out_.size() ? POLLOUT : 0);
    fds.push_back({socket_.fd(), static_cast<short>(events), 0});
}

void stream_service::serve(const pollfd* fds, std::size_t) {
    if (!socket_.valid()) return accept();
    if (fds[0].revents & POLLOUT) write();
    if (fds[0].revents & POLLIN) read();
    // Gone in both directions: nobody reads what is still to come.
    if ((fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN)) return end("");
    after();
}

sim_time stream_service::deadline() const {
    return failure_.empty() && in_usable_ == in_have_ && !finished() ? stalled_at_ : sim_time{};
}

/// It has said all it had to say, and has been told everything.
bool stream_service::finished() const {
    return socket_.valid() && input_ended_ && free_.size() == slots_.size() &&
           out_sent_ == out_.size();
}

void stream_service::overdue() {
    after();
    if (now() >= stalled_at_) {
        end("it has not finished a message, or not read its socket, for " + to_string(patience));
    }
}

void stream_service::after() {
    if (!failure_.empty()) return end(failure_);
    if (!socket_.valid()) return;
    const bool unread = out_sent_ < out_.size();
    if (finished()) return end("");
    const bool partial = in_have_ > in_used_ && !free_.empty();
    if (!unread && !partial && !input_ended_) {
        stalled_at_ = sim_time::max();
    } else if (stalled_at_ == sim_time::max()) {
        stalled_at_ = now() + patience;
    }
}

// --- from the agent ---------------------------------------------------------------------------

void stream_service::read() {
    virtio::fd_list passed;  // a descriptor means nothing here: it is closed
    const io_result r = socket_.receive(in_.data() + in_have_, in_.size() - in_have_, passed);
    if (r.what == io_result::status::would_block) return;
    if (r.what == io_result::status::closed) {
        input_ended_ = true;
        if (in_have_ > in_used_) failure_ = "it closed the connection in the middle of a message";
        return;
    }
    in_have_ += r.bytes;
}

bool stream_service::pass_on() {
    if (in_usable_ == in_have_ || !socket_.valid()) return false;
    in_usable_ = in_have_;
    take_messages();
    after();
    return true;
}

/// As many whole messages as there are and as there is room for.
void stream_service::take_messages() {
    while (failure_.empty() && !free_.empty()) {
        const std::size_t have = in_usable_ - in_used_;
        if (have < length_bytes) break;
        const std::size_t size = scmi::get_u32(in_.data() + in_used_, have, 0);
        if (size < header_bytes || size > max_message) {
            failure_ = "a length of " + std::to_string(size) + ": a message has " +
                       std::to_string(header_bytes) + " to " + std::to_string(max_message) +
                       " bytes (u32 little-endian length, then header and payload)";
            break;
        }
        if (have < length_bytes + size) break;
        submit(in_.data() + in_used_ + length_bytes, size);
        in_used_ += length_bytes + size;
    }
    if (in_used_ == 0) return;
    device_.kick(virtio::scmi_cmdq);
    std::memmove(in_.data(), in_.data() + in_used_, in_have_ - in_used_);
    in_have_ -= in_used_;
    in_usable_ -= in_used_;
    in_used_ = 0;
    stalled_at_ = sim_time::max();
}

void stream_service::submit(const std::uint8_t* message, std::size_t size) {
    slot& s = *free_.back();
    free_.pop_back();
    view_.write(virtio::actor::driver, s.command, message, size);
    const virtio::buffer out{s.command, static_cast<std::uint32_t>(size)},
        in{s.reply, reply_bytes_};
    rings_[virtio::scmi_cmdq].add(&out, 1, &in, 1, &s);
    rings_[virtio::scmi_cmdq].kick_prepare();
}

void stream_service::post_event(slot& s) {
    const virtio::buffer in{s.reply, reply_bytes_};
    rings_[virtio::scmi_eventq].add(nullptr, 0, &in, 1, &s);
    rings_[virtio::scmi_eventq].kick_prepare();
    device_.kick(virtio::scmi_eventq);
}

// --- to the agent -----------------------------------------------------------------------------

void stream_service::used_buffer_interrupt(unsigned queue) {
    virtio::driver_queue& ring = rings_[queue];
    for (auto used = ring.get_buf(); used.token; used = ring.get_buf()) {
        slot& s = *static_cast<slot*>(used.token);
        send(s, used.length);
        if (queue == virtio::scmi_eventq) {
            post_event(s);
        } else {
            free_.push_back(&s);
        }
    }
    write();
    // Commands that have waited for room.
    take_messages();
}

void stream_service::send(const slot& s, std::uint32_t size) {
    if (size < header_bytes) return;  // nothing that could be answered
    if (out_.size() - out_sent_ > most_unread) {
        failure_ = "it does not read: " + std::to_string(out_.size() - out_sent_) +
                   " bytes are waiting for it";
        return;
    }
    if (out_sent_ > much_unread) {
        out_.erase(out_.begin(), out_.begin() + std::ptrdiff_t(out_sent_));
        out_sent_ = 0;
    }
    const std::size_t at = out_.size();
    out_.resize(at + length_bytes + size);
    const std::uint32_t length = size;
    std::memcpy(out_.data() + at, &length, sizeof length);  // little-endian, like the host
    view_.read(virtio::actor::driver, s.reply, out_.data() + at + length_bytes, size);
}

/// As much as the socket takes. Called while the device runs, so that nothing can end here.
void stream_service::write() {
    while (out_sent_ < out_.size() && failure_.empty()) {
        const io_result r = socket_.send(out_.data() + out_sent_, out_.size() - out_sent_);
        if (r.what == io_result::status::would_block) {
            if (stalled_at_ == sim_time::max()) stalled_at_ = now() + patience;
            return;
        }
        if (r.what == io_result::status::closed) {
            failure_ = "it closed the connection before it had read everything";
            return;
        }
        out_sent_ += r.bytes;
        if (!input_ended_) stalled_at_ = sim_time::max();
    }
    out_.clear();
    out_sent_ = 0;
}

void stream_service::ring_broken(unsigned, const virtio::ring_fault& fault) {
    failure_ = "defect: the stream's own ring is malformed: " + fault.what;
}

}  // namespace scmi_vp::models
