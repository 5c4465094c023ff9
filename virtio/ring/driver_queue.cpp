// SPDX-License-Identifier: Apache-2.0
// The driver's side of a split ring, step by step what Linux 6.1 drivers/virtio/virtio_ring.c does:
// function names in comments are from there.
#include <cstdio>
#include <string>
#include <utility>

#include "base/error.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {

driver_queue::driver_queue(guest_memory& memory, ring_layout layout, ring_features features)
    : memory_(&memory), layout_(layout), features_(features) {
    if (!legal_queue_size(layout.size)) {
        throw error(error_kind::model, "driver queue of size " + std::to_string(layout.size) +
                                           ": a split ring has a power of two up to 32768 entries");
    }
    broken_ = false;
    num_free_ = layout.size;
    state_.resize(layout.size);
    for (std::size_t i = 0; i < state_.size(); ++i) {
        state_[i].next = static_cast<std::uint16_t>(i + 1 < state_.size() ? i + 1 : 0);
    }
}

bool driver_queue::bad(std::string what) {
    broken_ = true;
    bad_ring_ = std::move(what);
    return false;
}

bool driver_queue::bad_memory(const char* what, std::uint64_t address) {
    char text[96];
    std::snprintf(text, sizeof text, "%s at 0x%llx is not in guest memory", what,
                  static_cast<unsigned long long>(address));
    return bad(text);
}

inline bool driver_queue::write_direct(const buffer* out, std::size_t outs, const buffer* in,
                                       std::size_t ins) {
    std::uint16_t i = free_head_;
    unsigned flags = 0;
    for (const buffer* b = out;; ++b) {
        if (flags == 0 && outs-- == 0) b = in, flags = desc_f_write;
        const bool last = flags == 0 ? outs + ins == 0 : --ins == 0;
        descriptor_state& state = state_[i];
        // Like Linux, the last one's `next` holds the next free descriptor: it means nothing.
        const descriptor_words d(b->address, b->size, flags | (last ? 0u : desc_f_next),
                                 state.next);
        const std::uint64_t where = layout_.desc + sizeof d * std::uint64_t{i};
        if (!memory_->write(actor::driver, where, &d, sizeof d))
            return bad_memory("descriptor", where);
        state.chained = last ? 0 : 1;
        i = state.next;
        if (last) break;
    }
    free_head_ = i;
    return true;
}

inline bool driver_queue::publish(std::uint16_t head) {
    const std::uint64_t slot = layout_.avail_slot(avail_idx_);
    const std::uint16_t next = avail_idx_ + 1;
    bool done = memory_->write(actor::driver, slot, &head, sizeof head);
    guest_memory::keep_order();
    done = done && memory_->write(actor::driver, layout_.avail_idx(), &next, sizeof next);
    if (!done) return bad_memory("available ring", slot);
    avail_idx_ = next;
    ++num_added_;
    return true;
}

void driver_queue::nothing_to_add() {
    throw error(error_kind::model, "virtqueue add of no buffers, or with no token: give both");
}

/// virtqueue_add_split; the descriptors are taken off the free list only when all are written.
add_result driver_queue::add(const buffer* out, std::size_t outs, const buffer* in, std::size_t ins,
                             void* token, std::uint16_t* head, std::uint64_t indirect_table) {
    if (token == nullptr || outs + ins == 0) nothing_to_add();
    if (broken_) return add_result::broken;
    // virtqueue_use_indirect; without a table it is as if kmalloc had failed: direct.
    const bool indirect =
        features_.indirect && outs + ins > 1 && num_free_ > 0 && indirect_table != 0;
    const std::size_t needed = indirect ? 1 : outs + ins;
    if (num_free_ < needed) return add_result::no_space;

    const std::uint16_t first = free_head_;
    const bool written = indirect ? write_indirect(out, outs, in, ins, indirect_table)
                                  : write_direct(out, outs, in, ins);
    if (!written) return add_result::broken;
    num_free_ = static_cast<std::uint16_t>(num_free_ - needed);
    state_[first].token = token;
    if (head != nullptr) *head = first;
    return publish(first) ? add_result::added : add_result::broken;
}

bool driver_queue::write_indirect(const buffer* out, std::size_t outs, const buffer* in,
                                  std::size_t ins, std::uint64_t table) {
    const std::size_t total = outs + ins;
    for (std::size_t n = 0; n < total; ++n) {
        const buffer& b = n < outs ? out[n] : in[n - outs];
        const bool last = n + 1 == total;
        const unsigned flags = (n < outs ? 0u : desc_f_write) | (last ? 0u : desc_f_next);
        const descriptor_words d(b.address, b.size, flags, static_cast<std::uint16_t>(n + 1));
        const std::uint64_t where = table + sizeof d * n;
        if (!memory_->write(actor::driver, where, &d, sizeof d))
            return bad_memory("indirect table", where);
    }
    const std::uint16_t i = free_head_;
    const descriptor_words d(table, static_cast<std::uint32_t>(total * sizeof(descriptor)),
                             desc_f_indirect, state_[i].next);
    const std::uint64_t where = layout_.desc + sizeof d * std::uint64_t{i};
    if (!memory_->write(actor::driver, where, &d, sizeof d)) return bad_memory("descriptor", where);
    state_[i].chained = 0;
    free_head_ = state_[i].next;
    return true;
}

bool driver_queue::event_wants_kick(std::uint16_t before) {
    // SPL-38: flags mean nothing.
    const auto event = memory_->load<std::uint16_t>(actor::driver, layout_.avail_event());
    return event_hit(event, avail_idx_, before);
}

/// detach_buf_split: the chain goes back to the front of the free list, in its own order. The walk
/// uses the private copy: the device could have changed the table (BUG-24).
inline void driver_queue::detach(std::uint16_t head) {
    descriptor_state* const all = state_.data();
    all[head].token = nullptr;
    descriptor_state* last = &all[head];
    std::uint16_t freed = 1;
    for (; last->chained != 0; last = &all[last->next], ++freed) last->chained = 0;
    num_free_ = static_cast<std::uint16_t>(num_free_ + freed);
    last->next = free_head_;
    free_head_ = head;
}

/// virtqueue_get_buf_ctx_split. Like Linux, a used index that jumps is found out by the first
/// element whose id has no token, and the length is not compared with what was posted.
driver_queue::used_buffer driver_queue::get_buf() {
    if (broken_ || !more_used()) return {};
    guest_memory::keep_order();
    const std::uint64_t slot = layout_.used_slot(last_used_);
    std::uint64_t element;  // a used_element, in a register
    if (!memory_->read(actor::driver, slot, &element, sizeof element)) {
        bad_memory("used ring", slot);
        return {};
    }
    const auto id = static_cast<std::uint32_t>(element), length = std::uint32_t(element >> 32);
    const auto head = static_cast<std::uint16_t>(id);
    void* const token = id < layout_.size ? state_[head].token : nullptr;
    if (token == nullptr) {
        refuse(id);
        return {};
    }
    detach(head);
    ++last_used_;
    if ((avail_flags_shadow_ & avail_f_no_interrupt) == 0) {
        memory_->store<std::uint16_t>(actor::driver, layout_.used_event(), last_used_);
    }
    return {token, length, head};
}

void driver_queue::refuse(std::uint32_t id) {
    bad("id " + std::to_string(id) + (id >= layout_.size ? " out of range" : " is not a head!"));
}

/// virtqueue_detach_unused_buf_split.
void* driver_queue::detach_unused() {
    for (std::size_t i = 0; i < state_.size(); ++i) {
        void* const token = state_[i].token;
        if (token == nullptr) continue;
        detach(static_cast<std::uint16_t>(i));
        --avail_idx_;
        memory_->store<std::uint16_t>(actor::driver, layout_.avail_idx(), avail_idx_);
        return token;
    }
    return nullptr;
}

void driver_queue::disable_cb() {
    if (memory_ == nullptr || event_triggered_) return;
    if ((avail_flags_shadow_ & avail_f_no_interrupt) != 0) return;
    avail_flags_shadow_ |= avail_f_no_interrupt;
    if (features_.event_idx) {
        // Not a real disable: a value that is hit once in 65536 (virtqueue_disable_cb_split).
        memory_->store<std::uint16_t>(actor::driver, layout_.used_event(), 0);
    } else {
        memory_->store<std::uint16_t>(actor::driver, layout_.avail, avail_flags_shadow_);
    }
}

unsigned driver_queue::enable_cb_prepare() {
    if (memory_ == nullptr) return 0;
    event_triggered_ = false;
    if ((avail_flags_shadow_ & avail_f_no_interrupt) != 0) {
        avail_flags_shadow_ &= static_cast<std::uint16_t>(~avail_f_no_interrupt);
        if (!features_.event_idx) {
            memory_->store<std::uint16_t>(actor::driver, layout_.avail, avail_flags_shadow_);
        }
    }
    memory_->store<std::uint16_t>(actor::driver, layout_.used_event(), last_used_);
    return last_used_;
}

}  // namespace scmi_vp::virtio
