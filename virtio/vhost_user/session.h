// SPDX-License-Identifier: Apache-2.0
// The back end's side of a vhost-user session as a state machine: told of each message, it says
// what the device has to do and what to answer. It owns no socket and never waits.
//
// Rules are those of QEMU's docs/interop/vhost-user.rst, and of what QEMU (hw/virtio/vhost-user.c)
// and User-Mode Linux (arch/um/drivers/virtio_uml.c) do where it is silent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "virtio/device_state.h"
#include "virtio/ring/split_ring.h"
#include "virtio/vhost_user/doorbell.h"
#include "virtio/vhost_user/file_descriptor.h"
#include "virtio/vhost_user/memory.h"
#include "virtio/vhost_user/message.h"

namespace scmi_vp::virtio::vhost_user {

/// Protocol features to offer. QEMU acknowledges INBAND_NOTIFICATIONS and then refuses its
/// messages, so it must not see it; UML needs it when the simulation owns its clock.
inline constexpr std::uint64_t offer_for_qemu = protocol_feature::mq | protocol_feature::reply_ack,
                               offer_for_uml = protocol_feature::mq | protocol_feature::reply_ack |
                                               protocol_feature::backend_req,
                               offer_for_uml_time_travel =
                                   offer_for_uml | protocol_feature::inband_notifications;
/// All that a session can honour.
inline constexpr std::uint64_t supported_protocol_features =
    offer_for_uml_time_travel | protocol_feature::reset_device |
    protocol_feature::configure_mem_slots | protocol_feature::status;

struct session_config {
    /// Virtio features; PROTOCOL_FEATURES is added to them.
    std::uint64_t features = feature::scmi_p2a_channels | feature::indirect_desc |
                             feature::event_idx | feature::version_1;
    std::uint64_t protocol_features = offer_for_qemu;
    std::vector<std::uint16_t> queue_size_max{1024, 1024};  ///< one per queue, at most 64 queues
};

/// Queue n is bit n.
using queue_mask = std::uint64_t;

/// What a message makes the device do, in this order. The reply goes last: it says that all of it
/// is done, or, for `kick`, that it is scheduled. (Never wait for the acknowledgement of a call
/// before the kick's reply is sent: the front end cannot answer while it waits for that.)
struct effects {
    queue_mask stop = 0;   ///< drop the queue and what is in flight: its ring is touched no more
    queue_mask pause = 0;  ///< leave the ring alone, but keep everything for `resume`
    /// The table has changed: call memory().install(view) and forget pointers into the old one,
    /// which goes with the next message.
    bool memory_changed = false;
    bool features_set = false;   ///< SET_FEATURES: a driver begins (UML says nothing else)
    bool device_reset = false;   ///< RESET_DEVICE or status 0: forget what the driver has set up
    queue_mask start = 0;        ///< make the queue: open_queue(n, view)
    queue_mask resume = 0;       ///< go on with a paused queue
    queue_mask kick = 0;         ///< look at the queue (set for each start and resume as well)
    bool bells_changed = false;  ///< poll kick_fd(n) of the running queues anew
    file_descriptor backend_channel;  ///< a new socket for calls and their acknowledgements
    queue_mask call_again = 0;        ///< call these after the reply: they had no way to before
    std::optional<unsigned> base_of;  ///< GET_VRING_BASE: finish what is in flight, then answer
                                      ///< with base_reply(n, next available index)
    wire reply;                       ///< empty: nothing to send
    bool ended = false;               ///< send the reply, close the connection, drop the session
    std::string complaint;            ///< what the peer did wrong and with which message; it was
                                      ///< refused, or the session has ended
};

/// How a call (the interrupt of a queue) goes to the front end.
enum class call_route : std::uint8_t {
    rung,     ///< by its descriptor: done
    message,  ///< send the bytes on the back-end channel, await the acknowledgement
    none,     ///< the front end polls, or has given no way yet: it is rung once it does
    gone,     ///< nobody listens on the descriptor any more: it was dropped
};

class session {
public:
    /// Throws scmi_vp::error (config) for an offer that cannot be honoured.
    explicit session(session_config config);

    /// One whole message with its descriptors. Never throws for anything a peer sends; throws
    /// scmi_vp::error (model) when the session has ended or base_reply is owed.
    effects handle(const std::uint8_t* bytes, std::size_t size, fd_list fds = {});
    /// Before a kick by descriptor is acted on: whether it is still wanted, or the front end has
    /// cut off memory (then the session has ended).
    effects kicked(unsigned queue);
    /// The connection has ended, for whatever reason; all queues stop, all memory goes.
    effects close(const std::string& reason);
    bool ended() const { return ended_; }

    wire base_reply(unsigned queue, std::uint16_t next_available);

    // --- while it runs ---
    /// Interrupts the front end for `queue`. At most one message may be unacknowledged
    /// (`call_pending`); throws scmi_vp::error (model) otherwise.
    call_route call(unsigned queue, wire& message);
    /// The ring of `queue` is malformed: it runs no more until the front end stops it. The shell
    /// stops it by itself. The error goes to the front end as a call does. GET_VRING_BASE will be
    /// answered with `next_available`.
    call_route ring_broken(unsigned queue, std::uint16_t next_available, wire& message);
    bool call_pending() const { return pending_call_ != nullptr; }
    /// A message from the back-end channel; the front end's verdict (true: accepted). Throws
    /// scmi_vp::error (input) for anything but the acknowledgement that is due.
    bool call_acknowledged(const std::uint8_t* bytes, std::size_t size, std::size_t fd_count);

    // --- what was negotiated ---
    const memory_table& memory() const { return table_; }
    std::uint64_t features() const { return accepted_; }
    std::uint64_t protocol_features() const { return protocol_; }
    ring_features ring() const;
    unsigned queues() const { return static_cast<unsigned>(rings_.size()); }
    bool running(unsigned queue) const { return rings_.at(queue).phase == ring_phase::running; }
    const ring_layout& layout(unsigned queue) const { return rings_.at(queue).layout; }
    std::uint16_t base(unsigned queue) const { return rings_.at(queue).base; }
    /// A running queue has neither a kick descriptor nor in-band kicks: look at it by yourself.
    bool polled(unsigned queue) const;
    /// The bell to listen to while the queue is running; not valid when there is none.
    doorbell& kick_bell(unsigned queue) { return rings_.at(queue).kick; }
    /// The device's side of a queue that was started, at the position that the front end gave.
    device_queue open_queue(unsigned queue, guest_memory& view) const;

private:
    enum class ring_phase : std::uint8_t { idle, running, paused };
    struct ring_state {
        std::uint16_t size = 0;
        std::optional<vring_addr> addr;
        std::uint16_t base = 0;
        bool started = false, enabled = false, broken = false, missed_call = false;
        ring_phase phase = ring_phase::idle;
        ring_layout layout;
        doorbell kick, call, err;
    };
    struct incoming {
        const request_info& info;
        payload& body;
        fd_list& fds;
        effects& out;
    };

    bool has_protocol(std::uint64_t bit) const { return (protocol_ & bit) == bit; }
    void process(const header& h, const std::uint8_t* bytes, std::size_t size, fd_list& fds,
                 effects& out);
    void check_allowed(const header& h, const request_info* info) const;
    void refuse(const header& h, const request_info* info, const std::string& why, effects& out);
    void end(const std::string& why, effects& out);
    void dispatch(incoming& in);
    void dispatch_queue(incoming& in);
    void answer(incoming& in, const payload& body) const;

    void set_features(std::uint64_t bits, effects& out);
    void set_protocol_features(std::uint64_t bits);
    void set_backend_channel(incoming& in);
    void set_status(std::uint64_t status, effects& out);
    void reset_device(effects& out);
    void disable_all(effects& out);
    void replace_table(memory_table table, effects& out);
    void change_table(incoming& in);

    ring_state& ring_of(std::uint32_t index);
    unsigned index_of(const ring_state& r) const;
    queue_mask bit_of(const ring_state& r) const { return queue_mask{1} << index_of(r); }
    void reconfigure(ring_state& r, effects& out);
    void set_num(const vring_state& s, effects& out);
    void set_addr(const vring_addr& a, effects& out);
    void set_base(const vring_state& s, effects& out);
    void get_base(const vring_state& s, incoming& in);
    void set_kick(const vring_fd& f, incoming& in);
    void set_call(const vring_fd& f, incoming& in);
    void set_err(const vring_fd& f, incoming& in);
    void set_enable(const vring_state& s, effects& out);
    void kick_message(const vring_state& s, effects& out);
    bool configured(const ring_state& r) const { return r.size != 0 && r.addr.has_value(); }
    ring_layout locate(std::uint16_t size, const vring_addr& at, const memory_table& table) const;
    void switch_ring(ring_state& r, bool started, bool enabled, effects& out);
    void halt(ring_state& r, effects& out);
    call_route by_message(unsigned queue, back_request what, wire& message);

    session_config config_;
    std::uint64_t accepted_ = 0, protocol_ = 0, status_ = 0;
    bool features_set_ = false, backend_channel_ = false, ended_ = false;
    std::vector<ring_state> rings_;
    memory_table table_, retired_;  ///< the retired one lives until the next message
    std::optional<unsigned> base_owed_;
    const request_info* pending_call_ = nullptr;
};

}  // namespace scmi_vp::virtio::vhost_user
