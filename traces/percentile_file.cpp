// SPDX-License-Identifier: Apache-2.0
// HdrHistogram's percentile distribution: .hgrm files, and what wrk2 prints between other things.
#include <algorithm>

#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

const char* const format = "HdrHistogram percentiles";

// The classic form has blanks between its columns, the CSV form commas and quotes.
std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells = contains(line, ",") ? fields(line, ',') : words(line);
    for (std::string_view& c : cells) {
        if (c.size() >= 2 && c.front() == '"' && c.back() == '"') c = c.substr(1, c.size() - 2);
    }
    return cells;
}

bool is_heading(std::string_view line) {
    if (!contains(line, "TotalCount")) return false;
    const std::vector<std::string_view> cells = cells_of(line);
    return cells.size() >= 3 && cells[0] == "Value" && cells[1] == "Percentile" &&
           cells[2] == "TotalCount";
}

// "#[Mean    =       15.195, StdDeviation   =       46.974]": the number after `name`.
std::optional<std::string_view> footer(const text_line& l, std::string_view name) {
    const std::size_t at = l.text.find(name);
    if (!starts_with(l.text, "#[") || at == std::string_view::npos) return {};
    std::string_view rest = l.text.substr(at + name.size());
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    rest = trimmed(rest.substr(equals + 1));
    return rest.substr(0, rest.find_first_of(",] \t"));
}

class percentile_reader {
public:
    percentile_reader(const latency_text& t, const time_unit& unit) : t_(t), unit_(unit) {
        column_.name = "the file";
    }

    latency_file read() {
        auto l = std::find_if(t_.lines.begin(), t_.lines.end(),
                              [](const text_line& line) { return is_heading(line.text); });
        for (++l; l != t_.lines.end(); ++l) {
            if (starts_with(l->text, "#[")) {
                read_footer(*l);
            } else if (ended_) {
                if (is_heading(l->text)) {
                    t_.refuse(l->number, "a second table; give one recording per file");
                }
            } else {
                read_row(*l);
            }
        }
        check_end();
        return pooled(
            t_,
            {format, "steps between percentiles", unit_, picoseconds(1), {}, {std::move(column_)}});
    }

private:
    // Samples up to a value, of which those up to the value before are known: the new ones lie
    // between the two.
    void read_row(const text_line& l) {
        const std::vector<std::string_view> cells = cells_of(l.text);
        if (cells.size() < 3 || !is_number(cells[0]) || !is_number(cells[1])) {
            t_.refuse(l.number, "is no row of Value, Percentile and TotalCount");
        }
        const std::optional<sim_time> value = unit_.time(cells[0]);
        const std::optional<std::uint64_t> count = whole_number(cells[2]);
        if (!value) t_.refuse(l.number, "a value above " + to_string(longest_span));
        if (!count) t_.refuse(l.number, "'" + std::string(cells[2]) + "' is not a count");
        if (*value < value_ || *count < count_) {
            t_.refuse(l.number, "values and counts ascend, but these are below those before");
        }
        const bool first = column_.bins.empty();
        if (*count > count_) {
            const sim_time low = first ? *value : value_;
            column_.bins.push_back({low, *count - count_, *value - low});
        }
        value_ = *value;
        count_ = *count;
        complete_ = cells[1].substr(0, cells[1].find('.')) != "0";  // 1.000: the last one
    }

    void read_footer(const text_line& l) {
        ended_ = true;
        if (const auto mean = footer(l, "Mean")) column_.average = unit_.time(*mean);
        if (const auto total = footer(l, "Total count")) {
            const std::optional<std::uint64_t> n = whole_number(*total);
            complete_ = n == count_;
            if (!complete_) {
                t_.refuse(l.number, "the total count is " + std::string(*total) +
                                        " but the rows end at " + std::to_string(count_) +
                                        "; rows are missing or were changed");
            }
        }
        if (const auto max = footer(l, "[Max")) {
            const std::optional<sim_time> longest = unit_.time(*max);
            if (longest) cut_at(*longest);
        }
    }

    // The last value is the end of a bucket, the maximum a sample in it.
    void cut_at(sim_time longest) {
        if (column_.bins.empty()) return;
        histogram_bin& last = column_.bins.back();
        if (longest >= last.low && longest < last.low + last.width) {
            last.width = longest - last.low;
        }
        column_.max = longest;
    }

    void check_end() const {
        if (!complete_) t_.refuse("does not go up to the percentile 1.0: it is cut");
    }

    const latency_text& t_;
    time_unit unit_;
    series column_;
    sim_time value_;
    std::uint64_t count_ = 0;
    bool ended_ = false, complete_ = false;
};

}  // namespace

bool is_percentiles(const latency_text& t) {
    return std::any_of(t.lines.begin(), t.lines.end(),
                       [](const text_line& l) { return is_heading(l.text); });
}

latency_file read_percentiles(const latency_text& t, const latency_choice& c) {
    refuse_column(t, c, format);
    return percentile_reader(t, chosen_unit(t, c, format)).read();
}

}  // namespace scmi_vp::traces::latency_parsing
