// SPDX-License-Identifier: Apache-2.0
// scmi-vp serve as a process: its sockets, its guests, its end by a signal.
#include "runs/sockets/serve_run.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "models/peers/guest_testing.h"
#include "runs/load.h"
#include "runs/sockets/serve_testing.h"

namespace scmi_vp::runs {
namespace {

using models::testing_tools::real_guest;
using testing_tools::server;
using testing_tools::two_agents;

mode_t mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode : 0;
}

TEST(serve, guests_come_and_go_until_a_signal_ends_it) {
    serve_options options;
    options.sockets = {"a", "b"};
    server s(two_agents(), options);
    s.await("Ctrl-C ends it");
    for (const char* name : {"a", "b"}) {
        EXPECT_TRUE(S_ISSOCK(mode_of(s.folder / name)));
        EXPECT_EQ(mode_of(s.folder / name) & 0777, 0600u) << "only the owner may connect";
    }
    real_guest b(s.folder / "b");
    b.connect();
    for (int i = 0; i < 3; ++i) {
        real_guest a(s.folder / "a");
        a.connect();
        EXPECT_EQ(a.base_version(), 0x20000u);
        EXPECT_EQ(b.base_version(), 0x20000u);
    }
    s.end(SIGTERM);
    EXPECT_EQ(mode_of(s.folder / "a"), 0u) << "the socket is removed";
    EXPECT_TRUE(b.closed());
    const std::string report = s.report();
    EXPECT_NE(report.find("Terminated"), std::string::npos) << report;
    EXPECT_NE(report.find("3 commands, 3 connections; answered after 1"), std::string::npos)
        << report;
    EXPECT_NE(report.find("ended in order"), std::string::npos) << report;
}

TEST(serve, a_stream_beside_a_guest) {
    serve_options options;
    options.sockets = {"a"};
    options.streams = {"s"};
    server s(two_agents(), options);
    s.await("Ctrl-C ends it");
    auto stream = models::testing_tools::connect_to(s.folder / "s");
    // Length 4, PROTOCOL_VERSION of Base with token 1: the example of docs/serve.md.
    const std::uint8_t ask[] = {4, 0, 0, 0, 0x00, 0x40, 0x04, 0x00};
    stream.send(ask, sizeof ask);
    std::uint8_t answer[16] = {};
    virtio::fd_list fds;
    ASSERT_TRUE(models::testing_tools::readable(stream.fd(), 5000));
    EXPECT_EQ(stream.receive(answer, sizeof answer, fds).bytes, 16u);
    const std::uint8_t expected[16] = {12, 0, 0, 0, 0, 0x40, 4, 0, 0, 0, 0, 0, 0, 0, 2, 0};
    EXPECT_EQ(std::vector<std::uint8_t>(answer, answer + 16),
              std::vector<std::uint8_t>(expected, expected + 16));
    s.end(SIGINT);
    EXPECT_NE(s.report().find("Interrupt"), std::string::npos) << s.report();
}

/// An agent on a stream: little-endian words behind a length.
class stream_agent {
public:
    explicit stream_agent(const std::string& path)
        : socket_(models::testing_tools::connect_to(path)) {}

    void send(std::uint8_t protocol, std::uint8_t message, std::vector<std::uint32_t> words) {
        words.insert(words.begin(),
                     {std::uint32_t(4 + 4 * words.size()),
                      scmi::header{message, scmi::message_type::command, protocol, 1}.pack()});
        socket_.send(words.data(), 4 * words.size());
    }
    /// The next message: its header and its words; empty if none comes in time.
    std::vector<std::uint32_t> next() {
        std::uint32_t length = 0;
        if (!read(&length, 4) || length % 4 != 0) return {};
        std::vector<std::uint32_t> words(length / 4);
        return read(words.data(), length) ? words : std::vector<std::uint32_t>{};
    }

private:
    bool read(void* to, std::size_t bytes) {
        for (std::size_t done = 0; done < bytes;) {
            if (!models::testing_tools::readable(socket_.fd(), 5000)) return false;
            virtio::fd_list fds;
            const auto got =
                socket_.receive(static_cast<std::uint8_t*>(to) + done, bytes - done, fds).bytes;
            if (got == 0) return false;
            done += got;
        }
        return true;
    }
    virtio::unix_stream socket_;
};

// DEN0056 4.5.3, PERFORMANCE_LEVEL_CHANGED: whoever asked is told, the agent that did it, too.
TEST(serve, tells_every_agent_what_one_of_them_changes) {
    serve_options options;
    options.streams = {"a", "b"};
    server s(parse_scenario("[platform]\nagent = [{ name = \"a\" }, { name = \"b\" }]\n"
                            "[[platform.performance_domain]]\nname = \"big\"\n"
                            "levels = [{ level = 1 }, { level = 2 }]\n"
                            "level_notifications = true\n",
                            "s.toml", {}),
             options);
    s.await("Ctrl-C ends it");
    stream_agent a(s.folder / "a"), b(s.folder / "b");
    for (stream_agent* x : {&a, &b}) {
        x->send(scmi::protocol::perf, 10, {0, 1});
        EXPECT_EQ(x->next().at(1), 0u);
    }
    a.send(scmi::protocol::perf, 7, {0, 2});
    const std::uint32_t told =
        scmi::header{1, scmi::message_type::notification, scmi::protocol::perf, 0}.pack();
    EXPECT_EQ(a.next().at(1), 0u);  // its response
    const std::vector<std::uint32_t> level_changed{told, 1, 0, 2};
    EXPECT_EQ(a.next(), level_changed);
    EXPECT_EQ(b.next(), level_changed);
}

TEST(serve, ends_by_itself_when_told_so) {
    serve_options options;
    options.sockets = {"a"};
    options.until = milliseconds(50);
    server s(two_agents(), options);
    s.await("ended in order");
    EXPECT_NE(s.report().find("ended in order"), std::string::npos) << s.report();
}

TEST(serve, says_how_many_messages_nobody_took) {
    serve_options options;
    options.streams = {"a"};
    options.until = milliseconds(50);
    server s(parse_scenario("[[platform.unsolicited]]\nprotocol = \"sensor\"\nmessage = 0\n"
                            "type = \"notification\"\nat = \"1ms\"\nevery = \"1ms\"\ncount = 7\n",
                            "s.toml", {}),
             options);
    s.await("ended in order");
    EXPECT_NE(s.report().find(", 7 messages of the platform found no event buffer"),
              std::string::npos)
        << s.report();
}

TEST(serve, refuses_what_cannot_be_served) {
    const auto refusal = [](serve_options o) {
        server s(two_agents(), std::move(o));
        s.await("error: ");
        return s.report();
    };
    serve_options three;
    three.sockets = {"a", "b", "c"};
    EXPECT_NE(refusal(three).find("add [[platform.agent]]"), std::string::npos);
    EXPECT_NE(refusal({}).find("no socket given"), std::string::npos);
    serve_options in_the_way;
    in_the_way.sockets = {"report"};
    EXPECT_NE(refusal(in_the_way).find("is in the way and is no socket"), std::string::npos);
    serve_options twice;
    twice.sockets = {"a", "a"};
    EXPECT_NE(refusal(twice).find("somebody listens there already"), std::string::npos);
}

}  // namespace
}  // namespace scmi_vp::runs
