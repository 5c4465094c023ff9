// SPDX-License-Identifier: Apache-2.0
// For tests: a platform in wall-clock time in this thread, whose guests live in another.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "models/model_testing.h"
#include "models/peers/guest_testing.h"
#include "models/peers/shared_platform.h"
#include "models/peers/stream_service.h"
#include "models/peers/vhost_user_service.h"
#include "models/peers/wall_clock.h"

namespace scmi_vp::models::testing_tools {

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

/// A host that does something else between any two steps of the clock's other clients, for as long
/// as `slow` is set (by another thread). Added before them: as much goes by before they read.
class slow_host : public wall_client {
public:
    explicit slow_host(wall_clock& clock) : bell_(vhost_user::doorbell::make()) {
        clock.add(*this);
        bell_.ring();
    }
    void watch(std::vector<pollfd>& fds) override {
        fds.push_back({slow ? bell_.fd() : -1, POLLIN, 0});
    }
    void serve(const pollfd*, std::size_t) override { pass_on(); }
    sim_time deadline() const override { return slow ? sim_time{} : sim_time::max(); }
    void overdue() override { pass_on(); }
    bool pass_on() override {
        if (slow) ::usleep(300);
        return false;
    }
    std::atomic<bool> slow{false};

private:
    vhost_user::doorbell bell_;  ///< always rung
};

inline system_config service_of(sim_time span) {
    system_config c = small_system();
    c.hops[std::size_t(hop::service)] = make_constant(span);
    return c;
}

struct wall_platform {
    explicit wall_platform(system_config c = small_system(), unsigned agents = 1)
        : config(with_agents(std::move(c), agents)), platform("top", config, agents) {
        clock.add(end);
    }
    static system_config with_agents(system_config c, unsigned n) {
        c.platform.description.agents.resize(n);
        for (unsigned a = 0; a < n; ++a) {
            c.platform.description.agents[a].name = "agent" + std::to_string(a);
        }
        return c;
    }
    unsigned next_agent() const { return unsigned(guests.size() + streams.size()); }
    /// The path where the next agent's guest may connect.
    std::string guest(bool in_band = false) {
        vhost_user::session_config session;
        if (in_band) session.protocol_features = vhost_user::offer_for_uml_time_travel;
        const unsigned agent = next_agent();
        const std::string path = folder / ("guest" + std::to_string(agent)).c_str();
        guests.push_back(std::make_unique<vhost_user_service>(virtio::unix_listener(path), session,
                                                              platform.device(agent),
                                                              platform.view(agent), reporter()));
        guests.back()->patience = patience;
        clock.add(*guests.back());
        return path;
    }
    /// The same of an agent that speaks over a stream.
    std::string stream(std::uint32_t max_payload = 128) {
        const unsigned agent = next_agent();
        const std::string path = folder / ("stream" + std::to_string(agent)).c_str();
        streams.push_back(
            std::make_unique<stream_service>(virtio::unix_listener(path), platform.device(agent),
                                             platform.view(agent), max_payload, reporter()));
        streams.back()->patience = patience;
        clock.add(*streams.back());
        return path;
    }
    /// Runs the platform until `others`, in a thread, has ended; more than `at_most` is a failure.
    template <class Others>
    void play(Others others, sim_time at_most = seconds(60)) {
        std::thread thread([&] {
            try {
                others();
            } catch (const std::exception& e) {
                ADD_FAILURE() << "outside: " << e.what();
            }
            end.ring();
        });
        EXPECT_EQ(clock.run(at_most), wall_clock::ending::stopped);
        thread.join();
    }
    bool reported(const std::string& part) const {
        for (const std::string& r : reports) {
            if (r.find(part) != std::string::npos) return true;
        }
        return false;
    }
    std::function<void(const std::string&)> reporter() {
        return [this](const std::string& what) { reports.push_back(what); };
    }

    /// Of those that come next. Set it before guest() and stream() to see it end: a test itself can
    /// be kept waiting on a busy host.
    sim_time patience = seconds(60);
    system_config config;
    socket_folder folder;
    shared_platform platform;
    wall_clock clock;
    std::vector<std::unique_ptr<vhost_user_service>> guests;
    std::vector<std::unique_ptr<stream_service>> streams;
    std::vector<std::string> reports;
    end_of_test end{clock};
};

}  // namespace scmi_vp::models::testing_tools
