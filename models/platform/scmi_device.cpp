// SPDX-License-Identifier: Apache-2.0
// See scmi_device.h.
#include "models/platform/scmi_device.h"

#include "models/waves.h"

namespace scmi_vp::models {
namespace {
// Room for any command: Linux sends at most 4 + max_msg_size bytes; what is beyond is not looked
// at.
constexpr std::size_t max_command_bytes = 4 + max_payload_bytes;

scmi::header header_of(const scmi::message_bytes& m) {
    return scmi::header::unpack(scmi::get_u32(m.data(), m.size(), 0));
}
}  // namespace

scmi_device::scmi_device(sc_core::sc_module_name name, const platform_config& config,
                         host_latencies latencies, virtio::guest_memory& memory, monitor& mon,
                         std::uint32_t agent_id)
    : sc_core::sc_module(name),
      server_(config.description),
      latencies_(std::move(latencies)),
      host_always_(latencies_.schedule.always()),
      workers_(config.workers),
      memory_(memory),
      mon_(mon),
      agent_id_(agent_id),
      calendar_("work"),
      wake_event_("wake"),
      resume_event_("resume") {
    SC_HAS_PROCESS(scmi_device);
    SC_METHOD(kicks_seen);
    dont_initialize();
    for (const sc_core::sc_event& e : kick_events_) sensitive << e;
    SC_METHOD(woken);
    dont_initialize();
    sensitive << wake_event_;
    SC_METHOD(run_workers);
    dont_initialize();
    sensitive << resume_event_;
    SC_METHOD(work_due);
    dont_initialize();
    sensitive << calendar_.event();
}

void scmi_device::start(unsigned queue, const virtio::ring_layout& layout,
                        virtio::ring_features features, bool p2a_channels) {
    queues_[queue] = virtio::device_queue(memory_, layout, features);
    live_[queue] = true;
    p2a_ = p2a_channels;
}

void scmi_device::stop(unsigned queue) {
    live_[queue] = false;
    kicked_[queue] = false;
    if (queue == virtio::scmi_eventq) event_chain_held_ = false;
}

void scmi_device::reset() {
    for (unsigned q = 0; q < live_.size(); ++q) stop(q);
    ++epoch_;  // what is under way finds itself cancelled
    for (std::uint32_t j = 0; j < jobs_.size(); ++j) {
        if (!jobs_[j].in_use) continue;
        release_job(j);
    }
    waiting_delayed_.clear();
    busy_ = 0;
    awake_ = waking_ = false;
    for (sc_core::sc_event& e : kick_events_) e.cancel();
    wake_event_.cancel();
    resume_event_.cancel();
    server_.reset_agent(agent_id_);
}

void scmi_device::kick(unsigned queue) {
    // Several kicks coalesce into the earliest, like an eventfd's (an sc_event keeps that one). A
    // delta even for latency 0: never DMA from inside the guest's register access.
    const sim_time delay = latencies_.notify.next();
    if (!kicked_[queue] || now() + delay < kick_due_[queue]) kick_due_[queue] = now() + delay;
    kicked_[queue] = true;
    kick_events_[queue].notify(kick_spans_[queue].to_sc(delay));
}

void scmi_device::kicks_seen() {
    const auto seen = [this](unsigned queue) {
        if (!kicked_[queue] || now() < kick_due_[queue]) return false;
        kicked_[queue] = false;
        return true;
    };
    if (seen(virtio::scmi_eventq)) flush_delayed();
    if (!seen(virtio::scmi_cmdq)) return;
    mon_.kick_seen(virtio::scmi_cmdq, now());
    if (awake_) {
        mon_.worker_running(now());
        run_workers();
    } else if (!waking_) {
        sim_time delay = latencies_.host_wake.next();
        if (!host_always_) delay = latencies_.schedule.running_from(now() + delay) - now();
        if (delay.ps == 0) return woken();
        waking_ = true;
        wake_event_.notify(to_sc(delay));
    }
}

void scmi_device::woken() {
    waking_ = false;
    awake_ = true;
    mon_.worker_running(now());
    run_workers();
}

bool scmi_device::host_paused() {
    latencies_.schedule.forget_before(now());
    const sim_time from = latencies_.schedule.running_from(now());
    if (from == now()) return false;
    resume_event_.notify(to_sc(from - now()));
    return true;
}

void scmi_device::run_workers() {
    if (!host_always_ && host_paused()) return;
    while (live_[virtio::scmi_cmdq] && worker_free()) {
        const std::uint32_t j = next_job();
        const virtio::take_result result = queues_[virtio::scmi_cmdq].take(jobs_[j].chain);
        if (result != virtio::take_result::taken) {
            if (result == virtio::take_result::fault) broken(virtio::scmi_cmdq);
            break;
        }
        take_job();
        ++busy_;
        if (waves* w = mon_.wave()) {
            w->queue_index(now(), virtio::scmi_cmdq, queue_wave::taken,
                           queues_[virtio::scmi_cmdq].next_available());
            w->workers(now(), busy_);
        }
        const sim_time wait = latencies_.queue.next();
        if (wait.ps > 0) {
            calendar_.at(now() + wait, {j, step::take, epoch_});
        } else {
            begin(j);
        }
    }
    awake_ = busy_ > 0;
}

void scmi_device::begin(std::uint32_t index) {
    job& j = jobs_[index];
    mon_.taken(j.chain.head, now());
    std::uint8_t command[max_command_bytes];
    const std::size_t size = queues_[virtio::scmi_cmdq].read(j.chain, command, sizeof command);
    server_.handle(agent_id_, command, size, j.chain.writable_bytes(), p2a_, j.result);
    if (j.result.response.empty()) ++malformed_;
    bool never = false;
    const sim_time service =
        latencies_.rules.empty()
            ? latencies_.service.next()
            : service_time(scmi::header::unpack(scmi::get_u32(command, size, 0)), j.result.resource,
                           never);
    if (never) {
        --busy_;
        return lose(index);
    }
    j.ready = latencies_.schedule.finish(now(), service);
    calendar_.at(j.ready, {index, step::ready, epoch_});
}

sim_time scmi_device::service_time(const scmi::header& h, std::int32_t resource, bool& never) {
    for (auto it = latencies_.rules.rbegin(); it != latencies_.rules.rend(); ++it) {
        const service_rule& rule = it->first;
        if (rule.protocol_id && *rule.protocol_id != h.protocol_id) continue;
        if (rule.message_id && *rule.message_id != h.message_id) continue;
        if (rule.resource && *rule.resource != resource) continue;
        never = rule.never;
        return never ? sim_time{} : it->second.next();
    }
    return latencies_.service.next();
}

void scmi_device::work_due() {
    work w;
    while (calendar_.pop_due(w)) {
        if (w.epoch != epoch_) continue;
        switch (w.what) {
            case step::take:
                begin(w.job);
                // One that is never answered leaves its worker free at once.
                if (worker_free()) run_workers();
                break;
            case step::ready:
                response_ready(w.job);
                break;
            case step::publish:
                publish(w.job);
                break;
            case step::delayed:
                delayed_ready(w.job);
                break;
        }
    }
}

void scmi_device::response_ready(std::uint32_t index) {
    job& j = jobs_[index];
    mon_.ready(j.chain.head, now());
    --busy_;
    if (waves* w = mon_.wave()) w->workers(now(), busy_);
    const sim_time back = latencies_.return_.next();
    if (!latencies_.losses.empty() && reply_lost()) {
        lose(index);
    } else if (back.ps > 0) {
        calendar_.at(latencies_.schedule.finish(now(), back), {index, step::publish, epoch_});
    } else {
        publish(index);
    }
    run_workers();  // the worker looks for the next command before it sleeps
}

bool scmi_device::reply_lost() {
    for (auto& [loss, stream] : latencies_.losses) {
        if (now() < loss.from || now() >= loss.to) continue;
        if (stream.next_unit() < loss.probability) return true;
    }
    return false;
}

// No reply will come: the chain stays with the device for ever.
void scmi_device::lose(std::uint32_t index) {
    job& j = jobs_[index];
    mon_.lost(j.chain.head);
    forget_delayed(j);
}

// A delayed response that will not be sent gives its place in the platform's limit back.
void scmi_device::forget_delayed(job& j) {
    if (!j.result.delayed) return;
    server_.delayed_done(header_of(*j.result.delayed).protocol_id);
    j.result.delayed.reset();
}

void scmi_device::publish(std::uint32_t index) {
    job& j = jobs_[index];
    if (!live_[virtio::scmi_cmdq]) return release_job(index);
    virtio::device_queue& q = queues_[virtio::scmi_cmdq];
    const std::size_t written =
        q.write(j.chain, j.result.response.data(), j.result.response.size());
    q.put_used(j.chain.head, static_cast<std::uint32_t>(written));
    ++served_;
    mon_.used(j.chain.head, now());
    mon_.made_used(virtio::scmi_cmdq, j.chain.head);
    if (waves* w = mon_.wave()) {
        w->queue_index(now(), virtio::scmi_cmdq, queue_wave::used, q.used_index());
    }
    if (j.result.delayed) {
        calendar_.at(latencies_.schedule.finish(now(), latencies_.delayed_work.next()),
                     {index, step::delayed, epoch_});
    } else {
        release_job(index);
    }
    if (q.should_interrupt()) front_->used_buffer_interrupt();
}

void scmi_device::delayed_ready(std::uint32_t index) {
    job& j = jobs_[index];
    const scmi::header h = header_of(*j.result.delayed);
    mon_.delayed_ready(h.token, h.protocol_id, now());
    waiting_delayed_.push_back(index);
    flush_delayed();
}

void scmi_device::flush_delayed() {
    // A delayed response must be sent: it waits for a buffer (virtio 5.17.6.3), in order.
    std::size_t sent = 0;
    while (sent < waiting_delayed_.size() && deliver_delayed(jobs_[waiting_delayed_[sent]])) {
        release_job(waiting_delayed_[sent++]);
    }
    waiting_delayed_.erase(waiting_delayed_.begin(),
                           waiting_delayed_.begin() + std::ptrdiff_t(sent));
    if (sent > 0 && queues_[virtio::scmi_eventq].should_interrupt())
        front_->used_buffer_interrupt();
}

bool scmi_device::deliver_delayed(job& j) {
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
        if (event_chain_.readable.empty()) break;
        // virtio 5.17.6.2: no device-readable descriptors here; give it back unused, try the next.
        ++malformed_;
        event_chain_held_ = false;
        q.put_used(event_chain_.head, 0);
        mon_.made_used(virtio::scmi_eventq, event_chain_.head);
    }
    if (event_chain_.writable_bytes() < j.result.delayed->size())
        return false;  // waits at the head
    const std::size_t written =
        q.write(event_chain_, j.result.delayed->data(), j.result.delayed->size());
    q.put_used(event_chain_.head, static_cast<std::uint32_t>(written));
    event_chain_held_ = false;
    const scmi::header h = header_of(*j.result.delayed);
    mon_.delayed_used(h.token, h.protocol_id, now());
    mon_.made_used(virtio::scmi_eventq, event_chain_.head);
    if (waves* w = mon_.wave()) {
        w->queue_index(now(), virtio::scmi_eventq, queue_wave::used, q.used_index());
    }
    server_.delayed_done(h.protocol_id);
    j.result.delayed.reset();
    return true;
}

void scmi_device::add_job() {
    free_jobs_.push_back(static_cast<std::uint32_t>(jobs_.size()));
    jobs_.emplace_back();
}

inline std::uint32_t scmi_device::next_job() {
    if (free_jobs_.empty()) add_job();
    return free_jobs_.back();
}

inline void scmi_device::take_job() {
    jobs_[free_jobs_.back()].in_use = true;
    free_jobs_.pop_back();
}

inline void scmi_device::release_job(std::uint32_t j) {
    if (jobs_[j].result.delayed) forget_delayed(jobs_[j]);
    jobs_[j].in_use = false;
    free_jobs_.push_back(j);
}

void scmi_device::broken(unsigned queue) {
    live_[queue] = false;
    front_->ring_broken(queues_[queue].fault());
}

}  // namespace scmi_vp::models
