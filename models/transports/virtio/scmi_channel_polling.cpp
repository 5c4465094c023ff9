// SPDX-License-Identifier: Apache-2.0
// Polling for a reply over virtio: whoever polls takes what the device has returned, whosever it is
// (drivers/firmware/arm_scmi/virtio.c v5.18 to v6.1).
#include "models/transports/virtio/scmi_channel.h"
#include "models/waves.h"

namespace scmi_vp::models {

using polling = vio_message::polling;

bool scmi_channel::poll_done(guest_context& c, vio_message& m) {
    virtio::driver_queue& q = driver_.queue(virtio::scmi_cmdq);
    if (m.poll == polling::done) return true;  // by somebody else who polls
    if (!q.poll(m.poll_index)) return false;
    take_lock(c, locks_[virtio::scmi_cmdq]);
    q.disable_cb();
    bool found = false, set_aside = false;
    while (!found) {
        c.spend(kernel_.costs().ring_get);
        c.sync();
        const virtio::driver_queue::used_buffer used = q.get_buf();
        if (!used.token) break;
        if (waves* w = kernel_.mon().wave()) {
            w->queue_index(now(), virtio::scmi_cmdq, queue_wave::collected, q.last_used());
        }
        vio_message& next = *static_cast<vio_message*>(used.token);
        next.length = used.length;
        const bool polled_for = next.poll == polling::under_way;
        if (polled_for) next.poll = polling::done;
        found = &next == &m;
        if (found || polled_for) continue;
        pending_.push_back(&next);
        set_aside = true;
    }
    bool more = false;
    if (found) {
        more = !q.enable_cb();
    } else {
        m.poll_index = q.enable_cb_prepare();
        more = q.poll(m.poll_index);
    }
    if (worker_ && (set_aside || more)) {
        work_queued_ = true;
        kernel_.wake(*worker_);
    }
    release_lock(c, locks_[virtio::scmi_cmdq]);
    return found;
}

bool scmi_channel::mark_txdone(vio_message& m, bool timed_out) {
    if (finalise_tx(m)) return true;  // it had come by an interrupt
    if (!timed_out || m.poll == polling::done) return finalise_tx(m);
    // The device has it still: it is freed when it comes back.
    if (m.poll == polling::under_way) m.poll = polling::timed_out;
    return false;
}

vio_message* scmi_channel::next_pending() {
    if (pending_.empty()) return nullptr;
    vio_message* m = pending_.front();
    pending_.pop_front();
    return m;
}

vio_message* scmi_channel::take_used(guest_context& c, bool& callbacks) {
    virtio::driver_queue& q = driver_.queue(virtio::scmi_cmdq);
    for (;;) {
        take_lock(c, locks_[virtio::scmi_cmdq]);
        if (callbacks) q.disable_cb();
        callbacks = false;
        c.spend(kernel_.costs().ring_get);
        c.sync();
        const virtio::driver_queue::used_buffer used = q.get_buf();
        const bool done = !used.token && q.enable_cb();
        if (!used.token) callbacks = true;
        release_lock(c, locks_[virtio::scmi_cmdq]);
        if (used.token) {
            vio_message* m = static_cast<vio_message*>(used.token);
            m->length = used.length;
            return m;
        }
        if (done) return nullptr;
    }
}

}  // namespace scmi_vp::models
