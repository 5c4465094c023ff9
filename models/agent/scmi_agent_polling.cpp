// SPDX-License-Identifier: Apache-2.0
// Polled transfers, and the worker that handles what polling fetches by chance
// (drivers/firmware/arm_scmi/driver.c scmi_wait_for_message_response, virtio.c
// scmi_vio_deferred_tx_worker, v5.18 to v6.1).
#include <algorithm>
#include <cerrno>
#include <utility>

#include "models/agent/scmi_agent.h"
#include "models/waves.h"

namespace scmi_vp::models {

using traces::ftrace_kind;

namespace {

/// Somebody polls: the monitor says when something is used.
class polling_scope {
public:
    polling_scope(monitor& mon, monitor::used_watch& watch, unsigned& pollers)
        : mon_(mon), pollers_(pollers) {
        if (pollers_++ == 0) mon_.watch_used(&watch);
    }
    ~polling_scope() {
        if (--pollers_ == 0) mon_.watch_used(nullptr);
    }
    polling_scope(const polling_scope&) = delete;
    polling_scope& operator=(const polling_scope&) = delete;

private:
    monitor& mon_;
    unsigned& pollers_;
};

}  // namespace

/// spin_until_cond(scmi_xfer_done_no_timeout()): looks at the ring, at the completion, at the
/// clock.
void scmi_agent::spin_for_reply(guest_context& c, vio_message& m, completion& done, sim_time stop) {
    const polling_scope scope(kernel_.mon(), progress_, pollers_);
    const sim_time read = kernel_.clock_read(c.cpu()), relax = kernel_.costs().cpu_relax;
    const sim_time period = read + relax;
    const sim_time grain = std::max(kernel_.costs().clock_granularity, nanoseconds(1));
    for (;;) {
        c.sync();
        const std::uint64_t seen = progress_.changes;
        if (channel_.poll_done(c, m)) return;
        c.sync();
        if (std::exchange(done.done, false)) return;
        c.spend(read);
        c.sync();
        if (kernel_.clock_stamp(now()) > stop) return;
        c.spend(relax);
        c.sync();
        if (progress_.changes != seen) continue;
        // Nothing happened during that turn, so the next ones see nothing either until something
        // does, or until the clock has passed the limit.
        sim_time until = stop + grain - read;
        if (period.ps > 0 && until > now()) {
            const std::int64_t turns = ((until - now()).ps + period.ps - 1) / period.ps;
            until = now() + period * turns;
        }
        c.spin(progress_event_, period, until);
    }
}

int scmi_agent::poll_for_reply(guest_context& c, transfer& t, const char* caller) {
    scmi::xfer& x = *t.x;
    waits& w = waits_[x.index];
    c.spend(kernel_.clock_read(c.cpu()));
    c.sync();
    const sim_time stop = kernel_.clock_stamp(now()) + rx_timeout_;
    spin_for_reply(c, *w.message, w.done, stop);
    c.spend(kernel_.clock_read(c.cpu()));
    c.sync();
    // Up to v6.14 the clock alone decides, even if the reply has come meanwhile.
    if (kernel_.clock_stamp(now()) > stop) {
        t.r->timed_out = true;
        show(x, xfer_wave::timed_out);
        kernel_.mon().mark(*t.r, instant::woke, c.stamp());
        log(c, std::string("timed out in resp(caller: ") + caller + ") - polling");  // T2
        return -ETIMEDOUT;
    }
    c.spend(extra_.poll.next());
    if (x.state == scmi::xfer_state::sent_ok) {
        fetch(x, *w.message);
        x.state = scmi::xfer_state::resp_ok;
        show(x, xfer_wave::responded);
    }
    if (kernel_.tracing()) {
        traces::ftrace_event dump = event_of(x, ftrace_kind::msg_dump);
        dump.tag = "RESP";
        dump.status = x.status;
        dump.payload.assign(x.buf.begin(), x.buf.begin() + x.rx_len);
        kernel_.trace(c, dump);
    }
    return 0;
}

/// virtio_mark_txdone.
void scmi_agent::end_polling(transfer& t, int err) {
    vio_message* m = std::exchange(waits_[t.x->index].message, nullptr);
    if (!m || !channel_.mark_txdone(*m, err == -ETIMEDOUT)) return;
    // A reply that came another way, in an event buffer or in another's chain, ends the polling
    // without a timeout. Linux then frees the message although the device still has its chain.
    if (m->carried && m->poll == vio_message::polling::under_way)
        kernel_.mon().abandon(*m->carried);
    drop_record(*m);
}

void scmi_agent::deferred_work(guest_context& c) {
    for (;;) {
        while (!channel_.take_deferred_work()) c.wait_woken(context_wave::idle);
        c.sync();
        kernel_.irqs_off(c.cpu());  // pending_lock
        while (vio_message* m = channel_.next_pending()) {
            if (m->poll == vio_message::polling::none) {
                handle(c, *m);
            } else {
                drop_record(*m);  // too late for who polled
            }
            channel_.finalise_tx(*m);
        }
        kernel_.irqs_on(c.cpu());
        bool callbacks = true;
        while (vio_message* m = channel_.take_used(c, callbacks)) {
            handle(c, *m);
            channel_.finalise_tx(*m);
        }
    }
}

/// scmi_rx_callback in process context.
void scmi_agent::handle(guest_context& c, vio_message& m) {
    c.spend(kernel_.costs().rx_callback);
    c.spend(extra_.collect.next());
    c.sync();
    receive(c.cpu(), virtio::scmi_cmdq, m, m.length);
    c.spend(std::exchange(c.cpu().irq_clock_reads, sim_time{}));
    c.sync();
}

}  // namespace scmi_vp::models
