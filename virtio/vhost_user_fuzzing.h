// SPDX-License-Identifier: Apache-2.0
// For fuzzing: any bytes as the life of a hostile front end. The same harness serves the seeded
// test and the libFuzzer target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"
#include "virtio/unix_socket.h"
#include "virtio/vhost_user_testing.h"

namespace scmi_vp::virtio::vhost_user {

/// The descriptors a hostile front end has at hand; made once, copied for each use.
struct fuzz_descriptors {
    fuzz_descriptors() : memory(make_memfd(0x8000)), event(make_eventfd()), other(make_memfd(16)) {
        auto both = unix_stream::make_pair();
        near = both.first.take();
        far = both.second.take();
    }
    file_descriptor pick(unsigned n) const {
        const int choice[] = {memory.get(), event.get(), near.get(), other.get()};
        return copy_of(choice[n % 4]);
    }
    file_descriptor memory, event, other, near, far;
};

struct fuzz_counts {
    unsigned messages = 0, refused = 0, ended = 0, started = 0, kicked = 0, tables = 0,
             violations = 0;
};

/// Script: per message one byte for the descriptors (bits 5:2 how many, bits 1:0 the first kind),
/// then the message: its header, and so many bytes of payload as it says or as there are.
inline void fuzz_session(const std::uint8_t* data, std::size_t size, const fuzz_descriptors& fds,
                         fuzz_counts& counts) {
    if (size == 0) return;
    session_config config;
    config.queue_size_max = {64, 64};
    config.protocol_features = (data[0] & 1) != 0 ? supported_protocol_features : offer_for_qemu;
    echo_device device(config);
    std::size_t at = 1;
    while (at + 1 + header_bytes <= size && !device.s.ended()) {
        const unsigned with = data[at++];
        std::uint32_t announced = 0;
        std::memcpy(&announced, data + at + 8, 4);
        const std::size_t length =
            std::min<std::size_t>(header_bytes + std::size_t{announced}, size - at);
        fd_list list;
        for (unsigned i = 0; i < (with >> 2 & 15); ++i) list.push_back(fds.pick(with + i));
        const effects e = device.apply(device.s.handle(data + at, length, std::move(list)));
        at += length;
        ++counts.messages;
        counts.refused += !e.complaint.empty() && !e.ended;
        counts.ended += e.ended;
        counts.started += e.start != 0;
        counts.kicked += e.kick != 0;
        counts.tables += e.memory_changed && !e.ended;
        // What must hold whatever was sent.
        counts.violations += e.ended != device.s.ended();
        counts.violations += e.ended && e.complaint.empty();
        counts.violations += (e.start & (e.stop | e.pause | e.resume)) != 0;
        counts.violations +=
            !e.reply.empty() && (e.reply.size() != 20 || e.reply[4] != reply_flags);
    }
    device.apply(device.s.close("end of script"));
    counts.violations += !device.view.regions().empty();
}

}  // namespace scmi_vp::virtio::vhost_user
