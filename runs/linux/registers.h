// SPDX-License-Identifier: Apache-2.0
// How User-Mode Linux reads and writes the registers of the processes that are its tasks.
#pragma once

namespace scmi_vp::runs {

/// From now on ptrace() of NT_X86_XSTATE fails with ENODEV in this process and in all that it
/// starts, as on a processor without XSAVE; PTRACE_GETFPREGS and PTRACE_SETFPREGS go on working.
///
/// User-Mode Linux hands PTRACE_SETREGSET the FP_SIZE that its user-offsets.c was compiled with
/// (6.1, 6.12: 2 696 bytes). A host with AMX has 11 008 bytes of state and refuses that with
/// EFAULT: "ptrace set fp regs failed, errno = 14", and the kernel exits. The kernel tries the call
/// once (arch/x86/um/os-Linux/registers.c arch_init_registers()) and goes back to the older calls
/// when it fails, newer ones (6.13 and later) when it fails with ENODEV.
///
/// Safe between fork and exec. False, and nothing is changed, where the host refuses filters.
bool refuse_extended_registers();

}  // namespace scmi_vp::runs
