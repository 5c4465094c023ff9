// SPDX-License-Identifier: Apache-2.0
// Many deadlines of one owner on one alarm: a heap, stable at equal times (first in, first out).
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tlm/timeline.h"

namespace scmi_vp {

/// `Item` is small and copyable. `due` is called when there may be something due: there, call
/// pop_due until it returns false (that is what sets the alarm for the rest).
template <class Item>
class calendar {
public:
    explicit calendar(callback due) : alarm_(due) {}

    /// Adds an item due at `t`; a `t` in the past is due now.
    [[gnu::noinline]] void at(sim_time t, Item item) {
        entry& e = heap_.emplace_back();
        e.due = t;
        e.order = next_order_++;
        e.item = std::move(item);
        if (heap_.size() > 1) std::push_heap(heap_.begin(), heap_.end(), later);
        alarm_.set_by(heap_.front().due);
    }

    /// Takes the earliest item that is due; false (and the alarm is set for the next) if none is.
    bool pop_due(Item& item) {
        if (heap_.empty()) return false;
        if (heap_.front().due > now()) {
            alarm_.set_by(heap_.front().due);
            return false;
        }
        if (heap_.size() > 1) std::pop_heap(heap_.begin(), heap_.end(), later);
        item = std::move(heap_.back().item);
        heap_.pop_back();
        return true;
    }

    /// Drops everything that `unwanted(item)` says.
    template <class Predicate>
    void remove_if(Predicate unwanted) {
        const auto first = std::remove_if(heap_.begin(), heap_.end(),
                                          [&](const entry& e) { return unwanted(e.item); });
        if (first == heap_.end()) return;
        heap_.erase(first, heap_.end());
        std::make_heap(heap_.begin(), heap_.end(), later);
    }

    /// Instead of the rest of the calls of pop_due: they come in the next phase of this instant.
    void go_on() { alarm_.set_by(now()); }

    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    /// sim_time::max() if there is nothing.
    sim_time next_due() const { return heap_.empty() ? sim_time::max() : heap_.front().due; }

private:
    struct entry {
        sim_time due;
        std::uint64_t order;
        Item item;
    };
    static bool later(const entry& a, const entry& b) {
        return a.due != b.due ? a.due > b.due : a.order > b.order;
    }

    alarm alarm_;
    std::vector<entry> heap_;
    std::uint64_t next_order_ = 0;
};

}  // namespace scmi_vp
