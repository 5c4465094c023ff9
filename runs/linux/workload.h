// SPDX-License-Identifier: Apache-2.0
// The workload of a scenario as a script for the guest's one program (tools/linux/player.c), and
// what of the scenario a real kernel cannot follow.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace scmi_vp::runs {

/// A line per task, file, step, loop; times in ns.
struct linux_workload {
    std::string script;
    std::uint64_t calls = 0;          ///< in all; 0 = until the end of the run
    std::vector<std::string> notes;   ///< keys of the scenario that are the modelled guest's only
    std::vector<models::call> kinds;  ///< the different calls; the guest's log names them by number
};

/// Throws scmi_vp::error (config) for a call that cannot be made in Linux 6.1, for one whose driver
/// the scenario does not have, and for more tasks than the guest's program has room for.
/// With `log_calls` the guest notes when it makes each call, which costs a clock read (256 ns).
linux_workload make_linux_workload(const scenario::scenario& s, bool log_calls = false);

/// How the guest's program makes a call: by reading a file, or by writing a line to one.
struct linux_call {
    std::string file;  ///< an absolute path, or a name in the folder of the driver's hwmon device
    std::string line;  ///< empty: read
    std::string then_file, then_line;  ///< written after that, if not empty
    bool operator==(const linux_call& o) const {
        return file == o.file && line == o.line && then_file == o.then_file &&
               then_line == o.then_line;
    }
};
/// sensor_read and clock_get_rate as user space makes them in hwmon and debugfs, where the kernel
/// shows that sensor or clock there; the rest by tools/linux/module. Throws as above.
linux_call linux_call_of(const models::call& c, const scenario::scenario& s);

}  // namespace scmi_vp::runs
