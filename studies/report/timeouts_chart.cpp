// SPDX-License-Identifier: Apache-2.0
// Timeouts per million requests with their intervals, on a logarithmic axis that has no zero: what
// was never seen has no place on it and is said in words.
#include <algorithm>
#include <limits>

#include "studies/report/report_charts.h"
#include "studies/report/report_text.h"
#include "studies/report/svg.h"

namespace scmi_vp::studies {
namespace {

constexpr double width = 880, row = 40, top = 30, bottom = 46, right = 24;

double label_width(const report_data& d) {
    double w = 80;
    for (const point_data& p : d.points) w = std::max(w, text_width(p.name()));
    return std::min(w, 270.0);
}

const rate_data& spurious_of(const point_data& p, timeouts_of what) {
    return what == timeouts_of::rx ? p.spurious : p.delayed.spurious;
}
const rate_data& true_of(const point_data& p, timeouts_of what) {
    return what == timeouts_of::rx ? p.true_timeouts : p.delayed.true_timeouts;
}

/// Over everything that is drawn; none when there is nothing above zero.
bool range_of(const report_data& d, timeouts_of what, double& low, double& high) {
    low = std::numeric_limits<double>::max();
    high = 0;
    for (const point_data& p : d.points) {
        for (const rate_data* r : {&spurious_of(p, what), &true_of(p, what)}) {
            if (r->count == 0) continue;
            for (const double v : {r->low, r->per_million, r->high}) {
                if (v <= 0) continue;
                low = std::min(low, v);
                high = std::max(high, v);
            }
        }
    }
    return high > 0;
}

void arrow_left(svg_picture& svg, double x, double y, const std::string& style) {
    svg.path("M" + coordinate(x + 6) + " " + coordinate(y - 4) + "L" + coordinate(x) + " " +
                 coordinate(y) + "L" + coordinate(x + 6) + " " + coordinate(y + 4),
             style);
}

struct mark {
    const char* kind;   ///< class
    const char* words;  ///< for tooltips
};

void draw_nothing_seen(svg_picture& svg, const chart_axis& x, double y, const mark& m) {
    svg.text(x.at(x.low()) + 7, y + 4, anchor::start, "class=\"small dim\"",
             "no " + std::string(m.words) + " seen");
}

void draw_rate(svg_picture& svg, const chart_axis& x, const rate_data& r, double y, const mark& m,
               const std::string& name) {
    std::string tip = name + ": " + m.words + " " + nice_rate(r) + " per million, " +
                      nice_count(r.count) + " in all";
    if (!r.method.empty() && r.has_interval())
        tip += "; " + nice_number(100 * r.confidence) + " % interval: " + r.method;
    if (!r.beyond.empty()) tip += ". " + r.beyond;
    if (r.count == 0) return draw_nothing_seen(svg, x, y, m);
    const std::string style = "class=\"whisker " + std::string(m.kind) + "\"";
    const double middle = x.at(r.per_million), to = std::max(middle, x.at(r.high));
    const double from = r.low > 0 ? x.at(r.low) : x.at(x.low());
    if (r.has_interval()) {
        svg.line(from, y, to, y, style, tip);
        svg.line(to, y - 5, to, y + 5, style);
        // An interval that reaches zero has no end on this axis.
        if (r.low > 0)
            svg.line(from, y - 5, from, y + 5, style);
        else
            arrow_left(svg, from, y, style);
    }
    const std::string fill = "class=\"mark " + std::string(m.kind) + "\"";
    if (std::string_view(m.kind) == "spurious")
        svg.circle(middle, y, 5, fill, tip);
    else
        svg.rect(middle - 4.5, y - 4.5, 9, 9, fill, tip);
    // Beside the whisker where there is room.
    const double w = text_width(nice_number(r.per_million), 11);
    const bool fits = to + 7 + w < width;
    svg.text(fits ? to + 7 : from - 7, y + 4, fits ? anchor::start : anchor::end,
             "class=\"small dim\"", nice_number(r.per_million));
}

constexpr mark spurious_mark{"spurious", "spurious timeouts"};
constexpr mark true_mark{"true", "true timeouts"};

const char* const legend =
    "<ul class=\"legend\"><li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 34 12\"><path "
    "d=\"M1 6H33\" "
    "class=\"whisker spurious\"/><circle cx=\"17\" cy=\"6\" r=\"5\" class=\"mark "
    "spurious\"/></svg> "
    "spurious: a reply came later</li><li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 34 "
    "12\"><path d=\"M1 "
    "6H33\" class=\"whisker true\"/><rect x=\"12.5\" y=\"1.5\" width=\"9\" height=\"9\" "
    "class=\"mark "
    "true\"/></svg> true: no reply at all</li></ul>\n";

}  // namespace

std::string timeouts_chart(const report_data& d, timeouts_of what) {
    const bool rx = what == timeouts_of::rx;
    double low = 0, high = 0;
    if (!range_of(d, what, low, high)) {
        return rx ? "<p>No request timed out at any point.</p>\n"
                  : "<p>No wait for a delayed response timed out at any point.</p>\n";
    }
    const double left = label_width(d) + 14;
    const double base = top + row * static_cast<double>(d.points.size());
    const chart_axis x(chart_axis::scale::logarithmic, low, high, left, width - right);
    std::string words = "A row for each point, logarithmic scale.";
    for (const point_data& p : d.points) {
        words += " " + p.name() + ": spurious " + nice_rate(spurious_of(p, what)) + ", true " +
                 nice_rate(true_of(p, what)) + ".";
    }
    const std::string per =
        rx ? "imeouts per million requests" : "imeouts per million waits for a delayed response";
    svg_picture svg(rx ? "timeouts" : "delayed-timeouts", width, base + bottom, "T" + per, words);
    for (const tick& t : x.ticks(9)) {
        const double at = x.at(t.value);
        svg.line(at, top, at, base, t.labelled ? "class=\"grid\"" : "class=\"grid minor\"");
        if (t.labelled) svg.text(at, base + 18, anchor::middle, "", nice_number(t.value));
    }
    svg.text((left + width - right) / 2, base + 40, anchor::middle, "class=\"label\"", "t" + per);
    for (std::size_t i = 0; i < d.points.size(); ++i) {
        const point_data& p = d.points[i];
        const double y = top + row * static_cast<double>(i);
        svg.line(0, y, width - right, y, "class=\"grid\"");
        svg.text(0, y + row / 2 + 4, anchor::start, "", fitted(p.name(), left - 14));
        draw_rate(svg, x, spurious_of(p, what), y + row * 0.3, spurious_mark, p.name());
        draw_rate(svg, x, true_of(p, what), y + row * 0.72, true_mark, p.name());
    }
    svg.line(0, base, width - right, base, "class=\"axis\"");
    return svg.str() + legend;
}

}  // namespace scmi_vp::studies
