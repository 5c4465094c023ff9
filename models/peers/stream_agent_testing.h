// SPDX-License-Identifier: Apache-2.0
// For tests: an agent that speaks the stream's language (docs/serve.md).
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "models/peers/wall_clock_testing.h"

namespace scmi_vp::models::testing_tools {

using words = std::vector<std::uint32_t>;

/// An agent that speaks the stream's language; blocking, with a time limit.
class stream_agent {
public:
    explicit stream_agent(const std::string& path) : socket_(connect_to(path)) {}

    static std::vector<std::uint8_t> frame(std::uint8_t protocol, std::uint8_t message,
                                           std::uint16_t token, words payload = {}) {
        payload.insert(
            payload.begin(),
            {std::uint32_t(4 * payload.size() + 4),
             scmi::header{message, scmi::message_type::command, protocol, token}.pack()});
        std::vector<std::uint8_t> bytes(4 * payload.size());
        std::memcpy(bytes.data(), payload.data(), bytes.size());
        return bytes;
    }
    void send(const std::vector<std::uint8_t>& bytes) {
        for (std::size_t sent = 0; sent < bytes.size();) {
            pollfd p{socket_.fd(), POLLOUT, 0};
            if (::poll(&p, 1, 5000) != 1) throw std::runtime_error("it does not read");
            sent += socket_.send(bytes.data() + sent, bytes.size() - sent).bytes;
        }
    }
    /// The next message's words; empty when the connection is closed.
    words next(int ms = 5000) {
        std::uint32_t size = 0;
        if (!read(&size, 4, ms)) return {};
        words w((size + 3) / 4);
        if (!read(w.data(), size, ms)) throw std::runtime_error("closed in a message");
        return w;
    }
    words ask(std::uint8_t protocol, std::uint8_t message, words payload = {}) {
        send(frame(protocol, message, 1, std::move(payload)));
        return next();
    }
    bool dropped() { return next().empty(); }
    void no_more() { ::shutdown(socket_.fd(), SHUT_WR); }
    int fd() const { return socket_.fd(); }

private:
    bool read(void* to, std::size_t size, int ms) {
        virtio::fd_list fds;
        for (std::size_t have = 0; have < size;) {
            if (!readable(socket_.fd(), ms)) throw std::runtime_error("nothing came");
            const auto r = socket_.receive(static_cast<char*>(to) + have, size - have, fds);
            if (r.what == virtio::io_result::status::closed) return false;
            have += r.bytes;
        }
        return true;
    }
    virtio::unix_stream socket_;
};

inline std::uint16_t token_of(const words& w) {
    return scmi::header::unpack(w.at(0)).token;
}

}  // namespace scmi_vp::models::testing_tools
