// SPDX-License-Identifier: Apache-2.0
// cyclictest's histograms (rt-tests, cyclictest.c: print_hist, write_stats) and samples (-v).
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

constexpr std::string_view begin_mark = "# Histogram";

bool is_begin(std::string_view line) {
    const std::size_t at = line.find(begin_mark);
    return at != std::string_view::npos &&
           !starts_with(line.substr(at + begin_mark.size()), " Overflow");
}

// "       0:      10:          23": thread, cycle, latency.
bool is_sample(std::string_view line) {
    const std::vector<std::string_view> parts = fields(line, ':');
    return parts.size() == 3 &&
           std::all_of(parts.begin(), parts.end(), [](auto part) { return whole_number(part); });
}

// What cyclictest prints besides: its status without -q, and what -v adds.
bool is_status(std::string_view line) {
    return starts_with(line, "T:") || starts_with(line, "policy:") || is_sample(line) ||
           starts_with(line, "Thread ") || contains(line, " CPUs = ");
}

// Nanoseconds that are taken for microseconds are a thousand times too long: nothing wakes up in
// a millisecond at the very best.
void doubt_unit(latency_file& file, const latency_choice& c) {
    const sim_time fastest = file.pooled.bins.front().low;
    if (!c.unit.empty() || fastest < milliseconds(1)) return;
    file.notes.push_back("has no sample below " + to_string(fastest) +
                         ": if it was recorded in nanoseconds (cyclictest -N), give unit = \"ns\"");
}

class histogram_reader {
public:
    histogram_reader(const latency_text& t, const latency_choice& c)
        : t_(t), unit_(chosen_unit(t, c, "cyclictest histogram", "us")) {}

    latency_file read() {
        const auto marked = std::find_if(t_.lines.begin(), t_.lines.end(),
                                         [](const text_line& l) { return is_begin(l.text); });
        const bool bare = marked == t_.lines.end();
        for (auto l = bare ? t_.lines.begin() : marked + 1; l != t_.lines.end(); ++l) {
            if (is_begin(l->text)) {
                t_.refuse(l->number, "a second '# Histogram'; give one recording per file");
            }
            read_line(*l);
        }
        if (rows_.empty()) t_.refuse("no histogram; record one with cyclictest -q -h 20000");
        return finished();
    }

private:
    struct row {
        std::uint64_t latency;
        std::vector<std::uint64_t> counts;
    };

    // A line of the trailer: its numbers, and where it stands.
    struct trailer {
        std::vector<std::uint64_t> values;
        std::size_t line = 0;
    };

    void read_line(const text_line& l) {
        if (l.text.front() == '#') return read_comment(l);
        if (is_status(l.text)) return;
        const std::vector<std::string_view> parts = words(l.text);
        const bool numbers_only =
            std::all_of(parts.begin(), parts.end(), [](auto w) { return whole_number(w); });
        if (!ended_) return read_row(l);
        if (numbers_only && parts.size() > 1) {
            t_.refuse(l.number, "a row after the totals; give one recording per file");
        }
    }

    std::vector<std::uint64_t> numbers(std::string_view text, std::size_t line) const {
        std::vector<std::uint64_t> values;
        for (const std::string_view word : words(text)) {
            const std::optional<std::uint64_t> value = whole_number(word);
            if (!value) {
                t_.refuse(line, "'" + std::string(word) +
                                    "' is not a count; a row is a latency and one count for each "
                                    "thread, as cyclictest -q -h prints them");
            }
            values.push_back(*value);
        }
        return values;
    }

    void read_comment(const text_line& l) {
        const std::pair<std::string_view, trailer*> known[] = {
            {"# Total:", &total_},
            {"# Min Latencies:", &min_},
            {"# Avg Latencies:", &average_},
            {"# Max Latencies:", &max_},
            {"# Histogram Overflows:", &overflows_}};
        for (const auto& [key, where] : known) {
            if (!starts_with(l.text, key)) continue;
            if (where->line != 0) {
                t_.refuse(l.number, "a second '" + std::string(key) + "' (the first is in line " +
                                        std::to_string(where->line) +
                                        "); give one recording per file");
            }
            *where = {numbers(l.text.substr(key.size()), l.number), l.number};
            ended_ = true;
        }
    }

    void read_row(const text_line& l) {
        std::vector<std::uint64_t> values = numbers(l.text, l.number);
        if (values.size() < 2) t_.refuse(l.number, "a row without a count");
        const std::size_t columns = rows_.empty() ? values.size() - 1 : rows_[0].counts.size();
        if (values.size() - 1 != columns) {
            t_.refuse(l.number, std::to_string(values.size() - 1) +
                                    " counts where the rows before have " +
                                    std::to_string(columns));
        }
        check_latency(values[0], l.number);
        row r{values[0], {values.begin() + 1, values.end()}};
        sums_.resize(columns);
        for (std::size_t i = 0; i < columns; ++i) {
            add_to(sums_[i], r.counts[i], t_, l.number);
            add_to(all_, r.counts[i], t_, l.number);
        }
        rows_.push_back(std::move(r));
    }

    void check_latency(std::uint64_t latency, std::size_t line) const {
        if (!unit_.time(latency + 1)) {
            t_.refuse(line, "a latency of " + std::to_string(latency) + " " + unit_.name +
                                " is above " + to_string(longest_span));
        }
        if (!rows_.empty() && latency <= rows_.back().latency) {
            t_.refuse(line, "latency " + std::to_string(latency) + " after " +
                                std::to_string(rows_.back().latency) +
                                "; rows ascend (give one recording per file)");
        }
    }

    // A row of the trailer must have one number for each column.
    void check_trailer(const trailer& t, std::size_t columns) const {
        if (t.line != 0 && t.values.size() != columns) {
            t_.refuse(t.line, std::to_string(t.values.size()) + " numbers where the rows have " +
                                  std::to_string(columns) + " counts");
        }
    }

    // -H adds a column with the sum of the threads to every line except "Min" and "Avg Latencies".
    bool has_sum_column() const {
        return average_.line != 0 && sums_.size() == average_.values.size() + 1 &&
               std::all_of(rows_.begin(), rows_.end(), [](const row& r) {
                   std::uint64_t sum = 0;
                   for (std::size_t i = 0; i + 1 < r.counts.size(); ++i) sum += r.counts[i];
                   return sum == r.counts.back();
               });
    }

    void check_totals() const {
        for (std::size_t i = 0; i < total_.values.size(); ++i) {
            if (total_.values[i] == sums_[i]) continue;
            t_.refuse(total_.line, "thread " + std::to_string(i) + " has a total of " +
                                       std::to_string(total_.values[i]) +
                                       " but its rows add up to " + std::to_string(sums_[i]) +
                                       "; rows are missing or were changed");
        }
    }

    latency_file finished() {
        const std::size_t threads = sums_.size() - (has_sum_column() ? 1 : 0);
        check_trailer(average_, threads);
        check_trailer(min_, threads);
        for (const trailer* t : {&total_, &max_, &overflows_}) check_trailer(*t, sums_.size());
        check_totals();
        pooled_parts p{"cyclictest histogram",
                       counted(threads, "thread"),
                       unit_,
                       sim_time(unit_.ps),
                       *unit_.time(rows_.back().latency + 1),
                       {}};
        for (std::size_t i = 0; i < threads; ++i) p.columns.push_back(column(i));
        latency_file file = pooled(t_, p);
        if (!file.max_known) {
            t_.refuse(overflows_.line, std::to_string(file.pooled.overflows) +
                                           " overflows, but no '# Max Latencies:' of " +
                                           to_string(file.pooled.limit) +
                                           " or more that says how long they were");
        }
        return file;
    }

    series column(std::size_t i) const {
        series s{"thread " + std::to_string(i), {}, 0, {}, {}, {}, sim_time(unit_.ps)};
        for (const row& r : rows_) {
            if (r.counts[i] > 0) s.bins.push_back({*unit_.time(r.latency), r.counts[i]});
        }
        if (overflows_.line != 0) s.overflows = overflows_.values[i];
        if (s.bins.empty() && s.overflows == 0) return s;  // it says 0, or what it began with
        if (average_.line != 0) s.average = told(average_, i);
        if (min_.line != 0) s.min = told(min_, i);
        if (max_.line != 0) s.max = checked_max(i, s);
        return s;
    }

    sim_time told(const trailer& t, std::size_t i) const {
        const std::optional<sim_time> time = unit_.time(t.values[i]);
        if (!time) {
            t_.refuse(t.line, (&t == &max_ ? "a maximum of " : "a latency of ") +
                                  std::to_string(t.values[i]) + " " + unit_.name + " is above " +
                                  to_string(longest_span));
        }
        return *time;
    }

    sim_time checked_max(std::size_t i, const series& s) const {
        const sim_time max = told(max_, i);
        if (!s.bins.empty() && max < s.bins.back().low) {
            t_.refuse(max_.line, "the maximum is " + to_string(max) + " but there are counts at " +
                                     to_string(s.bins.back().low));
        }
        return max;
    }

    const latency_text& t_;
    time_unit unit_;
    bool ended_ = false;  // the totals have begun
    std::vector<row> rows_;
    std::vector<std::uint64_t> sums_;  // of each column
    std::uint64_t all_ = 0;
    trailer total_, min_, average_, max_, overflows_;
};

}  // namespace

bool is_cyclictest_histogram(const latency_text& t) {
    return std::any_of(t.lines.begin(), t.lines.end(),
                       [](const text_line& l) { return is_begin(l.text); });
}

bool is_rows_of_counts(const latency_text& t) {
    for (const text_line& l : t.lines) {
        if (l.text.front() == '#' || is_status(l.text)) continue;
        const std::vector<std::string_view> parts = words(l.text);
        return parts.size() > 1 && whole_number(parts[0]) && is_number(parts[1]);
    }
    return false;
}

latency_file read_cyclictest_histogram(const latency_text& t, const latency_choice& c) {
    refuse_column(t, c, "cyclictest histogram");
    latency_file file = histogram_reader(t, c).read();
    doubt_unit(file, c);
    return file;
}

bool is_cyclictest_verbose(const latency_text& t) {
    const auto sample = [](const text_line& l) { return is_sample(l.text); };
    return std::any_of(t.lines.begin(), t.lines.end(), sample) &&
           std::all_of(t.lines.begin(), t.lines.end(), [&](const text_line& l) {
               return sample(l) || !is_number(words(l.text)[0]);
           });
}

latency_file read_cyclictest_verbose(const latency_text& t, const latency_choice& c) {
    const std::string format = "cyclictest samples";
    refuse_column(t, c, format);
    const time_unit unit = chosen_unit(t, c, format, "us");
    std::vector<sim_time> samples;
    std::vector<std::string_view> threads;
    for (const text_line& l : t.lines) {
        if (!is_sample(l.text)) continue;
        const std::vector<std::string_view> parts = fields(l.text, ':');
        const std::optional<sim_time> latency = unit.time(*whole_number(parts[2]));
        if (!latency) t.refuse(l.number, "a latency above " + to_string(longest_span));
        samples.push_back(*latency);
        if (std::find(threads.begin(), threads.end(), parts[0]) == threads.end()) {
            threads.push_back(parts[0]);
        }
    }
    latency_file file = of_samples(t, format, counted(threads.size(), "thread"), unit,
                                   sim_time(unit.ps), std::move(samples));
    doubt_unit(file, c);
    return file;
}

}  // namespace scmi_vp::traces::latency_parsing
