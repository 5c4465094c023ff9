// SPDX-License-Identifier: Apache-2.0
// See report_html.h: the page around the pictures.
#include "studies/report_html.h"

#include <algorithm>
#include <set>

#include "studies/report_charts.h"
#include "studies/report_data.h"
#include "studies/report_style.h"
#include "studies/report_text.h"
#include "studies/shell.h"
#include "studies/svg.h"

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

void write_table_head(std::ostream& out, const std::vector<std::string>& axes, bool open_loop) {
    out << "<thead><tr>";
    if (axes.empty()) out << "<th scope=\"col\" class=\"axis-name\">point</th>";
    for (const std::string& a : axes) {
        out << "<th scope=\"col\" class=\"axis-name\">" << escaped(a) << "</th>";
    }
    out << column("requests", "messages that entered the driver")
        << column("spurious timeouts per million", "the driver gave up, and a reply came later")
        << column("true timeouts per million",
                  "there is no reply: the driver gave up, or would have after the end of the run")
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
    out << column("callers blocked", "all tasks' time in calls, waiting for locks included")
        << column("late replies", "replies that came after their request had timed out")
        << column("refused", "requests that found no free xfer or transport message")
        << column("violations", "rules that the checkers saw broken") << "</tr></thead>\n";
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
    }
    return all;
}

/// Its number in that list, if it is there.
std::string mark_of(const std::string& text, const std::vector<std::string>& reservations) {
    const auto note = std::find(reservations.begin(), reservations.end(), text);
    if (note == reservations.end()) return "";
    return "<sup>" + std::to_string(note - reservations.begin() + 1) + "</sup>";
}

std::string rate_cell(const rate_data& r, const std::vector<std::string>& reservations) {
    std::string cell = "<td title=\"" + escaped(nice_count(r.count) + " in all" +
                                                (r.method.empty() ? "" : "; " + r.method));
    cell += "\">" + (r.count ? nice_number(r.per_million) : std::string("0"));
    cell += mark_of(r.beyond, reservations);
    if (r.has_interval()) {
        cell += "<small>" + nice_number(r.low) + "\u2009\u2013\u2009" + nice_number(r.high) +
                "</small>";
    }
    return cell + "</td>";
}

void write_row(std::ostream& out, const point_data& p, const std::vector<std::string>& axes,
               const std::vector<std::string>& reservations, bool open_loop) {
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
    out << "<td>" << nice_seconds(p.blocked_s) << "</td>";
    for (const std::uint64_t n : {p.late_replies, p.refused, p.violations}) {
        out << "<td>" << nice_count(n) << "</td>";
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
        for (const rate_data* r : {&p.spurious, &p.true_timeouts}) {
            if (r->method.empty() || !r->has_interval()) continue;
            methods.insert(nice_number(100 * r->confidence) + " % intervals: " + r->method);
        }
    }
    std::string all;
    for (const std::string& m : methods) all += (all.empty() ? "" : "; ") + m;
    return all;
}

void write_table(std::ostream& out, const report_data& d) {
    const std::vector<std::string> axes = axes_of(d);
    const std::string methods = methods_of(d);
    const std::vector<std::string> reservations = reservations_of(d);
    out << "<h2>What was measured</h2>\n"
        << paragraph(
               "One row for each point of the study. " + methods + (methods.empty() ? "" : "."),
               "facts")
        << "<div class=\"wide\"><table>\n";
    const bool open_loop = has_open_loop(d);
    write_table_head(out, axes, open_loop);
    out << "<tbody>\n";
    for (const point_data& p : d.points) write_row(out, p, axes, reservations, open_loop);
    out << "</tbody></table></div>\n";
    write_reservations(out, reservations);
}

void write_figure(std::ostream& out, const std::string& heading, const std::string& caption,
                  const std::string& picture) {
    if (picture.empty()) return;
    out << "<h2>" << heading << "</h2>\n<figure>\n<figcaption>" << caption << "</figcaption>\n"
        << picture << "</figure>\n";
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
        "Timeouts per million requests with their intervals, on a logarithmic axis. An arrow "
        "stands for an interval that reaches zero. That none was seen does not mean that there "
        "are none: the table\u2019s notes say how many there may be.",
        timeouts_chart(d));
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

void write_reproduction(std::ostream& out, const report_data& d, const story* slowest) {
    out << "<h2>To reproduce</h2>\n"
        << "<p>Runs are deterministic: the same scenario and seed give the same bytes. The "
           "commands are "
           "for the folder in which this was made.</p>\n";
    if (!d.study.empty()) {
        std::string line =
            "scmi-vp study " + shell_quoted(d.study) + " --seed " + std::to_string(d.seed);
        for (const std::string& s : d.set) line += " --set " + shell_quoted(s);
        out << "<p>Everything again:</p>\n<pre class=\"command\">" << escaped(line) << "</pre>\n";
    }
    if (slowest) {
        out << "<p>The slowest request with its waveform:</p>\n<pre class=\"command\">"
            << escaped(slowest->rerun) << "</pre>\n";
    }
    out << "<details><summary>The first replication of each point</summary>\n<pre "
           "class=\"command\">";
    for (const point_data& p : d.points) {
        if (p.seeds.empty()) continue;
        std::vector<std::string> set = p.set;
        set.insert(set.end(), d.set.begin(), d.set.end());
        out << escaped("# " + p.name()) << "\n"
            << escaped(run_command_line(d.scenario, set, p.seeds[0])) << "\n";
    }
    out << "</pre></details>\n";
}

std::string facts(const report_data& d) {
    std::uint64_t requests = 0;
    double simulated_s = 0;
    for (const point_data& p : d.points) {
        requests += p.requests;
        simulated_s += p.simulated_s;
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
    out << paragraph(facts(d), "facts");
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
