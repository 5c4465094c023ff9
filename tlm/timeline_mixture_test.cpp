// SPDX-License-Identifier: Apache-2.0
// A random mixture of alarms, threads and processes that know nothing of the timeline: what happens
// is the same however far the timeline may run ahead, and however often sc_start returns.
#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sysc/kernel/sc_dynamic_processes.h>  // <systemc> leaves sc_spawn out

#include "tlm/timeline.h"

namespace scmi_vp {
namespace {

/// Alarms are due at its multiples, so that many share an instant.
constexpr sim_time grid = picoseconds(1 << 18);
constexpr sim_time longest = grid * 600;
constexpr sim_time length = milliseconds(20);

/// Everybody draws from the same stream: the smallest difference in order changes all that follows.
class mixture {
public:
    mixture();
    /// Until nobody has anything to do any more.
    void run(sim_time most, int starts);

    /// Who acted, and when since the beginning: by the timeline, or at an instant of one's own.
    std::vector<std::pair<int, sim_time>> log;
    /// The same of processes that come at the very instants of alarms: in which order is open.
    std::vector<std::pair<int, sim_time>> others;
    unsigned ahead = 0;   ///< entries of the log ahead of SystemC's time
    unsigned passed = 0;  ///< times that somebody came after what is due later
    unsigned off = 0;     ///< times that another process or sc_start's caller saw another time
    unsigned shared = 0;  ///< times that another process came at the instant of an alarm

private:
    struct one_alarm {
        mixture& m;
        int id;
        alarm a{calling<&one_alarm::run>(this)};
        one_alarm(mixture& of, int number) : m(of), id(number) {}
        void run() { m.note(id), m.act(); }
    };
    struct one_thread {
        mixture& m;
        int id;
        sleeper s;
        alarm passed{calling<&sleeper::resume>(&s)};
        bool resumable = false;  ///< it waits by the timeline, or is about to
        one_thread(mixture& of, int number) : m(of), id(number) {}
        void run();
        void wait_somehow();
    };

    bool over() const { return now() - begin_ > length; }
    unsigned draw(unsigned n) { return static_cast<unsigned>(random_() % n); }
    sim_time span();
    sim_time on_grid(sim_time t) const;
    sim_time own_instant(int id) { return on_grid(now() + span()) + picoseconds(1 + id); }
    void look();
    void note(int who);
    void act();
    void add_method(int id);
    void add_thread(int id);
    void add_other(int id);

    std::mt19937_64 random_{20261122};
    sim_time begin_ = now(), latest_ = now(), last_alarm_;
    std::vector<std::unique_ptr<one_alarm>> alarms_;
    std::vector<std::unique_ptr<one_thread>> threads_;
    std::array<awaited_event, 3> events_;
    std::vector<std::unique_ptr<sc_core::sc_event>> triggers_;
};

mixture::mixture() {
    for (int i = 0; i < 8; ++i) alarms_.push_back(std::make_unique<one_alarm>(*this, i));
    for (int i = 10; i < 15; ++i) {
        threads_.push_back(std::make_unique<one_thread>(*this, i));
        sc_core::sc_spawn([t = threads_.back().get()] { t->run(); });
    }
    for (int i = 20; i < 22; ++i) add_method(i);
    for (int i = 30; i < 32; ++i) add_thread(i);
    for (int i = 40; i < 43; ++i) add_other(i);
}

sim_time mixture::span() {
    static const unsigned units[] = {0, 1, 1, 2, 3, 10, 50, 600};
    return grid * units[draw(8)];
}

sim_time mixture::on_grid(sim_time t) const {
    return begin_ + grid * ((t - begin_ + grid - picoseconds(1)) / grid);
}

void mixture::look() {
    if (now() < latest_) ++passed;
    latest_ = now();
}

void mixture::note(int who) {
    look();
    log.emplace_back(who, now() - begin_);
    if (now() > from_sc(sc_core::sc_time_stamp())) ++ahead;
    last_alarm_ = now();
}

void mixture::act() {
    if (over()) return;
    for (unsigned n = 1 + draw(2); n > 0; --n) {
        alarm& a = alarms_[draw(8)]->a;
        one_thread& t = *threads_[draw(5)];
        awaited_event& e = events_[draw(3)];
        switch (draw(8)) {
            case 0:
                a.set_by(on_grid(now() + span()));
                break;
            case 1:
                a.clear();
                break;
            case 2:
                e.notify();
                break;
            case 3:
                e.notify_delta();
                break;
            case 4:
                e.await(a);
                break;
            case 5:
                if (t.resumable) t.s.resume();
                break;
            default:
                a.set(on_grid(now() + span()));
                break;
        }
    }
}

void mixture::one_thread::run() {
    s.begin();
    while (!m.over()) {
        wait_somehow();
        m.note(id);
        m.act();
    }
    s.end();
}

void mixture::one_thread::wait_somehow() {
    if (m.draw(4) == 0) {
        const sim_time t = m.own_instant(id);
        s.end();
        sc_core::wait(to_sc(t - now()) + time_offset());
        s.begin();
        return;
    }
    resumable = true;
    awaited_event& e = m.events_[m.draw(3)];
    if (m.draw(2) == 0) e.await(s);
    passed.set(m.on_grid(now() + m.span()));
    s.suspend();
    passed.clear();
    e.forget(s);
    resumable = false;
}

/// A method that comes at instants of its own, and acts on what waits by the timeline.
void mixture::add_method(int id) {
    triggers_.push_back(std::make_unique<sc_core::sc_event>());
    sc_core::sc_event& next = *triggers_.back();
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&next);
    const auto step = [this, id, &next] {
        if (now() != from_sc(sc_core::sc_time_stamp())) ++off;
        if (over()) return;
        if (now() > begin_) note(id), act();
        next.notify(to_sc(own_instant(id) - now()));
    };
    sc_core::sc_spawn(step, sc_core::sc_gen_unique_name("method"), &options);
}

void mixture::add_thread(int id) {
    sc_core::sc_spawn([this, id] {
        while (!over()) {
            sc_core::wait(to_sc(own_instant(id) - now()));
            if (now() != from_sc(sc_core::sc_time_stamp())) ++off;
            note(id);
            act();
        }
    });
}

/// One that comes at the instants of alarms, and only looks.
void mixture::add_other(int id) {
    sc_core::sc_spawn([this, id] {
        std::mt19937_64 own(static_cast<unsigned>(id));
        while (!over()) {
            sc_core::wait(to_sc(grid * static_cast<std::int64_t>(1 + own() % 40)));
            if (now() != from_sc(sc_core::sc_time_stamp())) ++off;
            if (now() == last_alarm_) ++shared;
            look();
            others.emplace_back(id, now() - begin_);
        }
    });
}

void mixture::run(sim_time most, int starts) {
    const sim_time end = begin_ + length + longest * 3;
    for (int i = 1; i <= starts; ++i) {
        const sim_time part((end - begin_).ps / starts * i);
        // At this distance from the instants of alarms nobody else is due.
        const sim_time until = i == starts ? end : on_grid(begin_ + part) + picoseconds(512);
        timeline::get().run_ahead(most, until);
        sc_core::sc_start(to_sc(until - kernel_time()));
        if (now() != until || sc_core::sc_time_stamp() != to_sc(until)) ++off;
    }
}

/// Where two logs part, for a message that can be read; -1 if nowhere.
std::ptrdiff_t first_difference(const mixture& a, const mixture& b) {
    const auto at = std::mismatch(a.log.begin(), a.log.end(), b.log.begin(), b.log.end()).first;
    return at == a.log.end() && a.log.size() == b.log.size() ? -1 : at - a.log.begin();
}

TEST(timeline_mixture, is_the_same_however_far_it_runs_ahead_and_never_passes_anybody) {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);  // what is spawned from now on begins in one order
    struct way {
        sim_time most;
        int starts;
    };
    std::vector<std::unique_ptr<mixture>> runs;
    for (const way w : {way{picoseconds(-1), 1},
                        {{}, 1},
                        {microseconds(1), 1},
                        {seconds(1), 1},
                        {seconds(1), 1000},
                        {picoseconds(-1), 1000}}) {
        runs.push_back(std::make_unique<mixture>());
        mixture& m = *runs.back();
        m.run(w.most, w.starts);
        SCOPED_TRACE(to_string(w.most) + " in " + std::to_string(w.starts));
        EXPECT_EQ(m.passed, 0u);
        EXPECT_EQ(m.off, 0u);
        EXPECT_EQ(first_difference(*runs[0], m), -1) << "of " << m.log.size();
        EXPECT_EQ(m.others.size(), runs[0]->others.size());
        // Otherwise this would say nothing.
        EXPECT_GT(m.log.size(), 10'000u);
        EXPECT_GT(m.shared, 1000u);
        EXPECT_EQ(m.ahead > 0, w.most > sim_time{}) << m.ahead;
    }
    EXPECT_GT(runs[3]->ahead, runs[2]->ahead);
}

}  // namespace
}  // namespace scmi_vp
