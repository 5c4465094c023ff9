// SPDX-License-Identifier: Apache-2.0
// What cyclictest --json=FILE writes (rt-tests: rt_write_json, write_stats).
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nesting.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

using nlohmann::json;

const char* const format = "cyclictest JSON";

json parsed(const latency_text& t) {
    if (const auto place = too_deep_in_json(t.content)) {
        t.refuse(place->line, "is nested too deep for what cyclictest --json writes");
    }
    try {
        return json::parse(t.content);
    } catch (const json::exception& e) {
        std::string what = e.what();
        what = what.substr(what.find("] ") == std::string::npos ? 0 : what.find("] ") + 2);
        t.refuse("begins like JSON, but: " + what.substr(0, 200));
    }
}

std::optional<std::uint64_t> count_in(const json& object, const char* name) {
    const auto it = object.find(name);
    if (it == object.end() || !it->is_number_unsigned()) return {};
    return it->get<std::uint64_t>();
}

void add_rows(const latency_text& t, const time_unit& unit, const json& rows, series& s) {
    std::uint64_t sum = 0;
    for (const auto& [latency, count] : rows.items()) {
        const std::optional<std::uint64_t> n = whole_number(latency);
        if (!n || !count.is_number_unsigned()) {
            t.refuse(s.name + ": \"" + latency.substr(0, 40) +
                     "\" is no row of a histogram (\"latency\": count)");
        }
        const std::optional<sim_time> low = unit.time(*n);
        if (!low) t.refuse(s.name + ": a latency above " + to_string(longest_span));
        add_to(sum, count.get<std::uint64_t>(), t, 0);
        s.bins.push_back({*low, count.get<std::uint64_t>()});
    }
    std::sort(s.bins.begin(), s.bins.end(),
              [](const histogram_bin& a, const histogram_bin& b) { return a.low < b.low; });
    const auto none = [](const histogram_bin& b) { return b.count == 0; };
    s.bins.erase(std::remove_if(s.bins.begin(), s.bins.end(), none), s.bins.end());
}

series read_thread(const latency_text& t, const time_unit& unit, const std::string& number,
                   const json& thread) {
    series s{"thread " + number, {}, 0, {}, {}, {}, {}};
    if (!thread.is_object()) t.refuse(s.name + " is no object");
    const auto rows = thread.find("histogram");
    if (rows == thread.end() || !rows->is_object() || rows->empty()) {
        t.refuse(s.name + " has no histogram; record one with cyclictest -q -h 20000 --json=FILE");
    }
    add_rows(t, unit, *rows, s);
    if (const auto cycles = count_in(thread, "cycles")) {
        const std::uint64_t counted_in_rows = s.in_bins();
        if (*cycles < counted_in_rows) {
            t.refuse(s.name + " has " + std::to_string(*cycles) +
                     " cycles but its rows add up to " + std::to_string(counted_in_rows));
        }
        s.overflows = *cycles - counted_in_rows;
    }
    if (const auto min = count_in(thread, "min")) s.min = unit.time(*min);
    if (const auto max = count_in(thread, "max")) s.max = unit.time(*max);
    const auto average = thread.find("avg");
    if (average != thread.end() && average->is_number()) {
        const double ps = average->get<double>() * static_cast<double>(unit.ps);
        if (ps >= 0 && ps <= static_cast<double>(longest_span.ps)) {
            s.average = sim_time(std::llround(ps));
        }
    }
    if (s.max && !s.bins.empty() && *s.max < s.bins.back().low) {
        t.refuse(s.name + ": the maximum is " + to_string(*s.max) + " but there are counts at " +
                 to_string(s.bins.back().low));
    }
    return s;
}

}  // namespace

bool is_cyclictest_json(const latency_text& t) {
    return t.lines.front().text.front() == '{';
}

latency_file read_cyclictest_json(const latency_text& t, const latency_choice& c) {
    const json all = parsed(t);
    const auto threads = all.find("thread");
    if (threads == all.end() || !threads->is_object()) {
        t.refuse("is JSON, but not what cyclictest --json writes: it has no \"thread\"");
    }
    refuse_column(t, c, format);
    const auto in_ns = count_in(all, "resolution_in_ns");
    const time_unit unit =
        in_ns ? own_unit(t, c, format, *in_ns ? "ns" : "us") : chosen_unit(t, c, format);
    pooled_parts p{format, counted(threads->size(), "thread"), unit, sim_time(unit.ps), {}, {}};
    for (const auto& [number, thread] : threads->items()) {
        p.columns.push_back(read_thread(t, unit, number, thread));
    }
    return pooled(t, p);
}

}  // namespace scmi_vp::traces::latency_parsing
