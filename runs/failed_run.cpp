// SPDX-License-Identifier: Apache-2.0
// See failed_run.h.
#include "runs/failed_run.h"

#include <cerrno>
#include <cstring>
#include <sstream>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include "runs/run.h"
#include "runs/wave_windows.h"

namespace scmi_vp::runs {
namespace {

using traces::wave_window;

/// Until the other end is closed; nothing when it says nothing.
std::vector<wave_window> windows_from(int fd) {
    std::string bytes;
    char some[256];
    for (;;) {
        const ssize_t n = read(fd, some, sizeof some);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        bytes.append(some, std::size_t(n));
    }
    std::vector<wave_window> windows(bytes.size() / sizeof(wave_window));
    if (!windows.empty()) {
        std::memcpy(static_cast<void*>(windows.data()), bytes.data(),
                    windows.size() * sizeof(wave_window));
    }
    return windows;
}

std::string write_waves(const scenario::scenario& s, const std::filesystem::path& folder,
                        const std::vector<wave_window>& windows) {
    if (windows.empty()) return "";
    run_options options;
    options.out = folder;
    options.quiet = true;
    options.vcd_windows = windows;
    std::ostringstream report;
    run_scenario(shortened(s, windows.back().to), options, report);
    return report.str();
}

}  // namespace

failed_run::failed_run(const scenario::scenario& s, const std::filesystem::path& folder) {
    int ends[2];
    // Not a pipe: writing to a child that is gone is no signal.
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw error(error_kind::output, "a socket to the run that repeats a failed one",
                    std::string("cannot be made (") + std::strerror(errno) + ")");
    }
    read_end_ = ends[0];
    write_end_ = ends[1];
    try {
        child_.emplace([&s, folder, this] {
            close(write_end_);
            return write_waves(s, folder, windows_from(read_end_));
        });
    } catch (...) {
        close(read_end_);
        close_socket();
        throw;
    }
    close(read_end_);
}

failed_run::~failed_run() {
    close_socket();
}

void failed_run::close_socket() {
    if (write_end_ >= 0) close(write_end_);
    write_end_ = -1;
}

void failed_run::repeat(const std::vector<wave_window>& windows) {
    const auto* bytes = reinterpret_cast<const char*>(windows.data());
    const std::size_t size = windows.size() * sizeof(wave_window);
    // A few windows fit at once; of a child that is gone wait() tells.
    (void)!send(write_end_, bytes, size, MSG_NOSIGNAL);
    close_socket();
    while (child_->read_some()) {
    }
    const child_ending ending = child_->wait();
    if (ending.failure) throw *ending.failure;
    if (!ending.result) {
        throw error(error_kind::model, "the run that writes the waveform of the failed run died: " +
                                           ending.how_it_died);
    }
}

}  // namespace scmi_vp::runs
