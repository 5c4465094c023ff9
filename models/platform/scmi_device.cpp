// SPDX-License-Identifier: Apache-2.0
// See scmi_device.h.
#include "models/platform/scmi_device.h"

#include <algorithm>
#include <limits>

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
                         std::uint32_t agent_id, scmi_device* shared)
    : sc_core::sc_module(name),
      server_(shared ? shared->server_
                     : std::make_shared<scmi::platform_server>(config.description)),
      sharing_(shared ? shared->sharing_ : std::make_shared<std::vector<scmi_device*>>()),
      unsolicited_(config.unsolicited),
      latencies_(std::move(latencies)),
      host_always_(latencies_.schedule.always()),
      workers_(config.workers),
      memory_(memory),
      mon_(mon),
      agent_id_(agent_id),
      calendar_(calling<&scmi_device::work_due>(this)),
      kicks_{alarm(calling<&scmi_device::command_kick_seen>(this)),
             alarm(calling<&scmi_device::flush_events>(this))},
      wake_(calling<&scmi_device::woken>(this)),
      resume_(calling<&scmi_device::run_workers>(this)) {
    sharing_->push_back(this);
    // What the platform changes by itself happens once, whoever is told of it.
    if (!shared) changes_ = config.changes;
}

void scmi_device::start(unsigned queue, const virtio::ring_layout& layout,
                        virtio::ring_features features, bool p2a_channels) {
    queues_[queue] = virtio::device_queue(memory_, layout, features);
    live_[queue] = true;
    p2a_ = p2a_channels;
    look_again_ = !memory_.concurrent();
    if (queue == virtio::scmi_cmdq) looked_ = kicked_for_ = 0;
}

void scmi_device::stop(unsigned queue) {
    live_[queue] = false;
    kicks_[queue].clear();
    if (queue == virtio::scmi_eventq) event_chain_held_ = false;
}

void scmi_device::resume_at(unsigned queue, std::uint16_t next_available) {
    virtio::device_queue& q = queues_[queue];
    q.resume_at(next_available,
                memory_.load<std::uint16_t>(virtio::actor::device, q.layout().used_idx()));
    if (queue == virtio::scmi_cmdq) looked_ = kicked_for_ = next_available;
}

std::uint16_t scmi_device::suspend(unsigned queue) {
    std::uint16_t next = queues_[queue].next_available();
    if (live_[queue] && queue == virtio::scmi_cmdq) answer_in_flight();
    // The buffer that was taken for a delayed response goes back as it is.
    if (live_[queue] && queue == virtio::scmi_eventq && event_chain_held_) --next;
    stop(queue);
    return next;
}

void scmi_device::answer_in_flight() {
    std::vector<work> under_way;
    // A command that was not looked at yet becomes one whose answer is under way.
    do {
        under_way.clear();
        calendar_.remove_if([&](const work& w) {
            const bool command =
                w.what == step::take || w.what == step::ready || w.what == step::publish;
            if (w.epoch != epoch_ || !command) return false;
            under_way.push_back(w);
            return true;
        });
        for (const work& w : under_way) {
            if (w.what == step::take) {
                begin(w.job);
                continue;
            }
            if (w.what == step::ready) {
                mon_.ready(jobs_[w.job].chain.head, now());
                --busy_;
            }
            put_response(w.job);
        }
    } while (!under_way.empty());
    for (const held_response& h : std::exchange(held_, {})) put_response(h.job);
    awake_ = busy_ > 0;
}

void scmi_device::reset() {
    for (unsigned q = 0; q < live_.size(); ++q) stop(q);
    ++epoch_;  // what is under way finds itself cancelled
    // Who comes next on this channel has asked for none of it.
    for (scmi_device* d : *sharing_) d->forget_notifications_to(agent_id_);
    for (std::uint32_t j = 0; j < jobs_.size(); ++j) {
        if (!jobs_[j].in_use) continue;
        tell(jobs_[j].result.told);  // it goes without a response, but what it changed is changed
        release_job(j);
    }
    held_.clear();
    for (std::uint32_t e = 0; e < events_.size(); ++e) {
        if (events_[e].in_use) retire_event(e);
    }
    waiting_events_.clear();
    busy_ = 0;
    awake_ = false;
    wake_.clear();
    resume_.clear();
    server_->reset_agent(agent_id_, told_);
    tell(told_);
}

/// What commands under way have changed, and others are told when they are done.
void scmi_device::forget_notifications_to(std::uint32_t agent_id) {
    for (job& j : jobs_) {
        scmi::notifications& told = j.result.told;
        told.erase(std::remove_if(
                       told.begin(), told.end(),
                       [agent_id](const scmi::notification& n) { return n.agent_id == agent_id; }),
                   told.end());
    }
}

void scmi_device::kick(unsigned queue) {
    // Several kicks coalesce into the earliest, like an eventfd's. In the next phase even for
    // latency 0: never DMA from inside the guest's register access.
    const sim_time t = now();
    if (queue == virtio::scmi_cmdq) {
        kicked_at_ = t;
        kicked_for_ = looked_;
    }
    kicks_[queue].set_by(t + latencies_.notify.next());
}

bool scmi_device::look() {
    if (!live_[virtio::scmi_cmdq]) return false;
    const std::optional<std::uint16_t> before =
        std::exchange(looked_, queues_[virtio::scmi_cmdq].look());
    return looked_ != before;
}

bool scmi_device::see_more() {
    if (!live_[virtio::scmi_cmdq]) return false;
    if (queues_[virtio::scmi_cmdq].see(kicked_for_)) return true;
    broken(virtio::scmi_cmdq);
    return false;
}

void scmi_device::command_kick_seen() {
    if (!look_again_ && !see_more()) return;
    const sim_time t = now();
    mon_.kick_seen(virtio::scmi_cmdq, t);
    if (awake_) {
        mon_.worker_running(t);
        run_workers();
    } else if (!wake_.is_set()) {
        sim_time woken_at = t + latencies_.host_wake.next();
        if (!host_always_) woken_at = latencies_.schedule.running_from(woken_at);
        woken_at == t ? woken() : wake_.set(woken_at);
    }
}

inline void scmi_device::woken() {
    awake_ = true;
    mon_.worker_running(now());
    run_workers();
}

bool scmi_device::host_paused() {
    latencies_.schedule.forget_before(now());
    const sim_time from = latencies_.schedule.running_from(now());
    if (from == now()) return false;
    resume_.set_by(from);
    return true;
}

void scmi_device::run_workers() {
    if (rarely(!host_always_) && host_paused()) return;
    while (live_[virtio::scmi_cmdq] && worker_free() &&
           (look_again_ || queues_[virtio::scmi_cmdq].seen_more())) {
        const std::uint32_t j = next_job();
        const virtio::take_result result = queues_[virtio::scmi_cmdq].take(jobs_[j].chain);
        if (result != virtio::take_result::taken) {
            if (rarely(result == virtio::take_result::fault)) broken(virtio::scmi_cmdq);
            break;
        }
        take_job();
        jobs_[j].kicked = kicked_at_;
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

inline void scmi_device::begin(std::uint32_t index) {
    job& j = jobs_[index];
    const sim_time t = now();
    mon_.taken(j.chain.head, t);
    std::uint8_t command[max_command_bytes];
    const std::size_t size = queues_[virtio::scmi_cmdq].read(j.chain, command, sizeof command);
    server_->handle(agent_id_, command, size, j.chain.writable_bytes(), p2a_, j.result);
    if (j.result.response.empty()) ++malformed_;
    bool never = false;
    const sim_time service =
        latencies_.rules.empty()
            ? latencies_.service.next()
            : service_time(scmi::header::unpack(scmi::get_u32(command, size, 0)), j.result.resource,
                           never);
    if (rarely(never)) {
        --busy_;
        tell(j.result.told);
        return lose(index);
    }
    calendar_.at(latencies_.schedule.finish(t, service), {index, step::ready, epoch_});
}

sim_time scmi_device::service_time(const scmi::header& h, std::int32_t resource, bool& never) {
    for (auto it = latencies_.rules.rbegin(); it != latencies_.rules.rend(); ++it) {
        const service_rule& rule = it->first;
        if (!rule.matches(h, resource)) continue;
        never = rule.never;
        return never ? sim_time{} : it->second.next();
    }
    return latencies_.service.next();
}

void scmi_device::work_due() {
    // A real driver can fill the ring as fast as it is emptied, at one instant: others go between.
    const unsigned most = memory_.concurrent() ? 256 : std::numeric_limits<unsigned>::max();
    work w;
    for (unsigned n = 0; calendar_.pop_due(w); ++n) {
        // What is under way ends with a reset; what happens by itself does not.
        const bool by_itself = w.what == step::unsolicited || w.what == step::change;
        if (w.epoch == epoch_ || by_itself) run_step(w);
        if (n == most) return calendar_.go_on();
    }
}

void scmi_device::run_step(const work& w) {
    switch (w.what) {
        case step::take:
            return take_later(w.job);
        case step::ready:
            return response_ready(w.job);
        case step::publish:
            return publish(w.job);
        case step::held_long_enough:
            return held_long_enough(w.job);
        case step::event:
            return event_ready(w.job);
        case step::unsolicited:
            return unsolicited_due(w.job);
        case step::change:
            return change_due(w.job);
    }
}

void scmi_device::take_later(std::uint32_t index) {
    begin(index);
    // One that is never answered leaves its worker free at once.
    if (worker_free()) run_workers();
}

inline void scmi_device::response_ready(std::uint32_t index) {
    job& j = jobs_[index];
    mon_.ready(j.chain.head, now());
    --busy_;
    if (waves* w = mon_.wave()) w->workers(now(), busy_);
    if (rarely(!j.result.told.empty())) tell(j.result.told);
    const sim_time back = latencies_.return_.next();
    sim_time delay = back;
    if (rarely(!latencies_.faults.empty()) && !inject(index, delay)) {
        // It does not go, or not now.
    } else if (delay.ps > 0) {
        calendar_.at(latencies_.schedule.finish(now(), back) + (delay - back),
                     {index, step::publish, epoch_});
    } else {
        publish(index);
    }
    run_workers();  // the worker looks for the next command before it sleeps
}

// No reply will come: the chain stays with the device for ever.
void scmi_device::lose(std::uint32_t index) {
    mon_.lost(jobs_[index].chain.head);
    release_job(index);
}

/// What faults make of a response; false when it does not go now. `back` gets what delays it.
bool scmi_device::inject(std::uint32_t index, sim_time& back) {
    job& j = jobs_[index];
    fault_effect e = latencies_.faults.apply(fault_target::response, j.result.resource, now(),
                                             j.result.response);
    j.used_length = e.used_length;
    if (e.unusable) mon_.lost(j.chain.head);
    for (fault_effect::copy& c : e.copies) {
        event_message m;
        m.bytes = std::move(c.bytes);
        m.faults_applied = true;
        send_later(std::move(m), c.after);
    }
    if (e.delayed_dropped) forget_delayed(j);
    if (e.dropped) {
        if (j.result.delayed) start_delayed(j);
        release_job(index);
        return false;
    }
    back += e.delay;
    if (e.replies_first == 0) return true;
    hold(index, e);
    return false;
}

void scmi_device::hold(std::uint32_t index, const fault_effect& e) {
    const bool has_limit = e.held_at_most != sim_time::max();
    held_.push_back({index, e.replies_first, ++next_held_, has_limit});
    if (!has_limit) return;
    calendar_.at(now() + e.held_at_most, {next_held_, step::held_long_enough, epoch_});
}

void scmi_device::held_long_enough(std::uint32_t number) {
    for (auto it = held_.begin(); it != held_.end(); ++it) {
        if (it->number != number) continue;
        const std::uint32_t index = it->job;
        held_.erase(it);
        return put_response(index);
    }
}

/// A response has gone: those that let it pass come nearer to their turn.
void scmi_device::release_held() {
    for (std::size_t i = 0; i < held_.size();) {
        if (--held_[i].replies_first > 0) {
            ++i;
            continue;
        }
        const std::uint32_t index = held_[i].job;
        held_.erase(held_.begin() + std::ptrdiff_t(i));
        put_response(index);
    }
}

bool scmi_device::owes_answers() {
    const auto delayed = [](const event_message& m) {
        return m.in_use && m.kind == event_kind::delayed_response;
    };
    if (has_work(virtio::scmi_cmdq)) return true;
    if (std::any_of(events_.begin(), events_.end(), delayed)) return true;
    const auto waits_for_others = [](const held_response& h) { return !h.has_limit; };
    return std::count_if(jobs_.begin(), jobs_.end(), [](const job& j) { return j.in_use; }) >
           std::count_if(held_.begin(), held_.end(), waits_for_others);
}

// A delayed response that will not be sent gives its place in the platform's limit back.
void scmi_device::forget_delayed(job& j) {
    if (!j.result.delayed) return;
    const scmi::header h = header_of(*j.result.delayed);
    server_->delayed_done(agent_id_, h.protocol_id);
    mon_.delayed_lost(h.token, h.protocol_id);
    j.result.delayed.reset();
}

void scmi_device::publish(std::uint32_t index) {
    put_response(index);
    if (!held_.empty()) release_held();
}

void scmi_device::put_response(std::uint32_t index) {
    job& j = jobs_[index];
    if (!live_[virtio::scmi_cmdq]) return release_job(index);
    virtio::device_queue& q = queues_[virtio::scmi_cmdq];
    const std::size_t written =
        q.write(j.chain, j.result.response.data(), j.result.response.size());
    q.put_used(j.chain.head, j.used_length.value_or(static_cast<std::uint32_t>(written)));
    ++served_;
    if (rarely(responses_ != nullptr)) record_response(j);
    mon_.used(j.chain.head, now());
    mon_.made_used(virtio::scmi_cmdq, j.chain.head);
    if (waves* w = mon_.wave()) {
        w->queue_index(now(), virtio::scmi_cmdq, queue_wave::used, q.used_index());
    }
    if (rarely(j.result.delayed.has_value())) start_delayed(j);
    release_job(index);
    if (q.should_interrupt()) front_->used_buffer_interrupt(virtio::scmi_cmdq);
}

void scmi_device::record_response(const job& j) {
    responses_->add(now() - j.kicked);
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
    if (rarely(jobs_[j].result.delayed.has_value())) forget_delayed(jobs_[j]);
    jobs_[j].in_use = false;
    free_jobs_.push_back(j);
}

void scmi_device::broken(unsigned queue) {
    live_[queue] = false;
    front_->ring_broken(queue, queues_[queue].fault());
}

}  // namespace scmi_vp::models
