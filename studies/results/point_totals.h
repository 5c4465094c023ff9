// SPDX-License-Identifier: Apache-2.0
// What is remembered of runs: counters, histograms, hops. Grows neither with time nor with
// requests, adds up over replications, and travels between processes.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/monitor.h"
#include "studies/results/estimators.h"
#include "traces/span_histogram.h"

namespace scmi_vp::studies {

inline constexpr std::size_t outcome_count = 7;

/// The request with the longest round trip; of equals, the first.
struct slowest_request {
    std::uint64_t replication = 0, id = 0;  ///< id 0: there was none
    sim_time round_trip, entered, returned;
    std::string stuck_in;  ///< hop of a timeout, else empty
    std::string task, name;
    std::array<sim_time, span_count> hops{};
};

/// The reply that came longest after its request had been made; of equals, the first.
struct latest_reply {
    std::uint64_t replication = 0, id = 0;  ///< id 0: none came late
    sim_time after;                         ///< since its request entered the driver
};

/// Of the requests that waited for a delayed response, which has a limit of its own.
struct delayed_sums {
    std::uint64_t requests = 0;  ///< that waited for one
    std::uint64_t received = 0;  ///< it came in time
    /// Timeouts of those whose delayed response comes, if late; and of those whose never does.
    std::uint64_t spurious = 0, true_timeouts = 0;
    std::uint64_t true_pending = 0;  ///< of the true ones: their run ended before
    std::uint64_t late = 0;          ///< delayed responses that found nobody waiting
    traces::span_histogram wait;     ///< from the response until the caller went on, where it did

    void add(const models::request& r);
    void merge(const delayed_sums& o);
};

/// One run or the sum of many. Round trips and hops are those of requests that were
/// answered or timed out: what never got onto the ring (refused) or never ended is counted only.
class point_totals {
public:
    /// The hot path of a run: no allocation. `task` is only looked at when `r` is the slowest.
    void add(const models::request& r, const std::vector<std::string>& tasks);
    void add(const models::call_record& c) {
        if (c.answered) response.add(c.returned - c.intended);
    }
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
    delayed_sums delayed;
    std::uint64_t violations = 0;
    std::string first_violation;
    /// Groups of timeouts that failed together (incidents.h), of each run by itself.
    std::uint64_t spurious_incidents = 0, true_incidents = 0;
    traces::span_sum simulated;
    traces::span_sum task_time;  ///< simulated time of each task: what `blocked` is a part of
    traces::span_sum blocked;    ///< all tasks' time in calls, waiting for locks included
    std::uint64_t not_made = 0;  ///< open arrivals that no task had taken when the run ended
    traces::span_histogram round_trip;
    /// Of the calls of open loops, from the instant at which they were due until they returned.
    traces::span_histogram response;
    std::array<traces::span_sum, span_count> hop_sum{};
    std::array<sim_time, span_count> hop_max{};
    slowest_request slowest;
    latest_reply latest;

private:
    void add_delayed(const models::request& r);
    void note_late(const latest_reply& l);
};

}  // namespace scmi_vp::studies
