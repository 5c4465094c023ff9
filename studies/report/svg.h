// SPDX-License-Identifier: Apache-2.0
// Small pictures as inline SVG: shapes with tooltips, a title and a description for those who hear
// them, and axes with sensible ticks. Colours come from the page's style sheet by class.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scmi_vp::studies {

/// Text for HTML and XML, in elements and in attributes. Characters that XML 1.0 (section 2.2) does
/// not allow become question marks.
std::string escaped(std::string_view text);

/// A coordinate: at most two decimals, the same in every locale.
std::string coordinate(double value);

/// How a text lies at its point.
enum class anchor { start, middle, end };

class svg_picture {
public:
    /// `id` is unique in the page. The picture scales with its column up to its own width.
    svg_picture(const std::string& id, double width, double height, std::string_view title,
                std::string_view description);

    /// `style` is put into the element as it is (class="..." and other attributes).
    void rect(double x, double y, double width, double height, std::string_view style,
              std::string_view tooltip = "");
    void line(double x1, double y1, double x2, double y2, std::string_view style,
              std::string_view tooltip = "");
    void circle(double x, double y, double radius, std::string_view style,
                std::string_view tooltip = "");
    void text(double x, double y, anchor a, std::string_view style, std::string_view words);
    /// `data` is SVG path data.
    void path(std::string_view data, std::string_view style, std::string_view tooltip = "");

    /// The whole element.
    std::string str() const { return out_ + "</svg>\n"; }

private:
    void finish(std::string_view element, std::string_view style, std::string_view tooltip);

    std::string out_;
};

/// A little wider than most fonts set it.
double text_width(std::string_view text, double font_size = 12);

/// `text`, cut with an ellipsis if it is wider than `width`.
std::string fitted(const std::string& text, double width, double font_size = 12);

/// Black or white, whichever reads better on "#rrggbb" (WCAG 2.1, relative luminance).
std::string_view readable_on(std::string_view colour);

/// A tick of an axis.
struct tick {
    double value = 0;
    bool labelled = true;  ///< else a minor one
};

/// From values to coordinates.
class chart_axis {
public:
    enum class scale { linear, logarithmic };
    /// Logarithmic axes are widened to whole decades and need 0 < low <= high.
    chart_axis(scale s, double low, double high, double from, double to);

    /// Clamped to the axis.
    double at(double value) const;
    double low() const { return low_; }
    double high() const { return high_; }
    /// Decades with 2..9 in between, or about `count` round values.
    std::vector<tick> ticks(int count = 6) const;

private:
    scale scale_;
    double low_, high_, from_, to_;
};

}  // namespace scmi_vp::studies
