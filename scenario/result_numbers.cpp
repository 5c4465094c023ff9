// SPDX-License-Identifier: Apache-2.0
// See result_numbers.h.
#include "scenario/result_numbers.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "scenario/suggest.h"

namespace scmi_vp::scenario {
namespace {

using nlohmann::ordered_json;

/// Inputs and names of requests: nothing that a run could do well or badly at.
const std::set<std::string> no_outcome{"id",
                                       "seed",
                                       "format",
                                       "replications",
                                       "replication",
                                       "request",
                                       "slowest_request",
                                       "rx_timeout_ps",
                                       "max_delayed_response_ps",
                                       "calls_blocked_of_s"};
/// Rows of other tables: their numbers belong to single requests, runs or buckets.
const std::set<std::string> no_numbers{
    "labels", "slowest", "latest_reply", "replication_results", "round_trip_histogram", "checks"};

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// What a key says about the numbers below it.
struct unit {
    bool picoseconds = false, seconds = false;
};

class collector {
public:
    void object(const ordered_json& j, const std::string& prefix, unit u, bool known) {
        // Of no requests there is no longest and no mean.
        const bool empty = u.picoseconds && j.contains("count") && j["count"] == 0;
        const bool no_trips = j.contains("round_trip_ps") && j["round_trip_ps"].is_object() &&
                              j["round_trip_ps"].value("count", 1) == 0;
        const bool rate = j.contains("low") && j.contains("high");
        for (const auto& [key, value] : j.items()) {
            if (no_outcome.count(key) || no_numbers.count(key)) continue;
            const bool here = known && !empty && !(no_trips && key == "hops_ps");
            if (rate && key.rfind("per_", 0) == 0) {
                add_rate(prefix, key, j);
            } else if (!rate || key == "count" || key == "pending" || value.is_object()) {
                member(key, value, prefix, u, key == "count" || here);
            }
        }
    }
    std::vector<result_number> all;

private:
    void member(std::string key, const ordered_json& value, const std::string& prefix, unit u,
                bool known) {
        if (ends_with(key, "_ps")) {
            u.picoseconds = true;
            key.resize(key.size() - 3);
        } else if (ends_with(key, "_s") && value.is_number()) {
            u.seconds = true;
            key.resize(key.size() - 2);
        } else if (key == "count") {
            u = {};
        }
        const std::string name = prefix.empty() ? key : prefix + "." + key;
        if (value.is_object()) return object(value, name, u, known);
        if (value.is_array()) return named_rows(value, name, u, known);
        if (value.is_number()) all.push_back(number(name, value, u, known));
    }
    /// Of a list the elements that have a name.
    void named_rows(const ordered_json& rows, const std::string& prefix, unit u, bool known) {
        for (const ordered_json& row : rows) {
            if (!row.is_object() || !row.contains("name")) continue;
            object(row, prefix + "." + row["name"].get<std::string>(), u, known);
        }
    }
    static result_number number(const std::string& name, const ordered_json& value, unit u,
                                bool known) {
        result_number n;
        n.name = name;
        n.known = known;
        n.kind = u.picoseconds || u.seconds ? number_kind::time : number_kind::count;
        n.real = value.get<double>() * (u.seconds ? 1e12 : 1);
        n.integral = value.is_number_integer();
        if (n.integral) n.whole = value.get<std::int64_t>();
        return n;
    }
    void add_rate(const std::string& prefix, const std::string& key, const ordered_json& j) {
        result_number n;
        n.name = prefix + "." + key;
        n.kind = number_kind::rate;
        n.integral = false;
        n.unit = key;
        std::replace(n.unit.begin(), n.unit.end(), '_', ' ');
        n.known = j[key].is_number() && j["low"].is_number() && j["high"].is_number();
        if (n.known) {
            n.real = j[key].get<double>();
            n.low = j["low"].get<double>();
            n.high = j["high"].get<double>();
        }
        n.confidence = j.value("confidence", 0.95);
        all.push_back(n);
    }
};

}  // namespace

std::vector<result_number> numbers_of(const ordered_json& results) {
    collector c;
    c.object(results, "", {}, true);
    return c.all;
}

std::string number_suggestion(const std::string& name, const std::vector<result_number>& known) {
    std::vector<std::string> names, alike;
    for (const result_number& n : known) names.push_back(n.name);
    if (const auto near = nearest(name, names)) return ", did you mean " + *near + "?";
    // "timeouts" is in spurious_timeouts.count, "p99" in round_trip.p99; "timed" in "timed_out".
    const std::string word = name.substr(0, name.size() > 5 ? name.size() - 1 : name.size());
    for (const std::string& n : names) {
        const bool inside = n.find(word) != std::string::npos;
        const bool outside =
            name.find("timeout") != std::string::npos && ends_with(n, ".timed_out");
        if ((inside || outside) && alike.size() < 5) alike.push_back(n);
    }
    return alike.empty() ? "" : ", did you mean one of " + joined(alike) + "?";
}

}  // namespace scmi_vp::scenario
