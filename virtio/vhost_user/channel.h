// SPDX-License-Identifier: Apache-2.0
// Whole vhost-user messages over a Unix stream socket, without blocking: the thin shell between a
// socket and the state machines of either side.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "virtio/vhost_user/message.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {

class channel {
public:
    /// `expected`: what the peer sends on this socket.
    channel(unix_stream stream, traffic expected)
        : stream_(std::move(stream)), assembler_(expected) {}

    int fd() const { return stream_.fd(); }

    enum class outcome : std::uint8_t {
        message,  ///< data(), size() and take_fds() are one whole message
        nothing,  ///< no more for now
        closed,   ///< the peer has closed the connection, between two messages
    };
    /// Reads at most one message; what the last one left unclaimed is closed. Throws
    /// scmi_vp::error (input): a header that cannot be trusted, too many descriptors, or the peer's
    /// own end of this connection among them, closed in the middle of a message.
    outcome receive();
    const std::uint8_t* data() const { return assembler_.data(); }
    std::size_t size() const { return assembler_.size(); }
    fd_list take_fds() { return std::exchange(fds_, {}); }
    /// The peer has begun a message and owes the rest: give it a time limit.
    bool in_the_middle() const { return !done_ && !assembler_.idle(); }

    /// Sends a message; what does not fit is kept for `flush`. Throws scmi_vp::error (input) when
    /// the peer has closed, or has stopped reading with max_backlog bytes waiting for it.
    void send(const wire& message, const int* fds = nullptr, std::size_t fd_count = 0);
    /// More of what is waiting; call it when fd() is writable. Throws likewise.
    void flush();
    bool backlog() const { return !waiting_.empty(); }
    static constexpr std::size_t max_backlog = 1 << 16;

private:
    struct waiting_part {
        std::vector<std::uint8_t> bytes;
        fd_list fds;  ///< go with the first byte
    };
    std::size_t write(const std::uint8_t* data, std::size_t size, const int* fds,
                      std::size_t fd_count);
    void refuse_own_end(int fd) const;
    void keep(const std::uint8_t* data, std::size_t size, const int* fds, std::size_t fd_count);

    unix_stream stream_;
    assembler assembler_;
    fd_list fds_;
    bool done_ = false;  ///< the assembler holds a whole message
    std::vector<waiting_part> waiting_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace scmi_vp::virtio::vhost_user
