// SPDX-License-Identifier: Apache-2.0
// Split virtqueues (virtio 1.x section 2.7): the device's side and the driver's side. Pure state over
// guest memory; the driver's side is modelled on Linux drivers/virtio/virtio_ring.c (6.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "virtio/guest_memory.h"

namespace scmi_vp::virtio {

inline constexpr std::uint16_t desc_f_next = 1, desc_f_write = 2, desc_f_indirect = 4;
inline constexpr std::uint16_t avail_f_no_interrupt = 1, used_f_no_notify = 1;

/// Guest-physical addresses of the three parts of a split ring.
struct ring_layout {
    std::uint16_t size = 0;  ///< entries, a power of two up to 32768
    std::uint64_t desc = 0, avail = 0, used = 0;

    /// Linux vring_init: one block at `base`, used ring aligned to `align` (virtio-mmio: page size).
    static ring_layout linux_block(std::uint64_t base, std::uint16_t size, std::uint32_t align);
    static std::uint64_t linux_block_bytes(std::uint16_t size, std::uint32_t align);

    std::uint64_t avail_idx() const { return avail + 2; }
    std::uint64_t avail_slot(std::uint16_t i) const { return avail + 4 + 2 * std::uint64_t(i % size); }
    std::uint64_t used_event() const { return avail + 4 + 2 * std::uint64_t(size); }
    std::uint64_t used_idx() const { return used + 2; }
    std::uint64_t used_slot(std::uint16_t i) const { return used + 4 + 8 * std::uint64_t(i % size); }
    std::uint64_t avail_event() const { return used + 4 + 8 * std::uint64_t(size); }
};

/// Ring features that were negotiated.
struct ring_features {
    bool event_idx = false;
    bool indirect = false;
};

struct buffer {
    std::uint64_t address = 0;
    std::uint32_t size = 0;
};

// --- the device's side ------------------------------------------------------------------------

/// A chain taken from the ring: a snapshot, descriptors are never read again (virtio 2.7.5, and no
/// double fetch).
struct chain {
    std::uint16_t head = 0;
    std::vector<buffer> readable;
    std::vector<buffer> writable;
    std::uint64_t readable_bytes() const;
    std::uint64_t writable_bytes() const;
};

/// Why a ring cannot go on: the device must set DEVICE_NEEDS_RESET.
struct ring_fault {
    std::string what;     ///< one sentence with the values
    const char* section;  ///< "virtio 2.7.5.1"
};

enum class take_result : std::uint8_t { taken, empty, fault };

class device_queue {
public:
    device_queue() = default;
    device_queue(guest_memory& memory, ring_layout layout, ring_features features);

    /// Takes the next available chain into `out` (its vectors are reused). On `fault`, `fault()`
    /// says why and every later call gives `fault` again. Checks every descriptor: index, loop,
    /// order, indirection, memory range (virtio 2.7; SPL-05..SPL-21, SPL-23, SPL-49).
    take_result take(chain& out);

    /// True when the driver has made more available (reads avail idx).
    bool has_available();
    /// Chains that could be taken now.
    std::uint16_t available();

    /// Copies a chain's readable bytes (at most `max`); the number copied.
    std::size_t read(const chain& c, std::uint8_t* out, std::size_t max);
    /// Writes to a chain's writable bytes from their start; the number written (clipped to the room).
    std::size_t write(const chain& c, const std::uint8_t* data, std::size_t size);

    /// Puts a used element and publishes the index (virtio 2.7.8.2: element first).
    void put_used(std::uint16_t head, std::uint32_t bytes_written);

    /// Whether the driver wants an interrupt for what was published since the last call (2.7.7.2).
    bool should_interrupt();

    /// Tells the driver whether kicks are wanted (2.7.10.2; with EVENT_IDX, moves avail_event).
    void set_kicks_wanted(bool wanted);

    const ring_layout& layout() const { return layout_; }
    std::uint16_t next_available() const { return next_avail_; }
    std::uint16_t used_index() const { return used_idx_; }
    const ring_fault& fault() const { return fault_; }

private:
    guest_memory* memory_ = nullptr;
    ring_layout layout_;
    ring_features features_;
    std::uint16_t next_avail_ = 0, used_idx_ = 0, signalled_used_ = 0;
    bool kicks_wanted_ = true, broken_ = false;
    ring_fault fault_{};
};

// --- the driver's side ------------------------------------------------------------------------

enum class add_result : std::uint8_t { added, no_space, broken };  ///< 0, -ENOSPC, -EIO

class driver_queue {
public:
    driver_queue() = default;
    /// The ring must lie in zeroed memory. Zeroes nothing itself.
    driver_queue(guest_memory& memory, ring_layout layout, ring_features features);

    /// virtqueue_add: descriptors from the LIFO free chain (0, 1, 2, ... at first), `out` readable
    /// then `in` writable; with INDIRECT negotiated and more than one buffer an indirect table at
    /// `indirect_table` (16 bytes each) is used instead. `token` comes back from get_buf, must not
    /// be nullptr. Writes the ring, the available index last. `head` tells the head descriptor.
    add_result add(const buffer* out, std::size_t outs, const buffer* in, std::size_t ins, void* token,
                   std::uint16_t* head = nullptr, std::uint64_t indirect_table = 0);

    /// virtqueue_kick_prepare: whether the device must be notified (2.7.10.1, 2.7.10 with EVENT_IDX).
    bool kick_prepare();

    struct used_buffer {
        void* token = nullptr;  ///< nullptr: nothing used, or broken
        std::uint32_t length = 0;
        std::uint16_t head = 0;
    };
    /// virtqueue_get_buf. A used id out of range or without a token breaks the queue (`bad_ring()`
    /// says how); detaches descriptors; moves used_event when callbacks are enabled.
    used_buffer get_buf();

    bool more_used();           ///< used idx has moved (one 2-byte read)
    void disable_cb();          ///< virtqueue_disable_cb
    unsigned enable_cb_prepare();            ///< returns last_used for poll()
    bool poll(unsigned last_used);           ///< virtqueue_poll: used idx has moved past it
    bool enable_cb() { return !poll(enable_cb_prepare()); }  ///< false: more is pending

    bool broken() const { return broken_; }
    void break_queue() { broken_ = true; }
    const std::string& bad_ring() const { return bad_ring_; }
    std::uint16_t free_descriptors() const { return num_free_; }
    std::uint16_t avail_index() const { return avail_idx_; }
    std::uint16_t last_used() const { return last_used_; }
    const ring_layout& layout() const { return layout_; }

private:
    struct descriptor_state {
        void* token = nullptr;
        std::uint16_t next = 0;     ///< free chain, or next of the chain (the private copy: the ring is never trusted)
        std::uint16_t chained = 0;  ///< 1 when `next` continues a chain
    };
    guest_memory* memory_ = nullptr;
    ring_layout layout_;
    ring_features features_;
    std::vector<descriptor_state> state_;
    std::uint16_t free_head_ = 0, num_free_ = 0, avail_idx_ = 0, last_used_ = 0, num_added_ = 0;
    std::uint16_t avail_flags_shadow_ = 0;
    bool broken_ = false;
    std::string bad_ring_;
};

}  // namespace scmi_vp::virtio
