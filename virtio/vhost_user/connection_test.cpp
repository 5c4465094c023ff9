// SPDX-License-Identifier: Apache-2.0
// Our front end and our back end over real sockets in one thread: connect, requests and answers
// through split rings with eventfds and in-band, stop and restart, reconnection; and the front end
// against back ends that break the rules.
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/channel.h"
#include "virtio/vhost_user/front.h"
#include "virtio/vhost_user/testing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

namespace pf = protocol_feature;
using testing::HasSubstr;

constexpr std::uint64_t base = 0x80000000;
constexpr std::uint16_t entries = 16;

/// A driver's memory: outlives connections.
struct driver_side {
    driver_side() : memory(0x10000) {
        view.add_region({base, memory.size(), memory.data()});
        queue = driver_queue(view, layout(0), {true, true});
    }
    static ring_layout layout(unsigned q) {
        return ring_layout::linux_block(base + q * 0x4000, entries, 4096);
    }
    front_config config(std::uint64_t protocol_features, int backend_channel) const {
        front_config c;
        c.protocol_features = protocol_features;
        c.memory = {{memory.region(base), memory.fd()}};
        const std::uint16_t at = view_index();
        c.queues = {{layout(0), at}, {layout(1), 0}};
        c.backend_channel = backend_channel;
        return c;
    }
    /// After a lost back end: what was used is where to go on (QEMU, vhost_virtqueue_stop).
    std::uint16_t view_index() const {
        std::uint16_t v = 0;
        std::memcpy(&v, memory.data() + (layout(0).used_idx() - base), 2);
        return v;
    }
    /// A command and room for its reply; whether the device must be kicked.
    bool request(std::uint32_t command) {
        const std::uint64_t at = base + 0xc000 + 64 * (sent++ % 64);
        view.store(actor::driver, at, command);
        const buffer out{at, 4}, in{at + 32, 4};
        EXPECT_EQ(queue.add(&out, 1, &in, 1, reinterpret_cast<void*>(at)), add_result::added);
        return queue.kick_prepare();
    }
    std::optional<std::uint32_t> reply() {
        const auto used = queue.get_buf();
        if (used.token == nullptr) return std::nullopt;
        EXPECT_EQ(used.length, 4u);
        return view.load<std::uint32_t>(actor::driver,
                                        reinterpret_cast<std::uint64_t>(used.token) + 32);
    }
    shared_memory memory;
    guest_memory view;
    driver_queue queue;
    std::uint64_t sent = 0;
};

/// Both shells in turn. The back end answers kicks before it looks at the queue, as one must that
/// sends calls as messages.
class both_sides {
public:
    both_sides(driver_side& d, std::uint64_t offer, std::uint64_t wanted)
        : both_sides(d, offer, wanted, unix_stream::make_pair(), unix_stream::make_pair()) {}

    void until_state(front_end::state wanted) {
        for (int i = 0; i < 1000 && front.now() != wanted; ++i) turn();
        ASSERT_EQ(front.now(), wanted);
    }
    void turn() {
        if (auto m = front.next()) to_back.send(m->bytes, m->fds.data(), m->fds.size());
        while (from_front.receive() == channel::outcome::message) {
            back_end(device.s.handle(from_front.data(), from_front.size(), from_front.take_fds()));
        }
        for (unsigned q : {0u, 1u}) {
            if (device.s.running(q) && device.s.kick_bell(q).valid() &&
                device.s.kick_bell(q).listen() == doorbell::heard::rung) {
                back_end(device.s.kicked(q));
            }
        }
        while (to_back.receive() == channel::outcome::message) {
            front.on_reply(to_back.data(), to_back.size(), to_back.take_fds().size());
        }
        calls();
    }
    void back_end(effects e) {
        if (e.backend_channel.valid()) {
            call_channel.emplace(unix_stream(std::move(e.backend_channel)), traffic::replies);
        }
        const queue_mask kicked = e.kick;
        e = device.apply(std::move(e));
        if (!e.complaint.empty()) complaints.push_back(e.complaint);
        if (!e.reply.empty()) from_front.send(e.reply);
        if ((kicked & 1) != 0) device.serve(0);
        if (call_channel && device.last_route == call_route::message) {
            call_channel->send(device.outgoing);
        }
        device.last_route = call_route::none;
    }
    void calls() {
        if (front.call_bell(0).listen() == doorbell::heard::rung) ++interrupts;
        if (!call_channel) return;
        while (front_calls.receive() == channel::outcome::message) {
            const auto event = front.on_backend_request(front_calls.data(), front_calls.size(),
                                                        front_calls.take_fds().size());
            interrupts += event.called == 0u;
            if (!event.reply.empty()) front_calls.send(event.reply);
        }
        while (call_channel->receive() == channel::outcome::message) {
            EXPECT_TRUE(device.s.call_acknowledged(call_channel->data(), call_channel->size(),
                                                   call_channel->take_fds().size()));
        }
    }
    std::uint32_t round_trip(driver_side& d, std::uint32_t command) {
        if (d.request(command)) {
            wire message;
            front.kick(0, message);
            EXPECT_EQ(message.empty(), !front.in_band());
            if (!message.empty()) to_back.send(message);
        }
        for (int i = 0; i < 10; ++i) {
            turn();
            if (const auto r = d.reply()) return *r;
        }
        return 0;
    }

    echo_device device;
    front_end front;
    channel to_back, from_front, front_calls;
    unix_stream back_calls;
    std::optional<channel> call_channel;
    std::deque<std::string> complaints;
    unsigned interrupts = 0;

private:
    using pair = std::pair<unix_stream, unix_stream>;
    static session_config offering(std::uint64_t bits) {
        session_config c;
        c.protocol_features = bits;
        return c;
    }
    both_sides(driver_side& d, std::uint64_t offer, std::uint64_t wanted, pair main, pair calls)
        : device(offering(offer)),
          front(d.config(wanted, calls.second.fd())),
          to_back(std::move(main.first), traffic::replies),
          from_front(std::move(main.second), traffic::requests),
          front_calls(std::move(calls.first), traffic::requests),
          back_calls(std::move(calls.second)) {
        device.serve_at_once = false;
    }
};

void many_round_trips(both_sides& both, driver_side& d, unsigned n) {
    for (std::uint32_t i = 1; i <= n; ++i) ASSERT_EQ(both.round_trip(d, i), i);
}

TEST(VhostUserConnection, EventfdsAndReconnection) {
    const unsigned before = open_fds();
    {
        driver_side d;
        for (int connection = 1; connection <= 3; ++connection) {
            both_sides both(d, offer_for_qemu, offer_for_qemu);
            both.until_state(front_end::state::running);
            EXPECT_EQ(both.front.protocol_features(), offer_for_qemu);
            EXPECT_EQ(both.device.s.base(0), d.view_index()) << "goes on after a lost back end";
            many_round_trips(both, d, 100);
            EXPECT_GE(both.interrupts, 100u);
            EXPECT_TRUE(both.complaints.empty());
        }
    }
    EXPECT_EQ(open_fds(), before);
}

// Item 8 of the conformance list: the kick is acknowledged before the call, 10 000 times.
TEST(VhostUserConnection, InBand) {
    driver_side d;
    both_sides both(d, offer_for_uml_time_travel, offer_for_uml_time_travel);
    both.until_state(front_end::state::running);
    EXPECT_TRUE(both.front.in_band());
    many_round_trips(both, d, 10'000);
    EXPECT_GE(both.interrupts, 10'000u);
    EXPECT_FALSE(both.device.s.call_pending());
    EXPECT_FALSE(both.device.s.kick_bell(0).valid()) << "no descriptors were passed";
}

TEST(VhostUserConnection, WithoutAcknowledgementsAndProtocolFeatures) {
    driver_side d;
    both_sides both(d, offer_for_qemu, 0);
    both.until_state(front_end::state::running);
    EXPECT_EQ(both.device.s.protocol_features(), 0u);
    many_round_trips(both, d, 100);
}

TEST(VhostUserConnection, StopAndRestartKeepThePosition) {
    driver_side d;
    both_sides both(d, offer_for_uml_time_travel, offer_for_uml_time_travel);
    both.until_state(front_end::state::running);
    many_round_trips(both, d, 70);
    both.front.stop();
    wire message;
    EXPECT_THROW(both.front.kick(0, message), error);
    both.until_state(front_end::state::stopped);
    EXPECT_EQ(both.front.base(0), 70u);
    EXPECT_FALSE(both.device.s.running(0));
    both.front.restart();
    both.until_state(front_end::state::running);
    many_round_trips(both, d, 70);
}

TEST(VhostUserConnection, DescriptorsOutsideMemoryBreakTheRingAlone) {
    driver_side d;
    both_sides both(d, offer_for_qemu, offer_for_qemu);
    both.until_state(front_end::state::running);
    const buffer wild{0x1000, 4};
    ASSERT_EQ(d.queue.add(&wild, 1, nullptr, 0, &d), add_result::added);
    ASSERT_TRUE(d.queue.kick_prepare());
    wire none;
    both.front.kick(0, none);
    for (int i = 0; i < 5; ++i) both.turn();
    EXPECT_EQ(both.front.error_bell(0).listen(), doorbell::heard::rung);
    EXPECT_FALSE(both.device.s.ended());
    both.front.stop();
    both.until_state(front_end::state::stopped);
}

// --- the front end against back ends that break the rules ---------------------------------------

struct lone_front {
    explicit lone_front(std::uint64_t protocol = pf::mq | pf::reply_ack)
        : front(d.config(protocol, -1)) {}
    /// Answers until the request with that number is sent.
    void advance_to(front_request r, std::uint64_t features, std::uint64_t protocol) {
        while (auto m = front.next()) {
            header h = read_header(m->bytes.data(), traffic::requests);
            if (h.request == static_cast<std::uint32_t>(r)) return;
            const auto kind = static_cast<front_request>(h.request);
            std::uint64_t value = 0;
            if (kind == front_request::get_features) value = features;
            if (kind == front_request::get_protocol_features) value = protocol;
            if (kind == front_request::get_queue_num) value = 2;
            if (front.awaited() != nullptr) answer(encode(h.request, reply_flags, value));
        }
        FAIL() << "not sent";
    }
    void answer(const wire& w, std::size_t fds = 0) { front.on_reply(w.data(), w.size(), fds); }
    std::string refusal(const wire& w, std::size_t fds = 0) {
        try {
            answer(w, fds);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::input);
            return e.what();
        }
        return "accepted";
    }
    driver_side d;
    front_end front;
};

constexpr std::uint64_t modern = feature::version_1 | feature_protocol_features;
using r = front_request;

TEST(VhostUserFront, BackEndsThatBreakTheRules) {
    lone_front a;
    EXPECT_THAT(a.refusal(encode(r::get_features, 5, modern)), HasSubstr("awaited is nothing"));
    a.advance_to(r::get_features, 0, 0);
    EXPECT_THAT(a.refusal(encode(r::set_features, 5, modern)),
                HasSubstr("awaited is GET_FEATURES"));
    EXPECT_THAT(a.refusal(encode(r::get_features, 1, modern)), HasSubstr("a reply has 5"));
    EXPECT_THAT(a.refusal(wire()), HasSubstr("sent 0 bytes"));
    EXPECT_EQ(a.front.now(), front_end::state::connecting);
}

TEST(VhostUserFront, RepliesOfTheWrongForm) {
    lone_front a, b, c;
    for (lone_front* f : {&a, &b, &c}) f->advance_to(r::get_features, 0, 0);
    EXPECT_THAT(a.refusal(encode(r::get_features, 5)), HasSubstr("0 bytes of payload"));
    EXPECT_THAT(b.refusal(encode(r::get_features, 5, modern), 1), HasSubstr("1 descriptors"));
    EXPECT_THAT(c.refusal(encode(r::get_features, 5, feature_protocol_features)),
                HasSubstr("does not offer VERSION_1"));
}

TEST(VhostUserFront, RefusalsAndTooFewQueues) {
    lone_front a, b;
    a.advance_to(r::set_mem_table, modern, pf::mq | pf::reply_ack);
    EXPECT_THAT(a.refusal(encode(r::set_mem_table, 5, std::uint64_t{1})),
                HasSubstr("refuses SET_MEM_TABLE (1)"));
    b.advance_to(r::get_queue_num, modern, pf::mq | pf::reply_ack);
    EXPECT_THAT(b.refusal(encode(r::get_queue_num, 5, std::uint64_t{1})),
                HasSubstr("has 1 queues, 2 are needed"));
}

TEST(VhostUserFront, InBandMustBeOffered) {
    driver_side d;
    EXPECT_THROW(front_end(d.config(offer_for_uml_time_travel, -1)), error);
    front_end front(d.config(offer_for_uml_time_travel, 0));
    for (auto [request, value] : {std::pair(r::get_features, modern),
                                  std::pair(r::get_protocol_features, offer_for_qemu)}) {
        while (front.awaited() == nullptr) ASSERT_TRUE(front.next());
        const wire w = encode(request, 5, value);
        if (request == r::get_features) {
            front.on_reply(w.data(), w.size(), 0);
        } else {
            EXPECT_THROW(front.on_reply(w.data(), w.size(), 0), error);
        }
    }
}

// The order in which rust-vmm's vhost crate and virtio_uml.c send; the protocol features only those
// that both sides have.
TEST(VhostUserFront, OrderOfMessages) {
    lone_front f;
    std::vector<std::string> names;
    while (auto m = f.front.next()) {
        const header h = read_header(m->bytes.data(), traffic::requests);
        names.emplace_back(find_front_request(h.request)->name);
        const auto kind = static_cast<r>(h.request);
        const std::uint64_t value = kind == r::get_features            ? modern
                                    : kind == r::get_protocol_features ? offer_for_qemu
                                    : kind == r::get_queue_num         ? 2
                                                                       : 0;
        if (f.front.awaited() != nullptr) f.answer(encode(h.request, 5, value));
    }
    EXPECT_THAT(names, testing::ElementsAre(
                           "SET_OWNER", "GET_FEATURES", "GET_PROTOCOL_FEATURES",
                           "SET_PROTOCOL_FEATURES", "GET_QUEUE_NUM", "SET_FEATURES",
                           "SET_MEM_TABLE", "SET_VRING_NUM", "SET_VRING_BASE", "SET_VRING_ADDR",
                           "SET_VRING_ERR", "SET_VRING_CALL", "SET_VRING_KICK", "SET_VRING_NUM",
                           "SET_VRING_BASE", "SET_VRING_ADDR", "SET_VRING_ERR", "SET_VRING_CALL",
                           "SET_VRING_KICK", "SET_VRING_ENABLE", "SET_VRING_ENABLE"));
    EXPECT_EQ(f.front.now(), front_end::state::running);
    EXPECT_EQ(f.front.features(), modern);
}

// UML answers what it does not know with 1 (virtio_uml.c, vhost_user_receive_req).
TEST(VhostUserFront, RequestsOfTheBackEnd) {
    driver_side d;
    both_sides both(d, offer_for_uml_time_travel, offer_for_uml_time_travel);
    both.until_state(front_end::state::running);
    const auto verdict = [&](const wire& w, std::size_t fds = 0) {
        const auto e = both.front.on_backend_request(w.data(), w.size(), fds);
        EXPECT_FALSE(e.called);
        return e.reply.size() == 20 ? e.reply[12] : 99;
    };
    EXPECT_EQ(verdict(encode(77, 9, {})), 1);
    EXPECT_EQ(verdict(encode(back_request::config_change_msg, 9)), 1);
    EXPECT_EQ(verdict(encode(back_request::vring_call, 9, vring_state{2, 0})), 1);
    EXPECT_EQ(verdict(encode(back_request::vring_call, 9, vring_state{0, 0}), 1), 1);
    EXPECT_EQ(verdict(encode(back_request::vring_call, 9)), 1);
    EXPECT_EQ(verdict(encode(back_request::vring_call, 1, vring_state{9, 0})), 99) << "no answer";
    const wire err = encode(back_request::vring_err, 9, vring_state{1, 0});
    EXPECT_EQ(both.front.on_backend_request(err.data(), err.size(), 0).broken, 1u);
    const wire bad = encode(back_request::vring_call, 5, vring_state{0, 0});
    EXPECT_THROW(both.front.on_backend_request(bad.data(), bad.size(), 0), error);
}

TEST(VhostUserFront, RingsOutsideItsMemory) {
    driver_side d;
    front_config c = d.config(0, -1);
    c.queues[0].layout.used = base + 0xfff0;
    EXPECT_THROW(front_end{c}, error);
    c = d.config(0, -1);
    c.queues[0].layout.size = 100;
    EXPECT_THROW(front_end{c}, error);
    c = d.config(0, -1);
    c.memory.clear();
    EXPECT_THROW(front_end{c}, error);
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
