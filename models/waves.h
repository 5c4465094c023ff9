// SPDX-License-Identifier: Apache-2.0
// The signals of a run's waveform: register accesses, queue indices, the interrupt line, xfer
// states, callers, and how many requests are in each hop. Scopes are SystemC objects' names.
#pragma once

#include <array>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hops.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::models {

enum class xfer_wave : std::uint8_t {
    free = 0,
    taken = 1,
    sent = 2,
    responded = 3,
    delayed_done = 4,
    timed_out = 5
};
enum class context_wave : std::uint8_t {
    idle = 0,
    runnable = 1,
    running = 2,
    waiting = 3,
    waiting_delayed = 4,
    done = 5,
    waiting_lock = 6
};
enum class queue_wave : std::uint8_t { avail, taken, used, collected };

class waves {
public:
    struct names {
        std::string device, irq, guest, requests,
            platform;  ///< hierarchical names of SystemC objects
        std::vector<std::string> contexts;
        std::array<std::string, 2> queues;
        unsigned xfers = 8;
    };
    waves(traces::vcd_writer& out, const names& n);

    [[gnu::noinline]] void register_access(sim_time t, bool write, std::uint32_t offset,
                                           std::uint32_t value);
    [[gnu::noinline]] void irq(sim_time t, bool level) { change(irq_, t, level); }
    [[gnu::noinline]] void interrupt_status(sim_time t, std::uint32_t value) {
        change(interrupt_status_, t, value);
    }
    [[gnu::noinline]] void queue_index(sim_time t, unsigned queue, queue_wave which,
                                       std::uint16_t value) {
        change(queues_[queue][std::size_t(which)], t, value);
    }
    /// Pool slots get lanes in order of their first use (the pool is a stack: few are ever used).
    [[gnu::noinline]] void xfer(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq);
    [[gnu::noinline]] void context(sim_time t, unsigned index, context_wave state) {
        change(contexts_[index], t, std::uint64_t(state));
    }
    [[gnu::noinline]] void irq_handler(sim_time t, bool active) { change(irq_handler_, t, active); }
    [[gnu::noinline]] void workers(sim_time t, unsigned busy) { change(workers_, t, busy); }
    /// A request moved from hop `from` to hop `to` (-1: not under way).
    [[gnu::noinline]] void hop_moved(sim_time t, int from, int to);

    /// After the simulation: throws what writing the waveform threw (a full disk), if anything.
    void rethrow_failure();

private:
    /// Signals change in SystemC methods, where an exception would end as a report of SystemC's
    /// own: it is kept, and the simulation stops.
    void change(traces::wave_id id, sim_time t, std::uint64_t value);
    [[gnu::cold]] void failed();

    traces::vcd_writer& out_;
    std::exception_ptr failure_;
    traces::wave_id irq_, interrupt_status_, reg_, reg_value_, reg_write_, reg_count_, irq_handler_,
        workers_;
    std::array<std::array<traces::wave_id, 4>, 2> queues_{};
    std::vector<traces::wave_id> xfer_state_, xfer_seq_, contexts_;
    std::vector<std::uint16_t> xfer_lanes_;  ///< pool slots in order of first use
    std::array<traces::wave_id, hop_count> hops_{};
    std::array<unsigned, hop_count> in_hop_{};
    std::uint64_t accesses_ = 0;
};

}  // namespace scmi_vp::models
