// SPDX-License-Identifier: Apache-2.0
// Many deadlines on one sc_event: a heap of our own, stable at equal times (first in, first out).
//
// SystemC keeps a cancelled timer in its heap until its time and does not keep insertion order at
// equal times; this heap avoids both.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

#include <systemc>

#include "tlm/sc_time.h"

namespace scmi_vp {

/// `Item` is small and copyable. Make a process sensitive to event(); in it, call pop_due until it
/// returns false (that is what arms the event for the rest). Wakes without anything due happen.
template <class Item>
class calendar {
public:
    explicit calendar(const char* event_name)
        : event_(event_name), far_((std::string(event_name) + "_far").c_str()) {
        sc_core::sc_spawn_options options;
        options.spawn_method();
        options.dont_initialize();
        options.set_sensitivity(&far_);
        sc_core::sc_spawn([this] { far_due(); }, (std::string(event_name) + "_forward").c_str(),
                          &options);
    }

    /// Adds an item due at `t`; a `t` in the past is due now.
    void at(sim_time t, Item item) {
        entry& e = heap_.emplace_back();
        e.due = t;
        e.order = next_order_++;
        e.item = std::move(item);
        if (heap_.size() > 1) std::push_heap(heap_.begin(), heap_.end(), later);
        arm();
    }

    /// Takes the earliest item that is due; false (and the event is armed for the next) if none is.
    bool pop_due(Item& item) {
        if (heap_.empty()) return false;
        if (heap_.front().due > now()) {
            arm();
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

    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    /// sim_time::max() if there is nothing.
    sim_time next_due() const { return heap_.empty() ? sim_time::max() : heap_.front().due; }
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

    /// Invariant: while there are items, a notification at or before the earliest is pending, or
    /// something is due and the process has yet to call pop_due.
    ///
    /// Why two events: notifying an event for an earlier time cancels what it was armed for, and
    /// the cancelled entry stays in SystemC's heap until its time. With one event, a long timeout
    /// behind a stream of short steps would leave an entry per step there (systemc 2.3.4,
    /// sc_event::notify and sc_event::cancel). So a far deadline stays armed on an event of its own
    /// even if its item is removed, and the next far one finds it there.
    void arm() {
        const sim_time due = heap_.front().due, t = now();
        if ((near_at_ > t && near_at_ <= due) || (far_at_ > t && far_at_ <= due)) return;
        const bool near = due - t < near_span;
        sc_core::sc_event& armed = near ? event_ : far_;
        sim_time& armed_for = near ? near_at_ : far_at_;
        // A notification in the next delta may be pending (something was due and has been taken
        // since); SystemC would ignore the later one. One for an earlier instant is over.
        if (armed_for >= t) armed.cancel();
        armed_for = std::max(due, t);
        armed.notify((near ? near_arm_ : far_arm_).to_sc(due - t));
    }

    void far_due() {
        if (heap_.empty()) return;
        if (heap_.front().due > now()) return arm();
        // At once; this cancels nothing, since event_ is only ever armed for earlier than far_.
        event_.notify();
    }

    static constexpr sim_time near_span = microseconds(100);

    sc_core::sc_event event_, far_;
    same_span near_arm_, far_arm_;
    std::vector<entry> heap_;
    std::uint64_t next_order_ = 0;
    sim_time near_at_, far_at_;  ///< what each event was last armed for
};

}  // namespace scmi_vp
