// SPDX-License-Identifier: Apache-2.0
// The event queue of the device: delayed responses, notifications, duplicates and messages that
// nobody asked for, each in a buffer that the driver gave.
#include "models/platform/scmi_device.h"
#include "models/waves.h"

namespace scmi_vp::models {
namespace {

// So many messages may wait for an event buffer, in order, behind a delayed response; what comes
// then and may be dropped is, or an agent that gives none would cost ever more memory.
constexpr std::size_t most_waiting_events = 256;

scmi::header header_of(const scmi::message_bytes& m) {
    return scmi::header::unpack(scmi::get_u32(m.data(), m.size(), 0));
}

}  // namespace

void scmi_device::start_of_simulation() {
    unsolicited_done_.resize(unsolicited_.size());
    changes_done_.resize(changes_.size());
    for (std::uint32_t row = 0; row < unsolicited_.size(); ++row) {
        calendar_.at(unsolicited_[row].when.at, {row, step::unsolicited, epoch_});
    }
    for (std::uint32_t row = 0; row < changes_.size(); ++row) {
        calendar_.at(changes_[row].when.at, {row, step::change, epoch_});
    }
}

/// Something that happens by itself has happened for the `done`-th time.
void scmi_device::again(std::uint32_t row, step what, const schedule_config& when,
                        std::uint64_t done) {
    if (when.count == 0 || done < when.count) calendar_.at(now() + when.every, {row, what, epoch_});
}

void scmi_device::unsolicited_due(std::uint32_t row) {
    const unsolicited_message& u = unsolicited_[row];
    event_message m;
    scmi::put_u32(m.bytes, u.hdr.pack());
    for (const std::uint32_t w : u.words) scmi::put_u32(m.bytes, w);
    m.faults_applied = true;
    send_later(std::move(m), sim_time{});
    again(row, step::unsolicited, u.when, ++unsolicited_done_[row]);
}

void scmi_device::change_due(std::uint32_t row) {
    const platform_change_config& change = changes_[row];
    server_->change(change.steps[changes_done_[row] % change.steps.size()], told_);
    tell(told_);
    again(row, step::change, change.when, ++changes_done_[row]);
}

/// A change is made: each agent that asked is told now, through its own device. Of a command's
/// changes when its work is done, so the reply, which has still to return, may come later.
void scmi_device::tell(scmi::notifications& all) {
    for (scmi::notification& n : all) {
        for (scmi_device* d : *sharing_) {
            if (d->agent_id_ == n.agent_id) d->send_notification(n);
        }
    }
    all.clear();
}

void scmi_device::send_notification(scmi::notification& n) {
    event_message m;
    m.bytes = std::move(n.bytes);
    m.resource = n.resource;
    m.kind = event_kind::notification;
    send_later(std::move(m), sim_time{});
}

/// The response has gone; its delayed response goes when the work is done.
void scmi_device::start_delayed(job& j) {
    event_message m;
    m.bytes = std::move(*j.result.delayed);
    j.result.delayed.reset();
    const scmi::header h = header_of(m.bytes);
    m.kind = event_kind::delayed_response;
    m.resource = j.result.resource;
    m.places_of = m.protocol_id = h.protocol_id;
    m.token = h.token;
    send_later(std::move(m),
               latencies_.schedule.finish(now(), latencies_.delayed_work.next()) - now());
}

void scmi_device::send_later(event_message&& m, sim_time after) {
    if (free_events_.empty()) {
        free_events_.push_back(static_cast<std::uint32_t>(events_.size()));
        events_.emplace_back();
    }
    const std::uint32_t e = free_events_.back();
    free_events_.pop_back();
    events_[e] = std::move(m);
    events_[e].in_use = true;
    calendar_.at(now() + after, {e, step::event, epoch_});
}

void scmi_device::event_ready(std::uint32_t index) {
    event_message& m = events_[index];
    if (m.kind == event_kind::delayed_response) mon_.delayed_ready(m.token, m.protocol_id, now());
    if (!latencies_.faults.empty() && !m.faults_applied && !inject(index)) return;
    if (m.kind != event_kind::delayed_response && waiting_events_.size() >= most_waiting_events) {
        ++events_sent_.dropped;
        return retire_event(index);
    }
    waiting_events_.push_back(index);
    flush_events();
}

/// What faults make of a message of the event queue; false when it does not go now.
bool scmi_device::inject(std::uint32_t index) {
    event_message& m = events_[index];
    const fault_target what = m.kind == event_kind::notification ? fault_target::notification
                                                                 : fault_target::delayed_response;
    fault_effect e = latencies_.faults.apply(what, m.resource, now(), m.bytes);
    m.faults_applied = true;
    m.used_length = e.used_length;
    if (e.unusable && m.kind == event_kind::delayed_response) {
        mon_.delayed_lost(m.token, m.protocol_id);
    }
    for (fault_effect::copy& c : e.copies) {
        event_message again;
        again.bytes = std::move(c.bytes);
        again.faults_applied = true;
        send_later(std::move(again), c.after);
    }
    if (e.dropped) {
        retire_event(index);
        return false;
    }
    if (e.delay.ps == 0) return true;
    calendar_.at(now() + e.delay, {index, step::event, epoch_});
    return false;
}

/// Sends what waits, in order. A delayed response must be sent: it waits for a buffer, and what
/// comes after it waits, too (most_waiting_events). Anything else is dropped and counted when there
/// is none (virtio 5.17.6.3 allows it for notifications).
void scmi_device::flush_events() {
    std::size_t done = 0;
    bool sent = false;
    for (; done < waiting_events_.size(); ++done) {
        const std::uint32_t e = waiting_events_[done];
        if (deliver(events_[e])) {
            sent = true;
        } else if (events_[e].kind == event_kind::delayed_response) {
            break;
        } else {
            ++events_sent_.dropped;
        }
        retire_event(e);
    }
    waiting_events_.erase(waiting_events_.begin(), waiting_events_.begin() + std::ptrdiff_t(done));
    if (sent && queues_[virtio::scmi_eventq].should_interrupt()) {
        front_->used_buffer_interrupt(virtio::scmi_eventq);
    }
}

void scmi_device::retire_event(std::uint32_t index) {
    event_message& m = events_[index];
    if (m.places_of != 0) server_->delayed_done(agent_id_, m.places_of);
    m.in_use = false;
    free_events_.push_back(index);
}

/// A buffer of the driver's, at hand as event_chain_; it stays there until something fits.
bool scmi_device::take_event_chain() {
    if (!live_[virtio::scmi_eventq]) return false;
    virtio::device_queue& q = queues_[virtio::scmi_eventq];
    for (;;) {
        if (!event_chain_held_) {
            const virtio::take_result result = q.take(event_chain_);
            if (result == virtio::take_result::fault) broken(virtio::scmi_eventq);
            if (result != virtio::take_result::taken) return false;
            event_chain_held_ = true;
            if (waves* w = mon_.wave()) {
                w->queue_index(now(), virtio::scmi_eventq, queue_wave::taken, q.next_available());
            }
        }
        if (event_chain_.readable.empty()) return true;
        // virtio 5.17.6.2: no device-readable descriptors here; give it back unused, try the next.
        ++malformed_;
        event_chain_held_ = false;
        q.put_used(event_chain_.head, 0);
        mon_.made_used(virtio::scmi_eventq, event_chain_.head);
    }
}

bool scmi_device::deliver(event_message& m) {
    if (!take_event_chain() || event_chain_.writable_bytes() < m.bytes.size()) return false;
    virtio::device_queue& q = queues_[virtio::scmi_eventq];
    const std::size_t written = q.write(event_chain_, m.bytes.data(), m.bytes.size());
    q.put_used(event_chain_.head, m.used_length.value_or(static_cast<std::uint32_t>(written)));
    event_chain_held_ = false;
    if (m.kind == event_kind::delayed_response) mon_.delayed_used(m.token, m.protocol_id, now());
    mon_.made_used(virtio::scmi_eventq, event_chain_.head);
    if (waves* w = mon_.wave()) {
        w->queue_index(now(), virtio::scmi_eventq, queue_wave::used, q.used_index());
    }
    switch (m.kind) {
        case event_kind::delayed_response:
            ++events_sent_.delayed;
            break;
        case event_kind::notification:
            ++events_sent_.notifications;
            break;
        case event_kind::other:
            ++events_sent_.others;
    }
    return true;
}

}  // namespace scmi_vp::models
