// SPDX-License-Identifier: Apache-2.0
// Runs a scenario with an unmodified Linux kernel (User-Mode Linux) in place of the modelled guest,
// in simulated time.
#pragma once

#include <filesystem>
#include <ostream>

#include "runs/linux/results.h"
#include "runs/run.h"
#include "scenario/scenario.h"

namespace scmi_vp::runs {

struct linux_options {
    std::filesystem::path out;     ///< output directory; empty = write no files
    std::filesystem::path kernel;  ///< what tools/build-linux made; the initramfs lies beside it
    bool log_calls = false;        ///< the guest notes when it makes each call: outcome.made
    int patience_s = 60;           ///< of host time for a guest that runs and says nothing
};

/// What a run came to, beside its files.
struct linux_outcome {
    run_status status = run_status::ok;
    /// Of guest_failed: "its kernel panicked at 0.010000 s in swapper/0 (pid 1): Segfault with no
    /// mm".
    std::string failure;
    std::uint64_t served = 0;         ///< commands that the platform answered, the probe's too
    sim_time ended;                   ///< when the guest was off
    player_result guest;              ///< what its program handed back
    std::vector<models::call> kinds;  ///< the calls that guest.calls_made names
    sim_time first_command;           ///< when the probe's first message was announced
};

/// The kernel that tools/build-linux makes: in the build tree of this program, else in the one of
/// the current folder.
std::filesystem::path default_kernel();

/// Runs once; `report` gets the readable account. A guest that panics, hangs or ends without
/// results is a result (guest_failed), as far as it got. Throws scmi_vp::error: usage for a kernel
/// that is not there, input for what is no User-Mode Linux whose clock can be owned. Can be called
/// once per process.
linux_outcome run_linux(const scenario::scenario& s, const linux_options& options,
                        std::ostream& report);

}  // namespace scmi_vp::runs
