// SPDX-License-Identifier: Apache-2.0
// Work in a child process: what comes back, and what does not when somebody is killed.
#include "runs/forked.h"

#include <csignal>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::error_of;

error_kind kind_of(const child_process::work& work) {
    try {
        run_forked("work", work);
    } catch (const error& e) {
        return e.kind();
    }
    ADD_FAILURE() << "no error";
    return error_kind::model;
}

TEST(run_forked, gives_what_the_work_returns_or_throws) {
    EXPECT_EQ(run_forked("work", [] { return std::string(); }), "");
    EXPECT_EQ(run_forked("work", [] { return std::string(3'000'000, 'x'); }).size(), 3'000'000u);
    const auto refuse = []() -> std::string { throw error(error_kind::config, "no"); };
    EXPECT_EQ(kind_of(refuse), error_kind::config);
    EXPECT_EQ(error_of([&] { run_forked("work", refuse); }), "no");
    EXPECT_EQ(kind_of([]() -> std::string { throw std::runtime_error("odd"); }), error_kind::model);
}

TEST(run_forked, a_child_that_dies_is_an_error) {
    EXPECT_EQ(
        error_of([] {
            run_forked("work", []() -> std::string {
                ::raise(SIGKILL);
                return "";
            });
        }),
        "work: the process died by signal 9 (Killed): somebody killed it, or the kernel, out of "
        "memory");
    EXPECT_EQ(error_of([] { run_forked("work", []() -> std::string { ::_exit(3); }); }),
              "work: the process died by status 3");
}

// A result may be of any length: only the end of its process says that it is whole.
TEST(child_process, one_killed_in_the_middle_of_its_message_gives_no_result) {
    for (const bool fails : {false, true}) {
        child_process child([&]() -> std::string {
            const std::string much(1'000'000, 'x');  // more than a pipe holds
            if (fails) throw error(error_kind::config, much);
            return much;
        });
        pollfd some{child.fd(), POLLIN, 0};
        ASSERT_EQ(::poll(&some, 1, 10'000), 1);
        ::kill(child.pid(), SIGKILL);
        while (child.read_some()) {
        }
        const child_ending ending = child.wait();
        EXPECT_FALSE(ending.result);
        EXPECT_FALSE(ending.failure);
        EXPECT_EQ(ending.signal, SIGKILL);
    }
}

TEST(child_process, one_that_nobody_waits_for_is_gone) {
    {
        child_process a([] { return ::sleep(60), std::string(); });
        child_process b = std::move(a);
        a = std::move(b);
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

// The child holds the pipe open while it lives.
TEST(run_forked, children_do_not_outlive_a_parent_that_was_killed) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        ::close(ends[0]);
        run_forked("work", [&] {
            if (::write(ends[1], "x", 1) == 1) ::sleep(60);
            return std::string();
        });
        ::_exit(0);
    }
    ::close(ends[1]);
    char begun = 0;
    ASSERT_EQ(::read(ends[0], &begun, 1), 1);
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    pollfd end{ends[0], POLLIN, 0};
    EXPECT_EQ(::poll(&end, 1, 20'000), 1);
    EXPECT_EQ(::read(ends[0], &begun, 1), 0);
    ::close(ends[0]);
}

}  // namespace
}  // namespace scmi_vp::runs
