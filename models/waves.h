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

/// Every change of a signal is in the file, several at one instant in their order, but for hops,
/// register accesses and tasks' states: of those, what is so at the end of the instant.
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

    // Each is told of an instant that is not before that of any other.

    void register_access(sim_time t, bool write, std::uint32_t offset, std::uint32_t value);
    void irq(sim_time t, bool level) { change(irq_, t, level); }
    void interrupt_status(sim_time t, std::uint32_t value) { change(interrupt_status_, t, value); }
    void queue_index(sim_time t, unsigned queue, queue_wave which, std::uint16_t value) {
        change(queues_[queue][std::size_t(which)], t, value);
    }
    /// Pool slots get lanes in order of their first use (the pool is a stack: few are ever used).
    void xfer(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq);
    void context(sim_time t, unsigned index, context_wave state);
    void irq_handler(sim_time t, bool active) { change(irq_handler_, t, active); }
    void workers(sim_time t, unsigned busy) { change(workers_, t, busy); }
    /// A request moved from hop `from` to hop `to` (-1: not under way).
    void hop_moved(int from, int to, sim_time t) {
        if (t == now_ && from == moved_to_) {  // the same one, or one that is like it
            moved_to_ = to;
        } else {
            settle_move(from, to, t);
        }
    }

    /// After the simulation: the last changes are written; throws what writing the waveform threw
    /// (a full disk), if anything.
    void finish();

private:
    struct access {
        std::uint32_t offset, value;
        bool write;
    };
    struct task {
        traces::wave_id id;
        context_wave state;
        bool is_listed;
    };
    struct xfer_lane {
        traces::wave_id state, seq;
    };
    /// A slot's lane, and the sequence number that it shows; no_seq without a lane.
    struct xfer_slot {
        xfer_lane lane;
        std::uint32_t seq;
    };
    static constexpr std::uint32_t no_seq = UINT32_MAX;

    // What has to do more than to note the change is in functions that are called last: the others
    // have no registers to save.
    void change(traces::wave_id id, sim_time t, std::uint64_t value);
    [[gnu::noinline]] void change_later(traces::wave_id id, sim_time t, std::uint64_t value);
    [[gnu::noinline]] void access_later(sim_time t, bool write, std::uint32_t offset,
                                        std::uint32_t value);
    [[gnu::noinline]] void xfer_anew(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq);
    [[gnu::noinline]] void context_later(sim_time t, unsigned index, context_wave state);
    [[gnu::noinline]] void go_to(sim_time t);
    [[gnu::noinline]] void settle_move(int from, int to, sim_time t);
    void count_move();
    void show_end_of_instant();
    [[gnu::cold]] void failed();

    traces::vcd_writer& out_;
    std::exception_ptr failure_;
    sim_time now_;  ///< of what was told last
    traces::wave_id irq_, interrupt_status_, reg_, reg_value_, reg_write_, reg_count_, irq_handler_,
        workers_;
    std::array<std::array<traces::wave_id, 4>, 2> queues_{};
    std::vector<xfer_lane> xfer_lanes_;
    std::size_t lanes_used_ = 0;
    std::vector<xfer_slot> xfer_slots_;
    unsigned slots_ = 0;  ///< their size(), which would be asked, and multiply, at each change

    // What is shown at the end of the instant.
    access access_{};  ///< the latest
    unsigned accesses_ = 0, shown_accesses_ = 0;
    std::vector<task> contexts_;
    std::vector<unsigned> tasks_;  ///< those whose state was set, once each
    unsigned* tasks_end_ = nullptr;
    std::array<traces::wave_id, hop_count> hops_{};
    std::array<unsigned, hop_count + 1>
        in_hop_{};                         ///< by hop + 1; the first is outside all of them
    int moved_from_ = -1, moved_to_ = -1;  ///< the latest move, not counted yet
    unsigned hops_moved_ = 0;              ///< a bit each, by hop + 1
};

}  // namespace scmi_vp::models
