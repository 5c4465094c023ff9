// SPDX-License-Identifier: Apache-2.0
// Ring states of QEMU's docs/interop/vhost-user.rst, resets, memory that changes around running
// rings, and offers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/peer.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using testing::HasSubstr;

// vhost-user.rst, "Ring states": without PROTOCOL_FEATURES rings are enabled from the start.
TEST(VhostUserRings, WithoutProtocolFeaturesRingsAreEnabled) {
    peer p(offer_for_qemu);
    p.say(r::set_owner);
    p.say(r::set_features, feature::version_1);
    p.share();
    p.place(0);
    EXPECT_EQ(p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd())).start, 1u);
    EXPECT_FALSE(p.device.s.ring().event_idx);
    EXPECT_THAT(p.refusal(r::set_vring_enable, vring_state{0, 0}), HasSubstr("bit 30"));
}

TEST(VhostUserRings, EnabledLateStartsWithFeatures) {
    peer p(offer_for_qemu);
    p.share();
    p.place(0);
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
    EXPECT_EQ(p.say(r::set_features, feature::version_1).start, 1u);
}

// Nothing else: VERSION_1 is what makes rings little-endian.
TEST(VhostUserRings, LegacyDriversAreRefused) {
    peer p(offer_for_qemu | pf::status);
    p.say(r::set_protocol_features, offer_for_qemu | pf::status);
    p.ack = true;
    p.say(r::set_features, feature_protocol_features);
    p.say(r::set_status, std::uint64_t{0xb});
    EXPECT_EQ(p.ask(r::get_status), 0x3u) << "FEATURES_OK reads back as 0 (virtio 3.1.1)";
    p.share();
    p.say(r::set_vring_num, vring_state{0, 256});
    EXPECT_THAT(p.refusal(r::set_vring_addr, vring_addr{0, 0, user_base, user_base, user_base, 0}),
                HasSubstr("VERSION_1"));
}

TEST(VhostUserRings, InBandWithoutAcknowledgementsEndsTheSession) {
    peer p(offer_for_uml_time_travel);
    p.say(r::set_owner);
    const effects e = p.device.tell(r::set_protocol_features,
                                    pf::inband_notifications | pf::backend_req, {}, true);
    EXPECT_TRUE(e.ended) << "vhost-user.rst: the back end closes the connection";
    EXPECT_THAT(e.complaint, HasSubstr("INBAND_NOTIFICATIONS (bit 14) without"));
    EXPECT_TRUE(e.reply.empty());
    EXPECT_THROW(p.device.tell(r::get_features), error);
}

// What QEMU does with CONFIGURE_MEM_SLOTS and STATUS, and the two resets.
TEST(VhostUserRings, MemorySlotsStatusAndReset) {
    peer p(supported_protocol_features & ~pf::inband_notifications);
    qemu_realize(p);
    p.ack = true;
    p.say(r::set_features, ours);
    const mem_region first = p.table().regions[0];
    const mem_region second{0x1000, 0x1000, 0x9000, 0x30000};
    EXPECT_TRUE(
        p.say(r::add_mem_reg, single_region{first}, fds_of(copy_of(p.file.get()))).memory_changed);
    p.place(0);
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
    EXPECT_EQ(p.enable(0, 1).start, 1u);
    p.say(r::set_status, std::uint64_t{0xf});
    EXPECT_EQ(p.ask(r::get_status), 0xfu);
    p.say(r::add_mem_reg, single_region{second}, fds_of(copy_of(p.file.get())));
    EXPECT_TRUE(p.device.view.contains(0x1000, 0x1000));
    EXPECT_THAT(p.refusal(r::rem_mem_reg, single_region{first}), HasSubstr("queue 0, which runs"));
    p.say(r::rem_mem_reg, single_region{second}, fds_of(copy_of(p.file.get())));
    EXPECT_FALSE(p.device.view.contains(0x1000, 1));
    p.request(0, 3);
    p.device.apply(p.device.s.kicked(0));
    EXPECT_EQ(p.answer(0), 3u) << "tables change around a running ring";

    const effects e = p.say(r::set_status, std::uint64_t{0});
    EXPECT_TRUE(e.device_reset);
    EXPECT_EQ(e.stop, 1u);
    p.place(0);
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
    EXPECT_EQ(p.enable(0, 1).start, 1u);
    EXPECT_EQ(p.say(r::reset_device).stop, 1u);
    EXPECT_EQ(p.ask(r::get_status), 0u);
    EXPECT_FALSE(p.device.s.memory().empty()) << "memory is not the driver's to reset";
}

TEST(VhostUserRings, ResetOwnerDisablesAndKeepsNegotiation) {
    peer p(offer_for_uml_time_travel);
    uml_probe(p);
    uml_queues(p, true);
    p.say(r::vring_kick, vring_state{0, 0});
    EXPECT_EQ(p.say(r::reset_owner).pause, 1u);
    EXPECT_EQ(p.device.s.features(), ours);
    EXPECT_EQ(p.enable(0, 1).resume, 1u);
}

// vhost-user.rst, "Error": a broken ring is told by its error descriptor, GET_VRING_BASE answers.
TEST(VhostUserRings, BrokenRingIsToldAndMayStartAgain) {
    peer p(offer_for_qemu | pf::status);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make(), err = doorbell::make();
    qemu_start(p, kick, call, 0);
    p.say(r::set_vring_err, vring_fd{0, false}, fds_of(copy_of(err.fd())));
    p.request(0, 1);
    p.view.store<std::uint16_t>(actor::driver, p.driver[0].layout().avail_slot(0), 999);
    p.device.apply(p.device.s.kicked(0));
    EXPECT_EQ(err.listen(), doorbell::heard::rung);
    EXPECT_EQ(p.ask(r::get_status), device_status::needs_reset);
    EXPECT_FALSE(p.device.s.running(0));
    EXPECT_EQ(p.device.s.kicked(0).kick, 0u);
    EXPECT_EQ(u64_of(p.say(r::get_vring_base, vring_state{0, 0})) & 0xffffffff, 0u);
    EXPECT_EQ(p.ask(r::get_status), 0u);
    std::memset(static_cast<char*>(p.map) + file_offset, 0, 0x8000);
    p.enable(0, 0);
    qemu_start(p, kick, call, 0);
    p.request(0, 9);
    p.device.apply(p.device.s.kicked(0));
    EXPECT_EQ(p.answer(0), 9u);
}

// Item 4 of the conformance list: stopped and started at an index just before the wrap.
TEST(VhostUserRings, PositionsCrossTheWrap) {
    peer p(offer_for_qemu);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make();
    const auto l = ring_layout::linux_block(guest_base, 256, 4096);
    p.view.store<std::uint16_t>(actor::driver, l.used_idx(), 0xfffe);
    p.view.store<std::uint16_t>(actor::driver, l.avail_idx(), 0xfffe);
    qemu_start(p, kick, call, 0xfffe);
    EXPECT_EQ(p.device.queues[0].next_available(), 0xfffe);
    EXPECT_EQ(p.device.queues[0].used_index(), 0xfffe);
    for (std::uint16_t i = 0; i < 4; ++i) {
        const auto slot = static_cast<std::uint16_t>(0xfffe + i);
        p.view.store(actor::driver, l.desc + 16 * i, descriptor{guest_base + 0x1c000, 8, 0, 0});
        p.view.store<std::uint16_t>(actor::driver, l.avail_slot(slot), i);
        p.view.store<std::uint16_t>(actor::driver, l.avail_idx(),
                                    static_cast<std::uint16_t>(slot + 1));
        p.device.apply(p.device.s.kicked(0));
    }
    EXPECT_EQ(p.device.requests, 4u);
    EXPECT_EQ(qemu_stop(p), 2u);
}

TEST(VhostUserRings, RunningRingsAreNotSetUpAnew) {
    peer p(offer_for_qemu);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make();
    qemu_start(p, kick, call, 0);
    p.ack = true;
    EXPECT_THAT(p.refusal(r::set_vring_num, vring_state{0, 128}), HasSubstr("while it runs"));
    EXPECT_THAT(p.refusal(r::set_vring_base, vring_state{0, 7}), HasSubstr("while it runs"));
    EXPECT_THAT(p.refusal(r::set_vring_addr, vring_addr{0, 0, user_base, user_base, user_base, 0}),
                HasSubstr("while it runs"));
    EXPECT_THAT(p.refusal(r::set_features, ours & ~feature::event_idx), HasSubstr("queue 0 runs"));
    mem_table moved = p.table();
    moved.regions[0].guest_addr += 0x1000;
    EXPECT_THAT(p.refusal(r::set_mem_table, moved, fds_of(copy_of(p.file.get()))),
                HasSubstr("moves or drops the ring of queue 0"));
    p.request(0, 4);
    p.device.apply(p.device.s.kicked(0));
    EXPECT_EQ(p.answer(0), 4u) << "all as before";
}

TEST(VhostUserRings, CallsMissedForWantOfAChannelAreMade) {
    peer p(offer_for_uml_time_travel);
    uml_probe(p);
    uml_queues(p, true);
    p.request(0, 4);
    p.say(r::vring_kick, vring_state{0, 0});
    EXPECT_EQ(p.device.last_route, call_route::none);
    auto [channel, theirs] = unix_stream::make_pair();
    EXPECT_EQ(p.say(r::set_backend_req_fd, {}, fds_of(channel.take())).call_again, 1u);
    wire message;
    EXPECT_EQ(p.device.s.call(0, message), call_route::message);
}

TEST(VhostUserRings, CuttingOffMemoryEndsTheSession) {
    peer p(offer_for_qemu);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make();
    qemu_start(p, kick, call, 0);
    p.request(0, 1);
    ASSERT_EQ(::ftruncate(p.file.get(), 0), 0);
    const effects e = p.device.s.kicked(0);
    EXPECT_EQ(e.kick, 1u) << "not noticed yet";
    p.device.apply(p.device.s.kicked(0));
    const effects end = p.device.apply(p.device.s.kicked(0));
    EXPECT_TRUE(end.ended);
    EXPECT_THAT(end.complaint, HasSubstr("cut off the file"));
    EXPECT_EQ(end.stop, 1u);
}

TEST(VhostUserRings, ClosingStopsEverything) {
    peer p(offer_for_qemu);
    qemu_realize(p);
    doorbell kick = doorbell::make(), call = doorbell::make();
    qemu_start(p, kick, call, 0);
    const effects e = p.device.apply(p.device.s.close("QEMU has gone"));
    EXPECT_TRUE(e.ended);
    EXPECT_EQ(e.stop, 1u);
    EXPECT_TRUE(e.memory_changed);
    EXPECT_FALSE(p.device.view.contains(guest_base, 1));
    EXPECT_EQ(e.complaint, "QEMU has gone");
}

TEST(VhostUserRings, OffersThatCannotBeHonoured) {
    const auto refused = [](session_config c, const char* why) {
        try {
            session s(std::move(c));
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            EXPECT_THAT(e.what(), HasSubstr(why));
            return;
        }
        ADD_FAILURE() << why;
    };
    session_config c;
    c.features = feature::event_idx;
    refused(c, "VERSION_1");
    c.features = feature::version_1 | 1ull << 34;
    refused(c, "features 0x400000000 cannot be offered");
    c = offering(pf::config);
    refused(c, "protocol features 0x200 cannot be offered");
    refused(offering(pf::inband_notifications | pf::reply_ack), "needs REPLY_ACK and BACKEND_REQ");
    c = session_config();
    c.queue_size_max = {100};
    refused(c, "not 100");
    c.queue_size_max = {};
    refused(c, "not 0");
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
