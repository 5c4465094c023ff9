// SPDX-License-Identifier: Apache-2.0
// See request.h.
#include "models/request.h"

#include <utility>

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

namespace {

using instants = std::array<sim_time, instant_count>;
using spans = std::array<sim_time, hop_count>;

/// Of a request that was answered: hop i ends at instant i + 1; there was no polling.
template <std::size_t... I>
spans all_hops(const instants& at, std::index_sequence<I...>) {
    return {(at[I + 1] - at[I])...};
}

}  // namespace

std::array<sim_time, hop_count> request::hops() const {
    const auto woke = std::size_t(instant::woke);
    const auto complete = std::size_t(hop::complete);
    if (reached >= woke) return all_hops(at, std::make_index_sequence<complete + 1>());
    spans out{};
    for (std::size_t i = 0; i < std::size_t(reached); ++i) out[i] = at[i + 1] - at[i];
    const auto stuck = std::size_t(stuck_in());
    if (timed_out) {
        out[stuck] = at[woke] - at[reached];
        out[complete] = at[std::size_t(instant::returned)] - at[woke];
    } else {
        // Polled; or an error before the message was sent: what is left of the round trip is where
        // it ended.
        out[stuck] = at[std::size_t(instant::returned)] - at[reached];
    }
    return out;
}

}  // namespace scmi_vp::models
