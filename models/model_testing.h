// SPDX-License-Identifier: Apache-2.0
// What several tests of the models need: a small system as data, a sink that keeps everything, and
// simulations in processes of their own.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/config.h"
#include "models/monitor.h"

namespace scmi_vp::models::testing_tools {

/// Keeps whatever a run announces.
struct collector : run_sink {
    struct access {
        sim_time when;
        traces::register_trace_line line;
    };
    std::vector<request> requests;
    std::vector<traces::ftrace_event> events;
    std::vector<traces::log_line> log;
    std::vector<access> registers;
    std::vector<violation> violations;

    void on_request(const request& r) override { requests.push_back(r); }
    void on_ftrace(const traces::ftrace_event& e) override { events.push_back(e); }
    void on_log(const traces::log_line& l) override { log.push_back(l); }
    void on_register(sim_time when, const traces::register_trace_line& l) override {
        registers.push_back({when, l});
    }
    void on_violation(const violation& v) override { violations.push_back(v); }

    /// Texts of the log from line `first` on.
    std::vector<std::string> texts(std::size_t first = 0) const {
        std::vector<std::string> all;
        for (std::size_t i = first; i < log.size(); ++i) all.push_back(log[i].text);
        return all;
    }
    bool logged(const std::string& text) const {
        for (const traces::log_line& l : log) {
            if (l.text == text) return true;
        }
        return false;
    }
};

/// Linux 6.1 with HZ 250 on one CPU and one task "task" without calls; a platform with two
/// sensors, of which sensor 1 is read asynchronously, and one clock. All latencies are zero.
inline system_config small_system() {
    system_config c;
    c.guest.profile = *find_profile("linux-6.1");
    c.guest.device_tree.protocols = {scmi::protocol::clock, scmi::protocol::sensor};
    c.guest.drivers = {"clk-scmi", "scmi-hwmon"};
    c.guest.contexts = {{"task", 100, 0}};
    c.guest.memory_bytes = 4ull << 20;
    scmi::platform_description& p = c.platform.description;
    p.protocols = {scmi::protocol::clock, scmi::protocol::sensor};
    p.agents = {{"guest"}};
    p.sensors.resize(2);
    p.sensors[0].name = "s0";
    p.sensors[1].name = "s1";
    p.sensors[1].async = true;
    p.sensor_max_async = 4;
    p.clocks.resize(1);
    p.clocks[0].name = "c0";
    p.clocks[0].rate = 1'000'000;
    p.clocks[0].rates = {{1'000'000, 2'000'000}, false};
    return c;
}

inline call_loop loop_of(const std::string& context, std::vector<call> calls, std::uint64_t count,
                         sim_time think = {}) {
    call_loop l;
    l.context = context;
    l.calls = std::move(calls);
    l.count = count;
    l.think = make_constant(think);
    return l;
}

/// Runs `f` in a child process (SystemC elaborates once per process); its failed expectations are
/// printed by the child and fail the caller.
inline void in_child(const std::function<void()>& f) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        try {
            f();
        } catch (const std::exception& e) {
            ADD_FAILURE() << "exception: " << e.what();
        }
        std::fflush(nullptr);
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "the child died of signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "see the failures above";
}

}  // namespace scmi_vp::models::testing_tools
