// SPDX-License-Identifier: Apache-2.0
// Messages over a socket: byte by byte, two in one segment, cut off in the middle, and a peer that
// stops reading.
#include "virtio/vhost_user/channel.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

using r = front_request;
using testing::HasSubstr;

template <class F>
std::string refusal(const F& f) {
    try {
        f();
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        return e.what();
    }
    return "accepted";
}

struct connection {
    connection() : connection(unix_stream::make_pair()) {}
    explicit connection(std::pair<unix_stream, unix_stream> both)
        : peer(std::move(both.first)), ours(std::move(both.second), traffic::requests) {}
    unix_stream peer;
    channel ours;
};

TEST(VhostUserChannel, ByteByByteWithDescriptors) {
    const unsigned before = open_fds();
    {
        connection c;
        const wire m = encode(r::set_vring_kick, 9, vring_fd{0, false});
        const file_descriptor event = make_eventfd();
        const int fd = event.get();
        for (std::size_t i = 0; i < m.size(); ++i) {
            ASSERT_EQ(c.ours.receive(), channel::outcome::nothing);
            EXPECT_EQ(c.ours.in_the_middle(), i != 0);
            ASSERT_EQ(c.peer.send(&m[i], 1, &fd, i == 0 ? 1 : 0).bytes, 1u);
        }
        ASSERT_EQ(c.ours.receive(), channel::outcome::message);
        EXPECT_FALSE(c.ours.in_the_middle());
        EXPECT_TRUE(std::equal(m.begin(), m.end(), c.ours.data(), c.ours.data() + c.ours.size()));
        EXPECT_EQ(c.ours.take_fds().size(), 1u);
    }
    EXPECT_EQ(open_fds(), before);
}

// Item 6 of the conformance list: the descriptors belong to the second message.
TEST(VhostUserChannel, DescriptorsOfTheSecondMessageStayWithIt) {
    connection c;
    const wire first = encode(r::set_owner, 1), second = encode(r::set_backend_req_fd, 1);
    const file_descriptor event = make_eventfd();
    const int fd = event.get();
    ASSERT_EQ(c.peer.send(first.data(), first.size()).bytes, 12u);
    ASSERT_EQ(c.peer.send(second.data(), second.size(), &fd, 1).bytes, 12u);
    ASSERT_EQ(c.ours.receive(), channel::outcome::message);
    EXPECT_TRUE(c.ours.take_fds().empty());
    ASSERT_EQ(c.ours.receive(), channel::outcome::message);
    EXPECT_EQ(c.ours.take_fds().size(), 1u);
    EXPECT_EQ(c.ours.receive(), channel::outcome::nothing);
}

TEST(VhostUserChannel, TwoMessagesInOneSegment) {
    connection c;
    wire both = encode(r::set_vring_num, 1, vring_state{0, 4});
    const wire second = encode(r::get_features, 1);
    both.insert(both.end(), second.begin(), second.end());
    ASSERT_EQ(c.peer.send(both.data(), both.size()).bytes, 32u);
    ASSERT_EQ(c.ours.receive(), channel::outcome::message);
    EXPECT_EQ(c.ours.size(), 20u);
    ASSERT_EQ(c.ours.receive(), channel::outcome::message);
    EXPECT_EQ(c.ours.size(), 12u);
    c.peer.close();
    EXPECT_EQ(c.ours.receive(), channel::outcome::closed);
}

TEST(VhostUserChannel, UnclaimedDescriptorsAreClosed) {
    connection c;
    const wire m = encode(r::set_owner, 1);
    const file_descriptor event = make_eventfd();
    const int fds[] = {event.get(), event.get(), event.get()};
    const unsigned before = open_fds();
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(c.peer.send(m.data(), m.size(), fds, 3).bytes, 12u);
        ASSERT_EQ(c.ours.receive(), channel::outcome::message);
        EXPECT_EQ(open_fds(), before + 3);
    }
    EXPECT_EQ(c.ours.receive(), channel::outcome::nothing);
    EXPECT_EQ(open_fds(), before);
}

TEST(VhostUserChannel, DescriptorsCannotPileUpWithinAMessage) {
    connection c;
    const wire m = encode(r::set_owner, 1);
    const file_descriptor event = make_eventfd();
    const std::vector<int> fds(20, event.get());
    const unsigned before = open_fds();
    ASSERT_EQ(c.peer.send(m.data(), 1, fds.data(), 20).bytes, 1u);
    EXPECT_EQ(c.ours.receive(), channel::outcome::nothing);
    ASSERT_EQ(c.peer.send(m.data() + 1, 1, fds.data(), 20).bytes, 1u);
    EXPECT_THAT(refusal([&] { c.ours.receive(); }), HasSubstr("more than 32 descriptors"));
    c = connection();
    EXPECT_EQ(open_fds(), before);
}

TEST(VhostUserChannel, ClosedInTheMiddle) {
    for (const std::size_t part : {1u, 11u, 12u, 15u}) {
        connection c;
        const wire m = encode(r::set_features, 1, std::uint64_t{1});
        ASSERT_EQ(c.peer.send(m.data(), part).bytes, part);
        c.peer.close();
        EXPECT_THAT(refusal([&] { c.ours.receive(); }),
                    HasSubstr("in the middle of a message, after " + std::to_string(part)));
    }
}

TEST(VhostUserChannel, HeadersAreJudgedAtOnce) {
    connection c;
    wire m = encode(r::set_features, 1, std::uint64_t{1});
    m[10] = 1;
    ASSERT_EQ(c.peer.send(m.data(), header_bytes).bytes, 12u);
    EXPECT_THAT(refusal([&] { c.ours.receive(); }), HasSubstr("announces 65544 bytes"));
}

TEST(VhostUserChannel, BacklogIsKeptInOrderAndBounded) {
    auto [a, b] = unix_stream::make_pair();
    channel sender(std::move(a), traffic::requests), receiver(std::move(b), traffic::requests);
    const file_descriptor event = make_eventfd();
    const int fd = event.get();
    std::uint32_t sent = 0;
    while (!sender.backlog()) sender.send(encode(r::set_vring_num, 1, vring_state{sent++, 0}));
    sender.send(encode(r::set_vring_num, 1, vring_state{sent++, 0}), &fd, 1);
    sender.send(encode(r::set_vring_num, 1, vring_state{sent++, 0}));
    std::uint32_t received = 0;
    while (received < sent) {
        sender.flush();
        while (receiver.receive() == channel::outcome::message) {
            std::uint32_t index = 0;
            std::memcpy(&index, receiver.data() + header_bytes, 4);
            ASSERT_EQ(index, received++);
            ASSERT_EQ(receiver.take_fds().size(), received == sent - 1 ? 1u : 0u);
        }
    }
    EXPECT_FALSE(sender.backlog());
    const wire m = encode(r::set_owner, 1);
    const std::string why = refusal([&] {
        for (int i = 0; i < 1'000'000; ++i) sender.send(m);
    });
    EXPECT_THAT(why, HasSubstr("stopped reading: 655"));
}

TEST(VhostUserChannel, SendingToOneThatHasClosed) {
    connection c;
    c.peer.close();
    EXPECT_THAT(refusal([&] { c.ours.send(encode(r::set_owner, 1)); }), HasSubstr("closed"));
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
