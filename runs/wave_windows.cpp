// SPDX-License-Identifier: Apache-2.0
// See wave_windows.h.
#include "runs/wave_windows.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "models/system.h"
#include "runs/forked.h"

namespace scmi_vp::runs {
namespace {

using models::instant;
using models::request;
using traces::wave_window;

constexpr std::size_t most_windows = 1000;
// A request that takes longer than this waits for most of it: its two ends tell more.
constexpr sim_time long_request = milliseconds(50);

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
        const wave_window w = around(r.at[std::size_t(instant::entered)], r.felt);
        if (what_ == wave_around::slowest) {
            if (r.round_trip() > slowest_ || windows.empty())
                slowest_ = r.round_trip(), windows = {w};
        } else if (r.gave_up() != models::limit::none && windows.size() < most_windows) {
            windows.push_back(w);
            const sim_time late = r.came_late_at();
            if (late != sim_time{}) windows.push_back(around(late, late));
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

/// Runs once without outputs, in a process of its own.
std::vector<wave_window> search(const scenario::scenario& s, wave_around what) {
    const std::string found = run_forked("the run that looks for the waveform's window", [&] {
        finder sink(what);
        models::system top("top", s.system, sink);
        top.run(s.system.duration);
        top.finish();
        return std::string(reinterpret_cast<const char*>(sink.windows.data()),
                           sink.windows.size() * sizeof(wave_window));
    });
    std::vector<wave_window> windows(found.size() / sizeof(wave_window));
    if (!windows.empty())
        std::memcpy(static_cast<void*>(windows.data()), found.data(), found.size());
    return windows;
}

}  // namespace

std::vector<wave_window> windows_of_request(sim_time entered, sim_time returned) {
    const sim_time margin = milliseconds(1), part = milliseconds(5);
    const sim_time from = std::max(sim_time{}, entered - margin), to = returned + margin;
    if (returned - entered <= long_request) return {{from, to}};
    return {{from, entered + part}, {returned - part, to}};
}

scenario::scenario shortened(scenario::scenario s, sim_time end) {
    s.system.duration = std::min(s.system.duration, end);
    s.output.ftrace = s.output.registers = s.output.requests = s.output.summary = false;
    s.output.dmesg = true;
    s.checks.clear();
    return s;
}

std::vector<wave_window> wave_windows(const scenario::scenario& s, const run_options& options) {
    if (!options.vcd_windows.empty()) return options.vcd_windows;
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

}  // namespace scmi_vp::runs
