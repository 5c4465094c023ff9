// SPDX-License-Identifier: Apache-2.0
// SCMI over a stream socket, as docs/serve.md lays it out: u32 little-endian length, header,
// payload, in both directions.
#include "models/peers/stream_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/peers/wall_clock_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::service_of;
using testing_tools::wall_platform;
using words = std::vector<std::uint32_t>;

/// An agent that speaks the stream's language; blocking, with a time limit.
class stream_agent {
public:
    explicit stream_agent(const std::string& path) : socket_(testing_tools::connect_to(path)) {}

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
            if (!testing_tools::readable(socket_.fd(), ms))
                throw std::runtime_error("nothing came");
            const auto r = socket_.receive(static_cast<char*>(to) + have, size - have, fds);
            if (r.what == virtio::io_result::status::closed) return false;
            have += r.bytes;
        }
        return true;
    }
    virtio::unix_stream socket_;
};

std::uint16_t token_of(const words& w) {
    return scmi::header::unpack(w.at(0)).token;
}

TEST(stream_service, probe_commands_and_a_delayed_response) {
    wall_platform run;
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        EXPECT_EQ(a.ask(scmi::protocol::base, 0).at(2), 0x20000u);
        EXPECT_EQ(a.ask(scmi::protocol::base, 1).at(2) & 0xff, 2u);  // protocols
        EXPECT_EQ(a.ask(scmi::protocol::clock, 6, {0}).at(2), 1'000'000u);
        EXPECT_EQ(std::int32_t(a.ask(0x42, 0).at(1)), -1);  // NOT_SUPPORTED
        // SENSOR_READING_GET, asynchronous: a response, then a delayed one with the same token.
        a.send(stream_agent::frame(scmi::protocol::sensor, 6, 77, {1, 1}));
        const words response = a.next(), delayed = a.next();
        EXPECT_EQ(scmi::header::unpack(response.at(0)).type, scmi::message_type::command);
        EXPECT_EQ(scmi::header::unpack(delayed.at(0)).type, scmi::message_type::delayed_response);
        EXPECT_EQ(token_of(response), 77u);
        EXPECT_EQ(token_of(delayed), 77u);
        // A size that does not fit the command is the platform's to refuse: PROTOCOL_ERROR.
        EXPECT_EQ(std::int32_t(a.ask(scmi::protocol::clock, 6, {0, 0}).at(1)), -10);
    });
}

TEST(stream_service, pipelined_commands_byte_by_byte_and_in_one_piece) {
    system_config c = testing_tools::small_system();
    c.platform.workers = 0;
    wall_platform run(c);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        std::vector<std::uint8_t> many;
        for (std::uint16_t i = 0; i < 1000; ++i) {
            const auto f = stream_agent::frame(scmi::protocol::base, 0, i);
            many.insert(many.end(), f.begin(), f.end());
        }
        for (std::size_t i = 0; i < 80; ++i) a.send({many[i]});
        a.send({many.begin() + 80, many.end()});
        std::vector<bool> seen(1000);
        for (int i = 0; i < 1000; ++i) seen.at(token_of(a.next())) = true;
        EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 1000);
    });
}

TEST(stream_service, latency_is_real_and_commands_overlap_as_workers_allow) {
    system_config c = service_of(milliseconds(30));
    c.platform.workers = 0;
    wall_platform run(c);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint16_t i = 0; i < 20; ++i) a.send(stream_agent::frame(0x10, 0, i));
        for (int i = 0; i < 20; ++i) a.next();
        const auto took = std::chrono::steady_clock::now() - begin;
        EXPECT_GE(took, std::chrono::milliseconds(30));
        EXPECT_LT(took, std::chrono::milliseconds(20 * 30));
    });
}

// As vhost_user_service_ring.no_command_is_served_before_it_was_made.
TEST(stream_service, no_command_is_served_before_it_was_made) {
    using clock = std::chrono::steady_clock;
    system_config c = service_of(milliseconds(10));
    c.platform.workers = 3;
    wall_platform run(c);
    testing_tools::slow_host host(run.clock);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        std::array<clock::time_point, 60> made;
        for (std::uint16_t i = 0; i < 60; ++i) {
            host.slow = true;
            made[i] = clock::now();
            a.send(stream_agent::frame(0x10, 0, i));
            ::usleep(100 * (3 * i % 11));
            if (i % 5 != 4) continue;
            host.slow = false;
            for (int n = 0; n < 5; ++n) {
                const auto token = token_of(a.next());
                EXPECT_GE(clock::now() - made.at(token), std::chrono::milliseconds(10)) << token;
            }
        }
    });
}

// What is said before the end of the input is answered still; then the connection is closed.
TEST(stream_service, answers_everything_before_it_hangs_up) {
    wall_platform run(service_of(milliseconds(5)));
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        for (std::uint16_t i = 0; i < 5; ++i) a.send(stream_agent::frame(0x10, 0, i));
        a.no_more();
        for (std::uint16_t i = 0; i < 5; ++i) EXPECT_EQ(token_of(a.next()), i);
        EXPECT_TRUE(a.dropped());
        EXPECT_EQ(stream_agent(path).ask(0x10, 0).at(2), 0x20000u) << "the next one is served";
    });
    EXPECT_EQ(run.streams[0]->connections(), 2u);
}

TEST(stream_service, a_length_out_of_range_ends_the_session) {
    wall_platform run;
    const std::string path = run.stream();
    run.play([&] {
        for (const std::uint32_t length : {0u, 3u, 4101u, 0xffffffffu}) {
            stream_agent a(path);
            std::vector<std::uint8_t> bytes(4);
            std::memcpy(bytes.data(), &length, 4);
            a.send(bytes);
            EXPECT_TRUE(a.dropped()) << length;
        }
        stream_agent a(path);
        std::vector<std::uint8_t> longest(4 + 4100);
        const std::uint32_t length = 4100;
        std::memcpy(longest.data(), &length, 4);
        a.send(longest);
        EXPECT_EQ(std::int32_t(a.next().at(1)), -1);
    });
    EXPECT_TRUE(run.reported("a message has 4 to 4100 bytes"));
}

TEST(stream_service, who_owes_the_rest_of_a_message_is_dropped) {
    wall_platform run;
    run.patience = milliseconds(300);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        a.send({8, 0, 0});
        EXPECT_TRUE(a.dropped());
    });
    EXPECT_TRUE(run.reported("it has not finished a message"));
}

TEST(stream_service, who_does_not_read_is_dropped) {
    wall_platform run;
    run.patience = milliseconds(300);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        std::vector<std::uint8_t> many;
        for (std::uint16_t i = 0; i < 1000; ++i) {
            const auto f = stream_agent::frame(scmi::protocol::base, 3, i);
            many.insert(many.end(), f.begin(), f.end());
        }
        for (;;) {
            pollfd p{a.fd(), POLLOUT, 0};
            if (::poll(&p, 1, 2000) == 0 || (p.revents & (POLLHUP | POLLERR)) != 0) break;
            a.send(many);
        }
        EXPECT_EQ(stream_agent(path).ask(0x10, 0).at(2), 0x20000u) << "the next one is served";
    });
    EXPECT_TRUE(run.reported("the session ended: it has not finished a message, or not read"));
}

TEST(stream_service, an_agent_that_goes_takes_its_wishes_along) {
    wall_platform run;
    const std::string path = run.stream();
    run.play([&] {
        {
            stream_agent a(path);
            EXPECT_EQ(a.ask(scmi::protocol::clock, 5, {0, 0, 2'000'000, 0}).at(1), 0u);
            EXPECT_EQ(a.ask(scmi::protocol::clock, 6, {0}).at(2), 2'000'000u);
        }
        EXPECT_EQ(stream_agent(path).ask(scmi::protocol::clock, 6, {0}).at(2), 1'000'000u);
    });
}

}  // namespace
}  // namespace scmi_vp::models
