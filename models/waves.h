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
    /// A request moved from hop `from` to hop `to` (-1: not under way). What is shown is how many
    /// are in each at the end of the instant.
    void hop_moved(sim_time t, int from, int to) {
        if (t == hops_at_ && from == moved_to_) {  // the same one, or one that is like it
            moved_to_ = to;
        } else {
            settle_move(t, from, to);
        }
    }

    /// After the simulation: the last changes are written; throws what writing the waveform threw
    /// (a full disk), if anything.
    void finish();

private:
    /// Signals change in SystemC methods, where an exception would end as a report of SystemC's
    /// own: it is kept, and the simulation stops.
    [[gnu::always_inline]] void change(traces::wave_id id, sim_time t, std::uint64_t value) {
        try {
            if (t != hops_at_) show_hops(t);
            if (!failure_) out_.change(id, t, value);
        } catch (const error&) {
            failed();
        }
    }
    void settle_move(sim_time t, int from, int to);
    void count_move();
    [[gnu::noinline]] void show_hops(sim_time t);
    [[gnu::cold]] void failed();

    traces::vcd_writer& out_;
    std::exception_ptr failure_;
    traces::wave_id irq_, interrupt_status_, reg_, reg_value_, reg_write_, reg_count_, irq_handler_,
        workers_;
    std::array<std::array<traces::wave_id, 4>, 2> queues_{};
    std::vector<traces::wave_id> xfer_state_, xfer_seq_, contexts_;
    std::vector<std::uint16_t> xfer_lanes_;  ///< pool slots in order of first use
    std::array<traces::wave_id, hop_count> hops_{};
    std::array<unsigned, hop_count + 1>
        in_hop_{};                         ///< by hop + 1; the first is outside all of them
    sim_time hops_at_;                     ///< when requests moved last ...
    int moved_from_ = -1, moved_to_ = -1;  ///< the latest move, not counted yet
    unsigned hops_moved_ = 0;    ///< ... and the hops to be written, a bit each, by hop + 1
    std::uint8_t accesses_ = 0;  ///< modulo 256
};

}  // namespace scmi_vp::models
