// SPDX-License-Identifier: Apache-2.0
// See human.h.
#include "studies/human.h"

#include <cmath>
#include <cstdio>

#include "runs/account.h"

namespace scmi_vp::studies {

std::string grouped(std::uint64_t n) {
    const std::string digits = std::to_string(n);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) text += ' ';
        text += digits[i];
    }
    return text;
}

std::string rate_text(double x) {
    if (!(x > 0)) return "0";
    if (x >= 1000) {
        const double unit = std::pow(10, std::floor(std::log10(x)) - 2);
        return grouped(static_cast<std::uint64_t>(std::llround(x / unit) * std::llround(unit)));
    }
    const int decimals = std::max(0, 2 - static_cast<int>(std::floor(std::log10(x))));
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", std::min(decimals, 12), x);
    std::string s = text;
    while (s.find('.') != std::string::npos && (s.back() == '0' || s.back() == '.')) {
        const bool point = s.back() == '.';
        s.pop_back();
        if (point) break;
    }
    return s;
}

std::string share_text(double part, double whole) {
    const double percent = whole > 0 ? 100 * part / whole : 0;
    if (percent > 0 && percent < 0.1) return "<0.1%";
    char text[32];
    std::snprintf(text, sizeof text, percent < 10 ? "%.2g%%" : "%.0f%%", percent);
    return text;
}

std::string long_time(double seconds) {
    if (seconds < 100) return runs::short_time(sim_time(std::llround(seconds * 1e12)));
    const struct {
        double seconds;
        const char* unit;
    } units[] = {{86400 * 2, "d"}, {3600 * 2, "h"}, {0, "min"}};
    for (const auto& u : units) {
        if (seconds < u.seconds) continue;
        const double one = *u.unit == 'd' ? 86400 : *u.unit == 'h' ? 3600 : 60;
        char text[32];
        std::snprintf(text, sizeof text, "%.3g%s", seconds / one, u.unit);
        return text;
    }
    return "";
}

}  // namespace scmi_vp::studies
