// SPDX-License-Identifier: Apache-2.0
// Agents that push, that read slowly or never, that hang up on one side, that come in crowds; and
// lengths that lie (docs/serve.md, "The stream").
#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "models/peers/stream_agent_testing.h"

namespace scmi_vp::models {
namespace {

using testing::Each;
using testing_tools::service_of;
using testing_tools::stream_agent;
using testing_tools::token_of;
using testing_tools::wall_platform;
using testing_tools::words;

constexpr std::uint8_t describe_rates = 4;

/// Its clock has so many rates that CLOCK_DESCRIBE_RATES fills 4 KiB.
system_config with_long_answers() {
    system_config c = testing_tools::small_system();
    std::vector<std::uint64_t> rates(600);
    for (std::size_t i = 0; i < rates.size(); ++i) rates[i] = 1'000'000 + i;
    c.platform.description.clocks[0].rates = {rates, false};
    return c;
}

std::vector<std::uint8_t> many(unsigned count, std::uint8_t protocol, std::uint8_t message,
                               const words& payload) {
    std::vector<std::uint8_t> all;
    for (unsigned i = 0; i < count; ++i) {
        const auto f = stream_agent::frame(protocol, message, std::uint16_t(i % 1024), payload);
        all.insert(all.end(), f.begin(), f.end());
    }
    return all;
}

/// All answers, in order; their number.
unsigned read_answers(stream_agent& a, unsigned count) {
    unsigned n = 0;
    for (; n < count; ++n) {
        const words w = a.next();
        if (w.empty() || token_of(w) != n % 1024) break;
    }
    return n;
}

/// `bytes` with descriptors, as nothing in the stream's language asks for.
void pass_descriptors(int socket, std::vector<std::uint8_t> bytes, const std::vector<int>& fds) {
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    EXPECT_EQ(::sendmsg(socket, &message, MSG_NOSIGNAL), ssize_t(bytes.size()));
}

// 128 answers of 4 KiB are more than the service ever keeps for one that does not read.
TEST(stream_pressure, who_asks_for_much_at_once_and_reads_gets_all_of_it) {
    wall_platform run(with_long_answers());
    const std::string path = run.stream(4096);
    run.play([&] {
        stream_agent a(path);
        for (int round = 0; round < 3; ++round) {
            a.send(many(128, scmi::protocol::clock, describe_rates, {0, 0}));
            ::usleep(50'000);
            EXPECT_EQ(read_answers(a, 128), 128u);
        }
    });
}

TEST(stream_pressure, who_writes_ahead_of_its_reading_gets_all_of_it) {
    wall_platform run(with_long_answers());
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        std::thread writer([&] {
            a.send(many(3800, scmi::protocol::clock, describe_rates, {0, 0}));
        });
        ::usleep(100'000);
        EXPECT_EQ(read_answers(a, 3800), 3800u);
        writer.join();
    });
}

bool kernel_tells_what_was_read() {
    const auto both = virtio::unix_stream::make_pair();
    struct stat info {};
    return ::fstat(both.first.fd(), &info) == 0 &&
           virtio::diagnose_unix_socket(std::uint32_t(info.st_ino));
}

TEST(stream_pressure, who_reads_a_byte_now_and_then_is_not_dropped) {
    if (!kernel_tells_what_was_read()) GTEST_SKIP() << "this kernel has no unix_diag";
    wall_platform run(with_long_answers());
    run.patience = milliseconds(400);
    const std::string path = run.stream(4096);
    run.play([&] {
        stream_agent a(path);
        a.send(many(200, scmi::protocol::clock, describe_rates, {0, 0}));
        std::vector<char> got;
        const auto read = [&](std::size_t most) {
            got.resize(got.size() + most);
            const ssize_t n = ::recv(a.fd(), got.data() + got.size() - most, most, 0);
            got.resize(got.size() - most + std::size_t(std::max<ssize_t>(n, 0)));
            return n > 0;
        };
        // Four times as long as one that reads nothing may stay.
        for (int i = 0; i < 16; ++i) {
            ::usleep(100'000);
            ASSERT_TRUE(read(1));
        }
        constexpr std::size_t each = 4100 + 4;  // as full as a frame can be: 510 rates of 600
        while (got.size() < 200 * each && testing_tools::readable(a.fd(), 5000)) {
            if (!read(1 << 16)) break;
        }
        EXPECT_EQ(got.size(), 200 * each);
    });
    EXPECT_FALSE(run.reported("the session ended"));
}

TEST(stream_pressure, half_closed_gets_answers_however_late) {
    system_config c = service_of(milliseconds(700));
    c.platform.delayed_work = make_constant(milliseconds(700));
    wall_platform run(c);
    run.patience = milliseconds(200);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        a.send(stream_agent::frame(0x10, 0, 1));
        a.send(stream_agent::frame(scmi::protocol::sensor, 6, 2, {1, 1}));  // asynchronous
        a.no_more();
        EXPECT_EQ(token_of(a.next()), 1u);
        EXPECT_EQ(scmi::header::unpack(a.next().at(0)).type, scmi::message_type::command);
        const words delayed = a.next();
        EXPECT_EQ(scmi::header::unpack(delayed.at(0)).type, scmi::message_type::delayed_response);
        EXPECT_TRUE(a.dropped());
        EXPECT_EQ(token_of(stream_agent(path).ask(0x10, 0)), 1u) << "the next one is served";
    });
    EXPECT_FALSE(run.reported("the session ended"));
}

fault_config first_response(fault_kind kind) {
    fault_config f;
    f.name = "platform.fault.0";
    f.kind = kind;
    f.count = 1;
    return f;
}

// What will never come is not waited for.
TEST(stream_pressure, half_closed_is_let_go_when_the_rest_is_lost) {
    for (const fault_kind kind : {fault_kind::drop, fault_kind::reorder}) {
        testing_tools::in_child([kind] {
            system_config c = testing_tools::small_system();
            c.platform.faults = {first_response(kind)};
            wall_platform run(c);
            const std::string path = run.stream();
            run.play([&] {
                stream_agent a(path);
                a.send(stream_agent::frame(0x10, 0, 1));
                a.no_more();
                EXPECT_TRUE(a.dropped());
            });
        });
    }
}

// Whether the agent ends its input, or the service stops taking it.
TEST(stream_pressure, what_came_before_a_bad_end_is_answered) {
    wall_platform run(service_of(milliseconds(50)));
    const std::string path = run.stream();
    run.play([&] {
        for (const bool whole : {false, true}) {
            stream_agent a(path);
            auto bytes = many(5, 0x10, 0, {});
            const std::vector<std::uint8_t> end = whole ? std::vector<std::uint8_t>{3, 0, 0, 0}
                                                        : std::vector<std::uint8_t>{4, 0, 0, 0, 9};
            bytes.insert(bytes.end(), end.begin(), end.end());
            a.send(bytes);
            if (!whole) a.no_more();
            EXPECT_EQ(read_answers(a, 5), 5u);
            EXPECT_TRUE(a.dropped());
        }
    });
    EXPECT_TRUE(run.reported("the session ended: it ended its input in the middle of a message"));
    EXPECT_TRUE(run.reported("the session ended: a length of 3: a message has 4 to 4100 bytes"));
}

// All 128 commands that may be under way are, for ever: no more is taken, and its end is noticed.
TEST(stream_pressure, half_closed_is_let_go_when_everything_is_lost) {
    system_config c = testing_tools::small_system();
    c.platform.faults = {first_response(fault_kind::drop)};
    c.platform.faults[0].count = 0;
    wall_platform run(c);
    const std::string path = run.stream();
    run.play([&] {
        for (const unsigned count : {128u, 300u}) {
            stream_agent a(path);
            a.send(many(count, 0x10, 0, {}));
            ::usleep(50'000);
            a.no_more();
            EXPECT_TRUE(a.dropped());
        }
    });
}

TEST(stream_pressure, who_hangs_up_makes_room_at_once) {
    wall_platform run(with_long_answers());
    const std::string path = run.stream(4096);
    run.play([&] {
        {
            stream_agent a(path);  // never reads; the service waits for it to
            a.send(many(200, scmi::protocol::clock, describe_rates, {0, 0}));
            ::usleep(100'000);
        }
        EXPECT_EQ(stream_agent(path).ask(0x10, 0).at(2), 0x20000u);
    });
    EXPECT_TRUE(run.reported("it closed the connection before it had read everything"));
}

// They are closed, and too many of them end that session alone.
TEST(stream_pressure, descriptors_that_an_agent_passes_harm_nobody) {
    wall_platform run(testing_tools::small_system(), 2);
    const std::string path = run.stream(), other = run.stream();
    run.play([&] {
        stream_agent b(other);
        for (const std::size_t count : {1u, 32u, 33u, 200u}) {
            stream_agent a(path);
            const auto command = stream_agent::frame(0x10, 0, 1);
            pass_descriptors(a.fd(), command, std::vector<int>(count, a.fd()));
            if (count <= virtio::max_passed_fds) {
                EXPECT_EQ(a.next().at(2), 0x20000u);
            } else {
                EXPECT_TRUE(a.dropped());
            }
            EXPECT_EQ(b.ask(0x10, 0).at(2), 0x20000u) << "others are served";
        }
    });
    EXPECT_TRUE(run.reported("the peer passed more than 32 descriptors at once"));
}

/// Takes all descriptors that this process may still open.
class all_descriptors {
public:
    all_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int fd = 0; (fd = ::dup(0)) >= 0;) taken_.emplace_back(fd);
    }
    ~all_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
    virtio::fd_list taken_;
};

void connect(int socket, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::copy(path.begin(), path.end(), address.sun_path);
    ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

double cpu_seconds() {
    return double(std::clock()) / CLOCKS_PER_SEC;
}

// One report, no spinning, and whoever waits is served when there is room again.
TEST(stream_pressure, no_descriptor_left_is_said_once_and_passes) {
    wall_platform run(testing_tools::small_system(), 2);
    const std::string path = run.stream(), guest = run.guest();
    run.play([&] {
        const virtio::file_descriptor a(::socket(AF_UNIX, SOCK_STREAM, 0));
        const virtio::file_descriptor b(::socket(AF_UNIX, SOCK_STREAM, 0));
        auto all = std::make_unique<all_descriptors>();
        connect(a.get(), path);
        connect(b.get(), guest);
        const auto command = stream_agent::frame(0x10, 0, 1);
        EXPECT_EQ(::send(a.get(), command.data(), command.size(), 0), ssize_t(command.size()));
        const double before = cpu_seconds();
        ::usleep(1'500'000);  // it has tried again by then
        EXPECT_LT(cpu_seconds() - before, 0.7);
        all.reset();
        EXPECT_TRUE(testing_tools::readable(a.get(), 5000));
        ::usleep(1'500'000);
    });
    EXPECT_EQ(std::count(run.reports.begin(), run.reports.end(), "connected"), 2);
    EXPECT_EQ(std::count_if(run.reports.begin(), run.reports.end(),
                            [](const std::string& r) {
                                return r.find("cannot accept a connection: Too many open files") !=
                                       std::string::npos;
                            }),
              2);
}

TEST(stream_pressure, a_crowd_that_connects_at_once_is_served_one_after_the_other) {
    wall_platform run;
    const std::string path = run.stream();
    run.play([&] {
        stream_agent first(path);
        EXPECT_EQ(first.ask(0x10, 0).at(2), 0x20000u);
        std::vector<std::unique_ptr<stream_agent>> crowd;
        // Connects without waiting: EAGAIN would be an exception.
        for (int i = 0; i < 200; ++i) {
            crowd.push_back(std::make_unique<stream_agent>(path));
            crowd.back()->send(stream_agent::frame(0x10, 0, std::uint16_t(i)));
        }
        first.no_more();
        EXPECT_TRUE(first.dropped());
        for (int i = 0; i < 200; ++i) {
            EXPECT_EQ(token_of(crowd[std::size_t(i)]->next()), i);
            crowd[std::size_t(i)].reset();
        }
    });
}

// As a hostile platform does; here the used length goes into a frame.
TEST(stream_pressure, a_length_that_lies_shows_no_memory_and_breaks_no_frame) {
    system_config c = testing_tools::small_system();
    fault_config f = first_response(fault_kind::length);
    f.length = 65535;
    f.nth = 2;
    c.platform.faults = {f};
    wall_platform run(c);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        // A long answer first, whose buffer is used again for the short one.
        EXPECT_EQ(a.ask(scmi::protocol::sensor, 3, {0}).at(1), 0u);
        const words w = a.ask(0x10, 0);
        ASSERT_EQ(w.size(), 34u) << "as much as an answer has room for";
        EXPECT_EQ(w[2], 0x20000u);
        EXPECT_THAT(words(w.begin() + 3, w.end()), Each(0u));
        EXPECT_EQ(a.ask(0x10, 0).size(), 3u) << "the frame's length was true";
    });
}

TEST(stream_pressure, no_frame_is_longer_than_4100_bytes) {
    system_config c = with_long_answers();
    fault_config f = first_response(fault_kind::length);
    f.length = 65535;
    c.platform.faults = {f};
    wall_platform run(c);
    const std::string path = run.stream(4096);
    run.play([&] {
        stream_agent a(path);
        EXPECT_EQ(a.ask(scmi::protocol::clock, describe_rates, {0, 0}).size(), 4100u / 4);
        EXPECT_LE(a.ask(scmi::protocol::clock, describe_rates, {0, 0}).size(), 4100u / 4);
    });
}

// Notifications and messages that nobody asked for: as many as there are event buffers, the rest is
// dropped and counted, and when it reads again they come again.
TEST(stream_pressure, what_the_platform_sends_by_itself_is_bounded) {
    system_config c = testing_tools::small_system();
    unsolicited_message u;
    u.hdr = {0, scmi::message_type::notification, scmi::protocol::sensor, 0};
    u.words.assign(25, 0x55555555);
    u.when = {milliseconds(1), microseconds(20), 0};
    c.platform.unsolicited = {u};
    wall_platform run(c);
    const std::string path = run.stream();
    run.play([&] {
        stream_agent a(path);
        ::usleep(700'000);  // 35 000 messages of 108 bytes
        std::size_t bytes = 0;
        std::vector<char> some(1 << 16);
        while (::recv(a.fd(), some.data(), some.size(), MSG_DONTWAIT) > 0) bytes += 1;
        EXPECT_GT(bytes, 0u);
    });
    EXPECT_GT(run.platform.device(0).events().dropped, 1000u);
}

/// What the device has dropped by a certain time, before an agent reads again.
class look_at_drops : public wall_client {
public:
    look_at_drops(wall_platform& run, sim_time when) : device_(run.platform.device(0)), at_(when) {
        run.clock.add(*this);
    }
    void watch(std::vector<pollfd>&) override {}
    void serve(const pollfd*, std::size_t) override {}
    sim_time deadline() const override { return at_; }
    void overdue() override {
        at_ = sim_time::max();
        dropped = device_.events().dropped;
    }
    std::uint64_t dropped = 0;

private:
    const scmi_device& device_;
    sim_time at_;
};

// A delayed response waits for an event buffer, and what comes after it waits, too: but not ever
// more of it, and each message has come or is counted.
TEST(stream_pressure, what_waits_behind_a_delayed_response_is_bounded) {
    constexpr std::uint64_t sent = 20'000;
    system_config c = testing_tools::small_system();
    unsolicited_message u;
    u.hdr = {0, scmi::message_type::notification, scmi::protocol::sensor, 0};
    u.words.assign(25, 0x55555555);
    u.when = {milliseconds(1), microseconds(20), sent};
    c.platform.unsolicited = {u};
    c.platform.delayed_work = make_constant(milliseconds(100));
    wall_platform run(c);
    const std::string path = run.stream();
    const look_at_drops meanwhile(run, milliseconds(650));
    std::uint64_t came = 0, delayed = 0;
    run.play([&] {
        stream_agent a(path);
        a.send(stream_agent::frame(scmi::protocol::sensor, 6, 2, {1, 1}));  // asynchronous
        ::usleep(800'000);
        while (testing_tools::readable(a.fd(), 500)) {
            const auto type = scmi::header::unpack(a.next().at(0)).type;
            came += type == scmi::message_type::notification;
            delayed += type == scmi::message_type::delayed_response;
        }
    });
    EXPECT_EQ(delayed, 1u);
    EXPECT_GT(meanwhile.dropped, sent / 2) << "they are not kept";
    EXPECT_EQ(came + run.platform.device(0).events().dropped, sent);
}

}  // namespace
}  // namespace scmi_vp::models
