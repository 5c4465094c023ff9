// SPDX-License-Identifier: Apache-2.0
// The timeline: one order of all instants, the same however far it runs ahead of SystemC's time.
#include "tlm/timeline.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>
#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

namespace scmi_vp {
namespace {

constexpr sim_time us = microseconds(1);

/// An alarm that does what a test says.
struct step {
    std::function<void()> what;
    alarm a{calling<&step::run>(this)};

    explicit step(std::function<void()> w) : what(std::move(w)) {}
    void run() { what(); }
};

/// Who did something, and when.
using entries = std::vector<std::pair<std::string, sim_time>>;

/// Each behaviour without and with running ahead.
class timeline_test : public testing::TestWithParam<bool> {
protected:
    entries log_;

    void note(const std::string& who) { log_.emplace_back(who, now()); }
    std::unique_ptr<step> noting(const std::string& who) {
        return std::make_unique<step>([=] { note(who); });
    }
    void run_until(sim_time end) {
        if (GetParam()) timeline::get().run_ahead(seconds(1), end);
        sc_core::sc_start(to_sc(end - kernel_time()));
    }
    /// A thread that waits by the timeline.
    void thread(sleeper& s, const std::function<void()>& body) {
        sc_core::sc_spawn([&s, body] {
            s.begin();
            body();
            s.end();
        });
    }
    /// Another process of the simulation at `t`, which knows nothing of the timeline.
    void foreign(sim_time t, const std::function<void()>& body) {
        sc_core::sc_spawn([=] {
            wait(to_sc(t));
            EXPECT_EQ(now(), from_sc(sc_core::sc_time_stamp()));
            body();
        });
    }
};

INSTANTIATE_TEST_SUITE_P(run_ahead, timeline_test, testing::Bool(),
                         [](const auto& i) { return i.param ? "far" : "off"; });

TEST_P(timeline_test, alarms_of_one_instant_come_in_the_order_in_which_they_were_set) {
    const auto a = noting("a"), b = noting("b"), c = noting("c"), d = noting("d");
    for (const auto* s : {&d, &a, &c}) (*s)->a.set(us * 2);
    b->a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"b", us}, {"d", us * 2}, {"a", us * 2}, {"c", us * 2}}));
}

TEST_P(timeline_test, an_alarm_that_is_set_again_goes_behind_the_others_of_its_instant) {
    const auto a = noting("a"), b = noting("b"), c = noting("c");
    for (const auto* s : {&a, &b, &c}) (*s)->a.set(us);
    a->a.set(us);
    b->a.set(us * 3);
    b->a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"c", us}, {"a", us}, {"b", us}}));
}

TEST_P(timeline_test, set_by_keeps_what_is_earlier_and_its_place) {
    const auto a = noting("a"), b = noting("b");
    a->a.set_by(us * 2);
    b->a.set_by(us * 2);
    a->a.set_by(us * 2);
    a->a.set_by(us * 3);
    EXPECT_EQ(a->a.due(), us * 2);
    run_until(us * 5);
    EXPECT_EQ(log_, (entries{{"a", us * 2}, {"b", us * 2}}));
    a->a.set_by(us * 8);
    a->a.set_by(us * 7);
    EXPECT_EQ(a->a.due(), us * 7);
    run_until(us * 10);
    EXPECT_EQ(log_.back(), std::make_pair(std::string("a"), us * 7));
    EXPECT_EQ(log_.size(), 3u);
}

TEST_P(timeline_test, the_past_is_now) {
    const auto late = noting("late");
    unsigned turn = 0;
    step first([&] {
        if (++turn == 1) return first.a.set(us * 7);
        late->a.set(us * 3);
        EXPECT_EQ(late->a.due(), us * 7);
        late->a.set_by(us * 2);
    });
    first.a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"late", us * 7}}));
}

TEST_P(timeline_test, a_cleared_alarm_and_one_that_is_gone_do_not_come) {
    auto cleared = noting("cleared"), gone = noting("gone"), kept = noting("kept");
    step clears([&] {
        cleared->a.clear();
        EXPECT_FALSE(cleared->a.is_set());
        gone.reset();
    });
    clears.a.set(us);
    for (const auto* s : {&cleared, &gone, &kept}) (*s)->a.set(us);
    EXPECT_TRUE(cleared->a.is_set());
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"kept", us}}));
    EXPECT_FALSE(kept->a.is_set());
}

TEST_P(timeline_test, what_a_step_sets_for_its_own_instant_comes_after_the_threads_it_resumed) {
    sleeper s;
    const auto next = noting("next phase"), other = noting("other");
    step first([&] {
        note("first");
        next->a.set(now());
        s.resume();
    });
    thread(s, [&] {
        s.suspend();
        note("thread");
    });
    first.a.set(us);
    other->a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"first", us}, {"other", us}, {"thread", us}, {"next phase", us}}));
}

TEST_P(timeline_test, threads_go_on_in_the_order_in_which_they_were_resumed) {
    sleeper s[4];
    for (int i = 0; i < 4; ++i) {
        thread(s[i], [&, i] {
            for (int turn = 0; turn < 2; ++turn) {
                s[i].suspend();
                note(std::to_string(i));
            }
        });
    }
    step first([&] {
        for (int i : {2, 0, 2, 3, 1, 0}) s[i].resume();  // twice is once
    });
    step second([&] {
        for (int i : {1, 3, 2, 0}) s[i].resume();
    });
    first.a.set(us);
    second.a.set(us * 2);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"2", us},
                             {"0", us},
                             {"3", us},
                             {"1", us},
                             {"1", us * 2},
                             {"3", us * 2},
                             {"2", us * 2},
                             {"0", us * 2}}));
}

// The one that ran last runs the alarms of 2 us on its own stack (it never left suspend()).
TEST_P(timeline_test, a_thread_that_lends_its_stack_is_not_favoured) {
    sleeper lender, other;
    step wakes_lender([&] { lender.resume(); });
    step wakes_both([&] { other.resume(), lender.resume(); });
    thread(other, [&] {
        other.suspend();
        note("other");
    });
    thread(lender, [&] {
        lender.suspend();
        note("lender");
        wakes_both.a.set(us * 2);
        lender.suspend();
        note("lender");
    });
    wakes_lender.a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"lender", us}, {"other", us * 2}, {"lender", us * 2}}));
}

TEST_P(timeline_test, a_thread_resumed_before_it_suspends_goes_on_in_that_phase) {
    sleeper s;
    thread(s, [&] {
        s.resume();
        s.suspend();
        note("at once");
        s.suspend();  // the resumption is used up
        note("never");
    });
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"at once", sim_time{}}}));
}

TEST_P(timeline_test, a_thread_may_wait_in_systemc_s_own_way_in_between) {
    sleeper s;
    sc_core::sc_event e;
    step wakes([&] { s.resume(); });
    const auto meanwhile = noting("meanwhile");
    thread(s, [&] {
        wakes.a.set(us * 2);
        s.suspend();
        note("resumed");
        meanwhile->a.set(us * 3);
        s.end();
        wait(to_sc(us * 3) + time_offset());
        s.begin();
        EXPECT_EQ(now(), from_sc(sc_core::sc_time_stamp()));
        note("waited");
        wakes.a.set(us * 6);
        s.suspend();
        note("resumed");
    });
    run_until(us * 10);
    EXPECT_EQ(
        log_,
        (entries{
            {"resumed", us * 2}, {"meanwhile", us * 3}, {"waited", us * 5}, {"resumed", us * 6}}));
}

TEST_P(timeline_test, somebody_else_sets_for_now_first_and_then_for_later) {
    const auto at_once = noting("at once"), later = noting("later");
    sleeper s;
    thread(s, [&] {
        s.suspend();
        note("thread");
    });
    foreign(us, [&] {
        at_once->a.set(now());
        later->a.set(now() + us);
    });
    foreign(us * 4, [&] {
        s.resume();
        later->a.set(now() + us);
    });
    run_until(us * 10);
    EXPECT_EQ(log_,
              (entries{{"at once", us}, {"later", us * 2}, {"thread", us * 4}, {"later", us * 5}}));
}

TEST_P(timeline_test, what_is_set_before_the_simulation_begins_is_all_on_time) {
    const auto at_once = noting("at once"), later = noting("later");
    at_once->a.set({});
    later->a.set(us);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"at once", {}}, {"later", us}}));
}

// Where time is driven from outside, what comes in is set between two sc_start: here at the very
// instant for which a far deadline was armed, so that SystemC has triggered it already.
TEST_P(timeline_test, what_is_set_between_two_runs_at_the_instant_of_a_far_deadline_is_on_time) {
    const auto far = noting("far"), near = noting("near"), nearer = noting("nearer");
    far->a.set(us * 500);
    run_until(us * 500);
    EXPECT_EQ(log_, entries{});
    near->a.set(now() + us * 2);
    nearer->a.set(now() + us);
    run_until(us * 600);
    EXPECT_EQ(log_, (entries{{"far", us * 500}, {"nearer", us * 501}, {"near", us * 502}}));
}

TEST_P(timeline_test, others_events_are_never_passed) {
    step tick([&] {
        note("alarm");
        tick.a.set(now() + us * 3);
    });
    tick.a.set(us);
    for (int t : {2, 5, 6, 11}) foreign(us * t, [&] { note("foreign"); });
    run_until(us * 15);
    EXPECT_EQ(log_, (entries{{"alarm", us},
                             {"foreign", us * 2},
                             {"alarm", us * 4},
                             {"foreign", us * 5},
                             {"foreign", us * 6},
                             {"alarm", us * 7},
                             {"alarm", us * 10},
                             {"foreign", us * 11},
                             {"alarm", us * 13}}));
}

// IEEE 1666-2011 4.2.1: who is due at an instant comes in its first evaluation phase, and what a
// step sets for that instant in a later one.
TEST_P(timeline_test, others_of_an_instant_come_before_its_next_phase) {
    const auto next = noting("next phase");
    step first([&] { next->a.set(now()); });
    first.a.set(us * 3);
    const auto before = noting("before");
    before->a.set(us);
    foreign(us * 3, [&] { note("foreign"); });
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"before", us}, {"foreign", us * 3}, {"next phase", us * 3}}));
}

// IEEE 1666-2011 10.3.4: what is notified from a step that ran ahead is annotated with the offset.
TEST_P(timeline_test, an_event_notified_with_the_offset_comes_at_the_models_instant) {
    sc_core::sc_event e;
    sc_core::sc_spawn([&] {
        wait(e);
        note("foreign");
    });
    const auto after = noting("after");
    step first([&] {
        note("first");
        after->a.set(us * 9);
        e.notify(time_offset() + to_sc(us * 2));
    });
    first.a.set(us * 5);
    run_until(us * 20);
    EXPECT_EQ(log_, (entries{{"first", us * 5}, {"foreign", us * 7}, {"after", us * 9}}));
}

// IEEE 1666-2011 4.3.4.2: sc_start does not run what is due at its end.
TEST_P(timeline_test, nothing_at_or_after_the_end_happens_before_sc_start_returns) {
    const auto before = noting("before"), at = noting("at"), after = noting("after");
    before->a.set(us * 10 - picoseconds(1));
    at->a.set(us * 10);
    after->a.set(us * 11);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"before", us * 10 - picoseconds(1)}}));
    EXPECT_EQ(now(), us * 10);
    EXPECT_EQ(sc_core::sc_time_stamp(), to_sc(us * 10));
    run_until(us * 11 + picoseconds(1));
    EXPECT_EQ(now(), us * 11 + picoseconds(1));
    ASSERT_EQ(log_.size(), 3u);
    EXPECT_EQ(log_[1], std::make_pair(std::string("at"), us * 10));
    EXPECT_EQ(log_[2], std::make_pair(std::string("after"), us * 11));
}

TEST_P(timeline_test, stop_ends_at_the_models_time) {
    sleeper s;
    const auto same = noting("same phase"), next = noting("next phase"), later = noting("later");
    step stops([&] {
        note("stops");
        next->a.set(now());
        s.resume();
        timeline::get().stop();
    });
    thread(s, [&] {
        s.suspend();
        note("thread");
        s.suspend();
    });
    stops.a.set(us * 4);
    same->a.set(us * 4);
    later->a.set(us * 4 + picoseconds(1));
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"stops", us * 4}, {"same phase", us * 4}, {"thread", us * 4}}));
    EXPECT_EQ(now(), us * 4);
    EXPECT_EQ(sc_core::sc_get_status(), sc_core::SC_STOPPED);
}

TEST_P(timeline_test, time_offset_is_what_a_step_ran_ahead) {
    std::vector<sim_time> offsets;
    step tick([&] {
        EXPECT_EQ(from_sc(time_offset()), now() - from_sc(sc_core::sc_time_stamp()));
        offsets.push_back(from_sc(time_offset()));
        tick.a.set(now() + us * 2);
    });
    tick.a.set(us);
    foreign(us * 4, [] { EXPECT_EQ(time_offset(), sc_core::SC_ZERO_TIME); });
    run_until(us * 8);
    EXPECT_EQ(time_offset(), sc_core::SC_ZERO_TIME);
    // What was set before sc_start is armed; from there it runs ahead until 4 us, another's.
    using times = std::vector<sim_time>;
    EXPECT_EQ(offsets, GetParam() ? (times{{}, us * 2, {}, us * 2}) : times(4));
}

TEST_P(timeline_test, notify_resumes_in_this_phase_and_notify_delta_in_the_next) {
    awaited_event e;
    sleeper s;
    step again([&] { note("alarm"); });
    thread(s, [&] {
        for (int turn = 0; turn < 2; ++turn) {
            e.await(s);
            e.await(again.a);
            s.suspend();
            note("thread");
        }
        s.suspend();
        note("never");
    });
    const auto set_next = noting("set for next");
    step notifies([&] {
        e.notify();
        set_next->a.set(now());
    });
    step notifies_delta([&] {
        set_next->a.set(now());
        e.notify_delta();
        e.notify_delta();
    });
    step in_vain([&] { e.notify(), e.notify_delta(); });
    notifies.a.set(us);
    notifies_delta.a.set(us * 2);
    in_vain.a.set(us * 3);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"thread", us},
                             {"alarm", us},
                             {"set for next", us},
                             {"set for next", us * 2},
                             {"thread", us * 2},
                             {"alarm", us * 2}}));
}

TEST_P(timeline_test, a_sleeper_that_forgets_an_event_is_not_resumed_by_it) {
    awaited_event e;
    sleeper s, other;
    step gives_up([&] { s.resume(); });
    thread(other, [&] {
        e.await(other);
        other.suspend();
        note("other");
    });
    thread(s, [&] {
        e.await(s);
        s.suspend();
        note("gave up");
        e.forget(s);
        s.suspend();
        note("never");
    });
    step notifies([&] { e.notify(); });
    gives_up.a.set(us);
    notifies.a.set(us * 2);
    run_until(us * 10);
    EXPECT_EQ(log_, (entries{{"gave up", us}, {"other", us * 2}}));
}

/// Bytes of the heap that 10 000 rounds of `round` leave in use; they last 5 us each.
std::size_t memory_left_by(const std::function<void()>& round) {
    std::size_t before = 0, after = 0;
    sc_core::sc_spawn([&] {
        for (int i = 0; i < 10'000; ++i) {
            if (i == 100) before = mallinfo2().uordblks;
            round();
            wait(to_sc(us * 5));
        }
        after = mallinfo2().uordblks;
    });
    sc_core::sc_start(to_sc(milliseconds(51)));
    return after > before ? after - before : 0;
}

// A timeout behind every request, cleared when the reply is there (Linux
// drivers/firmware/arm_scmi/driver.c, scmi_wait_for_reply). SystemC keeps a cancelled notification
// in its heap until its time (systemc 2.3.4, sc_event::cancel), which the first half shows.
TEST(timeline_memory, a_far_deadline_before_each_of_many_near_steps_does_not_grow_systemc_s_heap) {
    sc_core::sc_event e;
    const std::size_t one_event = memory_left_by([&] {
        e.notify(to_sc(milliseconds(60)));
        e.notify(to_sc(us));
    });
    if (one_event == 0) GTEST_SKIP() << "this allocator does not tell (a sanitizer's)";
    EXPECT_GT(one_event, 100'000u);

    unsigned steps = 0;
    step far([] {}), near([&] { ++steps, far.a.clear(); });
    const std::size_t left = memory_left_by([&] {
        far.a.set(now() + milliseconds(60));
        near.a.set(now() + us);
    });
    EXPECT_EQ(steps, 10'000u);
    EXPECT_LT(left, 10'000u);
}

}  // namespace
}  // namespace scmi_vp
