// SPDX-License-Identifier: Apache-2.0
// The notification core of the driver: who has asked for which events of which sources, and what
// becomes of one that arrives (drivers/firmware/arm_scmi/notify.c v6.1).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "models/agent/protocol_driver.h"
#include "models/agent/scmi_agent.h"
#include "models/kernel/kernel.h"

namespace scmi_vp::models {

/// Where the protocols' parts are (struct scmi_event_ops).
class event_sources {
public:
    virtual ~event_sources() = default;
    /// nullptr: there is no such protocol.
    virtual protocol_driver* protocol(std::uint8_t id) const = 0;
};

/// What became of notifications.
struct notification_counts {
    std::uint64_t received = 0;
    std::uint64_t unknown = 0;    ///< of no event of an initialised protocol: ends silently
    std::uint64_t discarded = 0;  ///< longer than the event can be, or its queue was full
    std::uint64_t malformed = 0;  ///< of another length than the event has
    std::uint64_t unheard = 0;    ///< nobody had registered for it
    std::uint64_t called = 0;     ///< notifiers that were called
};

class scmi_notifications : public notification_listener {
public:
    static constexpr std::uint32_t all_sources = 0xffff;  ///< SRC_ID_MASK

    scmi_notifications(scmi_agent& agent, event_sources& sources)
        : agent_(agent), sources_(sources) {}

    /// scmi_notifier_register, _unregister: 0 or a negative errno. A notifier of a protocol that is
    /// not initialised waits for it without any traffic.
    int register_notifier(guest_context& c, std::uint8_t protocol, std::uint8_t event,
                          std::uint32_t source);
    int unregister_notifier(guest_context& c, std::uint8_t protocol, std::uint8_t event,
                            std::uint32_t source);

    /// The kernel thread that runs the work items; without one they take no time.
    void set_worker(guest_context* worker) { worker_ = worker; }
    /// That thread's life.
    void work(guest_context& c);

    /// scmi_notification_exit: everything that was registered or queued is gone.
    void clear();

    /// scmi_notify, in the interrupt handler.
    void notify(guest_cpu& cpu, const scmi::header& h, const std::uint8_t* payload,
                std::size_t size) override;

    const notification_counts& counts() const { return counts_; }

private:
    /// struct scmi_registered_event: who wants it, by source.
    struct registered_event {
        std::vector<std::uint32_t> users;
        guest_mutex mutex;  ///< sources_mtx
    };
    /// struct scmi_event_handler.
    struct handler {
        std::uint32_t users = 0;
        bool enabled = false;
    };
    struct queued_event {
        std::uint8_t event;
        std::vector<std::uint8_t> payload;
    };
    /// struct events_queue.
    struct event_queue {
        std::deque<queued_event> events;
        std::size_t bytes = 0;
    };
    static std::uint32_t key_of(std::uint8_t protocol, std::uint8_t event, std::uint32_t source) {
        return std::uint32_t(protocol) << 24 | std::uint32_t(event) << 16 | (source & 0xffff);
    }
    /// 0 while it is not initialised.
    std::uint32_t sources_of(std::uint8_t protocol) const;
    registered_event& event_at(std::uint8_t protocol, std::uint8_t event);
    int enable(guest_context& c, std::uint32_t key, bool on);
    void put_handler(guest_context& c, std::uint32_t key);
    void process(std::uint8_t protocol, sim_time when);
    void call_chain(std::uint32_t key);
    void log(const std::string& text, sim_time when);
    void log_queue_full(std::uint8_t protocol, std::uint8_t event);

    scmi_agent& agent_;
    event_sources& sources_;
    guest_context* worker_ = nullptr;
    std::map<std::uint32_t, handler> handlers_;         ///< by key
    std::map<std::uint32_t, registered_event> events_;  ///< by key of all sources
    std::map<std::uint8_t, event_queue> queues_;        ///< by protocol
    std::deque<std::uint8_t> work_;                     ///< protocols whose work is queued
    notification_counts counts_;
    sim_time window_start_;  ///< of the rate limit of "queue full"
    unsigned printed_ = 0, suppressed_ = 0;
};

}  // namespace scmi_vp::models
