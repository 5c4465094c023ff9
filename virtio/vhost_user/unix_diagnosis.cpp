// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a Unix socket and what it has read: netlink's sock_diag
// (sock_diag(7)).
#include <cstring>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio {
namespace {

bool ask(int netlink, std::uint32_t inode) {
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST;
    message.request.sdiag_family = AF_UNIX;
    message.request.udiag_states = ~0u;
    message.request.udiag_ino = inode;
    message.request.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;
    // The kernel gave no cookie to name the socket by: any.
    message.request.udiag_cookie[0] = message.request.udiag_cookie[1] = ~0u;
    return ::send(netlink, &message, sizeof message, 0) == ssize_t(sizeof message);
}

unix_diagnosis parsed(const char* attributes, std::size_t size) {
    unix_diagnosis d;
    for (std::size_t at = 0; at + sizeof(rtattr) <= size;) {
        rtattr a;
        std::memcpy(&a, attributes + at, sizeof a);
        if (a.rta_len < sizeof a || a.rta_len > size - at) break;
        const char* const data = attributes + at + sizeof a;
        if (a.rta_type == UNIX_DIAG_PEER && a.rta_len >= sizeof a + 4) {
            std::memcpy(&d.peer.emplace(), data, 4);
        } else if (a.rta_type == UNIX_DIAG_RQLEN && a.rta_len >= sizeof a + 4) {
            std::memcpy(&d.unread, data, 4);  // udiag_rqueue
        }
        at += RTA_ALIGN(a.rta_len);
    }
    return d;
}

/// Of a socket; nothing when it is something else.
std::optional<std::uint32_t> inode_of(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
    return static_cast<std::uint32_t>(info.st_ino);
}

}  // namespace

std::optional<unix_diagnosis> diagnose_unix_socket(std::uint32_t inode) {
    const file_descriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!netlink.valid() || !ask(netlink.get(), inode)) return std::nullopt;
    alignas(nlmsghdr) char answer[1024];
    // It answers while it is asked: nothing is waited for.
    const ssize_t n = ::recv(netlink.get(), answer, sizeof answer, MSG_DONTWAIT);
    nlmsghdr header;
    constexpr std::size_t before = NLMSG_LENGTH(sizeof(unix_diag_msg));
    if (n < ssize_t(before)) return std::nullopt;
    std::memcpy(&header, answer, sizeof header);
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len > std::size_t(n)) {
        return std::nullopt;
    }
    return parsed(answer + before, header.nlmsg_len - before);
}

bool unix_stream::is_peer(int fd) const {
    const auto other = inode_of(fd), mine = inode_of(this->fd());
    const auto here = other && mine ? diagnose_unix_socket(*mine) : std::nullopt;
    return here && here->peer && *here->peer == *other;
}

std::size_t unix_stream::unread_by_peer() const {
    const auto mine = inode_of(fd());
    const auto here = mine ? diagnose_unix_socket(*mine) : std::nullopt;
    const auto there = here && here->peer ? diagnose_unix_socket(*here->peer) : std::nullopt;
    if (there) return there->unread;
    int counted = 0;
    return ::ioctl(fd(), SIOCOUTQ, &counted) == 0 ? static_cast<std::size_t>(counted) : 0;
}

}  // namespace scmi_vp::virtio
