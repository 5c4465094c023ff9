// SPDX-License-Identifier: Apache-2.0
// Histograms that BPF tools draw: bpftrace's hist() and lhist(), bcc's runqlat and the like.
#include <algorithm>

#include "base/error.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

struct bin_range {
    std::uint64_t low = 0, high = 0;
    bool below = false, above = false;  // "(..., 0)", "[100, ...)"
};

// One map, or one key of a map.
struct section {
    std::string name;
    std::string unit;  // bcc names it
    series column;
    sim_time limit;  // of lhist(): where its last bin begins
};

// "512", "1K": powers of 1024, in both kinds of histograms.
std::optional<std::uint64_t> bound(std::string_view text) {
    text = trimmed(text);
    const std::string_view suffixes = "KMGTPE";
    unsigned shift = 0;
    const std::size_t at = text.empty() ? std::string_view::npos : suffixes.find(text.back());
    if (at != std::string_view::npos) {
        text.remove_suffix(1);
        shift = 10 * (static_cast<unsigned>(at) + 1);
    }
    const std::optional<std::uint64_t> n = whole_number(text);
    if (!n || (shift > 0 && *n > (UINT64_MAX >> shift))) return {};
    return *n << shift;
}

// "[1K, 2K)", "[0]", "(..., 0)" or "[100, ...)".
std::optional<bin_range> bin_of(std::string_view text) {
    text = trimmed(text);
    if (text.size() < 3) return {};
    const char end = text.back();
    const std::vector<std::string_view> ends = fields(text.substr(1, text.size() - 2), ',');
    bin_range r;
    if (end == ']' && ends.size() == 1) {
        const std::optional<std::uint64_t> n = bound(ends[0]);
        if (!n || *n == UINT64_MAX) return {};
        return bin_range{*n, *n + 1, false, false};
    }
    if (end != ')' || ends.size() != 2) return {};
    r.below = ends[0] == "...";
    r.above = ends[1] == "...";
    const std::optional<std::uint64_t> low = r.below ? 0 : bound(ends[0]);
    const std::optional<std::uint64_t> high = r.above ? UINT64_MAX : bound(ends[1]);
    if (r.below) return r;  // what its end is does not matter: it is below zero or the first bin
    if (!low || !high || *high <= *low) return {};
    r.low = *low;
    r.high = *high;
    return r;
}

// "[64, 128)              1 |@@@@   |": the bin and its count.
struct bar {
    bin_range bin;
    std::uint64_t count;
};
std::optional<bar> bar_of(std::string_view line) {
    if (line.empty() || (line.front() != '[' && line.front() != '(')) return {};
    const std::size_t close = line.find_first_of(")]");
    const std::size_t pipe = line.find('|');
    if (close == std::string_view::npos || pipe == std::string_view::npos || pipe < close)
        return {};
    const std::optional<bin_range> bin = bin_of(line.substr(0, close + 1));
    const std::optional<std::uint64_t> count =
        whole_number(trimmed(line.substr(close + 1, pipe - close - 1)));
    if (!bin || !count) return {};
    return bar{*bin, *count};
}

void add_bar(const latency_text& t, const text_line& l, const time_unit& unit, const bar& b,
             section& s) {
    if (b.count == 0 && !b.bin.above) return;
    if (b.bin.below) {
        t.refuse(l.number, std::to_string(b.count) +
                               " samples below the first bin: these are no latencies, or lhist() "
                               "should begin at 0");
    }
    const std::optional<sim_time> low = unit.time(b.bin.low);
    if (!low) t.refuse(l.number, "a bin above " + to_string(longest_span));
    if (!s.column.bins.empty()) {
        const histogram_bin& before = s.column.bins.back();
        if (*low < before.low + before.width) t.refuse(l.number, "bins ascend");
    }
    if (b.bin.above) {
        s.column.overflows = b.count;
        s.limit = *low;
        return;
    }
    const std::optional<sim_time> high = unit.time(b.bin.high);
    if (!high) t.refuse(l.number, "a bin above " + to_string(longest_span));
    s.column.bins.push_back({*low, b.count, *high - *low});
}

// The section that was asked for; the only one if none was.
section chosen(const latency_text& t, const latency_choice& c, const std::string& format,
               std::vector<section> all) {
    if (c.column.empty() && all.size() == 1) return std::move(all.front());
    std::string names;
    for (section& s : all) {
        if (!c.column.empty() && s.name == c.column) return std::move(s);
        names += (names.empty() ? "\"" : ", \"") + s.name + "\"";
    }
    throw error(error_kind::config,
                (c.column.empty() ? "needs column" : "unknown column '" + c.column + "'") + ": " +
                    t.name + " (" + format + ") has " + names + "; give one as column");
}

latency_file finished(const latency_text& t, const std::string& format, const time_unit& unit,
                      section s) {
    const std::string name = s.name;
    s.column.name = name;
    return pooled(t, {format, name, unit, sim_time(unit.ps), s.limit, {std::move(s.column)}});
}

bool is_map_name(std::string_view line) {
    return line.size() > 1 && (line.front() == '@') && line.back() == ':';
}

// "     usecs               : count     distribution"
std::optional<std::string> bcc_unit(std::string_view line) {
    if (!contains(line, "distribution")) return {};
    const std::vector<std::string_view> parts = words(line);
    if (parts.size() != 4 || parts[1] != ":" || parts[2] != "count" || parts[3] != "distribution") {
        return {};
    }
    for (const auto& [shown, unit] : {std::pair<const char*, const char*>{"nsecs", "ns"},
                                      {"usecs", "us"},
                                      {"msecs", "ms"},
                                      {"secs", "s"}}) {
        if (parts[0] == shown) return unit;
    }
    return {};
}

// "         4 -> 7          : 12       |****      |", both ends inclusive
std::optional<bar> bcc_bar(std::string_view line) {
    const std::size_t pipe = line.find('|');
    const std::vector<std::string_view> parts = words(line.substr(0, pipe));
    if (pipe == std::string_view::npos || parts.size() != 5 || parts[1] != "->" ||
        parts[3] != ":") {
        return {};
    }
    const auto low = whole_number(parts[0]), high = whole_number(parts[2]);
    const auto count = whole_number(parts[4]);
    if (!low || !high || !count || *high < *low || *high == UINT64_MAX) return {};
    return bar{{*low, *high + 1, false, false}, *count};
}

}  // namespace

bool is_bpftrace(const latency_text& t) {
    for (std::size_t i = 1; i < t.lines.size(); ++i) {
        if (is_map_name(t.lines[i - 1].text) && bar_of(t.lines[i].text)) return true;
    }
    return false;
}

latency_file read_bpftrace(const latency_text& t, const latency_choice& c) {
    const std::string format = "bpftrace histogram";
    const time_unit unit = chosen_unit(t, c, format);
    std::vector<section> all;
    bool in_map = false;
    for (std::size_t i = 0; i < t.lines.size(); ++i) {
        const text_line& l = t.lines[i];
        const std::optional<bar> b = bar_of(l.text);
        if (is_map_name(l.text)) {
            in_map = i + 1 < t.lines.size() && bar_of(t.lines[i + 1].text);
            if (!in_map) continue;
            const std::string name(l.text.substr(0, l.text.size() - 1));
            for (const section& s : all) {
                if (s.name != name) continue;
                t.refuse(l.number, "a second " + name + "; give what was printed last alone");
            }
            all.push_back({name, {}, {}, {}});
        } else if (b && in_map) {
            add_bar(t, l, unit, *b, all.back());
        } else if (contains(l.text, "|") && in_map) {
            t.refuse(l.number, "is no bin of a histogram");
        } else {
            in_map = false;
        }
    }
    return finished(t, format, unit, chosen(t, c, format, std::move(all)));
}

bool is_bcc(const latency_text& t) {
    return std::any_of(t.lines.begin(), t.lines.end(),
                       [](const text_line& l) { return bcc_unit(l.text).has_value(); });
}

latency_file read_bcc(const latency_text& t, const latency_choice& c) {
    const std::string format = "bcc histogram";
    std::vector<section> all;
    for (std::size_t i = 0; i < t.lines.size(); ++i) {
        const text_line& l = t.lines[i];
        const std::optional<std::string> unit = bcc_unit(l.text);
        const std::optional<bar> b = bcc_bar(l.text);
        if (unit) {
            // With a histogram for each process or disk, its name stands above.
            const bool named = i > 0 && contains(t.lines[i - 1].text, " = ");
            all.push_back({named ? std::string(t.lines[i - 1].text)
                                 : "histogram " + std::to_string(all.size() + 1),
                           *unit,
                           {},
                           {}});
            own_unit(t, c, format, *unit);
        } else if (b && !all.empty()) {
            add_bar(t, l, unit_named(all.back().unit), *b, all.back());
        } else if (contains(l.text, "|") && !all.empty()) {
            t.refuse(l.number, "is no bin of a histogram");
        }
    }
    section s = chosen(t, c, format, std::move(all));
    const time_unit unit = unit_named(s.unit);
    return finished(t, format, unit, std::move(s));
}

}  // namespace scmi_vp::traces::latency_parsing
