// SPDX-License-Identifier: Apache-2.0
// Sessions driven by the messages that QEMU and User-Mode Linux send, in their order, and the ring
// states of QEMU's docs/interop/vhost-user.rst.
#include "virtio/vhost_user_session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/unix_socket.h"
#include "virtio/vhost_user_testing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using r = front_request;
namespace pf = protocol_feature;
using testing::HasSubstr;

constexpr std::uint64_t ours = feature::scmi_p2a_channels | feature::indirect_desc |
                               feature::event_idx | feature::version_1 | feature_protocol_features;
/// As a front end sees memory: three different addresses for one byte (item 3 of the list of
/// conformance tests: user != guest != mapping, two regions, an offset that is no page).
constexpr std::uint64_t guest_base = 0x80000000, user_base = 0x7f1200000000, file_offset = 0x1010;
constexpr std::uint64_t memory_size = 0x20000;

session_config offering(std::uint64_t protocol_features) {
    session_config c;
    c.protocol_features = protocol_features;
    c.queue_size_max = {256, 256};
    return c;
}

std::uint64_t u64_of(const effects& e) {
    std::uint64_t v = ~0ull;
    EXPECT_EQ(e.reply.size(), 20u) << e.complaint;
    if (e.reply.size() == 20) std::memcpy(&v, e.reply.data() + 12, 8);
    EXPECT_EQ(e.reply.size() > 4 ? e.reply[4] : 0, 5) << "QEMU and UML compare flags with 5";
    return v;
}

/// A front end that sends what it is told to, and a driver on its memory.
struct peer {
    explicit peer(std::uint64_t protocol_features)
        : device(offering(protocol_features)), file(make_memfd(0x40000)) {
        map = ::mmap(nullptr, 0x40000, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
        view.add_region({guest_base, memory_size, static_cast<std::uint8_t*>(map) + file_offset});
    }
    ~peer() { ::munmap(map, 0x40000); }
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;

    effects say(r request, const payload& body = {}, fd_list fds = {}) {
        effects e = device.tell(request, body, std::move(fds), ack);
        EXPECT_EQ(e.complaint, "") << info_of(request).name;
        const bool replies = info_of(request).replies;
        if (ack && !replies) {
            EXPECT_EQ(u64_of(e), 0u) << info_of(request).name;
        } else {
            EXPECT_EQ(e.reply.empty(), !replies) << info_of(request).name;
        }
        return e;
    }
    std::string refusal(r request, const payload& body = {}, fd_list fds = {}) {
        const effects e = device.tell(request, body, std::move(fds), ack);
        EXPECT_EQ(e.ended, !ack);
        EXPECT_EQ(ack ? u64_of(e) : 1u, 1u);
        EXPECT_EQ(e.start | e.stop * !e.ended | e.kick, 0u) << "nothing has changed";
        return e.complaint;
    }
    std::uint64_t ask(r request) { return u64_of(say(request)); }

    mem_table table() const { return {{{guest_base, memory_size, user_base, file_offset}}}; }
    effects share() { return say(r::set_mem_table, table(), fds_of(copy_of(file.get()))); }
    /// Queue q lies at page 8 q; the driver's side is made anew.
    void place(unsigned q, std::uint16_t base = 0, std::uint16_t size = 256) {
        const auto l = ring_layout::linux_block(guest_base + q * 0x8000, size, 4096);
        if (base == 0) driver[q] = driver_queue(view, l, {true, true});
        const std::uint64_t delta = user_base - guest_base;
        say(r::set_vring_num, vring_state{q, size});
        say(r::set_vring_base, vring_state{q, base});
        say(r::set_vring_addr,
            vring_addr{q, 0, l.desc + delta, l.used + delta, l.avail + delta, ~0ull});
    }
    effects enable(unsigned q, unsigned on) { return say(r::set_vring_enable, vring_state{q, on}); }
    /// A request of 8 bytes with room for the echo; it is kicked elsewhere.
    void request(unsigned q, std::uint64_t text) {
        const std::uint64_t at = guest_base + 0x1c000 + 32 * (made++ % 256);
        view.store(actor::driver, at, text);
        view.store<std::uint64_t>(actor::driver, at + 16, 0);
        const buffer out{at, 8}, in{at + 16, 8};
        ASSERT_EQ(driver[q].add(&out, 1, &in, 1, this), add_result::added);
        driver[q].kick_prepare();
        last = at + 16;
    }
    std::uint64_t answer(unsigned q) {
        const auto used = driver[q].get_buf();
        return used.length == 8 ? view.load<std::uint64_t>(actor::driver, last) : 0;
    }

    echo_device device;
    file_descriptor file;
    void* map;
    guest_memory view;
    driver_queue driver[2];
    std::uint64_t last = 0, made = 0;
    bool ack = false;  ///< NEED_REPLY on what has no reply of its own
};

// arch/um/drivers/virtio_uml.c: vhost_user_init, then vu_find_vqs, in-band as under time travel.
void uml_probe(peer& p) {
    p.say(r::set_owner);
    EXPECT_EQ(p.ask(r::get_features), ours);
    const std::uint64_t offered = p.ask(r::get_protocol_features);
    // UML keeps REPLY_ACK, SLAVE_REQ, CONFIG and INBAND; this message already asks for its ack.
    p.ack = true;
    p.say(r::set_protocol_features,
          offered & (pf::reply_ack | pf::backend_req | pf::config | pf::inband_notifications));
}
void uml_queues(peer& p, bool in_band) {
    p.say(r::set_features, ours);
    EXPECT_TRUE(p.say(r::set_features, ours).features_set) << "UML may send it twice";
    p.share();
    for (unsigned q : {0u, 1u}) {
        if (!in_band)
            p.say(r::set_vring_call, vring_fd{static_cast<std::uint8_t>(q), false},
                  fds_of(make_eventfd()));
        p.place(q);
    }
    for (unsigned q : {0u, 1u}) {
        if (!in_band)
            p.say(r::set_vring_kick, vring_fd{static_cast<std::uint8_t>(q), false},
                  fds_of(make_eventfd()));
        const effects e = p.enable(q, 1);
        EXPECT_EQ(e.start, in_band ? 0u : 1u << q) << "in-band rings start with the first kick";
    }
}

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

/// QEMU hw/virtio/vhost-user.c: vhost_user_backend_init, vhost_dev_init.
void qemu_realize(peer& p) {
    EXPECT_EQ(p.ask(r::get_features), ours);
    const std::uint64_t offered = p.ask(r::get_protocol_features);
    p.say(r::set_protocol_features, offered);
    EXPECT_EQ(p.ask(r::get_queue_num), 2u);
    if ((offered & pf::configure_mem_slots) != 0) {
        EXPECT_EQ(p.ask(r::get_max_mem_slots), max_regions);
    }
    p.say(r::set_owner);
    EXPECT_EQ(p.ask(r::get_features), ours);
    for (std::uint8_t q : {0, 1}) {  // before there is any ring or memory
        p.say(r::set_vring_call, vring_fd{q, false}, fds_of(make_eventfd()));
        p.say(r::set_vring_err, vring_fd{q, false}, fds_of(make_eventfd()));
    }
}
/// vhost_dev_start. The guest has not set up queue 1: QEMU skips its ring but enables it.
void qemu_start(peer& p, doorbell& kick, doorbell& call, std::uint16_t base) {
    p.say(r::set_features, ours);
    p.ack = true;
    p.share();
    p.ack = false;
    p.place(0, base);
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(copy_of(kick.fd())));
    p.say(r::set_vring_call, vring_fd{0, false}, fds_of(copy_of(call.fd())));
    p.ack = true;
    EXPECT_EQ(p.enable(0, 1).start, 1u);
    EXPECT_EQ(p.enable(1, 1).start, 0u) << "an event queue that was never configured";
    p.ack = false;
}
std::uint16_t qemu_stop(peer& p) {
    p.ack = true;
    EXPECT_EQ(p.enable(0, 0).pause, 1u);
    p.enable(1, 0);
    p.ack = false;
    const effects e = p.say(r::get_vring_base, vring_state{0, 0});
    EXPECT_EQ(e.stop, 1u);
    EXPECT_EQ(e.base_of, 0u);
    EXPECT_EQ(u64_of(p.say(r::get_vring_base, vring_state{1, 0})) >> 32, 0u);
    return static_cast<std::uint16_t>(u64_of(e) >> 32);
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

// vhost-user.rst, "Ring states": without PROTOCOL_FEATURES rings are enabled from the start.
TEST(VhostUserSession, WithoutProtocolFeaturesRingsAreEnabled) {
    peer p(offer_for_qemu);
    p.say(r::set_owner);
    p.say(r::set_features, feature::version_1);
    p.share();
    p.place(0);
    EXPECT_EQ(p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd())).start, 1u);
    EXPECT_FALSE(p.device.s.ring().event_idx);
    EXPECT_THAT(p.refusal(r::set_vring_enable, vring_state{0, 0}), HasSubstr("bit 30"));
}

TEST(VhostUserSession, EnabledLateStartsWithFeatures) {
    peer p(offer_for_qemu);
    p.share();
    p.place(0);
    p.say(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
    EXPECT_EQ(p.say(r::set_features, feature::version_1).start, 1u);
}

// Nothing else: VERSION_1 is what makes rings little-endian.
TEST(VhostUserSession, LegacyDriversAreRefused) {
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

TEST(VhostUserSession, InBandWithoutAcknowledgementsEndsTheSession) {
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
TEST(VhostUserSession, MemorySlotsStatusAndReset) {
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

TEST(VhostUserSession, ResetOwnerDisablesAndKeepsNegotiation) {
    peer p(offer_for_uml_time_travel);
    uml_probe(p);
    uml_queues(p, true);
    p.say(r::vring_kick, vring_state{0, 0});
    EXPECT_EQ(p.say(r::reset_owner).pause, 1u);
    EXPECT_EQ(p.device.s.features(), ours);
    EXPECT_EQ(p.enable(0, 1).resume, 1u);
}

// vhost-user.rst, "Error": a broken ring is told by its error descriptor, GET_VRING_BASE answers.
TEST(VhostUserSession, BrokenRingIsToldAndMayStartAgain) {
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
TEST(VhostUserSession, PositionsCrossTheWrap) {
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

TEST(VhostUserSession, RunningRingsAreNotSetUpAnew) {
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

TEST(VhostUserSession, CallsMissedForWantOfAChannelAreMade) {
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

TEST(VhostUserSession, CuttingOffMemoryEndsTheSession) {
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

TEST(VhostUserSession, ClosingStopsEverything) {
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

TEST(VhostUserSession, OffersThatCannotBeHonoured) {
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
