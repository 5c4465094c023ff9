// SPDX-License-Identifier: Apache-2.0
// See report_text.h.
#include "studies/report/report_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "studies/report/svg.h"

namespace scmi_vp::studies {
namespace {

constexpr const char* thin_space = "\u202f";
constexpr int digits = 3;

/// Whole digits in threes.
std::string grouped(const std::string& whole) {
    std::string out;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        if (i > 0 && (whole.size() - i) % 3 == 0 && whole.size() > 4) out += thin_space;
        out += whole[i];
    }
    return out;
}

std::string fixed(double x, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, x);
    std::string s = text;
    if (s.find('.') != std::string::npos) {
        s.erase(s.find_last_not_of('0') + 1);
        if (s.back() == '.') s.pop_back();
    }
    return s;
}

}  // namespace

std::string nice_number(double x) {
    if (x == 0) return "0";
    if (x < 0) return "\u2212" + nice_number(-x);
    if (x >= 1e15 || x < 1e-12) {
        char text[64];
        std::snprintf(text, sizeof text, "%.2e", x);
        return text;
    }
    // Rounded first, since rounding may add a digit: 999.6 is 1000.
    const int magnitude = static_cast<int>(std::floor(std::log10(x)));
    const double unit = std::pow(10, magnitude - digits + 1);
    const double rounded = std::round(x / unit) * unit;
    if (rounded >= 1000) return grouped(fixed(rounded, 0));
    return fixed(rounded, std::max(0, digits - 1 - magnitude));
}

std::string nice_time(sim_time t) {
    static constexpr struct {
        double ps;
        const char* unit;
    } units[] = {{1e12, "s"}, {1e9, "ms"}, {1e6, "\u00b5s"}, {1e3, "ns"}, {1, "ps"}};
    if (t == sim_time{}) return "0";
    const auto ps = static_cast<double>(t.ps);
    for (const auto& u : units) {
        // 999.6 us is 1 ms, not 1000 us.
        if (std::abs(ps) < u.ps * 0.9995 && u.ps > 1) continue;
        return nice_number(ps / u.ps) + "\u00a0" + u.unit;
    }
    return "0";
}

std::string nice_seconds(double seconds) {
    if (seconds >= 1000) return nice_number(seconds) + "\u00a0s";
    return nice_time(sim_time(std::llround(seconds * 1e12)));
}

std::string nice_count(std::uint64_t n) {
    return grouped(std::to_string(n));
}

std::string nice_rate(const rate_data& r) {
    if (r.count == 0) return "0";
    if (!r.has_interval()) return nice_number(r.per_million);
    return nice_number(r.per_million) + " (" + nice_number(r.low) + " to " + nice_number(r.high) +
           ")";
}

std::string nice_share(double share) {
    const double percent = 100 * share;
    if (percent > 99.9 && percent < 100) return "> 99.9\u00a0%";
    if (percent > 0 && percent < 0.1) return "< 0.1\u00a0%";
    return fixed(percent, 1) + "\u00a0%";
}

std::string hop_colour(hop h) {
    static constexpr const char* colours[span_count] = {
        "#d1bbd7", "#ae76a3", "#882e72", "#1965b0", "#5289c7", "#7bafde",
        "#4eb265", "#cae0ab", "#f7f056", "#f6c141", "#f1932d", "#e8601c",
        "#dc050c", "#90c987", "#b8c4a0", "#ded6a4", "#a8894c", "#72190e"};
    return colours[std::size_t(h)];
}

std::string hop_fill(hop h) {
    return "class=\"hop\" fill=\"" + hop_colour(h) + "\"";
}

std::string hop_label_style(hop h) {
    return "class=\"small inside\" style=\"fill:" + std::string(readable_on(hop_colour(h))) + "\"";
}

double share(sim_time part, sim_time whole) {
    return whole.ps > 0 ? static_cast<double>(part.ps) / static_cast<double>(whole.ps) : 0;
}

std::string hop_label(hop h) {
    std::string name(name_of(h));
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

}  // namespace scmi_vp::studies
