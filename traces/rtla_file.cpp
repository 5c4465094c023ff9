// SPDX-License-Identifier: Apache-2.0
// The histograms of rtla (tools/tracing/rtla/src: timerlat_hist.c, osnoise_hist.c).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

struct kind {
    std::string_view prefix;  // of a column: "IRQ-000"
    const char* choice;       // the scenario's word for it
    const char* shown;
};
constexpr kind kinds[] = {{"IRQ-", "irq", "IRQ"},
                          {"Thr-", "thread", "thread"},
                          {"Usr-", "user", "user thread"},
                          {"CPU-", "noise", "noise"}};

const kind* kind_of(std::string_view column) {
    for (const kind& k : kinds) {
        if (starts_with(column, k.prefix)) return &k;
    }
    return nullptr;
}

bool is_heading(std::string_view line) {
    if (!starts_with(line, "Index")) return false;
    const std::vector<std::string_view> parts = words(line);
    return parts.size() > 1 && parts[0] == "Index" &&
           std::all_of(parts.begin() + 1, parts.end(), [](auto w) { return kind_of(w); });
}

class rtla_reader {
public:
    rtla_reader(const latency_text& t, const latency_choice& c) : t_(t), c_(c) {}

    latency_file read() {
        auto l = t_.lines.begin();
        for (; l != t_.lines.end() && !is_heading(l->text); ++l) {
            if (starts_with(l->text, "# Time unit is ")) unit_line_ = l->text;
        }
        if (l == t_.lines.end()) t_.refuse("has no column: rtla saw no samples");
        names_ = words(l->text);
        names_.erase(names_.begin());
        set_unit();
        choose();
        for (++l; l != t_.lines.end() && !starts_with(l->text, "ALL:"); ++l) read_line(*l);
        if (rows_.empty()) t_.refuse("has no rows: there were no samples");
        if (over_.empty()) t_.refuse("has no 'over:': it is cut");
        return finished();
    }

private:
    using cells = std::vector<std::string_view>;
    struct row {
        std::uint64_t index;
        std::vector<std::uint64_t> counts;
    };

    std::string format() const {
        return names_.front().substr(0, 4) == "CPU-" ? "rtla osnoise histogram"
                                                     : "rtla timerlat histogram";
    }

    void set_unit() {
        if (unit_line_.empty()) {
            unit_ = chosen_unit(t_, c_, format());
        } else {
            unit_ = own_unit(t_, c_, format(), contains(unit_line_, "(ns)") ? "ns" : "us");
        }
    }

    // The columns that were asked for: a kind, or one column by its name.
    void choose() {
        std::vector<const kind*> present;
        for (const std::string_view n : names_) {
            const kind* k = kind_of(n);
            if (std::find(present.begin(), present.end(), k) == present.end()) present.push_back(k);
        }
        if (c_.column.empty() && present.size() > 1) refuse_choice("needs column", present);
        for (std::size_t i = 0; i < names_.size(); ++i) {
            const kind* k = kind_of(names_[i]);
            if (c_.column.empty() || c_.column == k->choice || c_.column == names_[i]) {
                chosen_.push_back(i);
            }
        }
        if (chosen_.empty()) refuse_choice("unknown column '" + c_.column + "'", present);
    }

    [[noreturn]] void refuse_choice(const std::string& problem,
                                    const std::vector<const kind*>& present) const {
        std::string words;
        for (const kind* k : present) {
            words += std::string(words.empty() ? "" : ", ") + "\"" + k->choice + "\"";
        }
        throw error(error_kind::config, problem + ": " + t_.name + " (" + format() +
                                            ") has the kinds " + words +
                                            ", each a delay of its "
                                            "own; give one as column, or one column's name, such "
                                            "as \"" +
                                            std::string(names_.back()) + "\"");
    }

    void read_line(const text_line& l) {
        cells parts = words(l.text);
        const std::string_view first = parts.front();
        for (const auto& [name, where] : {std::pair<std::string_view, cells*>{"over:", &over_},
                                          {"count:", &count_},
                                          {"min:", &min_},
                                          {"avg:", &average_},
                                          {"max:", &max_}}) {
            if (first != name) continue;
            if (parts.size() != names_.size() + 1) {
                t_.refuse(l.number, std::to_string(parts.size() - 1) + " numbers for " +
                                        counted(names_.size(), "column"));
            }
            if (!where->empty()) {
                t_.refuse(l.number,
                          "a second '" + std::string(name) + "'; give one recording per file");
            }
            where->assign(parts.begin() + 1, parts.end());
            last_line_ = l.number;
            return;
        }
        if (over_.empty()) read_row(l, parts);  // what comes later is about stops and traces
    }

    void read_row(const text_line& l, const cells& parts) {
        row r{0, {}};
        for (const std::string_view word : parts) {
            const std::optional<std::uint64_t> n = whole_number(word);
            if (!n) t_.refuse(l.number, "'" + std::string(word) + "' is not a count");
            r.counts.push_back(*n);
        }
        if (parts.size() != names_.size() + 1) {
            t_.refuse(l.number, std::to_string(parts.size() - 1) + " counts for " +
                                    counted(names_.size(), "column"));
        }
        r.index = r.counts.front();
        r.counts.erase(r.counts.begin());
        if (!rows_.empty() && r.index <= rows_.back().index) {
            t_.refuse(l.number, "index " + std::to_string(r.index) + " after " +
                                    std::to_string(rows_.back().index) +
                                    "; give one recording per file");
        }
        if (!unit_.time(r.index)) {
            t_.refuse(l.number, "a latency above " + to_string(longest_span));
        }
        rows_.push_back(std::move(r));
    }

    std::uint64_t number(const std::string_view& cell) const {
        const std::optional<std::uint64_t> n = whole_number(cell);
        if (!n) t_.refuse(last_line_, "'" + std::string(cell) + "' is not a count");
        return *n;
    }

    // "-" where there was no sample.
    std::optional<sim_time> told(const cells& values, std::size_t i) const {
        if (values.empty() || values[i] == "-") return {};
        const std::optional<sim_time> time = unit_.time(values[i]);
        if (!time) t_.refuse(last_line_, "'" + std::string(values[i]) + "' is not a latency");
        return time;
    }

    // --bucket-size is not printed, and rows without counts are left out. The indices are multiples
    // of it, and with wide buckets the average is well above the indices.
    std::uint64_t bucket() const {
        std::uint64_t step = 0;
        for (const row& r : rows_) step = std::gcd(step, r.index);
        if (step <= 1) return 1;
        bool regular = rows_.size() > 2;
        for (std::size_t i = 1; i < rows_.size(); ++i) {
            regular &= rows_[i].index - rows_[i - 1].index == step;
        }
        if (average_.empty()) return regular ? step : 1;
        for (const std::size_t i : chosen_) {
            double sum = 0, n = 0;
            for (const row& r : rows_) {
                n += static_cast<double>(r.counts[i]);
                sum += static_cast<double>(r.counts[i]) * static_cast<double>(r.index);
            }
            const std::optional<sim_time> average = told(average_, i);
            if (n == 0 || number(over_[i]) > 0 || !average) continue;
            if (static_cast<double>(average->ps) >= (sum / n + 1) * double(unit_.ps)) return step;
        }
        return 1;
    }

    series column(std::size_t i, std::uint64_t width) const {
        series s{std::string(names_[i]), {}, number(over_[i]), {}, {}, {}, {}};
        if (!contains(average_.empty() ? "." : average_[i], ".")) {
            s.average_step = sim_time(unit_.ps);
        }
        std::uint64_t sum = s.overflows;
        for (const row& r : rows_) {
            if (r.counts[i] == 0) continue;
            s.bins.push_back({*unit_.time(r.index), r.counts[i],
                              sim_time(static_cast<std::int64_t>(width) * unit_.ps)});
            add_to(sum, r.counts[i], t_, last_line_);
        }
        if (!count_.empty() && number(count_[i]) != sum) {
            t_.refuse(s.name + " has a count of " + std::string(count_[i]) +
                      " but its rows add up to " + std::to_string(sum) +
                      "; rows are missing or were changed");
        }
        if (sum == 0) return s;
        s.min = told(min_, i);
        s.max = told(max_, i);
        s.average = told(average_, i);
        return s;
    }

    latency_file finished() const {
        const std::uint64_t width = bucket();
        if (!unit_.time(rows_.back().index + width)) {
            t_.refuse("a bucket ends above " + to_string(longest_span));
        }
        const std::string shown = kind_of(names_[chosen_.front()])->shown;
        std::string parts = shown + " of " + counted(chosen_.size(), "CPU");
        if (width > 1) parts += ", buckets of " + std::to_string(width) + " " + unit_.name;
        pooled_parts p{
            format(), parts, unit_, sim_time(static_cast<std::int64_t>(width) * unit_.ps), {}, {}};
        for (const std::size_t i : chosen_) p.columns.push_back(column(i, width));
        return pooled(t_, p);
    }

    const latency_text& t_;
    const latency_choice& c_;
    std::string_view unit_line_;
    time_unit unit_;
    cells names_;
    std::vector<std::size_t> chosen_;
    std::vector<row> rows_;
    cells over_, count_, min_, average_, max_;
    std::size_t last_line_ = 0;
};

}  // namespace

bool is_rtla(const latency_text& t) {
    return std::any_of(t.lines.begin(), t.lines.end(), [](const text_line& l) {
        return contains(l.text, "# RTLA timerlat histogram") ||
               contains(l.text, "# RTLA osnoise histogram") || is_heading(l.text);
    });
}

latency_file read_rtla(const latency_text& t, const latency_choice& c) {
    return rtla_reader(t, c).read();
}

}  // namespace scmi_vp::traces::latency_parsing
