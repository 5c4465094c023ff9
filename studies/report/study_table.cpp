// SPDX-License-Identifier: Apache-2.0
// See study_table.h.
#include "studies/report/study_table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "base/console.h"
#include "runs/account.h"
#include "studies/human.h"
#include "studies/shell.h"

namespace scmi_vp::studies {
namespace {

using runs::short_time;
using row = std::vector<std::string>;

constexpr std::size_t text_width = 100;

/// Sentences that cells refer to by number; equal ones share it.
class footnotes {
public:
    std::string mark(const std::string& sentence) {
        auto it = std::find(sentences_.begin(), sentences_.end(), sentence);
        if (it == sentences_.end()) it = sentences_.insert(it, sentence);
        return "(" + std::to_string(it - sentences_.begin() + 1) + ")";
    }
    const std::vector<std::string>& sentences() const { return sentences_; }

private:
    std::vector<std::string> sentences_;
};

using columns = std::vector<std::size_t>;

columns widths_of(const std::vector<row>& rows) {
    columns width(rows.front().size());
    for (const row& r : rows) {
        for (std::size_t i = 0; i < r.size(); ++i) width[i] = std::max(width[i], r[i].size());
    }
    return width;
}

/// Which columns stand beside each other so that lines fit the terminal: all, or those that fit,
/// then the next ones. The labels are in front of each part.
std::vector<columns> parts_of(const columns& width, std::size_t labels) {
    const std::size_t most = console().columns == 0 ? SIZE_MAX : console().columns;
    std::size_t head = 2;
    columns part;
    for (std::size_t i = 0; i < labels; ++i) head += width[i] + 2, part.push_back(i);
    std::vector<columns> parts{part};
    std::size_t used = head;
    for (std::size_t i = labels; i < width.size(); ++i) {
        if (used + width[i] > most && parts.back().size() > labels) {
            parts.push_back(part);
            used = head;
        }
        parts.back().push_back(i);
        used += width[i] + 2;
    }
    return parts;
}

/// Labels to the left, numbers to the right; in several tables, one below the other, where the
/// terminal is too narrow for one.
void print_aligned(std::ostream& out, const std::vector<row>& rows, std::size_t labels) {
    const columns width = widths_of(rows);
    const char* between = "";
    for (const columns& part : parts_of(width, labels)) {
        out << between;
        between = "\n";
        for (const row& r : rows) {
            std::ostringstream line;
            for (const std::size_t i : part) {
                line << "  " << (i < labels ? std::left : std::right) << std::setw(int(width[i]))
                     << r[i];
            }
            std::string text = line.str();
            text.erase(text.find_last_not_of(' ') + 1);
            out << text << "\n";
        }
    }
}

std::string rate_cell(const rate_estimate& r, footnotes& notes) {
    std::string cell = rate_text(r.per_million);
    if (!r.beyond.empty()) cell += " " + notes.mark(r.beyond);
    return cell;
}

/// The interval of a row is that of incidents: they do not cause each other.
std::string incident_cell(const incident_rate& i, const rate_estimate& r) {
    if (!(i.hours > 0)) return "-";
    if (i.count == 0) return "at most " + rate_text(i.high);
    std::string cell = rate_text(i.per_hour);
    if (!r.nothing_random) cell += " [" + rate_text(i.low) + " .. " + rate_text(i.high) + "]";
    return cell;
}

std::string blocked_cell(const point_totals& t) {
    const double blocked = t.blocked.as_seconds();
    return long_time(blocked) + " (" + share_text(blocked, t.task_time.as_seconds()) + ")";
}

/// The histogram's buckets are good for three digits; what so few values cannot tell from their
/// maximum is left out.
std::string quantile_cell(const traces::span_histogram& h, double q) {
    if (!tells_quantile(h.count(), q)) return "-";
    return q < 1 ? short_time(h.quantile(q), 3) : short_time(h.max());
}

/// What a table shows beyond what every study has.
struct extra_columns {
    bool open_loop, delayed;
};

extra_columns columns_for(const findings& f) {
    const auto any = [&f](auto is) { return std::any_of(f.points.begin(), f.points.end(), is); };
    return {any([](const point_findings& p) { return p.open_loop(); }),
            any([](const point_findings& p) { return p.has_delayed(); })};
}

row row_of(const point_findings& p, footnotes& notes, extra_columns extra) {
    const point_totals& t = p.result->totals;
    row cells;
    for (const auto& [axis, label] : p.point->labels) cells.push_back(label);
    std::string requests = grouped(t.requests);
    for (const std::string& r : p.remarks) requests += " " + notes.mark(r);
    cells.push_back(requests);
    cells.push_back(rate_cell(p.spurious, notes));
    cells.push_back(incident_cell(p.spurious_incidents, p.spurious));
    cells.push_back(rate_cell(p.true_timeouts, notes));
    cells.push_back(incident_cell(p.true_incidents, p.true_timeouts));
    for (const double q : {0.5, 0.99, 0.999, 1.0}) cells.push_back(quantile_cell(t.round_trip, q));
    if (extra.open_loop) {
        for (const double q : {0.5, 0.99, 1.0}) cells.push_back(quantile_cell(t.response, q));
        cells.push_back(p.open_loop() ? grouped(t.not_made) : "");
    }
    cells.push_back(blocked_cell(t));
    cells.push_back(grouped(t.late_replies));
    cells.push_back(grouped(t.refused()));
    if (!extra.delayed) return cells;
    cells.push_back(grouped(t.delayed.requests));
    cells.push_back(p.has_delayed() ? rate_cell(p.delayed_spurious, notes) : "-");
    cells.push_back(p.has_delayed() ? rate_cell(p.delayed_true, notes) : "-");
    cells.push_back(grouped(t.delayed.late));
    return cells;
}

row heading_of(const study& s, extra_columns extra) {
    row cells;
    for (const axis& a : s.axes) cells.push_back(a.name);
    for (const char* name : {"requests", "spurious/M", "spurious incidents/h", "true/M",
                             "true incidents/h", "median", "99%", "99.9%", "max"}) {
        cells.emplace_back(name);
    }
    if (extra.open_loop) {
        for (const char* name : {"response median", "99%", "max", "not made"}) {
            cells.emplace_back(name);
        }
    }
    for (const char* name : {"blocked", "late", "refused"}) cells.emplace_back(name);
    if (!extra.delayed) return cells;
    for (const char* name : {"delayed", "spurious/M", "true/M", "late"}) cells.emplace_back(name);
    return cells;
}

void print_violations(std::ostream& out, const findings& f) {
    for (const point_findings& p : f.points) {
        const point_totals& t = p.result->totals;
        if (t.violations == 0) continue;
        out << "VIOLATIONS at " << p.point->name() << ": " << t.violations << ", the first at "
            << t.first_violation << "\n";
    }
}

void print_bars(std::ostream& out, const point_totals& t) {
    constexpr std::size_t beside_bars = 52;
    const int bars = runs::bar_columns(beside_bars);
    const double all = t.round_trip.sum().as_seconds();
    const int name_width = t.delayed.wait.max() > sim_time{} ? 17 : 11;
    for (const hop_info& h : span_table) {
        const std::size_t i = std::size_t(h.id);
        if (t.hop_max[i] == sim_time{}) continue;
        const double share = all > 0 ? t.hop_sum[i].as_seconds() / all : 0;
        const std::string bar(std::size_t(std::lround(share * bars)), '#');
        char line[160];
        std::snprintf(line, sizeof line, "  %-*s %-*s %5.1f%%  mean %9s  max %9s\n", name_width,
                      std::string(h.name).c_str(), bars, bar.c_str(), 100 * share,
                      short_time(t.hop_mean(i)).c_str(), short_time(t.hop_max[i]).c_str());
        out << line;
    }
}

}  // namespace

void print_table(std::ostream& out, const findings& f) {
    const study& s = *f.what;
    out << s.title << "\n";
    if (!s.description.empty()) print_wrapped(out, "", s.description, text_width);
    if (f.early) {
        const early_end& e = *f.early;
        print_wrapped(out, "", early_sentence(e.why, e.runs, e.of), text_width);
    }
    sim_time each;
    for (const point_findings& p : f.points) {
        if (const std::size_t n = p.result->replications.size()) {
            each = std::max(each, p.result->totals.simulated.mean(n));
        }
    }
    std::ostringstream about;
    about << "Each row: " << s.replications << (s.replications == 1 ? " run" : " runs") << " of "
          << (each < seconds(10'000) ? short_time(each)
                                     : long_time(static_cast<double>(each.ps) * 1e-12))
          << ", seed " << s.seed
          << ". Timeouts, spurious and true, are per million requests. Those whose waits overlap "
             "or lie at most a timeout apart are one incident: incidents are per hour, with an "
             "exact 95% interval (Poisson). Blocked: all tasks' time in calls, and its share of "
             "their time.";
    out << "\n";
    print_wrapped(out, "", about.str(), text_width);
    out << "\n";
    footnotes notes;
    const extra_columns extra = columns_for(f);
    std::vector<row> rows{heading_of(s, extra)};
    for (const point_findings& p : f.points) rows.push_back(row_of(p, notes, extra));
    print_aligned(out, rows, s.axes.size());
    out << "\n";
    for (std::size_t i = 0; i < notes.sentences().size(); ++i) {
        print_wrapped(out, "  (" + std::to_string(i + 1) + ") ", notes.sentences()[i], text_width);
    }
    if (extra.delayed) {
        print_wrapped(out, "  ",
                      "delayed: requests that waited for a delayed response (round trips contain "
                      "the wait); behind it the timeouts of that wait per million of these, and "
                      "the delayed responses that came when their caller had given up.",
                      text_width);
    }
    print_violations(out, f);
}

void print_hops(std::ostream& out, const findings& f) {
    const study& s = *f.what;
    const std::size_t charts = s.axes.empty() ? 1 : s.axes[0].values.size();
    for (std::size_t c = 0; c < charts; ++c) {
        point_totals sum;
        for (const point_findings& p : f.points) {
            const bool mine =
                s.axes.empty() || p.point->labels[0].second == s.axes[0].values[c].label;
            if (mine) sum.merge(p.result->totals);
        }
        const std::string whose =
            s.axes.empty() ? "" : ", " + s.axes[0].name + " " + s.axes[0].values[c].label;
        out << "\nWhere the time went" << whose << " (share of all round trips):\n";
        print_bars(out, sum);
    }
}

std::size_t slowest_point(const findings& f) {
    std::size_t best = f.points.size();
    for (std::size_t i = 0; i < f.points.size(); ++i) {
        const slowest_request& s = f.points[i].result->totals.slowest;
        if (s.id == 0) continue;
        if (best == f.points.size() ||
            s.round_trip > f.points[best].result->totals.slowest.round_trip) {
            best = i;
        }
    }
    return best;
}

void print_slowest(std::ostream& out, const story& s, const std::string& folder) {
    out << "\nThe slowest request of all:\n";
    for (const std::string& sentence : s.sentences) print_wrapped(out, "  ", sentence, text_width);
    if (folder.empty()) return;
    out << "  Its hops and the kernel's log: "
        << as_started("scmi-vp explain " + shell_quoted(folder) + " --slowest") << "\n";
}

namespace {

void print_latency_files(std::ostream& out, const findings& f) {
    std::vector<std::string> lines;
    for (const point_findings& p : f.points) {
        for (const scenario::latency_source& l : p.point->scenario.latency_sources) {
            const std::string line = l.key + ": " + l.text;
            if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
        }
    }
    if (!lines.empty()) out << "\nLatencies from files:\n";
    for (const std::string& line : lines) print_wrapped(out, "  - ", line, text_width);
}

}  // namespace

void print_notes(std::ostream& out, const findings& f) {
    print_latency_files(out, f);
    if (f.notes.empty()) return;
    out << "\nWhat this cannot tell:\n";
    for (const std::string& n : f.notes) print_wrapped(out, "  - ", n, text_width);
}

}  // namespace scmi_vp::studies
