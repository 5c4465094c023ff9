// SPDX-License-Identifier: Apache-2.0
// Whatever a front end or its guest does, the session ends (or the ring stops) with a message that
// says why, the process survives, and the next guest is served. (What a session refuses message by
// message: virtio/vhost_user_hostile_test.cpp.)
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "models/peers/wall_clock_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::real_guest;
using testing_tools::wall_platform;
namespace vhost_user = virtio::vhost_user;
using vhost_user::front_request;

/// Who connects and sends what it likes.
struct stranger {
    explicit stranger(const std::string& path) : socket(testing_tools::connect_to(path)) {}
    void send(const vhost_user::wire& m, std::vector<int> fds = {}) {
        socket.send(m.data(), m.size(), fds.data(), fds.size());
    }
    bool dropped(int ms = 5000) {
        char bytes[4096];
        while (testing_tools::readable(socket.fd(), ms)) {
            virtio::fd_list fds;
            if (socket.receive(bytes, sizeof bytes, fds).what ==
                virtio::io_result::status::closed) {
                return true;
            }
        }
        return false;
    }
    virtio::unix_stream socket;
};

void serves_another(const std::string& path) {
    real_guest g(path);
    g.connect();
    EXPECT_EQ(g.base_version(), 0x20000u);
}

TEST(hostile_guest, random_bytes) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        std::mt19937 random(1);
        for (int i = 0; i < 50; ++i) {
            stranger s(path);
            std::vector<std::uint8_t> bytes(1 + random() % 300);
            for (auto& b : bytes) b = std::uint8_t(random());
            s.socket.send(bytes.data(), bytes.size());
        }
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("the session ended: "));
    EXPECT_EQ(run.guests[0]->peer().connections(), 51u);
}

TEST(hostile_guest, random_messages_with_plausible_headers) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        std::mt19937 random(2);
        for (int i = 0; i < 200; ++i) {
            stranger s(path);
            for (int n = 0; n < 8; ++n) {
                std::vector<std::uint8_t> m(12 + random() % 80);
                const std::uint32_t head[3] = {std::uint32_t(1 + random() % 44),
                                               random() % 2 ? 1u : 9u,
                                               std::uint32_t(m.size() - 12)};
                for (auto& b : m) b = std::uint8_t(random() % 4 ? 0 : random());
                std::memcpy(m.data(), head, sizeof head);
                const int fd = 0;
                s.socket.send(m.data(), m.size(), &fd, random() % 3 ? 0 : 1);
            }
        }
        serves_another(path);
    });
}

// A kick descriptor that is a pipe: a read of it could block.
TEST(hostile_guest, wrong_descriptors) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        stranger s(path);
        s.send(vhost_user::encode(front_request::set_vring_kick, vhost_user::flag_version,
                                  vhost_user::vring_fd{0, false}),
               {ends[0]});
        EXPECT_TRUE(s.dropped());
        ::close(ends[0]);
        ::close(ends[1]);
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("neither an eventfd nor a Unix socket"));
}

TEST(hostile_guest, overlapping_regions) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        vhost_user::shared_memory memory(1 << 16);
        vhost_user::mem_table table;
        table.regions = {memory.region(0), memory.region(0x8000)};
        stranger s(path);
        s.send(vhost_user::encode(front_request::set_mem_table, vhost_user::flag_version, table),
               {memory.fd(), memory.fd()});
        EXPECT_TRUE(s.dropped());
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("overlaps"));
}

TEST(hostile_guest, closes_in_the_middle_of_a_message) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        {
            stranger s(path);
            const auto m = vhost_user::encode(front_request::set_features, vhost_user::flag_version,
                                              std::uint64_t{1});
            s.socket.send(m.data(), 15);
        }
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("in the middle of a message"));
}

TEST(hostile_guest, owes_the_rest_of_a_message) {
    wall_platform run;
    run.patience = milliseconds(300);
    const std::string path = run.guest();
    run.play([&] {
        stranger s(path);
        s.socket.send("\1", 1);
        EXPECT_TRUE(s.dropped());
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("it has not finished a message"));
}

// Replies pile up in the socket, then here, up to a limit.
TEST(hostile_guest, stops_reading) {
    wall_platform run;
    run.patience = milliseconds(300);
    const std::string path = run.guest();
    run.play([&] {
        stranger s(path);
        const auto m = vhost_user::encode(front_request::get_features, vhost_user::flag_version);
        std::vector<std::uint8_t> many;
        for (int i = 0; i < 5000; ++i) many.insert(many.end(), m.begin(), m.end());
        for (;;) {
            pollfd p{s.socket.fd(), POLLOUT, 0};
            if (::poll(&p, 1, 2000) == 0) break;  // it does not read us any more either
            if (p.revents & (POLLHUP | POLLERR)) break;
            if (s.socket.send(many.data(), many.size() / 12 * 12).what ==
                virtio::io_result::status::closed) {
                break;
            }
        }
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("the session ended: "));
}

// The guest's descriptors point outside the shared memory: that ring stops, the session goes on
// (virtio-requirements BUG-01 ff.; vhost-user.rst, "malformed ring").
TEST(hostile_guest, a_malformed_ring_stops_and_is_reported) {
    wall_platform run(testing_tools::small_system(), 2);
    const std::string path = run.guest(), second = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.base_version();
        const std::uint64_t outside = 0x7fff'ffff'0000;
        g.view().write(virtio::actor::driver, g.layout(0).desc, &outside, sizeof outside);
        g.view().store<std::uint16_t>(virtio::actor::driver, g.layout(0).avail_slot(1), 0);
        g.view().store<std::uint16_t>(virtio::actor::driver, g.layout(0).avail_idx(), 2);
        g.kick(0);
        pollfd p{g.front().error_bell(0).fd(), POLLIN, 0};
        EXPECT_EQ(::poll(&p, 1, 5000), 1);
        g.kick(0);
        serves_another(second);
    });
    EXPECT_TRUE(run.reported("its ring is malformed: queue 0"));
}

// An index that is more than the queue's size ahead (virtio 2.7.6.1, SPL-23).
TEST(hostile_guest, an_available_index_that_jumps_is_reported) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.base_version();
        g.view().store<std::uint16_t>(virtio::actor::driver, g.layout(0).avail_idx(), 1000);
        g.kick(0);
        pollfd p{g.front().error_bell(0).fd(), POLLIN, 0};
        EXPECT_EQ(::poll(&p, 1, 5000), 1);
    });
    EXPECT_TRUE(run.reported("available index 1000 is 999 ahead of the device (1)"));
}

// The file behind the memory is cut off (SIGBUS where it is touched).
TEST(hostile_guest, cuts_off_its_memory) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.base_version();
        g.cut_off_memory();
        g.kick(0);
        EXPECT_TRUE(g.closed());
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("cut off the file behind its memory"));
}

// All latencies are zero, and the guest refills the ring as fast as it is emptied: the platform
// would stay at one instant for ever. The other guest is served nevertheless.
TEST(hostile_guest, keeps_the_platform_busy_at_one_instant) {
    wall_platform run(testing_tools::small_system(), 2);
    const std::string path = run.guest(), second = run.guest();
    std::atomic<bool> over{false};
    std::thread busy([&] {
        real_guest g(path);
        g.connect();
        unsigned slot = 0;
        for (; slot < 32; ++slot) g.send(slot, scmi::protocol::base, 0);
        while (!over) {
            const auto used = g.rings[0].get_buf();
            if (used.token) g.send(*static_cast<unsigned*>(used.token), scmi::protocol::base, 0);
        }
    });
    run.play([&] {
        for (int i = 0; i < 20; ++i) serves_another(second);
        over = true;
        busy.join();
    });
}

}  // namespace
}  // namespace scmi_vp::models
