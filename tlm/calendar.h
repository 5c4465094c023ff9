// SPDX-License-Identifier: Apache-2.0
// Many deadlines on one sc_event: a heap of our own, stable at equal times (first in, first out).
//
// SystemC keeps a cancelled timer in its heap until its time and does not keep insertion order at
// equal times; one armed event and this heap avoid both.
#pragma once

#include <algorithm>
#include <cstdint>
#include <systemc>
#include <utility>
#include <vector>

#include "tlm/sc_time.h"

namespace scmi_vp {

/// `Item` is small and copyable. Make a process sensitive to event(); in it, pop until empty.
template <class Item>
class calendar {
public:
    explicit calendar(const char* event_name) : event_(event_name) {}

    /// Adds an item due at `t` (not before now).
    void at(sim_time t, Item item) {
        heap_.push_back({t, next_order_++, std::move(item)});
        std::push_heap(heap_.begin(), heap_.end(), later);
        arm();
    }

    /// Takes the earliest item that is due; false (and the event is armed for the next) if none is.
    bool pop_due(Item& item) {
        if (heap_.empty()) return false;
        if (heap_.front().due > now()) {
            arm();
            return false;
        }
        std::pop_heap(heap_.begin(), heap_.end(), later);
        item = std::move(heap_.back().item);
        heap_.pop_back();
        return true;
    }

    /// Drops everything that `unwanted(item)` says.
    template <class Predicate>
    void remove_if(Predicate unwanted) {
        heap_.erase(std::remove_if(heap_.begin(), heap_.end(),
                                   [&](const entry& e) { return unwanted(e.item); }),
                    heap_.end());
        std::make_heap(heap_.begin(), heap_.end(), later);
    }

    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    sim_time next_due() const { return heap_.front().due; }
    const sc_core::sc_event& event() const { return event_; }

private:
    struct entry {
        sim_time due;
        std::uint64_t order;
        Item item;
    };
    static bool later(const entry& a, const entry& b) {
        return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
    void arm() {
        const sim_time due = heap_.front().due;
        if (armed_ >= now() && armed_ <= due && armed_valid_ && armed_ != now()) return;
        armed_ = due;
        armed_valid_ = true;
        event_.notify(to_sc(due - now()));
    }

    sc_core::sc_event event_;
    std::vector<entry> heap_;
    std::uint64_t next_order_ = 0;
    sim_time armed_;
    bool armed_valid_ = false;
};

}  // namespace scmi_vp
