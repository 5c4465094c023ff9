// SPDX-License-Identifier: Apache-2.0
// Guests in wall-clock time: a platform in this thread, guests with rings and sockets of their own
// in another, as QEMU and User-Mode Linux are (vhost-user.rst; virtio_uml.c).
#include "models/peers/vhost_user_service.h"

#include <array>
#include <chrono>
#include <optional>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "models/peers/wall_clock_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::real_guest;
using testing_tools::service_of;
using testing_tools::wall_platform;

double milliseconds_since(std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count();
}

// Kick and call descriptors are eventfds, as QEMU's are.
TEST(vhost_user_service, a_guest_is_answered_by_eventfd) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        for (unsigned i = 0; i < 200; ++i) EXPECT_EQ(g.base_version(i % 64), 0x20000u);
    });
    EXPECT_EQ(run.platform.served(), 200u);
    EXPECT_TRUE(run.reported("connected"));
}

// INBAND_NOTIFICATIONS: kicks and calls are messages that are acknowledged.
TEST(vhost_user_service, a_guest_is_answered_in_band) {
    wall_platform run;
    const std::string path = run.guest(true);
    run.play([&] {
        real_guest g(path, true);
        g.connect();
        EXPECT_TRUE(g.front().in_band());
        for (unsigned i = 0; i < 200; ++i) EXPECT_EQ(g.base_version(i % 64), 0x20000u);
    });
    EXPECT_EQ(run.guests[0]->peer().kicks(), 199u);  // the first one starts the queue
    EXPECT_GT(run.guests[0]->peer().calls(), 0u);
}

// The scenario's latencies apply in real time.
TEST(vhost_user_service, latency_is_real_time) {
    wall_platform run(service_of(milliseconds(20)));
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        const auto begin = std::chrono::steady_clock::now();
        for (unsigned i = 0; i < 5; ++i) g.base_version();
        EXPECT_GE(milliseconds_since(begin), 100.0);
        EXPECT_LT(milliseconds_since(begin), 1000.0);
    });
    EXPECT_GT(run.clock.lateness().count(), 0u);
}

// Commands that are made at any time, while the device is still at a kick from before, in a host
// that is slow between any two steps: none takes less than the platform's time, none is forgotten.
// With EVENT_IDX the driver leaves out kicks that it thinks the device needs not (virtio 2.7.7).
class vhost_user_service_ring : public testing::TestWithParam<bool> {};

TEST_P(vhost_user_service_ring, no_command_is_served_before_it_was_made) {
    using clock = std::chrono::steady_clock;
    system_config c = service_of(milliseconds(10));
    c.platform.workers = 3;
    wall_platform run(c);
    testing_tools::slow_host host(run.clock);
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path, false, {GetParam(), false});
        g.connect();
        constexpr unsigned rounds = 12, commands = 5;
        std::array<clock::time_point, commands> made;
        for (unsigned round = 0; round < rounds; ++round) {
            host.slow = true;
            for (unsigned i = 0; i < commands; ++i) {
                made[i] = clock::now();
                g.send(i, scmi::protocol::base, 0);
                ::usleep(100 * ((7 * round + 5 * i) % 11));
            }
            host.slow = false;
            for (unsigned n = 0; n < commands; ++n) {
                const unsigned i = g.wait();
                EXPECT_GE(clock::now() - made.at(i), std::chrono::milliseconds(10))
                    << "round " << round << ", command " << i;
            }
        }
    });
    EXPECT_EQ(run.platform.served(), 60u);
}

INSTANTIATE_TEST_SUITE_P(all, vhost_user_service_ring, testing::Bool(),
                         [](const auto& p) { return p.param ? "event_idx" : "plain"; });

// A delayed response waits for a buffer and comes by the event queue (virtio 5.17.6.3).
TEST(vhost_user_service, a_delayed_response_comes_by_the_event_queue) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.send(3, scmi::protocol::sensor, 6, {1, 1});  // SENSOR_READING_GET, asynchronous
        EXPECT_EQ(g.wait(0), 3u);
        EXPECT_EQ(g.reply(3)[1], 0u);
        EXPECT_TRUE(g.quiet(1, 20));
        g.post_event(5);
        EXPECT_EQ(g.wait(1), 5u);
        const scmi::header h = scmi::header::unpack(g.reply(5, 1)[0]);
        EXPECT_EQ(h.type, scmi::message_type::delayed_response);
        EXPECT_EQ(h.token, 3u);
    });
}

// The listener stays: a guest that has gone may come again, and starts anew.
TEST(vhost_user_service, a_guest_may_come_again) {
    wall_platform run(service_of(milliseconds(1)));
    const std::string path = run.guest();
    run.play([&] {
        for (int i = 0; i < 5; ++i) {
            real_guest g(path);
            g.connect();
            g.base_version();
            g.send(1, scmi::protocol::base, 0);  // goes with it
        }
    });
    EXPECT_EQ(run.guests[0]->peer().connections(), 5u);
    EXPECT_TRUE(run.reported("disconnected"));
}

// GET_VRING_BASE: what is in flight is answered first, then the ring goes on where it was (QEMU
// stops and starts a device for every pause of the machine).
TEST(vhost_user_service, a_stopped_queue_goes_on_where_it_was) {
    wall_platform run(service_of(milliseconds(100)));
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path, false, {true, false});
        g.connect();
        for (unsigned round = 0; round < 20; ++round) {
            g.send(round, scmi::protocol::base, 0);
            const bool taken = round % 2 == 0;
            if (taken) g.await_taken(round + 1);
            g.stop();
            if (taken) {
                EXPECT_EQ(g.front().base(0), round + 1);
                EXPECT_TRUE(g.rings[0].more_used());
            }
            g.restart();
            EXPECT_EQ(g.wait(0), round);
            EXPECT_EQ(g.reply(round)[2], 0x20000u);
        }
    });
    EXPECT_EQ(run.platform.served(), 20u);
}

// The buffer that was taken ahead for a delayed response is not lost by a pause.
TEST(vhost_user_service, a_pause_keeps_event_buffers_and_delayed_responses) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        for (unsigned round = 0; round < 8; ++round) {
            g.send(round, scmi::protocol::sensor, 6, {1, 1});
            EXPECT_EQ(g.wait(0), round);
            g.stop();
            g.restart();
            g.post_event(round);
            EXPECT_EQ(g.wait(1), round);
        }
        EXPECT_EQ(g.front().base(1), 7u);
    });
}

// One platform: what one agent sets the other sees, and a guest that goes takes its wishes along
// (DEN0056 4.6.2.9: a clock runs while any agent wants it).
TEST(vhost_user_service, two_guests_share_one_platform) {
    wall_platform run(testing_tools::small_system(), 2);
    const std::string first = run.guest(), second = run.guest();
    run.play([&] {
        std::optional<real_guest> a(first);
        real_guest b(second);
        a->connect();
        b.connect();
        const auto rate = [](real_guest& g) {
            g.send(0, scmi::protocol::clock, 6, {0});  // CLOCK_RATE_GET
            g.wait();
            return g.reply(0)[2];
        };
        EXPECT_EQ(rate(b), 1'000'000u);
        a->send(1, scmi::protocol::clock, 5, {0, 0, 2'000'000, 0});  // CLOCK_RATE_SET
        EXPECT_EQ(a->wait(), 1u);
        EXPECT_EQ(a->reply(1)[1], 0u);
        EXPECT_EQ(rate(b), 2'000'000u);
        // BASE_DISCOVER_AGENT of 0xffffffff names the caller (DEN0056 4.2.2.11).
        b.send(2, scmi::protocol::base, 7, {0xffffffff});
        EXPECT_EQ(b.wait(), 2u);
        EXPECT_EQ(b.reply(2)[2], 2u);
        a.reset();
        for (int i = 0; i < 100 && rate(b) != 1'000'000u; ++i) ::usleep(10'000);
        EXPECT_EQ(rate(b), 1'000'000u);
    });
}

// A new driver on the same connection (UML binds anew without another message; a machine that is
// reset starts its rings at 0 again): the platform is as it was for the first one.
TEST(vhost_user_service, a_new_driver_finds_what_the_first_one_found) {
    wall_platform run;
    const std::string path = run.guest();
    run.play([&] {
        real_guest g(path);
        g.connect();
        g.send(0, scmi::protocol::clock, 5, {0, 0, 2'000'000, 0});  // CLOCK_RATE_SET
        g.wait();
        g.stop();
        g.new_driver();
        g.restart();
        g.send(1, scmi::protocol::clock, 6, {0});  // CLOCK_RATE_GET
        EXPECT_EQ(g.wait(), 1u);
        EXPECT_EQ(g.reply(1)[2], 1'000'000u);
    });
}

TEST(vhost_user_service, more_guests_than_agents_is_an_error) {
    EXPECT_THROW(shared_platform("top", testing_tools::small_system(), 2), error);
}

}  // namespace
}  // namespace scmi_vp::models
