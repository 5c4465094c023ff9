// SPDX-License-Identifier: Apache-2.0
// See progress.h.
#include "runs/progress.h"

#include <cstdio>

#include <unistd.h>

namespace scmi_vp::runs {
namespace {

std::string span(double seconds) {
    char text[32];
    if (seconds < 90) {
        std::snprintf(text, sizeof text, "%.0f s", seconds);
    } else {
        std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
    }
    return text;
}

}  // namespace

progress::progress(std::ostream* out, bool terminal, std::string unit)
    : out_(out), terminal_(terminal), unit_(std::move(unit)), start_(clock::now()), last_(start_) {}

progress::~progress() {
    done();
}

void progress::tick(double fraction, std::uint64_t count) {
    if (!out_) return;
    const clock::time_point t = clock::now();
    const double elapsed = std::chrono::duration<double>(t - start_).count();
    const progress_pace& pace = pace_of_progress;
    if (t - start_ < pace.first || t - last_ < (terminal_ ? pace.terminal : pace.log)) return;
    last_ = t;
    char line[160];
    std::snprintf(line, sizeof line, "%5.1f%%  %llu %s, %.0f per second", 100 * fraction,
                  static_cast<unsigned long long>(count), unit_.c_str(), double(count) / elapsed);
    *out_ << (terminal_ ? "\r" : "") << line;
    if (fraction > 0.0005) *out_ << ", " << span(elapsed / fraction - elapsed) << " left";
    *out_ << (terminal_ ? "   " : "\n") << std::flush;
    shown_ = true;
}

void progress::done() {
    if (out_ && shown_ && terminal_) *out_ << "\r" << std::string(78, ' ') << "\r" << std::flush;
    shown_ = false;
}

bool stderr_is_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

}  // namespace scmi_vp::runs
