// SPDX-License-Identifier: Apache-2.0
// The laws that hold in every run: hops add up, checkers see what breaks a rule, and results depend
// on the scenario and its seed only.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/model_testing.h"
#include "models/system.h"
#include "runs/load.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using models::instant;
using models::request;
using models::testing_tools::collector;
using scenario::testing_tools::scratch_folder;
using testing_tools::folder;
using testing_tools::read_csv;
using testing_tools::run_in_child;

/// Every cost is non-zero, every hop and every pause is random, tasks on several CPUs wait for
/// locks and for arrivals, replies get lost, the host pauses.
const char* const everything = R"(
[scenario]
title = "everything"
[sim]
duration = "2s"
[guest]
cpus = 4
irq_cpu = 1
hz = 1000
tick_phase = "123us"
max_rx_timeout = "2ms"
memory = "8MiB"
[guest.cost]
clock_read = "31ns"
clock_read_irq = "37ns"
mmio_read = "1103ns"
mmio_write = "1307ns"
irq_entry = "709ns"
irq_exit = "211ns"
xfer_get = "83ns"
copy_message = "61ns"
ring_add = "101ns"
ring_get = "89ns"
rx_callback = "307ns"
context_switch = "1511ns"
syscall_return = "173ns"
[device]
queue_size = 16
event_idx = true
indirect_desc = true
[output]
registers = true
[platform]
workers = 2
sensor_max_async = 4
[[platform.sensor]]
name = "s0"
reading_step = 1
[[platform.sensor]]
name = "s1"
async = true
reading_step = 1
[[platform.clock]]
name = "c0"
rate = 1_000_000
[[workload.context]]
name = "a"
cpu = 0
[[workload.context]]
name = "b"
cpu = 1
[[workload.context]]
name = "c"
cpu = 1
[[workload.context]]
name = "d"
cpu = 3
[[workload.loop]]
context = "a"
count = 60
calls = [{ call = "sensor_read", id = 0 }, { call = "sensor_read", id = 1 }]
[[workload.loop]]
context = "b"
count = 60
calls = [{ call = "clock_get_rate", id = 0 }, { call = "base_version" }]
[[workload.loop]]
context = "c"
count = 60
calls = [{ call = "sensor_read", id = 1 }, { call = "clock_enable", id = 0 }]
[[workload.loop]]
context = "d"
count = 60
calls = [{ call = "sensor_read", id = 0 }]
)";

histogram some_histogram() {
    histogram h;
    h.width = microseconds(1);
    h.bins = {{microseconds(3), 90}, {microseconds(4), 9}, {microseconds(40), 1}};
    h.max = microseconds(41);
    return h;
}

/// One of each kind that there is, about 5 us long.
std::vector<distribution_ptr> all_kinds() {
    return {make_constant(nanoseconds(4567)),
            make_uniform(microseconds(1), microseconds(9)),
            make_normal(microseconds(5), microseconds(4)),
            make_lognormal(microseconds(4), 0.8),
            make_exponential(microseconds(5)),
            make_gamma(0.7, microseconds(5)),
            make_weibull(0.8, microseconds(5)),
            make_pareto(1.8, microseconds(2)),
            make_mixture({{9, make_uniform(microseconds(1), microseconds(2))},
                          {1, make_exponential(microseconds(100))}}),
            make_histogram(some_histogram(), histogram_overflow::drop),
            make_recorded({microseconds(2), nanoseconds(7001), microseconds(3)}, true)};
}

/// `everything`, the hops' kinds of distribution moved on by `turn`.
scenario::scenario everything_random(std::size_t turn = 0) {
    scenario::scenario s = parse_scenario(everything, "everything.toml");
    const std::vector<distribution_ptr> kinds = all_kinds();
    for (std::size_t h = 0; h < hop_count; ++h) {
        if (hop(h) == hop::poll) continue;
        s.system.hops[h] = kinds[(h + turn) % kinds.size()];
    }
    s.system.hops[std::size_t(hop::service)] = make_exponential(microseconds(300));
    s.system.platform.delayed_work = kinds[(turn + 3) % kinds.size()];
    for (models::call_loop& l : s.system.guest.loops) l.think = make_exponential(microseconds(200));
    return s;
}

// --- hops add up ------------------------------------------------------------------------------

class hop_sums : public testing::TestWithParam<std::size_t> {};

TEST_P(hop_sums, are_the_round_trip_of_every_request) {
    const scratch_folder out;
    const scenario::scenario s = everything_random(GetParam());
    const auto done = run_in_child(s, out.path() / "o");
    EXPECT_EQ(done.status, run_status::ok) << done.report;
    const auto rows = read_csv(out.path() / "o/requests.csv");
    ASSERT_GE(rows.size(), 240u);
    std::size_t timed_out = 0;
    std::array<std::size_t, span_count> used{};
    for (const auto& row : rows) {
        std::int64_t sum = 0;
        for (const hop_info& h : span_table) {
            const std::int64_t span = std::stoll(row.at(std::string(h.name) + "_ps"));
            EXPECT_GE(span, 0) << "request " << row.at("id") << ", hop " << h.name;
            sum += span;
            used[std::size_t(h.id)] += span > 0;
        }
        EXPECT_EQ(sum, std::stoll(row.at("round_trip_ps"))) << "request " << row.at("id");
        timed_out += row.at("outcome") == "timed_out";
    }
    EXPECT_GT(timed_out, 0u) << "the scenario no longer has timeouts: it tests less than it says";
    for (std::size_t h = 0; h < hop_count; ++h) {
        EXPECT_EQ(used[h] == 0, hop(h) == hop::poll) << name_of(hop(h));
    }
    // What of a delayed response's way is left when its caller begins to wait, is chance.
    EXPECT_GT(used[std::size_t(hop::delayed_wake)], 0u);
}

INSTANTIATE_TEST_SUITE_P(distributions, hop_sums, testing::Range<std::size_t>(0, 11));

// --- checkers see seeded violations -----------------------------------------------------------

/// Runs the small system with a saboteur at work when request 30 is under way.
class saboteur : public sc_core::sc_module {
public:
    saboteur(const sc_core::sc_module_name& n, models::system& top,
             std::function<void(request&)> act)
        : sc_core::sc_module(n), top_(top), act_(std::move(act)) {
        SC_HAS_PROCESS(saboteur);
        SC_THREAD(run);
    }

private:
    void run() {
        for (;;) {
            wait(to_sc(microseconds(1)));
            for (request* r : top_.mon().open()) {
                if (r->id < 30 || r->reached != std::size_t(instant::taken)) continue;
                act_(*r);
                return;
            }
        }
    }
    models::system& top_;
    std::function<void(request&)> act_;
};

models::system_config slow_system() {
    models::system_config c = models::testing_tools::small_system();
    c.hops[std::size_t(hop::service)] = make_constant(microseconds(50));
    c.guest.loops = {models::testing_tools::loop_of(
        "task", {{models::call_named("sensor_read"), 0, 0}}, 50, microseconds(5))};
    return c;
}

/// The violations of a run in which `act` breaks a rule once.
std::vector<models::violation> sabotaged(
    const std::function<void(models::system&, request&)>& act) {
    collector sink;
    models::system top("top", slow_system(), sink);
    saboteur bad("saboteur", top, [&](request& r) { act(top, r); });
    sc_core::sc_start(to_sc(seconds(1)));
    top.finish();
    EXPECT_EQ(top.mon().violations(), sink.violations.size());
    EXPECT_GE(sink.requests.size(), 50u) << "the run did not go on";
    return sink.violations;
}

TEST(checkers, are_silent_without_a_saboteur) {
    EXPECT_TRUE(sabotaged([](models::system&, request&) {}).empty());
}

TEST(checkers, see_a_driver_that_reads_a_buffer_that_the_device_has) {
    // The reply's buffer is the device's until it comes back (virtio 1.3 section 2.7.13).
    sim_time when;
    const auto found = sabotaged([&](models::system& top, request&) {
        virtio::driver_queue& q = top.guest().driver().queue(virtio::scmi_cmdq);
        const auto writable =
            top.view().load<virtio::descriptor>(virtio::actor::driver, q.layout().desc + 16);
        when = now();
        std::uint32_t word = 0;
        top.view().read(virtio::actor::driver, writable.address, &word, sizeof word);
    });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].checker, "virtqueue ownership");
    EXPECT_EQ(found[0].when, when);
    EXPECT_NE(found[0].what.find("driver read of 4 bytes at 10"), std::string::npos)
        << found[0].what;
    EXPECT_EQ(found[0].source.substr(0, 7), "virtio ");
}

TEST(checkers, see_a_payload_that_breaks_the_tlm_base_protocol) {
    // A response status that is not INCOMPLETE at the start (IEEE 1666-2011 14.17).
    sim_time when;
    const auto found = sabotaged([&](models::system& top, request&) {
        std::uint32_t word = 0;
        tlm::tlm_generic_payload p;
        p.set_command(tlm::TLM_READ_COMMAND);
        p.set_address(slow_system().device.mmio_base + virtio::mmio::magic_value);
        p.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
        p.set_data_length(4);
        p.set_streaming_width(4);
        p.set_response_status(tlm::TLM_OK_RESPONSE);
        sc_core::sc_time delay;
        when = now();
        top.guest().driver().bus->b_transport(p, delay);
    });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].checker, "TLM base protocol");
    EXPECT_EQ(found[0].when, when);
    EXPECT_NE(found[0].what.find("top.guest_bus_checker: "), std::string::npos) << found[0].what;
    EXPECT_EQ(found[0].source.substr(0, 14), "IEEE 1666-2011");
}

TEST(checkers, see_an_interrupt_line_without_a_cause) {
    sim_time when;
    const auto found = sabotaged([&](models::system& top, request&) {
        when = now();
        top.irq().set(true);
        top.irq().set(false);
    });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].checker, "interrupt line");
    EXPECT_EQ(found[0].when, when);
    EXPECT_NE(found[0].what.find("top.irq: "), std::string::npos) << found[0].what;
    EXPECT_EQ(found[0].source.substr(0, 7), "virtio ");
}

TEST(checkers, see_a_hop_that_does_not_fit_its_neighbours) {
    // An instant after the next one: the sum still holds, but a hop is negative.
    std::uint64_t id = 0;
    const auto found = sabotaged([&](models::system&, request& r) {
        id = r.id;
        r.at[std::size_t(instant::seen)] += seconds(1);
    });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].checker, "hop sums");
    EXPECT_NE(found[0].what.find("request " + std::to_string(id) + ":"), std::string::npos);
    EXPECT_FALSE(found[0].source.empty());
}

TEST(checkers, make_a_run_fail_with_the_violation_in_report_and_file) {
    // run_scenario builds its own system: the saboteur finds it in the SystemC hierarchy.
    const scratch_folder out;
    scenario::scenario s = parse_scenario(everything, "everything.toml");
    s.system = slow_system();
    const std::string result = run_forked("a sabotaged run", [&] {
        struct late_saboteur : sc_core::sc_module {
            explicit late_saboteur(const sc_core::sc_module_name& n) : sc_core::sc_module(n) {
                SC_HAS_PROCESS(late_saboteur);
                SC_THREAD(run);
            }
            void run() {
                wait(to_sc(microseconds(500)));
                auto* line = dynamic_cast<interrupt_line*>(sc_core::sc_find_object("top.irq"));
                line->set(true);
                line->set(false);
            }
        } bad("saboteur");
        std::ostringstream report;
        run_options options;
        options.out = out.path() / "o";
        const run_status status = run_scenario(s, options, report);
        return std::string(status == run_status::violations ? "violations\n" : "other\n") +
               report.str();
    });
    EXPECT_EQ(result.substr(0, 11), "violations\n");
    EXPECT_NE(result.find("VIOLATION at 500us, interrupt line: top.irq: "), std::string::npos)
        << result;
    EXPECT_NE(testing_tools::contents(out.path() / "o/violations.txt")
                  .find("500us: interrupt line: top.irq: "),
              std::string::npos);
}

// --- determinism ------------------------------------------------------------------------------

/// Fails with the first file and line in which two output folders differ.
void expect_same_files(const std::filesystem::path& a, const std::filesystem::path& b) {
    const auto left = folder(a), right = folder(b);
    for (const auto& [name, text] : left) {
        ASSERT_TRUE(right.count(name)) << name << " is missing in " << b;
        const std::string& other = right.at(name);
        if (text == other) continue;
        const auto [x, y] = std::mismatch(text.begin(), text.end(), other.begin(), other.end());
        const auto around = [&](const std::string& t, std::size_t at) {
            const std::size_t from = t.rfind('\n', at ? at - 1 : 0);
            const std::size_t begin = from == std::string::npos ? 0 : from + 1;
            return t.substr(begin, t.find('\n', at) - begin);
        };
        ADD_FAILURE() << name << " differs:\n  " << around(text, std::size_t(x - text.begin()))
                      << "\n  " << around(other, std::size_t(y - other.begin()));
    }
    EXPECT_EQ(left.size(), right.size());
}

class determinism : public testing::Test {
protected:
    void run(const scenario::scenario& s, const std::string& name) {
        run_options options;
        options.out = out.path() / name;
        options.vcd = true;
        options.quiet = true;
        const auto done = run_in_child(s, options);
        EXPECT_EQ(done.status, run_status::ok) << done.report;
    }
    void expect_same(const std::string& a, const std::string& b) {
        expect_same_files(out.path() / a, out.path() / b);
    }
    scratch_folder out;
};

TEST_F(determinism, the_same_scenario_and_seed_give_the_same_bytes) {
    run(everything_random(), "a");
    run(everything_random(), "b");
    expect_same("a", "b");
    EXPECT_GT(folder(out.path() / "a").at("waves.vcd").size(), 100'000u);
}

TEST_F(determinism, another_seed_gives_other_results) {
    run(everything_random(), "a");
    scenario::scenario s = everything_random();
    s.system.seed = 2;
    run(s, "b");
    EXPECT_NE(folder(out.path() / "a").at("requests.csv"),
              folder(out.path() / "b").at("requests.csv"));
}

TEST_F(determinism, the_quantum_changes_nothing) {
    run(everything_random(), "a");
    for (const sim_time quantum :
         {picoseconds(1), nanoseconds(10), microseconds(100), seconds(1)}) {
        SCOPED_TRACE(to_string(quantum));
        scenario::scenario s = everything_random();
        s.system.quantum = quantum;
        run(s, to_string(quantum));
        expect_same("a", to_string(quantum));
    }
}

TEST_F(determinism, running_ahead_of_systemc_changes_nothing) {
    // 0: SystemC moves at each instant; 1 s: it hardly ever does.
    run(everything_random(), "a");
    for (const sim_time most : {sim_time{}, nanoseconds(700), microseconds(50), seconds(1)}) {
        SCOPED_TRACE(to_string(most));
        scenario::scenario s = everything_random();
        s.system.run_ahead = most;
        run(s, to_string(most));
        expect_same("a", to_string(most));
    }
}

TEST_F(determinism, the_quantum_changes_nothing_without_a_waveform_on_one_cpu) {
    // Without a waveform nothing but the model's own rules makes tasks synchronise; on one CPU an
    // interrupt can come in the middle of what another task has run ahead.
    const auto one_cpu = [](sim_time quantum) {
        scenario::scenario s = everything_random(4);
        s.system.quantum = quantum;
        s.system.guest.cpus = 1;
        s.system.guest.irq_cpu = 0;
        for (models::context_config& c : s.system.guest.contexts) c.cpu = 0;
        return s;
    };
    EXPECT_EQ(run_in_child(one_cpu(microseconds(1)), out.path() / "a").status, run_status::ok);
    for (const sim_time quantum : {nanoseconds(10), microseconds(100)}) {
        SCOPED_TRACE(to_string(quantum));
        const std::string name = to_string(quantum);
        EXPECT_EQ(run_in_child(one_cpu(quantum), out.path() / name).status, run_status::ok);
        expect_same("a", name);
    }
}

TEST_F(determinism, a_waveform_changes_nothing_else) {
    run(everything_random(), "with");
    EXPECT_EQ(run_in_child(everything_random(), out.path() / "without").status, run_status::ok);
    const auto with = folder(out.path() / "with"), without = folder(out.path() / "without");
    for (const char* file : {"requests.csv", "scmi.ftrace", "dmesg.txt", "registers.trace"}) {
        EXPECT_EQ(with.at(file), without.at(file)) << file;
    }
}

TEST_F(determinism, direct_memory_access_changes_nothing) {
    run(everything_random(), "a");
    scenario::scenario s = everything_random();
    s.system.use_dmi = false;
    run(s, "b");
    expect_same("a", "b");
}

TEST_F(determinism, tasks_in_lockstep_on_four_cpus_are_served_alike_with_any_quantum) {
    // Without random numbers, tasks do the same at the very same instants: who comes first must not
    // depend on how time was cut.
    const auto lockstep = [](sim_time quantum) {
        scenario::scenario s = parse_scenario(everything, "everything.toml");
        s.system.quantum = quantum;
        s.system.hops[std::size_t(hop::service)] = make_constant(microseconds(10));
        for (std::size_t i = 0; i < 4; ++i) {
            s.system.guest.contexts[i].cpu = unsigned(i);
            s.system.guest.loops[i].calls = {{models::call_named("sensor_read"), 0, 0}};
        }
        return s;
    };
    run(lockstep(microseconds(1)), "a");
    for (const sim_time quantum : {nanoseconds(10), nanoseconds(97), microseconds(100)}) {
        SCOPED_TRACE(to_string(quantum));
        run(lockstep(quantum), to_string(quantum));
        expect_same("a", to_string(quantum));
    }
    for (const sim_time most : {sim_time{}, microseconds(20)}) {
        SCOPED_TRACE("run ahead " + to_string(most));
        scenario::scenario s = lockstep(microseconds(1));
        s.system.run_ahead = most;
        run(s, "ahead " + to_string(most));
        expect_same("a", "ahead " + to_string(most));
    }
}

}  // namespace
}  // namespace scmi_vp::runs
