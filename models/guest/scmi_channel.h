// SPDX-License-Identifier: Apache-2.0
// The virtio transport of the SCMI driver: message objects, send, event buffers
// (drivers/firmware/arm_scmi/virtio.c v5.18 to v6.1).
#pragma once

#include <boost/circular_buffer.hpp>
#include <vector>

#include <systemc>

#include "models/guest/kernel.h"
#include "models/guest/virtio_driver.h"
#include "scmi/xfer_table.h"

namespace scmi_vp::models {

/// struct scmi_vio_msg: the buffers of one message. It stays with the device until the chain comes
/// back, however long after its xfer was given up.
struct vio_message {
    std::uint64_t request_address = 0;  ///< command queue only
    std::uint64_t input_address = 0;
    request* carried = nullptr;  ///< record of the request it carries
};

/// A spinlock with interrupts off (vioch->lock); contended only between CPUs.
struct channel_lock {
    bool held = false;
    awaited_event released;
};

/// Extra CPU time that a scenario puts on the driver's own hops.
struct guest_latencies {
    latency prepare, lock, publish, collect, complete;
};

class scmi_channel {
public:
    scmi_channel(guest_kernel& kernel, virtio_driver& driver, virtio::guest_memory& memory,
                 guest_allocator& allocator, guest_latencies& extra);

    /// virtio_chan_setup for TX and RX: allocates messages, posts all event buffers, each with its
    /// own kick. `max_msg_size` is the payload limit.
    void set_up(guest_context& c, std::uint32_t max_msg_size);

    std::uint32_t tx_max_msg() const { return tx_max_; }
    std::uint32_t rx_max_msg() const { return rx_max_; }

    /// virtio_send_message: 0 or a negative errno (-EBUSY: the device holds every message).
    int send(guest_context& c, const scmi::xfer& x, request& r);

    // --- for the interrupt handler ---
    virtio_driver& driver() { return driver_; }
    channel_lock& lock(unsigned queue) { return locks_[queue]; }
    /// TX: the message goes back to the tail of the free list.
    void finalise_tx(vio_message& m) { free_.push_back(&m); }
    /// RX: the buffer is posted again; true when the device must be notified.
    bool repost(vio_message& m);

    std::size_t free_messages() const { return free_.size(); }

private:
    void take_lock(guest_context& c, channel_lock& l);
    void release_lock(guest_context& c, channel_lock& l);
    bool post(vio_message& m);

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
};

}  // namespace scmi_vp::models
