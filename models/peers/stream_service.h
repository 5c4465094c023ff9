// SPDX-License-Identifier: Apache-2.0
// SCMI over a Unix stream socket, in wall-clock time: u32 little-endian length, then the message
// (header and payload), in both directions. One socket, one agent, one connection at a time.
//
// In front of the device stands a small virtio driver of our own, on rings that only this process
// sees: so the platform's latencies, losses and delayed responses are those of every other front.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/peers/accept_pause.h"
#include "models/peers/wall_clock.h"
#include "models/platform/scmi_device.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::models {

class stream_service : public wall_client, public device_front {
public:
    /// Connects itself to `device`, whose memory `view` becomes its own. A reply has room for
    /// `max_payload` bytes of payload besides the status, as far as max_message allows.
    stream_service(virtio::unix_listener listener, scmi_device& device, virtio::guest_memory& view,
                   std::uint32_t max_payload, std::function<void(const std::string&)> report);

    std::uint64_t connections() const { return connections_; }
    bool connected() const { return socket_.valid(); }
    /// Commands that may be under way at once; further ones wait in the socket.
    static constexpr unsigned most_commands = 128;
    /// The longest message in either direction: header and payload.
    static constexpr std::size_t max_message = 4 + 4096;
    /// So much may wait for an agent to read it until no further command is taken from it and no
    /// notification gets a buffer. What was taken before is answered still, so what waits is
    /// bounded by this and most_commands and event_buffers messages.
    static constexpr std::size_t much_unread = 1 << 16;
    /// For what the device sends by itself; a notification without one is dropped.
    static constexpr unsigned event_buffers = 64;
    /// How long a peer may owe the rest of a message, or not read a byte of what waits for it.
    sim_time patience = seconds(10);

    void watch(std::vector<pollfd>& fds) override;
    void serve(const pollfd* fds, std::size_t n) override;
    sim_time deadline() const override;
    void overdue() override;
    bool pass_on() override;
    void close() { end(""); }

    void used_buffer_interrupt(unsigned queue) override;
    void ring_broken(unsigned queue, const virtio::ring_fault& fault) override;

private:
    struct slot {
        std::uint64_t command = 0, reply = 0;  ///< addresses; an event buffer has only the latter
    };

    void accept();
    void begin();
    void end(const std::string& why);
    void read();
    void take_messages();
    void take_whole_messages();
    void submit(const std::uint8_t* message, std::size_t size);
    void clear_reply(const slot& s);
    void post_event(slot& s);
    void send(const slot& s, std::uint32_t size);
    void write();
    std::size_t unread() const { return out_.size() - out_sent_; }
    bool may_take() const { return !free_.empty() && unread() < much_unread && refusal_.empty(); }
    bool may_read() const { return !input_ended_ && in_usable_ == in_have_ && may_take(); }
    bool waits_for_nothing() const;
    bool finished() const;
    std::string last_word() const;
    void after();
    /// What a peer is waited for, for `patience` at most.
    enum class owing : std::uint8_t { nothing, rest_of_message, reading };
    owing owed() const;
    void wait_for(owing what);
    void note_what_is_owed();

    virtio::unix_listener listener_;
    virtio::unix_stream socket_;
    scmi_device& device_;
    virtio::guest_memory& view_;
    std::uint32_t reply_bytes_;
    std::function<void(const std::string&)> report_;
    std::vector<std::uint8_t> memory_;
    std::array<virtio::driver_queue, 2> rings_;
    std::vector<slot> slots_, events_;
    std::vector<slot*> free_;
    std::vector<slot*> held_back_;  ///< event buffers that wait until the peer has read
    std::vector<std::uint8_t> in_, out_;
    /// What lies in in_; only what came before now() is usable (wall_client::pass_on).
    std::size_t in_used_ = 0, in_usable_ = 0, in_have_ = 0;
    std::size_t out_sent_ = 0;
    bool input_ended_ = false;
    std::string failure_;
    std::string refusal_;  ///< of what it sent: it gets the answers that it is owed, then goes
    owing waiting_for_ = owing::nothing;
    sim_time stalled_at_ = sim_time::max();
    accept_pause accept_pause_;
    std::uint64_t sent_ = 0;  ///< bytes, on this connection
    std::optional<std::uint64_t> read_before_;
    std::uint64_t connections_ = 0;
};

}  // namespace scmi_vp::models
