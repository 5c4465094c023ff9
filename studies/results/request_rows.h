// SPDX-License-Identifier: Apache-2.0
// Every request of a study on its way from the runs' processes into requests.csv. A disk that is
// full costs this one file, not the study.
#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <string>

#include "runs/output_directory.h"

namespace scmi_vp::studies {

/// "point,replication," and the columns of runs/request_csv.h, with the line's end.
void write_study_request_heading(std::ostream& out);

/// Runs end in any order and rows are in that of the tasks: meanwhile each run's are in a file
/// without a name, of which nothing is left even when this process is killed.
class request_rows {
public:
    /// Opens requests.csv. Throws scmi_vp::error (output).
    explicit request_rows(runs::output_directory& out);

    /// In the parent, before the task's process is made.
    void prepare(std::size_t task);
    /// In the task's process: where its rows go; nullptr when they are given up.
    std::ostream* stream(std::size_t task);
    /// In the task's process, at its end: its message, with what became of the rows.
    std::string sealed(std::size_t task, const std::string& message);
    /// In the parent, in the order of tasks: takes the rows, gives the message back.
    std::string opened(std::size_t task, const std::string& sealed_message);
    /// Whether rows are missing.
    bool failed() const { return failure_ != 0; }
    /// Completes requests.csv. Throws scmi_vp::error (output) if rows are missing.
    void finish();

private:
    void append(std::fstream part);
    void give_up(int code);

    runs::output_directory& folder_;
    std::ostream& out_;
    std::map<std::size_t, std::fstream> parts_;
    int failure_ = 0;  ///< errno; no more rows are written
};

}  // namespace scmi_vp::studies
