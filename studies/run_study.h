// SPDX-License-Identifier: Apache-2.0
// A study from its points to its files: runs, tables, results, report, waveform of the slowest.
#pragma once

#include <filesystem>
#include <ostream>

#include "studies/results.h"
#include "studies/study.h"

namespace scmi_vp::studies {

struct study_options {
    std::filesystem::path out;  ///< empty: write no files
    unsigned jobs = 0;          ///< processes at a time; 0: as many as there are CPUs
    bool all_requests = false;  ///< every request in requests.csv
    bool quiet = false;         ///< only the table
};

enum class study_status : std::uint8_t {
    ok,
    violations,  ///< a checker saw a broken rule
};

/// Throws scmi_vp::error, and `interrupted` (worker_pool.h).
study_status run_study(const study& s, const study_options& options, std::ostream& out);

}  // namespace scmi_vp::studies
