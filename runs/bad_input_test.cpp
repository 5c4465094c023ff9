// SPDX-License-Identifier: Apache-2.0
// Whole runs that cannot go well: each ends, with one clear error or a report that says what was
// still going on.
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "runs/load.h"
#include "runs/output_directory.h"
#include "runs/small_disk_testing.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
using scenario::testing_tools::error_of;
using scenario::testing_tools::scratch_folder;
using testing_tools::contents;
using testing_tools::finished_run;
using testing_tools::run_in_child;

const std::string platform = R"(
[[platform.sensor]]
name = "s0"
[[platform.sensor]]
name = "s1"
[[workload.context]]
name = "reader"
pid = 77
)";

const std::string endless = R"(
[[workload.loop]]
context = "reader"
count = 0
calls = [{ call = "sensor_read", id = 1 }]
)";

finished_run run(const scenario::scenario& s) {
    return run_in_child(s, run_options{});
}

TEST(bad_input, agents_that_never_finish_end_with_a_report_of_who_waits_where) {
    // Sensor 1 is never answered and the loop wants another call: each times out after 60.384 s
    // (HZ 250), and sim.duration ends the run in the middle of the second.
    const finished_run r =
        run(parse_scenario(platform + endless +
                               "[[platform.service]]\nprotocol = \"sensor\"\n"
                               "message = \"SENSOR_READING_GET\"\nresource = 1\nnever = true\n"
                               "[sim]\nduration = \"100s\"\n",
                           "s.toml", {"workload.loop.0.count=5"}));
    EXPECT_EQ(r.status, run_status::unfinished);
    EXPECT_NE(r.report.find("The run ended at 100s (sim.duration) with work left:\n"
                            "  reader-77: 1 calls returned, in sensor_read since 60.384s (39.62s)\n"
                            "  request "),
              std::string::npos)
        << r.report;
    EXPECT_NE(r.report.find(" is in hop service\n"), std::string::npos) << r.report;
}

// The same without a count: the end of the run is what the loop waits for. Who is in a call is told
// all the same. Another task with a count has work left, though.
TEST(bad_input, a_loop_without_a_count_is_finished_when_the_run_ends) {
    const std::string text = platform + endless +
                             "[[platform.service]]\nprotocol = \"sensor\"\n"
                             "message = \"SENSOR_READING_GET\"\nresource = 1\nnever = true\n"
                             "[sim]\nduration = \"100s\"\n";
    const finished_run r = run(parse_scenario(text, "s.toml"));
    EXPECT_EQ(r.status, run_status::ok);
    EXPECT_NE(r.report.find("The run ended at 100s (sim.duration) in the middle of:\n"
                            "  reader-77: 1 calls returned, in sensor_read since 60.384s (39.62s)\n"
                            "  request "),
              std::string::npos)
        << r.report;
    const std::string counted =
        "[[workload.context]]\nname = \"counted\"\n[[workload.loop]]\ncontext = \"counted\"\n"
        "count = 2\ncalls = [{ call = \"sensor_read\", id = ";
    EXPECT_EQ(run(parse_scenario(text + counted + "1 }]\n", "s.toml")).status,
              run_status::unfinished);
    EXPECT_EQ(run(parse_scenario(text + counted + "0 }]\n", "s.toml")).status, run_status::ok);
}

TEST(bad_input, a_platform_that_never_answers_fails_the_probe) {
    // scmi_base_protocol_init fails after one rx timeout; the workload cannot run.
    const finished_run r =
        run(parse_scenario(platform + endless + "[[platform.service]]\nnever = true\n", "s.toml"));
    EXPECT_EQ(r.status, run_status::no_probe);
    EXPECT_NE(r.report.find("arm-scmi firmware:scmi: unable to communicate with SCMI"),
              std::string::npos);
    EXPECT_NE(r.report.find("The driver's probe failed"), std::string::npos);
}

TEST(bad_input, a_run_that_ends_during_the_probe_says_so) {
    const finished_run r = run(parse_scenario(platform + endless +
                                                  "[[platform.service]]\nnever = true\n"
                                                  "[sim]\nduration = \"1s\"\n",
                                              "s.toml"));
    EXPECT_EQ(r.status, run_status::unfinished);
    EXPECT_NE(r.report.find("the driver's probe has not ended"), std::string::npos) << r.report;
    EXPECT_NE(r.report.find("request 1 is in hop service"), std::string::npos) << r.report;
}

TEST(bad_input, time_that_stands_still_is_an_error_and_not_a_hang) {
    const std::string stands_still = "simulated time stands still at 0s: a workload without think ";
    // A closed loop on a platform without latency.
    EXPECT_EQ(error_of([] {
                  run(parse_scenario(platform + endless, "s.toml"));
              }).substr(0, stands_still.size()),
              stands_still);
    // Calls that fail at once because hwmon could not be probed (after two timeouts of 60 s at
    // HZ 250): no request is ever made.
    const std::string no_hwmon = "[[platform.service]]\nprotocol = \"sensor\"\nnever = true\n";
    EXPECT_EQ(error_of([&] {
                  run(parse_scenario(platform + endless + no_hwmon, "s.toml"));
              }).substr(0, 36),
              "simulated time stands still at 121.8");
    // Arrivals that take no time (the loader refuses them; a program may build them).
    scenario::scenario open = parse_scenario(platform, "s.toml");
    models::open_arrivals all_at_once;
    all_at_once.contexts = {"reader"};
    all_at_once.calls = {{models::call_named("sensor_read"), 0, 0}};
    all_at_once.interarrival = make_constant({});
    open.system.guest.open = {all_at_once};
    EXPECT_EQ(error_of([&] { run(open); }).substr(0, stands_still.size()), stands_still);
}

TEST(bad_input, a_run_that_fails_leaves_its_traces_and_no_table_that_looks_whole) {
    const scratch_folder folder;
    EXPECT_NE(error_of([&] {
                  run_in_child(parse_scenario(platform + endless, "s.toml"), folder.path());
              }),
              "no error");
    EXPECT_FALSE(folder.read("dmesg.txt").empty());
    EXPECT_FALSE(fs::exists(folder.path() / "requests.csv"));
    EXPECT_FALSE(fs::exists(folder.path() / "summary.json"));
    EXPECT_NE(folder.read("requests.csv.part").find("BASE"), std::string::npos);
}

TEST(bad_input, errors_of_a_running_simulation_keep_their_kind) {
    try {
        run(parse_scenario(platform + endless, "s.toml"));
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::config);
    }
}

TEST(bad_input, memory_too_small_for_the_rings_is_named) {
    const std::string sizes =
        "[guest]\nmemory = \"1MiB\"\n[device]\nqueue_size = 32768\nevent_queue_size = 32768\n";
    EXPECT_EQ(error_of([&] { run(parse_scenario(platform + sizes, "s.toml")); }),
              "guest.memory is too small for the rings and message buffers");
}

// --- outputs that cannot be written -----------------------------------------------------------

const std::string many_requests = platform + R"(
[output]
registers = true
[hops]
service = "10us"
[[workload.loop]]
context = "reader"
count = 5000
calls = [{ call = "sensor_read", id = 0 }]
)";

TEST(bad_input, a_folder_that_holds_something_else_is_left_alone) {
    const scratch_folder folder;
    folder.write("precious.txt", "data");
    const scenario::scenario s = parse_scenario(platform, "s.toml");
    EXPECT_NE(error_of([&] {
                  run_in_child(s, folder.path());
              }).find("has files that scmi-vp did not write"),
              std::string::npos);
    EXPECT_EQ(folder.read("precious.txt"), "data");
    EXPECT_NE(error_of([&] {
                  run_in_child(s, folder.path() / "precious.txt");
              }).find("is a file, not a folder"),
              std::string::npos);
    EXPECT_NE(error_of([&] { run_in_child(s, "/proc/scmi-vp"); }).find("cannot make this folder"),
              std::string::npos);
}

class full_disk : public testing::Test {
protected:
    void SetUp() override {
        if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
    }
    void expect_no_room(const run_options& options) {
        try {
            run_in_child(parse_scenario(many_requests, "s.toml"), options);
            FAIL() << "no error";
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::output) << e.what();
            EXPECT_NE(std::string(e.what()).find("No space left on device"), std::string::npos)
                << e.what();
            EXPECT_NE(std::string(e.what()).find(options.out.string()), std::string::npos)
                << e.what();
        }
    }
    testing_tools::small_disk disk{"256k"};
};

TEST_F(full_disk, is_an_output_error_that_names_the_file_and_leaves_what_was_written) {
    run_options options;
    options.out = disk.path() / "o";
    options.quiet = true;
    expect_no_room(options);
    EXPECT_FALSE(contents(options.out / "registers.trace").empty());
    EXPECT_FALSE(contents(options.out / ".scmi-vp-output").empty());
    // A trace is of use up to its end; a table that is cut makes room for the summary.
    EXPECT_FALSE(fs::exists(options.out / "requests.csv"));
    EXPECT_FALSE(fs::exists(options.out / "requests.csv.part"));
    EXPECT_FALSE(nlohmann::json::parse(contents(options.out / "summary.json")).empty());
    // The folder is still ours.
    EXPECT_NO_THROW(output_directory again(options.out));
    EXPECT_FALSE(fs::exists(options.out / "registers.trace"));
}

TEST_F(full_disk, under_a_waveform_is_an_output_error) {
    // The waveform is written while the simulation runs, from SystemC methods: the error is still
    // the user's full disk and not a defect of the simulator.
    run_options options;
    options.out = disk.path() / "o";
    options.quiet = true;
    options.vcd = true;
    expect_no_room(options);
    EXPECT_FALSE(nlohmann::json::parse(contents(options.out / "summary.json")).empty());
}

}  // namespace
}  // namespace scmi_vp::runs
