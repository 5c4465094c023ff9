// SPDX-License-Identifier: Apache-2.0
// What counts as agreement, and that the modelled driver agrees with the real kernel. Heavy tests
// need the kernel of tools/build-linux and are skipped without it.
#include "runs/linux/validation.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "runs/linux/random_faults.h"
#include "runs/load.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using testing::Contains;
using testing::HasSubstr;
using traces::ftrace_event;
using traces::ftrace_kind;

const std::string root = SCMI_VP_SOURCE_DIR;

ftrace_event event(ftrace_kind kind, sim_time at, std::int32_t status = 0) {
    ftrace_event e;
    e.stamp = at;
    e.kind = kind;
    e.protocol_id = 0x15;
    e.message_id = 6;
    e.seq = 9;
    e.status = status;
    e.payload = {1, 2};
    return e;
}

evidence one_request(sim_time begin, sim_time end, std::int32_t status = 0) {
    evidence e;
    e.status = "ok";
    e.events = {event(ftrace_kind::xfer_begin, begin), event(ftrace_kind::xfer_end, end, status)};
    e.log = {{seconds(1), "arm-scmi firmware:scmi: hello"}};
    e.tasks = {{"sh", 1, 0, 0}};
    return e;
}

std::string differs(const evidence& a, const evidence& b, aspect x) {
    return compare(a, b).aspects[std::size_t(x)].difference;
}

TEST(validation, the_same_requests_at_other_times_agree) {
    const agreement a = compare(one_request(microseconds(10), microseconds(60)),
                                one_request(milliseconds(3), milliseconds(3) + microseconds(50)));
    EXPECT_TRUE(a.whole()) << a.first_difference();
    EXPECT_EQ(a.aspects[std::size_t(aspect::messages)].kernel, 2u);
    EXPECT_EQ(a.aspects[std::size_t(aspect::round_trips)].model, 1u);
}

TEST(validation, each_aspect_is_looked_at) {
    const evidence good = one_request(microseconds(10), microseconds(60));
    evidence bad = good;
    bad.events[1].seq = 10;
    EXPECT_THAT(differs(good, bad, aspect::messages), HasSubstr("differs in seq"));
    bad = good;
    bad.events[0].payload = {1, 3};
    EXPECT_THAT(differs(good, bad, aspect::messages), HasSubstr("payload"));
    bad = good;
    bad.events[1].status = -5;
    EXPECT_THAT(differs(good, bad, aspect::statuses), HasSubstr("ends with -5"));
    bad = good;
    bad.tasks[0].errors = 1;
    EXPECT_THAT(differs(good, bad, aspect::statuses), HasSubstr("sh: 1 calls, 1 failed"));
    bad = good;
    bad.status = "violations";
    EXPECT_THAT(differs(good, bad, aspect::statuses), HasSubstr("the run: violations"));
    bad = good;
    bad.log[0].stamp += milliseconds(10);
    EXPECT_THAT(differs(good, bad, aspect::log_lines), HasSubstr("differs in its time"));
    bad = good;
    bad.log.push_back({seconds(2), "x: Message for 9 type 0 is not expected!"});
    EXPECT_THAT(differs(good, bad, aspect::late_replies), HasSubstr("is not expected!"));
}

// Both stamps are rounded to microseconds (kernel/trace/trace.c ns2usecs()).
TEST(validation, a_round_trip_may_be_printed_one_microsecond_longer_not_two) {
    const evidence kernel = one_request(microseconds(10), microseconds(60));
    EXPECT_EQ(differs(kernel, one_request(microseconds(10), microseconds(61)), aspect::round_trips),
              "");
    EXPECT_THAT(
        differs(kernel, one_request(microseconds(10), microseconds(62)), aspect::round_trips),
        HasSubstr("takes 52 us"));
}

TEST(validation, a_timeout_is_of_the_same_tick) {
    const evidence kernel = one_request(microseconds(10), seconds(64), -110);
    EXPECT_EQ(differs(kernel, one_request(microseconds(10), seconds(64) + microseconds(150), -110),
                      aspect::timeouts),
              "");
    EXPECT_THAT(differs(kernel, one_request(microseconds(10), seconds(64) + milliseconds(10), -110),
                        aspect::timeouts),
                HasSubstr("takes 64009990 us"));
}

TEST(validation, the_model_runs_as_the_kernel_is_built_and_when_the_kernel_called) {
    scenario::scenario s = load_scenario(root + "/testbenches/all-protocols/scenario.toml",
                                         {"guest.hz=1000", "hops.interrupt=3us"});
    s = on_the_real_kernel(s);
    const models::guest_config& g = s.system.guest;
    EXPECT_EQ(g.hz, 100u);
    EXPECT_EQ(g.cpus, 1u);
    EXPECT_EQ(g.costs.clock_read, nanoseconds(256));
    EXPECT_EQ(g.profile.max_rx_timeout, seconds(60));
    EXPECT_EQ(s.system.hops[std::size_t(hop::interrupt)], nullptr);
    EXPECT_THAT(g.drivers, testing::Not(Contains("scmi-cpufreq")));  // not built for um

    evidence::times given;
    given.first_command = microseconds(30);
    given.module = milliseconds(1);
    given.calls = {{{milliseconds(2), {models::call_named("sensor_read"), 1, 0}},
                    {milliseconds(5), {models::call_named("sensor_read"), 0, 0}}}};
    s = aligned(s, given);
    EXPECT_EQ(s.system.guest.probe_start, microseconds(30) - nanoseconds(256));
    ASSERT_EQ(s.system.guest.loops.size(), 1u);
    EXPECT_EQ(s.system.guest.loops[0].at[1], milliseconds(5));
    EXPECT_EQ(s.system.guest.loops[0].calls[0].id, 1u);
}

// The judge of the model (docs/validity.md): each scenario on the real kernel and on the model.
TEST(validation, the_model_does_what_the_kernel_does_heavy) {
    const std::filesystem::path kernel = root + "/build/linux/linux";
    if (!std::filesystem::exists(kernel)) GTEST_SKIP() << "tools/build-linux was not run";
    std::vector<std::filesystem::path> files;
    for (const auto& e : std::filesystem::directory_iterator(root + "/testbenches/validation"))
        if (e.path().extension() == ".toml") files.push_back(e.path());
    std::sort(files.begin(), files.end());
    EXPECT_GE(files.size(), 20u);
    for (const std::filesystem::path& f : files) {
        const agreement a = validate(load_scenario(f, {}), {{}, kernel});
        EXPECT_TRUE(a.whole()) << f << "\n" << a.first_difference();
    }
}

// New scenarios with random faults, as many as go into about a minute, at least ten.
TEST(validation, the_model_does_what_the_kernel_does_with_random_faults_heavy) {
    const std::filesystem::path kernel = root + "/build/linux/linux";
    if (!std::filesystem::exists(kernel)) GTEST_SKIP() << "tools/build-linux was not run";
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        if (seed > 10 && std::chrono::steady_clock::now() - begin > std::chrono::seconds(60)) break;
        const scenario::scenario s =
            parse_scenario(random_fault_scenario(seed), random_fault_name(seed) + ".toml", {});
        const agreement a = validate(s, {{}, kernel});
        EXPECT_TRUE(a.whole()) << "scmi-vp validate --seeds 1 --seed " << seed << "\n"
                               << a.first_difference();
    }
}

}  // namespace
}  // namespace scmi_vp::runs
