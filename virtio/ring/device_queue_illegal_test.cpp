// SPDX-License-Identifier: Apache-2.0
// The device's side against every kind of illegal ring: a fault that says why, nothing written, no
// buffer touched.
#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio/ring/raw_ring.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {
namespace {

constexpr ring_features plain{}, with_indirect{false, true};

// --- illegal rings ---

struct illegal_ring {
    std::string name;
    std::uint16_t size;
    ring_features features;
    std::function<void(raw_ring&)> write;
    std::string says;
};
std::ostream& operator<<(std::ostream& to, const illegal_ring& i) {
    return to << i.name;
}

std::vector<illegal_ring> illegal_rings() {
    std::vector<illegal_ring> all;
    const auto add = [&all](std::string name, std::function<void(raw_ring&)> write,
                            std::string says, ring_features f = plain, std::uint16_t size = 4) {
        all.push_back({std::move(name), size, f, std::move(write), std::move(says)});
    };
    for (const std::uint16_t n : {2, 4, 256}) {
        const std::string s = std::to_string(n);
        add(
            "BUG_01_self_loop_" + s,
            [](raw_ring& r) {
                r.desc(0, r.buffers, 1, desc_f_next, 0);
                r.make_available(0);
            },
            "loops", plain, n);
        add(
            "BUG_01_back_to_head_" + s,
            [n](raw_ring& r) {
                for (unsigned i = 0; i < n; ++i) r.desc(i, r.buffers, 1, desc_f_next, (i + 1) % n);
                r.make_available(1);
            },
            "loops", plain, n);
        add(
            "BUG_01_not_through_head_" + s,
            [](raw_ring& r) {
                r.desc(0, r.buffers, 1, desc_f_next, 1);
                r.desc(1, r.buffers, 1, desc_f_next, 1);
                r.make_available(0);
            },
            "loops", plain, n);
        for (const unsigned bad : {n + 0u, n + 1u, 0xffffu}) {
            const std::string at = s + "_" + std::to_string(bad);
            add(
                "BUG_02_head_" + at, [bad](raw_ring& r) { r.make_available(bad); },
                "names descriptor " + std::to_string(bad), plain, n);
            add(
                "BUG_03_next_" + at,
                [bad](raw_ring& r) {
                    r.desc(0, r.buffers, 1, desc_f_next, bad);
                    r.make_available(0);
                },
                "names descriptor " + std::to_string(bad), plain, n);
        }
        add(
            "BUG_09_index_jumps_" + s, [n](raw_ring& r) { r.set_avail_idx(n + 1); }, "ahead", plain,
            n);
        add(
            "BUG_09_index_backwards_" + s, [](raw_ring& r) { r.set_avail_idx(0xffff); }, "ahead",
            plain, n);
    }
    add(
        "SPL_05_readable_after_writable",
        [](raw_ring& r) {
            r.desc(0, r.buffers, 8, desc_f_write | desc_f_next, 1);
            r.desc(1, r.buffers, 8);
            r.make_available(0);
        },
        "device-readable descriptor after");
    add(
        "SPL_05_empty_readable_after_writable",
        [](raw_ring& r) {
            r.desc(0, r.buffers, 8, desc_f_write | desc_f_next, 1);
            r.desc(1, r.buffers, 0);
            r.make_available(0);
        },
        "device-readable descriptor after");
    // Indirect tables; head 0 points to a table at buffers + 0x800.
    const auto table = [&add](std::string name, std::uint32_t length, unsigned flags,
                              const std::function<void(raw_ring&, std::uint64_t)>& write,
                              std::string says, ring_features f = with_indirect) {
        add(
            std::move(name),
            [=](raw_ring& r) {
                const std::uint64_t at = r.buffers + 0x800;
                r.desc_at(at, r.buffers, 8);
                r.desc(0, at, length, desc_f_indirect | flags, 1);
                r.desc(1, r.buffers, 8);
                if (write) write(r, at);
                r.make_available(0);
            },
            std::move(says), f);
    };
    table("SPL_15_not_negotiated", 16, 0, nullptr, "without INDIRECT_DESC", plain);
    table("SPL_18_indirect_and_next", 16, desc_f_next, nullptr, "both INDIRECT and NEXT");
    for (const std::uint32_t length : {0u, 8u, 24u}) {
        table("SPL_21_table_of_" + std::to_string(length), length, 0, nullptr, "multiple of 16");
    }
    table("BUG_05_table_of_4GiB", 0xfffffff0, 0, nullptr, "not in guest memory");
    table(
        "SPL_16_nested", 32, 0,
        [](raw_ring& r, std::uint64_t at) {
            r.desc_at(at, r.buffers, 8, desc_f_next, 1);
            r.desc_at(at + 16, at + 64, 16, desc_f_indirect);
        },
        "inside an indirect table");
    table(
        "SPL_16_table_of_itself", 16, 0,
        [](raw_ring& r, std::uint64_t at) { r.desc_at(at, at, 16, desc_f_indirect); },
        "inside an indirect table");
    table(
        "BUG_04_next_beyond_table", 32, 0,
        [](raw_ring& r, std::uint64_t at) { r.desc_at(at, r.buffers, 8, desc_f_next, 3); },
        "names descriptor 3 of a table of 2");
    table(
        "BUG_06_loop_in_table", 32, 0,
        [](raw_ring& r, std::uint64_t at) { r.desc_at(at, r.buffers, 8, desc_f_next, 0); },
        "loops");
    table(
        "SPL_04_chain_of_1025", 1025 * 16, 0,
        [](raw_ring& r, std::uint64_t at) {
            for (unsigned i = 0; i < 1025; ++i)
                r.desc_at(at + 16 * i, r.buffers, 1, i == 1024 ? 0 : desc_f_next, i + 1);
        },
        "more descriptors than the device takes");
    add(
        "BUG_05_table_outside_memory",
        [](raw_ring& r) {
            r.desc(0, 0x1000, 16, desc_f_indirect);
            r.make_available(0);
        },
        "not in guest memory", with_indirect);
    // Buffers that are not memory.
    const auto bad_buffer = [&add](const std::string& name, std::uint64_t address,
                                   std::uint32_t length) {
        for (const unsigned flags : {0u, unsigned{desc_f_write}}) {
            add(
                name + (flags != 0 ? "_writable" : "_readable"),
                [=](raw_ring& r) {
                    r.desc(0, r.buffers, 8, desc_f_next, 1);
                    r.desc(1, r.buffers + 64, 8, flags | desc_f_next, 2);
                    r.desc(2, address, length, flags);  // SPL-49: the last one counts, too
                    r.make_available(0);
                },
                "is not all in");
        }
    };
    bad_buffer("BUG_08_outside", 0x1000, 8);
    bad_buffer("BUG_08_partly_outside", 0x80000000 + (1 << 20) - 4, 8);
    bad_buffer("BUG_08_begins_before", 0x7fffffff, 8);
    bad_buffer("BUG_07_wraps", UINT64_MAX, 2);
    bad_buffer("BUG_07_longest", 0x80000000, 0xffffffff);
    return all;
}

class device_queue_illegal : public testing::TestWithParam<illegal_ring> {};

TEST_P(device_queue_illegal, needs_reset_and_stays_so) {
    const illegal_ring& p = GetParam();
    raw_ring r(p.size);
    p.write(r);
    access_log log;
    r.memory.view.set_observer(&log);
    device_queue q(r.memory.view, r.layout, p.features);
    chain c;
    EXPECT_TRUE(q.has_available());  // so that somebody takes, and learns why
    ASSERT_EQ(q.take(c), take_result::fault);
    EXPECT_THAT(q.fault().what, testing::HasSubstr(p.says));
    EXPECT_THAT(q.fault().section, testing::StartsWith("virtio 2.7"));
    // Nothing was written, no buffer touched, no more descriptors read than can be in a chain.
    std::size_t descriptors = 0;
    for (const access_log::entry& e : log.entries) {
        EXPECT_FALSE(e.write);
        descriptors += e.size == 16;
    }
    EXPECT_LE(descriptors, std::max<std::size_t>(p.size, 1025));
    EXPECT_EQ(log.touching(r.buffers, r.buffers + 0x800), 0u);
    const std::size_t before = log.entries.size();
    EXPECT_EQ(q.take(c), take_result::fault);
    EXPECT_FALSE(q.has_available());
    q.put_used(0, 0);
    EXPECT_FALSE(q.should_interrupt());
    EXPECT_EQ(log.entries.size(), before);
}

INSTANTIATE_TEST_SUITE_P(rings, device_queue_illegal, testing::ValuesIn(illegal_rings()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace scmi_vp::virtio
