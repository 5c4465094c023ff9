// SPDX-License-Identifier: Apache-2.0
// See request.h.
#include "models/request.h"

#include <algorithm>

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

std::string_view name_of(limit l) {
    switch (l) {
        case limit::none:
            return "";
        case limit::rx:
            return "rx";
        case limit::delayed_response:
            return "delayed_response";
    }
    return "unknown";
}

request::spans request::hops_of_the_unusual() const {
    spans out{};
    if (in_order()) {
        for_each_hop([&](std::size_t i, sim_time span) { out[i] = span; });
    } else {
        add_until_stuck(out);
    }
    if (waited()) add_delayed(out);
    return out;
}

void request::add_until_stuck(spans& out) const {
    for (std::size_t i = 0; i < reached; ++i) out[i] = at[i + 1] - at[i];
    const bool polls = polled && reached >= std::size_t(instant::used);
    const auto stuck = polls ? std::size_t(hop::poll) : reached;
    const auto woke = std::size_t(instant::woke), end = std::size_t(instant::returned);
    if (timed_out) {
        out[stuck] = at[woke] - at[reached];
        out[std::size_t(hop::complete)] = at[end] - at[woke];
    } else {
        // Polled; or an error before the message was sent: what is left of the round trip is where
        // it ended.
        out[stuck] = at[end] - at[reached];
    }
}

/// What the caller waited for after the response; says in which hop the wait ended.
hop request::add_delayed(spans& out) const {
    std::array<sim_time, 4> until{delayed_ready, delayed_used, delayed_irq, delayed_matched};
    const bool came = delayed == delayed_state::received;
    // A copy of it that came first has no earlier instants of its own.
    for (std::size_t i = until.size() - 1; came && i-- > 0;) {
        if (until[i] == sim_time{}) until[i] = until[i + 1];
    }
    const sim_time start = at[std::size_t(instant::returned)];
    sim_time from = start;
    auto h = std::size_t(hop::delayed_work);
    for (sim_time t : until) {
        if (!came && (t == sim_time{} || t > felt)) break;
        t = std::max(t, start);  // what happened while its response was on the way is no wait
        out[h++] = t - from;
        from = t;
    }
    out[h] = felt - from;
    return static_cast<hop>(h);
}

hop request::stuck_in_the_wait() const {
    spans ignored{};
    return add_delayed(ignored);
}

}  // namespace scmi_vp::models
