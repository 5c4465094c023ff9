// SPDX-License-Identifier: Apache-2.0
// The pool: order, failures and interrupts, whatever the schedule.
#include "studies/methods/worker_pool.h"

#include <csignal>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace scmi_vp::studies {
namespace {

using testing::HasSubstr;

pool_work work_of(std::size_t tasks, unsigned jobs, std::string (*run)(std::size_t)) {
    pool_work w;
    w.tasks = tasks;
    w.jobs = jobs;
    w.run = run;
    w.take = [](std::size_t, const std::string&) {};
    w.name = [](std::size_t task) { return "task " + std::to_string(task); };
    return w;
}

/// Early tasks take longest, so that they end last.
std::string slow_first(std::size_t task) {
    std::this_thread::sleep_for(std::chrono::milliseconds(task < 4 ? 60 - 15 * task : 1));
    return std::string(task * 1000, 'x') + std::to_string(task);
}

TEST(worker_pool, results_come_in_the_order_of_tasks) {
    for (const unsigned jobs : {1u, 2u, 7u}) {
        std::vector<std::string> results;
        pool_work w = work_of(20, jobs, slow_first);
        w.take = [&](std::size_t task, const std::string& result) {
            EXPECT_EQ(task, results.size());
            results.push_back(result);
        };
        run_pool(w);
        ASSERT_EQ(results.size(), 20u);
        EXPECT_EQ(results[3], std::string(3000, 'x') + "3");
    }
}

TEST(worker_pool, results_larger_than_a_pipe_arrive_whole) {
    std::size_t bytes = 0;
    pool_work w = work_of(3, 2, [](std::size_t) { return std::string(3'000'000, 'y'); });
    w.take = [&](std::size_t, const std::string& result) { bytes += result.size(); };
    run_pool(w);
    EXPECT_EQ(bytes, 9'000'000u);
}

std::string failure_of(const pool_work& w, error_kind expected) {
    try {
        run_pool(w);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), expected);
        return e.what();
    }
    return "no error";
}

// Task 5 fails at once, task 2 later: the report must not depend on that.
std::string two_fail(std::size_t task) {
    if (task == 5) throw error(error_kind::config, "five");
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    if (task == 2) throw error(error_kind::input, "two");
    return "";
}

TEST(worker_pool, the_first_failing_task_is_reported_whatever_the_schedule) {
    for (const unsigned jobs : {1u, 3u, 8u}) {
        EXPECT_EQ(failure_of(work_of(9, jobs, two_fail), error_kind::input), "two\n  in task 2");
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

TEST(worker_pool, a_child_that_dies_is_an_error) {
    const std::string crash = failure_of(work_of(3, 2,
                                                 [](std::size_t task) -> std::string {
                                                     if (task == 1) {
                                                         std::signal(SIGABRT, SIG_DFL);
                                                         ::kill(::getpid(), SIGKILL);
                                                     }
                                                     return "";
                                                 }),
                                         error_kind::memory);
    EXPECT_THAT(crash, HasSubstr("a simulation died by signal 9"));
    EXPECT_THAT(crash, HasSubstr("somebody killed it, or the kernel, out of memory"));
    EXPECT_THAT(crash, HasSubstr("in task 1"));
    const std::string quit = failure_of(
        work_of(1, 1, [](std::size_t) -> std::string { ::_exit(3); }), error_kind::model);
    EXPECT_THAT(quit, HasSubstr("died by status 3"));
}

TEST(worker_pool, other_exceptions_are_defects_with_their_text) {
    const std::string what = failure_of(
        work_of(1, 1, [](std::size_t) -> std::string { throw std::runtime_error("odd"); }),
        error_kind::model);
    EXPECT_EQ(what, "odd\n  in task 0");
}

// Ctrl-C: the children are ended, and none is left behind.
TEST(worker_pool, an_interrupt_ends_everything) {
    std::signal(SIGINT, SIG_DFL);  // a script that is started in the background ignores it
    pool_work w = work_of(4, 2, [](std::size_t) {
        std::this_thread::sleep_for(std::chrono::seconds(60));
        return std::string();
    });
    w.tick = [] { std::raise(SIGINT); };
    const auto start = std::chrono::steady_clock::now();
    try {
        run_pool(w);
        FAIL() << "not interrupted";
    } catch (const interrupted& e) {
        EXPECT_EQ(e.signal(), SIGINT);
        EXPECT_STREQ(e.what(), "interrupted after 0 of 4 runs");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

// Nothing that was computed is lost with the one that dies or with who ends it all.
TEST(worker_pool, what_had_ended_is_taken_when_one_dies) {
    std::set<std::size_t> taken;
    pool_work w = work_of(4, 4, [](std::size_t task) {
        if (task == 1) {
            std::this_thread::sleep_for(std::chrono::seconds(1));
            std::raise(SIGKILL);
        }
        return std::string("x");
    });
    w.take = [&](std::size_t task, const std::string&) { taken.insert(task); };
    EXPECT_THROW(run_pool(w), child_died);
    EXPECT_EQ(taken, (std::set<std::size_t>{0, 2, 3}));
}

// nohup and background jobs of scripts start their programs with signals ignored.
TEST(worker_pool, a_signal_that_was_ignored_stays_ignored) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        std::signal(signal, SIG_IGN);
        pool_work w = work_of(4, 2, nullptr);
        w.run = [signal](std::size_t) {
            ::kill(::getppid(), signal);
            ::raise(signal);
            return std::string();
        };
        EXPECT_NO_THROW(run_pool(w));
        EXPECT_EQ(std::signal(signal, SIG_DFL), SIG_IGN);
    }
}

TEST(worker_pool, says_what_to_do_when_the_system_has_no_more_descriptors) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = ::dup(STDERR_FILENO);
    rlimit few = before;
    few.rlim_cur = rlim_t(next) + 5;  // not enough for eight pipes
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const std::string what = failure_of(work_of(8, 8, slow_first), error_kind::output);
    EXPECT_EQ(what, "cannot start a process (Too many open files); give fewer with --jobs");
    ::setrlimit(RLIMIT_NOFILE, &before);
    ::close(next);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(worker_pool, nothing_to_do_is_done) {
    pool_work w = work_of(0, 2, [](std::size_t) -> std::string {
        throw error(error_kind::model, "a task that is not there was run");
    });
    w.take = [](std::size_t task, const std::string&) {
        ADD_FAILURE() << "a result of task " << task << " of none";
    };
    EXPECT_EQ(failure_of(w, error_kind::model), "no error");
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no process was started and left behind
}

}  // namespace
}  // namespace scmi_vp::studies
