// SPDX-License-Identifier: Apache-2.0
// Every kind of bad scenario gives one error with file, line, column and what to do. The texts are
// the promise of docs/scenario.md ("Errors").
#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing_tools::error_of;
using testing_tools::scenario_error;
using testing_tools::scratch_folder;

struct bad_scenario {
    const char* name;
    const char* text;
    const char* message;
};

void PrintTo(const bad_scenario& b, std::ostream* out) {
    *out << b.name;
}

class bad_scenarios : public testing::TestWithParam<bad_scenario> {};

TEST_P(bad_scenarios, give_one_error_with_its_place) {
    EXPECT_EQ(scenario_error(GetParam().text), GetParam().message);
}

std::string test_name(const testing::TestParamInfo<bad_scenario>& info) {
    return info.param.name;
}

constexpr const char* units = "(ps, ns, us, ms, s, min, h)";

const bad_scenario names[] = {
    {"unknown_key", "[guest]\nhzz = 1000\n",
     "s.toml:2:1: unknown key guest.hzz, did you mean guest.hz?"},
    {"unknown_section", "\n[gest]\nhz = 1\n", "s.toml:2:2: unknown key gest, did you mean guest?"},
    {"key_in_the_wrong_section", "duration = \"1s\"\n",
     "s.toml:1:1: unknown key duration, did you mean sim.duration?"},
    {"key_like_no_other", "[guest]\nfrobnicate = 1\n",
     "s.toml:2:1: unknown key guest.frobnicate; `scmi-vp list keys` prints all keys"},
    {"quoted_key", "\"guest.hz\" = 1\n",
     "s.toml:1:1: unknown key 'guest.hz'; `scmi-vp list keys` prints all keys"},
    {"unknown_key_of_an_element", "[[platform.sensor]]\nname = \"a\"\nredaing = 1\n",
     "s.toml:3:1: unknown key platform.sensor[].redaing, did you mean platform.sensor[].reading?"},
    {"section_as_value", "guest = 1\n",
     "s.toml:1:1: guest is a section, not a value; its keys: profile, device_tree, max_rx_timeout, "
     "max_delayed_response, max_msg_size, atomic, atomic_threshold, drivers, scmi_node, hz, "
     "tick_phase, cpus, irq_cpu, memory, ftrace, probe_start, "
     "probe_task, probe_pid, costs, cost"},
    {"table_for_a_list", "[workload.loop]\ncount = 1\n",
     "s.toml:1:1: workload.loop: a table is not a list of tables: write [[workload.loop]]"},
    {"first_of_two", "[sim]\nseeed = 1\n[guest]\nhzz = 1\n",
     "s.toml:2:1: unknown key sim.seeed, did you mean sim.seed?"},
};
INSTANTIATE_TEST_SUITE_P(names, bad_scenarios, testing::ValuesIn(names), test_name);

const bad_scenario types[] = {
    {"string_for_integer", "[guest]\nhz = \"fast\"\n",
     "s.toml:2:6: guest.hz: 'fast' is not an integer"},
    {"float_for_integer", "[guest]\nhz = 1.5\n",
     "s.toml:2:6: guest.hz: 1.500000 is not an integer"},
    {"integer_for_boolean", "[guest]\nftrace = 1\n",
     "s.toml:2:10: guest.ftrace: 1 is not true or false"},
    {"integer_for_string", "[scenario]\ntitle = 1\n",
     "s.toml:2:9: scenario.title: 1 is not a string"},
    {"list_for_time", "[sim]\nduration = [1]\n",
     "s.toml:2:12: sim.duration: a list is not a time like \"30ms\""},
    {"unknown_word", "[guest]\ncosts = \"fre\"\n",
     "s.toml:2:9: guest.costs: unknown value 'fre', did you mean free?"},
    {"unknown_profile", "[guest]\nprofile = \"freebsd\"\n",
     "s.toml:2:11: guest.profile: unknown value 'freebsd': one of linux-6.1, linux-6.12"},
    {"size_without_unit", "[guest]\nmemory = 64\n",
     "s.toml:2:10: guest.memory: 64 has no unit: write \"64MiB\" (KiB, MiB, GiB)"},
    {"size_with_wrong_unit", "[guest]\nmemory = \"64MB\"\n",
     "s.toml:2:10: guest.memory: '64MB' is not a whole number of KiB, MiB or GiB, like \"64MiB\""},
    {"word_for_workers", "[platform]\nworkers = \"many\"\n",
     "s.toml:2:11: platform.workers: unknown value 'many': one of unlimited"},
    {"unknown_protocol", "[platform]\nprotocols = [0x14, \"senser\"]\n",
     "s.toml:2:20: platform.protocols.1: unknown protocol 'senser', did you mean sensor?"},
    {"driver_twice", "[guest]\ndrivers = [\"clk-scmi\", \"clk-scmi\"]\n",
     "s.toml:2:24: guest.drivers.1: driver 'clk-scmi' is listed twice"},
};
INSTANTIATE_TEST_SUITE_P(types, bad_scenarios, testing::ValuesIn(types), test_name);

const bad_scenario ranges[] = {
    {"hz_zero", "[guest]\nhz = 0\n", "s.toml:2:6: guest.hz: 0 is out of range: 1..10000"},
    {"duration_zero", "[sim]\nduration = \"0s\"\n",
     "s.toml:2:12: sim.duration: 0s is out of range: 1ps.."},
    {"negative_time", "[sim]\nduration = \"-1s\"\n",
     "s.toml:2:12: sim.duration: -1s is out of range: 1ps.."},
    {"memory_small", "[guest]\nmemory = \"4KiB\"\n",
     "s.toml:2:10: guest.memory: 4KiB is out of range: 1MiB..4096MiB"},
    // virtio 1.3 section 2.7: "Queue Size is always a power of 2", at most 32768.
    {"queue_of_three", "[device]\nqueue_size = 3\n",
     "s.toml:2:14: device.queue_size: 3 is not a power of two (virtio 1.3 section 2.7); near it: "
     "2, 4"},
    {"queue_too_large", "[device]\nqueue_size = 65536\n",
     "s.toml:2:14: device.queue_size: 65536 is out of range: 2..32768"},
    {"event_queue_of_1000", "[device]\nevent_queue_size = 1000\n",
     "s.toml:2:20: device.event_queue_size: 1000 is not a power of two (virtio 1.3 section 2.7); "
     "near it: 512, 1024"},
    {"window_not_aligned", "[device]\nmmio_base = 0x1100\n",
     "s.toml:2:13: device.mmio_base: is not a multiple of 512 (0x200)"},
    // include/linux/sched.h: TASK_COMM_LEN is 16 with the final 0.
    {"comm_too_long", "[guest]\nprobe_task = \"sixteen-letters-\"\n",
     "s.toml:2:14: guest.probe_task: 'sixteen-letters-' has 16 bytes, at most 15 fit"},
    {"irq_cpu", "[guest]\ncpus = 2\nirq_cpu = 2\n",
     "s.toml:3:11: guest.irq_cpu: there is no CPU 2: guest.cpus is 2"},
    {"tick_phase", "[guest]\nhz = 250\ntick_phase = \"4ms\"\n",
     "s.toml:3:14: guest.tick_phase: 4ms is not less than one tick (1s / 250)"},
    {"half_a_millisecond", "[guest]\nmax_rx_timeout = \"1.5ms\"\n",
     "s.toml:2:18: guest.max_rx_timeout: 1.5ms is not a whole number of milliseconds, in which the "
     "driver counts"},
};
INSTANTIATE_TEST_SUITE_P(ranges, bad_scenarios, testing::ValuesIn(ranges), test_name);

const bad_scenario toml[] = {
    {"duplicate_key", "[guest]\nhz = 1\nhz = 2\n",
     "s.toml:3:6: Error while parsing key-value pair: cannot redefine existing integer 'hz'"},
    {"no_value", "[guest]\nhz =\n",
     "s.toml:2:5: Error while parsing key-value pair: expected value, saw '\\n'"},
};
INSTANTIATE_TEST_SUITE_P(toml, bad_scenarios, testing::ValuesIn(toml), test_name);

const bad_scenario elements[] = {
    {"required_key", "[[platform.clock]]\nname = \"a\"\n",
     "s.toml:1:1: platform.clock.0.rate is missing: Its rate at start."},
    {"half_a_triplet", "[[platform.clock]]\nname = \"a\"\nrate = 1\nrates = { lowest = 1 }\n",
     "s.toml:1:1: platform.clock.0: rates need all of lowest, highest and step, or a list"},
    {"two_kinds_of_rates",
     "[[platform.clock]]\nname = \"a\"\nrate = 1\n"
     "rates = { list = [1], lowest = 1, highest = 2, step = 1 }\n",
     "s.toml:1:1: platform.clock.0: rates are either a list or lowest, highest, step"},
    {"rule_without_latency", "[[platform.service]]\nresource = 1\n",
     "s.toml:1:1: platform.service.0: give either a latency or never = true"},
    {"rule_with_both", "[[platform.service]]\nnever = true\nlatency = \"1s\"\n",
     "s.toml:1:1: platform.service.0: give either a latency or never = true"},
    {"unknown_message", "[[platform.service]]\nmessage = \"SENSOR_READNG_GET\"\nnever = true\n",
     "s.toml:2:11: platform.service.0.message: unknown message 'SENSOR_READNG_GET', did you mean "
     "SENSOR_READING_GET?"},
    {"rule_for_nobody", "[[platform.service]]\nprotocol = \"sensor\"\nresource = 2\nnever = true\n",
     "s.toml:3:12: platform.service.0.resource: there is no sensor 2: the platform has 0"},
    {"task_with_comma", "[[workload.context]]\nname = \"a,x\"\n",
     "s.toml:2:8: workload.context.0.name: has a comma, a quotation mark or a control character"},
    {"undefined_context",
     "[[workload.context]]\nname = \"sh\"\n[[workload.sequence]]\ncontext = \"hs\"\n"
     "call = \"base_version\"\n",
     "s.toml:4:11: workload.sequence.0.context: context 'hs' is not defined, did you mean sh?"},
    {"no_context_at_all", "[[workload.sequence]]\ncontext = \"sh\"\ncall = \"base_version\"\n",
     "s.toml:2:11: workload.sequence.0.context: context 'sh' is not defined: add a "
     "[[workload.context]] with that name"},
    {"context_twice", "[[workload.context]]\nname = \"a\"\n[[workload.context]]\nname = \"a\"\n",
     "s.toml:4:8: workload.context.1.name: context 'a' is defined twice"},
    {"context_on_no_cpu", "[[workload.context]]\nname = \"a\"\ncpu = 1\n",
     "s.toml:3:7: workload.context.0.cpu: there is no CPU 1: guest.cpus is 1"},
    {"loop_without_calls",
     "[[workload.context]]\nname = \"a\"\n[[workload.loop]]\ncontext = \"a\"\n",
     "s.toml:3:1: workload.loop.0: has no calls: calls = [ { call = \"sensor_read\", id = 0 } ]"},
    {"two_loops_of_a_task",
     "[[workload.context]]\nname = \"a\"\n"
     "[[workload.loop]]\ncontext = \"a\"\ncalls = [ { call = \"base_version\" } ]\n"
     "[[workload.loop]]\ncontext = \"a\"\ncalls = [ { call = \"base_version\" } ]\n",
     "s.toml:7:11: workload.loop.1.context: context 'a' is busy with another loop: a task does one "
     "thing at a time, give this loop its own"},
    {"sensor_beyond_the_platform",
     "[[platform.sensor]]\nname = \"t\"\n[[workload.context]]\nname = \"a\"\n"
     "[[workload.loop]]\ncontext = \"a\"\ncalls = [ { call = \"sensor_read\", id = 1 } ]\n",
     "s.toml:7:40: workload.loop.0.calls.0.id: there is no sensor 1: the platform has 1, 0..0"},
    {"domain_without_levels", "[[platform.performance_domain]]\nname = \"cpu\"\n",
     "s.toml:1:1: platform.performance_domain.0: has no levels: levels = [ { level = 1000 } ]"},
    {"rule_for_no_domain",
     "[[platform.power_domain]]\nname = \"gpu\"\n"
     "[[platform.service]]\nprotocol = \"power\"\nresource = 1\nnever = true\n",
     "s.toml:5:12: platform.service.0.resource: there is no power domain 1: the platform has 1, "
     "0..0"},
    {"domain_beyond_the_platform",
     "guest.drivers = [\"scmi-power-domain\"]\n[[platform.power_domain]]\nname = \"gpu\"\n"
     "[[workload.context]]\nname = \"a\"\n"
     "[[workload.sequence]]\ncontext = \"a\"\ncall = \"power_on\"\nid = 1\n",
     "s.toml:9:6: workload.sequence.0.id: there is no power domain 1: the platform has 1, 0..0"},
    {"call_without_its_driver",
     "[[platform.power_domain]]\nname = \"gpu\"\n[[workload.context]]\nname = \"a\"\n"
     "[[workload.sequence]]\ncontext = \"a\"\ncall = \"power_off\"\n",
     "s.toml:7:8: workload.sequence.0.call: power_off needs the driver scmi-power-domain in "
     "guest.drivers"},
    {"level_of_33_bits",
     "guest.drivers = [\"scmi-cpufreq\"]\n"
     "[[platform.performance_domain]]\nname = \"cpu\"\nlevels = [ { level = 1 } ]\n"
     "[[workload.context]]\nname = \"a\"\n"
     "[[workload.sequence]]\ncontext = \"a\"\ncall = \"perf_level_set\"\nvalue = 4294967296\n",
     "s.toml:10:9: workload.sequence.0.value: 4294967296 is no level: 0..4294967295"},
    {"clock_without_protocol",
     "[[workload.context]]\nname = \"a\"\n"
     "[[workload.sequence]]\ncontext = \"a\"\ncall = \"clock_get_rate\"\n",
     "s.toml:5:8: workload.sequence.0.call: clock_get_rate needs the Clock protocol in the guest's "
     "device tree"},
};
INSTANTIATE_TEST_SUITE_P(elements, bad_scenarios, testing::ValuesIn(elements), test_name);

const bad_scenario host_and_arrivals[] = {
    {"pause_without_a_pause", "[[platform.pause]]\nevery = \"0s\"\nlength = \"1s\"\n",
     "s.toml:1:1: platform.pause.0: every is always zero: the platform would never run; give it a "
     "length, or a count"},
    {"pause_of_no_length", "[[platform.pause]]\nevery = \"1s\"\nlength = \"0s\"\n",
     "s.toml:1:1: platform.pause.0: length is always zero: such a pause is none"},
    {"pause_without_length", "[[platform.pause]]\nevery = \"1s\"\n",
     "s.toml:1:1: platform.pause.0.length is missing: How long each lasts."},
    {"slot_beyond_its_period", "[platform.slot]\nperiod = \"1ms\"\nlength = \"2ms\"\n",
     "s.toml:3:10: platform.slot.length: 2ms is not above 0s and at most the period, 1ms"},
    {"period_without_slot", "[platform]\nslot = { period = \"1ms\" }\n",
     "s.toml: platform.slot.length: 0s is not above 0s and at most the period, 1ms"},
    {"slot_without_period", "[platform.slot]\nlength = \"2ms\"\n",
     "s.toml:2:10: platform.slot.length: a slot needs platform.slot.period"},
    {"slot_by_its_former_name", "[platform.slot]\nslot = \"2ms\"\n",
     "s.toml:2:1: unknown key platform.slot.slot, did you mean platform.slot.length?"},
    {"a_study", "[study]\nscenario = \"s.toml\"\n",
     "s.toml:1:2: this is a study, not a scenario: scmi-vp study s.toml"},
    {"axes_of_a_study", "[[axis]]\nname = \"timeout\"\n",
     "s.toml:1:3: this is a study, not a scenario: scmi-vp study s.toml"},
    {"loss_more_than_certain", "[[platform.loss]]\nprobability = 1.5\n",
     "s.toml:2:15: platform.loss.0.probability: is out of range: 0..1"},
    {"fault_of_no_kind", "[[platform.fault]]\nkind = \"dorp\"\n",
     "s.toml:2:8: platform.fault.0.kind: unknown value 'dorp', did you mean drop?"},
    {"fault_key_of_another_kind", "[[platform.fault]]\nkind = \"drop\"\nlength = 4\n",
     "s.toml:3:10: platform.fault.0.length: is for truncate, length; this fault is of kind drop"},
    {"fault_without_its_delay", "[[platform.fault]]\nkind = \"delay\"\n",
     "s.toml:1:1: platform.fault.0: a fault of kind delay needs a delay"},
    {"fault_of_no_sensor",
     "[[platform.sensor]]\nname = \"s\"\n[[platform.fault]]\nkind = \"drop\"\nprotocol = "
     "\"sensor\"\nresource = 1\n",
     "s.toml:6:12: platform.fault.0.resource: there is no sensor 1: the platform has 1, 0..0"},
    {"unsolicited_again_and_again_at_once",
     "[[platform.unsolicited]]\nat = \"1s\"\nprotocol = \"base\"\ncount = 2\n",
     "s.toml:1:1: platform.unsolicited.0: happens more than once: say how much later, every = "
     "\"1ms\""},
    {"loss_never", "[[platform.loss]]\nprobability = 1\nfrom = \"2s\"\nto = \"2s\"\n",
     "s.toml:4:6: platform.loss.0.to: 2s is not after from, 2s"},
    {"open_without_calls",
     "[[workload.context]]\nname = \"a\"\n[[workload.open]]\ncontexts = [\"a\"]\n"
     "interarrival = \"1ms\"\n",
     "s.toml:3:1: workload.open.0: has no calls: calls = [ { call = \"sensor_read\", id = 0 } ]"},
    {"open_without_end",
     "[[workload.context]]\nname = \"a\"\n[[workload.open]]\ncontexts = [\"a\"]\n"
     "interarrival = \"0s\"\ncalls = [ { call = \"base_version\" } ]\n",
     "s.toml:3:1: workload.open.0: interarrival is always zero: give it a length, or a count"},
    {"open_without_contexts",
     "[[workload.open]]\ncontexts = []\ninterarrival = \"1ms\"\n"
     "calls = [ { call = \"base_version\" } ]\n",
     "s.toml:2:12: workload.open.0.contexts: an empty list: name at least one task"},
    {"open_of_a_loop",
     "[[workload.context]]\nname = \"a\"\n"
     "[[workload.loop]]\ncontext = \"a\"\ncalls = [ { call = \"base_version\" } ]\n"
     "[[workload.open]]\ncontexts = [\"a\"]\ninterarrival = \"1s\"\n"
     "calls = [ { call = \"base_version\" } ]\n",
     "s.toml:7:12: workload.open.0.contexts: context 'a' is busy with the loop: a task does one "
     "thing at a time, give this open workload its own"},
};
INSTANTIATE_TEST_SUITE_P(host_and_arrivals, bad_scenarios, testing::ValuesIn(host_and_arrivals),
                         test_name);

TEST(scenario_errors, a_bare_number_for_a_time_says_so) {
    EXPECT_EQ(
        scenario_error("[sim]\nduration = 30\n"),
        std::string("s.toml:2:12: sim.duration: 30 has no unit: write a time like \"30ms\" ") +
            units);
    const std::string wrong = scenario_error("[sim]\nduration = \"30 parsecs\"\n");
    EXPECT_EQ(wrong.rfind("s.toml:2:12: sim.duration: ", 0), 0u) << wrong;
    EXPECT_NE(wrong.find("parsecs"), std::string::npos) << wrong;
}

// Wherever a file is cut, the answer is a scenario or one error with a place: nothing else.
TEST(scenario_errors, a_truncated_file_never_crashes) {
    const scratch_folder folder;
    const std::string file =
        std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/linux-6.1-recording/platform.toml";
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    ASSERT_GT(text.size(), 1000u);
    unsigned errors = 0;
    for (std::size_t n = 0; n < text.size(); n += 7) {
        folder.write("p.toml", text.substr(0, n));
        const auto path = folder.write("s.toml", "[platform]\nfile = \"p.toml\"\n");
        const std::string what = error_of([&] { read_scenario(path, {}); });
        if (what == "no error") continue;
        ++errors;
        const std::string where = (folder.path() / "p.toml").string();
        const std::string empty = path.string() + ":2:8: platform.file: " + where + " is empty";
        EXPECT_TRUE(n == 0 ? what == empty : what.rfind(where + ":", 0) == 0) << what;
    }
    EXPECT_GT(errors, 50u);
}

TEST(scenario_errors, are_of_kind_config) {
    try {
        parse_scenario("[guest]\nhz = 0\n", "s.toml");
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::config);
    }
}

TEST(scenario_errors, an_absent_file_and_a_folder) {
    EXPECT_EQ(error_of([] { read_scenario("no/such.toml", {}); }),
              "cannot read no/such.toml (No such file or directory)");
    const scratch_folder folder;
    EXPECT_EQ(error_of([&] { read_scenario(folder.path(), {}); }),
              folder.path().string() + " is a folder, not a file");
}

// The server checks its description itself and knows no lines: the file is named.
TEST(scenario_errors, what_the_platform_refuses_names_the_file) {
    const std::string what = scenario_error("[platform]\nprotocols = [0x15, 0x14]\n");
    EXPECT_EQ(what.rfind("s.toml: platform: ", 0), 0u) << what;
    const scratch_folder folder;
    folder.write("p.toml", "protocols = [0x15, 0x14]\n");
    const auto path = folder.write("s.toml", "platform.file = \"p.toml\"\n");
    const std::string own = error_of([&] { read_scenario(path, {}); });
    EXPECT_EQ(own.rfind((folder.path() / "p.toml").string() + ": platform: ", 0), 0u) << own;
}

// Results are JSON: without this, a run would lose its summary and a study all of its results.
TEST(scenario_text, that_results_cannot_hold_is_refused) {
    const auto kind_of = [](const std::filesystem::path& name, const std::string& option) {
        try {
            parse_scenario("", name, {option});
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::usage);
            return std::string(e.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(kind_of("caf\xe9/s.toml", "guest.hz=100"),
              "caf\xe9/s.toml: this path is not UTF-8 and cannot be written into results; rename "
              "it, or start scmi-vp in that folder");
    EXPECT_EQ(kind_of("s.toml", "scenario.title=caf\xe9"),
              "--set scenario.title=caf\xe9: is not UTF-8 and cannot be written into results");
    EXPECT_EQ(kind_of("caf\xc3\xa9/s.toml", "scenario.title=caf\xc3\xa9"), "no error");
}

}  // namespace
}  // namespace scmi_vp::scenario
