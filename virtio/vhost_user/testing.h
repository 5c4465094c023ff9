// SPDX-License-Identifier: Apache-2.0
// For tests and fuzzing: descriptors to pass, a count of open ones, and a device behind a session
// that does what a shell has to do with effects and answers each request with its own bytes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtio/vhost_user/session.h"

namespace scmi_vp::virtio::vhost_user {

/// Open descriptors of this process (proc(5)), without the one that counts.
inline unsigned open_fds() {
    unsigned n = 0;
    DIR* dir = ::opendir("/proc/self/fd");
    while (const dirent* e = ::readdir(dir)) n += e->d_name[0] != '.';
    ::closedir(dir);
    return n - 1;
}

inline file_descriptor make_memfd(std::uint64_t size) {
    file_descriptor fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) fd.reset();
    return fd;
}
/// A blocking one, as UML makes them (arch/um/os-Linux/file.c, os_eventfd).
inline file_descriptor make_eventfd() {
    return file_descriptor(::eventfd(0, EFD_CLOEXEC));
}
inline file_descriptor copy_of(int fd) {
    return file_descriptor(::dup(fd));
}
template <class... Fds>
fd_list fds_of(Fds&&... fds) {
    fd_list list;
    (list.push_back(std::forward<Fds>(fds)), ...);
    return list;
}

/// The shell of a session, without sockets.
class echo_device {
public:
    explicit echo_device(session_config config)
        : s(std::move(config)), queues(s.queues()), live(s.queues()) {}

    effects tell(const wire& message, fd_list fds = {}) {
        return apply(s.handle(message.data(), message.size(), std::move(fds)));
    }
    effects tell(front_request r, const payload& body = {}, fd_list fds = {},
                 bool need_reply = false) {
        return tell(encode(r, flag_version | (need_reply ? flag_need_reply : 0), body),
                    std::move(fds));
    }
    effects apply(effects e) {
        for (unsigned q = 0; q < queues.size(); ++q) {
            if (has(e.stop | e.pause, q)) live[q] = false;
        }
        if (e.memory_changed) s.memory().install(view);
        for (unsigned q = 0; q < queues.size(); ++q) {
            if (has(e.start, q)) queues[q] = s.open_queue(q, view);
            if (has(e.start | e.resume, q)) live[q] = true;
            if (has(e.kick, q) && serve_at_once) serve(q);
        }
        if (e.base_of) e.reply = s.base_reply(*e.base_of, queues[*e.base_of].next_available());
        return e;
    }
    /// Takes and answers all there is; interrupts if that is wanted. Event buffers stay in queue 1.
    void serve(unsigned q) {
        if (!live[q] || q != 0) return;
        unsigned served = 0;
        while (served < 4096 && queues[q].take(taken) == take_result::taken) {
            std::array<std::uint8_t, 256> bytes;
            const std::size_t n = queues[q].read(taken, bytes.data(), bytes.size());
            const std::size_t put = queues[q].write(taken, bytes.data(), n);
            queues[q].put_used(taken.head, static_cast<std::uint32_t>(put));
            ++served;
        }
        requests += served;
        if (queues[q].broken()) {
            live[q] = false;
            last_route = s.ring_broken(q, queues[q].next_available(), outgoing);
        } else if (served != 0 && queues[q].should_interrupt()) {
            last_route = s.call(q, outgoing);
        }
    }
    static bool has(queue_mask mask, unsigned q) { return (mask >> q & 1) != 0; }

    session s;
    guest_memory view;
    std::vector<device_queue> queues;
    std::vector<bool> live;
    chain taken;
    wire outgoing;  ///< a call for the back-end channel, when last_route says `message`
    call_route last_route = call_route::none;
    unsigned requests = 0;
    bool serve_at_once = true;
};

}  // namespace scmi_vp::virtio::vhost_user
