// SPDX-License-Identifier: Apache-2.0
// The readable account of a run: each request with its hops in words, and the totals.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "models/guest/guest.h"
#include "models/request.h"

namespace scmi_vp::runs {

/// Of the requests whose result comes in a delayed response.
struct delayed_totals {
    std::uint64_t requests = 0;   ///< that waited for one
    std::uint64_t responses = 0;  ///< that came in time
    std::uint64_t timeouts = 0;   ///< callers that gave up
    /// Of the limit for delayed responses: it comes, if late; it never does, or so it would be had
    /// the run not ended before.
    std::uint64_t spurious = 0, true_timeouts = 0;
    std::uint64_t late = 0;  ///< that came when the caller had given up
    double wait_sum_ps = 0;  ///< of waits that ended
    sim_time wait_min = sim_time::max(), wait_max;

    void add(const models::request& r);
    std::uint64_t ended() const { return responses + timeouts; }
};

/// A request to a device that nobody here knows, as it is counted: only the device could tell
/// whether a reply that had not come when the run ended would have come, so it is one that never
/// does.
models::request as_measured(models::request r);

/// Totals of a run; grows neither with time nor with requests.
struct totals {
    std::uint64_t requests = 0;
    std::array<std::uint64_t, 7> outcomes{};  ///< by models::outcome
    std::uint64_t late_replies = 0;
    /// Of the rx timeout: of requests that the platform answers, if late; that it never does.
    std::uint64_t spurious = 0, true_timeouts = 0;
    delayed_totals delayed;
    std::uint64_t answered = 0;
    sim_time round_trip_min = sim_time::max(), round_trip_max;
    std::uint64_t slowest = 0;  ///< request id
    double round_trip_sum_ps = 0;
    std::array<double, span_count> hop_sum_ps{};
    std::array<sim_time, span_count> hop_max{};

    void add(const models::request& r);
};

/// One line: "#28 1.593ms sh-22 SENSOR_READING_GET(2) 64.478407s timed_out: service 64.4784s, ...".
struct account_line {
    std::uint64_t id;
    std::string at, task, what, round_trip, outcome, story;
};
account_line account_of(const models::request& r, const std::string& task);
void print_account(std::ostream& out, std::vector<account_line> lines);

/// How long the bars of a chart may be beside so many `others` columns on this terminal: 40, or
/// fewer.
int bar_columns(std::size_t others);

/// Totals, and a bar for each hop's share of all round trips.
void print_totals(std::ostream& out, const totals& t);

/// "30.14ms": a span rounded to that many significant digits.
std::string short_time(sim_time t, int digits = 4);

}  // namespace scmi_vp::runs
