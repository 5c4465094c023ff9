// SPDX-License-Identifier: Apache-2.0
// Bells: both kinds ring, several rings count as one, and no peer can make one block or do harm.
#include "virtio/vhost_user/doorbell.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

// eventfd(2): a read takes the whole count.
TEST(VhostUserDoorbell, EventfdRingsOnceForMany) {
    file_descriptor fd = make_eventfd();
    doorbell other(copy_of(fd.get())), bell(std::move(fd));
    EXPECT_EQ(bell.listen(), doorbell::heard::nothing);
    EXPECT_TRUE(other.ring());
    EXPECT_TRUE(other.ring());
    EXPECT_EQ(bell.listen(), doorbell::heard::rung);
    EXPECT_EQ(bell.listen(), doorbell::heard::nothing);
}

// arch/um/drivers/virtio_uml.c passes a stream socket for calls and reads 8 bytes for each.
TEST(VhostUserDoorbell, SocketTakesEightBytesPerRing) {
    auto [ours, theirs] = unix_stream::make_pair();
    doorbell bell(ours.take());
    EXPECT_TRUE(bell.ring());
    EXPECT_TRUE(bell.ring());
    std::uint64_t rings[4] = {};
    fd_list none;
    EXPECT_EQ(theirs.receive(rings, sizeof rings, none).bytes, 16u);
    EXPECT_EQ(rings[0], 1u);
    // Not draining it: delivered as far as we are concerned.
    for (int i = 0; i < 100000; ++i) ASSERT_TRUE(bell.ring());
    theirs.close();
    EXPECT_FALSE(bell.ring()) << "and no SIGPIPE";
}

TEST(VhostUserDoorbell, SocketAsKick) {
    auto [ours, theirs] = unix_stream::make_pair();
    doorbell bell(ours.take()), ringing(theirs.take());
    EXPECT_EQ(bell.listen(), doorbell::heard::nothing);
    ringing.ring();
    ringing.ring();
    EXPECT_EQ(bell.listen(), doorbell::heard::rung);
    EXPECT_EQ(bell.listen(), doorbell::heard::nothing);
    ringing.close();
    EXPECT_EQ(bell.listen(), doorbell::heard::gone);
}

// A front end that fills the eventfd and makes it blocking again would hold a writer for ever.
TEST(VhostUserDoorbell, FullEventfdDoesNotBlock) {
    const file_descriptor peer = make_eventfd();
    doorbell bell(copy_of(peer.get()));
    const std::uint64_t full = UINT64_MAX - 1;
    ASSERT_EQ(::write(peer.get(), &full, sizeof full), 8);
    ASSERT_EQ(::fcntl(peer.get(), F_SETFL, 0), 0);
    EXPECT_TRUE(bell.ring());
    EXPECT_EQ(bell.listen(), doorbell::heard::rung);
    EXPECT_EQ(bell.listen(), doorbell::heard::nothing) << "read does not block either";
}

TEST(VhostUserDoorbell, OtherDescriptorsAreRefused) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    fd_list list = fds_of(file_descriptor(pipe_fds[0]), file_descriptor(pipe_fds[1]), make_memfd(8),
                          file_descriptor(::open("/dev/null", O_RDWR)),
                          file_descriptor(::epoll_create1(EPOLL_CLOEXEC)),
                          file_descriptor(::socket(AF_INET, SOCK_DGRAM, 0)), file_descriptor());
    for (file_descriptor& fd : list) EXPECT_THROW(doorbell{std::move(fd)}, error);
}

TEST(VhostUserDoorbell, MadeOnesArePassable) {
    const unsigned before = open_fds();
    {
        doorbell bell = doorbell::make(), theirs(copy_of(bell.fd()));
        theirs.ring();
        EXPECT_EQ(bell.listen(), doorbell::heard::rung);
    }
    EXPECT_EQ(open_fds(), before);
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
