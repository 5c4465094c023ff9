// SPDX-License-Identifier: Apache-2.0
// See svg.h.
#include "studies/report/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace scmi_vp::studies {
namespace {

std::string attribute(std::string_view name, double value) {
    return " " + std::string(name) + "=\"" + coordinate(value) + "\"";
}

/// Bytes that start a character: UTF-8's continuation bytes are 10xxxxxx.
bool starts_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        // U+FFFE and U+FFFF in UTF-8.
        const std::string_view next = text.substr(i, 3);
        if (next == "\xEF\xBF\xBE" || next == "\xEF\xBF\xBF") {
            out += '?';
            i += 2;
            continue;
        }
        const char c = text[i];
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default: {
                const bool control = static_cast<unsigned char>(c) < 0x20u;
                out += control && c != '\n' && c != '\t' ? '?' : c;
            }
        }
    }
    return out;
}

std::string coordinate(double value) {
    // Hundredths as an integer: printf's decimal point would follow the locale.
    const long long hundredths = std::llround(value * 100);
    const long long whole = std::llabs(hundredths) / 100, rest = std::llabs(hundredths) % 100;
    std::string text = (hundredths < 0 ? "-" : "") + std::to_string(whole);
    if (rest == 0) return text;
    text += '.';
    text += static_cast<char>('0' + rest / 10);
    if (rest % 10) text += static_cast<char>('0' + rest % 10);
    return text;
}

svg_picture::svg_picture(const std::string& id, double width, double height, std::string_view title,
                         std::string_view description) {
    const std::string name = escaped(id);
    out_ = "<svg role=\"img\" aria-labelledby=\"" + name + "-t " + name + "-d\" viewBox=\"0 0 " +
           coordinate(width) + " " + coordinate(height) +
           "\" style=\"max-width:" + coordinate(width) + "px\">\n<title id=\"" + name + "-t\">" +
           escaped(title) + "</title>\n<desc id=\"" + name + "-d\">" + escaped(description) +
           "</desc>\n";
}

void svg_picture::finish(std::string_view element, std::string_view style,
                         std::string_view tooltip) {
    if (!style.empty()) out_ += " " + std::string(style);
    if (tooltip.empty()) {
        out_ += "/>\n";
    } else {
        out_ += "><title>" + escaped(tooltip) + "</title></" + std::string(element) + ">\n";
    }
}

void svg_picture::rect(double x, double y, double width, double height, std::string_view style,
                       std::string_view tooltip) {
    out_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
            attribute("height", height);
    finish("rect", style, tooltip);
}

void svg_picture::line(double x1, double y1, double x2, double y2, std::string_view style,
                       std::string_view tooltip) {
    out_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
            attribute("y2", y2);
    finish("line", style, tooltip);
}

void svg_picture::circle(double x, double y, double radius, std::string_view style,
                         std::string_view tooltip) {
    out_ += "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", radius);
    finish("circle", style, tooltip);
}

void svg_picture::text(double x, double y, anchor a, std::string_view style,
                       std::string_view words) {
    out_ += "<text" + attribute("x", x) + attribute("y", y);
    if (a != anchor::start) {
        out_ += a == anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
    }
    if (!style.empty()) out_ += " " + std::string(style);
    out_ += ">" + escaped(words) + "</text>\n";
}

void svg_picture::path(std::string_view data, std::string_view style, std::string_view tooltip) {
    out_ += "<path d=\"" + std::string(data) + "\"";
    finish("path", style, tooltip);
}

double text_width(std::string_view text, double font_size) {
    const auto characters = std::count_if(text.begin(), text.end(), starts_character);
    return static_cast<double>(characters) * font_size * 0.57;
}

std::string fitted(const std::string& text, double width, double font_size) {
    if (text_width(text, font_size) <= width) return text;
    std::string cut = text;
    while (!cut.empty() && text_width(cut, font_size) + font_size > width) {
        while (!cut.empty() && !starts_character(cut.back())) cut.pop_back();
        if (!cut.empty()) cut.pop_back();
    }
    return cut + "\u2026";
}

std::string_view readable_on(std::string_view colour) {
    double luminance = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string digits(colour.substr(1 + 2 * i, 2));
        const double c = static_cast<double>(std::strtol(digits.c_str(), nullptr, 16)) / 255;
        luminance += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    // Where contrast with white, 1.05 / (L + 0.05), equals that with black, (L + 0.05) / 0.05.
    return luminance > 0.179 ? "#000000" : "#ffffff";
}

chart_axis::chart_axis(scale s, double low, double high, double from, double to)
    : scale_(s), low_(low), high_(high), from_(from), to_(to) {
    if (scale_ == scale::logarithmic) {
        low_ = std::pow(10, std::floor(std::log10(low) + 1e-9));
        high_ = std::pow(10, std::ceil(std::log10(high) - 1e-9));
        if (high_ <= low_ * 1.5) high_ = low_ * 10;
    } else if (high_ <= low_) {
        high_ = low_ + 1;
    }
}

double chart_axis::at(double value) const {
    const double v = std::clamp(value, low_, high_);
    const double share = scale_ == scale::logarithmic
                             ? std::log10(v / low_) / std::log10(high_ / low_)
                             : (v - low_) / (high_ - low_);
    return from_ + share * (to_ - from_);
}

std::vector<tick> chart_axis::ticks(int count) const {
    std::vector<tick> all;
    if (scale_ == scale::logarithmic) {
        const int first = static_cast<int>(std::lround(std::log10(low_)));
        const int last = static_cast<int>(std::lround(std::log10(high_)));
        // More decades than there is room for: label every second, third, ...
        const int every = std::max(1, (last - first + count - 1) / count);
        for (int d = first; d <= last; ++d) {
            const double decade = std::pow(10, d);
            all.push_back({decade, (d - first) % every == 0});
            for (int m = 2; m <= 9 && d < last && every == 1; ++m)
                all.push_back({m * decade, false});
        }
        return all;
    }
    const double rough = (high_ - low_) / count;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * decade;
    for (const double m : {5.0, 2.0, 1.0}) {
        if (m * decade >= rough * 0.999) step = m * decade;
    }
    const double first = std::ceil(low_ / step - 1e-9);
    for (double n = first; n * step <= high_ * (1 + 1e-9); ++n) all.push_back({n * step, true});
    return all;
}

}  // namespace scmi_vp::studies
