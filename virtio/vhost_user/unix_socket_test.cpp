// SPDX-License-Identifier: Apache-2.0
// Unix sockets: descriptors are passed with their bytes, bounded and never leaked (unix(7)); a
// listening path belongs to its owner and takes nobody else's place.
#include "virtio/vhost_user/unix_socket.h"

#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"

namespace scmi_vp::virtio {
namespace {

using testing::HasSubstr;
using vhost_user::make_memfd;
using vhost_user::open_fds;

struct temporary_folder {
    temporary_folder() {
        const char* base = std::getenv("TMPDIR");
        name = std::string(base != nullptr ? base : P_tmpdir) + "/scmi-vp-test-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
    }
    ~temporary_folder() { ::rmdir(name.c_str()); }
    std::string name;
};

template <class F>
std::string refusal(const F& f, error_kind kind) {
    try {
        f();
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), kind);
        return e.what();
    }
    return "accepted";
}

TEST(UnixSocket, DescriptorsComeWithTheirFirstByte) {
    const unsigned before = open_fds();
    {
        auto [a, b] = unix_stream::make_pair();
        const file_descriptor file = make_memfd(42);
        const int fds[] = {file.get(), file.get()};
        ASSERT_EQ(a.send("first", 5).bytes, 5u);
        ASSERT_EQ(a.send("second", 6, fds, 2).bytes, 6u);
        char text[16] = {};
        fd_list got;
        ASSERT_EQ(b.receive(text, 5, got).bytes, 5u);
        EXPECT_TRUE(got.empty()) << "those of the next message are not touched yet";
        ASSERT_EQ(b.receive(text, 2, got).bytes, 2u);
        ASSERT_EQ(got.size(), 2u);
        EXPECT_EQ(::fcntl(got[0].get(), F_GETFD), FD_CLOEXEC);
        struct stat info {};
        ASSERT_EQ(::fstat(got[1].get(), &info), 0);
        EXPECT_EQ(info.st_size, 42);
        ASSERT_EQ(b.receive(text, 16, got).bytes, 4u);
        EXPECT_EQ(got.size(), 2u);
    }
    EXPECT_EQ(open_fds(), before);
}

TEST(UnixSocket, TooManyDescriptorsAreRefusedAndClosed) {
    auto [a, b] = unix_stream::make_pair();
    const unsigned before = open_fds();
    // A hostile sender has no limit of ours: the kernel's is 253 (unix(7), SCM_MAX_FD).
    alignas(cmsghdr) char control[CMSG_SPACE(40 * sizeof(int))] = {};
    char byte = 'x';
    iovec part{&byte, 1};
    msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(40 * sizeof(int));
    const std::vector<int> forty(40, a.fd());
    std::memcpy(CMSG_DATA(c), forty.data(), 40 * sizeof(int));
    ASSERT_EQ(::sendmsg(a.fd(), &m, 0), 1);
    {
        fd_list got;
        unix_stream& to = b;
        EXPECT_THAT(refusal([&] { to.receive(&byte, 1, got); }, error_kind::input),
                    HasSubstr("more than 32 descriptors"));
    }
    EXPECT_EQ(open_fds(), before);
    unix_stream& from = a;
    EXPECT_THROW(from.send(&byte, 1, forty.data(), 40), error);
}

TEST(UnixSocket, NeverBlocksAndSeesTheEnd) {
    auto [a, b] = unix_stream::make_pair();
    char block[4096] = {};
    fd_list none;
    EXPECT_EQ(b.receive(block, sizeof block, none).what, io_result::status::would_block);
    std::size_t sent = 0;
    io_result r;
    while ((r = a.send(block, sizeof block)).what == io_result::status::done) sent += r.bytes;
    EXPECT_EQ(r.what, io_result::status::would_block) << "a peer that does not read";
    EXPECT_GT(sent, sizeof block);
    a.close();
    std::size_t received = 0;
    while ((r = b.receive(block, sizeof block, none)).what == io_result::status::done) {
        received += r.bytes;
    }
    EXPECT_EQ(received, sent);
    EXPECT_EQ(r.what, io_result::status::closed);
    EXPECT_EQ(b.send(block, 1).what, io_result::status::closed) << "and no SIGPIPE";
}

TEST(UnixSocket, OnlyUnixStreamsAreTakenOver) {
    EXPECT_FALSE(is_unix_stream(-1));
    EXPECT_THROW(unix_stream(make_memfd(1)), error);
    EXPECT_THROW(unix_stream(file_descriptor(::socket(AF_UNIX, SOCK_DGRAM, 0))), error);
    unix_stream(file_descriptor(::socket(AF_UNIX, SOCK_STREAM, 0)));
}

TEST(UnixSocket, ListenersAreTheOwnersAlone) {
    const temporary_folder folder;
    const std::string path = folder.name + "/socket";
    const mode_t before = ::umask(0);
    {
        unix_listener listener(path);
        EXPECT_EQ(::umask(0), 0u) << "restored";
        struct stat info {};
        ASSERT_EQ(::lstat(path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0600u) << "nothing for group and others";
        EXPECT_FALSE(listener.accept());
        unix_stream client = unix_stream::connect(path);
        auto server = listener.accept();
        ASSERT_TRUE(server);
        ASSERT_EQ(client.send("x", 1).bytes, 1u);
        char byte = 0;
        fd_list none;
        EXPECT_EQ(server->receive(&byte, 1, none).bytes, 1u);
        EXPECT_THAT(refusal([&] { unix_listener second(path); }, error_kind::output),
                    HasSubstr("listens there already"));
        const unix_listener moved = std::move(listener);
        EXPECT_EQ(moved.path(), path);
        EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    }
    EXPECT_NE(::access(path.c_str(), F_OK), 0) << "removed with the listener";
    ::umask(before);
}

TEST(UnixSocket, StaleSocketsAreReplacedOtherThingsAreNot) {
    const temporary_folder folder;
    const std::string path = folder.name + "/socket";
    {
        file_descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    unix_listener(path).close();
    EXPECT_NE(::access(path.c_str(), F_OK), 0);

    file_descriptor(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    EXPECT_THAT(refusal([&] { unix_listener l(path); }, error_kind::output),
                HasSubstr(path + ": is in the way and is no socket"));
    EXPECT_EQ(::unlink(path.c_str()), 0) << "it is still there";
    ASSERT_EQ(::symlink("nowhere", path.c_str()), 0);
    EXPECT_THAT(refusal([&] { unix_listener l(path); }, error_kind::output),
                HasSubstr("no socket"));
    EXPECT_EQ(::unlink(path.c_str()), 0);
}

// Another process may have taken the path meanwhile: its file is not ours to remove.
TEST(UnixSocket, CloseRemovesOnlyItsOwnPath) {
    const temporary_folder folder;
    const std::string path = folder.name + "/socket";
    unix_listener first(path);
    ASSERT_EQ(::rename(path.c_str(), (path + ".old").c_str()), 0);
    unix_listener second(path);
    first.close();
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    EXPECT_EQ(::unlink((path + ".old").c_str()), 0);
}

TEST(UnixSocket, PathsThatCannotBe) {
    const temporary_folder folder;
    const std::string too_long = folder.name + "/" + std::string(108, 'x');
    EXPECT_THAT(refusal([&] { unix_listener l(too_long); }, error_kind::output),
                HasSubstr("1 to 107 bytes"));
    EXPECT_THAT(refusal([&] { unix_listener l(""); }, error_kind::output), HasSubstr("1 to 107"));
    EXPECT_THAT(refusal([&] { unix_listener l(folder.name + "/no/socket"); }, error_kind::output),
                HasSubstr("No such file"));
    EXPECT_THAT(refusal([&] { unix_stream::connect(folder.name + "/none"); }, error_kind::input),
                HasSubstr("is the device running"));
}

}  // namespace
}  // namespace scmi_vp::virtio
