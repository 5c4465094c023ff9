// SPDX-License-Identifier: Apache-2.0
// What the runs of one point of a study were, added up.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "studies/results/estimators.h"
#include "studies/results/kept_requests.h"
#include "studies/results/point_totals.h"

namespace scmi_vp::studies {

/// One run, in numbers.
struct replication_summary {
    std::uint64_t seed = 0, requests = 0, spurious = 0, true_timeouts = 0, refused = 0;
    bool finished = false;  ///< all tasks were done before sim.duration
    bool probed = false;    ///< else the driver's probe failed, or the run ended before its end
    std::uint64_t no_device = 0;  ///< calls that failed with -ENODEV
    double round_trips_s = 0;     ///< their sum, by which a repeated run is known again
    /// Requests that waited for a delayed response; of these, timeouts of that wait.
    std::uint64_t delayed = 0, delayed_spurious = 0, delayed_true = 0;
    slowest_request slowest{};
    std::vector<std::uint64_t> messages{};  ///< of each check, kernel messages with its text
};

struct point_result {
    point_totals totals;
    kept_requests kept;
    std::vector<replication_summary> replications;
    /// Batches of the run, when there is only one: events are spurious and true timeouts.
    std::vector<unit_counts> spurious_batches, true_batches;
    /// The same for waits for a delayed response and their timeouts.
    std::vector<unit_counts> delayed_spurious_batches, delayed_true_batches;
};

/// Whether the driver was probed in any of its runs.
bool any_probed(const point_result& r);

/// A study that did not come to its end: what it has is of the runs that had ended, of each point
/// those in front of the first that had not.
struct early_end {
    std::exception_ptr cause;  ///< `interrupted` or child_died (worker_pool.h), to be thrown on
    std::string why;           ///< "it was interrupted (SIGINT)"
    std::size_t runs = 0, of = 0;
};

/// "CUT SHORT after 13 of 40 runs: it was interrupted (SIGINT). ...", for tables and pages.
std::string early_sentence(const std::string& why, std::uint64_t runs, std::uint64_t of);

}  // namespace scmi_vp::studies
