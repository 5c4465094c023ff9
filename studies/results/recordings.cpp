// SPDX-License-Identifier: Apache-2.0
// See recordings.h.
#include "studies/results/recordings.h"

#include "runs/account.h"
#include "studies/human.h"
#include "studies/results/estimators.h"

namespace scmi_vp::studies {
namespace {

using runs::short_time;

// Fewer samples than this leave more than about a fifth of doubt about their frequency.
constexpr std::uint64_t plenty = 100;

std::string between(const interval& i) {
    return rate_text(1e6 * i.low) + " and " + rate_text(1e6 * i.high) + " per million delays (95%)";
}

}  // namespace

std::uint64_t recording::perhaps_above(sim_time t) const {
    std::uint64_t n = pooled.max > t ? pooled.overflows : 0;
    for (const histogram_bin& b : pooled.bins) {
        if (b.low + pooled.width > t) n += b.count;
    }
    return n;
}

std::uint64_t recording::surely_above(sim_time t) const {
    std::uint64_t n = 0;
    if (pooled.overflows > 0 && pooled.max > t) n = pooled.limit > t ? pooled.overflows : 1;
    for (const histogram_bin& b : pooled.bins) {
        if (b.low >= t) n += b.count;
    }
    return n;
}

std::vector<recording> recordings_of(const scenario::scenario& s) {
    std::vector<recording> all;
    for (const scenario::recorded_histogram& h : s.histograms) {
        recording r{h.file.lexically_normal(), h.pooled, h.pooled.overflows,
                    describe_overflows(h.pooled, h.overflow)};
        for (const histogram_bin& b : h.pooled.bins) r.samples += b.count;
        all.push_back(std::move(r));
    }
    return all;
}

sim_time rx_timeout_of(const scenario::scenario& s) {
    return s.system.guest.profile.max_rx_timeout;
}

std::string limits_of(const recording& r) {
    const double bound = 1e6 * zero_count_bound(r.samples);
    std::string text = r.file.string() + " has " + grouped(r.samples) + " samples, the longest " +
                       short_time(r.pooled.max);
    if (r.pooled.overflows) {
        text += ", " + grouped(r.pooled.overflows) + " of them beyond its histogram of " +
                short_time(r.pooled.limit) + ", of which it tells the longest only";
        text += " (the scenario takes them as: " + r.overflows_as + ")";
    }
    return text + ": a delay that it never saw may still come up to " + rate_text(bound) +
           " times per million (95%).";
}

std::string limits_beyond(const recording& r, sim_time timeout) {
    const std::uint64_t least = r.surely_above(timeout), most = r.perhaps_above(timeout);
    if (least >= plenty) return "";
    if (most == 0) {
        return "beyond the recording: no sample of " + r.file.string() +
               " reaches this timeout (the longest is " + short_time(r.pooled.max) +
               "), so it cannot tell how often delays do; up to " +
               rate_text(1e6 * zero_count_bound(r.samples)) +
               " per million delays are possible (95%)";
    }
    const interval i{clopper_pearson(least, r.samples).low, clopper_pearson(most, r.samples).high};
    std::string text = "rests on " + (least < most ? std::to_string(least) + " to " : "") +
                       std::to_string(most) + (most == 1 ? " sample" : " samples") + " of " +
                       r.file.string() + " above " + to_string(timeout);
    if (least < most) text += ", of which it tells the longest only";
    return text + ": the host's true share of such delays lies between " + between(i) +
           ", which the interval in the table does not contain";
}

}  // namespace scmi_vp::studies
