// SPDX-License-Identifier: Apache-2.0
// See report_files.h.
#include "studies/report/report_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "runs/folder_lock.h"
#include "runs/forked.h"
#include "runs/output_directory.h"
#include "studies/report/report_html.h"
#include "studies/results/measured_results.h"
#include "studies/results/replication.h"
#include "studies/results/report_data.h"
#include "studies/results/results.h"
#include "studies/stories/explain.h"
#include "studies/stories/replay.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A run's folder says what was run; its statistics are found by running it again.
json repeated(const json& run) {
    const json_place j(run, "", "summary.json");
    study s;
    s.title = j.at("title").text();
    s.scenario = j.at("scenario").text();
    s.replications = 1;
    s.seed = j.at("seed").count();
    s.set = j.at("set").texts();
    s.points.push_back({{}, {}, scenario_of_results(run, 0, 0)});
    s.description = s.points[0].scenario.description;
    std::vector<point_result> results(1);
    merge_replication(results[0], runs::run_forked("repeating the run", [&] {
                          return run_alone(s.points[0].scenario);
                      }));
    json found = results_json(find_out(s, results));
    // By which the run is known again.
    for (const char* key : {"summary", "made_from", "again", "file"}) found[key] = run.at(key);
    return found;
}

std::string page_of(const fs::path& folder, std::string& early) {
    json results = load_results(folder);
    early = early_end_of(results);
    const bool measured = results.contains("rows_in"), run = !is_study(folder);
    if (run) results = measured ? measured_results(results) : repeated(results);
    // All of it is read before a run is repeated.
    const report_data d = read_results(results);
    const bool any = std::any_of(d.points.begin(), d.points.end(),
                                 [](const point_data& p) { return p.slowest.has_value(); });
    std::optional<story> slowest;
    if (any) slowest = story_of(results, request_choice{});
    if (!any && run && !measured) {
        check_repeated(results, 0, 0,
                       survey_run(scenario_of_results(results, 0, 0), request_choice::by::slowest,
                                  0, replay_progress::shown));
    }
    std::ostringstream page;
    write_report(results, slowest ? &*slowest : nullptr, page);
    return page.str();
}

[[noreturn]] void refuse(const fs::path& path) {
    const std::string why = errno ? std::strerror(errno) : "unknown reason";
    throw error(error_kind::output, path.string(), "cannot be written (" + why + ")");
}

/// By what write_report() puts into the head of each page.
bool is_report(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string head(500, '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    return head.find(report_generator) != std::string::npos;
}

}  // namespace

written_report rebuild_report(const fs::path& folder) {
    const std::string name = "report.html";
    const std::string part_name = ".report.html.part";
    const fs::path path = folder / name, part = folder / part_name;
    const runs::folder_lock lock(folder, runs::folder_use::update);
    std::error_code code;
    if (fs::exists(fs::symlink_status(path, code)) && !is_report(path)) {
        throw error(error_kind::output, path.string(),
                    "was not written by scmi-vp and is in the way; move it");
    }
    std::string early;
    const std::string page = page_of(folder, early);
    // A folder that was copied without its list stays without.
    runs::output_directory::enlist(folder, name);
    runs::output_directory::enlist(folder, part_name);  // killed while it writes
    // Renamed when it is whole: a full disk must not cost the old one.
    errno = 0;
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out << page;
    out.close();
    if (!out) {
        const int failed = errno;
        fs::remove(part, code);
        errno = failed;
        refuse(path);
    }
    fs::rename(part, path, code);
    if (code)
        throw error(error_kind::output, path.string(),
                    "cannot be replaced (" + code.message() + ")");
    return {path, page.size(), early};
}

}  // namespace scmi_vp::studies
