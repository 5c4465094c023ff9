// SPDX-License-Identifier: Apache-2.0
// What a device did is told from the rows that were measured, never from a simulation.
#include "studies/results/measured_results.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/account.h"
#include "runs/load.h"
#include "runs/request_csv.h"
#include "runs/sockets/connect_run.h"
#include "runs/sockets/serve_testing.h"
#include "runs/system_testing.h"
#include "scenario/scenario_testing.h"
#include "studies/report/report_files.h"
#include "studies/report/report_text.h"
#include "studies/results/measured_rows.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using runs::load_scenario;
using runs::testing_tools::read_csv;
using scenario::testing_tools::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Its own platform takes 10 us.
constexpr const char* scenario_text = R"(
[scenario]
title = "a device"
[guest]
profile = "linux-6.1"
[hops]
service = "10us"
[platform]
protocols = [0x15]
[[platform.sensor]]
name = "a"
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 30
calls = [ { call = "sensor_read", id = 0 } ]
)";

/// A folder that `scmi-vp connect` made in front of a device that takes 4 ms.
class measured : public testing::Test {
protected:
    measured() {
        files.write("scenario.toml", scenario_text);
        const auto device = load_scenario(files.path() / "scenario.toml", {"hops.service=4ms"});
        runs::serve_options where;
        where.sockets = {"device"};
        const runs::testing_tools::server server(device, where);
        server.await("Ctrl-C ends it");
        runs::connect_options o;
        o.socket = server.folder / "device";
        o.out = out();
        o.quiet = true;
        const auto s = load_scenario(files.path() / "scenario.toml", {});
        runs::run_forked("the driver in front of the device", [&] {
            std::ostringstream report;
            runs::run_connect(s, o, report);
            return report.str();
        });
        rows = read_csv(out() / "requests.csv");
        for (const auto& row : rows) {
            longest = std::max(longest, sim_time(std::stoll(row.at("round_trip_ps"))));
        }
    }
    fs::path out() const { return files.path() / "out"; }
    std::string page() {
        rebuild_report(out());
        return files.read("out/report.html");
    }
    /// In one line: where it is broken depends on what was measured.
    std::string told(const request_choice& c = {}) {
        std::ostringstream text;
        print_story(text, story_of(load_results(out()), c));
        std::string line = text.str();
        std::replace(line.begin(), line.end(), '\n', ' ');
        return line;
    }

    scenario::testing_tools::scratch_folder files;
    std::vector<std::map<std::string, std::string>> rows;
    sim_time longest;
};

TEST_F(measured, a_devices_numbers_are_on_the_page_and_in_the_story) {
    ASSERT_GT(rows.size(), 30u);
    ASSERT_GE(longest, milliseconds(4));
    // Nothing of it needs the scenario, which may be another one by now.
    fs::remove(files.path() / "scenario.toml");
    EXPECT_THAT(page(), AllOf(HasSubstr("<td>" + nice_time(longest) + "</td>"),
                              HasSubstr("measured on a device in real time (scmi-vp connect)"),
                              HasSubstr("The device took, from the doorbell until its call"),
                              HasSubstr("Nothing repeats what a device did"),
                              HasSubstr("response.txt"), Not(HasSubstr("Runs are deterministic"))));
    EXPECT_THAT(told(), AllOf(HasSubstr(runs::short_time(longest)),
                              HasSubstr("in this run, as it was measured."),
                              Not(HasSubstr("simulated")), Not(HasSubstr("waveform"))));
    request_choice third;
    third.how = request_choice::by::number;
    third.request = 3;
    EXPECT_THAT(told(third), AllOf(HasSubstr("Request 3, "), HasSubstr(rows[2].at("task"))));
    third.request = 1000;
    EXPECT_THAT(error_of([&] { told(third); }), HasSubstr("there is no request 1000 in this run"));
}

TEST_F(measured, rows_that_are_not_as_they_were_measured_are_refused) {
    const std::string original = files.read("out/requests.csv");
    const auto refusal = [&](const std::string& text) {
        files.write("out/requests.csv", text);
        const std::string what = error_of([&] { page(); });
        EXPECT_EQ(error_of([&] { told(); }), what);
        EXPECT_FALSE(fs::exists(out() / "report.html"));
        return what;
    };
    const std::size_t last = original.rfind('\n', original.size() - 2) + 1;
    EXPECT_THAT(refusal(original.substr(0, last)),
                HasSubstr("requests.csv: has " + std::to_string(rows.size() - 1) +
                          " requests, while summary.json says " + std::to_string(rows.size())));
    EXPECT_THAT(refusal(original.substr(0, original.size() - 1)),
                HasSubstr("the last line has no end: the file was cut"));
    EXPECT_THAT(refusal(original + "1,2,3\n"), HasSubstr("has 3 columns, the heading "));
    std::string longer = original;
    const std::string trip = "," + rows[0].at("round_trip_ps") + ",";
    longer.replace(longer.find(trip), trip.size(), ",77,");
    EXPECT_THAT(refusal(longer),
                HasSubstr("requests.csv:2: the hops are not those of a round trip of 77ps"));
    std::string kinder = original;
    kinder.replace(kinder.find(",ok,"), 4, ",scmi_error,");
    EXPECT_THAT(refusal(kinder), HasSubstr(" ok, while summary.json says "));
    EXPECT_THAT(refusal("id,task\n"), HasSubstr("requests.csv:1: there is no column protocol"));
    fs::remove(out() / "requests.csv");
    EXPECT_THAT(error_of([&] { page(); }),
                HasSubstr("requests.csv: cannot be read; without the requests that were measured"));
}

/// Written again, a row that was read is what it was: all outcomes, polled ones, late replies.
TEST(request_row_reader, gives_the_requests_that_were_written) {
    const fs::path testbenches = fs::path(SCMI_VP_SOURCE_DIR) / "testbenches";
    for (const char* name :
         {"late-reply/scenario.toml", "faulty-replies/scenario.toml", "validation/36-polled.toml",
          "validation/16-no-messages-left.toml", "validation/08-delayed-responses.toml"}) {
        SCOPED_TRACE(name);
        const scenario::testing_tools::scratch_folder files;
        runs::testing_tools::run_in_child(load_scenario(testbenches / name, {}),
                                          files.path() / "out");
        std::ostringstream again;
        runs::write_request_heading(again);
        request_row_reader reader(files.path() / "out");
        while (const models::request* r = reader.next()) {
            again << "\n";
            runs::write_request_row(again, *r, reader.tasks().at(r->context));
        }
        files.write("again.csv", again.str() + "\n");
        const auto written = read_csv(files.path() / "out/requests.csv");
        const auto read = read_csv(files.path() / "again.csv");
        ASSERT_GT(written.size(), 10u);
        ASSERT_EQ(read.size(), written.size());
        for (std::size_t i = 0; i < written.size(); ++i) {
            for (const std::string& column : request_row_reader::columns()) {
                EXPECT_EQ(read[i].at(column), written[i].at(column)) << column << " of row " << i;
            }
        }
    }
}

}  // namespace
}  // namespace scmi_vp::studies
