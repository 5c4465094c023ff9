// SPDX-License-Identifier: Apache-2.0
// A seccomp filter of eleven instructions (Linux Documentation/userspace-api/seccomp_filter.rst).
#include "runs/linux/registers.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scmi_vp::runs {

#if defined(__x86_64__)

namespace {

// The lower half of an argument: ptrace() takes no more of these two.
constexpr std::uint32_t argument(unsigned n) {
    return offsetof(seccomp_data, args) + n * sizeof(std::uint64_t);
}

constexpr sock_filter load(std::size_t from) {
    return {BPF_LD | BPF_W | BPF_ABS, 0, 0, std::uint32_t(from)};
}

/// Goes on when equal; else skips so many.
constexpr sock_filter unless_equal_skip(std::uint32_t value, std::uint8_t skipped) {
    return {BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value};
}

constexpr sock_filter equal_skip(std::uint32_t value, std::uint8_t skipped) {
    return {BPF_JMP | BPF_JEQ | BPF_K, skipped, 0, value};
}

constexpr sock_filter answer(std::uint32_t action) {
    return {BPF_RET | BPF_K, 0, 0, action};
}

constexpr std::array<sock_filter, 11> filter{{
    load(offsetof(seccomp_data, nr)),
    unless_equal_skip(SYS_ptrace, 8),
    load(offsetof(seccomp_data, arch)),
    unless_equal_skip(AUDIT_ARCH_X86_64, 6),
    load(argument(0)),
    equal_skip(PTRACE_GETREGSET, 1),
    unless_equal_skip(PTRACE_SETREGSET, 3),
    load(argument(2)),
    unless_equal_skip(NT_X86_XSTATE, 1),
    answer(SECCOMP_RET_ERRNO | ENODEV),
    answer(SECCOMP_RET_ALLOW),
}};

}  // namespace

bool refuse_extended_registers() {
    // Without it only root may install a filter.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    const sock_fprog program{std::uint16_t(filter.size()), const_cast<sock_filter*>(filter.data())};
    // Kernels before 5.16 make every process under a filter slower unless told otherwise.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &program) == 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool refuse_extended_registers() {
    return false;  // there is no such set of registers
}

#endif

}  // namespace scmi_vp::runs
