// SPDX-License-Identifier: Apache-2.0
// For tests of the driver: a system in which somebody at the device's place writes into its rings
// by hand.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/agent/protocol_table.h"
#include "models/model_testing.h"
#include "models/system.h"

namespace scmi_vp::models::testing_tools {

/// A call about an event.
inline call about(const char* what, const event_row* event, std::uint32_t source) {
    call c{call_named(what), source};
    c.event = event;
    return c;
}
inline call set_limits(std::uint32_t domain, level_limits limits) {
    call c{call_named("perf_limits_set"), domain};
    c.limits = limits;
    return c;
}

inline const call read_sync{call_named("sensor_read"), 0, 0},
    read_async{call_named("sensor_read"), 1, 0}, base_version{call_named("base_version"), 0, 0};

/// A system with somebody at the device's place who writes into its rings by hand.
class rogue_system : public sc_core::sc_module {
public:
    explicit rogue_system(const system_config& config)
        : sc_core::sc_module(sc_core::sc_module_name("bench")), top("top", config, sink) {
        SC_HAS_PROCESS(rogue_system);
        SC_THREAD(run_rogue);
    }

    void run() {
        sc_core::sc_start(to_sc(seconds(300)));
        top.finish();
    }
    /// Waits until the n-th read of a sensor (from 1) has been taken by the platform.
    request& sensor_read(std::size_t n = 1) {
        for (;;) {
            for (request* r : top.mon().open()) {
                const bool taken = r->reached >= std::size_t(instant::taken);
                if (!taken || r->hdr.protocol_id != scmi::protocol::sensor ||
                    r->hdr.message_id != 6 || r->left || r->id <= last_) {
                    continue;
                }
                last_ = r->id;
                if (--n == 0) return *r;
            }
            pass(nanoseconds(100));
        }
    }
    /// Sends a message in an event buffer, which the driver takes whatever it is.
    void event(scmi::header h, scmi::message_type type, const std::vector<std::uint32_t>& words) {
        h.type = type;
        std::vector<std::uint32_t> message{h.pack()};
        message.insert(message.end(), words.begin(), words.end());
        put(virtio::scmi_eventq, next_event_++, message.data(), 4 * message.size(),
            std::uint32_t(4 * message.size()));
    }
    /// Answers the command that was made available last; `length` is what the used ring says.
    void answer(const std::vector<std::uint32_t>& message, std::uint32_t length) {
        const auto newest = std::uint16_t(queue(virtio::scmi_cmdq).avail_index() - 1);
        put(virtio::scmi_cmdq, newest, message.data(), 4 * message.size(), length);
    }
    /// A used element that names any chain.
    void put_used(unsigned q, std::uint32_t id, std::uint32_t length) {
        const virtio::ring_layout& l = queue(q).layout();
        const auto idx = memory().load<std::uint16_t>(virtio::actor::device, l.used_idx());
        memory().store(virtio::actor::device, l.used_slot(idx), virtio::used_element{id, length});
        memory().store(virtio::actor::device, l.used_idx(), std::uint16_t(idx + 1));
        top.mon().made_used(q, std::uint16_t(id));
        top.device().used_buffer_interrupt(virtio::scmi_cmdq);
    }
    static void pass(sim_time t) { sc_core::wait(to_sc(t)); }

    /// Kernel messages after the probe's.
    std::vector<std::string> log() const { return sink.texts(3); }
    std::vector<request> reads() const {
        std::vector<request> all;
        for (const request& r : sink.requests) {
            if (r.hdr.protocol_id == scmi::protocol::sensor && r.hdr.message_id == 6) {
                all.push_back(r);
            }
        }
        return all;
    }

    collector sink;
    std::function<void()> rogue;
    system top;

private:
    void run_rogue() {
        if (rogue) rogue();
    }
    virtio::guest_memory& memory() { return top.view(); }
    virtio::driver_queue& queue(unsigned q) { return top.guest().driver().queue(q); }
    void put(unsigned q, std::uint16_t avail, const void* message, std::size_t size,
             std::uint32_t length) {
        const virtio::ring_layout& l = queue(q).layout();
        const auto head = memory().load<std::uint16_t>(virtio::actor::device, l.avail_slot(avail));
        auto d = memory().load<virtio::descriptor>(virtio::actor::device, l.desc + 16ull * head);
        if (d.flags & virtio::desc_f_next) {  // the command's own part comes first
            d = memory().load<virtio::descriptor>(virtio::actor::device, l.desc + 16ull * d.next);
        }
        memory().write(virtio::actor::device, d.address, message, size);
        put_used(q, head, length);
    }

    std::uint64_t last_ = 0;
    std::uint16_t next_event_ = 0;
};

/// Replies take 50 us; calls of one task.
inline system_config calls(std::vector<call> all, sim_time think = microseconds(100)) {
    system_config c = small_system();
    c.hops[std::size_t(hop::service)] = make_constant(microseconds(50));
    const std::uint64_t count = all.size();
    c.guest.loops = {loop_of("task", std::move(all), count, think)};
    return c;
}

/// All sensor reads are left to the rogue.
inline system_config unanswered(system_config c) {
    service_rule never;
    never.protocol_id = scmi::protocol::sensor;
    never.message_id = 6;
    never.never = true;
    c.platform.service = {never};
    return c;
}

}  // namespace scmi_vp::models::testing_tools
