// SPDX-License-Identifier: Apache-2.0
// An observer's tags: guest memory tells it of every access but those that its tags allow for all
// bytes, so a checker that uses them misses nothing.
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "virtio/ring/guest_memory.h"

namespace scmi_vp::virtio {
namespace {

constexpr std::uint64_t base = 0x1000, bytes = 256;

/// Tags for the upper half of the memory; remembers what it is told.
struct tagging : memory_observer {
    memory_tags tags_at(std::uint64_t address) override {
        if (address < base + bytes / 2) return {};
        return {base + bytes / 2, bytes / 2, tags.data(), &passed};
    }
    void on_read(actor, std::uint64_t address, std::size_t) override { told.push_back(address); }
    void on_write(actor, std::uint64_t address, std::size_t) override { told.push_back(address); }

    std::array<std::uint8_t, bytes / 2> tags{};
    std::uint64_t passed = 0;
    std::vector<std::uint64_t> told;
};

struct fixture {
    fixture() {
        view.add_region({base, bytes, ram.data()});
        view.set_observer(&observer);
    }
    /// Whether an access of `size` bytes by `who` was told of.
    bool told(actor who, bool write, std::uint64_t address, std::size_t size) {
        std::array<std::uint8_t, 64> data{};
        observer.told.clear();
        const std::uint64_t passed = observer.passed;
        EXPECT_TRUE(write ? view.write(who, address, data.data(), size)
                          : view.read(who, address, data.data(), size));
        EXPECT_EQ(observer.told.size() + (observer.passed - passed), 1u) << "seen exactly once";
        return !observer.told.empty();
    }

    std::array<std::uint8_t, bytes> ram{};
    tagging observer;
    guest_memory view;
};

TEST(guest_memory_tags, one_tag_that_does_not_allow_is_told_wherever_it_lies) {
    for (const std::size_t size : {1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 28, 33}) {
        for (std::size_t bad = 0; bad < size; ++bad) {
            fixture f;
            const std::uint64_t at = base + bytes / 2 + 5;
            f.observer.tags.fill(memory_tag::device_may_read);
            f.told(actor::device, false, at, size);  // finds the tags
            EXPECT_FALSE(f.told(actor::device, false, at, size)) << size;
            f.observer.tags[5 + bad] = memory_tag::device_may_write;
            EXPECT_TRUE(f.told(actor::device, false, at, size)) << size << " bytes, byte " << bad;
        }
    }
}

TEST(guest_memory_tags, each_side_and_direction_has_its_bit) {
    fixture f;
    const std::uint64_t at = base + bytes / 2;
    f.told(actor::driver, false, at, 2);
    for (unsigned tag = 0; tag < 16; ++tag) {
        f.observer.tags.fill(static_cast<std::uint8_t>(tag));
        EXPECT_EQ(f.told(actor::device, false, at, 8), (tag & memory_tag::device_may_read) == 0);
        EXPECT_EQ(f.told(actor::device, true, at, 8), (tag & memory_tag::device_may_write) == 0);
        EXPECT_EQ(f.told(actor::driver, false, at, 8),
                  (tag & memory_tag::driver_may_not_read) != 0);
        EXPECT_EQ(f.told(actor::driver, true, at, 8),
                  (tag & memory_tag::driver_may_not_write) != 0);
    }
}

TEST(guest_memory_tags, without_tags_everything_is_told) {
    fixture f;
    f.observer.tags.fill(0xff);
    EXPECT_TRUE(f.told(actor::driver, false, base, 8));
    EXPECT_TRUE(f.told(actor::driver, false, base, 8));
    // Across the start of the tagged part.
    EXPECT_TRUE(f.told(actor::driver, false, base + bytes / 2 - 4, 8));
    EXPECT_TRUE(f.told(actor::driver, false, base + bytes / 2 - 4, 8));
}

TEST(guest_memory_tags, another_observer_is_asked_anew) {
    fixture f;
    const std::uint64_t at = base + bytes / 2;
    f.told(actor::driver, false, at, 2);
    EXPECT_FALSE(f.told(actor::driver, false, at, 2));
    tagging other;
    other.tags.fill(memory_tag::driver_may_not_read);
    f.view.set_observer(&other);
    std::uint16_t value = 0;
    f.view.read(actor::driver, at, &value, sizeof value);
    f.view.read(actor::driver, at, &value, sizeof value);
    EXPECT_EQ(other.told.size(), 2u);
}

}  // namespace
}  // namespace scmi_vp::virtio
