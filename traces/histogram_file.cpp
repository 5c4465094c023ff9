// SPDX-License-Identifier: Apache-2.0
// Reader of cyclictest's histograms (rt-tests, cyclictest.c, print_hist) and of lists of spans.
#include "traces/histogram_file.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

constexpr std::string_view blanks = " \t\r";

[[noreturn]] void refuse(const std::string& name, std::size_t line, const std::string& problem) {
    throw error(error_kind::input, name + ":" + std::to_string(line), problem);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

void add_to(std::uint64_t& sum, std::uint64_t more, const std::string& name, std::size_t line) {
    if (__builtin_add_overflow(sum, more, &sum)) refuse(name, line, "the counts overflow 64 bits");
}

class cyclictest_reader {
public:
    cyclictest_reader(std::istream& in, const std::string& name) : in_(in), name_(name) {}

    cyclictest_file read() {
        std::string text;
        while (std::getline(in_, text)) {
            ++line_;
            const std::string_view line = trimmed(text);
            if (line.empty()) continue;
            if (line.front() == '#') {
                read_comment(line);
            } else {
                read_row(line);
            }
        }
        if (in_.bad()) throw error(error_kind::input, name_, "reading failed");
        return finished();
    }

private:
    struct row {
        std::uint64_t us;
        std::uint64_t sum;   // of all columns
        std::uint64_t last;  // the last column
    };

    // A line of the trailer: its numbers, and where it stands.
    struct trailer {
        std::vector<std::uint64_t> values;
        std::size_t line = 0;
    };

    std::vector<std::uint64_t> numbers(std::string_view text) const {
        std::vector<std::uint64_t> values;
        for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
            std::uint64_t value = 0;
            const auto [end, problem] =
                std::from_chars(word.data(), word.data() + word.size(), value);
            if (problem != std::errc() || end != word.data() + word.size()) {
                refuse(name_, line_,
                       "'" + std::string(word) +
                           "' is not a count; a row is a latency in us and one count for each "
                           "thread, as cyclictest -q -h prints them");
            }
            values.push_back(value);
        }
        return values;
    }

    void read_comment(std::string_view line) {
        const std::pair<std::string_view, trailer*> known[] = {
            {"# Total:", &total_},
            {"# Avg Latencies:", &average_},
            {"# Max Latencies:", &max_},
            {"# Histogram Overflows:", &overflows_}};
        for (const auto& [key, where] : known) {
            if (!starts_with(line, key)) continue;
            if (where->line != 0) {
                refuse(name_, line_,
                       "a second '" + std::string(key) + "' (the first is in line " +
                           std::to_string(where->line) + "); give one recording per file");
            }
            *where = {numbers(line.substr(key.size())), line_};
        }
    }

    void read_row(std::string_view line) {
        const std::vector<std::uint64_t> values = numbers(line);
        if (values.size() < 2) refuse(name_, line_, "a row without a count");
        if (rows_.empty()) {
            columns_.assign(values.size() - 1, 0);
        } else if (values.size() - 1 != columns_.size()) {
            refuse(name_, line_,
                   std::to_string(values.size() - 1) + " counts where the rows before have " +
                       std::to_string(columns_.size()));
        }
        check_latency(values[0]);
        row r{values[0], 0, values.back()};
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            add_to(r.sum, values[i + 1], name_, line_);
            add_to(columns_[i], values[i + 1], name_, line_);
        }
        rows_.push_back(r);
    }

    void check_latency(std::uint64_t us) const {
        if (us >= static_cast<std::uint64_t>(longest_span / microseconds(1))) {
            refuse(
                name_, line_,
                "a latency of " + std::to_string(us) + " us is above " + to_string(longest_span));
        }
        if (!rows_.empty() && us <= rows_.back().us) {
            refuse(name_, line_,
                   "latency " + std::to_string(us) + " after " + std::to_string(rows_.back().us) +
                       "; rows ascend (give one recording per file)");
        }
    }

    // A row of the trailer must have one number for each column.
    void check_trailer(const trailer& t, std::size_t columns) const {
        if (t.line != 0 && t.values.size() != columns) {
            refuse(name_, t.line,
                   std::to_string(t.values.size()) + " numbers where the rows have " +
                       std::to_string(columns) + " counts");
        }
    }

    // -H adds a column with the sum of the threads to every line except "Min" and "Avg Latencies".
    bool has_sum_column() const {
        return average_.line != 0 && columns_.size() == average_.values.size() + 1 &&
               std::all_of(rows_.begin(), rows_.end(),
                           [](const row& r) { return r.last == r.sum - r.last; });
    }

    void check_totals() const {
        for (std::size_t i = 0; i < total_.values.size(); ++i) {
            if (total_.values[i] == columns_[i]) continue;
            refuse(name_, total_.line,
                   "thread " + std::to_string(i) + " has a total of " +
                       std::to_string(total_.values[i]) + " but its rows add up to " +
                       std::to_string(columns_[i]) + "; rows are missing or were changed");
        }
    }

    cyclictest_file finished() {
        if (rows_.empty()) {
            throw error(error_kind::input, name_,
                        "no histogram; record one with cyclictest -q -h 20000");
        }
        const bool summed = has_sum_column();
        const std::size_t threads = columns_.size() - (summed ? 1 : 0);
        check_trailer(average_, threads);
        for (const trailer* t : {&total_, &max_, &overflows_}) check_trailer(*t, columns_.size());
        check_totals();

        cyclictest_file file;
        file.columns = static_cast<unsigned>(threads);
        file.pooled.width = microseconds(1);
        for (const row& r : rows_) {
            const std::uint64_t count = summed ? r.last : r.sum;
            if (count == 0) continue;
            file.pooled.bins.push_back({in_us(r.us), count});
            add_to(file.samples, count, name_, line_);
        }
        if (file.samples == 0) {
            throw error(error_kind::input, name_,
                        "every count is 0; record for longer, or with a larger -h");
        }
        add_tail(file, threads);
        return file;
    }

    void add_tail(cyclictest_file& file, std::size_t threads) const {
        histogram& h = file.pooled;
        h.limit = in_us(rows_.back().us) + h.width;
        h.max = h.bins.back().low + h.width;
        for (std::size_t i = 0; i < overflows_.values.size() && i < threads; ++i) {
            add_to(h.overflows, overflows_.values[i], name_, overflows_.line);
        }
        file.overflows = h.overflows;
        if (max_.line != 0) h.max = checked_max();
        if (h.overflows > 0 && h.max < h.limit) {
            refuse(name_, overflows_.line,
                   std::to_string(h.overflows) + " overflows, but no '# Max Latencies:' of " +
                       to_string(h.limit) + " or more that says how long they were");
        }
    }

    sim_time checked_max() const {
        const std::uint64_t us = *std::max_element(max_.values.begin(), max_.values.end());
        if (us >= static_cast<std::uint64_t>(longest_span / microseconds(1))) {
            refuse(
                name_, max_.line,
                "a maximum of " + std::to_string(us) + " us is above " + to_string(longest_span));
        }
        if (us < rows_with_counts_end()) {
            refuse(name_, max_.line,
                   "the maximum is " + std::to_string(us) + " us but there are counts at " +
                       std::to_string(rows_with_counts_end()) + " us");
        }
        return in_us(us);
    }

    std::uint64_t rows_with_counts_end() const {
        const auto last =
            std::find_if(rows_.rbegin(), rows_.rend(), [](const row& r) { return r.sum > 0; });
        return last == rows_.rend() ? 0 : last->us;
    }

    static sim_time in_us(std::uint64_t us) { return microseconds(static_cast<std::int64_t>(us)); }

    std::istream& in_;
    const std::string& name_;
    std::size_t line_ = 0;
    std::vector<row> rows_;
    std::vector<std::uint64_t> columns_;  // sum of each
    trailer total_, average_, max_, overflows_;
};

}  // namespace

cyclictest_file read_cyclictest(std::istream& in, const std::string& name) {
    return cyclictest_reader(in, name).read();
}

std::vector<sim_time> read_time_list(std::istream& in, const std::string& name) {
    std::vector<sim_time> values;
    std::string text;
    for (std::size_t line = 1; std::getline(in, text); ++line) {
        const std::string_view word = trimmed(std::string_view(text).substr(0, text.find('#')));
        if (word.empty()) continue;
        try {
            values.push_back(parse_time(word));
        } catch (const error& e) {
            refuse(name, line, e.what());
        }
        if (values.back() < sim_time() || values.back() > longest_span) {
            refuse(name, line,
                   "'" + std::string(word) + "': a span is from 0 to " + to_string(longest_span));
        }
    }
    if (in.bad()) throw error(error_kind::input, name, "reading failed");
    if (values.empty()) {
        throw error(error_kind::input, name, "no values; give one span per line, such as 182us");
    }
    return values;
}

}  // namespace scmi_vp::traces
