// SPDX-License-Identifier: Apache-2.0
// Progress of long work on a terminal: how much, how fast, how long still. Nothing in results
// depends on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

namespace scmi_vp::runs {

/// When progress is shown; tests make it sooner.
struct progress_pace {
    std::chrono::milliseconds first{2000};    ///< after the start of the work
    std::chrono::milliseconds terminal{500};  ///< between two, on a terminal
    std::chrono::milliseconds log{10'000};    ///< in a log
};
inline progress_pace pace_of_progress;

/// Prints on one line that it rewrites (on a terminal), or a line every ten seconds (in a log),
/// once the work has taken two seconds.
class progress {
public:
    /// `out` nullptr: silent. `unit` names what is counted ("requests").
    progress(std::ostream* out, bool terminal, std::string unit);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// `fraction` of the work is done (0..1), `count` units of it. Cheap enough for every
    /// thousandth.
    void tick(double fraction, std::uint64_t count);
    /// Ends the line.
    void done();

private:
    using clock = std::chrono::steady_clock;
    std::ostream* out_;
    bool terminal_;
    std::string unit_;
    clock::time_point start_, last_;
    bool shown_ = false;
};

/// On standard error, as a terminal or as a log.
bool stderr_is_terminal();

}  // namespace scmi_vp::runs
