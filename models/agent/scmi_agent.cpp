// SPDX-License-Identifier: Apache-2.0
// See scmi_agent.h. The order of steps is that of driver.c; step numbers are in comments.
#include "models/agent/scmi_agent.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "models/waves.h"

namespace scmi_vp::models {
namespace {

using traces::ftrace_event;
using traces::ftrace_kind;

std::string text(const char* format, unsigned a, unsigned b = 0, unsigned c = 0, unsigned d = 0) {
    char line[160];
    std::snprintf(line, sizeof line, format, a, b, c, d);
    return line;
}

/// schedule_timeout(msecs_to_jiffies(timeout)); fractions of a millisecond count as one.
tick_timeout timer_of(const guest_kernel& kernel, sim_time timeout) {
    if (timeout == sim_time::max()) return {kernel.ticks(), tick_timeout::never};
    const std::int64_t ms = (timeout.ps + milliseconds(1).ps - 1) / milliseconds(1).ps;
    return {kernel.ticks(), msecs_to_jiffies(ms, kernel.config().hz)};
}

}  // namespace

scmi_agent::scmi_agent(guest_kernel& kernel, scmi_channel& channel, virtio::guest_memory& memory,
                       guest_latencies& extra)
    : kernel_(kernel),
      channel_(channel),
      memory_(memory),
      extra_(extra),
      rx_timer_(timer_of(kernel, kernel.config().profile.max_rx_timeout)),
      delayed_timer_(timer_of(kernel, kernel.config().profile.max_delayed_response)) {
    const driver_profile& p = kernel.config().profile;
    device_ = p.instance_device.empty()
                  ? "arm-scmi " + models::device_name(kernel.config().device_tree)
                  : p.instance_device;
    rx_timeout_ = p.max_rx_timeout;
}

void scmi_agent::set_up() {
    xfers_ = std::make_unique<scmi::xfer_table>(channel_.tx_max_msg(),
                                                kernel_.config().profile.max_msg_size, counter_);
    waits_.resize(channel_.tx_max_msg());
}

void scmi_agent::log(guest_context& c, const std::string& line) {
    kernel_.printk(device_ + ": " + line, c.stamp());
}

void scmi_agent::show(const scmi::xfer& x, xfer_wave state) {
    if (waves* w = kernel_.mon().wave()) w->xfer(now(), x.index, state, x.hdr.token);
}

inline request* scmi_agent::enter(guest_context& c) {
    request* r = kernel_.mon().enter(c.index(), c.stamp());
    const sim_time entered = r->at[std::size_t(instant::entered)];
    r->called = c.call.active ? c.call.called : entered;
    r->intended = c.call.active ? c.call.intended : entered;
    c.call.sent = true;
    return r;
}

int scmi_agent::begin(guest_context& c, transfer& t, std::uint8_t protocol, std::uint8_t message,
                      std::uint16_t command_bytes, std::uint16_t reply_bytes, const char* caller,
                      std::int32_t resource) {
    const std::uint32_t limit = kernel_.config().profile.max_msg_size;
    t.r = enter(c);
    t.caller = caller;
    t.reply_bytes = reply_bytes ? reply_bytes : static_cast<std::uint16_t>(limit);
    const scmi::header hdr{message, scmi::message_type::command, protocol};
    t.r->hdr = hdr;
    t.r->resource = resource;
    if (command_bytes > limit || reply_bytes > limit) {
        refuse(c, *t.r, outcome::send_failed, -ERANGE);
        kernel_.mon().unpin(*t.r);
        t.r = nullptr;
        return -ERANGE;
    }
    c.spend(kernel_.costs().xfer_get);
    c.sync();  // tokens go to who comes first
    scmi::xfer_error why{};
    t.x = xfers_->get(why);
    if (!t.x) {
        if (why == scmi::xfer_error::no_token) log(c, "Failed to get monotonic token");
        log(c, "failed to get free message slot(-12)");
        refuse(c, *t.r, outcome::no_slot, -ENOMEM);
        kernel_.mon().unpin(*t.r);
        t.r = nullptr;
        return -ENOMEM;
    }
    t.x->hdr.message_id = message;
    t.x->hdr.type = scmi::message_type::command;
    t.x->hdr.protocol_id = protocol;
    t.x->expects_delayed = false;
    t.x->tx_len = command_bytes;
    t.x->rx_len = t.reply_bytes;
    waits_[t.x->index] = waits{};
    show(*t.x, xfer_wave::taken);
    return 0;
}

void scmi_agent::begin_again(guest_context& c, transfer& t, std::uint16_t command_bytes) {
    const request& before = *t.r;
    request* r = enter(c);
    r->hdr = before.hdr;
    r->resource = before.resource;
    kernel_.mon().unpin(*t.r);
    t.r = r;
    t.x->tx_len = command_bytes;
    t.x->rx_len = t.reply_bytes;
}

void scmi_agent::end(transfer& t) {
    if (t.x) {
        if (t.x->users == 1) show(*t.x, xfer_wave::free);
        xfers_->put(*t.x);
    }
    if (t.r) kernel_.mon().unpin(*t.r);
    t = transfer{};
}

/// Its call fails because of the driver, not of the platform.
void scmi_agent::refuse(guest_context& c, request& r, outcome o, int err) {
    c.call.refused = true;
    kernel_.mon().leave(r, o, err, c.stamp());
}

inline int scmi_agent::send(guest_context& c, transfer& t) {
    monitor& mon = kernel_.mon();
    scmi::xfer& x = *t.x;
    x.user = t.r;
    t.r->hdr.token = x.hdr.token;
    t.r->transfer_id = x.transfer_id;
    trace_event(c, t, ftrace_kind::xfer_begin, 0);  // 3
    xfers_->prepare_to_send(x);                     // 4
    waits_[x.index].done = completion{};
    c.spend(extra_.prepare.next());
    mon.mark(*t.r, instant::send, c.stamp());
    show(x, xfer_wave::sent);
    if (x.poll) t.r->poll();
    const int err = channel_.send(c, x, *t.r, waits_[x.index].message);  // 5
    if (err) {
        // Only a debug message in Linux, and no xfer_end event.
        refuse(c, *t.r, err == -EBUSY ? outcome::no_message : outcome::send_failed, err);
        return err;
    }
    trace_event(c, t, ftrace_kind::msg_dump, x.status);     // 6
    trace_event(c, t, ftrace_kind::xfer_response_wait, 0);  // 7
    return 0;
}

inline int scmi_agent::wait_for_reply(guest_context& c, transfer& t, const char* caller) {
    c.sync();
    const bool replied = c.wait_for(waits_[t.x->index].done, rx_timer_.fires(now()),
                                    context_wave::waiting, rx_timer_.level());
    if (rarely(!replied)) return give_up(c, t, caller);
    kernel_.mon().mark(*t.r, instant::woke, c.stamp());
    return 0;
}

int scmi_agent::give_up(guest_context& c, transfer& t, const char* caller) {
    t.r->timed_out = true;
    show(*t.x, xfer_wave::timed_out);
    kernel_.mon().mark(*t.r, instant::woke, c.stamp());
    log(c, std::string("timed out in resp(caller: ") + caller + ")");  // T1
    return -ETIMEDOUT;
}

int scmi_agent::do_xfer_from(guest_context& c, transfer& t, const char* caller) {
    int err = send(c, t);
    if (rarely(err != 0)) return err;
    err = rarely(t.x->poll) ? poll_for_reply(c, t, caller) : wait_for_reply(c, t, caller);  // 8
    if (rarely(!err && t.x->status)) err = scmi::linux_errno(t.x->status);                  // 9
    if (rarely(t.x->poll)) end_polling(t, err);
    trace_event(c, t, ftrace_kind::xfer_end, err);  // 10
    c.spend(extra_.complete.next());
    c.spend(kernel_.costs().syscall_return);
    t.r->scmi_status = t.x->status;
    const outcome o = err == 0         ? outcome::ok
                      : t.r->timed_out ? outcome::timed_out
                                       : outcome::scmi_error;
    kernel_.mon().leave(*t.r, o, err, c.stamp());
    return err;
}

int scmi_agent::do_xfer_with_response(guest_context& c, transfer& t) {
    scmi::xfer& x = *t.x;
    x.expects_delayed = true;  // async_done is set before do_xfer
    t.r->delayed = delayed_state::awaited;
    // T1 of the inner do_xfer names its caller, which is this function, or do_xfer itself.
    int err = do_xfer_from(
        c, t, kernel_.config().profile.do_xfer_inlined ? "do_xfer" : "do_xfer_with_response");
    if (err) {
        t.r->delayed = delayed_state::none;
    } else {
        err = wait_for_delayed(c, t);
    }
    x.expects_delayed = false;
    return err;
}

int scmi_agent::wait_for_delayed(guest_context& c, transfer& t) {
    monitor& mon = kernel_.mon();
    mon.await_delayed(*t.r);
    c.sync();
    if (!c.wait_for(waits_[t.x->index].async_done, delayed_timer_.fires(now()),
                    context_wave::waiting_delayed, delayed_timer_.level())) {
        log(c, std::string("timed out in delayed resp(caller: ") + t.caller + ")");  // T3
        mon.delayed_missed(*t.r, -ETIMEDOUT, c.stamp());
        return -ETIMEDOUT;
    }
    const int err = t.x->status ? scmi::linux_errno(t.x->status) : 0;
    t.r->scmi_status = t.x->status;
    mon.delayed_done(*t.r, err, c.stamp());
    return err;
}

void scmi_agent::receive(guest_cpu& cpu, unsigned queue, vio_message& m, std::uint32_t length) {
    // scmi_vio_complete_cb reads the header from the input buffer, whatever the used length.
    const auto word = memory_.load<std::uint32_t>(virtio::actor::driver, m.input_address);
    const scmi::rx_result rx = xfers_->receive(word);
    switch (rx.verdict) {
        case scmi::rx_verdict::delayed_early:
            report_early(queue, *rx.x);
            [[fallthrough]];
        case scmi::rx_verdict::response:
        case scmi::rx_verdict::delayed_response:
            accept(cpu, rx, m, length);
            break;
        case scmi::rx_verdict::notification:
            take_notification(cpu, m, word, length);
            break;
        default:
            reject(cpu, queue, rx, m, word);
    }
    drop_record(m);
}

void scmi_agent::drop_record(vio_message& m) {
    if (!m.carried) return;
    if (m.carried->timed_out) kernel_.mon().late(*m.carried, now());
    kernel_.mon().unpin(*m.carried);
    m.carried = nullptr;
}

/// msg_fetch_response: at most what is expected; the status word even if it is not there.
void scmi_agent::fetch_into(scmi::xfer& x, const vio_message& m, std::uint32_t length,
                            std::uint32_t expected) {
    const std::uint32_t payload = length > 8 ? std::min(length - 8, expected) : 0;
    std::uint8_t message[8 + max_payload_bytes];
    memory_.read(virtio::actor::driver, m.input_address, message, 8 + payload);
    xfers_->fetch_response(x, message, 8 + payload);
}

void scmi_agent::fetch(scmi::xfer& x, const vio_message& m) {
    fetch_into(x, m, m.length, x.rx_len);
}

void scmi_agent::report_early(unsigned queue, const scmi::xfer& x) {
    kernel_.printk(
        channel_device(queue) + text(": Received valid OoO Delayed Response for %u", x.hdr.token),
        now());  // U3
}

inline void scmi_agent::accept(guest_cpu& cpu, scmi::rx_result rx, vio_message& m,
                               std::uint32_t length) {
    scmi::xfer& x = *rx.x;
    const bool delayed = rx.verdict != scmi::rx_verdict::response;
    fetch_into(x, m, length, delayed ? kernel_.config().profile.max_msg_size : x.rx_len);
    auto& r = *static_cast<request*>(x.user);
    if (delayed) {
        kernel_.mon().delayed_matched(r, now());
    }
    if (!delayed || rx.verdict == scmi::rx_verdict::delayed_early) kernel_.mon().matched(r, now());
    if (kernel_.tracing()) trace_reply(cpu, x, delayed);
    show(x, delayed ? xfer_wave::delayed_done : xfer_wave::responded);
    waits& w = waits_[x.index];
    if (delayed) kernel_.complete(w.async_done);
    if (!delayed || rx.verdict == scmi::rx_verdict::delayed_early) kernel_.complete(w.done);
    if (x.poll) kernel_.mon().poll_again();  // who polls for it looks at the completion, too
    xfers_->put(x);
}

void scmi_agent::take_notification(guest_cpu& cpu, const vio_message& m, std::uint32_t word,
                                   std::uint32_t length) {
    // scmi_handle_notification. It draws a transfer id but no token, and what would be the status
    // word belongs to its payload.
    const std::uint32_t transfer_id = ++counter_.value;
    const scmi::header h = scmi::header::unpack(word);
    std::uint8_t payload[max_payload_bytes];
    const std::size_t size =
        length > 4 ? std::min(length - 4, kernel_.config().profile.max_msg_size) : 0;
    memory_.read(virtio::actor::driver, m.input_address + 4, payload, size);
    ftrace_event e;
    if (kernel_.tracing()) {
        e.kind = ftrace_kind::msg_dump;
        e.protocol_id = h.protocol_id;
        e.message_id = h.message_id;
        e.transfer_id = static_cast<std::int32_t>(transfer_id);
        e.channel = scmi::protocol::base;
        e.tag = "NOTI";
        e.payload.assign(payload, payload + size);
        kernel_.trace_irq(cpu, e);
    }
    if (listener_) listener_->notify(cpu, h, payload, size);
    if (!kernel_.tracing()) return;
    e.kind = ftrace_kind::rx_done;
    e.msg_type = std::uint8_t(scmi::message_type::notification);
    kernel_.trace_irq(cpu, e);
}

void scmi_agent::reject(guest_cpu& cpu, unsigned queue, scmi::rx_result rx, vio_message&,
                        std::uint32_t word) {
    const scmi::header h = scmi::header::unpack(word);
    const std::string device = channel_device(queue);
    const unsigned type = unsigned(h.type);
    ++unexpected_;
    std::int32_t why = -1;
    if (h.type == scmi::message_type::delayed_response) {
        kernel_.mon().delayed_late(h.token, h.protocol_id, now());
    }
    switch (rx.verdict) {
        case scmi::rx_verdict::delayed_unexpected:
            kernel_.printk(
                device + text(": Delayed Response for %u not expected! Buggy F/W ?", h.token),
                now());  // U2
            [[fallthrough]];
        case scmi::rx_verdict::invalid:
            why = -2;
            kernel_.printk(
                device + text(": Invalid message type:%u for %u - HDR:0x%X  state:%u", type,
                              h.token, word, unsigned(rx.x ? rx.x->state : scmi::xfer_state{})),
                now());  // U4
            break;
        case scmi::rx_verdict::unknown_type:
            why = -3;
            if (!std::exchange(warned_of_type_, true)) {  // WARN_ONCE
                kernel_.printk("received unknown msg_type:" + std::to_string(type), now());  // U5
            }
            break;
        default:
            kernel_.printk(
                device + text(": Message for %u type %u is not expected!", h.token, type),
                now());  // U1
    }
    if (!kernel_.config().profile.rejected_messages_traced || !kernel_.tracing()) return;
    ftrace_event e;  // scmi_bad_message_trace, v6.10 and later
    e.kind = ftrace_kind::msg_dump;
    e.protocol_id = h.protocol_id;
    e.message_id = h.message_id;
    e.seq = h.token;
    e.status = why;
    e.channel = scmi::protocol::base;
    static constexpr const char* tags[] = {"!RESP", "!UNKN", "!DLYD", "!NOTI"};
    e.tag = tags[type & 3];
    kernel_.trace_irq(cpu, e);
}

ftrace_event scmi_agent::event_of(const scmi::xfer& x, ftrace_kind kind) const {
    ftrace_event e;
    e.kind = kind;
    e.protocol_id = x.hdr.protocol_id;
    e.message_id = x.hdr.message_id;
    e.seq = x.hdr.token;
    e.transfer_id = static_cast<std::int32_t>(x.transfer_id);
    e.poll = x.poll;
    e.channel = scmi::protocol::base;
    return e;
}

void scmi_agent::emit(guest_context& c, const transfer& t, ftrace_kind kind, std::int32_t s) {
    ftrace_event e = event_of(*t.x, kind);
    e.status = s;
    e.timeout_ms = static_cast<std::uint32_t>(rx_timeout_ / milliseconds(1));
    if (kind != ftrace_kind::msg_dump) return kernel_.trace(c, e);
    e.tag = "CMND";
    kernel_.trace(c, e, t.x->buf.data(), t.x->tx_len);
}

void scmi_agent::trace_reply(guest_cpu& cpu, const scmi::xfer& x, bool delayed) {
    ftrace_event dump = event_of(x, ftrace_kind::msg_dump);
    dump.tag = delayed ? "DLYD" : "RESP";
    dump.status = x.status;
    dump.payload.assign(x.buf.begin(), x.buf.begin() + x.rx_len);
    kernel_.trace_irq(cpu, dump);
    ftrace_event done = event_of(x, ftrace_kind::rx_done);
    done.msg_type = static_cast<std::uint8_t>(delayed ? 2 : 0);
    kernel_.trace_irq(cpu, done);
}

}  // namespace scmi_vp::models
