// SPDX-License-Identifier: Apache-2.0
// Seeded fuzzing of codec and session: 4 times 50 000 scripts of messages that are legal, nearly
// legal or noise. No crash, no hang, no descriptor or mapping left, and each end has a reason.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "virtio/vhost_user/fuzzing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using bytes = std::vector<std::uint8_t>;

class VhostUserFuzz : public testing::TestWithParam<unsigned> {};  // NOLINT: gtest's name

TEST_P(VhostUserFuzz, NothingAPeerSendsDoesHarm) {
    std::mt19937_64 rng(GetParam());
    const fuzz_descriptors descriptors;
    std::vector<std::uint8_t> noise(0x8000);
    fuzz_script_writer writer(rng);
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
