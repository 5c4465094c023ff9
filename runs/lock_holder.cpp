// SPDX-License-Identifier: Apache-2.0
// See lock_holder.h. Formats: proc_locks(5), proc_pid_cmdline(5), proc_pid_stat(5).
#include "runs/lock_holder.h"

#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <sys/sysmacros.h>
#include <unistd.h>

namespace scmi_vp::runs {
namespace {

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// "12: FLOCK  ADVISORY  WRITE 4711 00:2e:10203 0 EOF". Some file systems show users another device
/// than the kernel's own: then the inode has to do.
long pid_in_locks(dev_t device, ino_t inode) {
    std::istringstream locks(contents("/proc/locks"));
    long other_device = 0;
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number, kind, how, mode, place;
        long pid = 0;
        if (!(words >> number >> kind >> how >> mode >> pid >> place) || kind != "FLOCK") continue;
        unsigned on_major = 0, on_minor = 0;
        unsigned long long on_inode = 0;
        char colon = 0;
        std::istringstream parts(place);
        parts >> std::hex >> on_major >> colon >> on_minor >> colon >> std::dec >> on_inode;
        if (!parts || on_inode != inode || pid <= 0) continue;
        if (on_major == major(device) && on_minor == minor(device)) return pid;
        other_device = pid;
    }
    return other_device;
}

/// As it was typed, as far as a line of it says enough.
std::string command_of(long pid) {
    constexpr std::size_t most = 160;
    std::string text = contents("/proc/" + std::to_string(pid) + "/cmdline");
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    if (text.size() > most) text = text.substr(0, most) + "...";
    return text;
}

/// Field 22 of its stat is its start in ticks after boot; the name before it may hold anything.
std::optional<long> seconds_running(long pid) {
    const std::string stat = contents("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream words(stat.substr(name_end + 1));
    std::string skipped;
    constexpr int between = 19;
    for (int i = 0; i < between; ++i) words >> skipped;
    long long ticks = 0;
    timespec now{};
    if (!(words >> ticks) || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return std::nullopt;
    const long seconds = long(now.tv_sec) - long(ticks / ::sysconf(_SC_CLK_TCK));
    return seconds < 0 ? 0 : seconds;
}

}  // namespace

std::string holder_of_lock(dev_t device, ino_t inode) {
    const long pid = pid_in_locks(device, inode);
    if (pid <= 0) return "a process that cannot be seen from here";
    std::string text = "process " + std::to_string(pid);
    const std::string command = command_of(pid);
    if (command.empty()) return text;
    text += " (" + command;
    if (const auto s = seconds_running(pid)) text += ", running for " + std::to_string(*s) + "s";
    return text + ")";
}

}  // namespace scmi_vp::runs
