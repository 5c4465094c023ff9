// SPDX-License-Identifier: Apache-2.0
// See request.h.
#include "models/request.h"

namespace scmi_vp::models {

std::string_view name_of(outcome o) {
    switch (o) {
        case outcome::ok:
            return "ok";
        case outcome::scmi_error:
            return "scmi_error";
        case outcome::timed_out:
            return "timed_out";
        case outcome::no_slot:
            return "no_slot";
        case outcome::no_message:
            return "no_message";
        case outcome::send_failed:
            return "send_failed";
        case outcome::unfinished:
            return "unfinished";
    }
    return "unknown";
}

std::array<sim_time, hop_count> request::hops_until_stuck() const {
    std::array<sim_time, hop_count> out{};
    for (std::size_t i = 0; i < reached; ++i) out[i] = at[i + 1] - at[i];
    const auto stuck = std::size_t(stuck_in()), woke = std::size_t(instant::woke);
    if (timed_out) {
        out[stuck] = at[woke] - at[reached];
        out[std::size_t(hop::complete)] = at[std::size_t(instant::returned)] - at[woke];
    } else {
        // Polled; or an error before the message was sent: what is left of the round trip is where
        // it ended.
        out[stuck] = at[std::size_t(instant::returned)] - at[reached];
    }
    return out;
}

}  // namespace scmi_vp::models
