// SPDX-License-Identifier: Apache-2.0
// One request over time: a lane a hop, when the host did not run, and a reply that came too late.
#include <algorithm>

#include "studies/report/report_charts.h"
#include "studies/report/report_text.h"
#include "studies/report/svg.h"

namespace scmi_vp::studies {
namespace {

constexpr double width = 880, lane = 26, lanes_top = 40, lanes_right = width - 12;

struct timeline {
    svg_picture svg;
    chart_axis x;  ///< picoseconds since the request entered
    double base, left;
};

void draw_time_axis(timeline& t) {
    for (const tick& k : t.x.ticks(7)) {
        const double x = t.x.at(k.value);
        t.svg.line(x, lanes_top, x, t.base, "class=\"grid\"");
        t.svg.text(x, t.base + 18, anchor::middle, "",
                   nice_time(sim_time(static_cast<std::int64_t>(k.value))));
    }
    t.svg.text((t.left + lanes_right) / 2, t.base + 40, anchor::middle, "class=\"label\"",
               "since the request entered the driver");
}

/// What stands in a lane: seen even where it is shorter than a pixel, its length beside it.
struct lane_span {
    sim_time from, length;
    std::string style, words, tip;
    std::string inside;  ///< style of words that only fit inside
};

void draw_span(timeline& t, double y, const lane_span& s) {
    const double x = t.x.at(static_cast<double>(s.from.ps));
    const double w = std::max(4.0, t.x.at(static_cast<double>((s.from + s.length).ps)) - x);
    t.svg.rect(x, y + 4, w, lane - 8, s.style, s.tip);
    const double needed = text_width(s.words, 11) + 6, middle = y + lane / 2 + 4;
    if (x + w + needed < lanes_right) {
        t.svg.text(x + w + 6, middle, anchor::start, "class=\"small\"", s.words);
    } else if (x - needed > t.left) {
        t.svg.text(x - 6, middle, anchor::end, "class=\"small\"", s.words);
    } else {
        t.svg.text(x + w / 2, middle, anchor::middle, s.inside, s.words);
    }
}

void draw_gaps(timeline& t, const story& s) {
    for (const host_gap& g : s.gaps) {
        const double from = t.x.at(static_cast<double>((g.from - s.entered).ps));
        const double to = t.x.at(static_cast<double>((g.to - s.entered).ps));
        t.svg.rect(from, lanes_top, std::max(1.0, to - from), t.base - lanes_top, "class=\"gap\"",
                   "the platform's host did not run for " + nice_time(g.to - g.from));
    }
    if (s.gaps.empty()) return;
    t.svg.rect(t.left, 8, 16, 12, "class=\"gap\"");
    t.svg.text(t.left + 22, 18, anchor::start, "class=\"small\"",
               "the platform's host did not run");
}

void draw_lanes(timeline& t, const story& s) {
    double y = lanes_top;
    const sim_time total = s.returned - s.entered;
    for (const hop_info& h : span_table) {
        const auto part = std::find_if(s.hops.begin(), s.hops.end(),
                                       [&](const hop_part& p) { return p.id == h.id; });
        if (h.id >= hop::poll && part == s.hops.end()) continue;
        t.svg.line(0, y, lanes_right, y, "class=\"grid\"");
        t.svg.text(0, y + lane / 2 + 4, anchor::start, part == s.hops.end() ? "class=\"dim\"" : "",
                   hop_label(h.id));
        if (part != s.hops.end()) {
            const std::string words = nice_time(part->length) + ", " +
                                      nice_share(share(part->length, total)) +
                                      (part->waiting ? ", gave up here" : "");
            draw_span(t, y,
                      {part->from, part->length, hop_fill(h.id), words,
                       hop_label(h.id) + ": " + words + "; median " + nice_time(part->median),
                       hop_label_style(h.id)});
        }
        y += lane;
    }
    if (s.late_at > s.returned) {
        t.svg.line(0, y, lanes_right, y, "class=\"grid\"");
        t.svg.text(0, y + lane / 2 + 4, anchor::start, "", "late reply");
        draw_span(t, y,
                  {s.returned - s.entered, s.late_at - s.returned, "class=\"late\"",
                   nice_time(s.late_at - s.returned) + " too late",
                   "the reply came after the driver had given up", "class=\"small\""});
    }
}

}  // namespace

std::string timeline_chart(const story& s) {
    const bool late = s.late_at > s.returned;
    const auto beyond_usual = [&s](hop first) {
        return std::count_if(s.hops.begin(), s.hops.end(),
                             [first](const hop_part& p) { return p.id >= first; });
    };
    const auto more = static_cast<double>(beyond_usual(hop::poll));
    const double lanes = static_cast<double>(hop::poll) + more + (late ? 1 : 0);
    const double lanes_left = beyond_usual(hop::delayed_work) ? 130 : 100;
    const sim_time end =
        std::max(late ? s.late_at - s.entered : s.returned - s.entered, sim_time(1));
    const double base = lanes_top + lane * lanes;
    std::string words = s.headline + ". A lane for each hop:";
    for (const hop_part& p : s.hops) {
        words += " " + hop_label(p.id) + " from " + nice_time(p.from) + " for " +
                 nice_time(p.length) + ";";
    }
    timeline t{svg_picture("timeline", width, base + 46, "The slowest request over time", words),
               chart_axis(chart_axis::scale::linear, 0, static_cast<double>(end.ps), lanes_left,
                          lanes_right),
               base, lanes_left};
    draw_gaps(t, s);
    draw_time_axis(t);
    t.svg.line(0, base, lanes_right, base, "class=\"axis\"");
    const double returned = t.x.at(static_cast<double>((s.returned - s.entered).ps));
    t.svg.line(returned, lanes_top - 6, returned, base, "class=\"returned\"", "the caller returns");
    t.svg.text(returned, lanes_top - 10, returned > width * 0.8 ? anchor::end : anchor::start,
               "class=\"small\"", "the caller returns");
    draw_lanes(t, s);
    return t.svg.str();
}

}  // namespace scmi_vp::studies
