// SPDX-License-Identifier: Apache-2.0
// Reading exactly one message at a time, so that descriptors stay with theirs, and writing as much
// as a peer takes.
#include "virtio/vhost_user/channel.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {

/// Held here, it would keep the connection open after its owner has gone.
void channel::refuse_own_end(int fd) const {
    if (!stream_.is_peer(fd)) return;
    throw error(error_kind::input,
                "the peer passed its own end of this connection as a descriptor");
}

channel::outcome channel::receive() {
    if (done_) {
        assembler_.next();
        fds_.clear();
        done_ = false;
    }
    while (!assembler_.complete()) {
        const std::size_t had = fds_.size();
        const io_result r = stream_.receive(assembler_.space(), assembler_.wanted(), fds_);
        for (std::size_t i = had; i < fds_.size(); ++i) refuse_own_end(fds_[i].get());
        if (r.what == io_result::status::would_block) return outcome::nothing;
        if (r.what == io_result::status::closed) {
            if (assembler_.idle()) return outcome::closed;
            throw error(error_kind::input,
                        "the peer closed the connection in the middle of a "
                        "message, after " +
                            std::to_string(assembler_.size()) + " bytes of it");
        }
        if (fds_.size() > max_passed_fds) {
            throw error(error_kind::input, "the peer passed more than " +
                                               std::to_string(max_passed_fds) +
                                               " descriptors with one message");
        }
        assembler_.received(r.bytes);
    }
    done_ = true;
    return outcome::message;
}

std::size_t channel::write(const std::uint8_t* data, std::size_t size, const int* fds,
                           std::size_t fd_count) {
    std::size_t sent = 0;
    while (sent < size) {
        // Descriptors have gone with the first byte.
        const io_result r = stream_.send(data + sent, size - sent, fds, sent == 0 ? fd_count : 0);
        if (r.what == io_result::status::closed) {
            throw error(error_kind::input, "the peer closed the connection");
        }
        if (r.what == io_result::status::would_block) break;
        sent += r.bytes;
    }
    return sent;
}

void channel::keep(const std::uint8_t* data, std::size_t size, const int* fds,
                   std::size_t fd_count) {
    if (waiting_bytes_ + size > max_backlog) {
        throw error(error_kind::input,
                    "the peer has stopped reading: " + std::to_string(waiting_bytes_) +
                        " bytes are waiting for it");
    }
    waiting_part part{{data, data + size}, {}};
    for (std::size_t i = 0; i < fd_count; ++i) {
        part.fds.emplace_back(::fcntl(fds[i], F_DUPFD_CLOEXEC, 0));
        if (!part.fds.back().valid()) {
            throw error(error_kind::input,
                        std::string("cannot keep a descriptor to send: ") + std::strerror(errno));
        }
    }
    waiting_.push_back(std::move(part));
    waiting_bytes_ += size;
}

void channel::send(const wire& message, const int* fds, std::size_t fd_count) {
    std::size_t sent = 0;
    if (waiting_.empty()) sent = write(message.data(), message.size(), fds, fd_count);
    if (sent == message.size()) return;
    keep(message.data() + sent, message.size() - sent, fds, sent == 0 ? fd_count : 0);
}

void channel::flush() {
    while (!waiting_.empty()) {
        waiting_part& part = waiting_.front();
        std::vector<int> fds;
        for (const file_descriptor& fd : part.fds) fds.push_back(fd.get());
        const std::size_t sent =
            write(part.bytes.data(), part.bytes.size(), fds.data(), fds.size());
        waiting_bytes_ -= sent;
        if (sent < part.bytes.size()) {
            if (sent != 0) part.fds.clear();
            part.bytes.erase(part.bytes.begin(),
                             part.bytes.begin() + static_cast<std::ptrdiff_t>(sent));
            return;
        }
        waiting_.erase(waiting_.begin());
    }
}

}  // namespace scmi_vp::virtio::vhost_user
