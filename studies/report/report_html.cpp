// SPDX-License-Identifier: Apache-2.0
// See report_html.h: the page around the pictures.
#include "studies/report/report_html.h"

#include <algorithm>
#include <set>

#include "studies/report/report_charts.h"
#include "studies/report/report_style.h"
#include "studies/report/report_text.h"
#include "studies/report/svg.h"
#include "studies/results/report_data.h"
#include "studies/shell.h"

namespace scmi_vp::studies {
namespace {

std::string paragraph(const std::string& text, const std::string& kind = "") {
    return "<p" + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">" + escaped(text) + "</p>\n";
}

std::string column(const std::string& name, const std::string& meaning) {
    return "<th scope=\"col\" title=\"" + escaped(meaning) + "\">" + name + "</th>";
}

/// The axes of all points, in order.
std::vector<std::string> axes_of(const report_data& d) {
    std::vector<std::string> axes;
    for (const point_data& p : d.points) {
        for (const auto& [axis, value] : p.labels) {
            if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
        }
    }
    return axes;
}

bool has_open_loop(const report_data& d) {
    return std::any_of(d.points.begin(), d.points.end(),
                       [](const point_data& p) { return p.not_made.has_value(); });
}

bool has_delayed(const report_data& d) {
    return std::any_of(d.points.begin(), d.points.end(),
                       [](const point_data& p) { return p.delayed.requests > 0; });
}

void write_delayed_head(std::ostream& out) {
    out << column("delayed", "requests that waited for a delayed response")
        << column("spurious timeouts per million of them",
                  "the driver gave up the wait, and the delayed response came later")
        << column("true timeouts per million of them",
                  "there is no delayed response: the driver gave up the wait, or would have")
        << column("wait median", "half of the waits for a delayed response took longer")
        << column("maximum", "the longest wait")
        << column("late", "delayed responses that came when their caller had given up");
}

void write_table_head(std::ostream& out, const std::vector<std::string>& axes, bool open_loop,
                      bool delayed) {
    out << "<thead><tr>";
    if (axes.empty()) out << "<th scope=\"col\" class=\"axis-name\">point</th>";
    for (const std::string& a : axes) {
        out << "<th scope=\"col\" class=\"axis-name\">" << escaped(a) << "</th>";
    }
    out << column("requests", "messages that entered the driver")
        << column("spurious timeouts per million",
                  "the driver gave up, and a reply came later; below: incidents per hour")
        << column("true timeouts per million",
                  "there is no reply: the driver gave up, or would have after the end of the run; "
                  "below: incidents per hour")
        << column("round trip median", "half of the round trips took longer")
        << column("99&nbsp;%", "one round trip in 100 took longer")
        << column("99.9&nbsp;%", "one round trip in 1000 took longer")
        << column("maximum", "the longest round trip");
    if (open_loop) {
        out << column("response median", "from the instant at which the call was due")
            << column("99&nbsp;%", "one response in 100 took longer")
            << column("maximum", "the longest response")
            << column("not made", "calls that were due and had no task when their run ended");
    }
    out << column("callers blocked",
                  "all tasks' time in calls, waiting for locks included; below: of how much time")
        << column("late replies", "replies that came after their request had timed out")
        << column("refused", "requests that found no free xfer or transport message")
        << column("violations", "rules that the checkers saw broken");
    if (delayed) write_delayed_head(out);
    out << "</tr></thead>\n";
}

/// Why a number says less than it seems to, once each, in the order of the table.
std::vector<std::string> reservations_of(const report_data& d) {
    std::vector<std::string> all;
    const auto add = [&](const std::string& text) {
        if (!text.empty() && std::find(all.begin(), all.end(), text) == all.end()) {
            all.push_back(text);
        }
    };
    for (const point_data& p : d.points) {
        for (const std::string& r : p.remarks) add(r);
        add(p.spurious.beyond);
        add(p.true_timeouts.beyond);
        if (p.delayed.requests == 0) continue;
        add(p.delayed.spurious.beyond);
        add(p.delayed.true_timeouts.beyond);
    }
    return all;
}

/// Its number in that list, if it is there.
std::string mark_of(const std::string& text, const std::vector<std::string>& reservations) {
    const auto note = std::find(reservations.begin(), reservations.end(), text);
    if (note == reservations.end()) return "";
    return "<sup>" + std::to_string(note - reservations.begin() + 1) + "</sup>";
}

/// The interval of a row is that of incidents: timeouts cause each other.
std::string incident_lines(const incident_data& i, bool nothing_random) {
    if (i.count == 0) return "<small>at most " + nice_number(i.high) + "/h</small>";
    if (nothing_random) return "<small>" + nice_number(i.per_hour) + "/h</small>";
    return "<small>" + nice_number(i.per_hour) + "/h</small><small>" + nice_number(i.low) +
           "\u2009\u2013\u2009" + nice_number(i.high) + "</small>";
}

std::string blocked_cell(const point_data& p) {
    std::string cell = "<td>" + nice_seconds(p.blocked_s);
    if (p.task_s && *p.task_s > 0) {
        cell += "<small>" + nice_share(p.blocked_s / *p.task_s) + " of " + nice_seconds(*p.task_s) +
                "</small>";
    }
    return cell + "</td>";
}

std::string rate_cell(const rate_data& r, const std::vector<std::string>& reservations) {
    std::string cell = "<td title=\"" + escaped(nice_count(r.count) + " in all" +
                                                (r.method.empty() ? "" : "; " + r.method));
    cell += "\">" + (r.count ? nice_number(r.per_million) : std::string("0"));
    cell += mark_of(r.beyond, reservations);
    if (r.incidents) {
        cell += incident_lines(*r.incidents, r.nothing_random);
    } else if (r.has_interval()) {
        cell += "<small>" + nice_number(r.low) + "\u2009\u2013\u2009" + nice_number(r.high) +
                "</small>";
    }
    return cell + "</td>";
}

void write_row(std::ostream& out, const point_data& p, const std::vector<std::string>& axes,
               const std::vector<std::string>& reservations, bool open_loop, bool delayed) {
    out << "<tr>";
    if (axes.empty()) out << "<th scope=\"row\">" << escaped(p.name()) << "</th>";
    for (const std::string& a : axes) {
        const auto label = std::find_if(p.labels.begin(), p.labels.end(),
                                        [&](const auto& l) { return l.first == a; });
        out << "<th scope=\"row\">" << (label == p.labels.end() ? "" : escaped(label->second))
            << "</th>";
    }
    out << "<td>" << nice_count(p.requests);
    for (const std::string& r : p.remarks) out << mark_of(r, reservations);
    out << "</td>" << rate_cell(p.spurious, reservations)
        << rate_cell(p.true_timeouts, reservations);
    const auto time_cells = [&out](const spread_data& s, std::initializer_list<double> quantiles) {
        for (const double q : quantiles) {
            out << "<td>" << (s.tells(q) ? nice_time(s.at(q)) : std::string("\u2013")) << "</td>";
        }
    };
    time_cells(p.round_trip, {0.5, 0.99, 0.999, 1});
    if (open_loop) {
        time_cells(p.response, {0.5, 0.99, 1});
        out << "<td>" << (p.not_made ? nice_count(*p.not_made) : std::string()) << "</td>";
    }
    out << blocked_cell(p);
    for (const std::uint64_t n : {p.late_replies, p.refused, p.violations}) {
        out << "<td>" << nice_count(n) << "</td>";
    }
    if (delayed) {
        out << "<td>" << nice_count(p.delayed.requests) << "</td>"
            << rate_cell(p.delayed.spurious, reservations)
            << rate_cell(p.delayed.true_timeouts, reservations);
        time_cells(p.delayed.wait, {0.5, 1});
        out << "<td>" << nice_count(p.delayed.late) << "</td>";
    }
    out << "</tr>\n";
}

void write_reservations(std::ostream& out, const std::vector<std::string>& reservations) {
    if (reservations.empty()) return;
    out << "<ol class=\"facts\">";
    for (const std::string& r : reservations) out << "<li>" << escaped(r) << "</li>\n";
    out << "</ol>\n";
}

std::string methods_of(const report_data& d) {
    std::set<std::string> methods;
    for (const point_data& p : d.points) {
        for (const rate_data* r :
             {&p.spurious, &p.true_timeouts, &p.delayed.spurious, &p.delayed.true_timeouts}) {
            if (r->method.empty() || !r->has_interval()) continue;
            methods.insert(nice_number(100 * r->confidence) + " % intervals: " + r->method);
        }
    }
    std::string all;
    for (const std::string& m : methods) all += (all.empty() ? "" : "; ") + m;
    return all;
}

/// What the small numbers of the table are.
std::string intervals_of(const report_data& d) {
    const auto counted = std::find_if(d.points.begin(), d.points.end(), [](const point_data& p) {
        return p.spurious.incidents.has_value();
    });
    if (counted != d.points.end()) {
        return "Below timeouts per million: incidents per hour with their exact " +
               nice_number(100 * counted->spurious.incidents->confidence) +
               " % interval (Poisson). Timeouts of one run whose waits overlap or lie at most the "
               "rx timeout apart are one incident." +
               (has_delayed(d) ? " Below timeouts of delayed responses: " + methods_of(d) + "."
                               : "");
    }
    const std::string methods = methods_of(d);
    return methods + (methods.empty() ? "" : ".");
}

void write_table(std::ostream& out, const report_data& d) {
    const std::vector<std::string> axes = axes_of(d);
    const std::vector<std::string> reservations = reservations_of(d);
    out << "<h2>What was measured</h2>\n"
        << paragraph("One row for each point of the study. " + intervals_of(d), "facts")
        << "<div class=\"wide\"><table>\n";
    const bool open_loop = has_open_loop(d), delayed = has_delayed(d);
    write_table_head(out, axes, open_loop, delayed);
    out << "<tbody>\n";
    for (const point_data& p : d.points) write_row(out, p, axes, reservations, open_loop, delayed);
    out << "</tbody></table></div>\n";
    write_reservations(out, reservations);
}

void write_figure(std::ostream& out, const std::string& heading, const std::string& caption,
                  const std::string& picture) {
    if (picture.empty()) return;
    out << "<h2>" << heading << "</h2>\n<figure>\n<figcaption>" << caption << "</figcaption>\n"
        << picture << "</figure>\n";
}

std::string chart_methods(const report_data& d) {
    const std::string methods = methods_of(d);
    return methods.empty() ? "none could be given" : methods;
}

void write_pictures(std::ostream& out, const report_data& d) {
    write_figure(
        out, "How long requests take",
        "The share of requests that took longer than t, both axes logarithmic. A line ends at "
        "the slowest request of its point. Dotted vertical lines are the rx timeouts; the driver "
        "gives up at a tick of its timer after that.",
        round_trip_chart(d));
    write_figure(
        out, "Timeouts",
        "Timeouts per million requests with their intervals (" + chart_methods(d) +
            "), on a "
            "logarithmic axis. An arrow "
            "stands for an interval that reaches zero. That none was seen does not mean that there "
            "are none: the table\u2019s notes say how many there may be.",
        timeouts_chart(d, timeouts_of::rx));
    if (has_delayed(d)) {
        write_figure(out, "Timeouts of delayed responses",
                     "The platform accepts such a request at once and tells the result later. The "
                     "driver waits for that with a limit of its own, guest.max_delayed_response: "
                     "timeouts per million of these waits. Round trips contain the wait.",
                     timeouts_chart(d, timeouts_of::delayed));
    }
    write_figure(
        out, "Where the time goes",
        "The mean request, split into the hops on its way. Each bar is one mean round trip; "
        "its length in time stands on the right.",
        hop_chart(d, hop_chart_of::mean));
    write_figure(
        out, "Where the time of the slowest requests went",
        "The slowest request of each point. One that timed out ends in the hop in which it was "
        "waiting.",
        hop_chart(d, hop_chart_of::slowest));
}

void write_hop_table(std::ostream& out, const story& s) {
    out << paragraph("Its hops, beside what they take in the median request of the same run.",
                     "facts")
        << "<div class=\"wide\"><table class=\"narrow\">\n<thead><tr>"
        << "<th scope=\"col\" class=\"axis-name\">hop</th>"
        << "<th scope=\"col\">starts</th><th scope=\"col\">length</th><th scope=\"col\">share</th>"
        << "<th scope=\"col\">median</th></tr></thead>\n<tbody>\n";
    for (const hop_part& p : s.hops) {
        out << "<tr><th scope=\"row\">" << escaped(hop_label(p.id))
            << (p.waiting ? " (gave up)" : "") << "</th><td>" << nice_time(p.from) << "</td><td>"
            << nice_time(p.length) << "</td><td>"
            << escaped(nice_share(share(p.length, s.returned - s.entered))) << "</td><td>"
            << nice_time(p.median) << "</td></tr>\n";
    }
    out << "</tbody></table></div>\n";
}

void write_story(std::ostream& out, const story& s) {
    out << "<h2>The slowest request</h2>\n" << paragraph(s.headline, "lead");
    out << "<figure>\n" << timeline_chart(s) << "</figure>\n";
    for (const std::string& sentence : s.sentences) out << paragraph(sentence);
    write_hop_table(out, s);
    if (!s.log.empty()) {
        out << "<p>What the kernel logged around it:</p>\n<pre>";
        for (const std::string& line : s.log) out << escaped(line) << "\n";
        out << "</pre>\n";
    }
}

/// Of what was measured.
void write_instead(std::ostream& out, const measurement& m) {
    out << "<h2>To reproduce</h2>\n"
        << paragraph("All numbers on this page were " + m.how +
                     ". Nothing repeats what a device did. What comes nearest is the scenario in "
                     "simulated time with the device's response times:")
        << "<pre class=\"command\">" << escaped(m.instead) << "</pre>\n";
}

void write_reproduction(std::ostream& out, const report_data& d, const story* slowest) {
    if (d.measured) return write_instead(out, *d.measured);
    out << "<h2>To reproduce</h2>\n"
        << "<p>Runs are deterministic: the same scenario and seed give the same bytes. The "
           "commands are "
           "for the folder in which this was made (in the project\u2019s own, ./run stands for "
           "scmi-vp).</p>\n";
    if (!d.study.empty()) {
        const std::string line = study_command_line(d.study, d.set, d.seed);
        out << "<p>Everything again:</p>\n<pre class=\"command\">" << escaped(line) << "</pre>\n";
    }
    if (slowest) {
        out << "<p>The slowest request with its waveform:</p>\n<pre class=\"command\">"
            << escaped(slowest->rerun) << "</pre>\n";
    }
    // Not inside: what a closed <details> holds is not printed everywhere.
    out << "<details><summary>The first replication of each point</summary></details>\n<pre "
           "class=\"command\">";
    for (const point_data& p : d.points) {
        if (p.seeds.empty()) continue;
        std::vector<std::string> set = p.set;
        set.insert(set.end(), d.set.begin(), d.set.end());
        out << escaped("# " + p.name()) << "\n"
            << escaped(run_command_line(d.scenario, set, p.seeds[0])) << "\n";
    }
    out << "</pre>\n";
}

std::string facts(const report_data& d) {
    std::uint64_t requests = 0;
    double simulated_s = 0;
    for (const point_data& p : d.points) {
        requests += p.requests;
        simulated_s += p.simulated_s;
    }
    if (d.measured) {
        return nice_count(requests) + " requests in " + nice_seconds(simulated_s) + ", " +
               d.measured->how + "; scenario " + d.scenario;
    }
    return std::to_string(d.points.size()) + (d.points.size() == 1 ? " point, " : " points, ") +
           std::to_string(d.replications) +
           (d.replications == 1 ? " replication" : " replications each") + "; " +
           nice_count(requests) + " requests in " + nice_number(simulated_s) +
           " s of simulated time; seed " + std::to_string(d.seed) + "; scenario " + d.scenario;
}

}  // namespace

void write_report(const nlohmann::json& results, const story* slowest, std::ostream& out) {
    const report_data d = read_results(results);
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        << report_generator << "\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
        << escaped(d.title) << "</title>\n<style>" << report_style
        << "</style>\n</head>\n<body>\n<main>\n<h1>" << escaped(d.title) << "</h1>\n";
    if (!d.description.empty()) out << paragraph(d.description, "lead");
    if (!d.early.empty()) out << paragraph(d.early, "lead");
    out << paragraph(facts(d), "facts");
    if (d.measured) {
        for (const std::string& fact : d.measured->facts) out << paragraph(fact, "facts");
    }
    write_table(out, d);
    write_pictures(out, d);
    if (slowest) write_story(out, *slowest);
    if (!d.notes.empty()) {
        out << "<h2>What this cannot tell</h2>\n<ul class=\"notes\">\n";
        for (const std::string& n : d.notes) out << "<li>" << escaped(n) << "</li>\n";
        out << "</ul>\n";
    }
    write_reproduction(out, d, slowest);
    out << "</main>\n</body>\n</html>\n";
}

}  // namespace scmi_vp::studies
