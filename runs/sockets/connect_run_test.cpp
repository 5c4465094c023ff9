// SPDX-License-Identifier: Apache-2.0
// The modelled driver over vhost-user, in real time, against `scmi-vp serve` in another process:
// what the two sides say to each other is what QEMU and a foreign device would.
#include "runs/sockets/connect_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/model_testing.h"
#include "runs/load.h"
#include "runs/sockets/serve_testing.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"
#include "traces/latency_file.h"
#include "virtio/vhost_user/channel.h"
#include "virtio/vhost_user/testing.h"

namespace scmi_vp::runs {
namespace {

using testing::HasSubstr;
using testing_tools::server;
namespace vhost_user = virtio::vhost_user;

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

scenario::scenario reads(const std::vector<std::string>& set = {}) {
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

outcome connect(const server& device, const scenario::scenario& s,
                const std::filesystem::path& out = {}, bool in_band = false,
                sim_time until = sim_time::max()) {
    device.await("Ctrl-C ends it");
    connect_options o;
    o.socket = device.folder / "device";
    o.out = out;
    o.in_band = in_band;
    o.until = until;
    std::ostringstream report;
    const run_status status = run_connect(s, o, report);
    return {status, report.str()};
}

TEST(connect, probes_and_reads_and_measures) {
    const server device(reads({"hops.service=\"300us\""}), one_socket());
    const scenario::testing_tools::scratch_folder folder;
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
    std::vector<sim_time> times = traces::read_latency_list(in, response_file).in_order;
    EXPECT_EQ(times.size(), rows.size());
    std::sort(times.begin(), times.end());
    EXPECT_GE(times.at(times.size() / 2), microseconds(200));

    // And that file is a latency of a scenario.
    const std::string file = (folder.path() / "out" / response_file).string();
    const scenario::scenario again =
        reads({"hops.service={ kind=\"recorded\", file=\"" + file + "\" }"});
    EXPECT_NE(again.system.hops[std::size_t(hop::service)], nullptr);
}

// Who asked for calls without end has them when the time is over; so many calls are not made then.
TEST(connect, ends_by_itself_when_asked) {
    const server device(reads({"hops.service=\"1ms\""}), one_socket());
    const auto before = std::chrono::steady_clock::now();
    const outcome r = connect(device, reads({"workload.loop.0.count=0"}), {}, false, seconds(1));
    const auto took = std::chrono::steady_clock::now() - before;
    EXPECT_EQ(r.status, run_status::ok) << r.report;
    EXPECT_THAT(r.report, testing::Not(HasSubstr("unfinished.")));
    EXPECT_GE(took, std::chrono::seconds(1));
    EXPECT_LT(took, std::chrono::seconds(20));
}

TEST(connect, that_ends_before_its_calls_are_made_is_unfinished) {
    const server device(reads({"hops.service=\"1ms\""}), one_socket());
    const outcome r =
        connect(device, reads({"workload.loop.0.count=1000000"}), {}, false, seconds(1));
    EXPECT_EQ(r.status, run_status::unfinished) << r.report;
}

TEST(connect, by_messages_as_well) {
    const server device(reads(), one_socket(true));
    const outcome r = connect(device, reads(), {}, true);
    EXPECT_EQ(r.status, run_status::ok) << r.report;
}

TEST(connect, with_event_idx_and_indirect_descriptors) {
    const scenario::scenario s = reads({"device.event_idx=true", "device.indirect_desc=true"});
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

// What the device never answers is a true timeout in the run's own results, as on its page; what it
// answers too late is a spurious one.
TEST(connect, tells_replies_that_never_came_from_late_ones) {
    const char* loses =
        "platform.fault=[ { kind=\"drop\", of=\"response\", message=\"SENSOR_READING_GET\", "
        "nth=3, count=1 } ]";
    const server device(reads({loses}), one_socket());
    const scenario::testing_tools::scratch_folder folder;
    const auto out = folder.path() / "out";
    const outcome r = connect(device, reads({"guest.max_rx_timeout=\"1s\"", "guest.hz=1000"}), out);
    // The command that plays this device in simulated time has what was set here, too.
    EXPECT_THAT(r.report, HasSubstr("run connect.toml --set 'guest.max_rx_timeout=\"1s\"' --set "
                                    "guest.hz=1000 --set 'hops.service={ kind=\"recorded\""));
    std::ifstream in(out / "summary.json");
    const auto j = nlohmann::json::parse(in);
    EXPECT_EQ(j.at("outcomes").at("timed_out"), 1);
    EXPECT_EQ(j.at("true_timeouts").at("count"), 1);
    EXPECT_EQ(j.at("spurious_timeouts").at("count"), 0);
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
    const std::string e = scenario::testing_tools::error_of([&] { connect(device, reads()); });
    EXPECT_THAT(e, HasSubstr("the device is gone: the device: it closed the connection"));
    ::waitpid(killer, nullptr, 0);
}

/// A device that answers every command with the command itself, for a while: it closes the
/// connection after so many messages, or, when all have come, after so many kicks.
class mortal_device {
public:
    mortal_device(const std::filesystem::path& path, unsigned messages, unsigned kicks)
        : listener_(path.string()), messages_(messages), kicks_(kicks) {
        thread_ = std::thread([this] { live(); });
    }
    ~mortal_device() { thread_.join(); }

private:
    void live() {
        std::optional<virtio::unix_stream> connection;
        while (!(connection = listener_.accept())) ::usleep(1000);
        vhost_user::channel main(std::move(*connection), vhost_user::traffic::requests);
        vhost_user::session_config config;
        config.queue_size_max = {1024, 1024};
        vhost_user::echo_device device(config);
        while (messages_ > 0) {
            const int bell = device.live[0] ? device.s.kick_bell(0).fd() : -1;
            pollfd fds[2] = {{main.fd(), POLLIN, 0}, {bell, POLLIN, 0}};
            if (::poll(fds, 2, 10'000) <= 0) break;
            if (fds[1].revents) {
                device.s.kick_bell(0).listen();
                if (kicks_-- == 0) break;
                device.apply(device.s.kicked(0));
                continue;
            }
            const auto got = main.receive();
            if (got == vhost_user::channel::outcome::closed) break;
            if (got != vhost_user::channel::outcome::message) continue;
            const auto e = device.apply(device.s.handle(main.data(), main.size(), main.take_fds()));
            if (!e.reply.empty()) main.send(e.reply);
            --messages_;
        }
    }

    virtio::unix_listener listener_;
    unsigned messages_, kicks_;
    std::thread thread_;
};

// Each message of the set-up, and each of the first commands: one error that says so, no hang, and
// whatever had been measured is in the folder.
TEST(connect, a_device_that_fails_at_any_point_is_one_error_and_keeps_the_results) {
    const scenario::testing_tools::scratch_folder folder;
    const scenario::scenario s = reads({"guest.max_rx_timeout=\"1s\""});
    constexpr unsigned set_up = 40;  // more than it has messages
    for (unsigned n = 0; n < 24 + 6; ++n) {
        models::testing_tools::in_child([&] {
            const mortal_device device(folder.path() / "device", n < 24 ? n : set_up,
                                       n < 24 ? 0 : n - 24);
            connect_options o;
            o.socket = folder.path() / "device";
            o.out = folder.path() / ("out" + std::to_string(n));
            o.quiet = true;
            o.until = seconds(20);
            std::ostringstream report;
            const std::string e =
                scenario::testing_tools::error_of([&] { run_connect(s, o, report); });
            EXPECT_THAT(e, HasSubstr(" closed the connection")) << n;
            EXPECT_THAT(e, testing::Not(HasSubstr("\n"))) << n;
            // From the driver's first command on there is a run, and results of it.
            const bool ran = std::filesystem::exists(o.out / "summary.json");
            EXPECT_EQ(ran, e.find("the device is gone: ") != std::string::npos) << n << ": " << e;
            EXPECT_TRUE(ran || n < 24) << e;
        });
    }
}

TEST(connect, nobody_listens) {
    const scenario::testing_tools::scratch_folder folder;
    connect_options o;
    o.socket = folder.path() / "nobody";
    std::ostringstream report;
    const scenario::scenario s = reads();
    EXPECT_THAT(scenario::testing_tools::error_of([&] { run_connect(s, o, report); }),
                HasSubstr("is the device running, and listening there?"));
}

// Whoever listens there says nothing that a device would.
TEST(connect, whoever_listens_is_no_device) {
    serve_options o;
    o.streams = {"device"};
    const server device(reads(), o);
    const std::string e = scenario::testing_tools::error_of([&] { connect(device, reads()); });
    EXPECT_THAT(e, HasSubstr("the device: it closed the connection when asked "));
}

/// Stands between `connect` and a server, in a process of its own, and fails at a message of the
/// front end: what a device does that crashes, or is wrong, in the middle.
class failing_device {
public:
    enum class way { hangs_up, hangs_up_in_a_message, answers_noise, answers_something_else };

    failing_device(const std::string& path, const std::string& server, unsigned at, way how)
        : listener_(path), server_(server), at_(at), how_(how), child_(::fork()) {
        if (child_ != 0) return;
        try {
            play();
        } catch (const error&) {
            // The front end has gone.
        }
        ::_exit(0);
    }
    ~failing_device() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    failing_device(const failing_device&) = delete;
    failing_device& operator=(const failing_device&) = delete;

private:
    using channel = virtio::vhost_user::channel;
    using traffic = virtio::vhost_user::traffic;

    void play() {
        std::optional<virtio::unix_stream> front;
        while (!(front = listener_.accept())) ::usleep(1000);
        const int fd = front->fd();
        channel requests(std::move(*front), traffic::requests);
        channel replies(virtio::unix_stream::connect(server_), traffic::replies);
        for (unsigned seen = 0;;) {
            pollfd p[] = {{requests.fd(), POLLIN, 0}, {replies.fd(), POLLIN, 0}};
            ::poll(p, 2, 1000);
            const channel::outcome asked = requests.receive();
            if (asked == channel::outcome::closed) return;
            if (asked == channel::outcome::message) {
                if (++seen == at_) return fail(fd, requests.data());
                pass_on(requests, replies);
            }
            if (replies.receive() == channel::outcome::message) pass_on(replies, requests);
        }
    }
    static void pass_on(channel& from, channel& to) {
        std::vector<int> fds;
        const virtio::fd_list passed = from.take_fds();
        for (const auto& f : passed) fds.push_back(f.get());
        to.send({from.data(), from.data() + from.size()}, fds.data(), fds.size());
    }
    void fail(int fd, const std::uint8_t* request) const {
        // A reply with a payload of eight bytes (flags: version 1, reply).
        std::array<std::uint8_t, 20> answer{request[0], 0, 0, 0, 5, 0, 0, 0, 8};
        std::size_t size = answer.size();
        if (how_ == way::hangs_up) return;
        if (how_ == way::hangs_up_in_a_message) size = 13;
        if (how_ == way::answers_noise) answer.fill(0xa5);
        if (how_ == way::answers_something_else) answer[0] = 0x7f;
        if (::send(fd, answer.data(), size, MSG_NOSIGNAL) < 0) return;
        if (how_ != way::hangs_up_in_a_message) ::usleep(1'000'000);
    }

    virtio::unix_listener listener_;
    std::string server_;
    unsigned at_;
    way how_;
    pid_t child_;
};

class device_failing : public testing::TestWithParam<failing_device::way> {
};  // NOLINT: gtest's name

// At every message of the set-up, one after the other: an error that says where, never a hang.
TEST_P(device_failing, ends_with_one_error_wherever_it_happens) {
    const server device(reads(), one_socket());
    device.await("Ctrl-C ends it");
    const std::string path = device.folder / "between";
    connect_options o;
    o.socket = path;
    unsigned failed = 0;
    for (unsigned at = 1; at <= 40; ++at) {
        SCOPED_TRACE("message " + std::to_string(at));
        const failing_device between(path, device.folder / "device", at, GetParam());
        std::ostringstream report;
        const pid_t child = ::fork();  // one simulation per process
        if (child == 0) {
            try {
                run_connect(reads(), o, report);
                ::_exit(0);
            } catch (const error& e) {
                ::_exit(std::string(e.what()).rfind(path + ": ", 0) == 0 ? 3 : 4);
            }
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFEXITED(status));
        if (WEXITSTATUS(status) == 0) break;  // all was set up before: nobody failed
        ASSERT_EQ(WEXITSTATUS(status), 3);
        ++failed;
    }
    EXPECT_GE(failed, 15u);
}

INSTANTIATE_TEST_SUITE_P(by, device_failing,
                         testing::Values(failing_device::way::hangs_up,
                                         failing_device::way::hangs_up_in_a_message,
                                         failing_device::way::answers_noise,
                                         failing_device::way::answers_something_else));

}  // namespace
}  // namespace scmi_vp::runs
