// SPDX-License-Identifier: Apache-2.0
// Columns become one histogram, held against what the file says of itself.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "traces/latency_parsing.h"

namespace scmi_vp::traces {
namespace latency_parsing {
namespace {

// How far an average may be from its rows before it is pointed out: tools cut and round.
constexpr double tolerance = 0.01;

struct range {
    double low = 0, high = 0;
};

// What the samples in the bins add up to, at least and at most.
range sum_of(const series& s, sim_time width) {
    range sum;
    for (const histogram_bin& b : s.bins) {
        const sim_time end = b.low + (b.width < sim_time() ? width : b.width);
        sum.low += static_cast<double>(b.count) * static_cast<double>(b.low.ps);
        sum.high += static_cast<double>(b.count) * static_cast<double>(end.ps);
    }
    return sum;
}

std::string between(const range& r) {
    const std::string low = rounded_time(r.low), high = rounded_time(r.high);
    return low == high ? low : low + " to " + high;
}

bool outside(double value, const range& r, double step) {
    return value < r.low * (1 - tolerance) - step || value > r.high * (1 + tolerance);
}

// The rows have all samples: their average is known, give or take the width of a row.
void check_average(const series& s, const pooled_parts& p, std::vector<std::string>& notes) {
    const range sum = sum_of(s, p.width);
    const auto n = static_cast<double>(s.in_bins());
    const range rows{sum.low / n, sum.high / n};
    if (!outside(static_cast<double>(s.average->ps), rows,
                 static_cast<double>(s.average_step.ps))) {
        return;
    }
    notes.push_back("contradicts itself: the rows of " + s.name + " average " + between(rows) +
                    ", but the file says " + to_string(*s.average));
}

// Overflows have what the rows lack: their average must lie beyond the rows, up to the maximum.
void check_overflow_average(const series& s, const pooled_parts& p, sim_time limit,
                            std::vector<std::string>& notes) {
    const range sum = sum_of(s, p.width);
    const auto beyond = static_cast<double>(s.overflows);
    const double n = static_cast<double>(s.in_bins()) + beyond;
    const double step = static_cast<double>(s.average_step.ps);
    const double all = static_cast<double>(s.average->ps) * n;
    const range theirs{(all - sum.high) / beyond, (all + step * n - sum.low) / beyond};
    const bool too_low = theirs.high < static_cast<double>(limit.ps) * (1 - tolerance);
    const bool too_high =
        s.max && theirs.low > static_cast<double>((*s.max + p.width).ps) * (1 + tolerance);
    if (!too_low && !too_high) return;
    notes.push_back("contradicts itself: with the average of " + to_string(*s.average) +
                    " that it gives, the " + counted(s.overflows, "overflow") + " of " + s.name +
                    " would average " + rounded_time(std::max(0.0, theirs.low)) +
                    ", but they are " +
                    (too_low ? "beyond " + to_string(limit) : "at most " + to_string(*s.max)));
}

void check_ends(const series& s, const pooled_parts& p, std::vector<std::string>& notes) {
    if (s.bins.empty()) return;
    const auto end = [&](const histogram_bin& b) {
        return b.low + (b.width < sim_time() ? p.width : b.width);
    };
    const histogram_bin &first = s.bins.front(), &last = s.bins.back();
    if (s.min && (*s.min < first.low || *s.min > end(first))) {
        notes.push_back("contradicts itself: the first count of " + s.name + " is at " +
                        to_string(first.low) + ", but its minimum is " + to_string(*s.min));
    }
    if (s.max && s.overflows == 0 && (*s.max < last.low || *s.max > end(last))) {
        notes.push_back("contradicts itself: the last count of " + s.name + " is at " +
                        to_string(last.low) + ", but its maximum is " + to_string(*s.max));
    }
}

void check_series(const series& s, const pooled_parts& p, sim_time limit,
                  std::vector<std::string>& notes) {
    check_ends(s, p, notes);
    if (!s.average || s.in_bins() + s.overflows == 0) return;
    if (s.overflows == 0) return check_average(s, p, notes);
    check_overflow_average(s, p, limit, notes);
}

void add_bins(const latency_text& t, const pooled_parts& p, latency_file& file) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> sums;
    for (const series& s : p.columns) {
        for (const histogram_bin& b : s.bins) {
            add_to(sums[{b.low.ps, b.width.ps}], b.count, t, 0);
        }
        add_to(file.pooled.overflows, s.overflows, t, 0);
    }
    for (const auto& [place, count] : sums) {
        if (count == 0) continue;
        file.pooled.bins.push_back({sim_time(place.first), count, sim_time(place.second)});
        add_to(file.samples, count, t, 0);
    }
    if (file.samples == 0) {
        t.refuse(file.pooled.overflows
                     ? "every count is 0: all samples are beyond the histogram; record with a "
                       "larger one"
                     : "every count is 0; record for longer");
    }
    add_to(file.samples, file.pooled.overflows, t, 0);
}

// As it will be drawn: a sample is spread over its row, and what was cut off the average is made
// up for by half.
void add_average(const pooled_parts& p, latency_file& file) {
    double printed = 0, drawn = 0, n = 0;
    for (const series& s : p.columns) {
        const auto count = static_cast<double>(s.in_bins() + s.overflows);
        if (count == 0) continue;
        if (!s.average) return;
        n += count;
        printed += count * static_cast<double>(s.average->ps);
        const auto within_rows = static_cast<double>(s.average_step.ps + p.width.ps) / 2;
        drawn += count * (static_cast<double>(s.average->ps) + within_rows);
    }
    file.average_ps = printed / n;
    file.pooled.mean = sim_time(std::llround(std::min(drawn / n, double(longest_span.ps))));
}

}  // namespace

std::uint64_t series::in_bins() const {
    std::uint64_t n = 0;
    for (const histogram_bin& b : bins) n += b.count;
    return n;
}

latency_file pooled(const latency_text& t, const pooled_parts& p) {
    latency_file file;
    file.format = p.format;
    file.parts = p.parts;
    file.unit = p.unit.name;
    histogram& h = file.pooled;
    h.width = p.width;
    add_bins(t, p, file);
    const sim_time end = h.end_of(h.bins.back());
    if (end > longest_span || p.limit > longest_span) {
        t.refuse("a latency ends above " + to_string(longest_span));
    }
    h.limit = std::max(p.limit, end);
    sim_time longest;
    for (const series& s : p.columns) {
        if (s.max) longest = std::max(longest, *s.max);
        if (s.in_bins() + s.overflows > 0) check_series(s, p, h.limit, file.notes);
    }
    h.max = longest == sim_time() ? end : longest;
    if (h.overflows > 0 && longest < h.limit) file.max_known = false;
    add_average(p, file);
    return file;
}

latency_file of_samples(const latency_text& t, const std::string& format, const std::string& parts,
                        const time_unit& unit, sim_time width, std::vector<sim_time> samples) {
    pooled_parts p{format, parts, unit, width, {}, {}};
    p.columns.push_back({"the samples", {}, 0, {}, {}, {}, {}});
    std::map<std::int64_t, std::uint64_t> counts;
    for (const sim_time s : samples) ++counts[s.ps];
    for (const auto& [low, count] : counts) {
        p.columns[0].bins.push_back({sim_time(low), count, width});
    }
    latency_file file = pooled(t, p);
    if (file.pooled.width == sim_time()) file.pooled.width = picoseconds(1);
    file.in_order = std::move(samples);
    return file;
}

}  // namespace latency_parsing

std::string rounded_time(double ps) {
    if (!(ps >= 1)) return "0s";
    const double scale = std::pow(10.0, std::floor(std::log10(ps)) - 3);
    const double rounded = scale > 1 ? std::round(ps / scale) * scale : std::round(ps);
    return to_string(sim_time(std::llround(std::min(rounded, double(longest_span.ps)))));
}

std::string describe(const latency_file& file) {
    std::string number = std::to_string(file.samples);
    for (std::size_t i = number.size(); i > 3; i -= 3) number.insert(i - 3, " ");
    std::string text = file.format + (file.parts.empty() ? "" : ", " + file.parts) + ", " + number +
                       (file.samples == 1 ? " sample" : " samples");
    const histogram& h = file.pooled;
    if (h.overflows > 0) {
        text +=
            " (" + std::to_string(h.overflows) + " beyond its end at " + to_string(h.limit) + ")";
    }
    text += ", " + rounded_time(double(h.bins.front().low.ps)) + " to " +
            (file.max_known ? rounded_time(double(h.max.ps)) : "an unknown maximum");
    return text + (file.unit.empty() ? "" : ", in " + file.unit);
}

}  // namespace scmi_vp::traces
