// SPDX-License-Identifier: Apache-2.0
// The interrupt line: changes are visible at once, and no pulse is lost.
#include "tlm/interrupt_line.h"

#include <gtest/gtest.h>
#include <sysc/kernel/sc_dynamic_processes.h>

#include "tlm/sc_time.h"

namespace scmi_vp {
namespace {

using levels = std::vector<bool>;

struct handler : sc_core::sc_module {
    interrupt_line& line;
    levels seen;  ///< the level when the handler is entered

    handler(const sc_core::sc_module_name& name, interrupt_line& l)
        : sc_core::sc_module(name), line(l) {
        SC_HAS_PROCESS(handler);
        SC_METHOD(run);
        sensitive << line.rose();
        dont_initialize();
    }
    void run() { seen.push_back(line.level()); }
};

// An sc_signal would show none of it (IEEE 1666-2011 6.4.4: the value changes in the update phase).
TEST(interrupt_line, a_pulse_within_one_delta_is_seen_by_the_observer) {
    interrupt_line line("line");
    levels told;
    line.observe([&](bool level) {
        EXPECT_EQ(level, line.level());
        told.push_back(level);
    });
    sc_core::sc_spawn([&] {
        line.set(true);
        EXPECT_TRUE(line.level());
        line.set(false);
        EXPECT_FALSE(line.level());
    });
    sc_core::sc_start(to_sc(nanoseconds(1)));
    EXPECT_EQ(told, (levels{true, false}));
}

TEST(interrupt_line, rose_is_notified_once_per_delta_and_only_by_rises) {
    interrupt_line line("line");
    handler h("h", line);
    line.set(true);
    line.set(true);
    sc_core::sc_start(to_sc(nanoseconds(1)));
    EXPECT_EQ(h.seen, levels{true});
    line.set(false);
    sc_core::sc_start(to_sc(nanoseconds(1)));
    EXPECT_EQ(h.seen, levels{true});
    line.set(true);
    line.set(false);  // the handler is entered and finds it gone: a spurious interrupt
    sc_core::sc_start(to_sc(nanoseconds(1)));
    EXPECT_EQ(h.seen, (levels{true, false}));
}

TEST(interrupt_line, setting_the_same_level_is_no_change) {
    interrupt_line line("line");
    levels told;
    line.observe([&](bool level) { told.push_back(level); });
    line.set(false);
    line.set(true);
    line.set(true);
    line.set(false);
    line.set(false);
    EXPECT_EQ(told, (levels{true, false}));
}

TEST(interrupt_line, observers_see_every_change_in_order_even_if_one_of_them_drives_the_line) {
    interrupt_line line("line");
    std::vector<std::pair<char, bool>> told;
    int pulses = 2;
    line.observe([&](bool level) {
        told.emplace_back('a', level);
        if (level && pulses-- > 0) {  // acknowledges at once, and the device raises it again
            line.set(false);
            line.set(true);
        }
    });
    line.observe([&](bool level) { told.emplace_back('b', level); });
    line.set(true);
    const std::vector<std::pair<char, bool>> expected = {
        {'a', true}, {'b', true},  {'a', false}, {'b', false}, {'a', true},
        {'b', true}, {'a', false}, {'b', false}, {'a', true},  {'b', true}};
    EXPECT_EQ(told, expected);
    EXPECT_TRUE(line.level());
}

TEST(interrupt_line, binds_to_a_port) {
    struct device : sc_core::sc_module {
        sc_core::sc_port<interrupt_if> irq{"irq"};
        explicit device(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
    } dev("dev");
    interrupt_line line("line");
    dev.irq.bind(line);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    dev.irq->set(true);
    EXPECT_TRUE(line.level());
}

}  // namespace
}  // namespace scmi_vp
