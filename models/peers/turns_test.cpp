// SPDX-License-Identifier: Apache-2.0
// SystemC and a guest in turns, with a guest that is a thread of this test: the order of messages
// that Linux 6.1 depends on (arch/um/kernel/time.c, arch/um/drivers/virtio_uml.c).
#include "models/peers/turns.h"

#include <cstring>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include "base/error.h"
#include "models/peers/shared_platform.h"
#include "virtio/vhost_user/front.h"
#include "virtio/vhost_user/memory.h"

namespace scmi_vp::models {
namespace {

namespace vhost_user = virtio::vhost_user;
using op = time_travel_op;

bool readable(int fd, int milliseconds) {
    pollfd p{fd, POLLIN, 0};
    return ::poll(&p, 1, milliseconds) == 1;
}

/// Blocking reads and writes as the guest does them; throws when nothing comes.
void read_all(virtio::unix_stream& s, void* to, std::size_t size) {
    virtio::fd_list fds;
    for (std::size_t have = 0; have < size;) {
        if (!readable(s.fd(), 10'000)) throw std::runtime_error("nothing came");
        const virtio::io_result r =
            s.receive(static_cast<std::uint8_t*>(to) + have, size - have, fds);
        if (r.what == virtio::io_result::status::closed) throw std::runtime_error("closed");
        have += r.bytes;
    }
}

/// User-Mode Linux, as much of it as its peers can see.
class fake_guest {
public:
    fake_guest(const std::string& clock, const std::string& device)
        : clock_(virtio::unix_stream::connect(clock)),
          device_(virtio::unix_stream::connect(device)),
          channel_(virtio::unix_stream::make_pair()) {
        view_.add_region({0, memory_.size(), memory_.data(), true});
        ring_ = virtio::driver_queue(view_, cmdq_, {});
    }

    /// A request to the calendar; acknowledges what comes before its answer.
    std::uint64_t ask(op what, std::uint64_t time = 0) {
        const time_travel_message m{unsigned(what), ++seq_, time};
        clock_.send(&m, sizeof m);
        for (;;) {
            const time_travel_message answer = next();
            if (answer.op != unsigned(op::ack)) continue;
            EXPECT_EQ(answer.seq, seq_);
            return answer.time;
        }
    }

    /// The next message of the calendar; all but acknowledgements are acknowledged.
    time_travel_message next() {
        time_travel_message m{};
        read_all(clock_, &m, sizeof m);
        if (m.op == unsigned(op::free_until)) free_until = m.time;
        if (m.op == unsigned(op::ack)) return m;
        const time_travel_message ack{unsigned(op::ack), m.seq, 0};
        clock_.send(&ack, sizeof ack);
        return m;
    }

    std::uint64_t wait_for_run() {
        for (;;) {
            const time_travel_message m = next();
            if (m.op == unsigned(op::run)) return m.time;
        }
    }

    void set_up() {
        while (auto m = front_.next()) {
            device_.send(m->bytes.data(), m->bytes.size(), m->fds.data(), m->fds.size());
            if (front_.awaited()) take_reply();
        }
        ASSERT_EQ(front_.now(), vhost_user::front_end::state::running);
        ASSERT_TRUE(front_.in_band());
    }

    void take_reply() {
        const std::vector<std::uint8_t> m = message(device_);
        front_.on_reply(m.data(), m.size(), 0);
    }

    static std::vector<std::uint8_t> message(virtio::unix_stream& s) {
        vhost_user::header h;
        std::vector<std::uint8_t> bytes(vhost_user::header_bytes);
        read_all(s, bytes.data(), bytes.size());
        std::memcpy(&h, bytes.data(), sizeof h);
        bytes.resize(vhost_user::header_bytes + h.size);
        read_all(s, bytes.data() + vhost_user::header_bytes, h.size);
        return bytes;
    }

    /// A Base PROTOCOL_VERSION command into the ring and its kick onto the socket.
    void command(std::uint16_t token) {
        const scmi::header h{0, scmi::message_type::command, 0x10, token};
        view_.store<std::uint32_t>(virtio::actor::driver, 0x8000, h.pack());
        const virtio::buffer out{0x8000, 4}, in{0x9000, 64};
        ring_.add(&out, 1, &in, 1, this);
        vhost_user::wire kick;
        front_.kick(0, kick);
        device_.send(kick.data(), kick.size());
    }

    /// The call and what virtio_uml does with it: GET, REQUEST for this very instant, then the
    /// reply.
    std::uint64_t take_call() {
        const std::vector<std::uint8_t> m = message(channel_.first);
        const auto event = front_.on_backend_request(m.data(), m.size(), 0);
        EXPECT_EQ(event.called, 0u);
        const std::uint64_t time = ask(op::get);
        ask(op::request, time);
        channel_.first.send(event.reply.data(), event.reply.size());
        return time;
    }

    std::uint32_t reply_word(unsigned n) {
        return view_.load<std::uint32_t>(virtio::actor::driver, 0x9000 + 4 * n);
    }
    virtio::driver_queue& ring() { return ring_; }
    int clock_fd() const { return clock_.fd(); }
    int device_fd() const { return device_.fd(); }
    void hang_up() { clock_.close(), device_.close(), channel_.first.close(); }

    std::uint64_t free_until = 0;

private:
    vhost_user::front_config config() {
        vhost_user::front_config c;
        c.features = virtio::feature::version_1;
        c.protocol_features = vhost_user::offer_for_uml_time_travel;
        c.memory = {{memory_.region(0), memory_.fd()}};
        c.queues = {{cmdq_, 0}, {virtio::ring_layout::linux_block(0x4000, 16, 4096), 0}};
        c.backend_channel = channel_.second.fd();
        return c;
    }

    virtio::unix_stream clock_, device_;
    std::pair<virtio::unix_stream, virtio::unix_stream> channel_;
    vhost_user::shared_memory memory_{1 << 16};
    virtio::ring_layout cmdq_ = virtio::ring_layout::linux_block(0, 16, 4096);
    virtio::guest_memory view_;
    virtio::driver_queue ring_;
    vhost_user::front_end front_{config()};
    std::uint32_t seq_ = 0;
};

system_config platform_that_takes(sim_time service) {
    system_config c;
    c.platform.description.agents.push_back({"agent"});
    c.platform.workers = 0;
    c.hops[std::size_t(hop::service)] = make_constant(service);
    return c;
}

/// Runs `guest` in a thread against the platform, until it hangs up.
template <class Guest>
turns::ending play(const system_config& config, Guest guest) {
    shared_platform platform("top", config, 1);
    std::string folder = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    virtio::unix_listener clock(folder + "/clock");
    vhost_user::session_config session;
    session.protocol_features = vhost_user::offer_for_uml_time_travel;
    vhost_user_peer peer(virtio::unix_listener(folder + "/device"), session, platform.device(0),
                         platform.view(0));
    std::thread thread([&] {
        fake_guest g(folder + "/clock", folder + "/device");
        try {
            guest(g);
        } catch (const std::exception& e) {
            ADD_FAILURE() << "the guest: " << e.what();
        }
        g.hang_up();
    });
    EXPECT_TRUE(readable(clock.fd(), 10'000));
    turns t(std::move(*clock.accept()), peer);
    t.patience_s = 10;
    const turns::ending ending = t.run(seconds(10));
    thread.join();
    clock.close();
    std::filesystem::remove_all(folder);
    return ending;
}

TEST(turns, a_reply_comes_in_its_turn_and_at_its_time) {
    const auto ending = play(platform_that_takes(microseconds(50)), [](fake_guest& g) {
        g.ask(op::start, 1);
        g.set_up();
        g.command(5);
        g.take_reply();
        EXPECT_FALSE(g.ring().more_used());  // it is not served while the guest runs
        g.ask(op::request, 64'480'000'000);
        g.ask(op::wait, UINT64_MAX);
        EXPECT_EQ(g.take_call(), 50'000u);
        EXPECT_EQ(g.wait_for_run(), 50'000u);
        EXPECT_EQ(g.ring().get_buf().length, 12u);
        EXPECT_EQ(g.reply_word(1), 0u);
        EXPECT_EQ(g.reply_word(2), 0x20000u);
    });
    EXPECT_EQ(ending, turns::ending::gone);
}

// "Send the smaller value before acknowledging that kick, or the guest runs on into its timeout."
TEST(turns, a_kick_shortens_free_time_before_it_is_acknowledged) {
    play(platform_that_takes(microseconds(50)), [](fake_guest& g) {
        g.ask(op::start, 1);
        g.set_up();
        g.ask(op::request, 1000);
        g.ask(op::wait, UINT64_MAX);
        EXPECT_EQ(g.wait_for_run(), 1000u);
        EXPECT_GT(g.free_until, 1'000'000'000u);  // nothing is due on the platform
        g.ask(op::update, 1256);
        g.command(6);
        const time_travel_message m = g.next();  // before its acknowledgement
        EXPECT_EQ(m.op, unsigned(op::free_until));
        EXPECT_EQ(m.time, 1257u);  // this instant only
        g.take_reply();
        g.ask(op::request, 64'480'000'000);
        g.ask(op::wait, UINT64_MAX);
        EXPECT_EQ(g.take_call(), 51'256u);
        EXPECT_EQ(g.wait_for_run(), 51'256u);
    });
}

// The simulator goes first when both want the same instant, so the guest finds the reply there.
TEST(turns, at_equal_times_the_platform_goes_first) {
    play(platform_that_takes(microseconds(50)), [](fake_guest& g) {
        g.ask(op::start, 1);
        g.set_up();
        g.command(7);
        g.take_reply();
        g.ask(op::request, 50'000);
        g.ask(op::wait, UINT64_MAX);
        EXPECT_EQ(g.take_call(), 50'000u);
        EXPECT_EQ(g.wait_for_run(), 50'000u);
        EXPECT_TRUE(g.ring().more_used());
    });
}

TEST(turns, a_guest_without_anything_to_wait_for_sleeps_for_ever) {
    const auto ending = play(platform_that_takes(microseconds(50)), [](fake_guest& g) {
        g.ask(op::start, 1);
        g.ask(op::request, INT64_MAX);
        g.ask(op::wait, UINT64_MAX);
        readable(g.clock_fd(), 200);
    });
    EXPECT_EQ(ending, turns::ending::asleep);
}

TEST(turns, a_timer_beyond_the_limit_ends_the_run) {
    const auto ending = play(platform_that_takes(microseconds(50)), [](fake_guest& g) {
        g.ask(op::start, 1);
        g.ask(op::request, 11'000'000'000);
        g.ask(op::wait, UINT64_MAX);
        readable(g.clock_fd(), 200);
    });
    EXPECT_EQ(ending, turns::ending::deadline);
}

}  // namespace
}  // namespace scmi_vp::models
