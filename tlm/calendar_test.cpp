// SPDX-License-Identifier: Apache-2.0
// The calendar: nothing lost, nothing late, first in first out at equal times.
#include "tlm/calendar.h"

#include <functional>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

namespace scmi_vp {
namespace {

/// Pops what is due and keeps when it came; `handle` may add more.
struct user : sc_core::sc_module {
    calendar<int> deadlines{calling<&user::run>(this)};
    std::vector<std::pair<int, sim_time>> popped;
    std::function<void(int)> handle = [](int) {};
    unsigned wakes = 0;

    explicit user(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
    void run() {
        ++wakes;
        for (int item = 0; deadlines.pop_due(item);) {
            popped.emplace_back(item, now());
            handle(item);
        }
    }
};

using pops = std::vector<std::pair<int, sim_time>>;

void run_for(sim_time t) {
    sc_core::sc_start(to_sc(t));
}

TEST(calendar, pops_at_the_due_time_and_in_order_of_insertion_at_equal_times) {
    user u("u");
    u.deadlines.at(microseconds(2), 1);
    u.deadlines.at(microseconds(1), 2);
    u.deadlines.at(microseconds(2), 3);
    u.deadlines.at(microseconds(2), 4);
    u.deadlines.at(sim_time{}, 5);
    EXPECT_EQ(u.deadlines.size(), 5u);
    EXPECT_EQ(u.deadlines.next_due(), sim_time{});
    run_for(milliseconds(1));
    EXPECT_EQ(u.popped, (pops{{5, sim_time{}},
                              {2, microseconds(1)},
                              {1, microseconds(2)},
                              {3, microseconds(2)},
                              {4, microseconds(2)}}));
    EXPECT_TRUE(u.deadlines.empty());
    EXPECT_EQ(u.deadlines.next_due(), sim_time::max());
}

TEST(calendar, items_added_inside_the_handler_come_at_their_time) {
    user u("u");
    u.handle = [&](int item) {
        if (item == 1) {
            u.deadlines.at(now(), 2);
            u.deadlines.at(now() + milliseconds(1), 3);
            u.deadlines.at(now() + picoseconds(1), 4);
            u.deadlines.at(now() - nanoseconds(1), 5);  // in the past: due now, before item 2
        }
    };
    u.deadlines.at(microseconds(1), 1);
    run_for(milliseconds(2));
    EXPECT_EQ(u.popped, (pops{{1, microseconds(1)},
                              {5, microseconds(1)},
                              {2, microseconds(1)},
                              {4, microseconds(1) + picoseconds(1)},
                              {3, microseconds(1) + milliseconds(1)}}));
}

// IEEE 1666-2011 5.10.8: an event that has been triggered at a time can be notified again at it.
TEST(calendar, items_added_by_others_at_the_armed_time_after_the_handler_ran) {
    user u("u");
    u.deadlines.at(microseconds(1), 1);
    u.deadlines.at(microseconds(5), 9);
    sc_core::sc_spawn([&] {
        wait(to_sc(microseconds(1)));
        for (int delta = 0; delta < 3; ++delta) {
            wait(sc_core::SC_ZERO_TIME);
            u.deadlines.at(now(), 2 + delta);
        }
        u.deadlines.at(now() + nanoseconds(1), 7);
    });
    run_for(microseconds(10));
    EXPECT_EQ(u.popped, (pops{{1, microseconds(1)},
                              {2, microseconds(1)},
                              {3, microseconds(1)},
                              {4, microseconds(1)},
                              {7, microseconds(1) + nanoseconds(1)},
                              {9, microseconds(5)}}));
}

TEST(calendar, pop_due_outside_the_handler_leaves_the_rest_armed) {
    user u("u");
    u.deadlines.at(microseconds(3), 3);
    u.deadlines.at(milliseconds(3), 4);
    sc_core::sc_spawn([&] {
        int item = 0;
        wait(to_sc(microseconds(1)));
        EXPECT_FALSE(u.deadlines.pop_due(item));
        u.deadlines.at(now(), 1);
        EXPECT_TRUE(u.deadlines.pop_due(item));
        EXPECT_EQ(item, 1);
        EXPECT_FALSE(u.deadlines.pop_due(item));
    });
    run_for(milliseconds(5));
    EXPECT_EQ(u.popped, (pops{{3, microseconds(3)}, {4, milliseconds(3)}}));
}

TEST(calendar, remove_if_keeps_the_order_of_the_rest) {
    user u("u");
    for (int i = 0; i < 20; ++i) u.deadlines.at(microseconds(5), i);
    u.deadlines.at(milliseconds(60), 100);
    u.deadlines.remove_if([](int i) { return i % 3 != 0; });
    EXPECT_EQ(u.deadlines.size(), 7u);
    run_for(milliseconds(100));
    ASSERT_EQ(u.popped.size(), 7u);
    for (int i = 0; i < 7; ++i) EXPECT_EQ(u.popped[static_cast<std::size_t>(i)].first, 3 * i);
}

// A timeout behind every request, removed when the reply is there (Linux
// drivers/firmware/arm_scmi/driver.c, scmi_wait_for_reply): it must neither be late nor cost wakes.
TEST(calendar, removed_timeouts_cost_hardly_any_wakes_and_a_kept_one_is_on_time) {
    user u("u");
    int requests = 0;
    u.handle = [&](int item) {
        if (item != 0) return;
        u.deadlines.remove_if([](int i) { return i == 1; });
        u.deadlines.at(now() + milliseconds(60), 1);
        if (++requests < 10'000) u.deadlines.at(now() + microseconds(5), 0);
    };
    u.deadlines.at(microseconds(5), 0);
    run_for(seconds(1));
    ASSERT_EQ(u.popped.size(), 10'001u);
    EXPECT_EQ(u.popped.back(), std::make_pair(1, milliseconds(50 + 60)));
    EXPECT_LE(u.wakes, 10'003u);
}

/// Random spans of all sizes, with many equal times.
sim_time random_span(std::mt19937_64& random) {
    static const sim_time units[] = {sim_time{},      picoseconds(1),   nanoseconds(50),
                                     microseconds(1), microseconds(25), milliseconds(1)};
    return units[random() % 6] * static_cast<std::int64_t>(random() % 8);
}

// Against a std::multimap, which keeps insertion order at equal keys (C++17 26.2.6).
TEST(calendar, agrees_with_a_multimap_under_random_inserts_and_removals) {
    user u("u");
    std::mt19937_64 random(20260101);
    std::multimap<sim_time, int> reference;
    int next = 0;
    const auto add = [&] {
        const sim_time due = now() + random_span(random);
        reference.emplace(due, next);
        u.deadlines.at(due, next++);
    };
    u.handle = [&](int item) {
        ASSERT_FALSE(reference.empty());
        EXPECT_EQ(reference.begin()->second, item);
        EXPECT_EQ(reference.begin()->first, now());
        reference.erase(reference.begin());
        if (random() % 4 == 0) add();
    };
    sc_core::sc_spawn([&] {
        for (int round = 0; round < 20'000; ++round) {
            for (auto n = random() % 4; n > 0; --n) add();
            if (random() % 16 == 0) {
                const int unwanted = static_cast<int>(random() % 5);
                u.deadlines.remove_if([=](int i) { return i % 5 == unwanted; });
                for (auto it = reference.begin(); it != reference.end();) {
                    it = it->second % 5 == unwanted ? reference.erase(it) : std::next(it);
                }
            }
            wait(to_sc(random_span(random)));
        }
    });
    run_for(seconds(1'000));
    EXPECT_TRUE(reference.empty());
    EXPECT_TRUE(u.deadlines.empty());
    EXPECT_GT(u.popped.size(), 20'000u);
}

}  // namespace
}  // namespace scmi_vp
