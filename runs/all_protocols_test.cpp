// SPDX-License-Identifier: Apache-2.0
// The testbench with every protocol: what the drivers of Linux 6.1 send while they probe, and that
// everything that is used afterwards works.
#include <cerrno>

#include <gtest/gtest.h>

#include "base/hops.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing_tools::events_of;
using testing_tools::messages_of;
using testing_tools::run_in_child;
using traces::ftrace_event;
using traces::ftrace_kind;

scenario::scenario all_protocols(const std::vector<std::string>& overrides = {}) {
    return load_scenario(
        std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/all-protocols/scenario.toml", overrides);
}

/// What each task sent, in its order: protocol and message in hexadecimal.
std::map<std::string, std::string> commands_by_task(const std::vector<ftrace_event>& events) {
    std::map<std::string, std::string> all;
    for (const ftrace_event& e : events) {
        if (e.kind != ftrace_kind::xfer_begin) continue;
        char text[16];
        std::snprintf(text, sizeof text, "%02x:%x ", e.protocol_id, e.message_id);
        all[e.task] += text;
    }
    return all;
}

/// The workers that switch unused power domains off at the end of the boot
/// (drivers/base/power/domain.c genpd_power_off_unused): "kworker/0:90" and up.
bool is_power_off_worker(const std::string& task) {
    return task.rfind("kworker/0:9", 0) == 0;
}

std::string times(unsigned n, const std::string& text) {
    std::string all;
    while (n--) all += text;
    return all;
}

// Linux 6.1: scmi_base_protocol_init; then, in the order of the device tree, scmi_pm_domain_probe,
// scmi_cpufreq_probe (cpufreq_online reads each frequency), scmi_clocks_probe, the sensors of
// scmi-hwmon.
TEST(all_protocols, drivers_probe_as_linux_6_1_does) {
    const scratch_folder out;
    const auto run = run_in_child(all_protocols(), out.path() / "o");
    EXPECT_EQ(run.status, run_status::ok) << run.report;
    const auto events = events_of(out.path() / "o/scmi.ftrace");
    auto sent = commands_by_task(events);
    EXPECT_EQ(sent["kworker/u2:0"],
              "10:0 10:1 10:3 10:4 10:5 10:6 10:7 "
              "11:0 11:1 11:3 11:3 11:8 11:3 11:5 11:5 11:5 "
              "13:0 13:1 13:3 13:4 13:3 13:c 13:4 13:4 13:8 13:8 "
              "14:0 14:1 14:3 14:4 14:3 14:4 14:6 14:6 "
              "15:0 15:1 15:3 ");
    EXPECT_EQ(sent["sugov:0"], times(15, "13:7 13:7 13:7 13:8 "));
    // scmi_pd_power: each state that is set is read back.
    EXPECT_EQ(sent["kworker/0:1"], times(4, "11:4 11:5 14:7 14:5 14:7 11:4 11:5 "));
    EXPECT_EQ(sent["thermald"], times(20, "15:6 "));
    // The list is the other way round: "soc", which nobody may set, before "gpu".
    EXPECT_EQ(sent["kworker/0:90"], "11:4 ");
    EXPECT_EQ(sent["kworker/0:91"], "11:4 11:5 ");
    for (const ftrace_event& e : events) {
        if (e.kind == ftrace_kind::xfer_end) {
            EXPECT_EQ(e.status, e.task == "kworker/0:90" ? -EOPNOTSUPP : 0);
        }
    }
}

TEST(all_protocols, every_request_succeeds_and_the_hops_add_up) {
    const scratch_folder out;
    EXPECT_EQ(run_in_child(all_protocols(), out.path() / "o").status, run_status::ok);
    const auto rows = testing_tools::read_csv(out.path() / "o/requests.csv");
    ASSERT_EQ(rows.size(), 37u + 60 + 28 + 20 + 3);
    unsigned slow = 0;
    for (const auto& row : rows) {
        if (is_power_off_worker(row.at("task"))) continue;
        EXPECT_EQ(row.at("outcome"), "ok") << row.at("name");
        std::int64_t sum = 0;
        for (const hop_info& h : span_table) sum += std::stoll(row.at(std::string(h.name) + "_ps"));
        EXPECT_EQ(sum, std::stoll(row.at("round_trip_ps"))) << row.at("id");
        const bool power = row.at("name") == "POWER_STATE_SET";
        slow += power;
        // Its service time is 300 to 900 us.
        EXPECT_EQ(std::stoll(row.at("service_ps")) >= 300'000'000, power) << row.at("id");
    }
    EXPECT_EQ(slow, 8u);
}

// The caller that the timeout message names is the protocol's function, and genpd leaves out the
// domain whose state it cannot read (scmi_pm_domain_probe); cpufreq then has no policy for the
// domain whose level it cannot read.
TEST(all_protocols, a_domain_that_does_not_answer_is_left_out) {
    const scratch_folder out;
    const scenario::scenario s = all_protocols(
        {"guest.max_rx_timeout=30ms",
         "platform.service=[{message=\"POWER_STATE_GET\",resource=1,never=true},"
         "{message=\"PERFORMANCE_LEVEL_GET\",resource=0,never=true}]",
         "workload.loop=[{context=\"sugov:0\",count=2,calls=[{call=\"perf_level_set\",id=0,"
         "value=500},{call=\"power_on\",id=1}]},{context=\"thermald\",count=2,calls=[{call="
         "\"perf_level_set\",id=1,value=600},{call=\"power_off\",id=0}]}]"});
    EXPECT_EQ(run_in_child(s, out.path() / "o").status, run_status::ok);
    std::string log;
    for (const auto& line : messages_of(out.path() / "o/dmesg.txt")) log += line.text + "\n";
    for (const char* text :
         {"arm-scmi firmware:scmi: timed out in resp(caller: scmi_power_state_get)\n"
          "scmi-power-domain scmi_dev.3: failed to get state for domain 1\n",
          "arm-scmi firmware:scmi: timed out in resp(caller: scmi_perf_level_get)\n"
          "cpufreq: cpufreq_online: ->get() failed\n"}) {
        EXPECT_NE(log.find(text), std::string::npos) << log;
    }
    auto sent = commands_by_task(events_of(out.path() / "o/scmi.ftrace"));
    EXPECT_EQ(sent["sugov:0"], "");  // -ENODEV
    EXPECT_EQ(sent["thermald"], "13:7 11:4 11:5 ");
}

// perf.c MAX_OPPS: with more than 16 levels the list fails where it would overflow and keeps what
// came before; at a level that is not listed, cpufreq_online moves to the next one that is.
TEST(all_protocols, more_than_sixteen_levels_are_not_listed) {
    std::string levels;
    for (int i = 1; i <= 17; ++i) levels += "{level=" + std::to_string(100 * i) + "},";
    const auto run = [&levels](const std::string& start) {
        const scratch_folder out;
        const scenario::scenario s =
            all_protocols({"platform.performance_domain=[{name=\"cpu\",level=" + start +
                               ",levels=[" + levels + "]}]",
                           "workload.loop=[]"});
        EXPECT_EQ(run_in_child(s, out.path() / "o").status, run_status::ok);
        std::string text;
        for (const auto& line : messages_of(out.path() / "o/dmesg.txt")) text += line.text + "\n";
        for (const ftrace_event& e : events_of(out.path() / "o/scmi.ftrace")) {
            if (e.kind != ftrace_kind::msg_dump || e.protocol_id != 0x13 || e.message_id != 7 ||
                e.tag != "CMND") {
                continue;
            }
            text += "level " + std::to_string(scmi::get_u32(e.payload.data(), 8, 4)) + "\n";
        }
        return text;
    };
    const std::string refused = "arm-scmi firmware:scmi: No. of resources can't exceed 16\n";
    const std::string beyond = run("1700");
    EXPECT_NE(beyond.find(refused), std::string::npos) << beyond;
    EXPECT_NE(beyond.find("level 1000\n"), std::string::npos) << beyond;
    const std::string listed = run("300");
    EXPECT_NE(listed.find(refused), std::string::npos) << listed;
    EXPECT_EQ(listed.find("level "), std::string::npos) << listed;
}

// scmi_pd_power: a domain that another agent keeps on does not go off, which is -EIO for genpd
// although every request succeeds.
TEST(all_protocols, a_shared_domain_stays_on) {
    const scratch_folder out;
    const scenario::scenario s =
        all_protocols({"platform.agent=[{name=\"linux\"},{name=\"other\"}]",
                       "workload.loop=[{context=\"thermald\",calls=[{call="
                       "\"power_off\",id=0}]}]"});
    const auto run = run_in_child(s, out.path() / "o");
    EXPECT_EQ(run.status, run_status::ok);
    std::vector<std::uint32_t> states;
    for (const ftrace_event& e : events_of(out.path() / "o/scmi.ftrace")) {
        if (e.kind == ftrace_kind::msg_dump && e.task == "thermald" && e.tag == "CMND") {
            states.push_back(e.message_id);
        }
    }
    EXPECT_EQ(states, (std::vector<std::uint32_t>{4, 5}));
}

// drivers/base/power/domain.c: genpd holds a domain's lock over the set and the check, so two tasks
// take turns at one domain and overlap at two.
TEST(all_protocols, a_power_domain_is_locked_over_both_requests) {
    const auto order = [](const std::string& other) {
        const scratch_folder out;
        // When the boot's own work is done.
        const scenario::scenario s = all_protocols(
            {"hops.host_wake=0s", "hops.service=50us", "platform.service=[]",
             "workload.loop=[{context=\"sugov:0\",start=\"1ms\",calls=[{call=\"power_on\",id=0}]},"
             "{context=\"thermald\",start=\"1ms\",calls=[{call=\"power_on\",id=" +
                 other + "}]}]"});
        EXPECT_EQ(run_in_child(s, out.path() / "o").status, run_status::ok);
        std::string sent;
        for (const ftrace_event& e : events_of(out.path() / "o/scmi.ftrace")) {
            if (e.kind != ftrace_kind::xfer_begin || e.task == "kworker/u2:0") continue;
            if (is_power_off_worker(e.task)) continue;
            sent += std::to_string(e.message_id);
        }
        return sent;
    };
    EXPECT_EQ(order("0"), "4545");
    EXPECT_EQ(order("1"), "4455");
}

}  // namespace
}  // namespace scmi_vp::runs
