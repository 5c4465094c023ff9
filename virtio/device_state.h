// SPDX-License-Identifier: Apache-2.0
// What every front end of a virtio device shares, whatever the transport: offered and accepted
// features, status, queues. Pure state; the transport (mmio, vhost-user) translates to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {

namespace device_status {
inline constexpr std::uint32_t acknowledge = 0x01, driver = 0x02, driver_ok = 0x04,
                               features_ok = 0x08, needs_reset = 0x40, failed = 0x80;
}
namespace feature {
inline constexpr std::uint64_t scmi_p2a_channels = 1ull << 0, scmi_shared_memory = 1ull << 1,
                               indirect_desc = 1ull << 28, event_idx = 1ull << 29,
                               version_1 = 1ull << 32;
}
inline constexpr std::uint32_t scmi_device_id = 32;
inline constexpr unsigned scmi_cmdq = 0, scmi_eventq = 1;

struct device_config {
    std::uint32_t device_id = scmi_device_id;
    std::uint32_t vendor_id = 0x554d4551;       ///< what QEMU's virtio-mmio says
    std::uint64_t offered = 0;                  ///< feature bits; must include version_1 (FEAT-19)
    std::vector<std::uint16_t> queue_size_max;  ///< one per queue
};

struct queue_config {
    std::uint16_t size = 0;
    std::uint32_t size_written = 0;  ///< as the driver wrote it (may be illegal)
    std::uint64_t desc = 0, driver_area = 0, device_area = 0;
    bool ready = false;

    friend bool operator==(const queue_config& a, const queue_config& b) {
        return a.size == b.size && a.size_written == b.size_written && a.desc == b.desc &&
               a.driver_area == b.driver_area && a.device_area == b.device_area &&
               a.ready == b.ready;
    }
};

/// Value semantics: copy, compare, fuzz.
struct device_state {
    std::uint32_t status = 0;
    std::uint64_t accepted = 0;         ///< feature bits as written by the driver
    bool illegal_feature_word = false;  ///< the driver wrote non-zero to a word that does not exist
    std::vector<queue_config> queues;

    bool driver_ok() const { return (status & device_status::driver_ok) != 0; }
    bool has(std::uint64_t feature_bit) const { return (accepted & feature_bit) != 0; }
    /// Neither side has given up: queues may run (STAT-03, STAT-08).
    bool alive() const {
        return (status & (device_status::needs_reset | device_status::failed)) == 0;
    }

    friend bool operator==(const device_state& a, const device_state& b) {
        return a.status == b.status && a.accepted == b.accepted &&
               a.illegal_feature_word == b.illegal_feature_word && a.queues == b.queues;
    }
};

}  // namespace scmi_vp::virtio
