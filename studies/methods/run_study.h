// SPDX-License-Identifier: Apache-2.0
// A study from its points to its files: runs, tables, results, report, waveform of the slowest.
#pragma once

#include <filesystem>
#include <ostream>

#include "studies/results/results.h"
#include "studies/study.h"

namespace scmi_vp::studies {

struct study_options {
    std::filesystem::path out;    ///< empty: write no files
    unsigned jobs = 0;            ///< processes at a time; 0: as many as there are CPUs
    bool all_requests = false;    ///< every request in requests.csv
    bool quiet = false;           ///< only the table
    std::filesystem::path junit;  ///< the checks as JUnit XML; empty: no such file
};

enum class study_status : std::uint8_t {
    ok,
    violations,     ///< a checker saw a broken rule
    checks_failed,  ///< a [[check]] of the study does not hold, and no rule was broken
    no_probe,       ///< the driver was probed in none of its runs: nothing was studied
};

/// Throws scmi_vp::error, and `interrupted` (worker_pool.h). After an interrupt, or when a process
/// of its runs died, the runs that had ended are told and written first, as a result that says so.
study_status run_study(const study& s, const study_options& options, std::ostream& out);

}  // namespace scmi_vp::studies
