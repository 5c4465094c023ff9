// SPDX-License-Identifier: Apache-2.0
// Driver and device on one ring, at random: everything that is made available is taken once, in
// order, as it was written, and comes back once; and neither side ever sleeps on work (BUG-10, 14,
// 16, 18, 19), also when the other side runs between any two memory accesses.
#include <deque>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "virtio/ring/ownership_checker.h"
#include "virtio/ring/raw_ring.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {
namespace {

using u16 = std::uint16_t;
constexpr int operations = 200000;

struct parameters {
    u16 size;
    bool event_idx, indirect, interleave;
};

struct request {
    std::vector<buffer> out, in;
    std::uint64_t table = 0;
    std::uint32_t length = 0;
    u16 head = 0;
    bool busy = false;
};

/// The two sides as small state machines, stepped at random; the observer lets the other side step
/// at an access of the first.
class pair_of_sides : public memory_observer {
public:
    explicit pair_of_sides(parameters p)
        : p_(p),
          rng_(p.size * 8u + p.event_idx * 4u + p.indirect * 2u + p.interleave),
          ring_(p.size, 4u << 20),
          driver_(ring_.memory.view, ring_.layout, {p.event_idx, p.indirect}),
          device_(ring_.memory.view, ring_.layout, {p.event_idx, p.indirect}),
          checker_(
              [](const ownership_violation& v) { ADD_FAILURE() << v.rule << " " << v.source; }),
          requests_(p.size) {
        checker_.queue_enabled(0, ring_.layout);
        ring_.memory.view.set_observer(this);
    }

    void run() {
        for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
            if (below(2) != 0)
                driver_step();
            else
                device_step();
            check_nobody_sleeps_on_work();
        }
    }
    unsigned returned() const { return returned_; }
    bool finish() {  // nothing more is sent: everything comes back
        stopping_ = true;
        for (int i = 0; i < 100000 && out_ != 0; ++i) driver_step(), device_step();
        return out_ == 0 && driver_.free_descriptors() == p_.size;
    }
    u16 published() const { return driver_.avail_index(); }

    void on_read(actor who, std::uint64_t address, std::size_t size) override {
        checker_.on_read(who, address, size);
        other_side(who);
    }
    void on_write(actor who, std::uint64_t address, std::size_t size) override {
        checker_.on_write(who, address, size);
        other_side(who);
    }

private:
    unsigned below(unsigned n) { return static_cast<unsigned>(rng_() % n); }

    void other_side(actor who) {
        if (!p_.interleave || nested_ || below(4) != 0) return;
        nested_ = true;
        if (who == actor::driver)
            device_step();
        else
            driver_step();
        nested_ = false;
    }

    // --- driver: send, kick, interrupt handler (C.2 of Linux: drain, then enable_cb) ---
    void driver_step() {
        switch (below(4)) {
            case 0:
            case 1:
                return drain_step();
            case 2:
                return send();
            default:
                if (unkicked_) kick();
        }
    }
    void send() {
        if (stopping_) return;
        const unsigned slot = below(p_.size);
        request& r = requests_[slot];
        if (r.busy) return;
        make_buffers(r, slot);
        unkicked_ = true;
        const bool table = p_.indirect && below(4) != 0 && r.out.size() + r.in.size() > 1;
        r.table = table ? ring_.buffers + slot * 2048ull + 1024 : 0;
        const bool outer =
            std::exchange(nested_, true);  // the checker must know before the device looks
        const add_result result =
            driver_.add(r.out.data(), r.out.size(), r.in.data(), r.in.size(), &r, &r.head, r.table);
        if (result == add_result::added) {
            r.busy = true, ++out_;
            expected_.push_back(&r);
            std::vector<buffer> readable = r.out;
            if (r.table != 0)
                readable.push_back(
                    {r.table, static_cast<std::uint32_t>(16 * (r.out.size() + r.in.size()))});
            checker_.made_available(0, r.head, readable.data(), readable.size(), r.in.data(),
                                    r.in.size());
        } else {
            EXPECT_EQ(result, add_result::no_space);
        }
        nested_ = outer;
        if (below(4) != 0) kick();
    }
    void make_buffers(request& r, unsigned slot) {
        r.out.clear(), r.in.clear();
        std::uint64_t at = ring_.buffers + slot * 2048ull;
        const unsigned most = p_.size == 1 ? 1 : 3, count = 1 + below(most),
                       outs = below(count + 1);
        for (unsigned i = 0; i < count; ++i) {
            const std::uint32_t size = 1 + below(200);  // any alignment
            (i < outs ? r.out : r.in).push_back({at, size});
            at += size;
        }
    }
    void kick() {
        if (driver_.kick_prepare()) kicked_ = true;
        unkicked_ = false;
    }
    void drain_step() {
        if (!draining_) {
            if (!std::exchange(interrupted_, false)) return;
            driver_.note_interrupt();
            driver_.disable_cb();
            draining_ = true;
        }
        const driver_queue::used_buffer u = driver_.get_buf();
        ASSERT_FALSE(driver_.broken()) << driver_.bad_ring();
        if (u.token == nullptr) {
            if (driver_.enable_cb())
                draining_ = false;
            else
                driver_.disable_cb();
            return;
        }
        auto& r = *static_cast<request*>(u.token);
        EXPECT_TRUE(r.busy);
        EXPECT_EQ(u.head, r.head);
        EXPECT_EQ(u.length, r.length);
        r.busy = false, --out_, ++returned_;
    }

    // --- device: sleeps until kicked, takes until empty, returns in any order ---
    void device_step() {
        if (!running_) {
            if (!std::exchange(kicked_, false)) return return_step();
            running_ = true;
            if (below(2) != 0) device_.set_kicks_wanted(false);
        }
        if (below(2) != 0) return return_step();
        const take_result result = device_.take(chain_);
        ASSERT_NE(result, take_result::fault) << device_.fault().what;
        if (result == take_result::taken) return taken();
        if (!device_.kicks_wanted()) {
            device_.set_kicks_wanted(true);
            if (device_.has_available()) return;
        }
        running_ = false;
    }
    void taken() {
        ASSERT_FALSE(expected_.empty());
        request& r = *expected_.front();
        expected_.pop_front();
        ASSERT_EQ(chain_.head, r.head);
        expect_same(chain_.readable, r.out);
        expect_same(chain_.writable, r.in);
        held_.push_back({chain_, &r});
    }
    static void expect_same(const std::vector<buffer>& got, const std::vector<buffer>& sent) {
        ASSERT_EQ(got.size(), sent.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(got[i].address, sent[i].address);
            EXPECT_EQ(got[i].size, sent[i].size);
        }
    }
    void return_step() {
        if (held_.empty()) return;
        const std::size_t which = below(static_cast<unsigned>(held_.size()));
        const auto [c, r] = held_[which];
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
        std::vector<std::uint8_t> bytes(below(600));
        device_.read(c, bytes.data(), bytes.size());
        r->length = static_cast<std::uint32_t>(device_.write(c, bytes.data(), bytes.size()));
        unsignalled_ = true;
        const bool outer = std::exchange(nested_, true);  // made_used goes with the publication
        device_.put_used(c.head, r->length);
        checker_.made_used(0, c.head);
        nested_ = outer;
        if (below(4) != 0 || held_.empty()) signal();
    }
    void signal() {
        if (device_.should_interrupt()) interrupted_ = true;
        unsignalled_ = false;
    }

    void check_nobody_sleeps_on_work() {
        nested_ = true;
        if (!running_ && !kicked_ && !unkicked_) {
            EXPECT_EQ(device_.available(), 0) << "the device sleeps on available chains";
        }
        if (!draining_ && !interrupted_ && !unsignalled_) {
            EXPECT_FALSE(driver_.more_used()) << "the driver sleeps on used chains";
        }
        if (unsignalled_ && held_.empty()) signal();
        if (stopping_ && unkicked_) kick();
        nested_ = false;
    }

    parameters p_;
    std::mt19937_64 rng_;
    raw_ring ring_;
    driver_queue driver_;
    device_queue device_;
    ownership_checker checker_;
    std::vector<request> requests_;
    std::deque<request*> expected_;
    std::vector<std::pair<chain, request*>> held_;
    chain chain_;
    bool kicked_ = false, unkicked_ = false, interrupted_ = false, unsignalled_ = false;
    bool running_ = false, draining_ = false, nested_ = false, stopping_ = false;
    unsigned out_ = 0, returned_ = 0;
};

using grid = std::tuple<u16, bool, bool, bool>;
class ring_property : public testing::TestWithParam<grid> {};

TEST_P(ring_property, conserves_chains_and_wakes) {
    const auto [size, event_idx, indirect, interleave] = GetParam();
    pair_of_sides sides({size, event_idx, indirect, interleave});
    sides.run();
    EXPECT_GT(sides.returned(), 4000u);
    EXPECT_TRUE(sides.finish());
}

std::string name_of_grid(const testing::TestParamInfo<grid>& test) {
    const auto [size, event_idx, indirect, interleave] = test.param;
    return "size_" + std::to_string(size) + (event_idx ? "_event_idx" : "") +
           (indirect ? "_indirect" : "") + (interleave ? "_interleaved" : "");
}

INSTANTIATE_TEST_SUITE_P(all, ring_property,
                         testing::Combine(testing::Values(1, 2, 4, 256, 1024), testing::Bool(),
                                          testing::Bool(), testing::Bool()),
                         name_of_grid);

/// BUG-10, BUG-19: one outstanding request at a time, 200 000 times: indices wrap three times.
TEST(ring_wrap, one_at_a_time_across_the_wrap) {
    for (const u16 size : {2, 256, 32768}) {
        for (const bool event_idx : {false, true}) {
            raw_ring r(size, 4u << 20);
            driver_queue driver(r.memory.view, r.layout, {event_idx, false});
            device_queue device(r.memory.view, r.layout, {event_idx, false});
            const buffer out{r.buffers, 8}, in{r.buffers + 64, 8};
            chain c;
            for (int i = 0; i < 200000; ++i) {
                ASSERT_EQ(driver.add(&out, 1, &in, 1, &r), add_result::added);
                ASSERT_TRUE(driver.kick_prepare());
                ASSERT_EQ(device.take(c), take_result::taken);
                ASSERT_EQ(device.take(c), take_result::empty);
                device.put_used(c.head, 8);
                ASSERT_TRUE(device.should_interrupt());
                driver.note_interrupt();
                driver.disable_cb();
                ASSERT_EQ(driver.get_buf().token, &r);
                ASSERT_TRUE(driver.enable_cb());
            }
            EXPECT_EQ(device.used_index(), static_cast<u16>(200000));
        }
    }
}

}  // namespace
}  // namespace scmi_vp::virtio
