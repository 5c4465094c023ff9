// SPDX-License-Identifier: Apache-2.0
// A vhost-user front end (a real guest) in front of the SCMI device: its messages become starts,
// stops and kicks of the device's queues, and used buffers become calls: by descriptor, or on its
// back-end channel.
//
// Nothing here waits: who serves a guest polls the descriptors and calls the functions below, in
// the order that the protocol's deadlock rules ask for (models/peers/turns.h,
// models/peers/vhost_user_service.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "models/platform/scmi_device.h"
#include "virtio/vhost_user/channel.h"
#include "virtio/vhost_user/session.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::models {

class vhost_user_peer : public device_front {
public:
    enum class manner : std::uint8_t {
        in_turns,  ///< one connection; calls are begun by begin_call(), when it is the time for
                   ///< them
        at_once,   ///< one connection after the other; calls are made when buffers are used
    };
    /// Connects itself to `device`, whose memory `view` becomes what the front end shares.
    vhost_user_peer(virtio::unix_listener listener, virtio::vhost_user::session_config config,
                    scmi_device& device, virtio::guest_memory& view, manner how = manner::in_turns);

    /// What to poll for reading: the listener at first, then the connection; -1 once it has ended.
    int fd() const;
    /// The back-end channel; -1 while there is none.
    int channel_fd() const { return channel_ ? channel_->fd() : -1; }
    bool connected() const { return main_.has_value(); }

    /// Accepts a connection, or handles one message, if one is there. Its reply is owed until
    /// reply() sends it: what a kick changes in the guest's free time must be told before. Throws
    /// scmi_vp::error (input) when this process cannot accept.
    bool serve();
    void reply();
    /// The last message was a kick.
    bool kicked() const { return kicked_; }

    /// Begins the next call that is due; false if there is none. Then serve_channel() until the
    /// guest has acknowledged it. (Only in_turns.)
    bool begin_call();
    bool call_pending() const { return session_.call_pending(); }
    /// Handles what came on the back-end channel, if anything did.
    bool serve_channel();

    // --- kicks by descriptor ---
    static constexpr unsigned queues = 2;
    /// To poll for reading; -1: the queue has none, or does not run.
    int kick_fd(unsigned queue);
    void serve_kick(unsigned queue);
    /// A running queue that is kicked in no way: look at it from time to time.
    bool polled(unsigned queue) const { return session_.polled(queue); }
    /// True: there were commands. (Only at_once.)
    bool look_at(unsigned queue);

    // --- at_once: the driver runs on while simulated time is behind ---
    /// Kicks were heard that the device knows nothing of yet.
    bool heard() const { return heard_ != 0; }
    /// Tells the device of them. Simulated time must not be before the time at which they were
    /// heard.
    void pass_on_kicks();
    /// Hears commands that were made without a kick: with EVENT_IDX a driver leaves it out while
    /// the device has not taken all it knows of (virtio 2.7.7). Before nothing is done for a while.
    void hear_what_was_not_kicked();

    // --- a peer that does not do its part ---
    /// Bytes that it has yet to read: flush() when fd() or channel_fd() is writable.
    bool backlog() const {
        return (main_ && main_->backlog()) || (channel_ && channel_->backlog());
    }
    void flush();
    /// It owes the rest of a message, or does not read: give it a time limit, then end().
    bool stalled() const {
        return backlog() || (main_ && main_->in_the_middle()) ||
               (channel_ && channel_->in_the_middle());
    }
    /// Something that was noticed while the device ran ends the connection: call end(failure()).
    const std::string& failure() const { return failure_; }
    /// The connection is over: the queues stop, the agent's wishes are forgotten. at_once: the next
    /// one may come.
    void end(const std::string& why);

    bool ended() const { return ended_; }
    /// Why it ended or what was refused; empty if nothing was wrong.
    const std::string& complaint() const { return complaint_; }
    std::uint64_t complaints() const { return complaints_; }
    std::uint64_t connections() const { return connections_; }
    std::uint64_t kicks() const { return kicks_; }
    /// When the command queue was kicked for the first time: the probe has begun.
    sim_time first_command() const { return first_command_; }
    std::uint64_t calls() const { return calls_; }
    const std::string& ring_fault() const { return ring_fault_; }
    /// What the front end shares; after its end, what it shared at last.
    const virtio::vhost_user::memory_table& memory() const {
        return ended_ ? last_memory_ : session_.memory();
    }

    void used_buffer_interrupt(unsigned queue) override;
    void ring_broken(unsigned queue, const virtio::ring_fault& fault) override;

private:
    using session = virtio::vhost_user::session;
    using channel = virtio::vhost_user::channel;
    using queue_mask = virtio::vhost_user::queue_mask;

    void accept();
    bool receive();
    void apply(virtio::vhost_user::effects& e);
    void stop_queues(virtio::vhost_user::effects& e);
    void forget_last_driver(queue_mask starting);
    void start(unsigned queue, std::uint16_t position);
    void hear(unsigned queue);
    void complain(const std::string& what);
    void call(unsigned queue);
    void send(std::optional<channel>& to, const virtio::vhost_user::wire& message);

    virtio::unix_listener listener_;
    virtio::vhost_user::session_config config_;
    manner how_;
    std::optional<channel> main_, channel_;
    session session_;
    scmi_device& device_;
    virtio::guest_memory& view_;
    virtio::vhost_user::memory_table last_memory_;  ///< of one that has ended
    virtio::vhost_user::wire reply_;
    queue_mask call_again_ = 0, paused_ = 0, heard_ = 0;
    /// Where each queue was last paused or stopped.
    std::array<std::optional<std::uint16_t>, queues> positions_{};
    std::array<bool, queues> call_due_{};
    bool kicked_ = false, ended_ = false, last_reply_ = false;
    std::string complaint_, ring_fault_, failure_;
    std::uint64_t complaints_ = 0, connections_ = 0, kicks_ = 0, calls_ = 0;
    sim_time first_command_;
};

}  // namespace scmi_vp::models
