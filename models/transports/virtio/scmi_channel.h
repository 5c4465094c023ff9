// SPDX-License-Identifier: Apache-2.0
// The virtio transport of the SCMI driver: message objects, send, event buffers
// (drivers/firmware/arm_scmi/virtio.c v5.18 to v6.1).
#pragma once

#include <boost/circular_buffer.hpp>
#include <deque>
#include <utility>
#include <vector>

#include <systemc>

#include "models/kernel/kernel.h"
#include "models/transports/virtio/virtio_driver.h"
#include "scmi/xfer_table.h"

namespace scmi_vp::models {

/// struct scmi_vio_msg: the buffers of one message. It stays with the device until the chain comes
/// back, however long after its xfer was given up.
struct vio_message {
    enum class polling : std::uint8_t { none, timed_out, under_way, done };  ///< enum poll_states

    std::uint64_t request_address = 0;  ///< command queue only
    std::uint64_t input_address = 0;
    request* carried = nullptr;  ///< record of the request it carries
    std::uint32_t length = 0;    ///< rx_len, when polling has fetched it
    unsigned poll_index = 0;     ///< used index when it was last looked at
    polling poll = polling::none;
    std::uint8_t users = 1;  ///< the interrupt's or worker's path, and the polling caller
};

/// A spinlock with interrupts off (vioch->lock); contended only between CPUs.
struct channel_lock {
    bool held = false;
    awaited_event released;
};

/// Extra CPU time that a scenario puts on the driver's own hops.
struct guest_latencies {
    latency prepare, lock, publish, collect, complete, poll;
};

class scmi_channel {
public:
    scmi_channel(guest_kernel& kernel, virtio_driver& driver, virtio::guest_memory& memory,
                 guest_allocator& allocator, guest_latencies& extra);

    /// virtio_chan_setup for TX and RX: allocates messages, posts all event buffers, each with its
    /// own kick. `max_msg_size` is the payload limit.
    void set_up(guest_context& c, std::uint32_t max_msg_size);

    /// virtio_chan_free and what devres frees: messages that are still with the device are given
    /// up.
    void shut_down();

    std::uint32_t tx_max_msg() const { return tx_max_; }
    std::uint32_t rx_max_msg() const { return rx_max_; }

    /// virtio_send_message: 0 or a negative errno (-EBUSY: the device holds every message). `sent`
    /// gets the message that carries it.
    int send(guest_context& c, const scmi::xfer& x, request& r, vio_message*& sent);

    // --- polling: scmi_channel_polling.cpp ---
    /// virtio_poll_done: looks for the reply in `m`. What else it fetches waits for the worker.
    bool poll_done(guest_context& c, vio_message& m);
    /// virtio_mark_txdone of a polled transfer; true when the message is free again.
    bool mark_txdone(vio_message& m, bool timed_out);
    /// The thread of the workqueue for deferred work; polling needs one.
    void set_deferred_worker(guest_context* worker) { worker_ = worker; }
    /// For that thread: whether it is to work, then what polling fetched by chance.
    bool take_deferred_work() { return std::exchange(work_queued_, false); }
    vio_message* next_pending();
    /// One turn of scmi_vio_complete_cb in process context: the next used message, nullptr when
    /// there is none. `callbacks` is true at first.
    vio_message* take_used(guest_context& c, bool& callbacks);

    // --- for the interrupt handler ---
    virtio_driver& driver() { return driver_; }
    channel_lock& lock(unsigned queue) { return locks_[queue]; }
    /// TX: the message goes back to the tail of the free list, true, unless somebody polls for it.
    bool finalise_tx(vio_message& m) {
        if (--m.users != 0) return false;
        free_.push_back(&m);
        return true;
    }
    /// RX: the buffer is posted again; true when the device must be notified.
    bool repost(vio_message& m);

    std::size_t free_messages() const { return free_.size(); }

private:
    void take_lock(guest_context& c, channel_lock& l);
    void release_lock(guest_context& c, channel_lock& l);
    [[gnu::cold]] int not_added(guest_context& c, vio_message& m, int err);

    guest_kernel& kernel_;
    virtio_driver& driver_;
    virtio::guest_memory& memory_;
    guest_allocator& allocator_;
    guest_latencies& extra_;
    std::uint32_t pdu_bytes_ = 0, tx_max_ = 0, rx_max_ = 0;
    std::vector<vio_message> tx_messages_, rx_messages_;
    boost::circular_buffer<vio_message*> free_;  ///< FIFO
    std::uint64_t indirect_tables_ = 0;          ///< one table of two descriptors per message
    channel_lock locks_[2];
    guest_context* worker_ = nullptr;
    std::deque<vio_message*> pending_;  ///< pending_cmds_list
    bool work_queued_ = false;
};

}  // namespace scmi_vp::models
