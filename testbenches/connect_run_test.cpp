// SPDX-License-Identifier: Apache-2.0
// The modelled driver over vhost-user, in real time, against `scmi-vp serve` in another process:
// what the two sides say to each other is what QEMU and a foreign device would.
#include "testbenches/connect_run.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/scenario_testing.h"
#include "testbenches/serve_testing.h"
#include "testbenches/system_testing.h"
#include "traces/histogram_file.h"

namespace scmi_vp::testbenches {
namespace {

using testing::HasSubstr;
using testing_tools::server;

const std::string text = R"(
[scenario]
title = "connect"
[guest]
profile = "linux-6.1"
[platform]
protocols = [0x15]
sensor_max_async = 1
[[platform.sensor]]
name = "a"
[[platform.sensor]]
name = "b"
async = true
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 60
calls = [ { call = "sensor_read", id = 0 }, { call = "sensor_read", id = 1 } ]
)";

scenario reads(const std::vector<std::string>& set = {}) {
    return parse_scenario(text, "connect.toml", set);
}

serve_options one_socket(bool in_band = false) {
    serve_options o;
    o.sockets = {"device"};
    o.in_band = in_band;
    return o;
}

struct outcome {
    run_status status;
    std::string report;
};

outcome connect(const server& device, const scenario& s, const std::filesystem::path& out = {},
                bool in_band = false) {
    device.await("Ctrl-C ends it");
    connect_options o;
    o.socket = device.folder / "device";
    o.out = out;
    o.in_band = in_band;
    std::ostringstream report;
    const run_status status = run_connect(s, o, report);
    return {status, report.str()};
}

TEST(connect, probes_and_reads_and_measures) {
    const server device(reads({"hops.service=\"300us\""}), one_socket());
    const testing_tools::scratch_folder folder;
    const outcome r = connect(device, reads(), folder.path() / "out");
    EXPECT_EQ(r.status, run_status::ok) << r.report;
    EXPECT_THAT(r.report, HasSubstr("the device's response time: "));
    EXPECT_THAT(r.report, HasSubstr("kind=\"recorded\", file=\""));
    const auto rows = testing_tools::read_csv(folder.path() / "out" / "requests.csv");
    ASSERT_GT(rows.size(), 60u);
    for (const auto& row : rows) EXPECT_EQ(row.at("outcome"), "ok");

    // One response time for each request, and what the device takes in it: a device may see a
    // request in the ring before the doorbell, long before on a busy host, but not half of them.
    std::ifstream in(folder.path() / "out" / response_file);
    std::vector<sim_time> times = traces::read_time_list(in, response_file);
    EXPECT_EQ(times.size(), rows.size());
    std::sort(times.begin(), times.end());
    EXPECT_GE(times.at(times.size() / 2), microseconds(200));

    // And that file is a latency of a scenario.
    const std::string file = (folder.path() / "out" / response_file).string();
    const scenario again = reads({"hops.service={ kind=\"recorded\", file=\"" + file + "\" }"});
    EXPECT_NE(again.system.hops[std::size_t(hop::service)], nullptr);
}

TEST(connect, by_messages_as_well) {
    const server device(reads(), one_socket(true));
    const outcome r = connect(device, reads(), {}, true);
    EXPECT_EQ(r.status, run_status::ok) << r.report;
}

TEST(connect, with_event_idx_and_indirect_descriptors) {
    const scenario s = reads({"device.event_idx=true", "device.indirect_desc=true"});
    const server device(s, one_socket());
    EXPECT_EQ(connect(device, s).status, run_status::ok);
}

// The driver's timeout is in real time: a device that answers after 300 ms is too late for 20 ms.
TEST(connect, times_out_in_real_time) {
    const server device(reads({"hops.service=\"300ms\""}), one_socket());
    const auto begin = std::chrono::steady_clock::now();
    const outcome r = connect(device, reads({"guest.max_rx_timeout=\"20ms\"", "guest.hz=1000"}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(r.status, run_status::no_probe) << r.report;
    EXPECT_THAT(r.report, HasSubstr("timed_out"));
}

TEST(connect, a_device_that_goes_ends_the_run) {
    server device(reads({"hops.service=\"50ms\""}), one_socket());
    device.await("Ctrl-C ends it");
    const pid_t killer = ::fork();
    if (killer == 0) {
        device.await("connected");
        ::usleep(100'000);
        ::kill(device.pid(), SIGTERM);
        ::_exit(0);
    }
    const std::string e = testing_tools::error_of([&] { connect(device, reads()); });
    EXPECT_THAT(e, HasSubstr("the device is gone: the device: it closed the connection"));
    ::waitpid(killer, nullptr, 0);
}

TEST(connect, nobody_listens) {
    const testing_tools::scratch_folder folder;
    connect_options o;
    o.socket = folder.path() / "nobody";
    std::ostringstream report;
    const scenario s = reads();
    EXPECT_THAT(testing_tools::error_of([&] { run_connect(s, o, report); }),
                HasSubstr("is the device running, and listening there?"));
}

// Whoever listens there says nothing that a device would.
TEST(connect, whoever_listens_is_no_device) {
    serve_options o;
    o.streams = {"device"};
    const server device(reads(), o);
    const std::string e = testing_tools::error_of([&] { connect(device, reads()); });
    EXPECT_THAT(e, HasSubstr("the device: it closed the connection when asked "));
}

}  // namespace
}  // namespace scmi_vp::testbenches
