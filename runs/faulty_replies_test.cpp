// SPDX-License-Identifier: Apache-2.0
// testbenches/faulty-replies: each kind of fault is told apart by what Linux 6.1 says of it
// (drivers/firmware/arm_scmi/driver.c: do_xfer, scmi_xfer_command_acquire,
// scmi_msg_response_validate).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using namespace testing_tools;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(faulty_replies, are_told_apart_by_the_kernel_messages) {
    const scenario::scenario s = load_scenario(
        std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/faulty-replies/scenario.toml", {});
    const scenario::testing_tools::scratch_folder scratch;
    const finished_run run = run_in_child(s, scratch.path() / "out");
    EXPECT_EQ(run.status, run_status::ok) << run.report;
    std::vector<std::string> log;
    for (const traces::log_line& l : messages_of(scratch.path() / "out/dmesg.txt")) {
        log.push_back(l.text);
    }
    ASSERT_EQ(log.size(), 13u);
    log.erase(log.begin(), log.begin() + 3);  // the probe's
    const auto timed_out = HasSubstr("timed out in resp(caller: scmi_sensor_reading_get)");
    const auto unexpected = [](const char* device, const char* type) {
        return testing::AllOf(HasSubstr(device), HasSubstr(type), HasSubstr("is not expected!"));
    };
    EXPECT_THAT(log, ElementsAre(timed_out,                                 // lost
                                 timed_out, unexpected("dev.1", "type 0"),  // late
                                 unexpected("dev.2", "type 0"),             // doubled
                                 unexpected("dev.1", "type 0"), timed_out,  // another token
                                 HasSubstr("Received valid OoO Delayed Response"),
                                 unexpected("dev.1", "type 0"), unexpected("dev.2", "type 2"),
                                 HasSubstr("timed out in delayed resp")));
    for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(run.report, HasSubstr("platform.fault." + std::to_string(i) + " ("));
    }
    EXPECT_THAT(run.report, HasSubstr("hit 1 of 1 messages that match"));
    EXPECT_THAT(scratch.read("out/summary.json"), HasSubstr("\"hits\": 1"));
}

}  // namespace
}  // namespace scmi_vp::runs
