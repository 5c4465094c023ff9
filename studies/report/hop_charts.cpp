// SPDX-License-Identifier: Apache-2.0
// Where the time goes, hop by hop: bars of mean and slowest requests.
#include <algorithm>
#include <numeric>

#include "studies/report/report_charts.h"
#include "studies/report/report_text.h"
#include "studies/report/svg.h"

namespace scmi_vp::studies {
namespace {

using spans = std::array<sim_time, span_count>;

constexpr double width = 880;
// A part of a bar that is at least half a pixel; what is shorter is in the table only.
constexpr double least_visible = 0.5 / width;

sim_time sum_of(const spans& s) {
    return std::accumulate(s.begin(), s.end(), sim_time{});
}

/// A point and the hops of its bar.
struct bar {
    std::string name, total;
    spans hops{};
};

std::vector<bar> bars_of(const report_data& d, hop_chart_of what) {
    std::vector<bar> bars;
    for (const point_data& p : d.points) {
        if (what == hop_chart_of::mean) {
            if (p.requests) bars.push_back({p.name(), nice_time(p.round_trip.mean), p.hop_mean});
        } else if (p.slowest && p.slowest->hops) {
            bars.push_back({p.name(), nice_time(p.slowest->round_trip), *p.slowest->hops});
        }
    }
    return bars;
}

std::string legend(const std::vector<bar>& bars) {
    std::string html = "<ul class=\"legend\">";
    for (const hop_info& h : span_table) {
        const bool used = std::any_of(bars.begin(), bars.end(), [&](const bar& b) {
            return share(b.hops[std::size_t(h.id)], sum_of(b.hops)) > least_visible;
        });
        if (!used) continue;
        html +=
            "<li title=\"" +
            escaped("from: " + std::string(h.from) + "; until: " + std::string(h.until)) +
            "\"><svg class=\"box\" aria-hidden=\"true\" viewBox=\"0 0 12 12\"><rect width=\"12\" "
            "height=\"12\" " +
            hop_fill(h.id) + "/></svg> " + escaped(hop_label(h.id)) + "</li>";
    }
    return html + "</ul>\n";
}

void draw_bar(svg_picture& svg, const bar& b, double left, double right, double y, double height) {
    const sim_time total = sum_of(b.hops);
    double x = left;
    for (const hop_info& h : span_table) {
        const sim_time span = b.hops[std::size_t(h.id)];
        if (span <= sim_time{}) continue;
        const double part = share(span, total), w = part * (right - left);
        const std::string label = hop_label(h.id);
        svg.rect(x, y, w, height, hop_fill(h.id),
                 b.name + ", " + label + ": " + nice_time(span) + ", " + nice_share(part));
        if (w > text_width(label, 11) + 8) {
            svg.text(x + w / 2, y + height / 2 + 4, anchor::middle, hop_label_style(h.id), label);
        }
        x += w;
    }
}

/// Beside what folds it away, not inside: what a closed <details> holds is not printed everywhere.
std::string numbers(const std::vector<bar>& bars) {
    std::string html =
        "<details><summary>The numbers</summary></details>\n<div "
        "class=\"wide\"><table><thead><tr><th "
        "scope=\"col\">hop</th>";
    for (const bar& b : bars) html += "<th scope=\"col\">" + escaped(b.name) + "</th>";
    html += "</tr></thead><tbody>";
    for (const hop_info& h : span_table) {
        std::string row = "<tr><th scope=\"row\">" + escaped(hop_label(h.id)) + "</th>";
        bool any = false;
        for (const bar& b : bars) {
            const sim_time span = b.hops[std::size_t(h.id)];
            any |= span > sim_time{};
            row += "<td>" + nice_time(span) + "</td>";
        }
        if (any) html += row + "</tr>";
    }
    return html + "</tbody></table></div>\n";
}

}  // namespace

std::string hop_chart(const report_data& d, hop_chart_of what) {
    const std::vector<bar> bars = bars_of(d, what);
    if (bars.empty()) return "";
    constexpr double row = 34, height = 24;
    const bool mean = what == hop_chart_of::mean;
    double left = 80, right = 50;
    std::string words = "A bar for each point, split into hops.";
    for (const bar& b : bars) {
        left = std::max(left, std::min(text_width(b.name), 270.0));
        right = std::max(right, text_width(b.total));
        words += " " + b.name + ", " + b.total + ":";
        for (const hop_info& h : span_table) {
            const double part = share(b.hops[std::size_t(h.id)], sum_of(b.hops));
            if (part >= 0.01) words += " " + hop_label(h.id) + " " + nice_share(part);
        }
        words += ".";
    }
    left += 14;
    const double bar_end = width - right - 12;
    svg_picture svg(mean ? "hops-mean" : "hops-slowest", width,
                    row * static_cast<double>(bars.size()) + 24,
                    mean ? "Where the time goes, mean per request"
                         : "Where the time of the slowest requests went",
                    words);
    svg.text(width, 14, anchor::end, "class=\"small dim\"", mean ? "mean" : "slowest");
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double y = 22 + row * static_cast<double>(i);
        svg.text(0, y + height / 2 + 4, anchor::start, "", fitted(bars[i].name, left - 14));
        draw_bar(svg, bars[i], left, bar_end, y, height);
        svg.text(width, y + height / 2 + 4, anchor::end, "", bars[i].total);
    }
    return svg.str() + legend(bars) + numbers(bars);
}

}  // namespace scmi_vp::studies
