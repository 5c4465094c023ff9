// SPDX-License-Identifier: Apache-2.0
// See shared_platform.h.
#include "models/peers/shared_platform.h"

#include <algorithm>

#include "base/error.h"
#include "models/hop_latencies.h"

namespace scmi_vp::models {

shared_platform::shared_platform(sc_core::sc_module_name name, const system_config& config,
                                 unsigned agents)
    : sc_core::sc_module(name) {
    const std::size_t known = std::max<std::size_t>(1, config.platform.description.agents.size());
    if (agents > known) {
        throw error(error_kind::config,
                    "the platform has " + std::to_string(known) + " agent" +
                        (known == 1 ? "" : "s") + ", " + std::to_string(agents) +
                        " are to be served: add [[platform.agent]] tables to the scenario");
    }
    for (unsigned a = 1; a <= agents; ++a) {
        const std::string device = a == 1 ? "platform" : "agent" + std::to_string(a);
        devices_.push_back(std::make_unique<scmi_device>(
            device.c_str(), config.platform, host_latencies_of(config, a), views_.emplace_back(),
            monitors_.emplace_back(sink_), a, a == 1 ? nullptr : devices_.front().get()));
    }
}

std::uint64_t shared_platform::served() const {
    std::uint64_t n = 0;
    for (const auto& d : devices_) n += d->served();
    return n;
}

std::uint64_t shared_platform::malformed() const {
    std::uint64_t n = 0;
    for (const auto& d : devices_) n += d->malformed();
    return n;
}

}  // namespace scmi_vp::models
