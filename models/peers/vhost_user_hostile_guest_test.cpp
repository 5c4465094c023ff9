// SPDX-License-Identifier: Apache-2.0
// Whatever a front end or its guest does, the session ends (or the ring stops) with a message that
// says why, the process survives, and the next guest is served. (What a session refuses message by
// message: virtio/vhost_user/hostile_test.cpp.)
#include <array>
#include <atomic>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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

/// Passes its own end of the connection and goes. Held there, nobody would hear it go.
void passes_its_own_end(front_request how) {
    wall_platform run;
    const std::string path = run.guest(true);
    run.play([&] {
        {
            stranger s(path);
            s.send(vhost_user::encode(front_request::set_protocol_features,
                                      vhost_user::flag_version,
                                      vhost_user::offer_for_uml_time_travel));
            const int own = s.socket.fd();
            if (how == front_request::set_backend_req_fd) {
                s.send(vhost_user::encode(how, vhost_user::flag_version), {own});
            } else if (how == front_request::get_features) {
                s.socket.send("\1", 1, &own, 1);  // with a message that is never finished
            } else {
                s.send(vhost_user::encode(how, vhost_user::flag_version,
                                          vhost_user::vring_fd{0, false}),
                       {own});
            }
            if (how != front_request::get_features) {
                EXPECT_TRUE(s.dropped());
            }
        }
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("its own end of this connection"))
        << testing::PrintToString(run.reports);
}

bool kernel_knows_peers() {
    const auto both = virtio::unix_stream::make_pair();
    return both.first.is_peer(both.second.fd());
}

class passed_own_end : public testing::TestWithParam<front_request> {};

TEST_P(passed_own_end, does_not_keep_the_next_one_out) {
    if (!kernel_knows_peers()) GTEST_SKIP() << "this kernel has no unix_diag";
    passes_its_own_end(GetParam());
}
INSTANTIATE_TEST_SUITE_P(by, passed_own_end,
                         testing::Values(front_request::set_vring_call,
                                         front_request::set_vring_kick,
                                         front_request::set_vring_err,
                                         front_request::set_backend_req_fd,
                                         front_request::get_features));

// On its way in a socket that is a legal call descriptor (User-Mode Linux passes sockets).
TEST(hostile_guest, sends_its_own_end_into_its_call_socket) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        auto pair = virtio::unix_stream::make_pair();
        {
            stranger s(path);
            const int own = s.socket.fd();
            pair.first.send("x", 1, &own, 1);
            s.send(vhost_user::encode(front_request::set_vring_call, vhost_user::flag_version,
                                      vhost_user::vring_fd{0, false}),
                   {pair.second.fd()});
            pair.second.close();
            s.send(vhost_user::encode(front_request::get_features, vhost_user::flag_version));
            EXPECT_TRUE(testing_tools::readable(s.socket.fd(), 5000));
            pair.first.send("x", 1, &own, 1);
        }
        serves_another(path);
    });
}

sim_time cpu_time() {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return seconds(t.tv_sec) + nanoseconds(t.tv_nsec);
}

/// What this process uses while a front end does nothing for a second.
sim_time used_in_a_second() {
    const sim_time before = cpu_time();
    ::usleep(1'000'000);
    return cpu_time() - before;
}

TEST(hostile_guest, a_semaphore_as_kick_descriptor_is_refused) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.base_version();
        const virtio::file_descriptor bell(::eventfd(1'000'000, EFD_SEMAPHORE | EFD_NONBLOCK));
        const auto m = vhost_user::encode(front_request::set_vring_kick, vhost_user::flag_version,
                                          vhost_user::vring_fd{0, false});
        virtio::unix_stream(virtio::file_descriptor(::dup(g.fd())))
            .send(m.data(), m.size(), std::array<int, 1>{bell.get()}.data(), 1);
        EXPECT_TRUE(g.closed());
        EXPECT_LT(used_in_a_second(), milliseconds(300));
        serves_another(path);
    });
    EXPECT_TRUE(run.reported("the kick descriptor of queue 0 is a semaphore"));
}

// vhost-user.rst, VHOST_USER_SET_VRING_KICK: with bit 8 set there is no descriptor, and the back
// end looks by itself.
TEST(hostile_guest, without_a_kick_descriptor_it_is_served_and_costs_nothing) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        const auto m = vhost_user::encode(front_request::set_vring_kick, vhost_user::flag_version,
                                          vhost_user::vring_fd{0, true});
        g.raw(m.data(), m.size());
        EXPECT_EQ(g.base_version(), 0x20000u);
        EXPECT_LT(used_in_a_second(), milliseconds(300));
        EXPECT_EQ(g.base_version(), 0x20000u);
    });
}

void offers_memory(const virtio::file_descriptor& file, std::uint64_t size, bool good,
                   const std::string& why) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        stranger s(path);
        vhost_user::mem_table table;
        table.regions = {{0, size, 0x700000, 0}};
        s.send(vhost_user::encode(front_request::set_mem_table, vhost_user::flag_version, table),
               {file.get()});
        s.send(vhost_user::encode(front_request::get_features, vhost_user::flag_version));
        if (good) {
            EXPECT_TRUE(testing_tools::readable(s.socket.fd(), 5000));
            EXPECT_FALSE(s.dropped(100));
        } else {
            EXPECT_TRUE(s.dropped());
        }
        s.socket.close();
        serves_another(path);
    });
    EXPECT_TRUE(why.empty() || run.reported(why)) << testing::PrintToString(run.reports);
}

TEST(hostile_guest, memory_that_is_sealed_against_writing_is_refused_with_the_reason) {
    const virtio::file_descriptor file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(file.get(), 1 << 16), 0);
    ASSERT_EQ(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
    offers_memory(file, 1 << 16, false, "sealed against writing");
}

TEST(hostile_guest, memory_that_is_sealed_against_shrinking_is_taken) {
    const virtio::file_descriptor file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(file.get(), 1 << 16), 0);
    ASSERT_EQ(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    offers_memory(file, 1 << 16, true, "");
}

/// Reserves huge pages as long as it lives, where this process may.
class huge_pages {
public:
    huge_pages() {
        std::ifstream(name) >> before_;
        std::ofstream(name) << before_ + 4;
    }
    ~huge_pages() { std::ofstream(name) << before_; }

private:
    static constexpr const char* name = "/proc/sys/vm/nr_hugepages";
    long before_ = 0;
};

TEST(hostile_guest, memory_in_huge_pages_is_taken_also_a_part_of_one) {
    const huge_pages some;
    const virtio::file_descriptor file(::memfd_create("test", MFD_CLOEXEC | MFD_HUGETLB));
    constexpr std::size_t size = 2 << 20;
    void* const page = file.valid() && ::ftruncate(file.get(), size) == 0
                           ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0)
                           : MAP_FAILED;
    if (page == MAP_FAILED) GTEST_SKIP() << "no huge page of 2 MiB can be had here";
    ::munmap(page, size);
    testing_tools::in_child([&] { offers_memory(file, size, true, ""); });
    testing_tools::in_child([&] { offers_memory(file, 0x3000, true, ""); });
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
    EXPECT_TRUE(run.reported("it has not sent the rest of a message for 300ms"));
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
