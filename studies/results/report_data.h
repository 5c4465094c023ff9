// SPDX-License-Identifier: Apache-2.0
// results.json as the report sees it: every key read once, with its place in the error when it is
// missing or of the wrong type.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hops.h"
#include "base/time.h"
#include "studies/results/estimators.h"

namespace scmi_vp::studies {

/// The value of the first "format" key that this program reads.
inline constexpr const char* results_format = "scmi-vp results 3";

/// Groups of timeouts that failed together, per hour with an exact interval.
struct incident_data {
    std::uint64_t count = 0;
    double per_hour = 0, low = 0, high = 0, confidence = 0.95;
};

/// Events per million requests with an interval.
struct rate_data {
    std::uint64_t count = 0;
    double per_million = 0, low = 0, high = 0, confidence = 0.95;
    std::string method;
    std::string beyond;  ///< why the number says less than it seems to; mostly empty
    std::optional<incident_data> incidents;  ///< none in results without them
    bool nothing_random = false;             ///< the same rate in all runs: no interval of chance

    bool has_interval() const { return count > 0 && low < high; }
};

struct spread_data {
    std::uint64_t count = 0;
    sim_time min, mean, p50, p99, p999, max;

    /// Of 0.5, 0.99, 0.999 and 1.
    sim_time at(double q) const { return q >= 1 ? max : q > 0.99 ? p999 : q > 0.5 ? p99 : p50; }
    /// Whether that many values tell a quantile from their maximum.
    bool tells(double q) const { return tells_quantile(count, q); }
};

struct slowest_data {
    std::size_t replication = 0;
    std::uint64_t request = 0;
    sim_time round_trip;
    std::string task, name;
    hop stuck_in = hop::prepare;
    bool stuck = false;
    std::optional<std::array<sim_time, span_count>> hops;
};

struct histogram_bucket {
    sim_time upper_edge;
    std::uint64_t count = 0;
};

/// Of the requests that waited for a delayed response.
struct delayed_data {
    std::uint64_t requests = 0, late = 0;
    rate_data spurious, true_timeouts;  ///< per million of these requests
    spread_data wait;                   ///< from the response until the caller went on
};

struct point_data {
    std::size_t id = 0;
    std::vector<std::pair<std::string, std::string>> labels;  ///< axis, value; in the study's order
    std::vector<std::string> set;
    std::optional<sim_time> rx_timeout;
    double simulated_s = 0, blocked_s = 0;  ///< seconds, over all replications and tasks
    std::optional<double> task_s;           ///< seconds of which tasks were blocked for so many
    std::optional<std::uint64_t> not_made;  ///< of open loops: calls that were due at the end
    std::uint64_t requests = 0, late_replies = 0, refused = 0, violations = 0;
    rate_data spurious, true_timeouts;
    delayed_data delayed;
    spread_data round_trip, response;
    std::array<sim_time, span_count> hop_mean{}, hop_max{};
    std::vector<histogram_bucket> histogram;
    std::optional<slowest_data> slowest;  ///< none if there was no request
    std::vector<std::uint64_t> seeds;     ///< of the replications
    std::vector<std::string> remarks;     ///< what its numbers do not show

    /// "host busy, timeout 30ms", or "this run" without labels.
    std::string name() const;
};

/// Of results that nothing repeats.
struct measurement {
    std::string how;                 ///< "measured on a device ..."
    std::vector<std::string> facts;  ///< sentences
    std::string instead;             ///< the command that comes nearest to making them again
};

struct report_data {
    std::string title, description, scenario, study;
    std::vector<std::string> set;
    std::uint64_t seed = 0, replications = 0;
    std::vector<point_data> points;
    std::vector<std::string> notes;
    std::string early;                    ///< one sentence when the study did not come to its end
    std::optional<measurement> measured;  ///< else it is a simulation's
};

/// Throws scmi_vp::error (input) that names the key, "results.json: points[3].requests is missing".
report_data read_results(const nlohmann::json& results);

/// What there is to say of results of a study that did not come to its end; empty of others.
std::string early_end_of(const nlohmann::json& results);

class json_place;

/// Throws scmi_vp::error (input) when another version wrote these results.
void check_format(const json_place& results);

/// Axis and value of a point of results.json, in the order of its axes.
std::vector<std::pair<std::string, std::string>> labels_of(const json_place& point,
                                                           const std::vector<std::string>& axes);

/// "host busy, timeout 30ms" for a point's "labels".
std::string name_of_labels(const std::vector<std::pair<std::string, std::string>>& labels);

/// The last "guest.max_rx_timeout=TIME" of `set`, if it can be read.
std::optional<sim_time> timeout_in(const std::vector<std::string>& set);

/// A value of a JSON document that knows where it is. Everything that is not as asked for throws
/// scmi_vp::error (input).
class json_place {
public:
    json_place(const nlohmann::json& value, std::string path, std::string file = "results.json")
        : value_(value), path_(std::move(path)), file_(std::move(file)) {}

    bool has(const std::string& key) const;
    json_place at(const std::string& key) const;
    std::vector<json_place> elements() const;
    std::vector<std::string> texts() const;
    std::string text() const;
    std::uint64_t count() const;  ///< an integer >= 0
    sim_time time() const;        ///< an integer number of picoseconds >= 0
    double number() const;        ///< finite
    bool is_null() const { return value_.is_null(); }
    const nlohmann::json& raw() const { return value_; }

private:
    [[noreturn]] void refuse(const std::string& what) const;

    const nlohmann::json& value_;
    std::string path_, file_;
};

}  // namespace scmi_vp::studies
