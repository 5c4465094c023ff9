// SPDX-License-Identifier: Apache-2.0
// Agents that send anything in any pieces, against an oracle: a platform server of the same
// description, that is asked the same commands by a plain call. Every answer must be its answer,
// byte for byte (so header, length and status of every one), in order, none missing, none too many.
//
//   SCMI_VP_FUZZ_SECONDS=3600 build/release/models_test --gtest_filter=stream_fuzz.long_heavy
//   SCMI_VP_FUZZ_SEED=1234    repeats from that session on; each failure names its seed
#include <algorithm>

#include <gtest/gtest.h>

#include "models/peers/fuzz_testing.h"
#include "models/peers/stream_player_testing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::append_frame;
using testing_tools::byte_string;
using testing_tools::command_generator;
using testing_tools::one_worker;
using testing_tools::stream_agent;
using testing_tools::stream_player;
using testing_tools::wall_platform;
using clock = std::chrono::steady_clock;

/// What an agent sends, and what must come back.
struct conversation {
    byte_string sent;
    std::vector<byte_string> answers;
};

conversation conversation_of(command_generator& random, unsigned count,
                             const platform_config& platform, std::size_t room) {
    scmi::platform_server server(platform.description);
    conversation c;
    for (unsigned i = 0; i < count; ++i) {
        const byte_string m = random.message();
        append_frame(c.sent, m);
        const auto result = server.handle(1, m.data(), m.size(), room, true);
        if (!result.response.empty()) {
            c.answers.emplace_back(result.response.begin(), result.response.end());
        }
    }
    return c;
}

/// What came without what nobody asked for now.
std::vector<byte_string> answers_in(const stream_player& p) {
    std::vector<byte_string> all;
    for (const byte_string& m : p.messages()) {
        if (testing_tools::header_of(m).type != scmi::message_type::notification) all.push_back(m);
    }
    return all;
}

/// As many as that, or until the other side has closed.
void read_answers(stream_player& p, std::size_t count) {
    std::size_t seen = 0, answers = 0;
    do {
        for (; seen < p.messages().size(); ++seen) {
            const auto type = testing_tools::header_of(p.messages()[seen]).type;
            answers += type != scmi::message_type::notification;
        }
    } while (answers < count && p.read());
}

bool is_prefix(const std::vector<byte_string>& part, const std::vector<byte_string>& all) {
    return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

/// One connection, with one of the ends that it can have. The number of messages.
std::size_t play_session(const std::string& path, const platform_config& platform,
                         std::uint64_t seed) {
    command_generator random(seed);
    conversation c =
        conversation_of(random, 1 + random.below(random.below(4) == 0 ? 400 : 30), platform, 136);
    stream_player p(path, random);
    switch (random.below(5)) {
        case 0:  // hangs up in the middle
            c.sent.resize(1 + random.below(std::uint32_t(c.sent.size())));
            p.write(c.sent);
            EXPECT_TRUE(is_prefix(answers_in(p), c.answers));
            break;
        case 1: {  // ends with a length that no message has: what came before is answered
            const byte_string wrong =
                random.below(2) == 0 ? byte_string{3, 0, 0, 0} : byte_string{5, 16, 0, 0};
            c.sent.insert(c.sent.end(), wrong.begin(), wrong.end());
            EXPECT_TRUE(p.write(c.sent));
            EXPECT_TRUE(p.read_to_the_end());
            EXPECT_EQ(answers_in(p), c.answers);
            break;
        }
        case 2:  // asks for all, says that there is nothing more, and reads to the end
            EXPECT_TRUE(p.write(c.sent));
            p.half_close();
            EXPECT_TRUE(p.read_to_the_end());
            EXPECT_EQ(answers_in(p), c.answers);
            break;
        default:
            EXPECT_TRUE(p.write(c.sent));
            read_answers(p, c.answers.size());
            EXPECT_FALSE(p.closed());
            EXPECT_EQ(answers_in(p), c.answers);
    }
    return c.answers.size();
}

void fuzz(const testing_tools::fuzz_limits& limits) {
    wall_platform run(one_worker());
    const std::string path = run.stream();
    testing_tools::fuzz_tally all;
    run.play(
        [&] {
            all = testing_tools::play_seeds(limits, [&](std::uint64_t seed) {
                return play_session(path, run.config.platform, seed);
            });
            // After all of them, also those that hung up before they were accepted.
            EXPECT_EQ(stream_agent(path).ask(0x10, 0).at(2), 0x20000u);
        },
        limits.with_slack());
    EXPECT_EQ(run.streams[0]->connections(), all.sessions + 1);
}

TEST(stream_fuzz, briefly) {
    fuzz(testing_tools::fuzz_briefly());
}

TEST(stream_fuzz, long_heavy) {
    fuzz(testing_tools::fuzz_at_length());
}

}  // namespace
}  // namespace scmi_vp::models
