// SPDX-License-Identifier: Apache-2.0
// Many agents at once, on two sockets of one platform that works on many commands at a time,
// changes by itself and sends delayed responses: each sends commands of every protocol, well-formed
// and not, in any pieces, and goes in every way that there is. An oracle from the specification
// judges every message that comes (models/peers/stream_oracle_testing.h), and the reports of the
// service are what the agents have done. stream_fuzz_test.cpp has the other oracle, to the byte,
// for one agent at a time.
//
//   SCMI_VP_FUZZ_SECONDS=3600 build/release/models_test --gtest_filter=stream_fuzz.crowd_heavy
//   SCMI_VP_FUZZ_SEED=1234    repeats from that session on; each failure names its seed
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "models/peers/stream_oracle_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::append_frame;
using testing_tools::byte_string;
using testing_tools::command_generator;
using testing_tools::number_from;
using testing_tools::put;
using testing_tools::spec_row;
using testing_tools::stream_agent;
using testing_tools::stream_oracle;
using testing_tools::stream_player;
using testing_tools::wall_platform;
using clock = std::chrono::steady_clock;

/// The ways to go. What comes before is answered in all of them but the first.
enum class farewell : std::uint8_t {
    hang_up,
    wrong_length,
    part_of_one,
    half_close,
    when_all_came
};

struct tally {
    std::atomic<std::uint64_t> sessions{0}, answers{0}, delayed{0}, notifications{0};
    std::array<std::atomic<std::uint64_t>, 5> farewells{};
};

platform_change_config change(scmi::change_kind kind, const std::vector<std::int64_t>& values) {
    platform_change_config c;
    c.when = {milliseconds(1), milliseconds(1), 0};
    for (const std::int64_t v : values) {
        scmi::platform_change step;
        step.kind = kind;
        step.value = v;
        c.steps.push_back(step);
    }
    return c;
}

system_config busy_platform() {
    system_config c = testing_tools::small_system();
    testing_tools::with_all_protocols(c.platform.description);
    c.platform.description.clock_max_async = 4;
    c.platform.workers = 0;
    c.hops[std::size_t(hop::service)] = make_uniform(sim_time{}, microseconds(200));
    c.hops[std::size_t(hop::return_)] = make_uniform(sim_time{}, microseconds(50));
    c.platform.delayed_work = make_uniform(sim_time{}, microseconds(500));
    c.platform.changes = {change(scmi::change_kind::sensor_reading, {0, 100}),
                          change(scmi::change_kind::power_state, {0, 1}),
                          change(scmi::change_kind::performance_level, {1, 20}),
                          change(scmi::change_kind::base_error, {0})};
    return c;
}

/// Half of them as the specification wants them, on few things and with few values.
byte_string command(command_generator& random) {
    if (random.below(2) == 0) {
        byte_string m = random.message();
        // What an agent sends as a delayed response would be answered as one.
        if (testing_tools::header_of(m).type == scmi::message_type::delayed_response) m[1] &= 0xfc;
        return m;
    }
    const spec_row& row = testing_tools::specification[random.below(
        std::uint32_t(std::size(testing_tools::specification)))];
    byte_string m;
    put(m, scmi::header{row.message, scmi::message_type::command, row.protocol, 0}.pack());
    for (std::size_t i = 0; i < row.command_words; ++i) put(m, random.below(3));
    return m;
}

/// The token is `n`'s; the header's reserved bits come back as they were.
void name(byte_string& m, std::uint32_t n, command_generator& random) {
    const std::uint32_t tokens = 0x3ffu << 18, reserved = random.below(8) == 0 ? 5u << 28 : 0;
    const std::uint32_t word = (scmi::get_u32(m.data(), m.size(), 0) & ~tokens) | reserved;
    byte_string first;
    put(first, word | (n % 1024) << 18);
    std::copy(first.begin(), first.end(), m.begin());
}

class session {
public:
    session(const std::string& path, const scmi::platform_description& platform, std::uint64_t seed)
        : random_(seed), oracle_(platform), player_(path, random_) {}

    void play(tally& all) {
        const auto how = farewell(random_.below(5));
        const unsigned count = 1 + random_.below(random_.below(4) == 0 ? 1000 : 50);
        const std::uint32_t first = random_.below(1024);
        byte_string bytes;
        for (unsigned i = 0; i < count; ++i) {
            byte_string m = command(random_);
            name(m, first + i, random_);
            oracle_.sent(m);
            append_frame(bytes, m);
        }
        say(bytes, how);
        ++all.sessions;
        ++all.farewells[std::size_t(how)];
        all.answers += oracle_.answers();
        all.delayed += oracle_.delayed_responses();
        all.notifications += oracle_.notifications();
    }

private:
    void say(byte_string& bytes, farewell how) {
        if (how == farewell::hang_up) {
            bytes.resize(1 + random_.below(std::uint32_t(bytes.size())));
            player_.write(bytes);
            return judge();
        }
        if (how == farewell::wrong_length) put(bytes, random_.below(2) == 0 ? 3 : 4101);
        if (how == farewell::part_of_one) {
            byte_string part;
            append_frame(part, byte_string(1 + 4 + random_.below(100)));
            part.resize(1 + random_.below(std::uint32_t(part.size() - 1)));
            bytes.insert(bytes.end(), part.begin(), part.end());
        }
        EXPECT_TRUE(player_.write(bytes));
        if (how == farewell::when_all_came) {
            for (judge(); !oracle_.satisfied() && player_.read(); judge()) {
            }
            EXPECT_FALSE(player_.closed());
        } else {
            if (how != farewell::wrong_length) player_.half_close();
            EXPECT_TRUE(player_.read_to_the_end());
            judge();
        }
        EXPECT_TRUE(oracle_.satisfied()) << "farewell " << unsigned(how);
    }
    void judge() {
        const auto& came = player_.messages();
        for (; judged_ < came.size(); ++judged_) oracle_.came(came[judged_]);
    }

    command_generator random_;
    stream_oracle oracle_;
    stream_player player_;
    std::size_t judged_ = 0;
};

void play_session(const std::string& path, const scmi::platform_description& platform,
                  std::uint64_t seed, tally& all) {
    SCOPED_TRACE("SCMI_VP_FUZZ_SEED=" + std::to_string(seed));
    try {
        session(path, platform, seed).play(all);
    } catch (const std::exception& e) {
        ADD_FAILURE() << e.what();
    }
}

std::uint64_t reported(const wall_platform& run, const std::string& part) {
    return std::uint64_t(
        std::count_if(run.reports.begin(), run.reports.end(),
                      [&part](const std::string& r) { return r.find(part) != std::string::npos; }));
}

/// What the service said of its peers is what they did.
void judge_reports(const wall_platform& run, const tally& all) {
    const auto those = [&all](farewell f) { return all.farewells[std::size_t(f)].load(); };
    EXPECT_EQ(reported(run, "connected") - reported(run, "disconnected"), all.sessions + 2);
    EXPECT_EQ(reported(run, "the session ended: a length of "), those(farewell::wrong_length));
    const std::uint64_t middle = reported(run, "in the middle of a message");
    EXPECT_GE(middle, those(farewell::part_of_one));
    EXPECT_LE(middle, those(farewell::part_of_one) + those(farewell::hang_up));
    // It hung up, and a notification could not be sent any more.
    const std::uint64_t unread = reported(run, "before it had read everything");
    EXPECT_LE(unread, those(farewell::hang_up) + those(farewell::when_all_came));
    EXPECT_EQ(reported(run, "the session ended"), those(farewell::wrong_length) + middle + unread);
}

void fuzz(const testing_tools::fuzz_limits& limits) {
    constexpr unsigned sockets = 2, agents_of_each = 2;
    wall_platform run(busy_platform(), sockets);
    const std::string paths[sockets] = {run.stream(), run.stream()};
    const std::uint64_t seed = number_from("SCMI_VP_FUZZ_SEED", 1);
    std::atomic<std::uint64_t> next{0};
    tally all;
    const auto begin = clock::now();
    run.play(
        [&] {
            std::vector<std::thread> agents;
            for (unsigned i = 0; i < sockets * agents_of_each; ++i) {
                agents.emplace_back([&, i] {
                    while (clock::now() - begin < limits.span && !testing::Test::HasFailure()) {
                        const std::uint64_t n = next++;
                        if (n >= limits.most) break;
                        play_session(paths[i % sockets], run.config.platform.description, seed + n,
                                     all);
                    }
                });
            }
            for (std::thread& t : agents) t.join();
            // After all of them, also those that hung up before they were accepted.
            for (const std::string& path : paths) {
                EXPECT_EQ(stream_agent(path).ask(0x10, 0).at(2), 0x20000u);
            }
        },
        limits.with_slack());
    const double took = std::chrono::duration<double>(clock::now() - begin).count();
    std::cout << all.sessions << " sessions, " << all.answers << " answers ("
              << std::uint64_t(double(all.answers) / took) << " per second), " << all.delayed
              << " delayed responses, " << all.notifications << " notifications\n";
    judge_reports(run, all);
    EXPECT_GT(all.delayed, 0u);
    EXPECT_GT(all.notifications, 0u);
}

TEST(stream_fuzz, crowd_briefly) {
    fuzz(testing_tools::fuzz_briefly());
}

TEST(stream_fuzz, crowd_heavy) {
    fuzz(testing_tools::fuzz_at_length());
}

}  // namespace
}  // namespace scmi_vp::models
