// SPDX-License-Identifier: Apache-2.0
// What a device tree does to a run: when the timeout fires, which messages are sent, which of them
// poll, what the kernel says (drivers/firmware/arm_scmi/driver.c scmi_probe, v6.1 and v6.12).
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/device_tree_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::firmware_tree;
using scenario::testing_tools::scratch_folder;
using scenario::testing_tools::tree_maker;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_tools::contents;
using testing_tools::events_of;
using testing_tools::run_in_child;

const std::string parts = R"(
[guest]
device_tree = "t.dtb"
drivers = ["clk-scmi", "scmi-hwmon"]
[platform]
clock_version = 0x20000
[[platform.clock]]
name = "c"
rate = 100
enabled = false
enable_delay = "10ms"
[[platform.sensor]]
name = "s"
[[workload.context]]
name = "sh"
)";

/// A scenario beside a tree, run.
struct tree_run {
    tree_run(const std::string& tree, const std::string& text, std::vector<std::string> set = {}) {
        folder.write("t.dtb", tree);
        const auto path = folder.write("s.toml", text);
        run_options o;
        o.out = folder.path() / "o";
        const auto done = run_in_child(load_scenario(path, set), o);
        status = done.status;
        report = done.report;
    }
    std::string log() const { return folder.read("o/dmesg.txt"); }
    /// Of every message that was sent.
    std::vector<traces::ftrace_event> begun() const {
        std::vector<traces::ftrace_event> all;
        for (traces::ftrace_event& e : events_of(folder.path() / "o/scmi.ftrace")) {
            if (e.kind == traces::ftrace_kind::xfer_begin) all.push_back(std::move(e));
        }
        return all;
    }
    bool asks(std::uint8_t protocol) const {
        const auto all = begun();
        return std::any_of(all.begin(), all.end(), [protocol](const traces::ftrace_event& e) {
            return e.protocol_id == protocol;
        });
    }
    nlohmann::json summary() const { return nlohmann::json::parse(folder.read("o/summary.json")); }

    scratch_folder folder;
    run_status status = run_status::ok;
    std::string report;
};

void both_protocols(tree_maker& t) {
    t.protocol("protocol@14", 0x14).protocol("protocol@15", 0x15);
}

// --- arm,max-rx-timeout-ms ----------------------------------------------------------------------

struct timeout_case {
    const char* name;
    const char* profile;
    std::function<void(tree_maker&)> property;
    std::vector<std::string> set;
    const char* line;  ///< about it; empty: none
    const char* at;    ///< when the Base protocol's first message is given up
    const char* from;  ///< in the run's header
};

class rx_timeouts : public testing::TestWithParam<timeout_case> {};

// HZ 250: 5 s are 1250 jiffies, in a wheel level of 64 ms steps; 60 s in one of 512 ms.
TEST_P(rx_timeouts, the_first_request_is_given_up_at) {
    const timeout_case& p = GetParam();
    std::vector<std::string> set{"hops.service=\"70s\"", "guest.profile=" + std::string(p.profile)};
    set.insert(set.end(), p.set.begin(), p.set.end());
    const tree_run run(firmware_tree([&](tree_maker& t) {
                           p.property(t);
                           both_protocols(t);
                       }),
                       parts, set);
    EXPECT_EQ(run.status, run_status::no_probe);
    EXPECT_THAT(run.log(), HasSubstr(std::string(p.at) + "] arm-scmi "));
    EXPECT_THAT(run.log(), HasSubstr(std::string(p.at) + "] arm-scmi " +
                                     (std::string(p.profile) == "linux-6.1" ? "firmware:scmi"
                                                                            : "arm-scmi.0.auto") +
                                     ": timed out in resp(caller: "));
    if (*p.line) {
        EXPECT_THAT(run.log(), HasSubstr(std::string("arm-scmi.0.auto: ") + p.line + "\n"));
    } else {
        EXPECT_THAT(run.log(), Not(HasSubstr("max-rx-timeout")));
    }
    EXPECT_THAT(run.report, HasSubstr(p.from));
}

void five_seconds(tree_maker& t) {
    t.cell("arm,max-rx-timeout-ms", 5000);
}

const timeout_case timeouts[] = {
    {"read_by_612",
     "linux-6.12",
     five_seconds,
     {},
     "SCMI max-rx-timeout: 5000ms",
     "    5.088000",
     "\n  rx timeout 5s: device tree "},
    {"not_read_by_61",
     "linux-6.1",
     five_seconds,
     {},
     "",
     "   60.384000",
     "\n  rx timeout 60s: profile linux-6.1\n"},
    {"a_key_wins",
     "linux-6.12",
     five_seconds,
     {"guest.max_rx_timeout=30ms"},
     "SCMI max-rx-timeout: 30ms",
     "    0.036000",
     "\n  rx timeout 30ms: guest.max_rx_timeout, not the tree's 5s\n"},
    {"absent",
     "linux-6.12",
     [](tree_maker&) {},
     {},
     "SCMI max-rx-timeout: 60000ms",
     "   60.384000",
     "\n  rx timeout 60s: profile linux-6.12\n"},
    {"zero_is_the_next_tick",
     "linux-6.12",
     [](tree_maker& t) { t.cell("arm,max-rx-timeout-ms", 0); },
     {},
     "SCMI max-rx-timeout: 0ms",
     "    0.004000",
     "\n  rx timeout 0"},
    {"malformed",
     "linux-6.12",
     [](tree_maker& t) { t.raw("arm,max-rx-timeout-ms", "\1"); },
     {},
     "Malformed arm,max-rx-timeout-ms DT property.",
     "   60.384000",
     "\n  rx timeout 60s: profile linux-6.12\n"},
    {"the_first_of_two_cells",
     "linux-6.12",
     [](tree_maker& t) { t.raw("arm,max-rx-timeout-ms", std::string("\0\0\x13\x88\0\0\0\1", 8)); },
     {},
     "SCMI max-rx-timeout: 5000ms",
     "    5.088000",
     "note: arm,max-rx-timeout-ms has 8 bytes instead of 4: the driver takes the first four, 5000"},
};
INSTANTIATE_TEST_SUITE_P(device_tree_run, rx_timeouts, testing::ValuesIn(timeouts),
                         [](const auto& i) { return std::string(i.param.name); });

// --- atomic-threshold-us ------------------------------------------------------------------------

struct threshold_case {
    const char* name;
    const char* profile;
    std::optional<std::uint32_t> us;
    std::vector<std::string> set;
    const char* line;
    bool polls;
};

class thresholds : public testing::TestWithParam<threshold_case> {};

// clk-scmi.c scmi_clocks_probe(): atomic when the latency is at most the threshold.
TEST_P(thresholds, a_clock_is_enabled_by_polling) {
    const threshold_case& p = GetParam();
    std::vector<std::string> set{"guest.atomic=true", "guest.profile=" + std::string(p.profile)};
    set.insert(set.end(), p.set.begin(), p.set.end());
    const tree_run run(firmware_tree([&](tree_maker& t) {
                           if (p.us) t.cell("atomic-threshold-us", *p.us);
                           both_protocols(t);
                       }),
                       parts + "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"clock_enable\"\n",
                       set);
    EXPECT_EQ(run.status, run_status::ok) << run.report;
    const auto all = run.begun();
    EXPECT_EQ(all.back().message_id, 7);
    EXPECT_EQ(all.back().poll != 0, p.polls);
    const std::string line = "SCMI System wide atomic threshold set to ";
    if (*p.line) {
        EXPECT_THAT(run.log(), HasSubstr(line + p.line + " us\n"));
    } else {
        EXPECT_THAT(run.log(), Not(HasSubstr(line)));
    }
}

const threshold_case threshold_cases[] = {
    {"enough", "linux-6.1", 20000, {}, "20000", true},
    {"enough_for_612", "linux-6.12", 20000, {}, "20000", true},
    {"just_enough", "linux-6.1", 10000, {}, "10000", true},
    {"too_little", "linux-6.1", 9999, {}, "9999", false},
    {"zero_is_said", "linux-6.1", 0, {}, "0", false},
    {"absent", "linux-6.1", {}, {}, "", false},
    {"a_key_wins", "linux-6.1", 20000, {"guest.atomic_threshold=1ms"}, "1000", false},
    {"a_key_alone", "linux-6.1", {}, {"guest.atomic_threshold=10ms"}, "10000", true},
    {"a_key_of_none", "linux-6.1", 20000, {"guest.atomic_threshold=0s"}, "", false},
    {"transport_not_atomic", "linux-6.1", 20000, {"guest.atomic=false"}, "20000", false},
};
INSTANTIATE_TEST_SUITE_P(device_tree_run, thresholds, testing::ValuesIn(threshold_cases),
                         [](const auto& i) { return std::string(i.param.name); });

// Up to 6.11 the probe begins twice, and reads the threshold each time before it finds no device.
TEST(device_tree_run, the_threshold_is_said_by_each_probe) {
    const auto tree = firmware_tree([](tree_maker& t) {
        t.cell("atomic-threshold-us", 7).cell("arm,max-rx-timeout-ms", 50);
        both_protocols(t);
    });
    const std::string threshold = ": SCMI System wide atomic threshold set to 7 us\n";
    const std::string old = "[    0.000000] arm-scmi firmware:scmi";
    EXPECT_EQ(tree_run(tree, parts, {"guest.profile=linux-6.1"})
                  .log()
                  .rfind(old + threshold + old +
                             ": Deferring probe after not finding a bound scmi-virtio device\n" +
                             old + threshold + old + ": SCMI Notifications - Core Enabled.\n",
                         0),
              0u);
    const std::string now = "[    0.000000] arm-scmi arm-scmi.0.auto";
    EXPECT_EQ(
        tree_run(tree, parts, {"guest.profile=linux-6.12"})
            .log()
            .rfind(now + ": Using scmi_virtio_transport\n" + now + ": SCMI max-rx-timeout: 50ms\n" +
                       now + threshold + now + ": SCMI Notifications - Core Enabled.\n",
                   0),
        0u);
}

// --- nodes --------------------------------------------------------------------------------------

TEST(device_tree_run, a_protocol_that_is_disabled_is_not_probed) {
    const tree_run run(firmware_tree([](tree_maker& t) {
                           t.protocol("protocol@14", 0x14);
                           t.protocol("protocol@15", 0x15, "disabled");
                           t.protocol("protocol@16", 0x16, "disabled");
                       }),
                       parts);
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_TRUE(run.asks(0x14));
    EXPECT_FALSE(run.asks(0x15));
    EXPECT_THAT(run.log(), Not(HasSubstr("not implemented")));
    EXPECT_THAT(run.report, HasSubstr("\n  note: the driver passes over protocol@15: its status is "
                                      "\"disabled\"\n"));
    const std::string call = "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"sensor_read\"\n";
    EXPECT_EQ(scenario::testing_tools::error_of(
                  [&] { load_scenario(run.folder.write("c.toml", parts + call), {}); }),
              (run.folder.path() / "c.toml").string() +
                  ":18:8: workload.sequence.0.call: sensor_read needs the Sensor protocol in the "
                  "guest's device tree, where the status of its node is not \"okay\"");
}

TEST(device_tree_run, a_disabled_scmi_node_is_no_device) {
    const std::string call = "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"sensor_read\"\n";
    for (const char* profile : {"linux-6.1", "linux-6.12"}) {
        const tree_run run(firmware_tree([](tree_maker& t) {
                               t.text("status", "disabled").cell("atomic-threshold-us", 9);
                               both_protocols(t);
                           }),
                           parts + call, {"guest.profile=" + std::string(profile)});
        EXPECT_EQ(run.status, run_status::no_probe);
        EXPECT_EQ(run.log(), "");
        EXPECT_THAT(run.begun(), IsEmpty());
        EXPECT_THAT(run.report, HasSubstr("\n  note: Linux makes no device of /firmware/scmi: its "
                                          "status is \"disabled\"\n"));
        EXPECT_THAT(run.report, HasSubstr("\nThe device tree has no SCMI device, so nothing was "
                                          "probed and the workload did not run.\n"));
    }
}

// The platform has a clock and a sensor; a tree without them leaves Base.
TEST(device_tree_run, a_tree_without_protocols_has_base_only) {
    const tree_run run(firmware_tree([](tree_maker&) {}), parts);
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_TRUE(run.asks(0x10));
    EXPECT_FALSE(run.asks(0x14));
}

TEST(device_tree_run, nodes_of_any_name_count_and_those_out_of_range_are_said_twice) {
    const tree_run run(firmware_tree([](tree_maker& t) {
                           t.protocol("too-high", 0x100).protocol("clocks", 0x14);
                           t.protocol("low", 3).protocol("highest", 0xffffffff);
                           t.begin("protocol@15").end();
                       }),
                       parts);
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_TRUE(run.asks(0x14));
    EXPECT_FALSE(run.asks(0x15));
    const std::string at = "[    0.000000] arm-scmi firmware:scmi: ";
    EXPECT_THAT(run.log(),
                HasSubstr(at + "Out of range protocol 256\n" + at + "Out of range protocol -1\n" +
                          at + "SCMI Notifications - Core Enabled.\n"));
    const std::string after = run.log().substr(run.log().find("SCMI Protocol v"));
    EXPECT_THAT(after,
                HasSubstr(at + "Out of range protocol 256\n" + at +
                          "SCMI protocol 3 not implemented\n" + at + "Out of range protocol -1\n"));
}

// scmi_channels_setup(): the second idr_alloc() of a protocol, or of Base, finds its slot taken.
TEST(device_tree_run, a_protocol_that_comes_twice_fails_the_probe) {
    const auto twice = firmware_tree([](tree_maker& t) {
        both_protocols(t);
        t.protocol("again", 0x14);
    });
    const auto base = firmware_tree([](tree_maker& t) { t.protocol("base", 0x10); });
    const std::string old = "[    0.000000] arm-scmi firmware:scmi: ",
                      now = "[    0.000000] arm-scmi arm-scmi.0.auto: ";
    for (const std::string& tree : {twice, base}) {
        const tree_run run(tree, parts);
        EXPECT_EQ(run.status, run_status::no_probe);
        EXPECT_THAT(run.begun(), IsEmpty());
        EXPECT_EQ(run.log(), old +
                                 "Deferring probe after not finding a bound scmi-virtio device\n" +
                                 old + "unable to allocate SCMI idr slot err -28\n");
    }
    EXPECT_EQ(tree_run(twice, parts, {"guest.profile=linux-6.12"}).log(),
              now + "Using scmi_virtio_transport\n" + now + "SCMI max-rx-timeout: 60000ms\n" + now +
                  "unable to allocate SCMI idr slot err -28\n" + now +
                  "failed to setup channel for protocol:0x14\n" + now +
                  "error -28: failed to setup channels\n" + now +
                  "probe with driver arm-scmi failed with error -28\n");
}

TEST(device_tree_run, the_chosen_node_of_several_is_probed) {
    tree_maker t;
    t.begin("firmware");
    t.scmi("a", "arm,scmi-virtio", [](tree_maker& n) { n.protocol("protocol@14", 0x14); });
    t.scmi("b", "arm,scmi-virtio", [](tree_maker& n) { n.protocol("protocol@15", 0x15); });
    const tree_run run(t.end().bytes(), parts, {"guest.scmi_node=b"});
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_FALSE(run.asks(0x14));
    EXPECT_TRUE(run.asks(0x15));
    EXPECT_THAT(run.log(), HasSubstr("arm-scmi firmware:b: SCMI Protocol v"));
}

// --- what a run says ----------------------------------------------------------------------------

TEST(device_tree_run, the_run_says_where_each_value_came_from) {
    const auto tree = firmware_tree([](tree_maker& t) {
        five_seconds(t);
        t.cell("arm,max-msg", 10).cell("arm,max-msg-size", 256).raw("arm,no-completion-irq", "");
        t.cell("arm,unheard-of", 1).cell("atomic-threshold-us", 30);
        both_protocols(t);
    });
    const tree_run old(tree, parts);
    const std::string file = (old.folder.path() / "t.dtb").string();
    EXPECT_THAT(old.report,
                HasSubstr("\ndevice tree " + file +
                          ", /firmware/scmi: protocols 0x14, 0x15\n"
                          "  rx timeout 60s: profile linux-6.1\n"
                          "  atomic threshold 30us: device tree " +
                          file +
                          " atomic-threshold-us\n"
                          "  note: linux-6.1 does not read arm,max-rx-timeout-ms, arm,max-msg, "
                          "arm,max-msg-size, arm,no-completion-irq, arm,unheard-of\n\n"));
    const tree_run now(tree, parts, {"guest.profile=linux-6.12"});
    EXPECT_THAT(now.report, HasSubstr("  note: linux-6.12 does not read arm,max-msg, "
                                      "arm,max-msg-size, arm,no-completion-irq, arm,unheard-of\n"));
    const nlohmann::json j = now.summary()["device_tree"];
    EXPECT_EQ(j["node"], "/firmware/scmi");
    EXPECT_EQ(j["values"][0]["rx_timeout_ps"], seconds(5).ps);
    EXPECT_EQ(j["values"][0]["from"],
              "device tree " + (now.folder.path() / "t.dtb").string() + " arm,max-rx-timeout-ms");
    EXPECT_EQ(j["values"][1]["atomic_threshold_ps"], microseconds(30).ps);
    EXPECT_EQ(j["notes"].size(), 1u);
}

TEST(device_tree_run, without_a_tree_nothing_is_said) {
    const tree_run run("", parts, {"guest.device_tree=\"\""});
    EXPECT_EQ(run.status, run_status::ok);
    EXPECT_THAT(run.report, Not(HasSubstr("device tree")));
    EXPECT_FALSE(run.summary().contains("device_tree"));
    EXPECT_FALSE(run.summary().contains("notes"));
}

// virtio 1.3 section 5.17.6.1: no event queue, no delayed responses.
TEST(device_tree_run, an_asynchronous_sensor_without_an_event_queue_is_said) {
    const std::string text =
        "[platform]\nsensor_max_async = 1\n[[platform.sensor]]\nname = \"slow\"\nasync = true\n";
    const tree_run without("", text, {"device.p2a_channels=false"});
    const std::string note =
        "sensor 'slow' has async = true and is read synchronously all the same: "
        "device.p2a_channels is false, and delayed responses need it";
    EXPECT_THAT(without.report, HasSubstr("\nnote: " + note + "\n\n"));
    EXPECT_EQ(without.summary()["notes"], nlohmann::json::array({note}));
    EXPECT_THAT(tree_run("", text).report, Not(HasSubstr("note: ")));
    const tree_run clock("", text, {"device.p2a_channels=false", "platform.clock_max_async=2"});
    EXPECT_THAT(clock.report, HasSubstr("note: platform.clock_max_async has no effect: "));
}

}  // namespace
}  // namespace scmi_vp::runs
