// SPDX-License-Identifier: Apache-2.0
// Guests in wall-clock time: a platform in this thread, guests with rings and sockets of their own
// in another, as QEMU and User-Mode Linux are (vhost-user.rst; virtio_uml.c).
#include "models/peers/vhost_user_service.h"

#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "models/model_testing.h"
#include "models/peers/guest_testing.h"
#include "models/peers/shared_platform.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {
namespace {

namespace vhost_user = virtio::vhost_user;
using testing_tools::readable;
using testing_tools::real_guest;
using testing_tools::socket_folder;

/// Ends the run when the guests' thread says so.
class end_of_test : public wall_client {
public:
    explicit end_of_test(wall_clock& clock) : clock_(clock), bell_(vhost_user::doorbell::make()) {}
    void watch(std::vector<pollfd>& fds) override { fds.push_back({bell_.fd(), POLLIN, 0}); }
    void serve(const pollfd*, std::size_t) override { clock_.stop(); }
    void ring() { bell_.ring(); }

private:
    wall_clock& clock_;
    vhost_user::doorbell bell_;
};

struct platform_run {
    explicit platform_run(system_config c = testing_tools::small_system(), unsigned guests = 1,
                          bool in_band = false)
        : config(agents(std::move(c), guests)), platform("top", config, guests) {
        vhost_user::session_config session;
        if (in_band) session.protocol_features = vhost_user::offer_for_uml_time_travel;
        for (unsigned g = 0; g < guests; ++g) {
            sockets.push_back(folder / ("guest" + std::to_string(g)).c_str());
            services.push_back(std::make_unique<vhost_user_service>(
                virtio::unix_listener(sockets.back()), session, platform.device(g),
                platform.view(g), [this](const std::string& what) { reports.push_back(what); }));
            clock.add(*services.back());
        }
        clock.add(end);
    }
    static system_config agents(system_config c, unsigned n) {
        c.platform.description.agents.resize(n);
        for (unsigned a = 0; a < n; ++a) {
            c.platform.description.agents[a].name = "agent" + std::to_string(a);
        }
        return c;
    }
    /// Runs the platform until the thread of `guests` has ended.
    template <class Guests>
    void play(Guests guests) {
        std::thread thread([&] {
            try {
                guests();
            } catch (const std::exception& e) {
                ADD_FAILURE() << "a guest: " << e.what();
            }
            end.ring();
        });
        EXPECT_EQ(clock.run(seconds(60)), wall_clock::ending::stopped);
        thread.join();
    }
    bool reported(const std::string& part) const {
        for (const std::string& r : reports) {
            if (r.find(part) != std::string::npos) return true;
        }
        return false;
    }

    system_config config;
    socket_folder folder;
    shared_platform platform;
    wall_clock clock;
    std::vector<std::unique_ptr<vhost_user_service>> services;
    std::vector<std::string> sockets, reports;
    end_of_test end{clock};
};

system_config service_of(sim_time span) {
    system_config c = testing_tools::small_system();
    c.hops[std::size_t(hop::service)] = make_constant(span);
    return c;
}

double milliseconds_since(std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count();
}

// Kick and call descriptors are eventfds, as QEMU's are.
TEST(vhost_user_service, a_guest_is_answered_by_eventfd) {
    platform_run run;
    run.play([&] {
        real_guest g(run.sockets[0]);
        g.connect();
        for (unsigned i = 0; i < 200; ++i) EXPECT_EQ(g.base_version(i % 64), 0x20000u);
    });
    EXPECT_EQ(run.platform.served(), 200u);
    EXPECT_TRUE(run.reported("connected"));
}

// INBAND_NOTIFICATIONS: kicks and calls are messages that are acknowledged.
TEST(vhost_user_service, a_guest_is_answered_in_band) {
    platform_run run(testing_tools::small_system(), 1, true);
    run.play([&] {
        real_guest g(run.sockets[0], true);
        g.connect();
        EXPECT_TRUE(g.front().in_band());
        for (unsigned i = 0; i < 200; ++i) EXPECT_EQ(g.base_version(i % 64), 0x20000u);
    });
    EXPECT_EQ(run.services[0]->peer().kicks(), 199u);  // the first one starts the queue
    EXPECT_GT(run.services[0]->peer().calls(), 0u);
}

// The scenario's latencies apply in real time.
TEST(vhost_user_service, latency_is_real_time) {
    platform_run run(service_of(milliseconds(20)));
    run.play([&] {
        real_guest g(run.sockets[0]);
        g.connect();
        const auto begin = std::chrono::steady_clock::now();
        for (unsigned i = 0; i < 5; ++i) g.base_version();
        EXPECT_GE(milliseconds_since(begin), 100.0);
        EXPECT_LT(milliseconds_since(begin), 1000.0);
    });
    EXPECT_GT(run.clock.lateness().count(), 0u);
}

// A delayed response waits for a buffer and comes by the event queue (virtio 5.17.6.3).
TEST(vhost_user_service, a_delayed_response_comes_by_the_event_queue) {
    platform_run run;
    run.play([&] {
        real_guest g(run.sockets[0]);
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
    platform_run run(service_of(milliseconds(1)));
    run.play([&] {
        for (int i = 0; i < 5; ++i) {
            real_guest g(run.sockets[0]);
            g.connect();
            g.base_version();
            g.send(1, scmi::protocol::base, 0);  // goes with it
        }
    });
    EXPECT_EQ(run.services[0]->peer().connections(), 5u);
    EXPECT_TRUE(run.reported("disconnected"));
}

// GET_VRING_BASE: what is in flight is answered first, then the ring goes on where it was (QEMU
// stops and starts a device for every pause of the machine).
TEST(vhost_user_service, a_stopped_queue_goes_on_where_it_was) {
    platform_run run(service_of(milliseconds(100)));
    run.play([&] {
        real_guest g(run.sockets[0]);
        g.connect();
        for (unsigned round = 0; round < 20; ++round) {
            g.send(round, scmi::protocol::base, 0);
            const bool taken = round % 2 == 0;
            if (taken) ::usleep(3000);
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
    platform_run run;
    run.play([&] {
        real_guest g(run.sockets[0]);
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
    platform_run run(testing_tools::small_system(), 2);
    run.play([&] {
        std::optional<real_guest> a(run.sockets[0]);
        real_guest b(run.sockets[1]);
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
    platform_run run;
    run.play([&] {
        real_guest g(run.sockets[0]);
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
