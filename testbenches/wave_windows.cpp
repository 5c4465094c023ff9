// SPDX-License-Identifier: Apache-2.0
// See wave_windows.h.
#include "testbenches/wave_windows.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "models/system.h"

namespace scmi_vp::testbenches {
namespace {

using models::instant;
using models::request;
using traces::wave_window;

constexpr std::size_t most_windows = 1000;

/// A tenth of the span on each side, between 10 us and 1 ms.
wave_window around(sim_time from, sim_time to) {
    const sim_time margin =
        std::clamp(sim_time((to - from).ps / 10), microseconds(10), milliseconds(1));
    return {std::max(sim_time{}, from - margin), to + margin};
}

/// Remembers what the windows are to show.
class finder : public models::run_sink {
public:
    explicit finder(wave_around what) : what_(what) {}
    void on_request(const request& r) override {
        const wave_window w =
            around(r.at[std::size_t(instant::entered)], r.at[std::size_t(instant::returned)]);
        if (what_ == wave_around::slowest) {
            if (r.round_trip() > slowest_ || windows.empty())
                slowest_ = r.round_trip(), windows = {w};
        } else if (r.timed_out && windows.size() < most_windows) {
            windows.push_back(w);
            if (r.late_at != sim_time{}) windows.push_back(around(r.late_at, r.late_at));
        }
    }
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line&) override {}
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation&) override {}

    std::vector<wave_window> windows;

private:
    wave_around what_;
    sim_time slowest_;
};

void write_all(int fd, const void* data, std::size_t size) {
    const char* p = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t n = ::write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // the parent is gone
        p += n, size -= static_cast<std::size_t>(n);
    }
}

std::string read_all(int fd) {
    std::string all;
    char block[4096];
    for (;;) {
        const ssize_t n = ::read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return all;
        all.append(block, static_cast<std::size_t>(n));
    }
}

/// In the child: runs once without outputs. First byte: 'w' and windows, or an error's kind and
/// text.
[[noreturn]] void first_run(const scenario& s, wave_around what, int fd) {
    std::string message;
    try {
        finder sink(what);
        models::system top("top", s.system, sink);
        sc_core::sc_start(to_sc(s.system.duration));
        top.finish();
        message = "w";
        message.append(reinterpret_cast<const char*>(sink.windows.data()),
                       sink.windows.size() * sizeof(wave_window));
    } catch (const error& e) {
        message = std::string(1, static_cast<char>('0' + int(e.kind()))) + e.what();
    } catch (const std::exception& e) {
        message = std::string(1, static_cast<char>('0' + int(error_kind::model))) + e.what();
    }
    write_all(fd, message.data(), message.size());
    ::_exit(0);
}

std::vector<wave_window> search(const scenario& s, wave_around what) {
    int ends[2];
    if (::pipe(ends) != 0)
        throw error(error_kind::output, "pipe: " + std::string(std::strerror(errno)));
    const pid_t child = ::fork();
    if (child < 0) throw error(error_kind::output, "fork: " + std::string(std::strerror(errno)));
    if (child == 0) {
        ::close(ends[0]);
        first_run(s, what, ends[1]);
    }
    ::close(ends[1]);
    const std::string message = read_all(ends[0]);
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (message.empty())
        throw error(error_kind::model, "the run that looks for the waveform's window died");
    if (message[0] != 'w') throw error(error_kind(message[0] - '0'), message.substr(1));
    std::vector<wave_window> windows((message.size() - 1) / sizeof(wave_window));
    if (!windows.empty()) {
        std::memcpy(static_cast<void*>(windows.data()), message.data() + 1,
                    windows.size() * sizeof(wave_window));
    }
    return windows;
}

}  // namespace

std::vector<wave_window> wave_windows(const scenario& s, const run_options& options) {
    if (options.vcd_around != wave_around::none) {
        std::vector<wave_window> windows = search(s, options.vcd_around);
        if (windows.empty()) {
            throw error(error_kind::config,
                        options.vcd_around == wave_around::timeouts
                            ? "--vcd-around timeouts: no request timed out in this run"
                            : "--vcd-around slowest: there was no request in this run");
        }
        return windows;
    }
    wave_window w{options.vcd_from.value_or(sim_time{}), options.vcd_to.value_or(sim_time::max())};
    if (w.to <= w.from) {
        throw error(error_kind::usage, "the waveform's window is empty: --vcd-from " +
                                           to_string(w.from) + " is not before --vcd-to " +
                                           to_string(w.to));
    }
    return {w};
}

}  // namespace scmi_vp::testbenches
