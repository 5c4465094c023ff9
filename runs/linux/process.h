// SPDX-License-Identifier: Apache-2.0
// A User-Mode Linux guest as a process: a folder of its own, its command line, and an end on every
// path.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/types.h>

namespace scmi_vp::runs {

/// A folder that only we can read, gone with this object, and with this process however it ends: a
/// process of its own waits for that. Unix sockets and the guest's view of the host are in it.
class private_folder {
public:
    /// Throws scmi_vp::error (output).
    private_folder();
    ~private_folder();
    private_folder(const private_folder&) = delete;
    private_folder& operator=(const private_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void write(const std::string& name, const std::string& text) const;
    /// All of a file; empty if there is none.
    std::string read(const std::string& name) const;
    /// Why something may be missing in it: "the disk of /tmp is full (12 KiB left): set TMPDIR to a
    /// folder on another one". Nothing when there is room.
    std::optional<std::string> full() const;

private:
    void watch_over();

    std::filesystem::path path_;
    pid_t watcher_ = -1;
    int alive_ = -1;  ///< the watcher's pipe breaks when this process is gone
};

/// What keeps a kernel from getting its memory, which User-Mode Linux makes in /dev/shm
/// (arch/um/os-Linux/mem.c): "/dev/shm is read-only". Nothing when all is well.
std::optional<std::string> shared_memory_trouble(unsigned memory_mb);

struct linux_boot {
    std::filesystem::path kernel, initramfs;
    unsigned memory_mb = 64;
    bool trace = true;             ///< the scmi:* events, from the first message on
    unsigned trace_buffer_kb = 0;  ///< 0 = the kernel's default
    bool time_travel = true;       ///< we own its clock; else it runs in real time
};

/// The arguments: `folder` is the guest's, with scmi.dtb, device.sock and, where we own
/// its clock, clock.sock in it.
std::vector<std::string> linux_arguments(const linux_boot& boot, const std::string& folder);

/// While this lives, this process and what it starts run on the CPU where it was made. They run in
/// turns: on two CPUs every turn waits for a sleeping CPU to wake up or for a busy one.
class one_cpu {
public:
    one_cpu();
    ~one_cpu();
    one_cpu(const one_cpu&) = delete;
    one_cpu& operator=(const one_cpu&) = delete;

private:
    cpu_set_t before_;
    bool changed_ = false;
};

class linux_process {
public:
    /// Starts the kernel; its console goes to console.txt in `folder`. Throws scmi_vp::error
    /// (usage) if it cannot be started.
    linux_process(const linux_boot& boot, const private_folder& folder);
    /// Kills it if it still runs, with everything that it started. (SIGTERM would let the guest's
    /// exit calls run in a bad context.)
    ~linux_process() { stop(); }
    linux_process(const linux_process&) = delete;
    linux_process& operator=(const linux_process&) = delete;

    bool running();
    /// Waits at most so long for it to end by itself, then kills it; how it ended, in words.
    std::string finish(int seconds);

private:
    void stop();
    pid_t pid_ = -1;
    int status_ = 0;
};

}  // namespace scmi_vp::runs
