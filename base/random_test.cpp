// SPDX-License-Identifier: Apache-2.0
// Philox against its published vectors; streams that depend on nothing but their names.
#include "base/random.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace scmi_vp {
namespace {

using counter = std::array<std::uint32_t, 4>;
using key = std::array<std::uint32_t, 2>;

// Random123 1.14, tests/kat_vectors, the three lines "philox4x32 10".
TEST(philox, gives_the_published_answers) {
    EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
              (counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    constexpr std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
              (counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(
        philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        (counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// random.h: counter = (index, hash of name and purpose), key = seed. The hash is FNV-1a, 64 bits,
// whose published values for "" and "a" are cbf29ce484222325 and af63dc4c8601ec8c; written out here
// a second time.
TEST(random_stream, counts_with_its_index_and_the_hash_of_its_name) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char c : std::string_view("guest.sh\xff"
                                            "think")) {
        hash = (hash ^ c) * 0x100000001b3;
    }
    const random_stream stream(0x0123456789abcdef, "guest.sh", "think");
    const std::uint64_t index = 0x1'0000'0002;
    const counter block = philox4x32_10(
        {2, 1, static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)},
        key{0x89abcdef, 0x01234567});
    EXPECT_EQ(stream.bits(index), block[0] | std::uint64_t{block[1]} << 32);
}

// Pinned: a change here changes the results of every study that was ever published.
TEST(random_stream, is_the_same_for_ever) {
    const random_stream stream(1, "guest.sh", "think");
    EXPECT_EQ(stream.bits(0), 0x7b5d31585a810b57);
    EXPECT_EQ(stream.bits(1), 0x481ead4394243ae2);
    EXPECT_EQ(stream.bits(UINT64_MAX), 0xc51553ca3edae608);
}

// The correlation of n independent pairs has a standard deviation of 1 / sqrt(n).
double correlation(random_stream a, random_stream b, int n) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += (a.next_unit() - 0.5) * (b.next_unit() - 0.5);
    return sum * 12 / n;
}

TEST(random_stream, is_independent_of_streams_with_other_names) {
    const random_stream stream(1, "guest.sh", "think");
    const std::vector<random_stream> others = {
        random_stream(2, "guest.sh", "think"),
        random_stream(1, "guest.sh", "thinking"),
        random_stream(1, "guest", "sh.think"),
        random_stream(1, "guest.sht", "hink"),
        random_stream(1, "guest.sh2", "think"),
        random_stream(1, "", ""),
        random_stream(std::uint64_t{1} << 32, "guest.sh", "think")};
    constexpr int n = 100'000;
    for (const random_stream& other : others) {
        EXPECT_NE(stream.bits(0), other.bits(0));
        EXPECT_LT(std::abs(correlation(stream, other, n)) * std::sqrt(n), 4);
    }
    EXPECT_GT(correlation(stream, stream, n), 0.99);
}

TEST(random_stream, draws_by_index_and_can_be_replayed) {
    random_stream stream(7, "a", "b");
    std::vector<double> drawn;
    for (int i = 0; i < 10; ++i) drawn.push_back(stream.next_unit());
    EXPECT_EQ(stream.index(), 10U);
    stream.seek(4);
    random_stream fork = stream;
    EXPECT_EQ(stream.next_unit(), drawn[4]);
    EXPECT_EQ(stream.next_unit(), drawn[5]);
    EXPECT_EQ(fork.next_unit(), drawn[4]);
    EXPECT_EQ(fork.index(), 5U);
}

// next_unit: odd multiples of 2^-53, for which 1 - u is exact and neither end is reached.
TEST(random_stream, draws_units_whose_complement_is_exact) {
    random_stream stream(3, "units", "grid");
    double sum = 0;
    constexpr int n = 100'000;
    for (int i = 0; i < n; ++i) {
        const double u = stream.next_unit();
        ASSERT_GT(u, 0);
        ASSERT_LT(u, 1);
        ASSERT_EQ(std::fmod(u * 0x1p53, 2), 1);
        ASSERT_EQ(1 - (1 - u), u);
        sum += u;
    }
    // The mean of n uniform numbers has a standard deviation of 1 / sqrt(12 n).
    EXPECT_LT(std::abs(sum / n - 0.5) * std::sqrt(12.0 * n), 4);
}

}  // namespace
}  // namespace scmi_vp
