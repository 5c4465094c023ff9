// SPDX-License-Identifier: Apache-2.0
// Who has a lock: what the kernel tells in /proc.
#pragma once

#include <string>

#include <sys/types.h>

namespace scmi_vp::runs {

/// "process 4711 (scmi-vp study quickstart --out out, running for 12s)" for who has a flock(2) on
/// that file; "a process that cannot be seen from here" when /proc does not tell, as of one on
/// another machine or in another container.
std::string holder_of_lock(dev_t device, ino_t inode);

}  // namespace scmi_vp::runs
