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
constexpr std::size_t length_bytes = 4, header_bytes = 4, status_bytes = 4;
constexpr std::size_t in_bytes = 1 << 16;
constexpr const char* closed_before_it_had_read =
    "it closed the connection before it had read everything";

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
      reply_bytes_(static_cast<std::uint32_t>(
          std::min(header_bytes + status_bytes + max_payload, max_message))),
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
            accept_pause_.succeeded();
            begin();
        }
    } catch (const error& e) {
        if (accept_pause_.failed()) report_(e.what());
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
    held_back_.clear();
    in_used_ = in_usable_ = in_have_ = out_sent_ = 0;
    out_.clear();
    input_ended_ = false;
    sent_ = 0;
    wait_for(owing::nothing);
    for (slot& s : slots_) free_.push_back(&s);
    for (slot& s : events_) post_event(s);
}

/// The agent is gone: what it asked for and wished is forgotten.
void stream_service::end(const std::string& why) {
    if (!socket_.valid()) return;
    report_(why.empty() ? "disconnected" : "the session ended: " + std::string(why));
    device_.reset();
    socket_.close();
    failure_.clear();
    refusal_.clear();
    wait_for(owing::nothing);
}

// --- wall-clock time --------------------------------------------------------------------------

void stream_service::watch(std::vector<pollfd>& fds) {
    if (!socket_.valid()) {
        fds.push_back({accept_pause_.over() ? listener_.fd() : -1, POLLIN, 0});
        return;
    }
    // With all its commands lost it is not read: then only its end can come.
    const bool stuck = !input_ended_ && free_.empty() && waits_for_nothing();
    const int events =
        (may_read() ? POLLIN : 0) | (unread() > 0 ? POLLOUT : 0) | (stuck ? POLLRDHUP : 0);
    fds.push_back({socket_.fd(), static_cast<short>(events), 0});
}

void stream_service::serve(const pollfd* fds, std::size_t) {
    if (!socket_.valid()) return accept();
    if (fds[0].revents & POLLOUT) {
        write();
        take_messages();  // that were held back
    }
    if (fds[0].revents & POLLIN) read();
    if (fds[0].revents & POLLRDHUP) input_ended_ = true;
    // Gone in both directions: nobody reads what is still to come.
    if ((fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN)) {
        // A write tells of it, too, if there was one.
        if (failure_.empty()) failure_ = unread() > 0 ? closed_before_it_had_read : last_word();
        return end(failure_);
    }
    after();
}

sim_time stream_service::deadline() const {
    if (!socket_.valid()) return accept_pause_.deadline();
    return failure_.empty() && in_usable_ == in_have_ && !finished() ? stalled_at_ : sim_time{};
}

/// It has been told everything that it will be told, if it says no more.
bool stream_service::waits_for_nothing() const {
    return in_usable_ == in_have_ && unread() == 0 && !device_.owes_answers();
}

/// Nothing more is taken from it, and it has been told everything. What it had sent and nobody has
/// taken by now is no whole message, or was held back by commands that were lost.
bool stream_service::finished() const {
    return socket_.valid() && (input_ended_ || !refusal_.empty()) && waits_for_nothing();
}

/// Why the connection ends, if not because the agent has had enough.
std::string stream_service::last_word() const {
    if (!refusal_.empty()) return refusal_;
    const bool part_of_one = input_ended_ && in_have_ > in_used_ && may_take();
    return part_of_one ? "it ended its input in the middle of a message" : "";
}

stream_service::owing stream_service::owed() const {
    if (unread() > 0) return owing::reading;
    const bool partial = in_have_ > in_used_ && in_usable_ == in_have_ && may_take();
    return partial && !input_ended_ ? owing::rest_of_message : owing::nothing;
}

void stream_service::wait_for(owing what) {
    waiting_for_ = what;
    read_before_.reset();
    // One that reads does so soon: only then is the kernel asked how far it is.
    const sim_time wait = what == owing::reading ? sim_time(patience.ps / 100) : patience;
    stalled_at_ = what == owing::nothing ? sim_time::max() : now() + wait;
}

void stream_service::overdue() {
    after();
    if (now() < stalled_at_) return;
    if (waiting_for_ == owing::rest_of_message) {
        return end("it has not sent the rest of a message for " + to_string(patience));
    }
    const std::uint64_t read = sent_ - socket_.unread_by_peer();
    if (read_before_ == read) {
        return end("it has not read its socket for " + to_string(patience) + ": it is full, and " +
                   std::to_string(unread()) + " more bytes are waiting for it");
    }
    read_before_ = read;  // it has read something, however little
    stalled_at_ = now() + patience;
}

void stream_service::after() {
    if (!failure_.empty()) return end(failure_);
    if (!socket_.valid()) return;
    if (finished()) return end(last_word());
    note_what_is_owed();
}

void stream_service::note_what_is_owed() {
    if (const owing what = owed(); what != waiting_for_) wait_for(what);
}

// --- from the agent ---------------------------------------------------------------------------

void stream_service::read() {
    virtio::fd_list passed;  // a descriptor means nothing here: it is closed
    try {
        const io_result r = socket_.receive(in_.data() + in_have_, in_.size() - in_have_, passed);
        if (r.what == io_result::status::closed) input_ended_ = true;
        if (r.what == io_result::status::done) in_have_ += r.bytes;
    } catch (const error& e) {
        failure_ = e.what();
    }
}

bool stream_service::pass_on() {
    if (in_usable_ == in_have_ || !socket_.valid()) return false;
    in_usable_ = in_have_;
    take_messages();
    after();
    return true;
}

/// As many whole messages as there are and as there is room for: what the agent has not read holds
/// back what is taken from it.
void stream_service::take_whole_messages() {
    while (failure_.empty() && may_take()) {
        const std::size_t have = in_usable_ - in_used_;
        if (have < length_bytes) break;
        const std::size_t size = scmi::get_u32(in_.data() + in_used_, have, 0);
        if (size < header_bytes || size > max_message) {
            refusal_ = "a length of " + std::to_string(size) + ": a message has " +
                       std::to_string(header_bytes) + " to " + std::to_string(max_message) +
                       " bytes (u32 little-endian length, then header and payload)";
            break;
        }
        if (have < length_bytes + size) break;
        submit(in_.data() + in_used_ + length_bytes, size);
        in_used_ += length_bytes + size;
    }
}

void stream_service::take_messages() {
    take_whole_messages();
    if (in_used_ == 0) return;
    device_.kick(virtio::scmi_cmdq);
    std::memmove(in_.data(), in_.data() + in_used_, in_have_ - in_used_);
    in_have_ -= in_used_;
    in_usable_ -= in_used_;
    in_used_ = 0;
    if (waiting_for_ == owing::rest_of_message) wait_for(owing::nothing);
}

void stream_service::submit(const std::uint8_t* message, std::size_t size) {
    slot& s = *free_.back();
    free_.pop_back();
    view_.write(virtio::actor::driver, s.command, message, size);
    clear_reply(s);
    const virtio::buffer out{s.command, static_cast<std::uint32_t>(size)},
        in{s.reply, reply_bytes_};
    rings_[virtio::scmi_cmdq].add(&out, 1, &in, 1, &s);
    rings_[virtio::scmi_cmdq].kick_prepare();
}

/// A used length may be a lie (the fault `length`): what was not written is zero, not an earlier
/// message of somebody's.
void stream_service::clear_reply(const slot& s) {
    std::memset(memory_.data() + s.reply, 0, reply_bytes_);
}

void stream_service::post_event(slot& s) {
    if (unread() >= much_unread) return held_back_.push_back(&s);
    clear_reply(s);
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
    size = std::min(size, reply_bytes_);
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
        if (r.what == io_result::status::would_block) break;
        if (r.what == io_result::status::closed) {
            failure_ = closed_before_it_had_read;
            return;
        }
        out_sent_ += r.bytes;
        sent_ += r.bytes;
    }
    if (unread() == 0) {
        out_.clear();
        out_sent_ = 0;
    }
    note_what_is_owed();
    if (unread() >= much_unread) return;
    for (slot* s : std::exchange(held_back_, {})) post_event(*s);
}

void stream_service::ring_broken(unsigned, const virtio::ring_fault& fault) {
    failure_ = "defect: the stream's own ring is malformed: " + fault.what;
}

}  // namespace scmi_vp::models
