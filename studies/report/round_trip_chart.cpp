// SPDX-License-Identifier: Apache-2.0
// The complementary distribution of round trips: what share of the requests took longer than t.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "studies/report/report_charts.h"
#include "studies/report/report_text.h"
#include "studies/report/svg.h"

namespace scmi_vp::studies {
namespace {

constexpr double width = 880, height = 430, left = 62, right = 16, top = 48, bottom = 48;
constexpr std::size_t colours = 7;  // classes s0..s6 of the style sheet

struct line_style {
    std::size_t colour = 0, dash = 0;
};

/// Where rows of equal timeout have equal colour, and what else varies has its own dashes: a line
/// and the vertical line of its timeout belong together.
std::vector<line_style> styles_of(const report_data& d) {
    std::set<std::int64_t> timeouts;
    for (const point_data& p : d.points) {
        if (p.rx_timeout) timeouts.insert(p.rx_timeout->ps);
    }
    std::vector<line_style> styles;
    std::map<std::size_t, std::size_t> used;
    for (std::size_t i = 0; i < d.points.size(); ++i) {
        std::size_t colour = i % colours;
        if (d.points[i].rx_timeout && timeouts.size() > 1) {
            const auto at = timeouts.find(d.points[i].rx_timeout->ps);
            colour = static_cast<std::size_t>(std::distance(timeouts.begin(), at)) % colours;
        }
        styles.push_back({colour, used[colour]++});
    }
    return styles;
}

std::string line_class(const line_style& s) {
    static constexpr const char* dashes[] = {"", "7 4", "2 3", "9 3 2 3", "12 4", "5 2 1 2 1 2"};
    std::string text = "class=\"curve s" + std::to_string(s.colour) + "\"";
    if (const char* dash = dashes[s.dash % 6]; *dash) {
        text += " stroke-dasharray=\"" + std::string(dash) + "\"";
    }
    return text;
}

struct plot {
    chart_axis x, y;
};

std::uint64_t total_of(const point_data& p) {
    std::uint64_t n = 0;
    for (const histogram_bucket& b : p.histogram) n += b.count;
    return n;
}

plot axes_of(const report_data& d) {
    double low = std::numeric_limits<double>::max(), high = 0;
    std::uint64_t most = 10;
    for (const point_data& p : d.points) {
        for (const histogram_bucket& b : p.histogram) {
            low = std::min(low, std::max(1.0, static_cast<double>(b.upper_edge.ps)));
            high = std::max(high, static_cast<double>(b.upper_edge.ps));
        }
        if (p.rx_timeout) high = std::max(high, static_cast<double>(p.rx_timeout->ps));
        most = std::max(most, total_of(p));
    }
    if (high <= 0) low = 1e6, high = 1e9;
    low = std::min(low, high);
    return {chart_axis(chart_axis::scale::logarithmic, low, high, left, width - right),
            chart_axis(chart_axis::scale::logarithmic, 1 / static_cast<double>(most), 1,
                       height - bottom, top)};
}

std::string probability_label(double p) {
    if (p >= 0.1) return nice_number(p);
    static constexpr const char* digits[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                             "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    std::string exponent;
    for (const char c : std::to_string(std::lround(-std::log10(p)))) exponent += digits[c - '0'];
    return "10\u207b" + exponent;
}

void draw_axes(svg_picture& svg, const plot& a) {
    const double base = height - bottom;
    for (const tick& t : a.x.ticks(9)) {
        const double x = a.x.at(t.value);
        svg.line(x, top, x, base, t.labelled ? "class=\"grid\"" : "class=\"grid minor\"");
        if (!t.labelled) continue;
        const auto ps = static_cast<std::int64_t>(std::llround(t.value));
        svg.text(x, base + 18, anchor::middle, "", nice_time(sim_time(ps)));
    }
    for (const tick& t : a.y.ticks(9)) {
        if (!t.labelled) continue;
        const double y = a.y.at(t.value);
        svg.line(left, y, width - right, y, "class=\"grid\"");
        svg.text(left - 8, y + 4, anchor::end, "", probability_label(t.value));
    }
    svg.line(left, base, width - right, base, "class=\"axis\"");
    svg.text((left + width - right) / 2, height - 8, anchor::middle, "class=\"label\"",
             "round trip t");
    svg.text(0, 14, anchor::start, "class=\"label\"", "share of requests that took longer than t");
}

void draw_timeouts(svg_picture& svg, const report_data& d, const plot& a,
                   const std::vector<line_style>& styles) {
    std::map<std::int64_t, std::size_t> drawn;  // and its colour
    for (std::size_t i = 0; i < d.points.size(); ++i) {
        if (d.points[i].rx_timeout) drawn.emplace(d.points[i].rx_timeout->ps, styles[i].colour);
    }
    // Labels that would touch share two rows.
    double row_end[2] = {-1e9, -1e9};
    for (const auto& [ps, colour] : drawn) {
        const std::string words = "timeout " + nice_time(sim_time(ps));
        const double x = a.x.at(static_cast<double>(ps)), w = text_width(words, 11);
        const double from = std::min(x - w / 2, width - right - w);
        const int row = from > row_end[0] + 6 ? 0 : 1;
        row_end[row] = from + w;
        const std::string own = "s" + std::to_string(colour);
        svg.line(x, top, x, height - bottom, "class=\"timeout " + own + "\"", words);
        svg.text(from, top - 6 - 13 * row, anchor::start, "class=\"small t" + own + "\"", words);
    }
}

/// Steps; those that nobody could see are left out.
void draw_curve(svg_picture& svg, const point_data& p, const plot& a, const line_style& style) {
    const std::uint64_t total = total_of(p);
    if (total == 0) return;
    const double first = a.x.at(static_cast<double>(p.histogram.front().upper_edge.ps));
    double x = first, y = a.y.at(1);
    std::string data = "M" + coordinate(left) + " " + coordinate(y) + "H" + coordinate(x);
    std::uint64_t above = total;
    for (const histogram_bucket& b : p.histogram) {
        const double edge = a.x.at(static_cast<double>(b.upper_edge.ps));
        if (b.count >= above) {
            // Until its maximum, one is above.
            y = a.y.at(1 / static_cast<double>(total));
            data += "H" + coordinate(edge) + "V" + coordinate(y);
            x = edge;
            break;
        }
        above -= b.count;
        const double next = a.y.at(static_cast<double>(above) / static_cast<double>(total));
        if (edge - x < 0.4 && next - y < 0.4) continue;
        data += "H" + coordinate(edge) + "V" + coordinate(next);
        x = edge;
        y = next;
    }
    svg.path(data, line_class(style),
             p.name() + ": median " + nice_time(p.round_trip.p50) + ", 99 % " +
                 nice_time(p.round_trip.p99) + ", 99.9 % " + nice_time(p.round_trip.p999));
    svg.circle(x, y, 3, "class=\"dot s" + std::to_string(style.colour) + "\"",
               p.name() + ": the slowest of " + nice_count(total) + " took " +
                   nice_time(p.round_trip.max));
}

std::string legend(const report_data& d, const std::vector<line_style>& styles) {
    std::string html = "<ul class=\"legend\">";
    for (std::size_t i = 0; i < d.points.size(); ++i) {
        html +=
            "<li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 34 10\"><path d=\"M1 "
            "5H33\" " +
            line_class(styles[i]) + "/></svg> " + escaped(d.points[i].name()) + "</li>";
    }
    return html + "</ul>\n";
}

}  // namespace

std::string round_trip_chart(const report_data& d) {
    const plot a = axes_of(d);
    const std::vector<line_style> styles = styles_of(d);
    std::string words = "Log-log plot, one line for each point of the study.";
    for (const point_data& p : d.points) {
        words += " " + p.name() + ": median " + nice_time(p.round_trip.p50) + ", 99.9 % " +
                 nice_time(p.round_trip.p999) + ", maximum " + nice_time(p.round_trip.max) + ".";
    }
    svg_picture svg("round-trips", width, height, "Share of requests that took longer than t",
                    words);
    draw_axes(svg, a);
    draw_timeouts(svg, d, a, styles);
    // Points that differ in their timeout only share a curve up to it: the shorter lies on top.
    std::vector<std::size_t> order(d.points.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t l, std::size_t r) {
        return d.points[l].round_trip.max > d.points[r].round_trip.max;
    });
    for (const std::size_t i : order) draw_curve(svg, d.points[i], a, styles[i]);
    return svg.str() + legend(d, styles);
}

}  // namespace scmi_vp::studies
