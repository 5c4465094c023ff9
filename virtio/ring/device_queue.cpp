// SPDX-License-Identifier: Apache-2.0
// The device's side of a split ring. Nothing that the driver wrote is believed: every field is read
// once, checked, and only then used.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {

namespace {

constexpr std::uint32_t indirect_limit = 1024;  ///< QEMU's VIRTQUEUE_MAX_SIZE

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

}  // namespace

struct device_queue::cursor {
    std::uint64_t table;
    std::uint32_t entries;
    std::uint32_t index;
    std::uint32_t
        left;  ///< descriptors that may still be read: a longer chain loops (BUG-01, BUG-06)
    bool indirect;
    bool writable_seen;
    std::uint64_t bytes;
};

device_queue::device_queue(guest_memory& memory, ring_layout layout, ring_features features)
    : memory_(&memory), layout_(layout), features_(features) {
    if (!legal_queue_size(layout.size)) {
        throw error(error_kind::model, "device queue of size " + std::to_string(layout.size) +
                                           ": a split ring has a power of two up to 32768 entries");
    }
}

void device_queue::resume_at(std::uint16_t next_available, std::uint16_t used_index) {
    next_avail_ = seen_avail_ = next_available;
    used_idx_ = signalled_used_ = used_index;
    lapped_ = false;
}

bool device_queue::fail(std::string what, const char* section) {
    broken_ = true;
    fault_ = {std::move(what), section};
    return false;
}

bool device_queue::unreachable(const char* what, std::uint64_t address) {
    return fail(std::string(what) + " at " + hex(address) + " is not in guest memory",
                "virtio 2.7");
}

take_result device_queue::take_more(chain& out) {
    if (broken_) return take_result::fault;
    if (memory_ == nullptr) return take_result::empty;
    std::uint16_t idx;
    memory_->fence();  // avail_event was written before
    if (!memory_->read(actor::device, layout_.avail_idx(), &idx, sizeof idx)) {
        unreachable("available index", layout_.avail_idx());
        return take_result::fault;
    }
    if (!advance_to(idx)) return take_result::fault;
    return seen_more() ? take_next(out) : take_result::empty;
}

/// Catches an index that goes backwards, too (SPL-23, BUG-09).
inline bool device_queue::advance_to(std::uint16_t idx) {
    const std::uint16_t ahead = idx - next_avail_;
    if (ahead > layout_.size) return jumped(idx);
    seen_avail_ = idx;
    guest_memory::keep_order();
    return true;
}

std::optional<std::uint16_t> device_queue::look() const {
    if (memory_ == nullptr) return std::nullopt;
    std::uint16_t idx = 0;
    memory_->fence();  // avail_event was written before
    if (!memory_->read(actor::device, layout_.avail_idx(), &idx, sizeof idx)) return std::nullopt;
    return idx;
}

bool device_queue::see(std::optional<std::uint16_t> idx) {
    if (broken_ || memory_ == nullptr) return false;
    return idx ? advance_to(*idx) : unreachable("available index", layout_.avail_idx());
}

bool device_queue::jumped(std::uint16_t idx) {
    const std::uint16_t ahead = idx - next_avail_;
    return fail("available index " + std::to_string(idx) + " is " + std::to_string(ahead) +
                    " ahead of the device (" + std::to_string(next_avail_) + ") in a queue of " +
                    std::to_string(layout_.size),
                "virtio 2.7.6.1");
}

std::uint16_t device_queue::available() {
    if (broken_ || memory_ == nullptr) return 0;
    std::uint16_t idx = 0;
    memory_->fence();  // kicks were switched on before
    if (!memory_->read(actor::device, layout_.avail_idx(), &idx, sizeof idx)) return 1;
    const std::uint16_t ahead = idx - next_avail_;
    if (ahead > layout_.size) return 1;
    seen_avail_ = idx;
    guest_memory::keep_order();
    return ahead;
}

bool device_queue::append(const descriptor& d, cursor& at, chain& out) {
    const bool writable = (d.flags & desc_f_write) != 0;
    if (at.writable_seen && !writable) return out_of_order();
    at.writable_seen = writable;
    if (d.length == 0) return true;  // SPL-14: its address means nothing
    const bool reachable = writable ? memory_->contains_writable(d.address, d.length)
                                    : memory_->contains(d.address, d.length);
    if (!reachable) return beyond(d, writable);
    at.bytes += d.length;
    if (at.bytes > (1ull << 32)) return too_long();
    buffer& b = (writable ? out.writable : out.readable).emplace_back();
    b.address = d.address;
    b.size = d.length;
    return true;
}

/// Everyday chains: direct descriptors of buffers near the rings. What is anything else is left to
/// walk_on, with the descriptor as it was read: none is read twice.
inline bool device_queue::walk(std::uint16_t head, chain& out) {
    out.head = head;
    out.readable.clear();
    out.writable.clear();
    const std::uint32_t size = layout_.size;
    cursor at{layout_.desc, size, head, size, false, false, 0};
    for (;;) {
        if (at.index >= size || at.left == 0) return lost(head, at);
        --at.left;
        const std::uint64_t where = layout_.desc + sizeof(descriptor) * std::uint64_t{at.index};
        descriptor_words d;
        if (!memory_->read(actor::device, where, &d, sizeof d))
            return unreachable("descriptor", where);
        const unsigned flags = d.flags();
        const std::uint32_t length = d.length();
        const bool writable = (flags & desc_f_write) != 0;
        if ((flags & desc_f_indirect) != 0 || (at.writable_seen && !writable) || length == 0 ||
            !memory_->near(d.address, length, writable)) {
            return walk_on({d.address, length, d.flags(), d.next()}, at, out);
        }
        at.writable_seen = writable;
        at.bytes += length;
        if (at.bytes > (1ull << 32)) return too_long();
        buffer& b = (writable ? out.writable : out.readable).emplace_back();
        b.address = d.address;
        b.size = length;
        if ((flags & desc_f_next) == 0) return true;
        at.index = d.next();
    }
}

/// The rest of a walk, from the descriptor `d` that was read at `at`.
bool device_queue::walk_on(descriptor d, cursor at, chain& out) {
    for (;;) {
        if ((d.flags & desc_f_indirect) != 0) {
            if (!enter_table(d, at)) return false;
        } else {
            if (!append(d, at, out)) return false;
            if ((d.flags & desc_f_next) == 0) return true;
            at.index = d.next;
        }
        if (at.index >= at.entries || at.left == 0) return lost(out.head, at);
        --at.left;
        const std::uint64_t where = at.table + sizeof(descriptor) * std::uint64_t{at.index};
        if (!memory_->read(actor::device, where, &d, sizeof d))
            return unreachable("descriptor", where);
    }
}

take_result device_queue::take_next(chain& out) {
    const std::uint64_t slot = layout_.avail_slot(next_avail_);
    std::uint16_t head;
    if (!memory_->read(actor::device, slot, &head, sizeof head)) {
        unreachable("available ring", slot);
        return take_result::fault;
    }
    if (!walk(head, out)) return take_result::fault;
    ++next_avail_;
    // Written before the next look at avail idx: nothing added from here on goes unnoticed
    // (SPL-39).
    if (features_.event_idx && kicks_wanted_) {
        memory_->store<std::uint16_t>(actor::device, layout_.avail_event(), next_avail_);
    }
    return take_result::taken;
}

bool device_queue::lost(std::uint16_t head, cursor at) {
    const std::string chain = "chain of head " + std::to_string(head);
    if (at.index >= at.entries) {
        return fail(chain + " names descriptor " + std::to_string(at.index) + " of a table of " +
                        std::to_string(at.entries),
                    at.indirect ? "virtio 2.7.5.3.1" : "virtio 2.7.5");
    }
    return fail(chain + " loops, or has more descriptors than the device takes", "virtio 2.7.5.2");
}

bool device_queue::enter_table(const descriptor& d, cursor& at) {
    if (!features_.indirect) {
        return fail("indirect descriptor without INDIRECT_DESC negotiated", "virtio 2.7.5.3.1");
    }
    if (at.indirect)
        return fail("indirect descriptor inside an indirect table", "virtio 2.7.5.3.1");
    if ((d.flags & desc_f_next) != 0) {
        return fail("descriptor has both INDIRECT and NEXT", "virtio 2.7.5.3.1");
    }
    if (d.length == 0 || d.length % sizeof(descriptor) != 0) {
        return fail("indirect table of " + std::to_string(d.length) +
                        " bytes: not a positive multiple of 16",
                    "virtio 2.7.5.3");
    }
    if (!memory_->contains(d.address, d.length)) return unreachable("indirect table", d.address);
    // WRITE on this descriptor is ignored (SPL-19).
    at.table = d.address;
    at.entries = d.length / sizeof(descriptor);
    at.index = 0;
    at.left = std::min(at.entries, std::max<std::uint32_t>(layout_.size, indirect_limit));
    at.indirect = true;
    return true;
}

bool device_queue::out_of_order() {
    return fail("device-readable descriptor after a device-writable one", "virtio 2.7.4.2");
}

bool device_queue::too_long() {
    return fail("chain of more than 2^32 bytes", "virtio 2.7.5.2");
}

bool device_queue::beyond(const descriptor& d, bool writable) {
    return fail(
        "buffer of " + std::to_string(d.length) + " bytes at " + hex(d.address) +
            (writable ? " is not all in writable guest memory" : " is not all in guest memory"),
        "virtio 2.7.5");
}

std::size_t device_queue::read(const chain& c, std::uint8_t* out, std::size_t max) {
    std::size_t done = 0;
    for (const buffer& b : c.readable) {
        const std::size_t part = std::min<std::size_t>(b.size, max - done);
        if (part == 0) break;
        if (!memory_->read(actor::device, b.address, out + done, part)) break;
        done += part;
    }
    return done;
}

std::size_t device_queue::write(const chain& c, const std::uint8_t* data, std::size_t size) {
    std::size_t done = 0;
    for (const buffer& b : c.writable) {
        const std::size_t part = std::min<std::size_t>(b.size, size - done);
        if (part == 0) break;
        if (!memory_->write(actor::device, b.address, data + done, part)) break;
        done += part;
    }
    return done;
}

void device_queue::no_such_head(std::uint16_t head) const {
    throw error(error_kind::model, "used head " + std::to_string(head) + " in a queue of " +
                                       std::to_string(layout_.size) +
                                       ": only heads that take() gave can be returned");
}

void device_queue::put_used(std::uint16_t head, std::uint32_t bytes_written) {
    if (broken_) return;
    if (memory_ == nullptr || head >= layout_.size) no_such_head(head);
    // A used_element, in a register.
    const std::uint64_t element = head | std::uint64_t{bytes_written} << 32;
    const std::uint64_t slot = layout_.used_slot(used_idx_);
    const std::uint16_t next = used_idx_ + 1;
    bool done = memory_->write(actor::device, slot, &element, sizeof element);
    guest_memory::keep_order();
    done = done && memory_->write(actor::device, layout_.used_idx(), &next, sizeof next);
    if (!done) {
        unreachable("used ring", slot);
        return;
    }
    used_idx_ = next;
    if (used_idx_ == signalled_used_) lapped_ = true;
}

bool device_queue::should_interrupt() {
    if (broken_ || memory_ == nullptr) return false;
    const std::uint16_t before = std::exchange(signalled_used_, used_idx_);
    const bool lapped = std::exchange(lapped_, false);
    if (before == used_idx_ && !lapped) return false;
    memory_->fence();
    if (!features_.event_idx) {
        // SPL-27, SPL-28: used_event means nothing, the other flag bits neither.
        return (memory_->load<std::uint16_t>(actor::device, layout_.avail) &
                avail_f_no_interrupt) == 0;
    }
    // SPL-29, SPL-31: read after the index was published; flags mean nothing.
    const auto event = memory_->load<std::uint16_t>(actor::device, layout_.used_event());
    return lapped || event_hit(event, used_idx_, before);
}

void device_queue::set_kicks_wanted(bool wanted) {
    if (broken_ || memory_ == nullptr || wanted == kicks_wanted_) return;
    kicks_wanted_ = wanted;
    if (features_.event_idx) {
        // One behind is what the driver reaches last: 65535 chains without a kick.
        const std::uint16_t event = wanted ? next_avail_ : next_avail_ - 1;
        memory_->store<std::uint16_t>(actor::device, layout_.avail_event(), event);
    } else {
        memory_->store<std::uint16_t>(actor::device, layout_.used, wanted ? 0 : used_f_no_notify);
    }
}

}  // namespace scmi_vp::virtio
