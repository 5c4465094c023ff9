// SPDX-License-Identifier: Apache-2.0
// For tests: a front end with a driver on its memory, that sends what User-Mode Linux and QEMU
// send, in their order, to a session with an echoing device behind it.
#pragma once

#include <cstring>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "virtio/vhost_user/testing.h"

namespace scmi_vp::virtio::vhost_user {

using r = front_request;
namespace pf = protocol_feature;

inline constexpr std::uint64_t ours = feature::scmi_p2a_channels | feature::indirect_desc |
                                      feature::event_idx | feature::version_1 |
                                      feature_protocol_features;
/// As a front end sees memory: three different addresses for one byte (item 3 of the list of
/// conformance tests: user != guest != mapping, two regions, an offset that is no page).
inline constexpr std::uint64_t guest_base = 0x80000000, user_base = 0x7f1200000000,
                               file_offset = 0x1010;
inline constexpr std::uint64_t memory_size = 0x20000;

inline session_config offering(std::uint64_t protocol_features) {
    session_config c;
    c.protocol_features = protocol_features;
    c.queue_size_max = {256, 256};
    return c;
}

inline std::uint64_t u64_of(const effects& e) {
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
inline void uml_probe(peer& p) {
    p.say(r::set_owner);
    EXPECT_EQ(p.ask(r::get_features), ours);
    const std::uint64_t offered = p.ask(r::get_protocol_features);
    // UML keeps REPLY_ACK, SLAVE_REQ, CONFIG and INBAND; this message already asks for its ack.
    p.ack = true;
    p.say(r::set_protocol_features,
          offered & (pf::reply_ack | pf::backend_req | pf::config | pf::inband_notifications));
}
inline void uml_queues(peer& p, bool in_band) {
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

/// QEMU hw/virtio/vhost-user.c: vhost_user_backend_init, vhost_dev_init.
inline void qemu_realize(peer& p) {
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
inline void qemu_start(peer& p, doorbell& kick, doorbell& call, std::uint16_t base) {
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
inline std::uint16_t qemu_stop(peer& p) {
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

}  // namespace scmi_vp::virtio::vhost_user
