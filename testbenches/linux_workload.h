// SPDX-License-Identifier: Apache-2.0
// The workload of a scenario as a script for the guest's one program (tools/linux/player.c), and
// what of the scenario a real kernel cannot follow.
#pragma once

#include <string>
#include <vector>

#include "testbenches/scenario.h"

namespace scmi_vp::testbenches {

/// A line per task, file, step, loop; times in ns.
struct linux_workload {
    std::string script;
    std::uint64_t calls = 0;         ///< in all; 0 = until the end of the run
    std::vector<std::string> notes;  ///< keys of the scenario that are the modelled guest's only
};

/// Throws scmi_vp::error (config) for a call that user space cannot make on Linux 6.1, for a sensor
/// or clock that the kernel does not show, and for more tasks than the guest's program has room
/// for.
linux_workload make_linux_workload(const scenario& s);

/// Where user space reads a sensor ("temp1_input", in the folder of the driver's hwmon device) or a
/// clock (an absolute path). Throws as above.
std::string linux_file_of(const models::call& c, const scmi::platform_description& platform,
                          const std::string& where);

}  // namespace scmi_vp::testbenches
