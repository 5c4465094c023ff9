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

std::array<sim_time, hop_count> request::hops() const {
    std::array<sim_time, hop_count> spans{};
    const auto woke = std::size_t(instant::woke);
    const auto complete = std::size_t(hop::complete);
    const bool answered = reached >= woke;
    if (answered) {  // nearly all are: a loop of fixed length
        for (std::size_t i = 0; i < woke; ++i) spans[i] = at[i + 1] - at[i];
    } else {
        for (std::size_t i = 0; i < std::size_t(reached); ++i) spans[i] = at[i + 1] - at[i];
    }
    if (answered || timed_out) {
        if (timed_out && reached < woke) spans[reached] = at[woke] - at[reached];
        spans[complete] = at[std::size_t(instant::returned)] - at[woke];
    } else {
        // An error before the message was sent: what is left of the round trip is where it ended.
        spans[reached] = at[std::size_t(instant::returned)] - at[reached];
    }
    return spans;
}

}  // namespace scmi_vp::models
