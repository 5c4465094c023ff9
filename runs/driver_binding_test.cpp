// SPDX-License-Identifier: Apache-2.0
// The driver lets the device go and is bound again, with a late reply on its way
// (drivers/firmware/arm_scmi/virtio.c scmi_vio_remove, drivers/virtio/virtio.c virtio_dev_remove).
#include <fstream>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing_tools::events_of;
using testing_tools::run_in_child;

scenario::scenario unbound(const std::vector<std::string>& overrides = {}) {
    return load_scenario(
        std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/validation/43-driver-unbound.toml",
        overrides);
}

TEST(driver_binding, a_reset_device_never_answers_what_it_had) {
    const scratch_folder out;
    const auto run = run_in_child(unbound(), out.path() / "o");
    EXPECT_EQ(run.status, run_status::ok) << run.report;  // no checker saw anything either
    std::ifstream in(out.path() / "o/summary.json");
    const nlohmann::json j = nlohmann::json::parse(in);
    EXPECT_EQ(j["outcomes"]["timed_out"], 1);
    EXPECT_EQ(j["late_replies"], 0);  // it was due at 70 s
}

// Linux 6.1 probes Base anew, and none of the users (bus.c __scmi_device_create finds the old
// devices): Base's seven messages, and nothing after them.
TEST(driver_binding, base_is_probed_anew_and_the_users_stay_away) {
    const scratch_folder out;
    run_in_child(unbound(), out.path() / "o");
    const auto events = events_of(out.path() / "o/scmi.ftrace");
    ASSERT_FALSE(events.empty());
    unsigned base = 0;
    for (const traces::ftrace_event& e : events) {
        if (e.stamp < seconds(65) || e.kind != traces::ftrace_kind::xfer_begin) continue;
        if (e.protocol_id == scmi::protocol::base) ++base;
        if (base > 0) {
            EXPECT_EQ(e.protocol_id, scmi::protocol::base);
        }
    }
    EXPECT_EQ(base, 7u);
}

// virtio 1.3 section 3.1.1 step 1 and 4.2.3.1: the reset, then the acknowledgement again.
TEST(driver_binding, the_device_is_reset_and_its_queues_given_up) {
    const scratch_folder out;
    run_in_child(unbound({"output.registers=true"}), out.path() / "o");
    std::ifstream in(out.path() / "o/registers.trace");
    unsigned resets = 0, not_ready = 0;
    for (const traces::register_trace_line& l :
         traces::read_register_trace(in, "registers.trace")) {
        if (l.kind != traces::register_trace_line::kind_t::write || l.value != 0) continue;
        resets += l.offset == 0x70;
        not_ready += l.offset == 0x44;
    }
    EXPECT_EQ(resets, 2u);     // at the first probe and when unbound
    EXPECT_EQ(not_ready, 2u);  // both queues
}

}  // namespace
}  // namespace scmi_vp::runs
