// SPDX-License-Identifier: Apache-2.0
// What a scenario's text becomes; overrides; platform files; relative paths.
#include "scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing::ElementsAre;
using testing_tools::error_of;
using testing_tools::scenario_error;
using testing_tools::scratch_folder;

// The defaults of models/config.h and those that the schema documents must be the same.
TEST(scenario, an_empty_file_is_the_default_system) {
    const scenario s = parse_scenario("", "s.toml");
    const models::system_config d;
    EXPECT_EQ(s.system.seed, d.seed);
    EXPECT_EQ(s.system.duration, d.duration);
    EXPECT_EQ(s.system.quantum, d.quantum);
    EXPECT_EQ(s.system.use_dmi, d.use_dmi);
    EXPECT_EQ(s.system.guest.profile.name, "linux-6.1");
    EXPECT_EQ(s.system.guest.profile.max_rx_timeout, seconds(60));
    EXPECT_EQ(s.system.guest.hz, d.guest.hz);
    EXPECT_EQ(s.system.guest.tick_phase, d.guest.tick_phase);
    EXPECT_EQ(s.system.guest.cpus, d.guest.cpus);
    EXPECT_EQ(s.system.guest.irq_cpu, d.guest.irq_cpu);
    EXPECT_EQ(s.system.guest.memory_bytes, d.guest.memory_bytes);
    EXPECT_EQ(s.system.guest.ftrace, d.guest.ftrace);
    EXPECT_EQ(s.system.guest.probe_context.name, d.guest.probe_context.name);
    EXPECT_EQ(s.system.guest.probe_context.pid, d.guest.probe_context.pid);
    EXPECT_EQ(s.system.guest.drivers, d.guest.drivers);
    EXPECT_EQ(s.system.guest.costs.clock_read, d.guest.costs.clock_read);
    EXPECT_EQ(s.system.device.cmdq_size, d.device.cmdq_size);
    EXPECT_EQ(s.system.device.eventq_size, d.device.eventq_size);
    EXPECT_EQ(s.system.device.p2a_channels, d.device.p2a_channels);
    EXPECT_EQ(s.system.device.event_idx, d.device.event_idx);
    EXPECT_EQ(s.system.device.indirect_desc, d.device.indirect_desc);
    EXPECT_EQ(s.system.device.mmio_base, d.device.mmio_base);
    EXPECT_EQ(s.system.device.irq, d.device.irq);
    EXPECT_EQ(s.system.platform.workers, d.platform.workers);
    const scmi::platform_description& p = s.system.platform.description;
    EXPECT_EQ(p.base_version, d.platform.description.base_version);
    EXPECT_EQ(p.clock_version, d.platform.description.clock_version);
    EXPECT_EQ(p.sensor_version, d.platform.description.sensor_version);
    EXPECT_EQ(p.vendor, d.platform.description.vendor);
    EXPECT_EQ(p.platform_name, d.platform.description.platform_name);
    EXPECT_EQ(p.unknown_message, d.platform.description.unknown_message);
    ASSERT_EQ(p.agents.size(), 1u);
    EXPECT_EQ(p.agents[0].name, "OSPM");
    for (const distribution_ptr& h : s.system.hops) EXPECT_EQ(h, nullptr);
    EXPECT_EQ(s.output.ftrace, output_options().ftrace);
    EXPECT_EQ(s.output.registers, output_options().registers);
    EXPECT_EQ(s.output.vcd.xfers, output_options().vcd.xfers);
    EXPECT_EQ(s.title, "s");
}

TEST(scenario, values_arrive) {
    const scenario s = parse_scenario(R"(
[scenario]
title = "t"
[sim]
seed = 7
duration = "90s"
[guest]
costs = "uml-time-travel"
cost.mmio_read = "2us"
max_rx_timeout = "30ms"
memory = "2GiB"
[platform]
clock_version = 0x20000
workers = "unlimited"
delayed_work = "1ms"
[hops]
service = "50us"
[[platform.clock]]
name = "a"
rate = 5
rates = { lowest = 1, highest = 9, step = 2 }
enable_delay = "1.5ms"
[[platform.clock]]
name = "b"
rate = 6
[[platform.sensor]]
name = "t"
reading = -40
)",
                                      "s.toml");
    EXPECT_EQ(s.system.title, "t");
    EXPECT_EQ(s.system.seed, 7u);
    EXPECT_EQ(s.system.duration, seconds(90));
    EXPECT_EQ(s.system.guest.costs.clock_read, nanoseconds(256));  // from the preset
    EXPECT_EQ(s.system.guest.costs.mmio_read, microseconds(2));    // on top of it
    EXPECT_EQ(s.system.guest.profile.max_rx_timeout, milliseconds(30));
    EXPECT_EQ(s.system.guest.memory_bytes, 2ull << 30);
    EXPECT_EQ(s.system.platform.workers, 0u);
    EXPECT_EQ(*s.system.platform.delayed_work->constant(), milliseconds(1));
    EXPECT_EQ(*s.system.hops[std::size_t(hop::service)]->constant(), microseconds(50));
    const scmi::platform_description& p = s.system.platform.description;
    ASSERT_EQ(p.clocks.size(), 2u);
    EXPECT_TRUE(p.clocks[0].rates.triplet);
    EXPECT_THAT(p.clocks[0].rates.list, ElementsAre(1, 9, 2));
    EXPECT_EQ(p.clocks[0].enable_delay_us, 1500u);
    EXPECT_FALSE(p.clocks[1].rates.triplet);
    EXPECT_THAT(p.clocks[1].rates.list, ElementsAre(6));  // a clock of one rate
    EXPECT_EQ(p.sensors[0].delayed_reading, -40);         // like its reading
    EXPECT_THAT(p.protocols, ElementsAre(0x14, 0x15));    // what there is
    EXPECT_THAT(s.system.guest.device_tree.protocols, ElementsAre(0x14, 0x15));
}

TEST(scenario, is_named_after_its_file_or_folder) {
    EXPECT_EQ(parse_scenario("", "a/probe.toml").title, "probe");
    EXPECT_EQ(parse_scenario("", "a/probe/scenario.toml").title, "probe");
}

TEST(scenario, service_rules_name_messages) {
    const scenario s = parse_scenario(R"(
[[platform.sensor]]
name = "t"
[[platform.service]]
protocol = "sensor"
message = "SENSOR_READING_GET"
resource = 0
latency = "70s"
[[platform.service]]
message = "CLOCK_RATE_GET"
never = true
[[platform.service]]
message = "PROTOCOL_VERSION"
latency = "1ms"
[[platform.service]]
protocol = 0x80
message = 9
latency = "1ms"
)",
                                      "s.toml");
    const auto& rules = s.system.platform.service;
    ASSERT_EQ(rules.size(), 4u);
    EXPECT_EQ(rules[0].protocol_id, 0x15);
    EXPECT_EQ(rules[0].message_id, 6);
    EXPECT_EQ(rules[0].resource, 0);
    EXPECT_EQ(*rules[0].latency->constant(), seconds(70));
    EXPECT_EQ(rules[1].protocol_id, 0x14);  // only one protocol has that name
    EXPECT_EQ(rules[1].message_id, 6);
    EXPECT_TRUE(rules[1].never);
    EXPECT_EQ(rules[1].latency, nullptr);
    EXPECT_EQ(rules[2].protocol_id, std::nullopt);  // every protocol has it, as message 0
    EXPECT_EQ(rules[2].message_id, 0);
    EXPECT_EQ(rules[3].protocol_id, 0x80);
    EXPECT_EQ(rules[3].message_id, 9);
}

TEST(scenario, loops_and_contexts) {
    const scenario s = parse_scenario(R"(
guest.cpus = 2
platform.sensor = [ { name = "t" } ]
workload.context = [ { name = "a" }, { name = "b", pid = 7, cpu = 1 } ]
[[workload.loop]]
context = "b"
count = 0
think = { kind = "exponential", mean = "1ms" }
start = "2ms"
calls = [ { call = "sensor_read" }, { call = "base_version" } ]
)",
                                      "s.toml");
    const models::guest_config& g = s.system.guest;
    EXPECT_EQ(g.contexts[0].pid, 100);
    EXPECT_EQ(g.contexts[1].pid, 7);
    EXPECT_EQ(g.contexts[1].cpu, 1u);
    ASSERT_EQ(g.loops.size(), 1u);
    EXPECT_EQ(g.loops[0].count, 0u);
    EXPECT_EQ(g.loops[0].start, milliseconds(2));
    EXPECT_EQ(g.loops[0].think->constant(), nullptr);
    ASSERT_EQ(g.loops[0].calls.size(), 2u);
    EXPECT_EQ(g.loops[0].calls[1].row, models::call_named("base_version"));
}

// models/config.h: open_arrivals, call_loop::lock, host_pause, host_slot, fault_config.
TEST(scenario, open_workloads_and_the_host) {
    const scenario s = parse_scenario(R"(
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.context]]
name = "c"
[[workload.loop]]
context = "c"
lock = "clk"
calls = [ { call = "base_version" } ]
[[workload.open]]
contexts = ["a", "b"]
interarrival = { kind = "exponential", mean = "1ms" }
count = 7
start = "2s"
lock = "clk"
calls = [ { call = "base_version" } ]
[[platform.pause]]
every = "20s"
length = { kind = "uniform", low = "100ms", high = "500ms" }
[[platform.pause]]
every = "90s"
length = "2.5s"
count = 1
[platform.slot]
period = "10ms"
length = "2ms"
phase = "1ms"
[[platform.loss]]
probability = 1e-5
from = "3s"
)",
                                      "s.toml");
    const models::guest_config& g = s.system.guest;
    EXPECT_EQ(g.loops.at(0).lock, "clk");
    ASSERT_EQ(g.open.size(), 1u);
    EXPECT_THAT(g.open[0].contexts, ElementsAre("a", "b"));
    EXPECT_EQ(g.open[0].calls.size(), 1u);
    EXPECT_EQ(g.open[0].count, 7u);
    EXPECT_EQ(g.open[0].start, seconds(2));
    EXPECT_EQ(g.open[0].lock, "clk");
    EXPECT_NEAR(g.open[0].interarrival->cdf(milliseconds(1)), 0.632, 0.001);
    const models::platform_config& p = s.system.platform;
    ASSERT_EQ(p.pauses.size(), 2u);
    EXPECT_EQ(p.pauses[0].count, 0u);
    EXPECT_EQ(p.pauses[1].count, 1u);
    EXPECT_EQ(*p.pauses[1].length->constant(), milliseconds(2500));
    EXPECT_EQ(p.slot.period, milliseconds(10));
    EXPECT_EQ(p.slot.slot, milliseconds(2));
    EXPECT_EQ(p.slot.phase, milliseconds(1));
    ASSERT_EQ(p.faults.size(), 1u);
    EXPECT_EQ(p.faults[0].probability, 1e-5);
    EXPECT_EQ(p.faults[0].from, seconds(3));
    EXPECT_EQ(p.faults[0].to, sim_time::max());
}

TEST(overrides, replace_what_the_file_says) {
    const std::string text = "[guest]\nhz = 100\n[[platform.sensor]]\nname = \"t\"\nreading = 1\n";
    const scenario s = parse_scenario(
        text, "s.toml",
        {"guest.hz=1000", "guest.hz = 300", "hops.service=50us", "platform.sensor.0.reading=5",
         "guest.profile=linux-6.12", "scenario.title=\"two words\"",
         "hops.notify={ kind = \"uniform\", low = \"1us\", high = \"2us\" }"});
    EXPECT_EQ(s.system.guest.hz, 300u);  // the last one counts
    EXPECT_EQ(*s.system.hops[std::size_t(hop::service)]->constant(), microseconds(50));
    EXPECT_EQ(s.system.platform.description.sensors[0].reading, 5);
    EXPECT_EQ(s.system.guest.profile.name, "linux-6.12");
    EXPECT_EQ(s.title, "two words");
    EXPECT_EQ(s.system.hops[std::size_t(hop::notify)]->constant(), nullptr);
}

TEST(overrides, a_list_is_replaced_whole) {
    const std::string text = "[[platform.sensor]]\nname = \"t\"\nreading = 1\n";
    const scenario s = parse_scenario(
        text, "s.toml",
        {"platform.sensor=[{name=\"u\"},{name=\"v\"}]", "platform.sensor.1.reading=3"});
    ASSERT_EQ(s.system.platform.description.sensors.size(), 2u);
    EXPECT_EQ(s.system.platform.description.sensors[0].name, "u");
    EXPECT_EQ(s.system.platform.description.sensors[0].reading, 0);
    EXPECT_EQ(s.system.platform.description.sensors[1].reading, 3);
    EXPECT_TRUE(parse_scenario(text, "s.toml", {"platform.sensor=[]"})
                    .system.platform.description.sensors.empty());
}

TEST(overrides, errors_name_the_option) {
    const std::string text = "[[platform.sensor]]\nname = \"t\"\n";
    const auto error_with = [&](const std::string& o) { return scenario_error(text, {o}); };
    EXPECT_EQ(error_with("guest.hzz=1"),
              "--set guest.hzz=1: unknown key guest.hzz, did you mean guest.hz?");
    EXPECT_EQ(error_with("guest.hz=0"), "--set guest.hz=0: guest.hz: 0 is out of range: 1..10000");
    EXPECT_EQ(error_with("guest.hz"),
              "--set guest.hz: has no value: write --set key=value, for example --set "
              "guest.hz=1000");
    EXPECT_EQ(error_with("=1"), "--set =1: '' is not a key like guest.hz");
    EXPECT_EQ(error_with("guest.=1"), "--set guest.=1: 'guest.' is not a key like guest.hz");
    EXPECT_EQ(error_with("guest..hz=1"),
              "--set guest..hz=1: 'guest..hz' is not a key like guest.hz");
    EXPECT_EQ(error_with("sim.duration=3"),
              "--set sim.duration=3: sim.duration: 3 has no unit: write a time like \"30ms\" "
              "(ps, ns, us, ms, s, min, h)");
    EXPECT_EQ(error_with("platform.sensor.1.reading=5"),
              "--set platform.sensor.1.reading=5: platform.sensor has 1 elements, 0..0");
    EXPECT_EQ(error_with("platform.clock.0.rate=5"),
              "--set platform.clock.0.rate=5: platform.clock has 0 elements");
    EXPECT_EQ(error_with("platform.sensor.reading=5"),
              "--set platform.sensor.reading=5: platform.sensor is a list: write "
              "platform.sensor.0.reading");
    EXPECT_EQ(error_with("platform.sensor.0={}"),
              "--set platform.sensor.0={}: platform.sensor.0 is an element of a list: name one of "
              "its keys (platform.sensor.0.KEY=VALUE)");
    EXPECT_EQ(error_with("hops.service={ kind = "),
              "--set hops.service={ kind = : Error while parsing key-value pair: encountered "
              "end-of-file");
    // More TOML behind the value would be a way round the key's check.
    EXPECT_NE(error_with("guest.hz=1\nw=2"), "no error");
}

TEST(platform_file, is_relative_to_the_scenario_and_below_it) {
    const scratch_folder folder;
    std::filesystem::create_directory(folder.path() / "p");
    folder.write("p/p.toml",
                 "vendor = \"file\"\nsub_vendor = \"file\"\ndelayed_work = { kind = \"recorded\", "
                 "file = \"times.txt\" }\n[[sensor]]\nname = \"a\"\n[[sensor]]\nname = \"b\"\n");
    folder.write("p/times.txt", "3us\n");
    const auto path =
        folder.write("s.toml", "[platform]\nfile = \"p/p.toml\"\nvendor = \"scenario\"\n");
    const scenario s = read_scenario(path, {"platform.sensor.1.reading=9"});
    EXPECT_EQ(s.system.platform.description.vendor, "scenario");
    EXPECT_EQ(s.system.platform.description.sub_vendor, "file");
    ASSERT_EQ(s.system.platform.description.sensors.size(), 2u);
    EXPECT_EQ(s.system.platform.description.sensors[1].reading, 9);
    EXPECT_THAT(s.inputs,
                ElementsAre(path, folder.path() / "p/p.toml", folder.path() / "p/times.txt"));
}

TEST(platform_file, its_errors_name_it) {
    const scratch_folder folder;
    const auto path = folder.write("s.toml", "[platform]\nfile = \"p.toml\"\n");
    const auto error_with = [&](const std::string& text) {
        folder.write("p.toml", text);
        return error_of([&] { read_scenario(path, {}); });
    };
    const std::string p = (folder.path() / "p.toml").string();
    EXPECT_EQ(error_with("vendr = \"x\"\n"),
              p + ":1:1: unknown key platform.vendr, did you mean platform.vendor?");
    EXPECT_EQ(error_with("\nworkers = 0\n"),
              p + ":2:11: platform.workers: 0 is out of range: 1..1024");
    EXPECT_EQ(error_with("file = \"q.toml\"\n"),
              p + ":1:8: platform.file: a platform's file cannot name another one");
    EXPECT_EQ(error_of([&] { read_scenario(path, {"platform.file=none.toml"}); }),
              "--set platform.file=none.toml: platform.file: cannot read none.toml (No such file "
              "or directory); paths are relative to the file that names them");
}

}  // namespace
}  // namespace scmi_vp::scenario
