// SPDX-License-Identifier: Apache-2.0
// Work in a child process: SystemC elaborates once per process, so each further simulation needs
// one.
#pragma once

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/error.h"

namespace scmi_vp::runs {

/// How a child ended: with one of `result` and `failure`, or it died.
struct child_ending {
    std::optional<std::string> result;
    std::optional<error> failure;  ///< what its work threw; (model) when it was none of ours
    int signal = 0;                ///< that it died of; 0: none

    std::string how_it_died;  ///< "signal 9 (Killed)", "status 3"
};

/// What to say of a child that died: a defect, except when it was killed from outside.
error died(const std::string& who, const child_ending& ending);

/// A child that does one piece of work and sends what it returned or threw. It ends with its
/// parent, however that ends, and writes nothing to standard output. SIGINT, SIGTERM and SIGHUP
/// do in it what they did before handlers were installed, ignored ones stay ignored.
class child_process {
public:
    using work = std::function<std::string()>;

    /// Throws scmi_vp::error (output) with `advice` ("; give fewer with --jobs") at its end when
    /// the system has no process or pipe left.
    explicit child_process(const work& what, const std::string& advice = "");
    /// Kills it if it was not waited for.
    ~child_process();
    child_process(child_process&& other) noexcept;
    child_process& operator=(child_process&& other) noexcept;

    pid_t pid() const { return pid_; }
    /// For poll(): readable when read_some() does not wait.
    int fd() const { return fd_; }
    /// Reads some of its message; false at the end.
    bool read_some();
    /// After the end of its message: waits for the process. A message counts only when the process
    /// ended well after it, since that of one that was killed may be cut anywhere.
    child_ending wait();

private:
    pid_t pid_ = -1;
    int fd_ = -1;
    std::string message_;
};

/// Runs `work` in a forked child and returns what it returns. An scmi_vp::error that it throws is
/// thrown here again; for a child that dies otherwise see died(). When `stop` (stop_flag::asked)
/// gets a signal's number meanwhile, the child is told (SIGTERM), waited for and forgotten: throws
/// `stopped` (stop_signals.h).
std::string run_forked(const std::string& what, const child_process::work& work,
                       const volatile std::sig_atomic_t* stop = nullptr);

}  // namespace scmi_vp::runs
