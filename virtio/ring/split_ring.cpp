// SPDX-License-Identifier: Apache-2.0
// What both sides of a split ring share: where its parts lie, and how long a chain is.
#include "virtio/ring/split_ring.h"

#include <numeric>

namespace scmi_vp::virtio {

namespace {

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t align) {
    return (value + align - 1) & ~(align - 1);
}

std::uint64_t bytes_of(const std::vector<buffer>& buffers) {
    return std::accumulate(buffers.begin(), buffers.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const buffer& b) { return sum + b.size; });
}

}  // namespace

ring_layout ring_layout::linux_block(std::uint64_t base, std::uint16_t size, std::uint32_t align) {
    const std::uint64_t avail = base + desc_area_bytes(size);
    return {size, base, avail, align_up(avail + avail_area_bytes(size), align)};
}

std::uint64_t ring_layout::linux_block_bytes(std::uint16_t size, std::uint32_t align) {
    return align_up(desc_area_bytes(size) + avail_area_bytes(size), align) + used_area_bytes(size);
}

std::uint64_t chain::readable_bytes() const {
    return bytes_of(readable);
}
std::uint64_t chain::writable_bytes() const {
    return bytes_of(writable);
}

}  // namespace scmi_vp::virtio
