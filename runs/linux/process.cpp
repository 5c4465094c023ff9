// SPDX-License-Identifier: Apache-2.0
// See process.h.
#include "runs/linux/process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "runs/linux/registers.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;

// Console, trace and memory of a guest; one that floods its console is stopped by this.
constexpr rlim_t largest_file = 2ull << 30;

// Passed on to the guest's first program. A page fault of the guest costs its task the upper halves
// of the vector registers: User-Mode Linux sends the fault's signal to the process
// (arch/um/os-Linux/ skas/process.c get_skas_faultinfo()), which resets them, and puts back what
// PTRACE_SETFPREGS has. So the C library must not copy or search with them.
constexpr const char* guest_c_library =
    "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"
    "-AVX_Fast_Unaligned_Load";

void sleep_ms(long ms) {
    const timespec t{ms / 1000, (ms % 1000) * 1'000'000};
    nanosleep(&t, nullptr);
}

/// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become_guest(const char* folder, char* const* argv, pid_t parent) {
    // A group of its own, so that one signal ends the kernel and the processes that are its tasks;
    // and it must not outlive us.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    // Without address randomisation the console is the same in every run.
    personality(ADDR_NO_RANDOMIZE);
    // A host that refuses this can still have a processor on which the kernel does without.
    refuse_extended_registers();
    const rlimit cap{largest_file, largest_file};
    setrlimit(RLIMIT_FSIZE, &cap);
    if (chdir(folder) != 0) _exit(126);
    const int in = open("/dev/null", O_RDONLY);
    const int out = open("console.txt", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
    // User-Mode Linux keeps a folder under HOME.
    char home[] = "HOME=.";
    char* const environment[] = {home, nullptr};
    execve(argv[0], argv, environment);
    _exit(127);
}

std::string ending_of(int status) {
    if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return std::string("signal ") + strsignal(WTERMSIG(status));
    return "unknown end";
}

}  // namespace

private_folder::private_folder() {
    std::string name = (fs::temp_directory_path() / "scmi-vp-linux-XXXXXX").string();
    if (name.find_first_of(" \t\n\"") != std::string::npos) {
        throw error(error_kind::output, name,
                    "the guest's kernel cannot be told a path with a blank; set TMPDIR to another "
                    "folder");
    }
    if (!mkdtemp(name.data())) {
        throw error(error_kind::output, name,
                    std::string("cannot make the guest's folder: ") + std::strerror(errno));
    }
    path_ = name;
    watch_over();
}

/// Only what is safe in a child of a program that was doing anything: it holds nothing open but the
/// pipe's end, hears no Ctrl-C, and outlives us for as long as it takes to remove the folder.
void private_folder::watch_over() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;  // then it is removed by the destructor alone
    watcher_ = fork();
    if (watcher_ == 0) {
        setsid();
        prctl(PR_SET_NAME, "scmi-vp-sweeper");
        if (ends[0] != 0) dup2(ends[0], 0);
        close_range(1, ~0u, 0);
        char nothing;
        while (::read(0, &nothing, 1) < 0 && errno == EINTR) {
        }
        // A guest that is being killed may still write.
        std::error_code code;
        for (int i = 0; i < 100 && fs::exists(path_, code); ++i) {
            fs::remove_all(path_, code);
            if (code) sleep_ms(50);
        }
        _exit(0);
    }
    close(ends[0]);
    alive_ = ends[1];
}

private_folder::~private_folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    if (alive_ >= 0) close(alive_);
    if (watcher_ > 0) waitpid(watcher_, nullptr, 0);
}

std::optional<std::string> private_folder::full() const {
    constexpr std::uint64_t little = 64 << 10;
    struct statvfs disk {};
    if (statvfs(path_.c_str(), &disk) != 0) return std::nullopt;
    const std::uint64_t left = std::uint64_t(disk.f_bavail) * disk.f_frsize;
    if (left >= little && disk.f_favail > 0) return std::nullopt;
    return "the disk of " + path_.parent_path().string() + " is full (" +
           std::to_string(left >> 10) + " KiB left): set TMPDIR to a folder on another one";
}

void private_folder::write(const std::string& name, const std::string& text) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out << text;
    if (!out.flush()) {
        throw error(error_kind::output, (path_ / name).string(),
                    "cannot be written: " + full().value_or(std::strerror(errno)));
    }
}

std::string private_folder::read(const std::string& name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::optional<std::string> shared_memory_trouble(unsigned memory_mb) {
    constexpr const char* where = "/dev/shm";
    struct statvfs disk {};
    if (statvfs(where, &disk) != 0) return std::nullopt;  // then it takes another folder
    const std::uint64_t left = std::uint64_t(disk.f_bavail) * disk.f_frsize >> 20;
    const std::string memory =
        "; the guest's memory (" + std::to_string(memory_mb) + " MiB) is there";
    if (disk.f_flag & ST_RDONLY) return std::string(where) + " is read-only" + memory;
    if (access(where, W_OK) != 0) return std::string(where) + " cannot be written" + memory;
    if (disk.f_flag & ST_NOEXEC) return std::string(where) + " is mounted noexec" + memory;
    if (left < memory_mb) {
        return std::string(where) + " has " + std::to_string(left) + " MiB left" + memory;
    }
    return std::nullopt;
}

std::vector<std::string> linux_arguments(const linux_boot& boot, const std::string& folder) {
    std::vector<std::string> a{fs::absolute(boot.kernel).string(),
                               "mem=" + std::to_string(boot.memory_mb) + "M",
                               "initrd=" + fs::absolute(boot.initramfs).string(),
                               "dtb=scmi.dtb",
                               "con=null",
                               "con0=null,fd:1",
                               "virtio_uml.device=device.sock:32",
                               "umid=guest",
                               "SCMI_VP_HOST=" + folder,
                               guest_c_library};
    if (boot.time_travel) a.push_back("time-travel=ext:1:clock.sock");
    if (boot.trace) {
        a.insert(a.end(), {"trace_event=scmi:*", "trace_clock=mono"});
        if (boot.trace_buffer_kb) {
            a.push_back("trace_buf_size=" + std::to_string(boot.trace_buffer_kb) + "K");
        }
    }
    return a;
}

one_cpu::one_cpu() {
    const int cpu = sched_getcpu();
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof before_, &before_) != 0)
        return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    changed_ = sched_setaffinity(0, sizeof one, &one) == 0;
}

one_cpu::~one_cpu() {
    if (changed_) sched_setaffinity(0, sizeof before_, &before_);
}

linux_process::linux_process(const linux_boot& boot, const private_folder& folder) {
    std::vector<std::string> arguments = linux_arguments(boot, folder.path().string());
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const std::string where = folder.path().string();
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) {
        throw error(error_kind::usage, boot.kernel.string(),
                    std::string("cannot be started: ") + std::strerror(errno));
    }
    if (pid_ == 0) become_guest(where.c_str(), argv.data(), parent);
}

bool linux_process::running() {
    if (pid_ <= 0) return false;
    // Left as a zombie, so that its group keeps its number until stop() has killed the rest of it.
    siginfo_t info{};
    return waitid(P_PID, id_t(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

std::string linux_process::finish(int seconds) {
    for (int i = 0; i < seconds * 100 && running(); ++i) sleep_ms(10);
    const bool stuck = running();
    stop();
    return stuck ? "it did not end by itself" : ending_of(status_);
}

void linux_process::stop() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);  // it may not have made its group yet
    waitpid(pid_, &status_, 0);
    pid_ = -1;
}

}  // namespace scmi_vp::runs
