// SPDX-License-Identifier: Apache-2.0
// Repeats a run whose checks failed, with a waveform. SystemC elaborates once per process: a
// process for it is made before the run and waits whether it is needed.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "runs/forked.h"
#include "scenario/scenario.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::runs {

class failed_run {
public:
    /// To be made before SystemC elaborates; writes into `folder` when it is asked to. Throws
    /// scmi_vp::error (output) when the system has no process or socket left.
    failed_run(const scenario::scenario& s, const std::filesystem::path& folder);
    ~failed_run();
    failed_run(const failed_run&) = delete;
    failed_run& operator=(const failed_run&) = delete;

    /// Repeats the run up to the end of these windows. Throws what that run throws.
    void repeat(const std::vector<traces::wave_window>& windows);

private:
    void close_socket();

    int read_end_ = -1, write_end_ = -1;
    std::optional<child_process> child_;
};

}  // namespace scmi_vp::runs
