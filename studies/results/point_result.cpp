// SPDX-License-Identifier: Apache-2.0
// See point_result.h.
#include "studies/results/point_result.h"

#include <algorithm>

namespace scmi_vp::studies {

bool any_probed(const point_result& r) {
    return std::any_of(r.replications.begin(), r.replications.end(),
                       [](const replication_summary& one) { return one.probed; });
}

std::string early_sentence(const std::string& why, std::uint64_t runs, std::uint64_t of) {
    return "CUT SHORT after " + std::to_string(runs) + " of " + std::to_string(of) +
           " runs: " + why + ". All numbers are of the runs that had ended.";
}

}  // namespace scmi_vp::studies
