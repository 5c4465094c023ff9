// SPDX-License-Identifier: Apache-2.0
// SCMI over a stream socket, as docs/serve.md lays it out: u32 little-endian length, header,
// payload, in both directions.
#include "models/peers/stream_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <gtest/gtest.h>
#include <unistd.h>

#include "models/peers/stream_agent_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::service_of;
using testing_tools::stream_agent;
using testing_tools::token_of;
using testing_tools::wall_platform;
using testing_tools::words;

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

// docs/serve.md shows these bytes.
TEST(stream_service, speaks_as_the_documentation_says) {
    wall_platform run;
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        a.send({4, 0, 0, 0, 0, 0x40, 4, 0});
        std::array<std::uint8_t, 16> answer{};
        for (std::size_t have = 0; have < answer.size();) {
            ASSERT_TRUE(testing_tools::readable(a.fd(), 5000));
            const ssize_t n = ::recv(a.fd(), answer.data() + have, answer.size() - have, 0);
            ASSERT_GT(n, 0);
            have += std::size_t(n);
        }
        const std::array<std::uint8_t, 16> documented{0x0c, 0, 0, 0, 0, 0x40, 4, 0,
                                                      0,    0, 0, 0, 0, 0,    2, 0};
        EXPECT_EQ(answer, documented);
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
    EXPECT_TRUE(run.reported("it has not sent the rest of a message for 300ms"));
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
    EXPECT_TRUE(run.reported("the session ended: it has not read its socket for 300ms: "));
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
