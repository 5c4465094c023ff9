// SPDX-License-Identifier: Apache-2.0
// See report_data.h. The format: docs/study.md.
#include "studies/results/report_data.h"

#include <cmath>

#include "base/error.h"
#include "studies/results/point_result.h"

namespace scmi_vp::studies {
namespace {

/// Nothing where nothing was simulated: then there are no numbers.
std::optional<incident_data> read_incidents(const json_place& j) {
    if (!j.has("incidents")) return std::nullopt;
    const json_place from = j.at("incidents");
    if (from.at("per_hour").is_null()) return std::nullopt;
    incident_data i;
    i.count = from.at("count").count();
    i.per_hour = from.at("per_hour").number();
    i.low = from.at("low").number();
    i.high = from.at("high").number();
    i.confidence = from.at("confidence").number();
    return i;
}

rate_data read_rate(const json_place& j) {
    rate_data r;
    r.count = j.at("count").count();
    r.per_million = j.at("per_million").number();
    // Bounds of another kind than `method`'s are for programs; format 1 had null there.
    const bool bounded =
        !j.at("low").is_null() && !j.at("high").is_null() && !j.has("bounds_method");
    r.low = bounded ? j.at("low").number() : r.per_million;
    r.high = bounded ? j.at("high").number() : r.per_million;
    if (j.has("confidence")) r.confidence = j.at("confidence").number();
    if (j.has("method")) r.method = j.at("method").text();
    if (j.has("beyond")) r.beyond = j.at("beyond").text();
    r.incidents = read_incidents(j);
    r.nothing_random = j.has("nothing_random");
    return r;
}

spread_data read_spread(const json_place& j) {
    spread_data s;
    s.count = j.at("count").count();
    s.min = j.at("min").time();
    s.mean = j.at("mean").time();
    s.p50 = j.at("p50").time();
    s.p99 = j.at("p99").time();
    s.p999 = j.at("p999").time();
    s.max = j.at("max").time();
    return s;
}

std::optional<slowest_data> read_slowest(const json_place& j) {
    slowest_data s;
    s.request = j.at("request").count();
    if (s.request == 0) return std::nullopt;  // requests are numbered from 1
    s.replication = j.at("replication").count();
    s.round_trip = j.at("round_trip_ps").time();
    s.task = j.at("task").text();
    s.name = j.at("name").text();
    const std::optional<hop> stuck = hop_named(j.at("stuck_in").text());
    s.stuck = stuck.has_value();
    if (stuck) s.stuck_in = *stuck;
    if (!j.has("hops_ps")) return s;
    s.hops.emplace();
    for (const hop_info& h : span_table) {
        const std::string name(h.name);
        if (j.at("hops_ps").has(name))
            (*s.hops)[std::size_t(h.id)] = j.at("hops_ps").at(name).time();
    }
    return s;
}

void read_hops(const json_place& j, point_data& p) {
    for (const hop_info& h : span_table) {
        const std::string name(h.name);
        if (!j.has(name)) continue;
        p.hop_mean[std::size_t(h.id)] = j.at(name).at("mean").time();
        p.hop_max[std::size_t(h.id)] = j.at(name).at("max").time();
    }
}

void read_histogram(const json_place& j, point_data& p) {
    for (const json_place& bucket : j.elements()) {
        const std::vector<json_place> pair = bucket.elements();
        if (pair.size() != 2) {
            throw error(error_kind::input, "results.json",
                        "a round_trip_histogram bucket is not [upper edge, count]");
        }
        p.histogram.push_back({pair[0].time(), pair[1].count()});
    }
}

delayed_data read_delayed(const json_place& j) {
    delayed_data d;
    d.requests = j.at("requests").count();
    d.late = j.at("late_responses").count();
    d.spurious = read_rate(j.at("spurious_timeouts"));
    d.true_timeouts = read_rate(j.at("true_timeouts"));
    d.wait = read_spread(j.at("wait_ps"));
    return d;
}

point_data read_point(const json_place& j, const std::vector<std::string>& axes) {
    point_data p;
    p.id = j.at("id").count();
    p.labels = labels_of(j, axes);
    p.set = j.at("set").texts();
    p.simulated_s = j.at("simulated_s").number();
    p.requests = j.at("requests").count();
    p.blocked_s = j.at("calls_blocked_s").number();
    if (j.has("calls_blocked_of_s")) p.task_s = j.at("calls_blocked_of_s").number();
    if (j.has("calls_not_made")) p.not_made = j.at("calls_not_made").count();
    p.late_replies = j.at("late_replies").count();
    p.refused = j.at("refused").count();
    p.violations = j.at("violations").count();
    p.spurious = read_rate(j.at("spurious_timeouts"));
    p.true_timeouts = read_rate(j.at("true_timeouts"));
    if (j.has("delayed")) p.delayed = read_delayed(j.at("delayed"));
    p.round_trip = read_spread(j.at("round_trip_ps"));
    p.response = read_spread(j.at("response_ps"));
    read_hops(j.at("hops_ps"), p);
    read_histogram(j.at("round_trip_histogram"), p);
    if (j.has("slowest") && !j.at("slowest").is_null()) p.slowest = read_slowest(j.at("slowest"));
    for (const json_place& r : j.at("replication_results").elements()) {
        p.seeds.push_back(r.at("seed").count());
    }
    if (j.has("rx_timeout_ps")) p.rx_timeout = j.at("rx_timeout_ps").time();
    p.remarks = j.at("remarks").texts();
    return p;
}

}  // namespace

bool json_place::has(const std::string& key) const {
    return value_.is_object() && value_.contains(key);
}

json_place json_place::at(const std::string& key) const {
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (!has(key)) {
        throw error(error_kind::input, file_, path + " is missing; was the file edited?");
    }
    return {value_.at(key), path, file_};
}

std::vector<json_place> json_place::elements() const {
    if (!value_.is_array()) refuse("a list");
    std::vector<json_place> all;
    for (std::size_t i = 0; i < value_.size(); ++i) {
        all.emplace_back(value_.at(i), path_ + "[" + std::to_string(i) + "]", file_);
    }
    return all;
}

std::vector<std::string> json_place::texts() const {
    std::vector<std::string> all;
    for (const json_place& e : elements()) all.push_back(e.text());
    return all;
}

std::string json_place::text() const {
    if (!value_.is_string()) refuse("a text");
    return value_.get<std::string>();
}

std::uint64_t json_place::count() const {
    if (!value_.is_number_integer() ||
        (!value_.is_number_unsigned() && value_.get<std::int64_t>() < 0)) {
        refuse("an integer, 0 or more");
    }
    return value_.get<std::uint64_t>();
}

sim_time json_place::time() const {
    if (!value_.is_number_integer() || value_.get<std::int64_t>() < 0) {
        refuse("an integer number of picoseconds, 0 or more");
    }
    return sim_time(value_.get<std::int64_t>());
}

double json_place::number() const {
    if (!value_.is_number() || !std::isfinite(value_.get<double>())) refuse("a number");
    return value_.get<double>();
}

void json_place::refuse(const std::string& what) const {
    throw error(error_kind::input, file_, path_ + " is not " + what + "; was the file edited?");
}

std::vector<std::pair<std::string, std::string>> labels_of(const json_place& point,
                                                           const std::vector<std::string>& axes) {
    std::vector<std::pair<std::string, std::string>> labels;
    for (const std::string& a : axes) {
        if (point.at("labels").has(a)) labels.emplace_back(a, point.at("labels").at(a).text());
    }
    return labels;
}

std::string name_of_labels(const std::vector<std::pair<std::string, std::string>>& labels) {
    std::string name;
    for (const auto& [axis, value] : labels) {
        name += (name.empty() ? "" : ", ") + axis + " " + value;
    }
    return name;
}

std::string point_data::name() const {
    return labels.empty() ? "this run" : name_of_labels(labels);
}

std::optional<sim_time> timeout_in(const std::vector<std::string>& set) {
    const std::string key = "guest.max_rx_timeout=";
    std::optional<sim_time> timeout;
    for (const std::string& s : set) {
        if (s.rfind(key, 0) != 0) continue;
        std::string value = s.substr(key.size());
        // As it may be quoted for TOML.
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) {
            value = value.substr(1, value.size() - 2);
        }
        try {
            timeout = parse_time(value);
        } catch (const error&) {
            timeout = std::nullopt;
        }
    }
    return timeout;
}

void check_format(const json_place& results) {
    const std::string format = results.at("format").text();
    if (format == results_format) return;
    throw error(error_kind::input, "results.json",
                "format is '" + format + "', not '" + results_format +
                    "': another version of scmi-vp wrote it; run the study again");
}

std::string early_end_of(const nlohmann::json& results) {
    const json_place j(results, "");
    if (!j.has("ended_early")) return "";
    const json_place e = j.at("ended_early");
    return early_sentence(e.at("why").text(), e.at("runs").count(), e.at("of").count());
}

report_data read_results(const nlohmann::json& results) {
    const json_place j(results, "");
    check_format(j);
    report_data d;
    d.title = j.at("title").text();
    d.description = j.at("description").text();
    d.scenario = j.at("scenario").text();
    if (j.has("study")) d.study = j.at("study").text();
    d.set = j.at("set").texts();
    d.seed = j.at("seed").count();
    d.replications = j.at("replications").count();
    const std::vector<std::string> axes = j.at("axes").texts();
    for (const json_place& p : j.at("points").elements()) {
        d.points.push_back(read_point(p, axes));
        point_data& point = d.points.back();
        std::vector<std::string> set = point.set;
        set.insert(set.end(), d.set.begin(), d.set.end());
        if (!point.rx_timeout) point.rx_timeout = timeout_in(set);
    }
    if (d.points.empty()) throw error(error_kind::input, "results.json", "points is empty");
    d.notes = j.at("notes").texts();
    d.early = early_end_of(results);
    if (j.has("measured")) {
        const json_place m = j.at("measured");
        d.measured = {m.at("how").text(), m.at("facts").texts(), m.at("instead").text()};
    }
    return d;
}

}  // namespace scmi_vp::studies
