// SPDX-License-Identifier: Apache-2.0
// Seeded fuzzing of codec and session: 4 times 50 000 scripts of messages that are legal, nearly
// legal or noise. No crash, no hang, no descriptor or mapping left, and each end has a reason.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "virtio/vhost_user_fuzzing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using r = front_request;
using bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t user_base = 0x700000;

class script_writer {
public:
    explicit script_writer(std::mt19937_64& rng) : rng_(rng) {}

    /// Mostly the way of a good front end, with something else in between now and then.
    const bytes& write() {
        script_.assign(1, static_cast<std::uint8_t>(rng_()));
        const bool in_order = chance(2);
        if (in_order) good_setup();
        const unsigned more = static_cast<unsigned>(rng_() % 8);
        for (unsigned i = 0; i < more; ++i) anything();
        if (chance(3) && script_.size() > 2) {
            script_[1 + rng_() % (script_.size() - 1)] ^= static_cast<std::uint8_t>(rng_());
        }
        if (chance(8)) script_.resize(rng_() % script_.size() + 1);
        return script_;
    }

private:
    bool chance(unsigned n) { return rng_() % n == 0; }
    void put(unsigned fds, unsigned kind, const wire& w) {
        script_.push_back(static_cast<std::uint8_t>(fds << 2 | kind));
        script_.insert(script_.end(), w.begin(), w.end());
    }
    std::uint32_t flags() { return chance(3) ? 1 : 9; }
    void good_setup() {
        script_[0] |= 1;
        put(0, 0, encode(r::set_protocol_features, 1, supported_protocol_features));
        put(0, 0,
            encode(r::set_features, flags(),
                   feature::version_1 | feature::event_idx | feature::indirect_desc |
                       (chance(4) ? 0 : feature_protocol_features)));
        put(1, 0, encode(r::set_mem_table, flags(), mem_table{{{0, 0x8000, user_base, 0}}}));
        for (unsigned q = 0; q < 2; ++q) {
            const std::uint64_t at = user_base + q * 0x4000;
            put(0, 0, encode(r::set_vring_num, flags(), vring_state{q, 16}));
            put(0, 0, encode(r::set_vring_base, flags(), vring_state{q, some_base()}));
            put(0, 0,
                encode(r::set_vring_addr, flags(),
                       vring_addr{q, 0, at, at + 0x2000, at + 0x1000, 0}));
            put(1, 1, encode(r::set_vring_kick, flags(), fd_word(q)));
            if (chance(2)) put(1, 1 + rng_() % 2, encode(r::set_vring_call, flags(), fd_word(q)));
            put(0, 0, encode(r::set_vring_enable, flags(), vring_state{q, 1}));
        }
    }
    static vring_fd fd_word(unsigned q) { return {static_cast<std::uint8_t>(q), false}; }
    std::uint32_t some_base() {
        return chance(2) ? 0 : static_cast<std::uint32_t>(rng_() % 0x10000);
    }
    std::uint64_t some_value() {
        const std::uint64_t likely[] = {0, 1, 2, 16, 0x1000, user_base, 0x8000, ~0ull};
        return chance(8) ? rng_() : likely[rng_() % 8] + (chance(4) ? rng_() % 64 : 0);
    }
    void anything() {
        const auto id = static_cast<std::uint32_t>(chance(50) ? rng_() : rng_() % 46);
        const request_info* info = find_front_request(id);
        std::size_t size = rng_() % 64;
        if (info != nullptr && !chance(10)) {
            const std::size_t likely[] = {0, 8, 8, 40, 40, 40, 16, 8, 16, 32, 24, 24, 8, 40, 16, 8};
            size = likely[static_cast<std::size_t>(info->body)];
        }
        bytes body;
        while (body.size() < size) {
            std::uint64_t word = some_value();
            if (body.empty() && info != nullptr && info->body != payload_kind::u64) {
                word = rng_() % 3 | (chance(2) ? some_value() << 32 : 0);
            }
            for (unsigned i = 0; i < 8; ++i)
                body.push_back(static_cast<std::uint8_t>(word >> 8 * i));
        }
        body.resize(size);
        const unsigned fds = info == nullptr || chance(6) ? rng_() % 4 : info->min_fds;
        const bool ring_bell = info != nullptr && info->body == payload_kind::vring_fd;
        put(ring_bell && !chance(3) ? 1 : fds,
            ring_bell ? 1 + static_cast<unsigned>(rng_() % 2) : static_cast<unsigned>(rng_() % 4),
            encode(id, chance(40) ? static_cast<std::uint32_t>(rng_() % 32) : flags(),
                   opaque{body}));
    }

    std::mt19937_64& rng_;
    bytes script_;
};

class VhostUserFuzz : public testing::TestWithParam<unsigned> {};  // NOLINT: gtest's name

TEST_P(VhostUserFuzz, NothingAPeerSendsDoesHarm) {
    std::mt19937_64 rng(GetParam());
    const fuzz_descriptors descriptors;
    std::vector<std::uint8_t> noise(0x8000);
    script_writer writer(rng);
    fuzz_counts counts;
    const unsigned before = open_fds();
    for (unsigned i = 0; i < 50'000; ++i) {
        if (i % 64 == 0) {  // rings full of something
            for (auto& b : noise) b = static_cast<std::uint8_t>(rng() % 4 == 0 ? rng() : 0);
            ASSERT_EQ(::pwrite(descriptors.memory.get(), noise.data(), noise.size(), 0), 0x8000);
        }
        const bytes& script = writer.write();
        fuzz_session(script.data(), script.size(), descriptors, counts);
        ASSERT_EQ(counts.violations, 0u) << "case " << i;
        ASSERT_TRUE(i % 1024 != 0 || open_fds() == before) << "case " << i;
    }
    EXPECT_EQ(open_fds(), before);
    // The loop must have been everywhere; about half of what it reaches.
    EXPECT_GT(counts.messages, 100'000u);
    EXPECT_GT(counts.refused, 9'000u);
    EXPECT_GT(counts.ended, 10'000u);
    EXPECT_GT(counts.started, 10'000u);
    EXPECT_GT(counts.tables, 10'000u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, VhostUserFuzz, testing::Values(1u, 2u, 3u, 4u));

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
