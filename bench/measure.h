// SPDX-License-Identifier: Apache-2.0
// Measuring in processes of their own: SystemC elaborates once per process, and what one
// measurement leaves in heap and caches must not help or hurt the next.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <vector>

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

namespace scmi_vp::bench {

/// What one run of a measurement gives.
struct sample {
    double seconds = 0;            ///< host CPU time of the measured part
    std::uint64_t count = 0;       ///< operations in it
    std::uint64_t before_kib = 0;  ///< resident memory when the measured part began ...
    std::uint64_t after_kib = 0;   ///< ... and when it ended

    double nanoseconds() const { return count ? 1e9 * seconds / static_cast<double>(count) : 0; }
};

using measurement = std::function<sample()>;

/// CPU time of this process so far.
inline double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Resident memory of this process now (proc(5), statm: in pages).
inline std::uint64_t resident_kib() {
    unsigned long total = 0, resident = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%lu %lu", &total, &resident) != 2) resident = 0;
        std::fclose(f);
    }
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// Runs it in a child process. Throws scmi_vp::error (model) if the child does not end well.
inline sample in_child(const measurement& m) {
    int fds[2];
    if (pipe(fds) != 0) throw error(error_kind::model, "no pipe to a measuring process");
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        int status = 1;
        try {
            const sample s = m();
            status = write(fds[1], &s, sizeof s) == static_cast<ssize_t>(sizeof s) ? 0 : 1;
        } catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
        }
        _exit(status);
    }
    close(fds[1]);
    sample s;
    const bool complete = child > 0 && read(fds[0], &s, sizeof s) == static_cast<ssize_t>(sizeof s);
    close(fds[0]);
    int status = 1;
    if (child > 0) waitpid(child, &status, 0);
    if (!complete || status != 0) throw error(error_kind::model, "a measuring process has failed");
    return s;
}

/// Stays on the CPU on which `probe` takes least now. Children would take turns on them otherwise,
/// and a virtual machine's CPUs differ by what else their host does: ratios would compare CPUs.
inline void stay_on_fastest_cpu(const measurement& probe) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    double least = 0;
    cpu_set_t fastest = allowed;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0) continue;
        const double t = in_child(probe).nanoseconds();
        if (least == 0 || t < least) {
            least = t;
            fastest = one;
        }
    }
    sched_setaffinity(0, sizeof fastest, &fastest);
}

/// Runs all of them `rounds` times in turns (a, b, c, a, b, c, ...), so that a slow spell of the
/// machine hits all alike; of each, the run of least time per operation: what disturbs a run only
/// adds to it. On a machine that is shared ratios of these are far steadier than those of medians.
inline std::vector<sample> interleaved(const std::vector<measurement>& all, unsigned rounds) {
    std::vector<sample> least(all.size());
    for (unsigned round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const sample s = in_child(all[i]);
            if (round == 0 || s.nanoseconds() < least[i].nanoseconds()) least[i] = s;
        }
    }
    return least;
}

}  // namespace scmi_vp::bench
