// SPDX-License-Identifier: Apache-2.0
// The SCMI core of the driver: transfers, replies, timeouts, log and trace
// (drivers/firmware/arm_scmi/driver.c v5.18 to v6.1: do_xfer, do_xfer_with_response,
// scmi_rx_callback).
#pragma once

#include <cstring>
#include <vector>

#include <systemc>

#include "models/kernel/kernel.h"
#include "models/transports/virtio/scmi_channel.h"
#include "scmi/xfer_table.h"

namespace scmi_vp::models {

/// One xfer in the hands of a protocol: taken by begin(), given back by end(). Iterated listings
/// use one xfer for several requests.
struct transfer {
    scmi::xfer* x = nullptr;
    request* r = nullptr;     ///< of the message under way
    const char* caller = "";  ///< the protocol function, as the timeout message names it
    std::uint16_t reply_bytes = 0;

    std::uint32_t u32(std::size_t offset) const {
        return scmi::get_u32(x->buf.data(), x->buf.size(), offset);
    }
    void put_u32(std::size_t offset, std::uint32_t value) {
        std::memcpy(x->buf.data() + offset, &value, sizeof value);
    }
};

/// Who hears of notifications (scmi_notify), in the interrupt handler.
class notification_listener {
public:
    virtual ~notification_listener() = default;
    virtual void notify(guest_cpu& cpu, const scmi::header& h, const std::uint8_t* payload,
                        std::size_t size) = 0;
};

class scmi_agent {
public:
    scmi_agent(guest_kernel& kernel, scmi_channel& channel, virtio::guest_memory& memory,
               guest_latencies& extra);

    /// The xfer pools, once the channel is set up (scmi_xfer_info_init).
    void set_up();

    /// scmi_xfer_get_init: a request record, an xfer and a token. `reply_bytes` 0 means up to
    /// max_msg_size. 0 or -ENOMEM (no free slot, which is logged), -ERANGE.
    int begin(guest_context& c, transfer& t, std::uint8_t protocol, std::uint8_t message,
              std::uint16_t command_bytes, std::uint16_t reply_bytes, const char* caller,
              std::int32_t resource = -1);
    /// do_xfer: sends and waits. 0 or a negative errno; the reply lies in t.x->buf, t.x->rx_len
    /// bytes of it.
    int do_xfer(guest_context& c, transfer& t) {
        return do_xfer_from(c, t, kernel_.config().profile.do_xfer_inlined ? "do_xfer" : t.caller);
    }
    /// do_xfer_with_response: also waits for the delayed response.
    int do_xfer_with_response(guest_context& c, transfer& t);
    /// The same xfer for another request (iterators).
    void begin_again(guest_context& c, transfer& t, std::uint16_t command_bytes);
    /// scmi_xfer_put.
    void end(transfer& t);

    /// scmi_rx_callback: a message came back in `m` on `queue`, `length` bytes. In the handler of
    /// `cpu`, at the current time.
    void receive(guest_cpu& cpu, unsigned queue, vio_message& m, std::uint32_t length);

    [[gnu::cold]] void log(guest_context& c,
                           const std::string& text);  ///< by the instance's device
    const std::string& device_name() const { return device_; }
    guest_kernel& kernel() { return kernel_; }
    scmi_channel& channel() { return channel_; }
    const scmi_channel& channel() const { return channel_; }
    sim_time rx_timeout() const { return rx_timeout_; }
    std::uint64_t unexpected() const { return unexpected_; }
    void set_listener(notification_listener* l) { listener_ = l; }
    /// The life of the thread for deferred work (scmi_vio_deferred_tx_worker).
    void deferred_work(guest_context& c);

private:
    struct waits {
        completion done, async_done;
        vio_message* message = nullptr;  ///< xfer.priv of a polled transfer
    };
    request* enter(guest_context& c);
    int send(guest_context& c, transfer& t);
    [[gnu::noinline]] int give_up(guest_context& c, transfer& t, const char* caller);
    [[gnu::always_inline]] int wait_for_reply(guest_context& c, transfer& t, const char* caller);
    int do_xfer_from(guest_context& c, transfer& t, const char* caller);
    int wait_for_delayed(guest_context& c, transfer& t);
    [[gnu::cold]] void refuse(guest_context& c, request& r, outcome o, int err);
    // scmi_agent_polling.cpp
    int poll_for_reply(guest_context& c, transfer& t, const char* caller);
    void spin_for_reply(guest_context& c, vio_message& m, completion& done, sim_time stop);
    void end_polling(transfer& t, int err);
    void drop_record(vio_message& m);
    void handle(guest_context& c, vio_message& m);
    void fetch(scmi::xfer& x, const vio_message& m);
    void fetch_into(scmi::xfer& x, const vio_message& m, std::uint32_t length,
                    std::uint32_t expected);
    void accept(guest_cpu& cpu, scmi::rx_result rx, vio_message& m, std::uint32_t length);
    [[gnu::cold]] void reject(guest_cpu& cpu, unsigned queue, scmi::rx_result rx, vio_message& m,
                              std::uint32_t word);
    [[gnu::cold]] void report_early(unsigned queue, const scmi::xfer& x);
    [[gnu::cold]] void take_notification(guest_cpu& cpu, const vio_message& m, std::uint32_t word,
                                         std::uint32_t length);
    void trace_event(guest_context& c, const transfer& t, traces::ftrace_kind kind,
                     std::int32_t s) {
        if (kernel_.tracing()) emit(c, t, kind, s);
    }
    [[gnu::noinline]] void emit(guest_context& c, const transfer& t, traces::ftrace_kind kind,
                                std::int32_t s);
    [[gnu::cold]] void trace_reply(guest_cpu& cpu, const scmi::xfer& x, bool delayed);
    traces::ftrace_event event_of(const scmi::xfer& x, traces::ftrace_kind kind) const;
    void show(const scmi::xfer& x, xfer_wave state);
    std::string channel_device(unsigned queue) const {
        return queue == virtio::scmi_cmdq ? "scmi_protocol scmi_dev.1" : "scmi_protocol scmi_dev.2";
    }

    guest_kernel& kernel_;
    scmi_channel& channel_;
    virtio::guest_memory& memory_;
    guest_latencies& extra_;
    std::string device_;
    sim_time rx_timeout_;
    tick_timeout rx_timer_, delayed_timer_;
    scmi::transfer_counter counter_;
    std::unique_ptr<scmi::xfer_table> xfers_;
    std::vector<waits> waits_;
    notification_listener* listener_ = nullptr;
    std::uint64_t unexpected_ = 0;
    bool warned_of_type_ = false;
    unsigned pollers_ = 0;
    awaited_event progress_event_;
    monitor::used_watch progress_{&progress_event_};
};

}  // namespace scmi_vp::models
