// SPDX-License-Identifier: Apache-2.0
// Guest memory beyond the common case of one region: look-up, accesses across adjoining regions,
// and the port for what no region covers.
#include "virtio/ring/guest_memory.h"

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
    near_ = window{};
    near_.base = r.base, near_.size = r.size, near_.data = r.data, near_.writable = r.writable;
    const memory_tags t = observer_ != nullptr ? observer_->tags_at(address) : memory_tags{};
    if (t.tags == nullptr) return;
    // What region and tags have in common; `address` is in both.
    const std::uint64_t base = std::max(r.base, t.base);
    const std::uint64_t last = std::min(r.base + (r.size - 1), t.base + (t.size - 1));
    near_.base = base, near_.size = last - base + 1, near_.data = r.data + (base - r.base);
    near_.tags = t.tags + (base - t.base), near_.passed = t.passed;
    near_.field_reads = near_.size < longest_field ? 0 : near_.size - (longest_field - 1);
    near_.field_writes = near_.writable ? near_.field_reads : 0;
}

/// Messages are short: 8 to 16 bytes are two words that may overlap.
inline bool guest_memory::is_message(std::uint64_t offset, std::uint64_t limit,
                                     std::size_t size) const {
    return offset < limit && size - 8 <= longest_field - 8;
}

inline void guest_memory::copy_message(std::uint8_t* to, const std::uint8_t* from,
                                       std::size_t size) {
    std::uint64_t first, last;
    std::memcpy(&first, from, 8);
    if (size == 12) {  // not as two words: the end was perhaps stored a moment ago, apart
        std::uint32_t end;
        std::memcpy(&end, from + 8, 4);
        std::memcpy(to, &first, 8);
        std::memcpy(to + 8, &end, 4);
        return;
    }
    std::memcpy(&last, from + size - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + size - 8, &last, 8);
}

/// See all_are; who and what are not known at compile time here.
inline bool guest_memory::message_allowed(actor who, bool write, const std::uint8_t* tags,
                                          std::size_t size) {
    static_assert(memory_tag::device_may_write == 2 * memory_tag::device_may_read &&
                  memory_tag::driver_may_not_write == 2 * memory_tag::driver_may_not_read);
    const bool device = who == actor::device;
    const std::uint64_t all = 0x0101010101010101u * (write ? 2 : 1);
    const std::uint64_t mask =
        all * (device ? memory_tag::device_may_read : memory_tag::driver_may_not_read);
    const std::uint64_t wanted = device ? mask : 0;
    std::uint64_t first, last;
    std::memcpy(&first, tags, 8);
    std::memcpy(&last, tags + size - 8, 8);
    return (((first ^ wanted) | (last ^ wanted)) & mask) == 0;
}

/// Fields in one piece: a real guest may write them meanwhile.
inline void guest_memory::copy(void* to, const void* from, std::size_t size) {
    auto* const bytes = static_cast<std::uint8_t*>(to);
    switch (size) {
        case 0:
            return;  // there may be no place it comes from
        case 2:
            return copy_field(bytes, from, 2);
        case 4:
            return copy_field(bytes, from, 4);
        case 8:
            return copy_field(bytes, from, 8);
        case 16:
            return copy_field(bytes, from, 16);
        default:
            std::memcpy(to, from, size);
    }
}

bool guest_memory::read_any(actor who, std::uint64_t address, void* data, std::size_t size) {
    const std::uint64_t offset = address - near_.base;
    if (is_message(offset, near_.field_reads, size)) {
        copy_message(static_cast<std::uint8_t*>(data), near_.data + offset, size);
        if (message_allowed(who, false, near_.tags + offset, size)) {
            ++*near_.passed;
        } else {
            observer_->on_read(who, address, size);
        }
        return true;
    }
    return read_other(who, address, data, size);
}

bool guest_memory::read_other(actor who, std::uint64_t address, void* data, std::size_t size) {
    const std::uint64_t offset = address - near_.base;
    const std::uint8_t* const p = direct(address, size, false);
    if (p == nullptr) return read_slowly(who, address, data, size);
    copy(data, p, size);
    if (near_.tags != nullptr) {
        tell(who, false, address, offset, size);
    } else if (observer_ != nullptr) {
        observer_->on_read(who, address, size);
    }
    return true;
}

bool guest_memory::write_any(actor who, std::uint64_t address, const void* data, std::size_t size) {
    const std::uint64_t offset = address - near_.base;
    if (is_message(offset, near_.field_writes, size)) {
        copy_message(near_.data + offset, static_cast<const std::uint8_t*>(data), size);
        if (message_allowed(who, true, near_.tags + offset, size)) {
            ++*near_.passed;
        } else {
            observer_->on_write(who, address, size);
        }
        return true;
    }
    return write_other(who, address, data, size);
}

bool guest_memory::write_other(actor who, std::uint64_t address, const void* data,
                               std::size_t size) {
    const std::uint64_t offset = address - near_.base;
    std::uint8_t* const p = direct(address, size, true);
    if (p == nullptr) return write_slowly(who, address, data, size);
    copy(p, data, size);
    if (near_.tags != nullptr) {
        tell(who, true, address, offset, size);
    } else if (observer_ != nullptr) {
        observer_->on_write(who, address, size);
    }
    return true;
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
