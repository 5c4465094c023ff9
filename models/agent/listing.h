// SPDX-License-Identifier: Apache-2.0
// What the drivers of several SCMI protocols share: fields of replies, lists that are read in
// rounds (drivers/firmware/arm_scmi/driver.c v6.1).
#pragma once

#include <algorithm>
#include <cerrno>
#include <string>

#include "models/agent/scmi_agent.h"

namespace scmi_vp::models {

inline constexpr std::uint8_t msg_version = 0, msg_attributes = 1;

/// A name in a reply. A reply may claim more entries than its buffer can hold.
inline std::string name_at(const transfer& t, std::size_t offset, std::size_t width) {
    const std::size_t from = std::min(offset, t.x->buf.size());
    const auto begin = t.x->buf.begin() + std::ptrdiff_t(from);
    const auto end = begin + std::ptrdiff_t(std::min(width, t.x->buf.size() - from));
    return std::string(begin, std::find(begin, end, 0));
}

inline std::uint64_t u64_at(const transfer& t, std::size_t offset) {
    return t.u32(offset) | std::uint64_t(t.u32(offset + 4)) << 32;
}

/// A list that is read in rounds. The command is the resource's id, if there is one, and the number
/// of items received so far.
struct listing {
    std::uint8_t protocol_id;
    std::uint8_t message_id;
    std::int64_t resource;     ///< its id; -1: none
    std::uint32_t count_mask;  ///< of the items returned, in the first word of the reply
    std::size_t most;          ///< items that the driver has room for
};

/// What a part of a list says of itself, and of how many items the list is at most.
struct listed {
    std::uint32_t returned, remaining;
    std::size_t most;
};

/// scmi_iterator_run: one xfer for all rounds. `take(t, first, returned)` gets each part that fits,
/// 0 or an error; `check(t, part)` before that may mend what the part says of itself, or refuse it
/// with an error.
template <class Take, class Check>
int iterate(scmi_agent& agent, guest_context& c, const listing& l, Take take, Check check) {
    const std::uint16_t bytes = l.resource < 0 ? 4 : 8;
    transfer t;
    int err = agent.begin(c, t, l.protocol_id, l.message_id, bytes, 0, "scmi_iterator_run",
                          static_cast<std::int32_t>(l.resource));
    if (err) return err;
    std::size_t most = l.most;
    for (std::size_t received = 0;;) {
        if (l.resource >= 0) t.put_u32(0, static_cast<std::uint32_t>(l.resource));
        t.put_u32(bytes - 4u, static_cast<std::uint32_t>(received));
        err = agent.do_xfer(c, t);
        if (err) break;
        listed part{t.u32(0) & l.count_mask, t.u32(0) >> 16, most};
        err = check(t, part);
        if (err) break;
        most = part.most;
        if (part.returned > most - received) {
            agent.log(c, "No. of resources can't exceed " + std::to_string(most));
            err = -EINVAL;
            break;
        }
        err = take(t, received, part.returned);
        if (err) break;
        received += part.returned;
        // Both, so that a buggy platform cannot make it endless.
        if (part.returned == 0 || part.remaining == 0) break;
        agent.begin_again(c, t, bytes);
    }
    agent.end(t);
    return err;
}
template <class Take>
int iterate(scmi_agent& agent, guest_context& c, const listing& l, Take take) {
    return iterate(agent, c, l, take, [](const transfer&, const listed&) { return 0; });
}

}  // namespace scmi_vp::models
