// SPDX-License-Identifier: Apache-2.0
// The virtio SCMI device and the host behind it: takes chains from the queues, serves them in
// simulated time with the platform model, returns them. It does not know who is in front.
//
// In front stands a device_front: register-level virtio-mmio for the modelled guest, vhost-user for
// a real one. It says when queues start and are kicked; the device says when to interrupt.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <systemc>

#include "base/rarely.h"
#include "models/config.h"
#include "models/monitor.h"
#include "models/platform/fault_injector.h"
#include "models/platform/host_schedule.h"
#include "models/scope.h"
#include "scmi/platform_server.h"
#include "tlm/calendar.h"
#include "traces/span_histogram.h"
#include "virtio/device_state.h"
#include "virtio/ring/split_ring.h"

namespace scmi_vp::models {

/// What the device needs from the transport in front of it.
class device_front {
public:
    virtual ~device_front() = default;
    virtual void used_buffer_interrupt(unsigned queue) = 0;  ///< something was put in its used ring
    /// DEVICE_NEEDS_RESET
    virtual void ring_broken(unsigned queue, const virtio::ring_fault& fault) = 0;
};

/// What stands behind a transport: the platform's own device, or a foreign one. Told by the front,
/// at the current simulated time.
class device_backend {
public:
    virtual ~device_backend() = default;
    virtual void connect(device_front& front) = 0;
    virtual void start(unsigned queue, const virtio::ring_layout& layout,
                       virtio::ring_features features, bool p2a_channels) = 0;
    virtual void stop(unsigned queue) = 0;
    virtual void kick(unsigned queue) = 0;  ///< the doorbell was written
    virtual void reset() = 0;
    /// Something lies in the queue that nobody has kicked for.
    virtual bool has_work(unsigned queue) = 0;
};

/// The latencies of the hops that the host adds.
struct host_latencies {
    latency notify, host_wake, queue, service, return_, delayed_work;
    std::vector<std::pair<service_rule, latency>> rules;  ///< the last match replaces `service`
    host_schedule schedule;
    fault_injector faults;
};

/// What became of messages in event buffers.
struct event_counts {
    std::uint64_t delayed = 0;        ///< delayed responses sent
    std::uint64_t notifications = 0;  ///< sent
    std::uint64_t others = 0;         ///< duplicates and unsolicited messages sent
    std::uint64_t dropped = 0;        ///< not sent: there was no buffer for them
};

class scmi_device final : public sc_core::sc_module, public device_backend {
public:
    /// A device of another agent on the platform of `shared`, or of a platform of its own.
    scmi_device(sc_core::sc_module_name name, const platform_config& config,
                host_latencies latencies, virtio::guest_memory& memory, monitor& mon,
                std::uint32_t agent_id = 1, scmi_device* shared = nullptr);

    void connect(device_front& front) override { front_ = &front; }

    void start(unsigned queue, const virtio::ring_layout& layout, virtio::ring_features features,
               bool p2a_channels) override;
    void stop(unsigned queue) override;
    void kick(unsigned queue) override;  ///< after the hop notify it is seen
    /// For a driver that runs on in real time (guest_memory::concurrent) while simulated time is
    /// behind: reads how far it has got with commands. The next kick lets the workers go so far and
    /// no further, so that no command is served at an earlier time than it was made at, if the kick
    /// comes at a simulated time after the look. True: farther than at the last look.
    bool look();
    void reset() override;
    bool has_work(unsigned queue) override {
        return live_[queue] && queues_[queue].has_available();
    }
    /// A queue that was just started goes on at an index where a device left off before
    /// (vhost-user VRING_BASE); where the used ring stands, it says itself.
    void resume_at(unsigned queue, std::uint16_t next_available);
    /// The counterpart: what is in flight is answered at once, delayed responses wait for the next
    /// start; the queue stops. The index where to go on.
    std::uint16_t suspend(unsigned queue);

    /// Counts the time from each command's kick until its reply is in the used ring.
    void record_responses(traces::span_histogram* into) { responses_ = into; }
    const scmi::platform_server& server() const { return *server_; }
    unsigned busy_workers() const { return busy_; }
    /// Something will still be answered to this agent, if nobody asks for more: a command that was
    /// given or is under way, or a delayed response. Not what was lost, nor a reply that a fault
    /// holds until later ones have gone when there are none to come.
    bool owes_answers();
    std::uint64_t served() const { return served_; }
    std::uint64_t malformed() const { return malformed_; }
    const fault_injector& faults() const { return latencies_.faults; }
    const event_counts& events() const { return events_sent_; }

private:
    /// A command under way.
    struct job {
        virtio::chain chain;
        scmi::command_result result;
        bool in_use = false;
        std::optional<std::uint32_t> used_length;  ///< a fault: not what was written
        sim_time kicked;  ///< when the doorbell was last written before it was taken
    };
    enum class event_kind : std::uint8_t { delayed_response, notification, other };
    /// A message for the event queue, under way or waiting for a buffer.
    struct event_message {
        scmi::message_bytes bytes;
        std::int32_t resource = -1;
        event_kind kind = event_kind::other;
        std::uint8_t places_of = 0;  ///< the protocol in whose limit it has a place; 0: none
        std::uint16_t token = 0;     ///< of the command that it answers, whatever faults made of it
        std::uint8_t protocol_id = 0;
        bool faults_applied = false;
        bool in_use = false;
        std::optional<std::uint32_t> used_length;
    };
    /// A response that waits until later ones have gone.
    struct held_response {
        std::uint32_t job;
        std::uint32_t replies_first;
        std::uint32_t number;  ///< to be found by when its time is up
        bool has_limit;        ///< it goes at some time, also when nothing follows it
    };
    enum class step : std::uint8_t {
        take,
        ready,
        publish,
        held_long_enough,
        event,
        unsolicited,
        change
    };
    struct work {
        std::uint32_t
            job;  ///< or event message, held response, row of platform.unsolicited or .change
        step what;
        std::uint32_t epoch;  ///< of the device: older work was cancelled by a reset
    };

    void command_kick_seen();
    bool see_more();
    void work_due();
    void woken();
    void run_workers();
    bool worker_free() const { return workers_ == 0 || busy_ < workers_; }
    bool host_paused();
    void lose(std::uint32_t j);
    void forget_delayed(job& j);
    bool inject(std::uint32_t index, sim_time& back);
    void hold(std::uint32_t index, const fault_effect& e);
    void held_long_enough(std::uint32_t number);
    void release_held();
    void begin(std::uint32_t j);
    [[gnu::noinline]] void take_later(std::uint32_t j);
    void response_ready(std::uint32_t j);
    void publish(std::uint32_t j);
    void put_response(std::uint32_t j);
    void run_step(const work& w);
    // Event queue: scmi_device_events.cpp.
    void start_of_simulation() override;
    void start_delayed(job& j);
    void send_later(event_message&& m, sim_time after);
    void event_ready(std::uint32_t e);
    bool inject(std::uint32_t e);
    void unsolicited_due(std::uint32_t row);
    void change_due(std::uint32_t row);
    void again(std::uint32_t row, step what, const schedule_config& when, std::uint64_t done);
    void flush_events();
    void retire_event(std::uint32_t e);
    bool take_event_chain();
    bool deliver(event_message& m);
    void tell(scmi::notifications& all);
    void send_notification(scmi::notification& n);
    void forget_notifications_to(std::uint32_t agent_id);
    void answer_in_flight();
    sim_time service_time(const scmi::header& h, std::int32_t resource, bool& never);
    [[gnu::noinline]] void record_response(const job& j);
    [[gnu::noinline]] void add_job();
    std::uint32_t next_job();  ///< the one that take_job takes
    void take_job();
    void release_job(std::uint32_t j);
    void broken(unsigned queue);

    scope cmdq_{"cmdq"}, eventq_{"eventq"};
    std::shared_ptr<scmi::platform_server> server_;
    /// The devices of this platform: an agent is told of changes through its own. One list for all.
    std::shared_ptr<std::vector<scmi_device*>> sharing_;
    std::vector<unsolicited_message> unsolicited_;
    std::vector<platform_change_config> changes_;
    host_latencies latencies_;
    bool host_always_;  ///< it has no slot and no pauses
    unsigned workers_;
    virtio::guest_memory& memory_;
    monitor& mon_;
    std::uint32_t agent_id_;
    device_front* front_ = nullptr;

    std::array<virtio::device_queue, 2> queues_;
    std::array<bool, 2> live_{};
    bool look_again_ = true;  ///< a worker looks for more than what was kicked for: see look()
    /// Where the driver was at the last look, and at the one before the last kick.
    std::optional<std::uint16_t> looked_, kicked_for_;
    bool p2a_ = false, awake_ = false;
    unsigned busy_ = 0;
    std::uint32_t epoch_ = 0;
    std::vector<job> jobs_;
    std::vector<std::uint32_t> free_jobs_;
    std::vector<held_response> held_;
    std::uint32_t next_held_ = 0;
    std::deque<event_message> events_;  ///< those in use stay where they are
    std::vector<std::uint32_t> free_events_;
    std::vector<std::uint32_t> waiting_events_;                   ///< for a buffer, in order
    std::vector<std::uint64_t> unsolicited_done_, changes_done_;  ///< how often, by row
    scmi::notifications told_;
    event_counts events_sent_;
    std::uint64_t served_ = 0, malformed_ = 0;
    virtio::chain event_chain_;
    bool event_chain_held_ = false;
    calendar<work> calendar_;
    sim_time kicked_at_;  ///< the command queue's doorbell was last written
    traces::span_histogram* responses_ = nullptr;
    std::array<alarm, 2> kicks_;
    alarm wake_, resume_;
};

}  // namespace scmi_vp::models
