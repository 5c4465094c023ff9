// SPDX-License-Identifier: Apache-2.0
// Split virtqueues (virtio 1.x section 2.7): the device's side and the driver's side. Pure state
// over guest memory; the driver's side is modelled on Linux drivers/virtio/virtio_ring.c (6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "virtio/ring/guest_memory.h"

namespace scmi_vp::virtio {

inline constexpr std::uint16_t desc_f_next = 1, desc_f_write = 2, desc_f_indirect = 4;
inline constexpr std::uint16_t avail_f_no_interrupt = 1, used_f_no_notify = 1;

/// Guest-physical addresses of the three parts of a split ring.
struct ring_layout {
    std::uint16_t size = 0;  ///< entries, a power of two up to 32768
    std::uint64_t desc = 0, avail = 0, used = 0;

    /// Linux vring_init: one block at `base` (a multiple of `align`), used ring aligned to `align`
    /// (a power of two; virtio-mmio: page size).
    static ring_layout linux_block(std::uint64_t base, std::uint16_t size, std::uint32_t align);
    static std::uint64_t linux_block_bytes(std::uint16_t size, std::uint32_t align);

    std::uint64_t avail_idx() const { return avail + 2; }
    std::uint64_t avail_slot(std::uint16_t i) const {
        return avail + 4 + 2 * std::uint64_t(i & (size - 1u));
    }
    std::uint64_t used_event() const { return avail + 4 + 2 * std::uint64_t(size); }
    std::uint64_t used_idx() const { return used + 2; }
    std::uint64_t used_slot(std::uint16_t i) const {
        return used + 4 + 8 * std::uint64_t(i & (size - 1u));
    }
    std::uint64_t avail_event() const { return used + 4 + 8 * std::uint64_t(size); }
};

/// Bytes of each part, event words included (virtio 2.7; SPL-01).
constexpr std::uint64_t desc_area_bytes(std::uint16_t size) {
    return 16ull * size;
}
constexpr std::uint64_t avail_area_bytes(std::uint16_t size) {
    return 6 + 2ull * size;
}
constexpr std::uint64_t used_area_bytes(std::uint16_t size) {
    return 6 + 8ull * size;
}
constexpr bool legal_queue_size(std::uint32_t size) {
    return size != 0 && size <= 32768 && (size & (size - 1)) == 0;
}

/// A descriptor and a used element as they lie in memory (little-endian, like the host).
struct descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
};
/// The two words of a descriptor. Stores of single fields that are read back as a whole stall the
/// host's CPU, so hot paths put descriptors together, and take them apart, in registers.
struct descriptor_words {
    std::uint64_t address, rest;
    std::uint32_t length() const { return static_cast<std::uint32_t>(rest); }
    std::uint16_t flags() const { return static_cast<std::uint16_t>(rest >> 32); }
    std::uint16_t next() const { return static_cast<std::uint16_t>(rest >> 48); }
    descriptor_words() = default;
    descriptor_words(std::uint64_t a, std::uint32_t length, unsigned flags, std::uint16_t next)
        : address(a), rest(length | std::uint64_t{flags} << 32 | std::uint64_t{next} << 48) {}
};
static_assert(sizeof(descriptor_words) == 16 && sizeof(descriptor) == 16, "virtio 2.7.5");
struct used_element {
    std::uint32_t id;
    std::uint32_t length;
};
static_assert(sizeof(used_element) == 8, "virtio 2.7.8");

/// Whether an event index lies in what was published from `before` up to `now` (virtio 2.7.7.2,
/// Linux vring_need_event); right for batches and across the wrap.
constexpr bool event_hit(std::uint16_t event, std::uint16_t now, std::uint16_t before) {
    return static_cast<std::uint16_t>(now - event - 1) < static_cast<std::uint16_t>(now - before);
}

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

/// The device's side of one queue; default-made it is always empty.
///
/// A direct chain has at most `size` descriptors, an indirect table's at most max(size, 1024): the
/// table may be longer than the queue (SPL-04, SPL-17, SPL-21; QEMU has the same limit of 1024).
class device_queue {
public:
    device_queue() = default;
    /// Throws scmi_vp::error (model) for a size that is no power of two up to 32768.
    device_queue(guest_memory& memory, ring_layout layout, ring_features features);

    /// Goes on where another device left off (vhost-user VRING_BASE, snapshots).
    void resume_at(std::uint16_t next_available, std::uint16_t used_index);

    /// Takes the next available chain into `out` (its vectors are reused). On `fault`, `fault()`
    /// says why and every later call gives `fault` again. Checks every descriptor: index, loop,
    /// order, indirection, memory range (virtio 2.7; SPL-05..SPL-21, SPL-23, SPL-49).
    take_result take(chain& out) {
        return next_avail_ == seen_avail_ || broken_ ? take_more(out) : take_next(out);
    }

    /// True when the driver has made more available (reads avail idx).
    bool has_available() { return available() != 0; }
    /// Chains that could be taken now. An illegal index counts as one, so that `take` gets to say
    /// why; a queue with a fault has none.
    std::uint16_t available();
    /// The driver's avail idx, for see(); nullopt: out of reach, or there is no queue.
    std::optional<std::uint16_t> look() const;
    /// Lets take() go up to an index that look() gave. False for an illegal one: a fault.
    bool see(std::optional<std::uint16_t> idx);
    /// Whether available(), see() or take() has seen more than was taken (reads nothing).
    bool seen_more() const { return next_avail_ != seen_avail_; }

    /// Copies a chain's readable bytes (at most `max`); the number copied.
    std::size_t read(const chain& c, std::uint8_t* out, std::size_t max);
    /// Writes to a chain's writable bytes from their start; the number written (clipped to the
    /// room).
    std::size_t write(const chain& c, const std::uint8_t* data, std::size_t size);

    /// Puts a used element and publishes the index (virtio 2.7.8.2: element first). Nothing happens
    /// on a queue with a fault. Throws scmi_vp::error (model) for a head that cannot exist.
    void put_used(std::uint16_t head, std::uint32_t bytes_written);

    /// Whether the driver wants an interrupt for what was published since the last call (2.7.7.2).
    bool should_interrupt();

    /// Tells the driver whether kicks are wanted (2.7.10.2; with EVENT_IDX, moves avail_event).
    /// After switching them on, look again: has_available() (BUG-18).
    void set_kicks_wanted(bool wanted);
    bool kicks_wanted() const { return kicks_wanted_; }

    const ring_layout& layout() const { return layout_; }
    std::uint16_t next_available() const { return next_avail_; }
    std::uint16_t used_index() const { return used_idx_; }
    bool broken() const { return broken_; }
    const ring_fault& fault() const { return fault_; }

private:
    struct cursor;                      ///< where a walk is: table, index, descriptors left
    take_result take_more(chain& out);  ///< reads avail idx first
    take_result take_next(chain& out);
    bool advance_to(std::uint16_t idx);
    bool walk(std::uint16_t head, chain& out);
    bool walk_on(descriptor d, cursor at, chain& out);
    bool enter_table(const descriptor& d, cursor& at);
    bool append(const descriptor& d, cursor& at, chain& out);
    // Why it cannot go on; always false.
    [[gnu::cold]] bool jumped(std::uint16_t idx);
    [[gnu::cold]] bool lost(std::uint16_t head, cursor at);
    [[gnu::cold]] bool out_of_order();
    [[gnu::cold]] bool too_long();
    [[gnu::cold]] bool beyond(const descriptor& d, bool writable);
    [[gnu::cold]] bool fail(std::string what, const char* section);
    [[gnu::cold]] bool unreachable(const char* what, std::uint64_t address);
    [[gnu::cold]] [[noreturn]] void no_such_head(std::uint16_t head) const;

    guest_memory* memory_ = nullptr;
    ring_layout layout_;
    ring_features features_;
    std::uint16_t next_avail_ = 0, seen_avail_ = 0, used_idx_ = 0, signalled_used_ = 0;
    bool kicks_wanted_ = true, broken_ = false;
    bool lapped_ = false;  ///< 65536 or more were published since should_interrupt was last asked
    ring_fault fault_{};
};

// --- the driver's side ------------------------------------------------------------------------

enum class add_result : std::uint8_t { added, no_space, broken };  ///< 0, -ENOSPC, -EIO

/// The driver's side of one queue; default-made it is broken.
class driver_queue {
public:
    driver_queue() = default;
    /// The ring must lie in zeroed memory. Zeroes nothing itself. Throws scmi_vp::error (model) for
    /// a size that is no power of two up to 32768.
    driver_queue(guest_memory& memory, ring_layout layout, ring_features features);

    /// virtqueue_add: descriptors from the LIFO free chain (0, 1, 2, ... at first), `out` readable
    /// then `in` writable; with INDIRECT negotiated and more than one buffer an indirect table at
    /// `indirect_table` (16 bytes each) is used instead. `token` comes back from get_buf, must not
    /// be nullptr. Writes the ring, the available index last. `head` tells the head descriptor.
    /// On no_space with `outs` > 0 Linux notifies the device at once: that is up to the caller.
    /// Throws scmi_vp::error (model) for no buffers at all or no token (BUG_ON in Linux).
    add_result add(const buffer* out, std::size_t outs, const buffer* in, std::size_t ins,
                   void* token, std::uint16_t* head = nullptr, std::uint64_t indirect_table = 0);

    /// virtqueue_kick_prepare: whether the device must be notified (2.7.10.1, 2.7.10 with
    /// EVENT_IDX).
    bool kick_prepare() {
        if (broken_) return false;
        const std::uint16_t before = avail_idx_ - num_added_;
        num_added_ = 0;
        memory_->fence();
        if (features_.event_idx) return event_wants_kick(before);
        return (memory_->load<std::uint16_t>(actor::driver, layout_.used) & used_f_no_notify) == 0;
    }
    /// 65535 chains were added since the last kick: virtqueue_add kicks then by itself.
    bool kick_overdue() const { return num_added_ == 0xffff; }

    struct used_buffer {
        void* token = nullptr;  ///< nullptr: nothing used, or broken
        std::uint32_t length = 0;
        std::uint16_t head = 0;
    };
    /// virtqueue_get_buf. A used id out of range or without a token breaks the queue (`bad_ring()`
    /// says how); detaches descriptors; moves used_event when callbacks are enabled.
    used_buffer get_buf();

    /// virtqueue_detach_unused_buf, after the device was reset: the next token that never came
    /// back, or nullptr.
    void* detach_unused();

    /// Used idx has moved (one 2-byte read).
    bool more_used() {
        return memory_ != nullptr &&
               memory_->load<std::uint16_t>(actor::driver, layout_.used_idx()) != last_used_;
    }
    /// vring_interrupt, before it calls back: with EVENT_IDX the device will not interrupt again by
    /// itself, so that the next disable_cb does nothing (the "event already triggered" hint).
    void note_interrupt() { event_triggered_ = features_.event_idx; }
    void disable_cb();             ///< virtqueue_disable_cb
    unsigned enable_cb_prepare();  ///< returns last_used for poll()
    /// virtqueue_poll: used idx has moved past it. A broken queue never has more.
    bool poll(unsigned last_used) {
        if (broken_) return false;
        memory_->fence();
        return memory_->load<std::uint16_t>(actor::driver, layout_.used_idx()) !=
               static_cast<std::uint16_t>(last_used);
    }
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
        std::uint16_t next =
            0;  ///< free chain, or next of the chain (the private copy: the ring is never trusted)
        std::uint16_t chained = 0;  ///< 1 when `next` continues a chain
    };
    bool write_direct(const buffer* out, std::size_t outs, const buffer* in, std::size_t ins);
    bool write_indirect(const buffer* out, std::size_t outs, const buffer* in, std::size_t ins,
                        std::uint64_t table);
    bool publish(std::uint16_t head);
    [[gnu::cold]] bool event_wants_kick(std::uint16_t before);
    [[gnu::cold]] [[noreturn]] static void nothing_to_add();
    [[gnu::cold]] void refuse(std::uint32_t id);
    void detach(std::uint16_t head);
    [[gnu::cold]] bool bad(std::string what);  ///< breaks the queue; always false
    [[gnu::cold]] bool bad_memory(const char* what, std::uint64_t address);

    guest_memory* memory_ = nullptr;
    ring_layout layout_;
    ring_features features_;
    std::vector<descriptor_state> state_;
    std::uint16_t free_head_ = 0, num_free_ = 0, avail_idx_ = 0, last_used_ = 0, num_added_ = 0;
    std::uint16_t avail_flags_shadow_ = 0;
    bool broken_ = true;  ///< until there is memory
    bool event_triggered_ = false;
    std::string bad_ring_;
};

}  // namespace scmi_vp::virtio
