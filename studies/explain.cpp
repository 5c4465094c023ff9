// SPDX-License-Identifier: Apache-2.0
// See explain.h: which request, of which run; the sentences are in story_text.cpp.
#include "studies/explain.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "studies/replay.h"
#include "studies/report_data.h"
#include "studies/story_text.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_json(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) throw error(error_kind::input, path.string(), "cannot be read");
    json j = json::parse(text.str(), nullptr, false);
    if (j.is_discarded() || !j.is_object()) {
        throw error(error_kind::input, path.string(),
                    "is not JSON as scmi-vp writes it; was it cut or edited? Run the study again");
    }
    return j;
}

/// A run as a study of one point and one replication; statistics that a run does not write are
/// left out.
json study_of(const json& summary, const fs::path& path) {
    const json_place run(summary, "", path.string());
    const std::string scenario = run.at("scenario").text();
    const std::uint64_t seed = run.at("seed").count(), requests = run.at("requests").count();
    json point{
        {"id", 0}, {"labels", json::object()}, {"set", json::array()}, {"requests", requests}};
    point["replication_results"] = {{{"seed", seed}, {"requests", requests}}};
    if (run.has("round_trip_ps")) {
        const json_place trip = run.at("round_trip_ps");
        point["slowest"] = {{"replication", 0},
                            {"request", trip.at("slowest_request").count()},
                            {"round_trip_ps", trip.at("max").time().ps}};
    }
    return {{"format", results_format},
            {"title", run.at("title").text()},
            {"description", ""},
            {"seed", seed},
            {"replications", 1},
            {"scenario", scenario},
            {"set", run.at("set").texts()},
            {"axes", json::array()},
            {"points", json::array({point})},
            {"notes", json::array()}};
}

/// Of a request that results.json names for each point, that with the longest `span`, in one point
/// or in all; of equals the first.
request_choice recorded(const std::vector<json_place>& points, const request_choice& choice,
                        const char* which, const char* span, const std::string& none) {
    std::int64_t longest = -1;
    request_choice found = choice;
    for (std::size_t p = 0; p < points.size(); ++p) {
        if (choice.point && *choice.point != p) continue;
        if (!points[p].has(which) || points[p].at(which).is_null()) continue;
        const json_place named = points[p].at(which);
        const std::uint64_t id = named.at("request").count();
        const std::int64_t length = named.at(span).time().ps;
        if (id == 0 || length <= longest) continue;
        longest = length;
        found = {request_choice::by::number, id, p, named.at("replication").count()};
    }
    if (longest < 0) throw error(error_kind::usage, none);
    return found;
}

request_choice recorded_slowest(const std::vector<json_place>& points, const request_choice& c) {
    return recorded(points, c, "slowest", "round_trip_ps",
                    "there was no request, so none was the slowest");
}

request_choice recorded_late(const std::vector<json_place>& points, const request_choice& c) {
    return recorded(points, c, "latest_reply", "after_ps",
                    c.point ? "no reply came late in point " + std::to_string(*c.point)
                            : "no reply came late in this study");
}

void check_ranges(const std::vector<json_place>& points, const request_choice& c) {
    const auto refuse = [](const char* what, std::size_t given, std::size_t count) {
        throw error(error_kind::usage,
                    "there is no " + std::string(what) + " " + std::to_string(given) +
                        ": these results have " + std::to_string(count) +
                        (count == 1 ? ", number 0" : ", 0 to " + std::to_string(count - 1)));
    };
    if (c.point && *c.point >= points.size()) refuse("point", *c.point, points.size());
    const std::size_t replications =
        points[c.point.value_or(0)].at("replication_results").elements().size();
    if (c.replication && *c.replication >= replications) {
        refuse("replication", *c.replication, replications);
    }
}

/// Everything in it is set afterwards, except when the run itself must tell which request it is.
request_choice completed(const std::vector<json_place>& points, request_choice c) {
    if (points.empty()) throw error(error_kind::input, "results.json", "points is empty");
    check_ranges(points, c);
    const bool one_run =
        points.size() == 1 && points[0].at("replication_results").elements().size() == 1;
    const bool named = one_run || (c.point && c.replication);
    if (!named && c.how == request_choice::by::slowest) c = recorded_slowest(points, c);
    if (!named && c.how == request_choice::by::late) c = recorded_late(points, c);
    if (!c.point) c.point = 0;
    if (!c.replication) c.replication = 0;
    check_ranges(points, c);
    return c;
}

[[noreturn]] void refuse_request(const request_choice& c, const survey& v,
                                 const std::string& where) {
    if (c.how == request_choice::by::late) {
        throw error(error_kind::usage, "no reply came late in " + where);
    }
    if (v.requests == 0) throw error(error_kind::usage, "there was no request in " + where);
    throw error(error_kind::usage, "there is no request " + std::to_string(c.request) + " in " +
                                       where + ": it had " + std::to_string(v.requests) +
                                       ", numbered 1 to " + std::to_string(v.requests));
}

}  // namespace

bool is_study(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "results.json", ignored);
}

json load_results(const fs::path& folder) {
    if (is_study(folder)) return read_json(folder / "results.json");
    std::error_code ignored;
    const fs::path summary = folder / "summary.json";
    if (fs::exists(summary, ignored)) return study_of(read_json(summary), summary);
    const char* const what = fs::is_directory(folder, ignored)
                                 ? "has neither results.json nor summary.json: it is not a folder "
                                   "that `scmi-vp study` or `scmi-vp run --out` wrote"
                                 : "is not a folder; give the one that --out named";
    throw error(error_kind::input, folder.string(), what);
}

testbenches::scenario scenario_of_results(const json& results, std::size_t point,
                                          std::size_t replication) {
    const json_place j(results, "");
    const std::string file = j.at("scenario").text();
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) {
        throw error(error_kind::input, file,
                    "the scenario of these results is not there; its path is as seen from the "
                    "folder in which they were made: change to that folder, or put it back");
    }
    const json_place p = j.at("points").elements().at(point);
    std::vector<std::string> set = p.at("set").texts();
    for (const std::string& s : j.at("set").texts()) set.push_back(s);
    const json_place one = p.at("replication_results").elements().at(replication);
    set.push_back("sim.seed=" + std::to_string(one.at("seed").count()));
    return testbenches::load_scenario(file, set);
}

story story_of(const json& results, const request_choice& choice, replay_progress progress) {
    const json_place j(results, "");
    check_format(j);
    const std::vector<json_place> points = j.at("points").elements();
    const request_choice c = completed(points, choice);
    const json_place& point = points[*c.point];
    const json_place replication = point.at("replication_results").elements()[*c.replication];

    story_source source;
    source.scenario = j.at("scenario").text();
    source.set = point.at("set").texts();
    for (const std::string& s : j.at("set").texts()) source.set.push_back(s);
    source.recorded_requests = replication.at("requests").count();
    if (replication.has("round_trips_s")) {
        source.recorded_round_trips_s = replication.at("round_trips_s").number();
    }
    source.out.point = *c.point;
    source.out.replication = *c.replication;
    source.out.seed = replication.at("seed").count();
    source.out.point_name = name_of_labels(labels_of(point, j.at("axes").texts()));
    source.points = points.size();
    source.replications = point.at("replication_results").elements().size();

    const testbenches::scenario s = scenario_of_results(results, *c.point, *c.replication);
    source.seen = survey_run(s, c.how, c.request, progress);
    if (!source.seen.found) refuse_request(c, source.seen, where_of(source));
    source.gaps = host_gaps(s, source.seen.chosen.entered(), source.seen.chosen.end());
    source.around = watch_run(s, watch_for(source.seen), progress);
    return tell(source);
}

}  // namespace scmi_vp::studies
