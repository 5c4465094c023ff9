// SPDX-License-Identifier: Apache-2.0
// For tests: memory with a ring in it whose every field can be written by hand, so that either side
// can be confronted with a peer that breaks the rules.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {

/// `size` bytes at `base`, exactly as long as said (an address sanitizer sees one byte more).
struct test_memory {
    explicit test_memory(std::uint64_t base = 0x80000000, std::uint64_t size = 1 << 20)
        : base_address(base), bytes(size) {
        view.add_region({base, size, bytes.data()});
    }
    template <class T>
    T get(std::uint64_t address) const {
        T value;
        std::memcpy(&value, bytes.data() + (address - base_address), sizeof value);
        return value;
    }
    template <class T>
    void put(std::uint64_t address, T value) {
        std::memcpy(bytes.data() + (address - base_address), &value, sizeof value);
    }

    std::uint64_t base_address;
    std::vector<std::uint8_t> bytes;
    guest_memory view;
};

/// A ring at the start of memory, buffers from `buffers` on. Writes go around the view, so that an
/// observer sees the side under test only.
struct raw_ring {
    explicit raw_ring(std::uint16_t size, std::uint64_t memory_size = 1 << 20)
        : memory(0x80000000, memory_size),
          layout(ring_layout::linux_block(0x80000000, size, 4096)),
          buffers((layout.used + used_area_bytes(size) + 4095) & ~std::uint64_t{4095}) {}

    void desc(std::uint32_t index, std::uint64_t address, std::uint32_t length, unsigned flags = 0,
              unsigned next = 0) {
        desc_at(layout.desc + 16ull * index, address, length, flags, next);
    }
    void desc_at(std::uint64_t where, std::uint64_t address, std::uint32_t length,
                 unsigned flags = 0, unsigned next = 0) {
        memory.put(where, descriptor{address, length, static_cast<std::uint16_t>(flags),
                                     static_cast<std::uint16_t>(next)});
    }
    /// As a driver: the head goes to the next slot, then the index moves.
    void make_available(unsigned head) {
        memory.put(layout.avail_slot(avail_idx), static_cast<std::uint16_t>(head));
        set_avail_idx(static_cast<std::uint16_t>(avail_idx + 1));
    }
    void set_avail_idx(std::uint16_t idx) { memory.put(layout.avail_idx(), avail_idx = idx); }
    std::uint16_t used_idx() const { return memory.get<std::uint16_t>(layout.used_idx()); }
    used_element used(std::uint16_t i) const {
        return memory.get<used_element>(layout.used_slot(i));
    }
    /// As a device: an element, then the index.
    void put_used(std::uint32_t id, std::uint32_t length) {
        memory.put(layout.used_slot(device_used), used_element{id, length});
        memory.put(layout.used_idx(), ++device_used);
    }

    test_memory memory;
    ring_layout layout;
    std::uint64_t buffers;  ///< first address behind the ring
    std::uint16_t avail_idx = 0, device_used = 0;
};

/// Keeps what the observer is told.
struct access_log : memory_observer {
    struct entry {
        actor who;
        bool write;
        std::uint64_t address;
        std::size_t size;
    };
    void on_read(actor who, std::uint64_t address, std::size_t size) override {
        entries.push_back({who, false, address, size});
    }
    void on_write(actor who, std::uint64_t address, std::size_t size) override {
        entries.push_back({who, true, address, size});
    }
    std::size_t touching(std::uint64_t begin, std::uint64_t end) const {
        std::size_t n = 0;
        for (const entry& e : entries) n += e.address < end && begin < e.address + e.size;
        return n;
    }
    std::vector<entry> entries;
};

}  // namespace scmi_vp::virtio
