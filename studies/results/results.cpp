// SPDX-License-Identifier: Apache-2.0
// See results.h. The format: docs/study.md.
#include "studies/results/results.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "runs/account.h"
#include "runs/fingerprint.h"
#include "studies/human.h"
#include "studies/results/provenance.h"
#include "studies/results/recordings.h"
#include "studies/results/report_data.h"
#include "studies/results/request_rows.h"

namespace scmi_vp::studies {
namespace {

using nlohmann::ordered_json;

/// Nine digits: what compilers may compute differently is behind them.
double rounded(double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", x);
    return std::strtod(text, nullptr);
}

using summary_count = std::uint64_t replication_summary::*;

std::vector<unit_counts> units(const point_result& r, summary_count events,
                               summary_count trials = &replication_summary::requests) {
    std::vector<unit_counts> all;
    for (const replication_summary& one : r.replications) {
        all.push_back({one.*events, one.*trials});
    }
    return all;
}

/// How often requests failed together.
void count_incidents(point_findings& p) {
    const point_totals& t = p.result->totals;
    const double hours = t.simulated.as_seconds() / 3600;
    p.spurious_incidents = incidents_in(t.spurious_incidents, hours);
    p.true_incidents = incidents_in(t.true_incidents, hours);
}

void find_delayed(point_findings& p, const point_result& r) {
    if (r.totals.delayed.requests == 0) {
        p.delayed_spurious = rate_of({}, {}, "spurious delayed timeouts");
        p.delayed_true = rate_of({}, {}, "true delayed timeouts");
        p.delayed_spurious.beyond = p.delayed_true.beyond = "no request awaited a delayed response";
        return;
    }
    const summary_count trials = &replication_summary::delayed;
    p.delayed_spurious = rate_of(units(r, &replication_summary::delayed_spurious, trials),
                                 r.delayed_spurious_batches, "spurious delayed timeouts");
    p.delayed_true = rate_of(units(r, &replication_summary::delayed_true, trials),
                             r.delayed_true_batches, "true delayed timeouts");
}

/// A timeout beyond all samples says nothing about the host, however often it was simulated.
void mind_recordings(point_findings& p, const std::vector<recording>& recordings) {
    const sim_time timeout = rx_timeout_of(p.point->scenario);
    std::string told;
    for (const recording& r : recordings) {
        const std::string limits = limits_beyond(r, timeout);
        const bool none = p.spurious.count == 0 && r.perhaps_above(timeout) == 0;
        if (!none && (p.spurious.count == 0 || !p.spurious.beyond.empty())) continue;
        told += (told.empty() || limits.empty() ? "" : "; ") + limits;
    }
    if (!told.empty()) p.spurious.beyond = told;
}

std::string of_runs(std::size_t some, std::size_t all) {
    if (all == 1) return "in its only run";
    return "in " + std::to_string(some) + " of " + std::to_string(all) + " runs";
}

std::vector<std::string> remarks_on(const point_result& r) {
    const point_totals& t = r.totals;
    const auto runs = [&](auto is) {
        return std::size_t(std::count_if(r.replications.begin(), r.replications.end(), is));
    };
    const std::size_t all = r.replications.size();
    const auto unprobed = runs([](const replication_summary& o) { return !o.probed; });
    const auto missing = runs([](const replication_summary& o) { return o.no_device > 0; });
    std::vector<std::string> remarks;
    if (unprobed) {
        remarks.push_back(of_runs(unprobed, all) +
                          " the driver's probe failed or had not ended, so their workload did not "
                          "run; scmi-vp run tells why");
    }
    if (missing) {
        remarks.push_back(of_runs(missing, all) +
                          " calls found no device (-ENODEV), as after a protocol whose probe "
                          "failed: they sent nothing");
    }
    const std::uint64_t unfinished = t.outcomes[std::size_t(models::outcome::unfinished)];
    // A few always are on their way when a run ends.
    if (t.true_pending || t.longest_unfinished > t.round_trip.quantile(0.999)) {
        std::string text = grouped(unfinished) + (unfinished == 1 ? " request" : " requests") +
                           " had not returned when the run ended, the longest after " +
                           runs::short_time(t.longest_unfinished) +
                           ": round trips do not contain them";
        if (t.true_pending) {
            text += "; " + grouped(t.true_pending) + " of the " + grouped(t.true_timeouts) +
                    " true timeouts are of these, since their reply is lost";
        }
        remarks.push_back(text);
    }
    if (t.not_made) {
        remarks.push_back(grouped(t.not_made) +
                          " calls were due and not made when their run ended, because all tasks "
                          "were in earlier ones: response times do not contain them");
    }
    const std::uint64_t timeouts =
        t.spurious + t.true_timeouts + t.delayed.spurious + t.delayed.true_timeouts;
    if (timeouts > most_timeouts) {
        remarks.push_back("requests.csv has the first " + grouped(most_timeouts) + " of " +
                          grouped(timeouts) +
                          " timeouts, unless the study was run with --requests all");
    }
    return remarks;
}

/// Of a study that ended early.
void mind_missing_runs(point_findings& p, std::size_t planned) {
    const std::size_t n = p.result->replications.size();
    if (n >= planned) return;
    const std::string of = std::to_string(planned) + " runs had ended when the study did";
    p.remarks.push_back(n ? std::to_string(n) + " of " + of : "none of its " + of);
    if (n) return;
    for (rate_estimate* r : {&p.spurious, &p.true_timeouts})
        r->beyond = "no run, so nothing is known";
}

void add_once(std::vector<std::string>& notes, const std::string& note) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

ordered_json json_of(const rate_estimate& r) {
    ordered_json j{{"count", r.count},
                   {"per_million", rounded(r.per_million)},
                   {"low", rounded(r.bounds.low)},
                   {"high", rounded(r.bounds.high)},
                   {"confidence", r.confidence},
                   {"method", r.method},
                   {"beyond", r.beyond}};
    if (!r.bounds_method.empty()) j["bounds_method"] = r.bounds_method;
    if (r.nothing_random) j["nothing_random"] = true;
    return j;
}

/// Nothing was simulated: nothing is known.
ordered_json json_of(const incident_rate& r, std::uint64_t timeouts) {
    ordered_json j{{"count", r.count}, {"per_hour", nullptr}, {"low", nullptr}, {"high", nullptr}};
    if (r.hours > 0) {
        j["per_hour"] = rounded(r.per_hour);
        j["low"] = rounded(r.low), j["high"] = rounded(r.high);
    }
    j["confidence"] = r.confidence;
    j["method"] = "Poisson over " + std::string(rate_text(r.hours)) + " h";
    const double each = r.count ? static_cast<double>(timeouts) / static_cast<double>(r.count) : 0;
    j["timeouts_each"] = rounded(each);
    return j;
}

ordered_json json_of(const traces::span_histogram& h) {
    return {{"count", h.count()},         {"min", h.min().ps},
            {"mean", h.mean().ps},        {"p50", h.quantile(0.5).ps},
            {"p99", h.quantile(0.99).ps}, {"p999", h.quantile(0.999).ps},
            {"max", h.max().ps}};
}

ordered_json json_of(const slowest_request& s) {
    if (s.id == 0) return nullptr;
    ordered_json hops;
    for (const hop_info& h : span_table) hops[std::string(h.name)] = s.hops[std::size_t(h.id)].ps;
    return {{"replication", s.replication},
            {"request", s.id},
            {"round_trip_ps", s.round_trip.ps},
            {"entered_ps", s.entered.ps},
            {"returned_ps", s.returned.ps},
            {"stuck_in", s.stuck_in},
            {"task", s.task},
            {"name", s.name},
            {"hops_ps", std::move(hops)}};
}

ordered_json json_of(const latest_reply& l) {
    if (l.id == 0) return nullptr;
    return {{"replication", l.replication}, {"request", l.id}, {"after_ps", l.after.ps}};
}

ordered_json replications_json(const point_result& r) {
    ordered_json all = ordered_json::array();
    for (const replication_summary& one : r.replications) {
        all.push_back({{"seed", one.seed},
                       {"requests", one.requests},
                       {"round_trips_s", one.round_trips_s},
                       {"spurious_timeouts", one.spurious},
                       {"true_timeouts", one.true_timeouts},
                       {"refused", one.refused},
                       {"delayed_requests", one.delayed},
                       {"delayed_spurious_timeouts", one.delayed_spurious},
                       {"delayed_true_timeouts", one.delayed_true},
                       {"probed", one.probed},
                       {"finished", one.finished}});
    }
    return all;
}

ordered_json histogram_json(const traces::span_histogram& h) {
    ordered_json all = ordered_json::array();
    for (const auto& [end, n] : h.occupied()) all.push_back({end.ps, n});
    return all;
}

/// Of the requests that waited for a delayed response; per million of these.
ordered_json delayed_json(const point_findings& p) {
    const delayed_sums& d = p.result->totals.delayed;
    ordered_json j{{"requests", d.requests},
                   {"responses", d.received},
                   {"spurious_timeouts", json_of(p.delayed_spurious)},
                   {"true_timeouts", json_of(p.delayed_true)},
                   {"late_responses", d.late},
                   {"wait_ps", json_of(d.wait)}};
    j["true_timeouts"]["pending"] = d.true_pending;
    return j;
}

void add_totals(ordered_json& j, const point_findings& p) {
    const point_totals& t = p.result->totals;
    // Picoseconds of many long runs do not fit an integer.
    j["simulated_s"] = t.simulated.as_seconds();
    j["requests"] = t.requests;
    j["calls_blocked_s"] = t.blocked.as_seconds();
    j["calls_blocked_of_s"] = t.task_time.as_seconds();
    if (p.open_loop()) j["calls_not_made"] = t.not_made;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        j["outcomes"][std::string(name_of(models::outcome(i)))] = t.outcomes[i];
    }
    j["spurious_timeouts"] = json_of(p.spurious);
    j["true_timeouts"] = json_of(p.true_timeouts);
    j["true_timeouts"]["pending"] = t.true_pending;
    j["spurious_timeouts"]["incidents"] = json_of(p.spurious_incidents, p.spurious.count);
    j["true_timeouts"]["incidents"] = json_of(p.true_incidents, p.true_timeouts.count);
    j["late_replies"] = t.late_replies;
    j["delayed"] = delayed_json(p);
    j["refused"] = t.refused();
    j["violations"] = t.violations;
    if (t.violations) j["first_violation"] = t.first_violation;
    j["round_trip_ps"] = json_of(t.round_trip);
    j["response_ps"] = json_of(t.response);
    for (const hop_info& h : span_table) {
        const std::size_t i = std::size_t(h.id);
        j["hops_ps"][std::string(h.name)] = {{"mean", t.hop_mean(i).ps}, {"max", t.hop_max[i].ps}};
    }
    j["round_trip_histogram"] = histogram_json(t.round_trip);
    j["slowest"] = json_of(t.slowest);
    j["latest_reply"] = json_of(t.latest);
    j["remarks"] = p.remarks;
}

ordered_json point_json(const point_findings& p, std::size_t id) {
    ordered_json j{{"id", id}};
    j["labels"] = ordered_json::object();
    for (const auto& [axis, label] : p.point->labels) j["labels"][axis] = label;
    j["set"] = p.point->set;
    j["rx_timeout_ps"] = rx_timeout_of(p.point->scenario).ps;
    j["max_delayed_response_ps"] = p.point->scenario.system.guest.profile.max_delayed_response.ps;
    add_totals(j, p);
    j["replication_results"] = replications_json(*p.result);
    return j;
}

}  // namespace

findings find_out(const study& s, const std::vector<point_result>& results) {
    findings f;
    f.what = &s;
    f.notes = s.notes;
    for (std::size_t i = 0; i < s.points.size(); ++i) {
        point_findings p;
        p.point = &s.points[i];
        p.result = &results[i];
        p.remarks = remarks_on(results[i]);
        find_delayed(p, results[i]);
        p.spurious = rate_of(units(results[i], &replication_summary::spurious),
                             results[i].spurious_batches, "spurious timeouts");
        p.true_timeouts = rate_of(units(results[i], &replication_summary::true_timeouts),
                                  results[i].true_batches, "true timeouts");
        count_incidents(p);
        mind_missing_runs(p, s.replications);
        const std::vector<recording> recordings = recordings_of(s.points[i].scenario);
        mind_recordings(p, recordings);
        for (const recording& r : recordings) add_once(f.notes, limits_of(r));
        const scenario::scenario& played = s.points[i].scenario;
        for (const std::string& n : played.notes) add_once(f.notes, n);
        for (const std::string& n : played.tree.notes) {
            add_once(f.notes, played.tree.file.string() + ": " + n);
        }
        for (const scenario::latency_source& l : s.points[i].scenario.latency_sources) {
            for (const std::string& n : l.notes) add_once(f.notes, l.key + ": " + n + ".");
        }
        f.points.push_back(std::move(p));
    }
    return f;
}

ordered_json empty_point_json(const study_point& p) {
    const point_result nothing;
    point_findings f;
    f.point = &p;
    f.result = &nothing;
    f.spurious = rate_of({}, {}, "spurious timeouts");
    f.true_timeouts = rate_of({}, {}, "true timeouts");
    f.delayed_spurious = rate_of({}, {}, "spurious delayed timeouts");
    f.delayed_true = rate_of({}, {}, "true delayed timeouts");
    return point_json(f, 0);
}

ordered_json results_json(const findings& f) {
    const study& s = *f.what;
    ordered_json j{{"format", results_format},
                   {"title", s.title},
                   {"description", s.description},
                   {"study", s.file.string()},
                   {"scenario", s.scenario.string()},
                   {"set", scenario::lasting_overrides(s.set)},
                   {"seed", s.seed},
                   {"replications", s.replications}};
    if (f.early) {
        j["ended_early"] = {{"why", f.early->why}, {"runs", f.early->runs}, {"of", f.early->of}};
    }
    j["axes"] = ordered_json::array();
    for (const axis& a : s.axes) j["axes"].push_back(a.name);
    j["points"] = ordered_json::array();
    for (std::size_t i = 0; i < f.points.size(); ++i) {
        j["points"].push_back(point_json(f.points[i], i));
    }
    j["notes"] = f.notes;
    const nlohmann::json as_read = j;
    runs::add_fingerprint(j, s.inputs, parts_of_study(json_place(as_read, "")));
    return j;
}

void write_kept_requests(const findings& f, std::ostream& out) {
    write_study_request_heading(out);
    for (std::size_t i = 0; i < f.points.size(); ++i) {
        for (const kept_request& k : f.points[i].result->kept.all()) {
            out << i << ',' << k.replication << ',' << k.row << '\n';
        }
    }
}

}  // namespace scmi_vp::studies
