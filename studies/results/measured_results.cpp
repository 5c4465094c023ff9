// SPDX-License-Identifier: Apache-2.0
// See measured_results.h.
#include "studies/results/measured_results.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>

#include "base/input_file.h"
#include "runs/account.h"
#include "runs/sockets/connect_run.h"
#include "studies/human.h"
#include "studies/results/incidents.h"
#include "studies/results/measured_rows.h"
#include "studies/results/report_data.h"
#include "studies/results/results.h"
#include "studies/shell.h"
#include "traces/latency_file.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using models::request;
using nlohmann::json;
using runs::short_time;

point_result read_point(const fs::path& folder, const json_place& summary) {
    point_result result;
    request_selection selection(0);
    batch_counts spurious, never, delayed_spurious, delayed_never;
    timeout_incidents incidents(summary.at("rx_timeout_ps").time());
    request_row_reader rows(folder, row_counts_of(summary));
    while (const request* row = rows.next()) {
        const request r = runs::as_measured(*row);
        result.totals.add(r, rows.tasks());
        selection.add(r);
        incidents.add(r);
        spurious.add(r.id, is_spurious_timeout(r));
        never.add(r.id, is_true_timeout(r));
        if (!r.waited()) continue;
        delayed_spurious.add(r.wait_number, is_spurious_delayed_timeout(r));
        delayed_never.add(r.wait_number, is_true_delayed_timeout(r));
    }
    result.kept.merge(selection.take(rows.tasks()));
    result.spurious_batches = spurious.units();
    result.true_batches = never.units();
    result.delayed_spurious_batches = delayed_spurious.units();
    result.delayed_true_batches = delayed_never.units();
    point_totals& t = result.totals;
    incidents.count_into(t);
    t.simulated.add(summary.at("simulated_ps").time());
    t.violations = summary.at("violations").count();
    replication_summary& one = result.replications.emplace_back();
    one.seed = summary.at("seed").count();
    one.requests = t.requests;
    one.spurious = t.spurious;
    one.true_timeouts = t.true_timeouts;
    one.refused = t.refused();
    one.finished = one.probed = true;
    one.round_trips_s = t.round_trip.sum().as_seconds();
    one.delayed = t.delayed.requests;
    one.delayed_spurious = t.delayed.spurious;
    one.delayed_true = t.delayed.true_timeouts;
    return result;
}

/// Without the scenario's file: it may be another one by now.
study study_of(const json_place& summary) {
    study s;
    s.title = summary.at("title").text();
    s.description = summary.at("description").text();
    s.scenario = summary.at("scenario").text();
    s.set = summary.at("set").texts();
    s.seed = summary.at("seed").count();
    s.replications = 1;
    s.points.resize(1);
    models::driver_profile& driver = s.points[0].scenario.system.guest.profile;
    driver.max_rx_timeout = summary.at("rx_timeout_ps").time();
    driver.max_delayed_response = summary.at("max_delayed_response_ps").time();
    return s;
}

/// What response.txt holds, in one sentence; without the file an empty one.
std::string device_times(const fs::path& folder) {
    const fs::path path = folder / runs::response_file;
    std::error_code code;
    if (!fs::exists(path, code)) return "";
    std::istringstream in(read_input(path, inputs::latencies));
    traces::span_histogram h;
    for (const sim_time t : traces::read_latency_list(in, path.string()).in_order) h.add(t);
    if (h.count() == 0) return "";
    return "The device took, from the doorbell until its call and by the host's clock (" +
           std::string(runs::response_file) + "): median " + short_time(h.quantile(0.5), 3) +
           ", 99% " + short_time(h.quantile(0.99), 3) + ", maximum " + short_time(h.max()) +
           ", of " + grouped(h.count()) + ".";
}

std::string open_loop_times(const json_place& summary) {
    if (!summary.has("response_ps")) return "";
    const json_place r = summary.at("response_ps");
    return "Responses, from the instant when a call was due: median " +
           short_time(r.at("p50").time(), 3) + ", 99% " + short_time(r.at("p99").time(), 3) +
           ", maximum " + short_time(r.at("max").time()) + ", of " +
           grouped(r.at("count").count()) + ".";
}

json facts_of(const fs::path& folder, const json_place& summary) {
    json facts = json::array();
    for (const std::string& f : {device_times(folder), open_loop_times(summary)}) {
        if (!f.empty()) facts.push_back(f);
    }
    return facts;
}

/// What the rows, taken together, do not show.
void add_remarks(json& remarks, const point_result& result, const json_place& summary) {
    const std::vector<json_place> tasks =
        summary.has("tasks") ? summary.at("tasks").elements() : std::vector<json_place>();
    const bool played = std::any_of(tasks.begin(), tasks.end(),
                                    [](const json_place& t) { return t.at("calls").count() > 0; });
    if (!played && !tasks.empty()) {
        remarks.push_back(
            "no call of the workload returned: the driver's probe failed or had not ended, or the "
            "run ended first; dmesg.txt tells why");
    }
    if (result.totals.true_timeouts || result.totals.delayed.true_timeouts) {
        remarks.push_back(
            "timeouts whose reply had not come when the run ended are counted as true ones: only "
            "the device knows whether it would have");
    }
}

}  // namespace

json measured_results(const json& loaded) {
    const json_place j(loaded, "");
    const fs::path folder = j.at("rows_in").text();
    const json_place summary(loaded.at("summary"), "", (folder / "summary.json").string());
    const study s = study_of(summary);
    const std::vector<point_result> results{read_point(folder, summary)};
    json page = results_json(find_out(s, results));
    json& point = page["points"][0];
    for (const char* key : {"calls_blocked_s", "calls_blocked_of_s"}) {
        point[key] = summary.at(key).number();
    }
    add_remarks(point["remarks"], results[0], summary);
    page["notes"].push_back(
        "Everything between a doorbell and the device's call is hop service, how late the host ran "
        "either side included; what this many replies did not show may still happen.");
    std::vector<std::string> set = s.set;
    for (std::string& one : runs::settings_of_device(folder)) set.push_back(std::move(one));
    page["measured"] = {
        {"how", "measured on a device in real time (scmi-vp connect)"},
        {"facts", facts_of(folder, summary)},
        {"instead", run_command_line(s.scenario.string(), set, s.seed)},
    };
    for (const char* key : {"rows_in", "summary", "file"}) page[key] = loaded.at(key);
    return page;
}

}  // namespace scmi_vp::studies
