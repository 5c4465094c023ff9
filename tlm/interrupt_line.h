// SPDX-License-Identifier: Apache-2.0
// A level-sensitive interrupt line: a change is visible at once, and no pulse is lost.
//
// An sc_signal would show a level one delta late and drop a rise and fall within one delta; a
// handler that acknowledges and looks again would be entered twice.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <systemc>

#include "tlm/sc_time.h"

namespace scmi_vp {

/// Who takes the interrupt: told at once when the level rises, in the process that raises it.
class interrupt_listener {
public:
    virtual ~interrupt_listener() = default;
    virtual void interrupt_rose() = 0;
};

class interrupt_if : public virtual sc_core::sc_interface {
public:
    virtual void set(bool level) = 0;  ///< by the device; setting the same level again is no change
    virtual bool level() const = 0;
    /// Notified when the level rises: in the next delta, or when SystemC's time has come there.
    virtual const sc_core::sc_event& rose() const = 0;
    virtual void listen(interrupt_listener& listener) = 0;  ///< one per line: the latest
};

class interrupt_line : public sc_core::sc_module, public interrupt_if {
public:
    using observer = std::function<void(bool level)>;

    explicit interrupt_line(const sc_core::sc_module_name& name)
        : sc_core::sc_module(name), rose_("rose") {}

    void set(bool level) override {
        if (level == level_) return;
        level_ = level;
        if (level && rose_asked_for_) rose_.notify(time_offset());
        if (!observers_.empty()) tell(level);
        if (level && listener_) listener_->interrupt_rose();
    }
    bool level() const override { return level_; }
    const sc_core::sc_event& rose() const override {
        rose_asked_for_ = true;
        return rose_;
    }
    void listen(interrupt_listener& listener) override { listener_ = &listener; }

    /// Called at each change, in order of registration (checkers, traces). An observer that drives
    /// the line itself is allowed: everybody is told of its change after the one at hand.
    void observe(observer o) { observers_.push_back(std::move(o)); }

private:
    void tell(bool level) {
        if (++untold_ > 1) return;  // called by an observer: the loop below goes on
        for (; untold_ > 0; --untold_, level = !level) {
            for (const observer& o : observers_) o(level);
        }
    }

    bool level_ = false;
    mutable bool rose_asked_for_ = false;  ///< until then nobody can wait for the event
    unsigned untold_ =
        0;  ///< changes that observers have yet to be told of, the one at hand included
    interrupt_listener* listener_ = nullptr;
    sc_core::sc_event rose_;
    std::vector<observer> observers_;
};

}  // namespace scmi_vp
