// SPDX-License-Identifier: Apache-2.0
// What Linux 6.1 makes of a platform that describes itself badly: lists that end early, ids out of
// range, users whose probe fails, channels that are not there. Each was found by playing random
// faults against the real kernel (scmi-vp validate --seeds).
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_tools::events_of;
using testing_tools::messages_of;
using testing_tools::run_in_child;
using traces::ftrace_event;
using traces::ftrace_kind;

/// `calls` are made once each by one task.
std::string text_of(const std::string& platform, const std::string& calls,
                    const std::string& drivers) {
    return "[sim]\nduration = \"1s\"\n[guest]\nhz = 100\ncosts = \"uml-time-travel\"\ndrivers = [" +
           drivers + "]\n" + platform +
           "[[workload.context]]\nname = \"sh\"\n[[workload.loop]]\ncontext = \"sh\"\n"
           "start = \"20ms\"\nthink = \"1ms\"\ncount = " +
           std::to_string(std::count(calls.begin(), calls.end(), '{')) + "\ncalls = [" + calls +
           "]\n";
}

constexpr const char* kernel_drivers =
    R"("clk-scmi", "scmi-power-domain", "scmi-hwmon", "iio-scmi")";
constexpr const char* with_caller =
    R"("clk-scmi", "scmi-power-domain", "scmi-hwmon", "iio-scmi", "scmi-vp-caller")";

struct played {
    std::string report;
    std::uint64_t errors = 0;
    int last_errno = 0;
    std::vector<std::string> sent;  ///< "15:6 0000000000000000": protocol, message, payload
    std::vector<std::string> log;
};

played play(const std::string& platform, const std::string& calls,
            const std::string& drivers = kernel_drivers) {
    const scratch_folder out;
    run_options options;
    options.out = out.path() / "o";
    played p;
    p.report =
        run_in_child(parse_scenario(text_of(platform, calls, drivers), "s.toml", {}), options)
            .report;
    std::ifstream in(options.out / "summary.json");
    const nlohmann::json task = nlohmann::json::parse(in)["tasks"][0];
    p.errors = task["errors"];
    p.last_errno = task["last_errno"];
    for (const ftrace_event& e : events_of(options.out / "scmi.ftrace")) {
        if (e.kind != ftrace_kind::msg_dump || e.tag != "CMND") continue;
        char text[16];
        std::snprintf(text, sizeof text, "%02x:%x ", e.protocol_id, e.message_id);
        std::string& line = p.sent.emplace_back(text);
        for (const std::uint8_t b : e.payload) {
            std::snprintf(text, sizeof text, "%02x", b);
            line += text;
        }
    }
    for (const traces::log_line& l : messages_of(options.out / "dmesg.txt"))
        p.log.push_back(l.text);
    return p;
}

std::string fault(const std::string& rest) {
    return "[[platform.fault]]\n" + rest + "\n";
}

constexpr const char* two_sensors =
    "[[platform.sensor]]\nname = \"a\"\n[[platform.sensor]]\nname = \"b\"\n"
    "[hops]\nservice = \"50us\"\n";
constexpr const char* read_0 = "{ call = \"sensor_read\", id = 0 }";

auto sends(const std::string& what) {
    return Contains(HasSubstr(what));
}

// hwmon's device is not made, so there is no file to read, whoever else has the protocol.
TEST(confused_platform, a_user_whose_probe_failed_shows_no_files) {
    const played p = play(
        std::string(two_sensors) + fault("kind = \"rewrite\"\nof = \"reply\"\nprotocol = 0x15\n"
                                         "message = 0\ncount = 2\nnew = { status = -1 }"),
        read_0, with_caller);
    EXPECT_EQ(p.last_errno, ENODEV);
    EXPECT_THAT(p.sent, sends("15:3 "));  // the caller has initialised the protocol
    EXPECT_THAT(p.sent, Not(sends("15:6 ")));
}

// scmi_sensor_reading_get: an id that is not below the number of sensors is refused.
TEST(confused_platform, a_sensor_of_an_id_out_of_range_is_not_asked) {
    const played p = play(std::string(two_sensors) +
                              fault("kind = \"corrupt\"\nmessage = \"SENSOR_DESCRIPTION_GET\"\n"
                                    "offset = 12\nxor = [8]"),
                          read_0);
    EXPECT_EQ(p.last_errno, EINVAL);
    EXPECT_THAT(p.sent, Not(sends("15:6 ")));
}

// scmi_hwmon_read_scaled_value asks for the sensor by the id that it gave itself.
TEST(confused_platform, a_file_asks_for_the_id_that_the_sensor_gave_itself) {
    const played p = play(std::string(two_sensors) +
                              fault("kind = \"corrupt\"\nmessage = \"SENSOR_DESCRIPTION_GET\"\n"
                                    "offset = 12\nxor = [1]"),
                          read_0);
    EXPECT_EQ(p.errors, 0u);
    EXPECT_THAT(p.sent, sends("15:6 0100000000000000"));
}

// scmi_sensors_protocol_init makes room for as many as the attributes say; the events have sources,
// and hwmon finds no sensor that it shows (drivers/hwmon/hwmon.c __hwmon_create_attrs).
TEST(confused_platform, sensors_of_a_short_list_stay_blank) {
    const played p = play(std::string(two_sensors) +
                              fault("kind = \"truncate\"\nmessage = \"SENSOR_DESCRIPTION_GET\"\n"
                                    "length = 8"),
                          read_0);
    EXPECT_THAT(p.log, Not(sends("Events Registration Failed")));
    EXPECT_THAT(p.log, sends("scmi-hwmon: probe of scmi_dev.4 failed with error -22"));
    EXPECT_EQ(p.last_errno, ENODEV);
}

TEST(confused_platform, sensors_that_hwmon_does_not_show_fail_its_probe) {
    const played p = play("[[platform.sensor]]\nname = \"fan\"\ntype = 0x13\n", read_0);
    EXPECT_THAT(p.log, sends("failed with error -22"));
    EXPECT_EQ(p.last_errno, ENODEV);
    // The protocol's operation reads it.
    EXPECT_EQ(
        play("[[platform.sensor]]\nname = \"fan\"\ntype = 0x13\n", read_0, with_caller).errors, 0u);
}

// scmi_hwmon_scale: more than 19 powers of ten do not fit.
TEST(confused_platform, a_reading_beyond_what_hwmon_scales_fails_after_it_was_read) {
    const played p =
        play("[[platform.sensor]]\nname = \"watts\"\ntype = 7\nexponent = 15\n", read_0);
    EXPECT_EQ(p.last_errno, E2BIG);
    EXPECT_THAT(p.sent, sends("15:6 "));
}

constexpr const char* one_domain =
    "[[platform.power_domain]]\nname = \"p\"\non = false\n"
    "[[platform.performance_domain]]\nname = \"big\"\nlevels = [{ level = 1 }, { level = 2 }]\n"
    "[[platform.clock]]\nname = \"c\"\nrate = 1000\n[hops]\nservice = \"50us\"\n";

TEST(confused_platform, operations_that_nobody_was_given_are_no_messages) {
    const played p =
        play(std::string(one_domain) + fault("kind = \"rewrite\"\nprotocol = 0x11\nmessage = 0\n"
                                             "new = { status = -1 }"),
             "{ call = \"power_state_get\", id = 0 }", with_caller);
    EXPECT_EQ(p.last_errno, ENODEV);
    EXPECT_THAT(p.sent, Not(sends("11:5 ")));
}

// perf.c scmi_perf_domain_lookup.
TEST(confused_platform, a_performance_domain_out_of_range_is_invalid) {
    const std::string none = fault(
        "kind = \"corrupt\"\nprotocol = 0x13\nmessage = 1\n"
        "offset = 8\nxor = [1]");
    for (const char* call : {"{ call = \"perf_level_get\", id = 0 }",
                             "{ call = \"perf_level_set\", id = 0, value = 1 }",
                             "{ call = \"perf_limits_get\", id = 0 }"}) {
        const played p = play(one_domain + none, call, with_caller);
        EXPECT_EQ(p.last_errno, EINVAL) << call;
        EXPECT_THAT(p.sent, Not(sends("13:8 "))) << call;
    }
}

// drivers/clk/clk.c clk_rate_get shows what scmi_clk_recalc_rate returns: 0 after an error.
TEST(confused_platform, a_rate_that_cannot_be_read_is_0_and_no_error) {
    const std::string refused =
        fault("kind = \"rewrite\"\nmessage = \"CLOCK_RATE_GET\"\nnew = { status = -7 }");
    const played p = play(one_domain + refused, "{ call = \"clock_get_rate\", id = 0 }");
    EXPECT_EQ(p.errors, 0u);
    EXPECT_THAT(p.report, HasSubstr("2 scmi_error"));
}

TEST(confused_platform, a_clock_of_another_name_has_another_file) {
    const std::string renamed =
        fault("kind = \"corrupt\"\nmessage = \"CLOCK_ATTRIBUTES\"\noffset = 12\nxor = [1]");
    EXPECT_EQ(play(one_domain + renamed, "{ call = \"clock_get_rate\", id = 0 }").last_errno,
              ENODEV);
}

std::vector<std::string> of_fast_channels(const played& p) {
    std::vector<std::string> all;
    for (const std::string& s : p.sent) {
        if (s.substr(0, 5) == "13:2 " || s.substr(0, 5) == "13:b ") all.push_back(s);
    }
    return all;
}

// perf.c scmi_perf_domain_init_fc, driver.c scmi_common_fastchannel_init.
TEST(confused_platform, fast_channels_are_asked_for_whatever_the_transport) {
    const std::string claims =
        "[[platform.performance_domain]]\nname = \"big\"\nlevels = [{ level = 1 }]\n"
        "fast_channels = true\n[hops]\nservice = \"50us\"\n";
    const std::string call = "{ call = \"perf_level_get\", id = 0 }";
    const played p = play(claims, call, "\"scmi-cpufreq\"");
    EXPECT_THAT(of_fast_channels(p),
                ElementsAre("13:2 07000000", "13:b 0000000007000000", "13:2 08000000",
                            "13:b 0000000008000000", "13:2 05000000", "13:b 0000000005000000",
                            "13:2 06000000", "13:b 0000000006000000"));
    EXPECT_THAT(p.log, sends("Failed to get FC for protocol 13 [MSG_ID:6 / RES_ID:0] - ret:-95. "
                             "Using regular messaging."));
    EXPECT_EQ(p.errors, 0u);
}

// The domain says so, the messages do not: passed over in silence.
TEST(confused_platform, fast_channels_that_no_message_has_are_not_described) {
    const std::string claims =
        "[[platform.performance_domain]]\nname = \"big\"\nlevels = [{ level = 1 }]\n"
        "[hops]\nservice = \"50us\"\n" +
        fault(
            "kind = \"corrupt\"\nmessage = \"PERFORMANCE_DOMAIN_ATTRIBUTES\"\noffset = 11\n"
            "xor = [8]");
    const played p = play(claims, "{ call = \"perf_level_get\", id = 0 }", "\"scmi-cpufreq\"");
    EXPECT_THAT(of_fast_channels(p),
                ElementsAre("13:2 07000000", "13:2 08000000", "13:2 05000000", "13:2 06000000"));
    EXPECT_THAT(p.log, Not(sends("Failed to get FC")));
}

// sensors.c: whatever is not exactly 1.0 is asked for the update intervals of each sensor.
TEST(confused_platform, a_sensor_protocol_above_1_0_is_probed_as_such) {
    const std::string newer =
        fault("kind = \"corrupt\"\nprotocol = 0x15\nmessage = 0\noffset = 10\nxor = [3]");
    const played p = play(two_sensors + newer, read_0);
    EXPECT_THAT(p.sent, sends("15:8 0000000000000000"));
    EXPECT_THAT(p.sent, sends("15:8 0100000000000000"));
    EXPECT_EQ(p.errors, 0u) << "they are optional";
}

// An axis is described by a message of its own (scmi_sensor_axis_description).
TEST(confused_platform, axes_of_a_sensor_are_asked_for) {
    const std::string axes = fault(
        "kind = \"corrupt\"\nmessage = \"SENSOR_DESCRIPTION_GET\"\noffset = 21\n"
        "xor = [1, 1]");
    const played p = play(two_sensors + axes, read_0);
    EXPECT_THAT(p.sent, sends("15:7 0000000000000000"));
    EXPECT_THAT(p.log, sends("failed with error"));
}

// kernel/trace/ring_buffer.c: the clock is read, which lets the interrupt in, before the event is
// filled; command and reply share a buffer.
TEST(confused_platform, a_command_answered_at_once_is_traced_with_its_reply) {
    const std::string base = "[[platform.sensor]]\nname = \"a\"\n";
    EXPECT_THAT(play(base, read_0).sent, sends("10:6 01000000"));
    EXPECT_THAT(play(base + "[hops]\nservice = \"50us\"\n", read_0).sent, sends("10:6 00000000"));
}

TEST(confused_platform, a_protocol_that_is_listed_and_not_served_is_named) {
    const std::string lists = "[platform]\nprotocols = [0x15, 0x16, 0x90]\n";
    const played p = play(lists + two_sensors, read_0);
    EXPECT_THAT(p.report, HasSubstr("note: platform.protocols lists 0x16 (Reset), which this "
                                    "platform does not serve: every message of it is answered "
                                    "NOT_SUPPORTED"));
    EXPECT_THAT(p.report, HasSubstr("lists 0x90 (vendor)"));
    EXPECT_THAT(play(two_sensors, read_0).report, Not(HasSubstr("note:")));
}

// DEN0056 4.5.3: the agent that causes a change is told of it, too.
TEST(confused_platform, the_guest_is_told_of_what_it_changes) {
    const std::string domain =
        "[[platform.performance_domain]]\nname = \"big\"\nlevels = [{ level = 1 }, { level = 2 }]\n"
        "level_notifications = true\n[hops]\nservice = \"50us\"\n";
    const scratch_folder out;
    run_in_child(
        parse_scenario(
            text_of(domain,
                    "{ call = \"notify_register\", event = \"perf_level_changed\", id = 0 }, "
                    "{ call = \"perf_level_set\", id = 0, value = 2 }",
                    with_caller),
            "s.toml", {}),
        out.path() / "o");
    std::vector<std::uint8_t> told;
    for (const ftrace_event& e : events_of(out.path() / "o/scmi.ftrace")) {
        if (e.kind == ftrace_kind::msg_dump && e.tag == "NOTI") told = e.payload;
    }
    EXPECT_THAT(told, ElementsAre(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0));
}

}  // namespace
}  // namespace scmi_vp::runs
