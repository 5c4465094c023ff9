// SPDX-License-Identifier: Apache-2.0
// CSV with a header: a latency and its counts in each row, or a column of samples.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

using cells = std::vector<std::string_view>;

char separator_of(std::string_view line) {
    for (const char s : {',', ';', '\t'}) {
        if (line.find(s) != std::string_view::npos) return s;
    }
    return ',';
}

cells cells_of(std::string_view line, char separator) {
    cells all = fields(line, separator);
    for (std::string_view& c : all) {
        if (c.size() >= 2 && c.front() == '"' && c.back() == '"') {
            c = trimmed(c.substr(1, c.size() - 2));
        }
    }
    return all;
}

// A heading has a name in each cell, and no name begins like a number.
bool is_heading(const cells& row) {
    return std::all_of(row.begin(), row.end(), [](std::string_view c) {
        return !c.empty() && !contains("0123456789+-.#{", c.substr(0, 1));
    });
}

// The unit at the end of a name: "latency_us", "latency (us)", "time[ns]".
std::string unit_in(std::string_view name) {
    std::string text = lower_case(name);
    const std::size_t end = text.find_last_not_of(" )]");
    text.resize(end == std::string::npos ? 0 : end + 1);
    const std::size_t begin = text.find_last_of("_([ .-/");
    const std::string last = begin == std::string::npos ? text : text.substr(begin + 1);
    const std::pair<const char*, const char*> known[] = {
        {"ns", "ns"},    {"nsec", "ns"},  {"nsecs", "ns"}, {"us", "us"},
        {"usec", "us"},  {"usecs", "us"}, {"ms", "ms"},    {"msec", "ms"},
        {"msecs", "ms"}, {"s", "s"},      {"sec", "s"}};
    for (const auto& [shown, unit] : known) {
        if (last == shown && (last.size() > 1 || begin != std::string::npos)) return unit;
    }
    return "";
}

// Whether a column after the first is by its name one of latencies, not of counts.
bool names_a_latency(std::string_view name) {
    const std::string text = lower_case(name);
    for (const char* part : {"lat", "delay", "duration", "resp", "rtt", "wake", "jitter", "elapsed",
                             "value", "sample", "service"}) {
        if (contains(text, part)) return true;
    }
    return !unit_in(name).empty();
}

class csv_reader {
public:
    csv_reader(const latency_text& t, const latency_choice& c)
        : t_(t), c_(c), separator_(separator_of(t.lines.front().text)) {
        names_ = cells_of(t.lines.front().text, separator_);
        for (auto l = t.lines.begin() + 1; l != t.lines.end(); ++l) {
            rows_.push_back(cells_of(l->text, separator_));
            if (rows_.back().size() == names_.size()) continue;
            t.refuse(l->number, counted(rows_.back().size(), "cell") + " where the header has " +
                                    std::to_string(names_.size()));
        }
    }

    latency_file read() const { return has_counts() ? read_counts() : read_samples(); }

private:
    std::size_t line(std::size_t row) const { return t_.lines[row + 1].number; }

    // A histogram: ascending latencies, whole numbers in all other columns, and no name that says
    // that one of them is a latency itself.
    bool has_counts() const { return names_.size() > 1 && why_no_counts().empty(); }

    // What speaks against a histogram, with its line; empty: nothing does.
    std::string why_no_counts() const {
        for (std::size_t i = 1; i < names_.size(); ++i) {
            if (names_a_latency(names_[i]) || names_no_count(names_[i])) {
                return "column \"" + std::string(names_[i]) + "\" has no counts by its name";
            }
        }
        std::optional<sim_time> before;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const cells& row = rows_[r];
            const std::string in_line = " in line " + std::to_string(line(r));
            const std::optional<sim_time> low = time_unit{"", 1'000}.time(row[0]);
            if (!low) return "'" + std::string(row[0]) + "'" + in_line + " is no latency";
            if (before && *low <= *before) {
                return "'" + std::string(row[0]) + "'" + in_line + " is not above the row before";
            }
            before = low;
            for (std::size_t i = 1; i < row.size(); ++i) {
                if (!whole_number(row[i])) {
                    return "'" + std::string(row[i]) + "'" + in_line + " is no whole number";
                }
            }
        }
        return "";
    }

    static bool names_no_count(std::string_view name) {
        const std::string lower = lower_case(name);
        for (const char* other :
             {"percent", "percentile", "pct", "cpu", "id", "pid", "size", "bs"}) {
            if (lower == other) return true;
        }
        return false;
    }

    time_unit unit_of(std::string_view name, const std::string& format) const {
        const std::string own = unit_in(name);
        return own.empty() ? chosen_unit(t_, c_, format) : own_unit(t_, c_, format, own);
    }

    // Quoted, all but the first of a histogram.
    std::string names(std::size_t from) const {
        std::string text;
        for (std::size_t i = from; i < names_.size(); ++i) {
            text += (i == from ? "\"" : ", \"") + std::string(names_[i]) + "\"";
        }
        return text;
    }

    [[noreturn]] void refuse_choice(const std::string& format, std::size_t from) const {
        const std::string problem =
            c_.column.empty() ? "needs column" : "unknown column '" + c_.column + "'";
        throw error(error_kind::config, problem + ": " + t_.name + " (" + format +
                                            ") has the columns " + names(from) +
                                            "; give one as column");
    }

    latency_file read_counts() const {
        const std::string format = "CSV histogram";
        const time_unit unit = unit_of(names_[0], format);
        std::vector<histogram_bin> bins;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const std::optional<sim_time> low = unit.time(rows_[r][0]);
            if (!low) t_.refuse(line(r), "a latency above " + to_string(longest_span));
            bins.push_back({*low, 0});
        }
        set_widths(bins, unit);
        std::string chosen;
        pooled_parts p{format, "", unit, sim_time(unit.ps), {}, {}};
        for (std::size_t i = 1; i < names_.size(); ++i) {
            if (!c_.column.empty() && c_.column != names_[i]) continue;
            p.columns.push_back(column(i, bins));
            chosen += (chosen.empty() ? "" : ", ") + std::string(names_[i]);
        }
        if (p.columns.empty()) refuse_choice(format, 1);
        p.parts = "counts of " + chosen + " at " + std::string(names_[0]);
        return pooled(t_, p);
    }

    // A row reaches to the next one where all rows are equally far apart, else one unit.
    static void set_widths(std::vector<histogram_bin>& bins, const time_unit& unit) {
        sim_time step(unit.ps);
        bool even = bins.size() > 2;
        for (std::size_t i = 1; i < bins.size(); ++i) {
            const sim_time here = bins[i].low - bins[i - 1].low;
            even &= here == bins[1].low - bins[0].low;
            step = std::min(step, here);
        }
        if (even) step = bins[1].low - bins[0].low;
        for (histogram_bin& b : bins) b.width = step;
    }

    series column(std::size_t i, const std::vector<histogram_bin>& bins) const {
        series s{std::string(names_[i]), {}, 0, {}, {}, {}, {}};
        std::uint64_t sum = 0;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const std::uint64_t count = *whole_number(rows_[r][i]);
            if (count == 0) continue;
            s.bins.push_back({bins[r].low, count, bins[r].width});
            add_to(sum, count, t_, line(r));
        }
        return s;
    }

    // The column that was asked for; the only one, or the only one that is called a latency.
    std::size_t sample_column() const {
        std::vector<std::size_t> fitting;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (c_.column.empty() ? names_.size() == 1 || names_a_latency_here(i)
                                  : c_.column == names_[i]) {
                fitting.push_back(i);
            }
        }
        if (fitting.size() != 1) refuse_choice("CSV with samples", 0);
        // The first of several columns may as well be the latencies of a histogram.
        if (fitting[0] == 0 && names_.size() > 1 && c_.column.empty()) {
            throw error(error_kind::config, "needs column: " + t_.name + " is no CSV histogram (" +
                                                why_no_counts() + "); if \"" +
                                                std::string(names_[0]) +
                                                "\" has single samples, give it as column");
        }
        return fitting[0];
    }
    // "time_ms" is when, unless nothing else is there.
    bool names_a_latency_here(std::size_t i) const {
        return names_a_latency(names_[i]) && !starts_with(lower_case(names_[i]), "time");
    }

    latency_file read_samples() const {
        const std::size_t column = sample_column();
        const std::string format = "CSV with samples";
        const time_unit unit = unit_of(names_[column], format);
        std::vector<sim_time> samples;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const std::optional<sim_time> sample = unit.time(rows_[r][column]);
            if (!sample) {
                t_.refuse(line(r), "'" + std::string(rows_[r][column]) +
                                       "' is no latency from 0 to " + to_string(longest_span));
            }
            samples.push_back(*sample);
        }
        return of_samples(t_, format, "column " + std::string(names_[column]), unit, sim_time(),
                          std::move(samples));
    }

    const latency_text& t_;
    const latency_choice& c_;
    char separator_;
    cells names_;
    std::vector<cells> rows_;
};

}  // namespace

// A header, and below it a row that has as many cells and a number in one of them.
bool is_csv(const latency_text& t) {
    if (t.lines.size() < 2) return false;
    const char separator = separator_of(t.lines[0].text);
    const cells names = cells_of(t.lines[0].text, separator);
    const cells first = cells_of(t.lines[1].text, separator);
    const bool single = names.size() == 1;
    if (single && words(names[0]).size() > 3) return false;
    return is_heading(names) && first.size() == names.size() &&
           std::any_of(first.begin(), first.end(), is_number);
}

latency_file read_csv(const latency_text& t, const latency_choice& c) {
    return csv_reader(t, c).read();
}

}  // namespace scmi_vp::traces::latency_parsing
