// SPDX-License-Identifier: Apache-2.0
// Runs the replications of a study's points in a pool of processes and adds them up.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "studies/kept_requests.h"
#include "studies/point_totals.h"
#include "studies/request_rows.h"
#include "studies/study.h"
#include "testbenches/progress.h"

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

struct runner_options {
    unsigned jobs = 0;  ///< processes at a time; 0: as many as there are CPUs
    /// When given, every request's row goes there, in the order of point, replication and time.
    request_rows* all_requests = nullptr;
    testbenches::progress* show = nullptr;
    /// When given, an early end is told there, and what had ended is returned; else it is thrown.
    std::optional<early_end>* early = nullptr;
};

/// The results of all points. Throws scmi_vp::error that names point, replication, seed and the
/// command that repeats the run; `interrupted` (worker_pool.h).
std::vector<point_result> run_points(const study& s, const runner_options& options);

/// Called now and then during a run with the fraction that is done and its requests so far.
using tell_progress = std::function<void(double fraction, std::uint64_t requests)>;

/// The scenario of one run: the point's, with the replication's seed.
testbenches::scenario scenario_of(const study& s, std::size_t point, std::uint64_t replication);

/// The command that makes it alone: "scmi-vp run ...".
std::string command_of_run(const study& s, std::size_t point, std::uint64_t replication);

/// One run in this process (SystemC: once per process), as the message that a child sends; each
/// request's row goes to `rows`.
std::string run_replication(const study& s, std::size_t point, std::uint64_t replication,
                            std::ostream* rows = nullptr, const tell_progress& tell = {});
/// The same for a run that is no part of a study; its batches are in the message.
std::string run_alone(const testbenches::scenario& one);
/// Adds such a message to the results of its point.
void merge_replication(point_result& result, const std::string& message);

}  // namespace scmi_vp::studies
