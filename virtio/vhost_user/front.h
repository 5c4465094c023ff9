// SPDX-License-Identifier: Apache-2.0
// The front end's side of a vhost-user session as a state machine: it says what to send next, is
// told of each reply, and owns the queues' bells, but no socket.
//
// The order of messages is that of rust-vmm's vhost front end and of UML 6.1
// (arch/um/drivers/virtio_uml.c): owner, features, protocol, memory, rings, enable.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "virtio/device_state.h"
#include "virtio/ring/split_ring.h"
#include "virtio/vhost_user/doorbell.h"
#include "virtio/vhost_user/message.h"

namespace scmi_vp::virtio::vhost_user {

struct front_config {
    /// Virtio features that the driver would accept; VERSION_1 must be among them.
    std::uint64_t features = feature::scmi_p2a_channels | feature::indirect_desc |
                             feature::event_idx | feature::version_1;
    /// Protocol features to use where offered. INBAND_NOTIFICATIONS makes kicks and calls messages.
    std::uint64_t protocol_features = protocol_feature::mq | protocol_feature::reply_ack;
    struct region {
        mem_region where;
        int fd = -1;  ///< borrowed
    };
    std::vector<region> memory;
    struct queue {
        ring_layout layout;      ///< guest-physical; within one region
        std::uint16_t base = 0;  ///< next available index: not 0 after a reconnection
    };
    std::vector<queue> queues;
    /// False: the first sequence ends, in `stopped`, with what can be said before the driver has
    /// set up its queues; set_queue, accept, and then restart() go on.
    bool start_at_once = true;
    /// The end of a Unix stream socket pair that the back end gets for its requests; borrowed, -1
    /// for none. Needs BACKEND_REQ.
    int backend_channel = -1;
};

class front_end {
public:
    /// Throws scmi_vp::error (config): no memory, a ring outside it, too many queues.
    explicit front_end(front_config config);

    /// A message to send, with borrowed descriptors.
    struct outgoing {
        wire bytes;
        std::vector<int> fds;
    };
    /// The next message of the sequence under way; nothing while a reply is awaited, or when it is
    /// done.
    std::optional<outgoing> next();
    /// The message that the back end sent. Throws scmi_vp::error (input) when it is not the reply
    /// that is due, refuses what was asked, or lacks a feature that is needed: the session is over.
    void on_reply(const std::uint8_t* bytes, std::size_t size, std::size_t fd_count);
    /// The request whose reply is awaited, or nullptr: give it a time limit.
    const request_info* awaited() const { return awaited_; }

    enum class state : std::uint8_t { connecting, running, stopping, stopped };
    state now() const { return state_; }
    /// Stops all queues when running: next() has the messages. After it `base` is what the back end
    /// said, and restart() begins again on the same connection.
    void stop();
    void restart();
    std::uint16_t base(unsigned queue) const { return config_.queues.at(queue).base; }

    /// Where a queue lies and starts with the next restart(); a queue without a size is left out.
    /// Throws scmi_vp::error (config) as the constructor does.
    void set_queue(unsigned queue, const ring_layout& layout, std::uint16_t next_available = 0);
    void set_base(unsigned queue, std::uint16_t next_available) {
        config_.queues.at(queue).base = next_available;
    }
    /// What the driver has accepted of features(); before restart().
    void accept(std::uint64_t features) { accepted_ &= features | feature_protocol_features; }

    std::uint64_t features() const { return accepted_; }
    std::uint64_t protocol_features() const { return protocol_; }
    ring_features ring() const;
    bool in_band() const { return (protocol_ & protocol_feature::inband_notifications) != 0; }

    /// Kicks a queue while running: by its bell (then `message` stays empty), or by a message whose
    /// acknowledgement is awaited. Throws scmi_vp::error (model) when not running, or when the last
    /// message is not acknowledged yet.
    void kick(unsigned queue, wire& message);
    /// The bell that the back end rings; to listen to unless in_band().
    doorbell& call_bell(unsigned queue) { return bells_.at(queue).call; }
    doorbell& error_bell(unsigned queue) { return bells_.at(queue).err; }

    /// What a request of the back end means.
    struct backend_event {
        std::optional<unsigned> called;  ///< this queue interrupts
        std::optional<unsigned> broken;  ///< this queue's ring is malformed, says the back end
        wire reply;                      ///< to send on the back-end channel, unless empty
    };
    /// A message from the back-end channel. What is unknown or out of range is answered with 1, as
    /// UML does; throws scmi_vp::error (input) when the header cannot be trusted.
    backend_event on_backend_request(const std::uint8_t* bytes, std::size_t size,
                                     std::size_t fd_count);

private:
    struct step {
        front_request what;
        unsigned queue = 0;
        std::uint32_t value = 0;
    };
    struct queue_bells {
        doorbell kick, call, err;
    };
    void plan_connect();
    void plan_setup();
    void plan_start();
    void check_queue(unsigned queue) const;
    bool in_use(unsigned queue) const { return config_.queues[queue].layout.size != 0; }
    void barrier();
    bool has_protocol(std::uint64_t bit) const { return (protocol_ & bit) != 0; }
    bool wants_ack(front_request what) const;
    std::uint64_t user_address(std::uint64_t guest, std::uint64_t size) const;
    vring_addr addresses(unsigned queue) const;
    mem_table table() const;
    outgoing make(const step& s) const;
    payload body_of(const step& s) const;
    void take_reply(const payload& body);
    void take_features(std::uint64_t offered);
    void take_protocol_features(std::uint64_t offered);
    void sequence_done();

    front_config config_;
    std::vector<queue_bells> bells_;
    state state_ = state::connecting;
    std::vector<step> plan_;
    std::size_t at_ = 0;
    const request_info* awaited_ = nullptr;
    unsigned awaited_queue_ = 0;
    bool awaiting_ack_ = false, features_known_ = false;
    std::uint64_t offered_ = 0, accepted_ = 0, protocol_ = 0;
};

}  // namespace scmi_vp::virtio::vhost_user
