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

/// The request with the longest round trip; of equals, the first.
struct slowest_request {
    std::uint64_t replication = 0, id = 0;  ///< id 0: there was none
    sim_time round_trip, entered, returned;
    std::string stuck_in;  ///< hop of a timeout, else empty
    std::string task, name;
    std::array<sim_time, hop_count> hops{};
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

    std::uint64_t refused() const;  ///< no xfer or no message was free
    sim_time hop_mean(std::size_t h) const { return hop_sum[h].mean(round_trip.count()); }

    std::uint64_t requests = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};  ///< by models::outcome
    /// Timeouts of requests that the platform answers, if late; and of those that it never does.
    std::uint64_t spurious = 0, true_timeouts = 0;
    std::uint64_t late_replies = 0;
    std::uint64_t violations = 0;
    std::string first_violation;
    traces::span_sum simulated;
    traces::span_sum blocked;  ///< from the call until its return, over all requests
    traces::span_histogram round_trip;
    traces::span_histogram response;  ///< from the intended instant
    std::array<traces::span_sum, hop_count> hop_sum{};
    std::array<sim_time, hop_count> hop_max{};
    slowest_request slowest;
};

}  // namespace scmi_vp::studies
