// SPDX-License-Identifier: Apache-2.0
// Seeded fuzzing of the device's side: whatever bytes a ring holds, taking ends, and nothing
// outside memory and nothing that was not made available is touched.
#include <random>

#include <gtest/gtest.h>

#include "virtio/ring/raw_ring.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {
namespace {

constexpr std::uint64_t base = 0x80000000, bytes = 0x3000;

/// Random bytes, or descriptors that are often nearly right.
void fill(raw_ring& r, std::mt19937_64& rng, bool nearly_right) {
    for (std::size_t i = 0; i + 8 <= r.memory.bytes.size(); i += 8) r.memory.put(base + i, rng());
    if (!nearly_right) return;
    const unsigned flags[] = {0, 1, 1, 2, 3, 3, 4, 6, 5, 0xfff0};
    for (unsigned i = 0; i < 64; ++i) {
        const std::uint64_t where =
            i < r.layout.size ? r.layout.desc + 16ull * i : base + 0x2000 + 16ull * (i % 64);
        const std::uint64_t address = rng() % 16 == 0 ? rng() : base + 0x2000 + rng() % 64 * 16;
        const auto length = static_cast<std::uint32_t>(rng() % 16 == 0 ? rng() : rng() % 20 * 16);
        r.desc_at(where, address, length, flags[rng() % 10],
                  static_cast<unsigned>(rng() % (r.layout.size + 1)));
    }
    for (unsigned i = 0; i < r.layout.size; ++i) {
        r.memory.put(
            r.layout.avail_slot(static_cast<std::uint16_t>(i)),
            static_cast<std::uint16_t>(rng() % (r.layout.size + (rng() % 8 == 0 ? 1 : 0))));
    }
}

struct statistics {
    unsigned taken = 0, faults = 0, with_table = 0;
};

void drain(raw_ring& r, std::mt19937_64& rng, ring_features features, statistics& s) {
    access_log log;
    device_queue q(r.memory.view, r.layout, features);
    const auto start = static_cast<std::uint16_t>(rng());
    q.resume_at(start, start);
    r.set_avail_idx(static_cast<std::uint16_t>(start + rng() % (r.layout.size + 2)));
    r.memory.view.set_observer(&log);
    std::uint8_t data[512] = {};
    chain c;
    for (unsigned i = 0; i <= r.layout.size; ++i) {
        log.entries.clear();
        const take_result result = q.take(c);
        ASSERT_LE(log.entries.size(), 3u + r.layout.size + 1024) << "bounded";
        if (result != take_result::taken) {
            s.faults += result == take_result::fault;
            ASSERT_EQ(q.fault().what.empty(), result != take_result::fault);
            return;
        }
        ++s.taken;
        s.with_table += log.touching(base + 0x2000, base + bytes) != 0;
        for (const auto* list : {&c.readable, &c.writable}) {
            for (const buffer& b : *list) {
                ASSERT_TRUE(b.size > 0 && b.address >= base && b.address + b.size <= base + bytes);
            }
        }
        log.entries.clear();
        ASSERT_LE(q.read(c, data, sizeof data), sizeof data);
        q.write(c, data, rng() % sizeof data);
        q.put_used(c.head, 1);
        q.should_interrupt();
        for (const access_log::entry& e : log.entries) {
            ASSERT_TRUE(e.who == actor::device && e.address >= base &&
                        e.address + e.size <= base + bytes);
        }
    }
    FAIL() << "more chains than the queue has entries";
}

TEST(ring_fuzz, any_bytes_end_within_bounds) {
    std::mt19937_64 rng(2026);
    statistics s;
    for (int i = 0; i < 20000 && !testing::Test::HasFatalFailure(); ++i) {
        raw_ring r(static_cast<std::uint16_t>(1u << rng() % 6), bytes);
        fill(r, rng, i % 8 != 0);
        drain(r, rng, {rng() % 2 == 0, rng() % 2 == 0}, s);
    }
    // The generator reaches the interesting places.
    EXPECT_GT(s.taken, 5000u);
    EXPECT_GT(s.faults, 5000u);
    EXPECT_GT(s.with_table, 50u);
}

}  // namespace
}  // namespace scmi_vp::virtio
