// SPDX-License-Identifier: Apache-2.0
// Sessions driven by the messages that QEMU and User-Mode Linux send, in their order.
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/peer.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

TEST(VhostUserSession, UmlProbeInBandAndItsTeardown) {
    peer p(offer_for_uml_time_travel);
    uml_probe(p);
    auto [channel, theirs] = unix_stream::make_pair();
    EXPECT_TRUE(p.say(r::set_backend_req_fd, {}, fds_of(channel.take())).backend_channel.valid());
    uml_queues(p, true);
    p.request(0, 0x1234);
    const effects first = p.say(r::vring_kick, vring_state{0, 0});
    EXPECT_EQ(first.start, 1u);
    EXPECT_EQ(first.kick, 1u);
    EXPECT_EQ(p.answer(0), 0x1234u) << "user, guest and mapped addresses all differ";
    ASSERT_EQ(p.device.last_route, call_route::message);
    EXPECT_EQ(p.device.outgoing, encode(back_request::vring_call, 9, vring_state{0, 0}));
    wire again;
    EXPECT_THROW(p.device.s.call(0, again), error) << "one call at a time";
    const wire ack = encode(back_request::vring_call, reply_flags, std::uint64_t{0});
    EXPECT_TRUE(p.device.s.call_acknowledged(ack.data(), ack.size(), 0));
    EXPECT_THROW(p.device.s.call_acknowledged(ack.data(), ack.size(), 0), error) << "nothing due";

    // vu_del_vqs: disabled in reverse order, GET_FEATURES as a barrier, no GET_VRING_BASE.
    p.enable(1, 0);
    EXPECT_EQ(p.enable(0, 0).pause, 1u);
    EXPECT_EQ(p.ask(r::get_features), ours);
    // Bound again on the same connection: the paused ring is gone with the first new setting.
    p.say(r::set_features, ours);
    p.share();
    EXPECT_EQ(p.say(r::set_vring_num, vring_state{0, 256}).stop, 1u);
    p.place(0);
    p.enable(0, 1);
    std::memset(static_cast<char*>(p.map) + file_offset, 0, 0x8000);
    p.request(0, 0x5678);
    EXPECT_EQ(p.say(r::vring_kick, vring_state{0, 0}).start, 1u);
    EXPECT_EQ(p.answer(0), 0x5678u);
}

// virtio_uml.c without time travel: kick eventfd, call socket; and a payload of 72 bytes.
TEST(VhostUserSession, UmlInWallClockTime) {
    peer p(offer_for_uml);
    uml_probe(p);
    p.say(r::set_features, ours);
    wire table = encode(r::set_mem_table, 9, mem_table{{p.table().regions[0], {}}});
    table[header_bytes] = 1;
    ASSERT_EQ(table.size(), header_bytes + 72);
    EXPECT_EQ(u64_of(p.device.tell(table, fds_of(copy_of(p.file.get())))), 0u);
    auto [call, theirs] = unix_stream::make_pair();
    p.say(r::set_vring_call, vring_fd{0, false}, fds_of(call.take()));
    p.place(0);
    doorbell kick(make_eventfd());
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(copy_of(kick.fd())));
    p.request(0, 77);
    EXPECT_EQ(p.enable(0, 1).start, 1u) << "what was made available before is looked at";
    EXPECT_EQ(p.answer(0), 77u);
    std::uint64_t rung = 0;
    fd_list none;
    EXPECT_EQ(theirs.receive(&rung, 8, none).bytes, 8u);
    EXPECT_EQ(rung, 1u);
    p.request(0, 78);
    kick.ring();
    EXPECT_EQ(p.device.s.kick_bell(0).listen(), doorbell::heard::rung);
    EXPECT_EQ(p.device.apply(p.device.s.kicked(0)).kick, 1u);
    EXPECT_EQ(p.answer(0), 78u);
    EXPECT_FALSE(p.device.s.polled(0));
}

// virtio_uml.c suspend: disabled and enabled, nothing set up in between: positions are kept.
TEST(VhostUserSession, UmlSuspendKeepsPositionsAndKicks) {
    peer p(offer_for_uml_time_travel);
    uml_probe(p);
    uml_queues(p, true);
    p.request(0, 1);
    p.say(r::vring_kick, vring_state{0, 0});
    EXPECT_EQ(p.answer(0), 1u);
    EXPECT_EQ(p.enable(0, 0).pause, 1u);
    p.request(0, 2);
    EXPECT_EQ(p.say(r::vring_kick, vring_state{0, 0}).kick, 0u) << "disabled: not fetched";
    EXPECT_EQ(p.answer(0), 0u);
    const effects e = p.enable(0, 1);
    EXPECT_EQ(e.resume, 1u);
    EXPECT_EQ(e.kick, 1u) << "the kick is not lost";
    EXPECT_EQ(p.answer(0), 2u);
}

TEST(VhostUserSession, QemuStartStopStartAndNewCallDescriptors) {
    const unsigned before = open_fds();
    {
        peer p(offer_for_qemu);
        qemu_realize(p);
        doorbell kick = doorbell::make(), call = doorbell::make();
        qemu_start(p, kick, call, 0);
        p.request(0, 5);
        EXPECT_EQ(p.device.apply(p.device.s.kicked(0)).kick, 1u);
        EXPECT_EQ(p.answer(0), 5u);
        EXPECT_EQ(call.listen(), doorbell::heard::rung);
        const unsigned fds = open_fds();
        for (int i = 0; i < 100; ++i) {  // MSI-X masks and unmasks
            p.say(r::set_vring_call, vring_fd{0, false}, fds_of(copy_of(call.fd())));
        }
        EXPECT_EQ(open_fds(), fds) << "each replaces the one before";
        const std::uint16_t base = qemu_stop(p);
        EXPECT_EQ(base, 1u);
        wire none;
        EXPECT_EQ(p.device.s.call(0, none), call_route::none) << "GET_VRING_BASE drops the bells";
        qemu_start(p, kick, call, base);
        p.request(0, 6);
        p.device.apply(p.device.s.kicked(0));
        EXPECT_EQ(p.answer(0), 6u) << "goes on where it was";
    }
    EXPECT_EQ(open_fds(), before);
}

// vhost-user.rst: with bit 8 set on a call, the front end polls; what was published meanwhile is
// signalled once when a descriptor comes (libvhost-user, vu_set_vring_call_exec).
TEST(VhostUserSession, CallsWithoutDescriptorAreMadeUpFor) {
    peer p(offer_for_qemu);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make();
    qemu_start(p, kick, call, 0);
    p.say(r::set_vring_call, vring_fd{0, true});
    p.request(0, 5);
    p.device.apply(p.device.s.kicked(0));
    EXPECT_EQ(p.device.last_route, call_route::none);
    EXPECT_EQ(call.listen(), doorbell::heard::nothing);
    p.say(r::set_vring_call, vring_fd{0, false}, fds_of(copy_of(call.fd())));
    EXPECT_EQ(call.listen(), doorbell::heard::rung);
    p.say(r::set_vring_call, vring_fd{0, false}, fds_of(copy_of(call.fd())));
    EXPECT_EQ(call.listen(), doorbell::heard::nothing) << "once";
    // A kick with bit 8: the device polls.
    p.say(r::set_vring_kick, vring_fd{0, true});
    EXPECT_TRUE(p.device.s.polled(0));
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
