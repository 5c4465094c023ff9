// SPDX-License-Identifier: Apache-2.0
// A real board's device tree for a guest that has neither the board's memory nor its boot loader.
#pragma once

#include <string>
#include <vector>

namespace scmi_vp::runs {

struct board_tree {
    std::string blob;
    /// What is not in it, as a reader of the source would name it: "/memory@80000000",
    /// "3 /memreserve/ entries", "mboxes of /firmware/scmi".
    std::vector<std::string> left_out;
};

/// A copy of `blob`, a whole flattened device tree, without what keeps User-Mode Linux from booting
/// or its driver from being probed:
/// - memory nodes, /reserved-memory and /memreserve/ entries: arch/um/kernel/dtb.c uml_dtb_init()
///   gives them to memblock, which then allocates from memory that does not exist;
/// - /chosen, in which a boot loader puts command line, initrd and crash kernel of another kernel;
/// - mboxes, shmem and interrupts of a SCMI node over virtio: the kernel would wait for a mailbox
///   controller that is not there before it probes the driver (drivers/of/property.c).
/// A blob without any of these is handed back byte by byte. Throws scmi_vp::error (config, with
/// `name`) when libfdt cannot change it.
board_tree without_the_board(const std::string& blob, const std::string& name);

}  // namespace scmi_vp::runs
