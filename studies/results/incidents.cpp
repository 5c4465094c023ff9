// SPDX-License-Identifier: Apache-2.0
// See incidents.h.
#include "studies/results/incidents.h"

#include <algorithm>

namespace scmi_vp::studies {

void incident_counter::add(sim_time from, sim_time to) {
    // The spans that it touches, mostly the last one or none.
    const auto first = std::lower_bound(
        spans_.begin(), spans_.end(), from,
        [this](const span& s, sim_time t) { return s.second < t && t - s.second > gap_; });
    auto last = first;
    span whole{from, to};
    for (; last != spans_.end() && (last->first <= to || last->first - to <= gap_); ++last) {
        whole.first = std::min(whole.first, last->first);
        whole.second = std::max(whole.second, last->second);
    }
    if (first == last) {
        spans_.insert(first, whole);
        return;
    }
    *first = whole;
    spans_.erase(first + 1, last);
}

void timeout_incidents::add(const models::request& r) {
    const bool spurious = is_spurious_timeout(r);
    if (!spurious && !is_true_timeout(r)) return;
    (spurious ? spurious_ : true_)
        .add(r.at[std::size_t(models::instant::entered)],
             r.at[std::size_t(models::instant::returned)]);
}

void timeout_incidents::count_into(point_totals& t) const {
    t.spurious_incidents = spurious_.count();
    t.true_incidents = true_.count();
}

}  // namespace scmi_vp::studies
