// SPDX-License-Identifier: Apache-2.0
// Files with one sample on each line: fio's latency logs and lists of spans.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

const char* const fio_format = "fio latency log";
constexpr std::pair<const char*, const char*> directions[] = {
    {"0", "read"}, {"1", "write"}, {"2", "trim"}};

// "7, 7596808, 0, 4096, 61440, 0": time in ms, latency, direction, block size, and what options
// add.
bool is_fio_row(std::string_view line) {
    const std::vector<std::string_view> cells = fields(line, ',');
    return cells.size() >= 4 && whole_number(cells[0]) && whole_number(cells[1]) &&
           whole_number(cells[3]) && (cells[2] == "0" || cells[2] == "1" || cells[2] == "2");
}

void check_fio_name(const latency_text& t) {
    for (const char* other : {"_bw.", "_iops."}) {
        if (contains(t.name, other)) {
            t.refuse(
                "is a log of fio, but by its name of no latencies; take the one of "
                "--write_lat_log that is called _lat");
        }
    }
}

// A span with its unit, or a number of `unit`.
std::optional<sim_time> span_of(std::string_view word, const std::optional<time_unit>& unit,
                                std::string& problem) {
    if (unit && is_number(word)) {
        const std::optional<sim_time> time = unit->time(word);
        if (!time)
            problem = "'" + std::string(word) + "': a span is from 0 to " + to_string(longest_span);
        return time;
    }
    try {
        const sim_time time = parse_time(word);
        if (time >= sim_time() && time <= longest_span) return time;
        problem = "'" + std::string(word) + "': a span is from 0 to " + to_string(longest_span);
    } catch (const error& e) {
        problem = e.what();
    }
    return {};
}

std::string_view without_comment(const text_line& l) {
    return trimmed(l.text.substr(0, l.text.find('#')));
}

}  // namespace

bool is_fio_log(const latency_text& t) {
    return is_fio_row(t.lines.front().text);
}

latency_file read_fio_log(const latency_text& t, const latency_choice& c) {
    check_fio_name(t);
    const time_unit unit = chosen_unit(t, c, fio_format, "ns");  // since fio 3.0; before: us
    std::vector<sim_time> samples;
    std::vector<std::string> seen;
    for (const text_line& l : t.lines) {
        if (!is_fio_row(l.text)) {
            t.refuse(l.number, "is no row of a fio log (time, latency, direction, block size)");
        }
        const std::vector<std::string_view> cells = fields(l.text, ',');
        const std::string direction = directions[cells[2].front() - '0'].second;
        if (std::find(seen.begin(), seen.end(), direction) == seen.end()) seen.push_back(direction);
        if (!c.column.empty() && c.column != direction) continue;
        const std::optional<sim_time> latency = unit.time(cells[1]);
        if (!latency) t.refuse(l.number, "a latency above " + to_string(longest_span));
        samples.push_back(*latency);
    }
    std::sort(seen.begin(), seen.end());
    std::string parts;
    for (const std::string& d : seen) parts += (parts.empty() ? "" : " and ") + d;
    if (samples.empty()) {
        throw error(error_kind::config, "column = \"" + c.column + "\": " + t.name + " (" +
                                            fio_format + ") has only " + parts);
    }
    return of_samples(t, fio_format, c.column.empty() ? parts : c.column, unit, sim_time(unit.ps),
                      std::move(samples));
}

bool is_list(const latency_text& t) {
    for (const text_line& l : t.lines) {
        const std::string_view word = without_comment(l);
        if (word.empty()) continue;
        std::string problem;
        return span_of(word, time_unit{"ps", 1}, problem).has_value();
    }
    return false;
}

latency_file read_list(const latency_text& t, const latency_choice& c) {
    const std::string format = "list of spans";
    refuse_column(t, c, format);
    std::optional<time_unit> unit;
    if (!c.unit.empty()) unit = unit_named(c.unit);
    std::vector<sim_time> samples;
    bool bare = false;
    for (const text_line& l : t.lines) {
        const std::string_view word = without_comment(l);
        if (word.empty()) continue;
        std::string problem;
        const std::optional<sim_time> span = span_of(word, unit, problem);
        if (!span) t.refuse(l.number, problem);
        bare |= is_number(word);
        samples.push_back(*span);
    }
    if (samples.empty()) t.refuse("no values; give one span per line, such as 182us");
    if (unit && !bare) {
        throw error(error_kind::config, "unit = \"" + c.unit + "\" does not apply to " + t.name +
                                            " (" + format + "): each value names its own");
    }
    return of_samples(t, format, "", unit.value_or(time_unit{"", 1}), sim_time(),
                      std::move(samples));
}

}  // namespace scmi_vp::traces::latency_parsing
