// SPDX-License-Identifier: Apache-2.0
// The waveform of a run: names of the SystemC hierarchy, edges counted against the event log,
// an independent reader, windows that are the same part of the same run.
#include "models/waves.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "models/model_testing.h"
#include "models/system.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"
#include "traces/vcd_test_reader.h"

namespace scmi_vp::runs {
namespace {

using models::testing_tools::collector;
using scenario::testing_tools::scratch_folder;
using testing_tools::contents;
using testing_tools::read_csv;
using testing_tools::run_in_child;
using traces::vcd_contents;
using traces::vcd_test_reader;

const char* const text = R"(
[guest]
max_rx_timeout = "3ms"
memory = "8MiB"
[guest.cost]
mmio_write = "1us"
irq_entry = "700ns"
irq_exit = "300ns"
[hops]
service = { kind = "exponential", mean = "200us" }
[output]
registers = true
[platform]
delayed_work = "100us"
sensor_max_async = 4
[[platform.sensor]]
name = "s0"
[[platform.sensor]]
name = "s1"
async = true
[[platform.sensor]]
name = "s2"
[[platform.service]]
protocol = "sensor"
message = "SENSOR_READING_GET"
resource = 2
latency = "20ms"
[[workload.context]]
name = "a"
[[workload.loop]]
context = "a"
count = 30
think = "300us"
calls = [{ call = "sensor_read", id = 0 }, { call = "sensor_read", id = 1 }]
[[workload.context]]
name = "b"
[[workload.loop]]
context = "b"
count = 2
think = "40ms"
calls = [{ call = "sensor_read", id = 2 }]
)";

scenario::scenario example() {
    return parse_scenario(text, "waves.toml");
}

/// One run with everything recorded: the waveform and what else was announced.
struct recorded_run {
    collector log;
    vcd_contents vcd;
    std::set<std::string> missing_objects;
    std::uint64_t served = 0;

    recorded_run() {
        std::ostringstream out;
        traces::vcd_writer writer(out, "waves.vcd");
        const models::system_config config = example().system;
        models::system top("top", config, log);
        top.mon().set_trace_registers(true);
        top.trace(writer, 8);
        writer.start();
        sc_core::sc_start(to_sc(seconds(1)));
        top.finish();
        writer.finish(now());
        served = top.platform().served();
        vcd = vcd_test_reader(out.str()).read();
        for (const auto& [path, variable] : vcd.variables) {
            const std::string scope = path.substr(0, path.rfind('.'));
            if (!sc_core::sc_find_object(scope.c_str())) missing_objects.insert(scope);
        }
    }
    std::size_t edges(const std::string& path) const { return vcd.variables.at(path).edges(); }
    std::size_t lines(traces::register_trace_line::kind_t kind) const {
        return std::size_t(std::count_if(log.registers.begin(), log.registers.end(),
                                         [&](const auto& r) { return r.line.kind == kind; }));
    }
};

TEST(waves, have_the_names_of_systemc_objects_and_the_edges_of_the_event_log) {
    using kind = traces::register_trace_line::kind_t;
    const recorded_run run;
    EXPECT_TRUE(run.missing_objects.empty()) << *run.missing_objects.begin();
    EXPECT_TRUE(run.vcd.variables.count("top.guest.a_100.state"));

    EXPECT_EQ(run.edges("top.irq.level"), run.lines(kind::irq));
    EXPECT_GT(run.lines(kind::irq), 100u);

    // Every request of this run was sent; each moves each index once. A reply that came after its
    // request had given up counts as well; the last one's comes after the end of the run.
    const std::size_t requests = run.log.requests.size();
    ASSERT_GT(requests, 40u);
    EXPECT_EQ(run.edges("top.platform.cmdq.avail_idx"), requests);
    EXPECT_EQ(run.edges("top.platform.cmdq.used_idx"), run.served);
    EXPECT_EQ(run.edges("top.platform.cmdq.collected_idx"), run.served);
    EXPECT_EQ(run.edges("top.platform.eventq.used_idx"), 15u);  // delayed responses of sensor 1
    EXPECT_EQ(run.edges("top.guest.irq_handler"), run.lines(kind::irq));

    // Each request is in `service` once. Two at a time wait for the one worker in `queue`.
    std::size_t entered = 0;
    for (const auto& c : run.vcd.variables.at("top.requests.service").changes) {
        if (c.section.empty()) entered += c.value != "0";
    }
    EXPECT_EQ(entered, requests);
    // What the states say at the end: all tasks done (5), no xfer in use (0).
    EXPECT_EQ(run.vcd.variables.at("top.guest.a_100.state").changes.back().value, "101");
    for (int x = 0; x < 8; ++x) {
        const auto& v = run.vcd.variables.at("top.guest.xfer" + std::to_string(x) + "_state");
        EXPECT_EQ(v.changes.back().value, "0") << "xfer " << x;
    }
}

/// What a signal has shown up to and at an instant.
unsigned value_at(const vcd_contents::variable& v, sim_time when) {
    const auto later = std::find_if(v.changes.begin(), v.changes.end(),
                                    [&](const auto& c) { return c.time > when.ps; });
    return static_cast<unsigned>(std::stoul(std::prev(later)->value, nullptr, 2));
}

TEST(waves, show_the_latest_register_access_of_an_instant_and_count_all) {
    using kind = traces::register_trace_line::kind_t;
    const recorded_run run;
    const auto& variables = run.vcd.variables;
    std::vector<models::testing_tools::collector::access> accesses;
    for (const auto& r : run.log.registers) {
        if (r.line.kind != kind::irq) accesses.push_back(r);
    }
    unsigned instants = 0;
    for (std::size_t i = 0; i < accesses.size(); ++i) {
        const auto& a = accesses[i];
        if (i + 1 < accesses.size() && accesses[i + 1].when == a.when) continue;
        ++instants;
        ASSERT_EQ(value_at(variables.at("top.device.register"), a.when), a.line.offset);
        ASSERT_EQ(value_at(variables.at("top.device.register_value"), a.when), a.line.value);
        ASSERT_EQ(value_at(variables.at("top.device.register_write"), a.when),
                  a.line.kind == kind::write);
        ASSERT_EQ(value_at(variables.at("top.device.register_accesses"), a.when), (i + 1) % 256);
    }
    EXPECT_GT(instants, 100u);
    EXPECT_GT(accesses.size(), instants) << "no instant with two of them";
    EXPECT_EQ(run.edges("top.device.register_accesses"), instants);
}

/// What one signal's plain changes were, in binary.
std::vector<std::string> changes_of(const vcd_contents& vcd, const std::string& path) {
    std::vector<std::string> values;
    for (const auto& c : vcd.variables.at(path).changes) {
        if (c.section.empty()) values.push_back(c.value + "@" + std::to_string(c.time));
    }
    return values;
}

TEST(waves, show_every_change_but_of_tasks_accesses_and_hops_what_an_instant_ends_with) {
    using models::context_wave, models::xfer_wave;
    using strings = std::vector<std::string>;
    std::ostringstream out;
    traces::vcd_writer writer(out, "waves.vcd");
    models::waves w(writer, {"dev", "irq", "guest", "hops", "host", {"a", "b"}, {"q0", "q1"}, 1});
    writer.start();
    const sim_time t1 = picoseconds(1), t2 = picoseconds(2), t3 = picoseconds(3);
    w.context(t1, 1, context_wave::runnable);
    w.context(t1, 0, context_wave::running);
    w.context(t1, 1, context_wave::waiting);
    w.register_access(t1, true, 0x50, 7);
    w.register_access(t1, false, 0x60, 1);
    for (const bool level : {true, false, true}) w.irq(t1, level);
    w.xfer(t1, 3, xfer_wave::taken, 5);
    w.xfer(t1, 3, xfer_wave::sent, 5);
    w.xfer(t1, 4, xfer_wave::taken, 6);  // the second slot has no lane
    w.hop_moved(-1, 2, t1);
    w.hop_moved(2, 3, t1);
    w.context(t2, 0, context_wave::idle);
    w.context(t2, 0, context_wave::running);  // as it was
    w.xfer(t2, 3, xfer_wave::free, 5);
    w.xfer(t2, 3, xfer_wave::taken, 6);
    w.hop_moved(3, 4, t3);
    w.finish();
    writer.finish(t3);
    const auto vcd = vcd_test_reader(out.str()).read();
    EXPECT_EQ(changes_of(vcd, "a.state"), strings{"10@1"});
    EXPECT_EQ(changes_of(vcd, "b.state"), strings{"11@1"});
    EXPECT_EQ(changes_of(vcd, "dev.register"), strings{"1100000@1"});
    EXPECT_EQ(changes_of(vcd, "dev.register_write"), strings{});
    EXPECT_EQ(changes_of(vcd, "dev.register_value"), strings{"1@1"});
    EXPECT_EQ(changes_of(vcd, "dev.register_accesses"), strings{"10@1"});
    EXPECT_EQ(changes_of(vcd, "irq.level"), (strings{"1@1", "0@1", "1@1"}));
    EXPECT_EQ(changes_of(vcd, "guest.xfer0_state"), (strings{"1@1", "10@1", "0@2", "1@2"}));
    EXPECT_EQ(changes_of(vcd, "guest.xfer0_seq"), (strings{"101@1", "110@2"}));
    EXPECT_EQ(changes_of(vcd, "hops.publish"), strings{});
    EXPECT_EQ(changes_of(vcd, "hops.notify"), (strings{"1@1", "0@3"}));
    EXPECT_EQ(changes_of(vcd, "hops.host_wake"), strings{"1@3"});
}

TEST(waves, xfer_states_tell_a_timeout_and_an_asynchronous_read) {
    const recorded_run run;
    std::set<std::string> states;
    for (int x = 0; x < 8; ++x) {
        for (const auto& c :
             run.vcd.variables.at("top.guest.xfer" + std::to_string(x) + "_state").changes) {
            states.insert(c.value);
        }
    }
    // free, taken, SENT_OK, RESP_OK, DRESP_OK, timed_out
    EXPECT_EQ(states, (std::set<std::string>{"0", "1", "10", "11", "100", "101"}));
}

class waves_files : public testing::Test {
protected:
    std::string run(const std::string& name, const std::function<void(run_options&)>& set) {
        run_options options;
        options.out = out.path() / name;
        options.quiet = true;
        set(options);
        const auto done = run_in_child(example(), options);
        EXPECT_EQ(done.status, run_status::ok) << done.report;
        return contents(out.path() / name / "waves.vcd");
    }
    scratch_folder out;
};

/// The values of all signals at each of their plain changes in [from, to).
std::vector<std::string> changes_between(const vcd_contents& vcd, std::int64_t from,
                                         std::int64_t to) {
    std::vector<std::string> all;
    for (const auto& [path, v] : vcd.variables) {
        for (const auto& c : v.changes) {
            if (!c.section.empty() || c.time < from || c.time >= to) continue;
            all.push_back(path + " " + std::to_string(c.time) + " " + c.value);
        }
    }
    return all;
}

/// Values of all signals when a window opens, by path.
std::map<std::string, std::string> values_at(const vcd_contents& vcd, std::int64_t at) {
    std::map<std::string, std::string> values;
    for (const auto& [path, v] : vcd.variables) {
        for (const auto& c : v.changes) {
            if (c.time < at || (c.time == at && !c.section.empty())) values[path] = c.value;
        }
    }
    return values;
}

TEST_F(waves_files, are_accepted_by_an_independent_reader) {
    if (std::system("command -v vcd2fst > /dev/null") != 0) GTEST_SKIP() << "install gtkwave";
    run("full", [](run_options& o) { o.vcd = true; });
    const std::string folder = (out.path() / "full").string();
    // GTKWave's converter reads every definition and change.
    ASSERT_EQ(std::system(("vcd2fst " + folder + "/waves.vcd " + folder + "/waves.fst > " + folder +
                           "/log 2>&1")
                              .c_str()),
              0)
        << contents(folder + "/log");
    EXPECT_GT(std::filesystem::file_size(folder + "/waves.fst"), 1000u);
    EXPECT_NE(contents(folder + "/waves.gtkw").find("top.irq.level"), std::string::npos);
    EXPECT_NE(contents(folder + "/xfer_state.filter").find("SENT_OK"), std::string::npos);
}

TEST_F(waves_files, in_a_window_are_that_part_of_the_whole) {
    const std::string full_text = run("full", [](run_options& o) { o.vcd = true; });
    const auto full = vcd_test_reader(full_text).read();
    const sim_time from = milliseconds(2), to = microseconds(3500);
    const std::string part_text = run("part", [&](run_options& o) {
        o.vcd_from = from;
        o.vcd_to = to;
    });
    const auto part = vcd_test_reader(part_text).read();
    EXPECT_EQ(changes_between(part, 0, INT64_MAX), changes_between(full, from.ps, to.ps));
    EXPECT_GT(changes_between(part, 0, INT64_MAX).size(), 100u);
    EXPECT_EQ(values_at(part, from.ps), values_at(full, from.ps));
    EXPECT_LT(part_text.size(), full_text.size() / 3);
}

TEST_F(waves_files, around_the_slowest_request_hold_it_whole) {
    const std::string full_text = run("full", [](run_options& o) { o.vcd = true; });
    const std::string part_text =
        run("part", [](run_options& o) { o.vcd_around = wave_around::slowest; });
    const auto full = vcd_test_reader(full_text).read(), part = vcd_test_reader(part_text).read();
    std::int64_t entered = 0, longest = 0;
    for (const auto& row : read_csv(out.path() / "part/requests.csv")) {
        const std::int64_t trip = std::stoll(row.at("round_trip_ps"));
        if (trip > longest) longest = trip, entered = std::stoll(row.at("entered_ps"));
    }
    ASSERT_GT(longest, milliseconds(3).ps);
    ASSERT_FALSE(part.stamps.empty());
    EXPECT_LE(part.stamps.front(), entered);
    EXPECT_GE(part.stamps.back(), entered + longest);
    EXPECT_EQ(changes_between(part, entered, entered + longest),
              changes_between(full, entered, entered + longest));
    EXPECT_LT(part_text.size(), full_text.size());
}

TEST_F(waves_files, around_timeouts_hold_each_and_its_late_reply) {
    const std::string full_text = run("full", [](run_options& o) { o.vcd = true; });
    const std::string part_text =
        run("part", [](run_options& o) { o.vcd_around = wave_around::timeouts; });
    const auto full = vcd_test_reader(full_text).read(), part = vcd_test_reader(part_text).read();
    std::size_t timeouts = 0, late = 0;
    for (const auto& row : read_csv(out.path() / "part/requests.csv")) {
        if (row.at("outcome") != "timed_out") continue;
        ++timeouts;
        const std::int64_t from = std::stoll(row.at("entered_ps"));
        const std::int64_t to = from + std::stoll(row.at("round_trip_ps"));
        EXPECT_EQ(changes_between(part, from, to), changes_between(full, from, to));
        if (row.at("late_at_ps").empty()) continue;
        ++late;
        const std::int64_t at = std::stoll(row.at("late_at_ps"));
        EXPECT_EQ(changes_between(part, at, at + 1), changes_between(full, at, at + 1));
        EXPECT_FALSE(changes_between(part, at, at + 1).empty());
    }
    EXPECT_GE(timeouts, 2u);
    EXPECT_GE(late, 1u);
    // Between the windows signals are unknown.
    EXPECT_NE(part_text.find("$dumpoff"), std::string::npos);
}

TEST_F(waves_files, windows_that_cannot_be_are_one_clear_error) {
    const auto error_with = [&](const std::function<void(run_options&)>& set) {
        return scenario::testing_tools::error_of([&] { run("none", set); });
    };
    EXPECT_EQ(error_with([](run_options& o) { o.vcd_from = seconds(2), o.vcd_to = seconds(1); }),
              "the waveform's window is empty: --vcd-from 2s is not before --vcd-to 1s");
    EXPECT_EQ(error_with([](run_options& o) { o.vcd = true, o.out.clear(); }),
              "a waveform needs a folder to be written to: give --out DIR");
    scenario::scenario quick = example();
    quick.system.platform.service.clear();
    quick.system.hops = {};
    run_options options;
    options.out = out.path() / "none";
    options.vcd_around = wave_around::timeouts;
    EXPECT_EQ(scenario::testing_tools::error_of([&] { run_in_child(quick, options); }),
              "--vcd-around timeouts: no request timed out in this run");
    EXPECT_FALSE(std::filesystem::exists(out.path() / "none")) << "nothing was run yet";
}

}  // namespace
}  // namespace scmi_vp::runs
