// SPDX-License-Identifier: Apache-2.0
// Checks as JUnit XML, which CI systems show: one test case per check, and no times, so that the
// same run gives the same file.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runs/run.h"
#include "scenario/scenario.h"
#include "studies/study_checks.h"

namespace scmi_vp::studies {

struct junit_case {
    std::string name;
    std::string problem;    ///< one line; empty: it passed
    std::string details;    ///< seed, the command that repeats the run
    bool is_error = false;  ///< the run itself went wrong: no check failed
};

/// A file that appears when it is whole. An earlier one of ours is gone from the start on, so that
/// nobody takes it for that of a run that did not come to its end.
class junit_file {
public:
    /// Throws scmi_vp::error (output) when it cannot be made, or when there is something else.
    explicit junit_file(std::filesystem::path path);

    /// Throws scmi_vp::error (output).
    void write(const std::string& suite, const std::vector<junit_case>& cases);

private:
    std::ofstream open_part() const;

    std::filesystem::path path_, part_;
};

/// The whole document.
std::string junit_xml(const std::string& suite, const std::vector<junit_case>& cases);

/// One case per check; one more when the run itself went wrong.
std::vector<junit_case> junit_cases(const scenario::scenario& s, const runs::run_result& r);
/// One case per check and point; one more for each point whose runs broke a rule.
std::vector<junit_case> junit_cases(const findings& f, const std::vector<point_check>& checks);

}  // namespace scmi_vp::studies
