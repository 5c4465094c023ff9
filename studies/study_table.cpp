// SPDX-License-Identifier: Apache-2.0
// See study_table.h.
#include "studies/study_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "studies/human.h"
#include "studies/shell.h"
#include "testbenches/account.h"

namespace scmi_vp::studies {
namespace {

using testbenches::short_time;
using row = std::vector<std::string>;

constexpr int bar_width = 40;
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

/// Labels to the left, numbers to the right.
void print_aligned(std::ostream& out, const std::vector<row>& rows, std::size_t labels) {
    std::vector<std::size_t> width(rows.front().size());
    for (const row& r : rows) {
        for (std::size_t i = 0; i < r.size(); ++i) width[i] = std::max(width[i], r[i].size());
    }
    for (const row& r : rows) {
        std::ostringstream line;
        for (std::size_t i = 0; i < r.size(); ++i) {
            line << (i < labels ? std::left : std::right) << std::setw(int(width[i])) << r[i]
                 << (i + 1 < r.size() ? "  " : "");
        }
        std::string text = line.str();
        text.erase(text.find_last_not_of(' ') + 1);
        out << "  " << text << "\n";
    }
}

void print_wrapped(std::ostream& out, const std::string& first, const std::string& text) {
    std::istringstream words(text);
    std::string line = first;
    const std::string indent(first.size(), ' ');
    for (std::string word; words >> word;) {
        if (line.size() > indent.size() && line.size() + 1 + word.size() > text_width) {
            out << line << "\n";
            line = indent;
        }
        line += (line.size() > indent.size() ? " " : "") + word;
    }
    out << line << "\n";
}

std::string rate_cell(const rate_estimate& r, footnotes& notes) {
    std::string cell = rate_text(r.per_million);
    if (r.low != r.high) cell += " [" + rate_text(r.low) + " .. " + rate_text(r.high) + "]";
    if (!r.beyond.empty()) cell += " " + notes.mark(r.beyond);
    return cell;
}

/// The histogram's buckets are good for three digits; what so few values cannot tell from their
/// maximum is left out.
std::string quantile_cell(const traces::span_histogram& h, double q) {
    if (!tells_quantile(h.count(), q)) return "-";
    return q < 1 ? short_time(h.quantile(q), 3) : short_time(h.max());
}

row row_of(const point_findings& p, footnotes& notes, bool open_loop) {
    const point_totals& t = p.result->totals;
    row cells;
    for (const auto& [axis, label] : p.point->labels) cells.push_back(label);
    std::string requests = grouped(t.requests);
    for (const std::string& r : p.remarks) requests += " " + notes.mark(r);
    cells.push_back(requests);
    cells.push_back(rate_cell(p.spurious, notes));
    cells.push_back(rate_cell(p.true_timeouts, notes));
    for (const double q : {0.5, 0.99, 0.999, 1.0}) cells.push_back(quantile_cell(t.round_trip, q));
    if (open_loop) {
        for (const double q : {0.5, 0.99, 1.0}) cells.push_back(quantile_cell(t.response, q));
        cells.push_back(p.open_loop() ? grouped(t.not_made) : "");
    }
    cells.push_back(long_time(t.blocked.as_seconds()));
    cells.push_back(grouped(t.late_replies));
    cells.push_back(grouped(t.refused()));
    return cells;
}

row heading_of(const study& s, bool open_loop) {
    row cells;
    for (const axis& a : s.axes) cells.push_back(a.name);
    for (const char* name :
         {"requests", "spurious timeouts/M", "true timeouts/M", "median", "99%", "99.9%", "max"}) {
        cells.emplace_back(name);
    }
    if (open_loop) {
        for (const char* name : {"response median", "99%", "max", "not made"}) {
            cells.emplace_back(name);
        }
    }
    for (const char* name : {"blocked", "late", "refused"}) cells.emplace_back(name);
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
    const double all = t.round_trip.sum().as_seconds();
    for (const hop_info& h : hop_table) {
        const std::size_t i = std::size_t(h.id);
        if (t.hop_max[i] == sim_time{}) continue;
        const double share = all > 0 ? t.hop_sum[i].as_seconds() / all : 0;
        const std::string bar(std::size_t(std::lround(share * bar_width)), '#');
        char line[160];
        std::snprintf(line, sizeof line, "  %-11s %-*s %5.1f%%  mean %9s  max %9s\n",
                      std::string(h.name).c_str(), bar_width, bar.c_str(), 100 * share,
                      short_time(t.hop_mean(i)).c_str(), short_time(t.hop_max[i]).c_str());
        out << line;
    }
}

}  // namespace

void print_table(std::ostream& out, const findings& f) {
    const study& s = *f.what;
    out << s.title << "\n";
    if (!s.description.empty()) print_wrapped(out, "", s.description);
    sim_time each;
    for (const point_findings& p : f.points) {
        each = std::max(each, p.result->totals.simulated.mean(s.replications));
    }
    out << "\nEach row: " << s.replications << (s.replications == 1 ? " run" : " runs") << " of "
        << (each < seconds(10'000) ? short_time(each)
                                   : long_time(static_cast<double>(each.ps) * 1e-12))
        << ", seed " << s.seed << ". Timeouts are per million requests, with a 95% interval over "
        << (s.replications == 1 ? "batches" : "runs") << ".\n\n";
    footnotes notes;
    const bool open_loop = std::any_of(f.points.begin(), f.points.end(),
                                       [](const point_findings& p) { return p.open_loop(); });
    std::vector<row> rows{heading_of(s, open_loop)};
    for (const point_findings& p : f.points) rows.push_back(row_of(p, notes, open_loop));
    print_aligned(out, rows, s.axes.size());
    out << "\n";
    for (std::size_t i = 0; i < notes.sentences().size(); ++i) {
        print_wrapped(out, "  (" + std::to_string(i + 1) + ") ", notes.sentences()[i]);
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
    for (const std::string& sentence : s.sentences) print_wrapped(out, "  ", sentence);
    if (folder.empty()) return;
    out << "  Its hops and the kernel's log: scmi-vp explain " << shell_quoted(folder)
        << " --slowest\n";
}

void print_notes(std::ostream& out, const findings& f) {
    if (f.notes.empty()) return;
    out << "\nWhat this cannot tell:\n";
    for (const std::string& n : f.notes) print_wrapped(out, "  - ", n);
}

}  // namespace scmi_vp::studies
