// SPDX-License-Identifier: Apache-2.0
// What is remembered of runs: counters, histograms, hops. Grows neither with time nor with
// requests, adds up over replications, and travels between processes.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/request.h"
#include "studies/estimators.h"
#include "traces/span_histogram.h"

namespace scmi_vp::studies {

inline constexpr std::size_t outcome_count = 7;

/// The caller gave up, and the platform answers, if late.
inline bool is_spurious_timeout(const models::request& r) {
    return r.timed_out && !r.lost;
}
/// The platform never answers: its caller gave up, or will, because the run ended before.
inline bool is_true_timeout(const models::request& r) {
    return r.lost && (r.timed_out || r.result == models::outcome::unfinished);
}

/// The request with the longest round trip; of equals, the first.
struct slowest_request {
    std::uint64_t replication = 0, id = 0;  ///< id 0: there was none
    sim_time round_trip, entered, returned;
    std::string stuck_in;  ///< hop of a timeout, else empty
    std::string task, name;
    std::array<sim_time, hop_count> hops{};
};

/// The reply that came longest after its request had been made; of equals, the first.
struct latest_reply {
    std::uint64_t replication = 0, id = 0;  ///< id 0: none came late
    sim_time after;                         ///< since its request entered the driver
};

/// One run or the sum of many. Round trips, responses and hops are those of requests that were
/// answered or timed out: what never got onto the ring (refused) or never ended is counted only.
class point_totals {
public:
    /// The hot path of a run: no allocation. `task` is only looked at when `r` is the slowest.
    void add(const models::request& r, const std::vector<std::string>& tasks);
    void merge(const point_totals& o);

    nlohmann::json to_json() const;
    static point_totals from_json(const nlohmann::json& j);

    /// The replication of what add() remembers.
    void set_replication(std::uint64_t r) { slowest.replication = latest.replication = r; }

    std::uint64_t refused() const;  ///< no xfer or no message was free
    sim_time hop_mean(std::size_t h) const { return hop_sum[h].mean(round_trip.count()); }

    std::uint64_t requests = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};  ///< by models::outcome
    /// Timeouts of requests that the platform answers, if late; and of those that it never does.
    std::uint64_t spurious = 0, true_timeouts = 0;
    /// Of the true ones: its reply is lost, so it will time out, but the run ended before. Without
    /// them a timeout that is long beside the run would seem to cause fewer.
    std::uint64_t true_pending = 0;
    sim_time longest_unfinished;  ///< of requests that had not returned when their run ended
    std::uint64_t late_replies = 0;
    std::uint64_t violations = 0;
    std::string first_violation;
    traces::span_sum simulated;
    traces::span_sum blocked;    ///< all tasks' time in calls, waiting for locks included
    std::uint64_t not_made = 0;  ///< open arrivals that no task had taken when the run ended
    traces::span_histogram round_trip;
    traces::span_histogram response;  ///< of open loops, from the intended instant
    std::array<traces::span_sum, hop_count> hop_sum{};
    std::array<sim_time, hop_count> hop_max{};
    slowest_request slowest;
    latest_reply latest;

private:
    void note_late(const latest_reply& l);
};

}  // namespace scmi_vp::studies
