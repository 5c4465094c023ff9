// SPDX-License-Identifier: Apache-2.0
// A hostile front end: messages that are legal, nearly legal or noise, with descriptors of all
// kinds (its own end of the connection among them), rings full of anything in memory that changes,
// and hang-ups at any point. After every few sessions somebody honest comes to the same socket, and
// each of its commands must be answered as a platform server answers a plain call: every byte, and
// the used length.
//
//   SCMI_VP_FUZZ_SECONDS=3600 build/release/models_test --gtest_filter=vhost_user_fuzz.long_heavy
//   SCMI_VP_FUZZ_SEED=1234    repeats from that session on; each failure names its seed
#include <random>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/peers/fuzz_testing.h"
#include "models/peers/wall_clock_testing.h"
#include "virtio/vhost_user/fuzzing.h"

namespace scmi_vp::models {
namespace {

using testing_tools::byte_string;
using testing_tools::command_generator;
using testing_tools::one_worker;
using testing_tools::real_guest;
using testing_tools::wall_platform;
using clock = std::chrono::steady_clock;
namespace vhost_user = virtio::vhost_user;

/// What a hostile front end may pass, besides what virtio's fuzzer has.
struct more_descriptors {
    more_descriptors() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("pipe2");
        pipe_read.reset(ends[0]);
        pipe_write.reset(ends[1]);
        semaphore.reset(::eventfd(1u << 30, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
        full.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        const std::uint64_t most = ~std::uint64_t{0} - 1;
        if (::write(full.get(), &most, sizeof most) != sizeof most) {
            throw std::runtime_error("eventfd");
        }
        folder.reset(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        null.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    }
    virtio::file_descriptor pipe_read, pipe_write, semaphore, full, folder, null;
    vhost_user::fuzz_descriptors plain;
};

class hostile_session {
public:
    hostile_session(const std::string& path, const more_descriptors& fds, std::uint64_t seed)
        : socket_(testing_tools::connect_to(path)), fds_(fds), random_(seed), writer_(random_) {}

    /// One connection; the number of messages.
    unsigned play() {
        const byte_string script = writer_.write();
        unsigned messages = 0;
        for (std::size_t at = 1; at + 1 + vhost_user::header_bytes <= script.size();) {
            const unsigned with = script[at++];
            const std::uint32_t announced = scmi::get_u32(script.data(), script.size(), at + 8);
            const std::size_t length = std::min<std::size_t>(
                vhost_user::header_bytes + std::size_t{announced}, script.size() - at);
            if (!send(script.data() + at, length, with)) break;
            ++messages;
            at += length;
            if (random_() % 8 == 0) scribble();
        }
        if (random_() % 3 == 0) {  // and waits for what comes of it
            char some[4096];
            virtio::fd_list passed;
            if (testing_tools::readable(socket_.fd(), 2)) {
                socket_.receive(some, sizeof some, passed);
            }
        }
        return messages;
    }

private:
    int pick(unsigned n) {
        const int special[] = {socket_.fd(),         fds_.pipe_read.get(), fds_.pipe_write.get(),
                               fds_.semaphore.get(), fds_.full.get(),      fds_.folder.get(),
                               fds_.null.get()};
        const int usual[] = {fds_.plain.memory.get(), fds_.plain.event.get(), fds_.plain.near.get(),
                             fds_.plain.other.get()};
        return random_() % 6 == 0 ? special[random_() % std::size(special)] : usual[n % 4];
    }
    bool send(const std::uint8_t* message, std::size_t size, unsigned with) {
        std::vector<int> fds;
        for (unsigned i = 0; i < (with >> 2 & 15); ++i) fds.push_back(pick(with + i));
        for (std::size_t sent = 0; sent < size;) {
            pollfd p{socket_.fd(), POLLOUT, 0};
            if (::poll(&p, 1, 5000) != 1) ADD_FAILURE() << "it is neither served nor dropped";
            if (p.revents & (POLLHUP | POLLERR)) return false;
            const std::size_t piece = random_() % 8 ? size - sent : 1 + random_() % (size - sent);
            const auto r = socket_.send(message + sent, piece, fds.data(), sent ? 0 : fds.size());
            if (r.what == virtio::io_result::status::closed) return false;
            sent += r.bytes;
        }
        return true;
    }
    /// Into the memory that it shares: descriptors, indices, anything.
    void scribble() {
        byte_string noise(1 + random_() % 256);
        for (auto& b : noise) b = std::uint8_t(random_() % 4 == 0 ? random_() : random_() % 4);
        const off_t where = off_t(random_() % 2 ? random_() % 0x200 : random_() % 0x7f00);
        if (::pwrite(fds_.plain.memory.get(), noise.data(), noise.size(), where) < 0) {
            ADD_FAILURE() << "pwrite";
        }
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(fds_.plain.event.get(), &one, sizeof one);
    }

    virtio::unix_stream socket_;
    const more_descriptors& fds_;
    std::mt19937_64 random_;
    vhost_user::fuzz_script_writer writer_;
};

/// Each command alone, so that its answer is the next used element.
void somebody_honest(const std::string& path, const platform_config& platform, std::uint64_t seed) {
    command_generator random(seed);
    scmi::platform_server server(platform.description);
    real_guest g(path);
    g.connect();
    for (unsigned i = 0; i < 20; ++i) {
        byte_string m = random.message();
        m.resize(std::min<std::size_t>(m.size() / 4 * 4, 240));
        std::vector<std::uint32_t> words(m.size() / 4);
        std::memcpy(words.data(), m.data(), m.size());
        const auto h = scmi::header::unpack(words[0]);
        words.erase(words.begin());
        byte_string sent;
        testing_tools::put(sent, scmi::header{h.message_id, scmi::message_type::command,
                                              h.protocol_id, std::uint16_t(i)}
                                     .pack());
        for (const std::uint32_t w : words) testing_tools::put(sent, w);
        const auto expected = server.handle(1, sent.data(), sent.size(), 256, true);
        g.send(i, h.protocol_id, h.message_id, words);
        virtio::driver_queue::used_buffer used;
        for (int n = 0; n < 50'000 && !used.token; ++n) {
            used = g.rings[0].get_buf();
            if (!used.token) ::usleep(100);
        }
        ASSERT_TRUE(used.token) << "no answer";
        ASSERT_EQ(used.length, expected.response.size());
        byte_string got(used.length);
        const auto reply = g.reply(i, 0, 64);
        std::memcpy(got.data(), reply.data(), got.size());
        EXPECT_EQ(got, byte_string(expected.response.begin(), expected.response.end()));
    }
}

void fuzz(const testing_tools::fuzz_limits& limits) {
    wall_platform run(one_worker());
    const std::string path = run.guest();
    const more_descriptors fds;
    run.play(
        [&] {
            testing_tools::play_seeds(limits, [&](std::uint64_t seed) {
                const unsigned messages = hostile_session(path, fds, seed).play();
                if (seed % 8 == 0) somebody_honest(path, run.config.platform, seed);
                return messages;
            });
        },
        limits.with_slack());
}

TEST(vhost_user_fuzz, briefly) {
    fuzz(testing_tools::fuzz_briefly());
}

TEST(vhost_user_fuzz, long_heavy) {
    fuzz(testing_tools::fuzz_at_length());
}

}  // namespace
}  // namespace scmi_vp::models
