// SPDX-License-Identifier: Apache-2.0
// See explain.h: which request, of which run; the sentences are in story_text.cpp.
#include "studies/stories/explain.h"

#include <algorithm>

#include "base/error.h"
#include "base/input_file.h"
#include "base/nesting.h"
#include "runs/fingerprint.h"
#include "runs/load.h"
#include "studies/results/measured_rows.h"
#include "studies/results/provenance.h"
#include "studies/results/report_data.h"
#include "studies/shell.h"
#include "studies/stories/replay.h"
#include "studies/stories/story_text.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_json(const fs::path& path) {
    const std::string text = read_input(path, inputs::results);
    if (too_deep_in_json(text)) {
        throw error(error_kind::input, path.string(),
                    "is nested deeper than " + std::to_string(deepest_nesting) +
                        " levels: scmi-vp did not write it");
    }
    json j = json::parse(text, nullptr, false);
    if (j.is_discarded() || !j.is_object()) {
        throw error(error_kind::input, path.string(),
                    "is not JSON as scmi-vp writes it; was it cut or edited? Run the study again");
    }
    return j;
}

/// The command that makes a run's folder anew.
std::string again(const json_place& summary, const std::string& folder) {
    return run_command_line(summary.at("scenario").text(), summary.at("set").texts(),
                            summary.at("seed").count()) +
           " --out " + shell_quoted(folder);
}

[[noreturn]] void refuse_linux(const json_place& summary, const fs::path& folder) {
    throw error(error_kind::input, folder.string(),
                "holds what a real Linux kernel did (scmi-vp linux), and that is not repeated "
                "here: read its scmi.ftrace, dmesg.txt and console.txt. Of the modelled driver: " +
                    again(summary, "DIR"));
}

/// A run as a study of one point and one replication; statistics that a run does not write are
/// left out.
json study_of(const json& summary, const fs::path& folder) {
    const json_place run(summary, "", (folder / "summary.json").string());
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
            {"notes", json::array()},
            {"summary", summary}};
}

json load_run(const fs::path& folder) {
    const fs::path path = folder / "summary.json";
    const json summary = read_json(path);
    const json_place run(summary, "", path.string());
    if (!run.has("format") || run.at("format").text() != runs::summary_format) {
        throw error(error_kind::input, path.string(),
                    "another version of scmi-vp wrote it (its format is not '" +
                        std::string(runs::summary_format) + "'); run it again");
    }
    const std::string command = run.at("command").text();
    if (command == "linux") refuse_linux(run, folder);
    json results = study_of(summary, folder);
    if (command == "connect") {
        check_parts(run, path.string(), parts_of_run(run),
                    "scmi-vp connect " + shell_quoted(run.at("scenario").text()) +
                        " --socket PATH --out " + shell_quoted(folder.string()));
        results["rows_in"] = folder.string();
    } else {
        const std::string anew = again(run, folder.string());
        results["again"] = anew;
        check_made_from(run, path.string(), parts_of_run(run), anew);
        results["made_from"] = summary.at("made_from");
    }
    results["file"] = path.string();
    return results;
}

json load_study_results(const fs::path& folder) {
    const fs::path path = folder / "results.json";
    json results = read_json(path);
    const json_place j(results, "");
    check_format(j);
    for (const json_place& p : j.at("points").elements()) {
        for (const json_place& r : p.at("replication_results").elements()) {
            r.at("requests").count();
            r.at("round_trips_s").number();
        }
    }
    const std::string command =
        study_command_line(j.at("study").text(), j.at("set").texts(), j.at("seed").count()) +
        " --out " + shell_quoted(folder.string());
    check_made_from(j, path.string(), parts_of_study(j), command);
    results["again"] = command;
    results["file"] = path.string();
    return results;
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
        throw error(error_kind::usage, "there is no " + std::string(what) + " " +
                                           std::to_string(given) + ": these results have " +
                                           (count ? std::to_string(count) : "none") +
                                           (count == 0   ? ""
                                            : count == 1 ? ", number 0"
                                                         : ", 0 to " + std::to_string(count - 1)));
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

/// What is known of a run before it is looked at.
story_source source_of(const json_place& results, std::size_t point, std::size_t replication) {
    const std::vector<json_place> points = results.at("points").elements();
    const std::vector<json_place> runs = points[point].at("replication_results").elements();
    story_source source;
    source.scenario = results.at("scenario").text();
    source.set = points[point].at("set").texts();
    for (const std::string& s : results.at("set").texts()) source.set.push_back(s);
    source.out.point = point;
    source.out.replication = replication;
    source.out.seed = runs[replication].at("seed").count();
    source.out.point_name = name_of_labels(labels_of(points[point], results.at("axes").texts()));
    source.points = points.size();
    source.replications = runs.size();
    return source;
}

/// Of what was measured.
story read_story(story_source source, const request_choice& c, const json_place& results) {
    const fs::path folder = results.at("rows_in").text();
    const json_place summary(results.at("summary").raw(), "", (folder / "summary.json").string());
    source.measured = true;
    source.seen = survey_rows(folder, row_counts_of(summary), c.how, c.request);
    if (!source.seen.found) refuse_request(c, source.seen, where_of(source));
    source.around = watch_rows(folder, watch_for(source.seen));
    return tell(source);
}

std::string text_or(const json_place& j, const char* key, const std::string& otherwise) {
    return j.has(key) ? j.at(key).text() : otherwise;
}

/// The first place where a repeated run's summary says something else; empty if there is none.
std::string difference(const json& told, const json& repeated, const std::string& path) {
    for (const auto& [key, value] : told.items()) {
        const std::string place = path.empty() ? key : path + "." + key;
        if (!repeated.contains(key)) return "it has no " + place;
        const json& now = repeated.at(key);
        if (value == now) continue;
        if (value.is_object() && now.is_object()) return difference(value, now, place);
        if (value.is_structured()) return "its " + place + " are others";
        return "its " + place + " is " + now.dump() + ", while these results say " + value.dump();
    }
    return "";
}

/// What a repeated run has otherwise than these results say; empty if nothing.
std::string difference(const json_place& results, const json_place& one, const survey& seen) {
    if (one.has("requests") && one.at("requests").count() != seen.requests) {
        return "it had " + std::to_string(seen.requests) + " requests, while these results say " +
               std::to_string(one.at("requests").count());
    }
    if (one.has("round_trips_s") && one.at("round_trips_s").number() != seen.round_trips_s) {
        return "its requests took other times than these results say";
    }
    if (!results.has("summary")) return "";
    json told = results.at("summary").raw();
    // What was run, compared by its digests, and what was wanted of it; not what came of it.
    for (const char* key : {"made_from", "scenario", "set", "checks"}) told.erase(key);
    return difference(told, seen.summary, "");
}

}  // namespace

bool is_study(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "results.json", ignored);
}

json load_results(const fs::path& folder) {
    if (is_study(folder)) return load_study_results(folder);
    std::error_code ignored;
    if (fs::exists(folder / "summary.json", ignored)) return load_run(folder);
    const char* const what = fs::is_directory(folder, ignored)
                                 ? "has neither results.json nor summary.json: it is not a folder "
                                   "that `scmi-vp study`, `run --out` or `connect --out` wrote"
                                 : "is not a folder; give the one that --out named";
    throw error(error_kind::input, folder.string(), what);
}

scenario::scenario scenario_of_results(const json& results, std::size_t point,
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
    return runs::load_scenario(file, set);
}

void check_repeated(const json& results, std::size_t point, std::size_t replication,
                    const survey& seen) {
    const json_place j(results, "");
    const json_place one =
        j.at("points").elements().at(point).at("replication_results").elements().at(replication);
    const std::string how = difference(j, one, seen);
    if (how.empty()) return;
    const std::string others =
        j.has("made_from") ? made_by_others(j.at("made_from").raw()) : std::string();
    throw error(
        error_kind::input, text_or(j, "file", "results.json"),
        "its run was repeated, and " + how + ": " +
            (others.empty() ? "the file was edited, or scmi-vp was built otherwise" : others) +
            (j.has("again") ? "; run it again: " + j.at("again").text() : ""));
}

story story_of(const json& results, const request_choice& choice, replay_progress progress,
               const scenario_source& scenarios) {
    const json_place j(results, "");
    check_format(j);
    const request_choice c = completed(j.at("points").elements(), choice);
    story_source source = source_of(j, *c.point, *c.replication);
    if (j.has("rows_in")) return read_story(std::move(source), c, j);

    const scenario::scenario s = scenarios ? scenarios(*c.point, *c.replication)
                                           : scenario_of_results(results, *c.point, *c.replication);
    source.seen = survey_run(s, c.how, c.request, progress);
    check_repeated(results, *c.point, *c.replication, source.seen);
    if (!source.seen.found) refuse_request(c, source.seen, where_of(source));
    source.gaps = host_gaps(s, source.seen.chosen.entered(), source.seen.chosen.end());
    source.around = watch_run(s, watch_for(source.seen), progress);
    return tell(source);
}

}  // namespace scmi_vp::studies
