// SPDX-License-Identifier: Apache-2.0
// See scmi_notifications.h. Function names in comments are those of notify.c.
#include "models/agent/scmi_notifications.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "models/agent/protocol_table.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

/// Whether fill_custom_report() makes a report of it.
bool has_report(const protocol_driver& p, const event_row& e,
                const std::vector<std::uint8_t>& payload) {
    return payload.size() >= e.shortest && payload.size() <= e.longest && p.has_report(e, payload);
}

constexpr std::size_t event_header_bytes = 24;  // struct scmi_event_header
std::size_t queue_bytes(std::uint8_t protocol_id) {
    return protocol_id == protocol::base ? 4 * 4096 : 4096;  // SCMI_PROTO_QUEUE_SZ
}

}  // namespace

std::uint32_t scmi_notifications::sources_of(std::uint8_t protocol_id) const {
    const protocol_driver* p = sources_.protocol(protocol_id);
    return p ? p->sources() : 0;
}

scmi_notifications::registered_event& scmi_notifications::event_at(std::uint8_t protocol_id,
                                                                   std::uint8_t event) {
    registered_event& e = events_[key_of(protocol_id, event, all_sources)];
    e.users.resize(sources_of(protocol_id));
    return e;
}

int scmi_notifications::register_notifier(guest_context& c, std::uint8_t protocol_id,
                                          std::uint8_t event, std::uint32_t source) {
    const std::uint32_t key = key_of(protocol_id, event, source);
    const bool initialised = sources_of(protocol_id) != 0;
    // scmi_valid_pending_handler: an event that an initialised protocol does not have.
    if (initialised && !find_event(protocol_id, event)) return -EINVAL;
    handler& h = handlers_[key];
    ++h.users;
    if (!initialised || h.enabled) return 0;
    if (enable(c, key, true) == 0) {
        handlers_[key].enabled = true;
        return 0;
    }
    char text[80];
    std::snprintf(text, sizeof text, "SCMI Notifications - Failed to ENABLE events for key:%X !",
                  key);
    agent_.kernel().printk(text, c.time());
    put_handler(c, key);
    return -EINVAL;
}

int scmi_notifications::unregister_notifier(guest_context& c, std::uint8_t protocol_id,
                                            std::uint8_t event, std::uint32_t source) {
    const std::uint32_t key = key_of(protocol_id, event, source);
    // The caller knows what it has registered and asks the core for nothing else
    // (tools/linux/module/scmi_vp_caller.c notify_unregister).
    if (handlers_.find(key) == handlers_.end()) return -ENOENT;
    put_handler(c, key);
    return 0;
}

void scmi_notifications::put_handler(guest_context& c, std::uint32_t key) {
    handler& h = handlers_[key];
    if (--h.users != 0) return;
    const bool enabled = h.enabled;
    handlers_.erase(key);
    if (enabled) enable(c, key, false);
}

/// __scmi_enable_evt: a command for each source that had no user, or has none any more.
int scmi_notifications::enable(guest_context& c, std::uint32_t key, bool on) {
    const auto protocol_id = std::uint8_t(key >> 24), event = std::uint8_t(key >> 16);
    registered_event& e = event_at(protocol_id, event);
    std::uint32_t source = key & 0xffff, end = source + 1;
    if (source == all_sources) {
        source = 0;
        end = std::uint32_t(e.users.size());
    } else if (source >= e.users.size()) {
        return -EINVAL;
    }
    protocol_driver& p = *sources_.protocol(protocol_id);
    const event_row& row = *find_event(protocol_id, event);
    c.lock(e.mutex);
    unsigned good = on ? 0 : 1;
    for (; source < end; ++source) {
        std::uint32_t& users = e.users[source];
        if (on) {
            const bool first = users == 0;
            if (first && p.set_notify(c, row, source, true)) continue;
            ++users;
            ++good;
        } else if (users != 0 && --users == 0) {
            p.set_notify(c, row, source, false);
        }
    }
    c.unlock(e.mutex);
    return good != 0 ? 0 : -EINVAL;
}

void scmi_notifications::clear() {
    handlers_.clear();
    events_.clear();
    queues_.clear();
    work_.clear();
}

void scmi_notifications::log(const std::string& text, sim_time when) {
    // dev_fmt of notify.c.
    agent_.kernel().printk(agent_.device_name() + ": SCMI Notifications - " + text, when);
}

/// dev_warn_ratelimited: ten in five seconds (include/linux/ratelimit_types.h).
void scmi_notifications::log_queue_full(std::uint8_t protocol_id, std::uint8_t event) {
    constexpr unsigned burst = 10;
    if (printed_ == 0 || now() > window_start_ + seconds(5)) {
        if (suppressed_ != 0) {
            agent_.kernel().printk(
                "scmi_notify: " + std::to_string(suppressed_) + " callbacks suppressed", now());
        }
        window_start_ = now();
        printed_ = suppressed_ = 0;
    }
    if (printed_ == burst) {
        ++suppressed_;
        return;
    }
    ++printed_;
    log("queue full, dropping proto_id:" + std::to_string(protocol_id) +
            "  evt_id:" + std::to_string(event) +
            "  ts:" + std::to_string(agent_.kernel().clock_stamp(now()) / nanoseconds(1)),
        now());
}

void scmi_notifications::notify(guest_cpu&, const scmi::header& h, const std::uint8_t* payload,
                                std::size_t size) {
    ++counts_.received;
    const event_row* e = find_event(h.protocol_id, h.message_id);
    if (!e || sources_of(h.protocol_id) == 0) {
        ++counts_.unknown;
        return;
    }
    if (size > e->admitted) {
        ++counts_.discarded;
        log("discard badly sized message", now());
        return;
    }
    event_queue& q = queues_[h.protocol_id];
    if (queue_bytes(h.protocol_id) - q.bytes < event_header_bytes + size) {
        ++counts_.discarded;
        log_queue_full(h.protocol_id, h.message_id);
        return;
    }
    q.bytes += event_header_bytes + size;
    q.events.push_back({h.message_id, {payload, payload + size}});
    if (!worker_) return process(h.protocol_id, now());
    if (std::find(work_.begin(), work_.end(), h.protocol_id) != work_.end()) return;
    work_.push_back(h.protocol_id);  // queue_work
    agent_.kernel().wake(*worker_);
}

void scmi_notifications::work(guest_context& c) {
    for (;;) {
        while (work_.empty()) c.wait_woken(context_wave::idle);
        const std::uint8_t protocol_id = work_.front();
        work_.pop_front();
        process(protocol_id, c.time());
    }
}

/// scmi_events_dispatcher: all that is in the queue, notifiers of all sources first.
void scmi_notifications::process(std::uint8_t protocol_id, sim_time when) {
    event_queue& q = queues_[protocol_id];
    while (!q.events.empty()) {
        const queued_event event = std::move(q.events.front());
        q.events.pop_front();
        q.bytes -= event_header_bytes + event.payload.size();
        // scmi_process_event_payload: kfifo_out of nothing ends the work item.
        if (event.payload.empty()) return;
        const event_row& e = *find_event(protocol_id, event.event);
        if (!has_report(*sources_.protocol(protocol_id), e, event.payload)) {
            ++counts_.malformed;
            char text[64];
            std::snprintf(text, sizeof text, "report not available - proto:%X  evt:%u", protocol_id,
                          event.event);
            log(text, when);
            continue;
        }
        const std::uint32_t source =
            e.source_at == no_source
                ? 0
                : scmi::get_u32(event.payload.data(), event.payload.size(), e.source_at);
        const std::uint64_t before = counts_.called;
        call_chain(key_of(protocol_id, event.event, all_sources));
        call_chain(key_of(protocol_id, event.event, source));
        if (counts_.called == before) ++counts_.unheard;
    }
}

void scmi_notifications::call_chain(std::uint32_t key) {
    const auto h = handlers_.find(key);
    if (h != handlers_.end()) counts_.called += h->second.users;
}

}  // namespace scmi_vp::models
