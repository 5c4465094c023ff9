// SPDX-License-Identifier: Apache-2.0
// A vhost-user front end (a real guest) in front of the SCMI device: its messages become starts,
// stops and kicks of the device's queues, and used buffers become calls on its back-end channel.
//
// Nothing here waits: who serves a guest polls the descriptors and calls the functions below, in
// the order that the protocol's deadlock rules ask for (models/peers/turns.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "models/platform/scmi_device.h"
#include "virtio/unix_socket.h"
#include "virtio/vhost_user_session.h"

namespace scmi_vp::models {

class vhost_user_peer : public device_front {
public:
    /// Connects itself to `device`, whose memory `view` becomes what the front end shares.
    vhost_user_peer(virtio::unix_listener listener, virtio::vhost_user::session_config config,
                    scmi_device& device, virtio::guest_memory& view);

    /// What to poll for reading: the listener at first, then the connection; -1 once it has ended.
    int fd() const;
    /// The back-end channel; -1 while there is none.
    int channel_fd() const { return channel_.fd(); }

    /// Handles one message if one is there. Its reply is owed until reply() sends it: what a kick
    /// changes in the guest's free time must be told before.
    bool serve();
    void reply();
    /// The last message was a kick.
    bool kicked() const { return kicked_; }

    /// Begins the next call that is due; false if there is none. Then serve_channel() until the
    /// guest has acknowledged it.
    bool begin_call();
    bool call_pending() const { return session_.call_pending(); }
    /// Handles what came on the back-end channel, if anything did.
    bool serve_channel();

    bool ended() const { return ended_; }
    /// Why it ended or what was refused; empty if nothing was wrong.
    const std::string& complaint() const { return complaint_; }
    std::uint64_t kicks() const { return kicks_; }
    /// When the command queue was kicked for the first time: the probe has begun.
    sim_time first_command() const { return first_command_; }
    std::uint64_t calls() const { return calls_; }
    const std::string& ring_fault() const { return ring_fault_; }

    void used_buffer_interrupt() override;
    void ring_broken(const virtio::ring_fault& fault) override;

private:
    using session = virtio::vhost_user::session;
    using assembler = virtio::vhost_user::assembler;

    void accept();
    void apply(virtio::vhost_user::effects& e);
    void start(unsigned queue);
    void end(const std::string& why);
    bool receive(virtio::unix_stream& from, assembler& into);
    bool wants_interrupt(unsigned queue);
    static void send(virtio::unix_stream& to, const virtio::vhost_user::wire& message);

    virtio::unix_listener listener_;
    virtio::unix_stream socket_, channel_;
    session session_;
    scmi_device& device_;
    virtio::guest_memory& view_;
    assembler incoming_{virtio::vhost_user::traffic::requests};
    assembler acknowledgements_{virtio::vhost_user::traffic::replies};
    virtio::fd_list fds_;
    virtio::vhost_user::wire reply_;
    bool kicked_ = false, ended_ = false, last_reply_ = false;
    std::string complaint_, ring_fault_;
    std::array<std::uint16_t, 2> signalled_{};  ///< used index at the last call of each queue
    std::array<bool, 2> call_due_{};
    std::uint64_t kicks_ = 0, calls_ = 0;
    sim_time first_command_;
};

}  // namespace scmi_vp::models
