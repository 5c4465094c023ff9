// SPDX-License-Identifier: Apache-2.0
// Guest memory beyond the common case of one region: look-up, accesses across adjoining regions,
// and the port for what no region covers.
#include "virtio/guest_memory.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/error.h"

namespace scmi_vp::virtio {

// Fields are copied as they lie in memory (virtio 1.x: little-endian).
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scmi_vp needs a little-endian host");

namespace {

std::string describe(const guest_memory::region& r) {
    char text[64];
    std::snprintf(text, sizeof text, "0x%llx of 0x%llx bytes",
                  static_cast<unsigned long long>(r.base), static_cast<unsigned long long>(r.size));
    return text;
}

/// [address, address + size) ends beyond 2^64.
bool wraps(std::uint64_t address, std::uint64_t size) {
    return size != 0 && size - 1 > UINT64_MAX - address;
}

}  // namespace

void guest_memory::add_region(region r) {
    if (r.size == 0 || r.data == nullptr) {
        throw error(error_kind::config, "memory region at " + describe(r) +
                                            " is empty: give it a size and backing memory");
    }
    if (wraps(r.base, r.size)) {
        throw error(error_kind::config,
                    "memory region at " + describe(r) +
                        " ends beyond the 64-bit address space: make it smaller");
    }
    const auto after =
        std::upper_bound(regions_.begin(), regions_.end(), r.base,
                         [](std::uint64_t base, const region& x) { return base < x.base; });
    const bool hits_after = after != regions_.end() && after->base - r.base < r.size;
    const bool hits_before =
        after != regions_.begin() && r.base - (after - 1)->base < (after - 1)->size;
    if (hits_after || hits_before) {
        throw error(error_kind::config, "memory region at " + describe(r) +
                                            " overlaps the one at " +
                                            describe(hits_after ? *after : *(after - 1)) +
                                            ": regions must not overlap");
    }
    regions_.insert(after, r);
    near_ = window{};
}

/// The first region that begins above `address`.
std::size_t guest_memory::region_after(std::uint64_t address) const {
    const auto after =
        std::upper_bound(regions_.begin(), regions_.end(), address,
                         [](std::uint64_t a, const region& r) { return a < r.base; });
    return static_cast<std::size_t>(after - regions_.begin());
}

guest_memory::piece guest_memory::piece_at(std::uint64_t address, std::uint64_t size) const {
    const std::size_t after = region_after(address);
    if (after > 0) {
        const region& r = regions_[after - 1];
        const std::uint64_t offset = address - r.base;
        if (offset < r.size) return {r.data + offset, std::min(size, r.size - offset), r.writable};
    }
    const std::uint64_t gap = after < regions_.size() ? regions_[after].base - address : size;
    return {nullptr, std::min(size, gap), true};
}

bool guest_memory::covers(std::uint64_t address, std::uint64_t size, bool writing) const {
    if (wraps(address, size)) return false;
    while (size != 0) {
        const piece p = piece_at(address, size);
        if (p.data == nullptr && (port_ == nullptr || !port_->covers(address, p.size)))
            return false;
        if (writing && !p.writable) return false;
        address += p.size;
        size -= p.size;
    }
    return true;
}

bool guest_memory::all_are_of_any(std::uint8_t bit, bool value, const std::uint8_t* tags,
                                  std::size_t n) {
    const std::uint64_t mask = 0x0101010101010101u * bit, wanted = value ? mask : 0;
    const auto word_at = [tags, mask](std::size_t i) {
        std::uint64_t word;
        std::memcpy(&word, tags + i, sizeof word);
        return word & mask;
    };
    if (n < 8) {
        std::size_t i = 0;
        while (i < n && ((tags[i] & bit) != 0) == value) ++i;
        return i == n;
    }
    for (std::size_t i = 0; i + 8 < n; i += 8) {
        if (word_at(i) != wanted) return false;
    }
    return word_at(n - 8) == wanted;
}

/// `address` lies in a region: the direct accesses to come are probably near it.
void guest_memory::look_at(std::uint64_t address) {
    const region& r = regions_[region_after(address) - 1];
    near_ = {r.base, r.size, r.data, nullptr, nullptr, r.writable};
    const memory_tags t = observer_ != nullptr ? observer_->tags_at(address) : memory_tags{};
    if (t.tags == nullptr) return;
    // What region and tags have in common; `address` is in both.
    const std::uint64_t base = std::max(r.base, t.base);
    const std::uint64_t last = std::min(r.base + (r.size - 1), t.base + (t.size - 1));
    near_ = {base,     last - base + 1, r.data + (base - r.base), t.tags + (base - t.base),
             t.passed, r.writable};
}

bool guest_memory::read_slowly(actor who, std::uint64_t address, void* data, std::size_t size) {
    const bool ok = copy_out_slow(address, data, size);
    if (observer_ && ok) observer_->on_read(who, address, size);
    return ok;
}

bool guest_memory::write_slowly(actor who, std::uint64_t address, const void* data,
                                std::size_t size) {
    const bool ok = copy_in_slow(address, data, size);
    if (observer_ && ok) observer_->on_write(who, address, size);
    return ok;
}

bool guest_memory::copy_out_slow(std::uint64_t address, void* data, std::size_t size) {
    auto* to = static_cast<std::uint8_t*>(data);
    if (!covers(address, size, false)) return false;
    while (size != 0) {
        const piece p = piece_at(address, size);
        if (p.data != nullptr) {
            std::memcpy(to, p.data, p.size);
            look_at(address);
        } else if (!port_->read(address, to, p.size)) {
            return false;
        }
        address += p.size, to += p.size, size -= p.size;
    }
    return true;
}

bool guest_memory::copy_in_slow(std::uint64_t address, const void* data, std::size_t size) {
    if (!covers(address, size, true)) return false;
    const auto* from = static_cast<const std::uint8_t*>(data);
    while (size != 0) {
        const piece p = piece_at(address, size);
        if (p.data != nullptr) {
            std::memcpy(p.data, from, p.size);
            look_at(address);
        } else if (!port_->write(address, from, p.size)) {
            return false;
        }
        address += p.size, from += p.size, size -= p.size;
    }
    return true;
}

}  // namespace scmi_vp::virtio
