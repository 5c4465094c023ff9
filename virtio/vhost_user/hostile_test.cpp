// SPDX-License-Identifier: Apache-2.0
// Front ends that break the rules: each gets one clear complaint, the session refuses or ends, and
// no descriptor is left open. The answers are those of QEMU's docs/interop/vhost-user.rst.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using r = front_request;
namespace pf = protocol_feature;
using testing::HasSubstr;

constexpr std::uint64_t everything = supported_protocol_features;

/// A session in the middle of its life, so that every request meets state to spoil.
struct victim {
    victim() : device(config()) {
        device.tell(r::set_protocol_features, everything);
        device.tell(r::set_features,
                    device.s.features() | feature::version_1 | feature_protocol_features);
        const file_descriptor file = make_memfd(0x10000);
        device.tell(r::set_mem_table, mem_table{{{0, 0x10000, 0x100000, 0}}},
                    fds_of(copy_of(file.get())));
        device.tell(r::set_vring_num, vring_state{0, 16});
        device.tell(r::set_vring_addr, vring_addr{0, 0, 0x100000, 0x102000, 0x101000, 0});
        device.tell(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
        EXPECT_EQ(device.tell(r::set_vring_enable, vring_state{0, 1}).start, 1u);
    }
    static session_config config() {
        session_config c;
        c.protocol_features = everything;
        return c;
    }
    effects tell(r request, const payload& body, fd_list fds = {}, bool need_reply = true) {
        return device.tell(request, body, std::move(fds), need_reply);
    }
    echo_device device;
};

/// Refused with 1 when an acknowledgement was asked for; the end otherwise. Nothing is leaked.
void expect_refused(r request, const payload& body, unsigned fds, const char* why) {
    SCOPED_TRACE(info_of(request).name);
    for (const bool need_reply : {true, false}) {
        const unsigned before = open_fds();
        {
            victim v;
            fd_list list;
            for (unsigned i = 0; i < fds; ++i) list.push_back(make_eventfd());
            const effects e = v.tell(request, body, std::move(list), need_reply);
            EXPECT_THAT(e.complaint, HasSubstr(why));
            const bool refused = need_reply && !info_of(request).replies;
            EXPECT_EQ(e.ended, !refused);
            EXPECT_EQ(v.device.s.running(0), refused) << "a refusal changes nothing";
            EXPECT_EQ(e.reply, refused ? encode(request, reply_flags, std::uint64_t{1}) : wire());
        }
        ASSERT_EQ(open_fds(), before);
    }
}

// Bounds on the index everywhere: libvhost-user lacks them on SET_VRING_BASE and GET_VRING_BASE.
TEST(VhostUserHostile, QueuesThatDoNotExist) {
    for (std::uint32_t index : {2u, 255u, 0x80000000u, 0xffffffffu}) {
        const std::string why = "there is no queue " + std::to_string(index);
        for (r request :
             {r::set_vring_base, r::get_vring_base, r::set_vring_enable, r::vring_kick}) {
            expect_refused(request, vring_state{index, 0}, 0, why.c_str());
        }
        expect_refused(r::set_vring_addr, vring_addr{index, 0, 0, 0, 0, 0}, 0, why.c_str());
    }
    for (r request : {r::set_vring_kick, r::set_vring_call, r::set_vring_err}) {
        expect_refused(request, vring_fd{2, true}, 0, "there is no queue 2");
        expect_refused(request, vring_fd{255, false}, 1, "there is no queue 255");
    }
}

TEST(VhostUserHostile, SetVringNumOutOfBounds) {
    expect_refused(r::set_vring_num, vring_state{7, 16}, 0, "there is no queue 7");
    for (std::uint32_t size : {0u, 3u, 2048u, 65536u, 0x10010u, 0xffffffffu}) {
        expect_refused(r::set_vring_num, vring_state{1, size}, 0, "cannot have");
    }
}

TEST(VhostUserHostile, RingsOutsideMemoryOrMisaligned) {
    const auto ring_at = [](std::uint64_t desc, std::uint64_t used, std::uint64_t avail) {
        return vring_addr{1, 0, desc, used, avail, 0};
    };
    victim v;
    EXPECT_EQ(v.tell(r::set_vring_num, vring_state{1, 16}).complaint, "");
    const auto refused = [&](const vring_addr& a, const char* why) {
        const effects e = v.tell(r::set_vring_addr, a);
        EXPECT_THAT(e.complaint, HasSubstr(why));
        EXPECT_FALSE(e.ended);
    };
    refused(ring_at(0x100008, 0x102000, 0x101000), "misaligned");
    refused(ring_at(0x100000, 0x102002, 0x101000), "misaligned");
    refused(ring_at(0x100000, 0x102000, 0x101001), "misaligned");
    refused(ring_at(0x10fff0, 0x102000, 0x101000), "descriptor table of queue 1 (256 bytes)");
    refused(ring_at(0x100000, 0x10fffc, 0x101000), "used ring of queue 1");
    refused(ring_at(0x100000, 0x102000, 0x10fffe), "available ring of queue 1");
    refused(ring_at(0x0, 0x2000, 0x1000), "descriptor table");  // guest, not user addresses
    refused(ring_at(~std::uint64_t{15}, 0x102000, 0x101000), "descriptor table");
    refused(vring_addr{1, 1, 0x100000, 0x102000, 0x101000, 0}, "logged writes");
    EXPECT_EQ(v.tell(r::set_vring_addr, ring_at(0x108000, 0x10a000, 0x109000)).complaint, "");
}

TEST(VhostUserHostile, ValuesOutOfBounds) {
    expect_refused(r::set_vring_base, vring_state{1, 0x10000}, 0, "no index of a split ring");
    expect_refused(r::set_vring_enable, vring_state{1, 2}, 0, "neither 0 nor 1");
    expect_refused(r::vring_kick, vring_state{1, 0}, 0, "no size and addresses yet");
    expect_refused(r::set_status, std::uint64_t{0x100}, 0, "more than 8 bits");
    expect_refused(r::set_features, ~std::uint64_t{0}, 0, "were not offered");
    expect_refused(r::set_features, feature::version_1 | feature_log_all, 0, "0x4000000");
    expect_refused(r::set_protocol_features, everything | pf::config, 0, "0x200");
}

TEST(VhostUserHostile, WrongDescriptors) {
    expect_refused(r::set_backend_req_fd, {}, 1, "no Unix stream socket");
    expect_refused(r::set_mem_table, mem_table{{{0, 0x1000, 0, 0}}}, 1,
                   "neither a file nor a memfd");
    expect_refused(r::set_mem_table, mem_table{{{0, 0x1000, 0, 0}}}, 2,
                   "2 descriptors instead of 1");
    expect_refused(r::add_mem_reg, single_region{{0x20000, 0x1000, 0, 0}}, 1, "neither a file");
    expect_refused(r::rem_mem_reg, single_region{{0x20000, 0x1000, 0, 0}}, 1, "not in the table");
    expect_refused(r::set_owner, {}, 3, "3 descriptors instead of 0");
    const unsigned before = open_fds();
    for (r request : {r::set_vring_kick, r::set_vring_call, r::set_vring_err}) {
        victim v;
        const effects e = v.tell(request, vring_fd{0, false}, fds_of(make_memfd(8)));
        EXPECT_THAT(e.complaint, HasSubstr("neither an eventfd nor a Unix socket"));
        EXPECT_TRUE(v.device.s.running(0));
    }
    EXPECT_EQ(open_fds(), before);
}

// Whatever was not offered, and numbers that nobody knows.
TEST(VhostUserHostile, RequestsThatWereNotOffered) {
    for (std::size_t i = 0; i < front_request_count; ++i) {
        const request_info& info = front_request_table[i];
        if (info.served) continue;
        SCOPED_TRACE(info.name);
        victim v;
        const effects e = v.device.tell(encode(info.id, 9, std::uint64_t{0}));
        EXPECT_THAT(e.complaint, HasSubstr(std::string(info.name) + ": is not supported"));
        EXPECT_EQ(e.ended, info.replies) << "nobody could make sense of a refusal as a reply";
    }
    for (std::uint32_t id : {0u, 45u, 1000u, 0xffffffffu}) {
        victim v;
        const effects e = v.device.tell(encode(id, 9, {}));
        EXPECT_THAT(e.complaint, HasSubstr("message " + std::to_string(id) + " is unknown"));
        EXPECT_FALSE(e.ended);
        EXPECT_TRUE(v.device.tell(encode(id, 1, {})).ended);
    }
}

TEST(VhostUserHostile, GatedByNegotiation) {
    echo_device d{session_config()};
    EXPECT_THAT(d.tell(r::get_queue_num).complaint, HasSubstr("needs protocol feature 0x1"));
    echo_device e{victim::config()};
    EXPECT_THAT(e.tell(r::vring_kick, vring_state{0, 0}, {}, true).complaint,
                HasSubstr("VRING_KICK: needs protocol feature 0x4000"));
    EXPECT_TRUE(e.s.ended()) << "acknowledgements were not negotiated either";
}

TEST(VhostUserHostile, BytesThatAreNoMessage) {
    const auto ends = [](const std::vector<std::uint8_t>& bytes, const char* why) {
        victim v;
        const effects e = v.device.apply(v.device.s.handle(bytes.data(), bytes.size()));
        EXPECT_TRUE(e.ended);
        EXPECT_EQ(e.stop, 1u);
        EXPECT_THAT(e.complaint, HasSubstr(why));
    };
    ends({}, "a message of 0 bytes");
    ends({1, 2, 3}, "a message of 3 bytes");
    ends({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "version 0");
    ends({1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0}, "flags 5");
    ends({1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0}, "65536 bytes");
    ends({1, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0}, "has 0 bytes of payload, announces 8");
}

// A ring that lies in the table, with descriptors that do not.
TEST(VhostUserHostile, DescriptorsOutsideTheTableAreNotTouched) {
    victim v;
    const std::uint64_t outside[] = {0x10000, 0xfffc, 0x100000, ~std::uint64_t{0}, 0};
    for (std::uint64_t address : outside) {
        v.device.tell(r::get_vring_base, vring_state{0, 0});
        for (std::uint64_t at = 0; at < 0x3000; at += 8) {
            v.device.view.store<std::uint64_t>(actor::driver, at, 0);
        }
        // Address 0 is inside, but the length is not.
        v.device.view.store(actor::driver, 0,
                            descriptor{address, address == 0 ? 0x10001u : 8u, 0, 0});
        v.device.view.store<std::uint16_t>(actor::driver, 0x1002, 1);
        v.device.tell(r::set_vring_num, vring_state{0, 16});
        v.device.tell(r::set_vring_base, vring_state{0, 0});
        v.device.tell(r::set_vring_err, vring_fd{0, false}, fds_of(make_eventfd()));
        v.device.last_route = call_route::none;
        const effects e =
            v.device.tell(r::set_vring_kick, vring_fd{0, false}, fds_of(make_eventfd()));
        EXPECT_EQ(e.start, 1u);
        EXPECT_FALSE(v.device.s.running(0)) << "the ring is broken, the session goes on";
        EXPECT_EQ(v.device.last_route, call_route::rung) << "and the front end was told";
    }
    EXPECT_EQ(v.device.requests, 0u);
}

TEST(VhostUserHostile, AcknowledgementsThatAreNotDue) {
    victim v;
    auto [channel, theirs] = unix_stream::make_pair();
    v.tell(r::set_backend_req_fd, {}, fds_of(channel.take()));
    wire call;
    ASSERT_EQ(v.device.s.call(0, call), call_route::message);
    const auto refused = [&](const wire& w, std::size_t size, const char* why) {
        try {
            v.device.s.call_acknowledged(w.data(), size, 0);
            ADD_FAILURE() << why;
        } catch (const error& e) {
            EXPECT_THAT(e.what(), HasSubstr(why));
        }
        EXPECT_TRUE(v.device.s.call_pending());
    };
    refused(call, 3, "of 3 bytes");
    refused(encode(back_request::vring_call, 1, std::uint64_t{0}), 20, "a reply has 5");
    refused(encode(back_request::vring_err, reply_flags, std::uint64_t{0}), 20,
            "awaits VRING_CALL");
    refused(encode(back_request::vring_call, reply_flags), 12, "0 bytes of payload instead of 8");
    const wire no = encode(back_request::vring_call, reply_flags, std::uint64_t{1});
    EXPECT_FALSE(v.device.s.call_acknowledged(no.data(), no.size(), 0)) << "refused by the peer";
    EXPECT_FALSE(v.device.s.call_pending());
}

// The shell must answer GET_VRING_BASE before anything else; that is its duty, not the peer's.
TEST(VhostUserHostile, BaseIsOwedBeforeTheNextMessage) {
    victim v;
    const wire m = encode(r::get_vring_base, 1, vring_state{0, 0}),
               next = encode(r::get_features, 1);
    ASSERT_TRUE(v.device.s.handle(m.data(), m.size()).base_of);
    EXPECT_THROW(v.device.s.handle(next.data(), next.size()), error);
    EXPECT_THROW(v.device.s.base_reply(1, 0), error);
    EXPECT_EQ(v.device.s.base_reply(0, 9).size(), 20u);
    EXPECT_FALSE(v.device.s.handle(next.data(), next.size()).ended);
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
