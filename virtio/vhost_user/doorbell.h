// SPDX-License-Identifier: Apache-2.0
// The descriptors by which the two sides of a vhost-user queue ring each other: eventfds, and the
// Unix sockets that User-Mode Linux passes in their place. Nothing here ever blocks.
#pragma once

#include <cstdint>

#include "virtio/vhost_user/file_descriptor.h"

namespace scmi_vp::virtio::vhost_user {

/// A kick, call or error descriptor.
class doorbell {
public:
    doorbell() = default;
    /// Takes over a descriptor of the peer. Throws scmi_vp::error (input) when it is neither an
    /// eventfd nor a Unix socket: a write to a file, pipe or device could block or do harm.
    explicit doorbell(file_descriptor fd);
    /// A new eventfd. Throws scmi_vp::error (output) when this process has no descriptors left.
    static doorbell make();

    bool valid() const { return fd_.valid(); }
    /// To poll for reading, or to pass to the peer.
    int fd() const { return fd_.get(); }
    void close() { fd_.reset(); }

    /// Rings. False when nobody is there any more. A bell that cannot take more rings counts as
    /// rung: its owner has rings to look at already.
    bool ring();

    enum class heard : std::uint8_t {
        nothing,
        rung,
        gone,       ///< nobody is there any more
        semaphore,  ///< an eventfd with EFD_SEMAPHORE, that stays rung however often it is read
    };
    /// Takes all rings so far; several count as one.
    heard listen();
    /// It is only rung, never listened to: what its owner sends is not taken any more, so that no
    /// descriptor of his (of a connection to us) is kept open in it.
    void only_ring();

private:
    heard listen_to_eventfd();

    file_descriptor fd_;
    bool socket_ = false;
};

}  // namespace scmi_vp::virtio::vhost_user
