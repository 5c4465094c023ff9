// SPDX-License-Identifier: Apache-2.0
// Shapes, axes and texts of pictures, against XML 1.0 and WCAG 2.1.
#include "studies/report/svg.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/hops.h"
#include "studies/report/report_text.h"
#include "studies/report/xml_testing.h"

namespace scmi_vp::studies {
namespace {

// XML 1.0, 2.4: & and < are markup, quotes end attributes; 2.2: control characters are no text.
TEST(svg, hostile_texts_are_escaped) {
    EXPECT_EQ(escaped("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
    EXPECT_EQ(escaped(std::string("x\x01y\x1bz\n")), "x?y?z\n");
    EXPECT_EQ(escaped("\u00b5s"), "\u00b5s");
}

TEST(svg, pictures_are_well_formed_and_named) {
    svg_picture svg("a<b", 100, 50, "T & t", "D < d");
    svg.rect(0, 0, 10.005, 1e-9, "class=\"x\"", "tip \"1\"");
    svg.line(0, 1, 2, 3, "");
    svg.circle(1, 1, 2, "", "");
    svg.path("M0 0", "", "");
    svg.text(1, 2, anchor::end, "", "<words>");
    xml_test_reader xml(svg.str());
    ASSERT_NO_THROW(xml.read());
    EXPECT_EQ(xml.count("title"), 2u);  // its own and the tooltip
    EXPECT_EQ(xml.count("desc"), 1u);
    EXPECT_NE(svg.str().find("aria-labelledby=\"a&lt;b-t a&lt;b-d\""), std::string::npos);
}

TEST(svg, coordinates_have_two_decimals_at_most) {
    EXPECT_EQ(coordinate(0), "0");
    EXPECT_EQ(coordinate(12.5), "12.5");
    EXPECT_EQ(coordinate(-0.04), "-0.04");
    EXPECT_EQ(coordinate(1.999), "2");
    EXPECT_EQ(coordinate(-3.456), "-3.46");
}

TEST(svg, logarithmic_axes_end_at_decades_and_clamp) {
    const chart_axis a(chart_axis::scale::logarithmic, 3, 700, 0, 300);
    EXPECT_DOUBLE_EQ(a.low(), 1);
    EXPECT_DOUBLE_EQ(a.high(), 1000);
    EXPECT_NEAR(a.at(10), 100, 1e-9);
    EXPECT_NEAR(a.at(1e-5), 0, 1e-9);
    EXPECT_NEAR(a.at(1e9), 300, 1e-9);
    std::size_t labelled = 0;
    for (const tick& t : a.ticks(6)) labelled += t.labelled;
    EXPECT_EQ(labelled, 4u);
    // A single value still has an axis.
    const chart_axis one(chart_axis::scale::logarithmic, 10, 10, 0, 1);
    EXPECT_GT(one.high(), one.low());
}

TEST(svg, many_decades_are_thinned_out) {
    const chart_axis a(chart_axis::scale::logarithmic, 1, 1e20, 0, 100);
    std::size_t labelled = 0;
    for (const tick& t : a.ticks(6)) labelled += t.labelled;
    EXPECT_LE(labelled, 7u);
    EXPECT_GE(labelled, 4u);
}

TEST(svg, linear_ticks_are_round_and_inside) {
    const chart_axis a(chart_axis::scale::linear, 0, 6.1e11, 0, 100);
    const std::vector<tick> ticks = a.ticks(7);
    ASSERT_GE(ticks.size(), 5u);
    EXPECT_LE(ticks.size(), 9u);
    for (const tick& t : ticks) {
        EXPECT_LE(t.value, 6.1e11 * 1.000001);
        EXPECT_NEAR(t.value / 1e11, std::round(t.value / 1e11), 1e-6);
    }
}

TEST(svg, long_labels_are_cut_between_characters) {
    EXPECT_EQ(fitted("short", 200), "short");
    const std::string cut =
        fitted("\u00b5\u00b5\u00b5\u00b5\u00b5\u00b5\u00b5\u00b5\u00b5\u00b5", 50);
    EXPECT_LE(text_width(cut), 50);
    EXPECT_EQ(cut.substr(cut.size() - 3), "\u2026");
    EXPECT_EQ((cut.size() - 3) % 2, 0u);
}

double luminance(const std::string& colour) {
    const double weights[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        const double c = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
        sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

// WCAG 2.1, 1.4.3: at least 4.5 to 1 for small text.
TEST(svg, words_on_hops_can_be_read_and_colours_differ) {
    std::set<std::string> colours;
    for (const hop_info& h : hop_table) {
        const std::string colour = hop_colour(h.id);
        const double on = luminance(colour), ink = luminance(std::string(readable_on(colour)));
        EXPECT_GE((std::max(on, ink) + 0.05) / (std::min(on, ink) + 0.05), 4.5) << h.name;
        EXPECT_TRUE(colours.insert(colour).second) << h.name;
    }
}

TEST(report_text, numbers_have_three_digits_and_no_exponent) {
    EXPECT_EQ(nice_number(0), "0");
    EXPECT_EQ(nice_number(0.012345), "0.0123");
    EXPECT_EQ(nice_number(12.34), "12.3");
    EXPECT_EQ(nice_number(999.6), "1000");
    EXPECT_EQ(nice_number(1234567), "1\u202f230\u202f000");
    EXPECT_EQ(nice_count(1234567), "1\u202f234\u202f567");
    EXPECT_EQ(nice_number(-2.5), "\u22122.5");
}

TEST(report_text, times_change_their_unit_where_they_round_to_it) {
    EXPECT_EQ(nice_time(sim_time{}), "0");
    EXPECT_EQ(nice_time(picoseconds(1)), "1\u00a0ps");
    EXPECT_EQ(nice_time(nanoseconds(71'260)), "71.3\u00a0\u00b5s");
    EXPECT_EQ(nice_time(nanoseconds(999'960)), "1\u00a0ms");
    EXPECT_EQ(nice_time(seconds(4800)), "4800\u00a0s");
}

// Zero counted is never zero probability: the bound is shown.
TEST(report_text, a_rate_has_its_interval_if_it_has_one) {
    rate_data r;
    EXPECT_EQ(nice_rate(r), "0");
    r.count = 3;
    r.per_million = r.low = r.high = 2;
    EXPECT_EQ(nice_rate(r), "2");
    r.low = 0.5;
    r.high = 7.5;
    EXPECT_EQ(nice_rate(r), "2 (0.5 to 7.5)");
}

TEST(report_text, shares_do_not_round_to_all_or_nothing) {
    EXPECT_EQ(nice_share(1), "100\u00a0%");
    EXPECT_EQ(nice_share(0.9996), "> 99.9\u00a0%");
    EXPECT_EQ(nice_share(0.0004), "< 0.1\u00a0%");
    EXPECT_EQ(nice_share(0.5), "50\u00a0%");
}

}  // namespace
}  // namespace scmi_vp::studies
