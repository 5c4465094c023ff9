// SPDX-License-Identifier: Apache-2.0
// Many tasks in a pool of forked processes (SystemC elaborates once per process). What comes out
// depends neither on the number of processes nor on which of them ends first.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string>

#include "base/error.h"

namespace scmi_vp::studies {

/// Somebody pressed Ctrl-C or ended the process; the children are gone.
class interrupted : public std::exception {
public:
    interrupted(int signal, std::size_t done, std::size_t tasks);
    int signal() const { return signal_; }
    /// Tasks whose results were taken.
    std::size_t done() const { return done_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    int signal_;
    std::size_t done_;
    std::string text_;
};

/// A child died, by a signal or by somebody's exit().
class child_died : public error {
public:
    child_died(error_kind kind, const std::string& what) : error(kind, what) {}
};

struct pool_work {
    std::size_t tasks = 0;
    unsigned jobs = 0;  ///< processes at a time; 0: as many as there are CPUs
    /// In this process, before the child is made; may be empty.
    std::function<void(std::size_t task)> prepare;
    /// In a child. What it throws is thrown by run_pool() with the task's name.
    std::function<std::string(std::size_t task)> run;
    /// In this process, in the order of tasks; without some when the pool ends early.
    std::function<void(std::size_t task, const std::string& result)> take;
    /// "point host busy, replication 3 (seed 7); again: scmi-vp run ...", for errors.
    std::function<std::string(std::size_t task)> name;
    /// About five times a second.
    std::function<void()> tick;
};

/// Runs all tasks. Of several that fail, the one with the least number is reported, whatever the
/// schedule: scmi_vp::error of the kind that was thrown, or child_died. Throws `interrupted` on
/// SIGINT, SIGTERM and SIGHUP, unless they were ignored before. When it throws one of the latter
/// two, what had ended until then was taken. No child outlives the call.
void run_pool(const pool_work& work);

}  // namespace scmi_vp::studies
