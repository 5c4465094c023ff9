// SPDX-License-Identifier: Apache-2.0
// Runs the replications of a study's points in a pool of processes and adds them up.
#pragma once

#include <optional>
#include <vector>

#include "runs/progress.h"
#include "studies/results/point_result.h"
#include "studies/results/request_rows.h"
#include "studies/study.h"

namespace scmi_vp::studies {

struct runner_options {
    unsigned jobs = 0;  ///< processes at a time; 0: as many as there are CPUs
    /// When given, every request's row goes there, in the order of point, replication and time.
    request_rows* all_requests = nullptr;
    runs::progress* show = nullptr;
    /// When given, an early end is told there, and what had ended is returned; else it is thrown.
    std::optional<early_end>* early = nullptr;
};

/// The results of all points. Throws scmi_vp::error that names point, replication, seed and the
/// command that repeats the run; `interrupted` (worker_pool.h).
std::vector<point_result> run_points(const study& s, const runner_options& options);

}  // namespace scmi_vp::studies
