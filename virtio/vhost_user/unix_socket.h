// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets that pass descriptors (recvmsg and sendmsg with SCM_RIGHTS). They never
// block: who wants to wait polls `fd()`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "virtio/vhost_user/file_descriptor.h"

namespace scmi_vp::virtio {

/// Descriptors accepted with one read; more is an error (a front end passes one per memory region).
inline constexpr std::size_t max_passed_fds = 32;

/// What a read or write came to. `bytes` is 0 unless `done`, and then at least 1.
struct io_result {
    enum class status : std::uint8_t { done, would_block, closed };
    status what = status::would_block;
    std::size_t bytes = 0;
};

/// One end of a connection. Non-blocking, close-on-exec, never raises SIGPIPE.
class unix_stream {
public:
    unix_stream() = default;
    /// Takes over a connected stream socket and makes it non-blocking. Throws scmi_vp::error
    /// (input) when it is no Unix stream socket.
    explicit unix_stream(file_descriptor fd);
    /// Throws scmi_vp::error (input): no such path, nobody listens, no permission, name too long.
    static unix_stream connect(const std::string& path);
    static std::pair<unix_stream, unix_stream> make_pair();

    bool valid() const { return fd_.valid(); }
    int fd() const { return fd_.get(); }
    void close() { fd_.reset(); }
    file_descriptor take() { return std::move(fd_); }
    /// Whether `fd` is the other end of this connection. Never true where the kernel has no
    /// unix_diag: then nobody can tell.
    bool is_peer(int fd) const;
    /// What was sent and the other end has not read, in bytes. Where the kernel has no unix_diag,
    /// what it counts for that instead: more, and less only when a whole write was read.
    std::size_t unread_by_peer() const;

    /// Reads at most `max` bytes; descriptors that came with them are appended to `fds`. Throws
    /// scmi_vp::error (input) when the peer passed more than max_passed_fds at once, or this
    /// process has no room for them; nothing is leaked.
    io_result receive(void* data, std::size_t max, fd_list& fds);
    /// Writes what fits; the descriptors (borrowed) go with the first byte, so they have arrived
    /// when the result is `done`. At most max_passed_fds, else scmi_vp::error (model).
    io_result send(const void* data, std::size_t size, const int* fds = nullptr,
                   std::size_t fd_count = 0);

private:
    file_descriptor fd_;
};

/// A listening socket whose path is removed with it.
class unix_listener {
public:
    unix_listener() = default;
    /// Only the owner may connect (mode 0600). Takes the place of a socket of ours on which nobody
    /// listens any more; throws scmi_vp::error (output) for anything else that is in the way: a
    /// file, a socket in use or of another user.
    explicit unix_listener(const std::string& path);
    unix_listener(unix_listener&& other) noexcept { *this = std::move(other); }
    unix_listener& operator=(unix_listener&& other) noexcept;
    ~unix_listener() { close(); }

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    /// The next waiting connection, if there is one. Throws scmi_vp::error (input) when this
    /// process cannot take it (no descriptors left).
    std::optional<unix_stream> accept();
    /// Stops listening and removes the path, unless something else has taken its place.
    void close();

private:
    file_descriptor fd_;
    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

/// Whether `fd` is an AF_UNIX socket of type SOCK_STREAM.
bool is_unix_stream(int fd);

/// What the kernel knows of a Unix socket: unix_diag, as `ss -x` shows it.
struct unix_diagnosis {
    std::optional<std::uint32_t> peer;  ///< the inode of the other end
    std::uint32_t unread = 0;           ///< bytes in the socket that its owner has not read
};
/// Of any socket of this host, by its inode (fstat). Nothing when there is none, or no unix_diag.
std::optional<unix_diagnosis> diagnose_unix_socket(std::uint32_t inode);

}  // namespace scmi_vp::virtio
