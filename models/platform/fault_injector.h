// SPDX-License-Identifier: Apache-2.0
// Decides what a scenario's faults make of each message that the platform sends. Told the time, it
// says what should happen; who asked does it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/distribution.h"
#include "base/random.h"
#include "models/platform/fault_config.h"
#include "scmi/message.h"

namespace scmi_vp::models {

/// What is to be done with a message beyond what was changed in it.
struct fault_effect {
    struct copy {
        scmi::message_bytes bytes;
        sim_time after;
    };
    bool dropped = false;
    bool delayed_dropped = false;  ///< a response's delayed response, too, never comes
    bool unusable = false;         ///< nobody will take it for the reply that it is
    sim_time delay;
    std::uint32_t replies_first = 0;  ///< held until so many later responses have gone
    sim_time held_at_most = sim_time::max();
    std::optional<std::uint32_t> used_length;  ///< instead of what was written
    std::vector<copy> copies;                  ///< for the event queue
};

class fault_injector {
public:
    /// A row with what it has done so far.
    struct row {
        fault_config config;
        latency delay;
        random_stream luck;
        std::uint64_t matched = 0;  ///< messages, in its window of time
        std::uint64_t hits = 0;
    };

    fault_injector() = default;
    fault_injector(const std::vector<fault_config>& rows, std::uint64_t seed);

    bool empty() const { return rows_.empty(); }
    const std::vector<row>& rows() const { return rows_; }

    /// A message `m` of the kind `what` about `resource` (-1: none) is about to go. The rows take
    /// effect in their order, each on what the ones before it left; none after one that drops.
    fault_effect apply(fault_target what, std::int32_t resource, sim_time when,
                       scmi::message_bytes& m);

private:
    static bool hits(row& r, sim_time when);
    static void inject(row& r, scmi::message_bytes& m, fault_effect& e);

    std::vector<row> rows_;
};

}  // namespace scmi_vp::models
