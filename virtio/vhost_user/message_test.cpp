// SPDX-License-Identifier: Apache-2.0
// The codec: byte layouts of QEMU's docs/interop/vhost-user.rst, round trips of all kinds,
// refusals.
#include "virtio/vhost_user/message.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using bytes = std::vector<std::uint8_t>;
using r = front_request;

bytes of(const wire& w) {
    return bytes(w.begin(), w.end());
}

template <class F>
std::string message_of(const F& f) {
    try {
        f();
    } catch (const error& e) {
        return e.kind() == error_kind::input ? e.what() : "wrong kind";
    }
    return "nothing thrown";
}

payload parse(r request, const wire& w, std::size_t fds) {
    return parse_request(info_of(request), w.data() + header_bytes, w.size() - header_bytes, fds);
}

// Header and payloads byte by byte, as the document's "Message Specification" lays them out.
TEST(VhostUserMessage, BytesAreTheDocuments) {
    EXPECT_EQ(of(encode(r::get_features, 1)), (bytes{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(of(encode(r::set_vring_num, 9, vring_state{1, 256})),
              (bytes{8, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0}));
    EXPECT_EQ(of(encode(r::set_vring_kick, 1, vring_fd{1, true})),
              (bytes{12, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0}));
    const wire addr = encode(r::set_vring_addr, 1, vring_addr{1, 0, 0x11, 0x22, 0x33, 0x44});
    ASSERT_EQ(addr.size(), 52u);
    // "descriptor, used, available, log": not the order in which virtio lists them.
    EXPECT_EQ(addr[20], 0x11);
    EXPECT_EQ(addr[28], 0x22);
    EXPECT_EQ(addr[36], 0x33);
    EXPECT_EQ(addr[44], 0x44);
    const wire table = encode(r::set_mem_table, 1, mem_table{{{0xa, 0xb, 0xc, 0xd}}});
    ASSERT_EQ(table.size(), 52u);
    EXPECT_EQ(table[12], 1);
    EXPECT_EQ(table[20], 0xa);
    EXPECT_EQ(table[28], 0xb);
    EXPECT_EQ(table[36], 0xc);
    EXPECT_EQ(table[44], 0xd);
    EXPECT_EQ(encode(r::add_mem_reg, 1, single_region{}).size(), 52u);
}

bytes filled(std::size_t n) {
    bytes b(n);
    for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<std::uint8_t>(i * 7 + 1);
    return b;
}

// A legal payload of each kind; what is not a field is zero.
bytes sample(payload_kind kind) {
    using k = payload_kind;
    switch (kind) {
        case k::none:
            return {};
        case k::u64:
        case k::vring_state:
            return filled(8);
        case k::vring_addr:
            return filled(40);
        case k::mem_table: {
            bytes b = filled(8 + 64);
            std::memcpy(b.data(), "\2\0\0\0\0\0\0", 8);
            return b;
        }
        case k::single_region: {
            bytes b = filled(40);
            std::memset(b.data(), 0, 8);
            return b;
        }
        case k::config: {
            bytes b = filled(12 + 5);
            std::memcpy(b.data() + 4, "\5\0\0", 4);
            return b;
        }
        case k::vring_fd:
            return {3, 0, 0, 0, 0, 0, 0, 0};
        case k::log:
        case k::uuid:
            return filled(16);
        case k::iotlb: {
            bytes b = filled(32);
            std::memset(b.data() + 26, 0, 6);
            return b;
        }
        case k::vring_area:
            return filled(24);
        case k::inflight: {
            bytes b = filled(24);
            std::memset(b.data() + 20, 0, 4);
            return b;
        }
        case k::shmem_config: {
            bytes b = filled(8 + 8 * 256);
            std::memset(b.data() + 4, 0, 4);
            return b;
        }
        case k::shmem_mapping: {
            bytes b = filled(40);
            std::memset(b.data() + 1, 0, 7);
            return b;
        }
        case k::opaque:
            return filled(33);
    }
    return {};
}

std::size_t fds_for(const request_info& info) {
    if (info.body == payload_kind::mem_table) return 2;
    if (info.body == payload_kind::vring_fd) return 1;
    return info.min_fds;
}

void round_trip(const request_info& info) {
    SCOPED_TRACE(info.name);
    const bytes body = sample(info.body);
    const payload parsed = parse_request(info, body.data(), body.size(), fds_for(info));
    EXPECT_EQ(parsed.index(), static_cast<std::size_t>(info.body));
    const wire again = encode(info.id, flag_version, parsed);
    EXPECT_EQ(bytes(again.begin() + header_bytes, again.end()), body);
    EXPECT_EQ(read_header(again.data(), traffic::requests).size, body.size());
    if (!info.replies) return;
    const bytes reply = sample(info.reply);
    const payload back = parse_reply(info, reply.data(), reply.size(), info.reply_fds);
    const wire reply_again = encode(info.id, reply_flags, back);
    EXPECT_EQ(bytes(reply_again.begin() + header_bytes, reply_again.end()), reply);
}

TEST(VhostUserMessage, EveryRequestAndReplyRoundTrips) {
    for (std::size_t i = 0; i < front_request_count; ++i) round_trip(front_request_table[i]);
    for (std::size_t i = 0; i < back_request_count; ++i) round_trip(back_request_table[i]);
    EXPECT_EQ(front_request_count, 44u) << "the document's front-end requests are 1 to 44";
    EXPECT_EQ(back_request_count, 10u);
    EXPECT_EQ(find_front_request(0), nullptr);
    EXPECT_EQ(find_front_request(45), nullptr);
    EXPECT_EQ(find_back_request(11), nullptr);
    EXPECT_EQ(info_of(back_request::vring_call).name, "VRING_CALL");
    EXPECT_EQ(info_of(r::get_shmem_config).name, "GET_SHMEM_CONFIG");
}

// One byte or one descriptor more or less than the document says is refused, by name.
TEST(VhostUserMessage, WrongSizesAndDescriptorCountsAreRefused) {
    for (std::size_t i = 0; i < front_request_count; ++i) {
        const request_info& info = front_request_table[i];
        SCOPED_TRACE(info.name);
        bytes body = sample(info.body);
        const std::size_t fds = fds_for(info);
        const auto refused = [&](std::size_t size, std::size_t count) {
            body.resize(size);
            const std::string m =
                message_of([&] { parse_request(info, body.data(), size, count); });
            EXPECT_THAT(m, testing::StartsWith(std::string(info.name) + ": "));
        };
        const std::size_t size = body.size();
        refused(size, fds + (info.max_fds > info.min_fds ? 32 : 1));
        if (info.min_fds != 0) refused(size, 0);
        const bool open = info.body == payload_kind::mem_table || info.body == payload_kind::opaque;
        if (!open) refused(size + 1, fds);
        if (size != 0 && info.body != payload_kind::opaque) refused(size - 1, fds);
    }
}

// arch/um/drivers/virtio_uml.c (6.1) sends the space of two regions with one in it.
TEST(VhostUserMessage, TableMayBeLongerThanItsRegions) {
    wire w = encode(r::set_mem_table, 9, mem_table{{{1, 2, 3, 4}, {}}});
    w[header_bytes] = 1;
    ASSERT_EQ(w.size(), header_bytes + 72);
    const payload p = parse(r::set_mem_table, w, 1);
    ASSERT_EQ(std::get<mem_table>(p).regions.size(), 1u);
    EXPECT_EQ(std::get<mem_table>(p).regions[0].mmap_offset, 4u);
}

TEST(VhostUserMessage, CountsOfRegionsAreNotBelieved) {
    wire w = encode(r::set_mem_table, 1, mem_table{{{1, 2, 3, 4}}});
    for (std::uint32_t count : {0u, 2u, 33u, 0x08000000u, 0xffffffffu}) {
        std::memcpy(w.data() + header_bytes, &count, 4);
        EXPECT_THAT(message_of([&] { parse(r::set_mem_table, w, count % 64); }),
                    testing::HasSubstr("announces " + std::to_string(count) + " memory regions"));
    }
}

TEST(VhostUserMessage, RingDescriptorsMatchTheirBit) {
    EXPECT_THAT(message_of([] {
                    parse(r::set_vring_call, encode(r::set_vring_call, 1, vring_fd{0, true}), 1);
                }),
                testing::HasSubstr("came with 1 descriptors instead of 0"));
    EXPECT_THAT(message_of([] {
                    parse(r::set_vring_call, encode(r::set_vring_call, 1, vring_fd{0, false}), 0);
                }),
                testing::HasSubstr("came with 0 descriptors instead of 1"));
    EXPECT_THAT(message_of([] {
                    parse(r::set_vring_call, encode(r::set_vring_call, 1, std::uint64_t{0x200}), 1);
                }),
                testing::HasSubstr("reserved bits"));
}

// QEMU and UML compare a reply's flags with 5; a request has 1 or, to be acknowledged, 9.
TEST(VhostUserMessage, HeadersThatCannotBeTrusted) {
    const auto header_with = [](std::uint32_t flags, std::uint32_t size) {
        wire w = encode(r::get_features, flags);
        std::memcpy(w.data() + 8, &size, 4);
        return w;
    };
    const auto read = [](const wire& w, traffic t) {
        return message_of([&] { read_header(w.data(), t); });
    };
    EXPECT_EQ(read(header_with(1, 4096), traffic::requests), "nothing thrown");
    EXPECT_EQ(read(header_with(9, 0), traffic::requests), "nothing thrown");
    EXPECT_EQ(read(header_with(5, 8), traffic::replies), "nothing thrown");
    EXPECT_THAT(read(header_with(1, 4097), traffic::requests), testing::HasSubstr("at most 4096"));
    EXPECT_THAT(read(header_with(2, 0), traffic::requests), testing::HasSubstr("has version 2"));
    for (std::uint32_t flags : {5u, 13u, 17u, 0x80000001u}) {
        EXPECT_THAT(read(header_with(flags, 0), traffic::requests), testing::HasSubstr("1 or 9"));
    }
    for (std::uint32_t flags : {1u, 9u, 13u, 21u}) {
        EXPECT_THAT(read(header_with(flags, 8), traffic::replies),
                    testing::HasSubstr("reply has 5"));
    }
}

TEST(VhostUserMessage, AssemblerNeverAsksForTheNextMessage) {
    const wire first = encode(r::set_vring_num, 1, vring_state{0, 4}),
               second = encode(r::set_owner, 1);
    bytes stream = of(first);
    stream.insert(stream.end(), second.begin(), second.end());
    assembler a(traffic::requests);
    std::size_t at = 0;
    std::vector<std::size_t> sizes;
    while (at < stream.size()) {
        EXPECT_EQ(a.idle(), at == 0 || at == first.size());
        ASSERT_LE(at + 1, stream.size());
        *a.space() = stream[at++];
        a.received(1);
        if (!a.complete()) continue;
        sizes.push_back(a.size());
        a.next();
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{20, 12}));
    EXPECT_EQ(a.wanted(), header_bytes);
}

// vhost-user.rst, GET_CONFIG: "a zero-length payload ... indicates an error".
TEST(VhostUserMessage, ConfigReplyMayBeEmpty) {
    const payload p = parse_reply(info_of(r::get_config), nullptr, 0, 0);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(p));
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
