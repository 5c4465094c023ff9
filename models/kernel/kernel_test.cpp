// SPDX-License-Identifier: Apache-2.0
// The guest's CPUs and waits by themselves: interrupts take CPU time, tasks share a CPU in turn,
// completions and timers race as in kernel/sched/completion.c.
#include "models/kernel/kernel.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/model_testing.h"

namespace scmi_vp::models {
namespace {

using testing::ElementsAre;
using testing_tools::collector;
using testing_tools::in_child;
using strings = std::vector<std::string>;

/// A kernel with tasks whose bodies are given, and a thread for what the hardware does.
class machine : public sc_core::sc_module {
public:
    machine(const guest_config& config, sim_time quantum, sim_time guest_wake = {})
        : sc_core::sc_module(sc_core::sc_module_name("machine")),
          mon_(sink_),
          kernel("kernel", config, quantum, latency(make_constant(guest_wake), {0, "", ""}), mon_) {
        SC_HAS_PROCESS(machine);
        SC_THREAD(run_hardware);
    }
    guest_context& task(const std::string& name, unsigned cpu,
                        std::function<void(guest_context&)> body) {
        return kernel.add_context({name, int(kernel.contexts().size()) + 1, cpu}, std::move(body));
    }
    /// An interrupt on CPU 0 for a while.
    void interrupt(sim_time length) {
        kernel.irq_enter(kernel.cpu(0));
        sc_core::wait(to_sc(length));
        kernel.irq_exit(kernel.cpu(0));
    }
    void note(const std::string& what) { notes.push_back(what + " " + to_string(now())); }
    void run() { sc_core::sc_start(to_sc(seconds(1000))); }

    std::function<void()> hardware;
    strings notes;

private:
    void run_hardware() {
        if (hardware) hardware();
    }
    collector sink_;
    monitor mon_;

public:
    guest_kernel kernel;
};

guest_config cpus(unsigned n) {
    guest_config c;
    c.cpus = n;
    return c;
}

void pass(sim_time t) {
    sc_core::wait(to_sc(t));
}

TEST(guest_cpu_time, that_interrupts_take_is_added_whatever_the_quantum) {
    for (const sim_time quantum :
         {nanoseconds(10), nanoseconds(999), microseconds(7), seconds(1)}) {
        SCOPED_TRACE(to_string(quantum));
        in_child([&] {
            machine m(cpus(1), quantum);
            m.task("t", 0, [&](guest_context& c) {
                for (int i = 0; i < 100; ++i) c.spend(nanoseconds(100));  // 10 us in all
                c.sync();
                m.note("done");
            });
            m.hardware = [&] {
                pass(microseconds(3));
                m.interrupt(microseconds(2));  // 3 .. 5
                m.interrupt(microseconds(1));  // 5 .. 6, at once
                pass(microseconds(4));
                m.interrupt(nanoseconds(500));  // 10 .. 10.5
                pass(microseconds(10));
                m.interrupt(microseconds(5));  // after the end: costs nobody anything
            };
            m.run();
            EXPECT_THAT(m.notes, ElementsAre("done 13.5us"));
        });
    }
}

TEST(guest_cpu_time, of_a_stamp_is_after_an_interrupt_that_came_first) {
    machine m(cpus(1), seconds(1));
    m.task("t", 0, [&](guest_context& c) {
        c.spend(microseconds(5));
        m.notes.push_back(to_string(c.stamp()));
    });
    m.hardware = [&] {
        pass(microseconds(1));
        m.interrupt(microseconds(10));
    };
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("15us"));
}

TEST(guest_cpu_time, is_taken_from_tasks_of_that_cpu_only) {
    machine m(cpus(2), microseconds(1));
    for (unsigned cpu : {0u, 1u}) {
        m.task("t" + std::to_string(cpu), cpu, [&](guest_context& c) {
            c.spend(microseconds(10));
            c.sync();
            m.note(c.config().name);
        });
    }
    m.hardware = [&] {
        pass(microseconds(1));
        m.interrupt(microseconds(4));
    };
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("t1 10us", "t0 14us"));
}

TEST(guest_tasks, share_a_cpu_first_come_first_served_without_preemption) {
    machine m(cpus(2), microseconds(1));
    for (const auto& [name, cpu] :
         {std::pair<const char*, unsigned>{"a", 0}, {"b", 0}, {"c", 0}, {"d", 1}}) {
        m.task(name, cpu, [&](guest_context& c) {
            c.spend(microseconds(5));
            c.sync();
            m.note(c.config().name);
            c.idle(microseconds(1));
            c.spend(microseconds(1));
            c.sync();
            m.note(c.config().name);
        });
    }
    m.run();
    // a is ready again at 6 us, behind b and c, who were there first; c has the CPU until 15 us.
    EXPECT_THAT(m.notes, ElementsAre("a 5us", "d 5us", "d 7us", "b 10us", "c 15us", "a 16us",
                                     "b 17us", "c 18us"));
}

TEST(guest_tasks, that_become_runnable_during_an_interrupt_run_after_it) {
    guest_config config = cpus(1);
    config.costs.context_switch = microseconds(2);
    machine m(config, microseconds(1));
    completion done;
    m.task("t", 0, [&](guest_context& c) {
        EXPECT_TRUE(c.wait_for(done, sim_time::max(), context_wave::waiting));
        m.note("runs");
    });
    m.hardware = [&] {
        pass(microseconds(10));
        m.kernel.irq_enter(m.kernel.cpu(0));
        pass(microseconds(1));
        m.kernel.complete(done);
        pass(microseconds(3));
        m.kernel.irq_exit(m.kernel.cpu(0));
    };
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("runs 16us"));  // 10 + 1 + 3, then the switch
}

TEST(guest_tasks, run_a_wake_up_latency_after_they_are_woken) {
    guest_config config = cpus(1);
    config.costs.context_switch = nanoseconds(300);
    machine m(config, microseconds(1), microseconds(20));
    completion done;
    m.task("t", 0, [&](guest_context& c) {
        EXPECT_TRUE(c.wait_for(done, sim_time::max(), context_wave::waiting));
        c.sync();
        m.note("runs");
    });
    m.hardware = [&] {
        pass(microseconds(10));
        m.kernel.complete(done);
        pass(microseconds(1));
        m.kernel.complete(done);  // waking twice is waking once
    };
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("runs 30.3us"));
}

struct race {
    sim_time completed;
    bool success;
    const char* note;
};

TEST(guest_waits, a_completion_before_the_task_runs_is_a_success_after_the_timer_fired_too) {
    // do_wait_for_common: done is looked at again after schedule_timeout has returned. The timer
    // fires at 100 us, the task runs at 110 us.
    for (const race& r : {race{microseconds(50), true, "60us"},
                          {microseconds(105), true, "110us"},
                          {microseconds(111), false, "110us"}}) {
        SCOPED_TRACE(to_string(r.completed));
        in_child([&] {
            machine m(cpus(1), microseconds(1), microseconds(10));
            completion done;
            m.task("t", 0, [&](guest_context& c) {
                EXPECT_EQ(c.wait_for(done, microseconds(100), context_wave::waiting), r.success);
                m.notes.push_back(to_string(now()));
            });
            m.hardware = [&] {
                pass(r.completed);
                m.kernel.complete(done);
            };
            m.run();
            EXPECT_THAT(m.notes, ElementsAre(r.note));
        });
    }
}

TEST(guest_waits, a_completion_that_was_done_before_the_wait_is_used_up_by_it) {
    machine m(cpus(1), microseconds(1));
    completion done;
    m.kernel.complete(done);
    m.task("t", 0, [&](guest_context& c) {
        EXPECT_TRUE(c.wait_for(done, microseconds(5), context_wave::waiting));
        m.note("first");
        EXPECT_FALSE(c.wait_for(done, microseconds(5), context_wave::waiting));
        m.note("second");
    });
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("first 0s", "second 5us"));
}

TEST(guest_waits, many_long_timeouts_that_never_expire_leave_one_timer) {
    machine m(cpus(1), microseconds(1));
    completion done;
    std::size_t most = 0;
    m.task("t", 0, [&](guest_context& c) {
        for (int i = 0; i < 10'000; ++i) {
            EXPECT_TRUE(c.wait_for(done, now() + seconds(60), context_wave::waiting));
            most = std::max(most, m.kernel.timers_armed());
        }
        // The last one expires, at its own time and not at that of an older entry.
        const sim_time asleep = now();
        EXPECT_FALSE(c.wait_for(done, asleep + seconds(60), context_wave::waiting));
        EXPECT_EQ(to_string(now() - asleep), "60s");
    });
    m.hardware = [&] {
        for (int i = 0; i < 10'000; ++i) {
            pass(milliseconds(10));
            m.kernel.complete(done);
        }
    };
    m.run();
    EXPECT_LE(most, 2u);
    EXPECT_TRUE(m.kernel.all_finished());
}

TEST(guest_waits, a_shorter_timeout_after_a_longer_one_expires_in_time) {
    machine m(cpus(1), microseconds(1));
    completion done;
    m.task("t", 0, [&](guest_context& c) {
        EXPECT_TRUE(c.wait_for(done, seconds(60), context_wave::waiting));
        EXPECT_FALSE(c.wait_for(done, seconds(2), context_wave::waiting_delayed));
        m.note("short");
        EXPECT_FALSE(c.wait_for(done, seconds(100), context_wave::waiting));
        m.note("long");
    });
    m.hardware = [&] {
        pass(seconds(1));
        m.kernel.complete(done);
    };
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("short 2s", "long 100s"));
}

TEST(guest_mutex, is_handed_on_in_the_order_of_asking) {
    machine m(cpus(4), microseconds(1));
    guest_mutex mutex;
    for (unsigned i = 0; i < 4; ++i) {
        m.task("t" + std::to_string(i), i, [&, i](guest_context& c) {
            c.spend(microseconds(4 - i));  // t3 asks first
            c.lock(mutex);
            c.spend(microseconds(10));
            c.unlock(mutex);
            m.note(c.config().name);
        });
    }
    m.run();
    EXPECT_THAT(m.notes, ElementsAre("t3 11us", "t2 21us", "t1 31us", "t0 41us"));
}

TEST(guest_log, stamps_move_with_the_tick_and_start_at_zero) {
    // printk under time travel uses jiffies; before the first edge they stand still.
    guest_config config = cpus(1);
    config.hz = 100;
    config.tick_phase = milliseconds(3);
    config.costs.printk_on_tick = true;
    collector sink;
    monitor mon(sink);
    guest_kernel kernel("kernel", config, microseconds(1), latency(), mon);
    for (const sim_time t : {milliseconds(1), milliseconds(3), milliseconds(22)}) {
        kernel.printk("x", t);
    }
    ASSERT_EQ(sink.log.size(), 3u);
    EXPECT_EQ(to_string(sink.log[0].stamp), "0s");
    EXPECT_EQ(to_string(sink.log[1].stamp), "3ms");
    EXPECT_EQ(to_string(sink.log[2].stamp), "13ms");
}

}  // namespace
}  // namespace scmi_vp::models
