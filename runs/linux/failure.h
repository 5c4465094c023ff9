// SPDX-License-Identifier: Apache-2.0
// What is left of a guest that did not come to its end.
#pragma once

#include <optional>
#include <string>

namespace scmi_vp::runs {

/// A panic as the kernel's console tells it (kernel/panic.c panic(), dump_stack_print_info()).
struct kernel_panic {
    std::string what;   ///< "Attempted to kill init! exitcode=0x00000300"
    std::string stamp;  ///< "0.010000", seconds; empty without CONFIG_PRINTK_TIME
    std::string task;   ///< "swapper/0 (pid 1)"; empty if it is not said

    /// "its kernel panicked at 0.010000 s in swapper/0 (pid 1): Segfault with no mm"
    std::string text() const;
};

/// The first one; nothing if the kernel did not panic.
std::optional<kernel_panic> find_panic(const std::string& console);

/// All messages of a kernel that are on its console, each once: a dying User-Mode Linux prints its
/// log again when it has no console of its own yet (arch/um/kernel/kmsg_dump.c).
std::string kernel_log_on(const std::string& console);

/// From the panic on, or the end, but no more than `lines` lines.
std::string last_words(const std::string& console, std::size_t lines);

}  // namespace scmi_vp::runs
