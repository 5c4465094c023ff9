// SPDX-License-Identifier: Apache-2.0
// What a guest's kernel finds when it is started.
#include "runs/linux/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runs/linux/fake_kernel_testing.h"

namespace scmi_vp::runs {
namespace {

using testing::HasSubstr;

/// Starts a process and stops it, as arch/um/os-Linux/start_up.c start_ptraced_child() does.
pid_t traced_child() {
    const pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    return child;
}

void say(const char* what, long result) {
    std::printf("%s: %s\n", what, result == 0 ? "works" : std::strerror(errno));
}

/// The calls of arch/x86/um/os-Linux/registers.c.
[[noreturn]] void be_a_kernel() {
    const pid_t child = traced_child();
    static std::array<char, 1 << 16> state;
    iovec all{state.data(), state.size()};
    const auto xstate = reinterpret_cast<void*>(std::uintptr_t(NT_X86_XSTATE));
    say("get xstate", ptrace(PTRACE_GETREGSET, child, xstate, &all));
    all = {state.data(), 2696};
    say("set xstate", ptrace(PTRACE_SETREGSET, child, xstate, &all));
    all = {state.data(), state.size()};
    say("get general set", ptrace(PTRACE_GETREGSET, child,
                                  reinterpret_cast<void*>(std::uintptr_t(NT_PRSTATUS)), &all));
    user_fpregs_struct fp{};
    say("get fp", ptrace(PTRACE_GETFPREGS, child, nullptr, &fp));
    fp.xmm_space[0] = 4711;
    say("set fp", ptrace(PTRACE_SETFPREGS, child, nullptr, &fp));
    user_fpregs_struct back{};
    ptrace(PTRACE_GETFPREGS, child, nullptr, &back);
    std::printf("it is kept: %d\n", int(back.xmm_space[0]));
    std::fflush(stdout);
    kill(child, SIGKILL);
    _exit(0);
}

#if defined(__x86_64__)

TEST(linux_process, the_kernel_and_what_it_starts_have_the_older_register_calls_only) {
    if (testing_tools::fake_role()) be_a_kernel();
    const scenario::testing_tools::scratch_folder folder;
    linux_boot boot;
    boot.kernel = testing_tools::fake_kernel(folder, "registers");
    boot.initramfs = folder.path() / "initramfs.cpio";
    const private_folder guest;
    linux_process process(boot, guest);
    EXPECT_EQ(process.finish(60), "exit status 0");
    const std::string said = guest.read("console.txt");
    EXPECT_THAT(said, HasSubstr("get xstate: No such device\n"));
    EXPECT_THAT(said, HasSubstr("set xstate: No such device\n"));
    EXPECT_THAT(said, HasSubstr("get general set: works\n"));
    EXPECT_THAT(said, HasSubstr("get fp: works\n"));
    EXPECT_THAT(said, HasSubstr("set fp: works\n"));
    EXPECT_THAT(said, HasSubstr("it is kept: 4711\n"));
}

#endif

}  // namespace
}  // namespace scmi_vp::runs
