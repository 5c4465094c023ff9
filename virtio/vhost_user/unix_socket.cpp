// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets: the system calls and every way in which they fail.
#include "virtio/vhost_user/unix_socket.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/error.h"

namespace scmi_vp::virtio {

namespace {

std::string why(const char* call) {
    return std::string(call) + ": " + std::strerror(errno);
}

sockaddr_un address_of(const std::string& path, error_kind kind) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        throw error(kind, path,
                    "a socket's path has 1 to " + std::to_string(sizeof address.sun_path - 1) +
                        " bytes, this one " + std::to_string(path.size()) +
                        ": choose a shorter one");
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

file_descriptor make_socket(error_kind kind, const std::string& path) {
    file_descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) throw error(kind, path, why("socket"));
    return fd;
}

/// Restores the process' umask; files that are made meanwhile are the owner's alone.
class owner_only {
public:
    owner_only() : before_(::umask(0177)) {}
    ~owner_only() { ::umask(before_); }
    owner_only(const owner_only&) = delete;
    owner_only& operator=(const owner_only&) = delete;

private:
    mode_t before_;
};

/// Removes a socket of this user on which nobody listens; refuses anything else.
void clear_path(const std::string& path, const sockaddr_un& address) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno == ENOENT) return;
        throw error(error_kind::output, path, why("cannot look at it"));
    }
    if (!S_ISSOCK(info.st_mode)) {
        throw error(error_kind::output, path,
                    "is in the way and is no socket: choose another path");
    }
    if (info.st_uid != ::geteuid()) {
        throw error(error_kind::output, path,
                    "is another user's socket: choose another path, or remove it");
    }
    const file_descriptor probe = make_socket(error_kind::output, path);
    const int result =
        ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (result == 0 || errno != ECONNREFUSED) {
        throw error(error_kind::output, path,
                    "somebody listens there already: stop that process, or choose another path");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        throw error(error_kind::output, path, why("cannot remove the stale socket"));
    }
}

/// Moves the descriptors of all control messages into `fds`.
void collect_fds(msghdr& message, fd_list& fds) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            fds.emplace_back(fd);
        }
    }
}

io_result result_of(ssize_t n) {
    if (n > 0) return {io_result::status::done, static_cast<std::size_t>(n)};
    if (n == 0) return {io_result::status::closed, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return {io_result::status::would_block, 0};
    }
    if (errno == EPIPE || errno == ECONNRESET) return {io_result::status::closed, 0};
    throw error(error_kind::input, why("the connection failed"));
}

}  // namespace

bool is_unix_stream(int fd) {
    int domain = 0, type = 0;
    socklen_t size = sizeof domain;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return false;
    size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return false;
    return domain == AF_UNIX && type == SOCK_STREAM;
}

unix_stream::unix_stream(file_descriptor fd) : fd_(std::move(fd)) {
    if (!is_unix_stream(fd_.get())) {
        throw error(error_kind::input, "the descriptor is no Unix stream socket");
    }
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
        throw error(error_kind::input, why("cannot make the socket non-blocking"));
    }
}

unix_stream unix_stream::connect(const std::string& path) {
    const sockaddr_un address = address_of(path, error_kind::input);
    unix_stream stream;
    stream.fd_ = make_socket(error_kind::input, path);
    if (::connect(stream.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw error(error_kind::input, path,
                    why("cannot connect") + ": is the device running, and listening there?");
    }
    return stream;
}

std::pair<unix_stream, unix_stream> unix_stream::make_pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
        throw error(error_kind::input, why("socketpair"));
    }
    std::pair<unix_stream, unix_stream> both;
    both.first.fd_.reset(fds[0]);
    both.second.fd_.reset(fds[1]);
    return both;
}

io_result unix_stream::receive(void* data, std::size_t max, fd_list& fds) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(max_passed_fds * sizeof(int))> control;
    iovec part{data, max};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n >= 0) collect_fds(message, fds);
    if (n >= 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
        throw error(error_kind::input, "the peer passed more than " +
                                           std::to_string(max_passed_fds) +
                                           " descriptors at once, or more than this process may "
                                           "have open (ulimit -n)");
    }
    return result_of(n);
}

io_result unix_stream::send(const void* data, std::size_t size, const int* fds,
                            std::size_t fd_count) {
    if (fd_count > max_passed_fds || size == 0) {
        throw error(error_kind::model, "unix_stream::send: " + std::to_string(fd_count) +
                                           " descriptors with " + std::to_string(size) + " bytes");
    }
    alignas(cmsghdr) std::array<char, CMSG_SPACE(max_passed_fds * sizeof(int))> control{};
    iovec part{const_cast<void*>(data), size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd_count != 0) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        std::memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
    }
    return result_of(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

unix_listener::unix_listener(const std::string& path) {
    const sockaddr_un address = address_of(path, error_kind::output);
    clear_path(path, address);
    file_descriptor fd = make_socket(error_kind::output, path);
    const owner_only mask;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw error(error_kind::output, path, why("cannot make the socket"));
    }
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
        const std::string reason = why("cannot listen");
        ::unlink(path.c_str());
        throw error(error_kind::output, path, reason);
    }
    fd_ = std::move(fd);
    path_ = path;
    device_ = info.st_dev;
    inode_ = info.st_ino;
}

unix_listener& unix_listener::operator=(unix_listener&& other) noexcept {
    if (this == &other) return *this;
    close();
    fd_ = std::move(other.fd_);
    path_ = std::exchange(other.path_, std::string());
    device_ = other.device_;
    inode_ = other.inode_;
    return *this;
}

std::optional<unix_stream> unix_listener::accept() {
    file_descriptor fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) return unix_stream(std::move(fd));
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::nullopt;
    throw error(error_kind::input, path_, why("cannot accept a connection"));
}

void unix_listener::close() {
    if (!fd_.valid()) return;
    struct stat info {};
    if (::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
    fd_.reset();
}

}  // namespace scmi_vp::virtio
