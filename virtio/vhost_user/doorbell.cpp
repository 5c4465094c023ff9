// SPDX-License-Identifier: Apache-2.0
// Ringing and listening with system calls that cannot block, whatever the peer does to flags that
// both sides share.
#include "virtio/vhost_user/doorbell.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {

namespace {

bool is_unix_socket(int fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/// An eventfd has no kind of file (proc(5)); its link names it, where /proc can be read.
bool is_eventfd(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || (info.st_mode & S_IFMT) != 0) return false;
    std::array<char, 64> name{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t n = ::readlink(link.c_str(), name.data(), name.size() - 1);
    return n < 0 || std::strcmp(name.data(), "anon_inode:[eventfd]") == 0;
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

doorbell::doorbell(file_descriptor fd) : fd_(std::move(fd)), socket_(is_unix_socket(fd_.get())) {
    if (socket_) return;
    if (!is_eventfd(fd_.get())) {
        throw error(error_kind::input, "the descriptor is neither an eventfd nor a Unix socket");
    }
    // UML makes blocking ones; the flag is shared with the peer, which may set it back.
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
        throw error(error_kind::input,
                    std::string("cannot make the eventfd non-blocking: ") + std::strerror(errno));
    }
}

doorbell doorbell::make() {
    file_descriptor fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!fd.valid()) {
        throw error(error_kind::output, std::string("eventfd: ") + std::strerror(errno));
    }
    doorbell bell;
    bell.fd_ = std::move(fd);
    return bell;
}

bool doorbell::ring() {
    const std::uint64_t one = 1;
    if (socket_) {
        const ssize_t n = ::send(fd_.get(), &one, sizeof one, MSG_NOSIGNAL | MSG_DONTWAIT);
        return n >= 0 || would_block();
    }
    // A peer may have made the eventfd blocking again and filled it: look before the write.
    pollfd room{fd_.get(), POLLOUT, 0};
    if (::poll(&room, 1, 0) == 0) return true;
    return ::write(fd_.get(), &one, sizeof one) >= 0 || would_block();
}

doorbell::heard doorbell::listen() {
    if (!socket_) return listen_to_eventfd();
    // One read per look: a peer that floods the socket cannot keep us here.
    std::array<std::uint8_t, 4096> rings;
    const ssize_t n = ::recv(fd_.get(), rings.data(), rings.size(), MSG_DONTWAIT);
    if (n > 0) return heard::rung;
    return n < 0 && would_block() ? heard::nothing : heard::gone;
}

doorbell::heard doorbell::listen_to_eventfd() {
    // One read takes all rings, except from a semaphore: that gives a one each time (eventfd(2)),
    // and with a high count it would never be still. Nobody rings between each two of so many
    // reads.
    constexpr int most_reads = 64;
    for (int reads = 0; reads < most_reads; ++reads) {
        std::uint64_t count = 0;
        iovec part{&count, sizeof count};
        const ssize_t n = ::preadv2(fd_.get(), &part, 1, -1, RWF_NOWAIT);
        if (n > 0 && count > 1) return heard::rung;
        if (n > 0) continue;
        if (n == 0 || !would_block()) return heard::gone;
        return reads > 0 ? heard::rung : heard::nothing;
    }
    return heard::semaphore;
}

void doorbell::only_ring() {
    if (!socket_ || ::shutdown(fd_.get(), SHUT_RD) != 0) return;
    std::array<std::uint8_t, 4096> rest;
    while (::recv(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
    }
}

}  // namespace scmi_vp::virtio::vhost_user
