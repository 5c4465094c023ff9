// SPDX-License-Identifier: Apache-2.0
// See recordings.h.
#include "studies/recordings.h"

#include <fstream>

#include "base/error.h"
#include "studies/estimators.h"
#include "studies/human.h"
#include "testbenches/account.h"
#include "traces/histogram_file.h"

namespace scmi_vp::studies {
namespace {

using testbenches::short_time;

// Fewer samples than this leave more than about a fifth of doubt about their frequency.
constexpr std::uint64_t plenty = 100;

}  // namespace

std::uint64_t recording::above(sim_time t) const {
    std::uint64_t n = pooled.max > t ? pooled.overflows : 0;
    for (const histogram_bin& b : pooled.bins) {
        if (b.low + pooled.width > t) n += b.count;
    }
    return n;
}

std::vector<recording> recordings_of(const testbenches::scenario& s) {
    std::vector<recording> all;
    for (const std::filesystem::path& file : s.inputs) {
        const std::string type = file.extension().string();
        if (type == ".toml" || type == ".dtb") continue;
        std::ifstream in(file);
        try {
            const traces::cyclictest_file read = traces::read_cyclictest(in, file.string());
            all.push_back({file.lexically_normal(), read.pooled, read.samples + read.overflows});
        } catch (const error&) {
            continue;  // a list of times: it is what it is
        }
    }
    return all;
}

sim_time rx_timeout_of(const testbenches::scenario& s) {
    return s.system.guest.profile.max_rx_timeout;
}

std::string limits_of(const recording& r) {
    const double bound = 1e6 * zero_count_bound(r.samples);
    std::string text = r.file.string() + " has " + grouped(r.samples) + " samples, the longest " +
                       short_time(r.pooled.max);
    if (r.pooled.overflows) {
        text += ", " + grouped(r.pooled.overflows) + " of them beyond its histogram";
    }
    return text + ": a delay that it never saw may still come up to " + rate_text(bound) +
           " times per million (95%).";
}

std::string limits_beyond(const recording& r, sim_time timeout) {
    const std::uint64_t k = r.above(timeout);
    if (k >= plenty) return "";
    if (k == 0) {
        return "beyond the recording: no sample of " + r.file.string() +
               " reaches this timeout (the longest is " + short_time(r.pooled.max) +
               "), so it cannot tell how often delays do; up to " +
               rate_text(1e6 * zero_count_bound(r.samples)) + " per million are possible (95%)";
    }
    const interval i = clopper_pearson(k, r.samples);
    return "rests on " + std::to_string(k) + (k == 1 ? " sample" : " samples") + " of " +
           r.file.string() + " above " + to_string(timeout) +
           ": the host's true share of such delays "
           "lies between " +
           rate_text(1e6 * i.low) + " and " + rate_text(1e6 * i.high) +
           " per million (95%), which the interval in the table does not contain";
}

}  // namespace scmi_vp::studies
