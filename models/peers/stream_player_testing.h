// SPDX-License-Identifier: Apache-2.0
// For tests: an agent that writes what it is told to in pieces of any size, and reads as it comes.
#pragma once

#include <algorithm>
#include <cerrno>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "models/peers/fuzz_testing.h"
#include "models/peers/stream_agent_testing.h"

namespace scmi_vp::models::testing_tools {

inline void append_frame(byte_string& to, const byte_string& message) {
    put(to, std::uint32_t(message.size()));
    // One by one: gcc 12 sees an overflow in vector::insert here, where there is none.
    for (const std::uint8_t b : message) to.push_back(b);
}

inline scmi::header header_of(const byte_string& message) {
    return scmi::header::unpack(scmi::get_u32(message.data(), message.size(), 0));
}

class stream_player {
public:
    stream_player(const std::string& path, command_generator& g) : agent_(path), random_(g) {}

    /// Until all of `what` is written. False when the other side hung up.
    bool write(const byte_string& what) {
        for (std::size_t sent = 0; sent < what.size();) {
            std::size_t piece =
                random_.below(4) == 0 ? 1 + random_.below(8) : 1 + random_.below(3000);
            piece = std::min(piece, what.size() - sent);
            const ssize_t n =
                ::send(agent_.fd(), what.data() + sent, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0) sent += std::size_t(n);
            if (n < 0 && errno != EAGAIN) return false;
            if (n < 0 || random_.below(5) == 0) read(n < 0 ? 1000 : 0);
        }
        return true;
    }
    void half_close() { agent_.no_more(); }
    /// Waits for more, for `patience_ms` at most. False when nothing came: see closed().
    bool read() { return read(patience_ms); }
    bool read_to_the_end() {
        while (read()) {
        }
        return closed_;
    }
    /// The other side has hung up.
    bool closed() const { return closed_; }
    /// All that has come, whole messages.
    const std::vector<byte_string>& messages() const { return messages_; }

    static constexpr int patience_ms = 30'000;

private:
    bool read(int ms) {
        if (closed_ || !readable(agent_.fd(), ms)) return false;
        std::uint8_t some[4096];
        const ssize_t n = ::recv(agent_.fd(), some, 1 + random_.below(sizeof some), MSG_DONTWAIT);
        if (n <= 0) {
            closed_ = true;
            EXPECT_TRUE(got_.empty()) << "it hung up in the middle of a message";
            return false;
        }
        got_.insert(got_.end(), some, some + n);
        split();
        return true;
    }
    void split() {
        std::size_t at = 0;
        while (got_.size() - at >= 4) {
            const std::size_t size = scmi::get_u32(got_.data(), got_.size(), at);
            EXPECT_GE(size, 4u);
            EXPECT_LE(size, stream_service::max_message);
            if (got_.size() - at - 4 < size) break;
            const auto from = got_.begin() + std::ptrdiff_t(at + 4);
            messages_.emplace_back(from, from + std::ptrdiff_t(size));
            at += 4 + size;
        }
        got_.erase(got_.begin(), got_.begin() + std::ptrdiff_t(at));
    }

    stream_agent agent_;
    command_generator& random_;
    byte_string got_;  ///< of the next message
    std::vector<byte_string> messages_;
    bool closed_ = false;
};

}  // namespace scmi_vp::models::testing_tools
