// SPDX-License-Identifier: Apache-2.0
// See waves.h.
#include "models/waves.h"

#include <utility>

#include <systemc>

#include "tlm/timeline.h"
#include "virtio/mmio_registers.h"

namespace scmi_vp::models {
namespace {

using traces::state_table;
using traces::wave_radix;

const state_table& xfer_states() {
    static const state_table t{"xfer_state",
                               {{0, "free"},
                                {1, "taken"},
                                {2, "SENT_OK"},
                                {3, "RESP_OK"},
                                {4, "DRESP_OK"},
                                {5, "timed_out"}}};
    return t;
}

const state_table& context_states() {
    static const state_table t{"context_state",
                               {{0, "idle"},
                                {1, "runnable"},
                                {2, "running"},
                                {3, "waiting"},
                                {4, "waiting_delayed"},
                                {5, "done"},
                                {6, "waiting_lock"}}};
    return t;
}

const state_table& register_names() {
    static const state_table t = [] {
        state_table names{"register", {}};
        for (std::size_t i = 0; i < virtio::register_table_size; ++i) {
            names.words.emplace_back(virtio::register_table[i].offset,
                                     std::string(virtio::register_table[i].name));
        }
        return names;
    }();
    return t;
}

}  // namespace

waves::waves(traces::vcd_writer& out, const names& n) : out_(out) {
    // The order of declaration is the order on the screen: what one looks for first comes first.
    for (const hop_info& h : hop_table) {
        hops_[std::size_t(h.id)] =
            out.declare(n.requests + "." + std::string(h.name), 16, wave_radix::decimal);
    }
    for (const std::string& c : n.contexts) {
        contexts_.push_back({out.declare(c + ".state", 3, wave_radix::states, &context_states()),
                             context_wave::idle, false});
    }
    tasks_.resize(contexts_.size());
    tasks_end_ = tasks_.data();
    irq_ = out.declare(n.irq + ".level", 1, wave_radix::bit);
    irq_handler_ = out.declare(n.guest + ".irq_handler", 1, wave_radix::bit);
    for (unsigned i = 0; i < n.xfers; ++i) {
        const std::string xfer = n.guest + ".xfer" + std::to_string(i);
        xfer_lane lane;
        lane.state = out.declare(xfer + "_state", 3, wave_radix::states, &xfer_states());
        lane.seq = out.declare(xfer + "_seq", 10);
        xfer_lanes_.push_back(lane);
    }
    workers_ = out.declare(n.platform + ".workers_busy", 16, wave_radix::decimal);
    static constexpr const char* indices[] = {"avail_idx", "taken_idx", "used_idx",
                                              "collected_idx"};
    for (unsigned q = 0; q < 2; ++q) {
        for (unsigned i = 0; i < 4; ++i) {
            queues_[q][i] = out.declare(n.queues[q] + "." + indices[i], 16, wave_radix::decimal);
        }
    }
    reg_ = out.declare(n.device + ".register", 12, wave_radix::states, &register_names());
    reg_write_ = out.declare(n.device + ".register_write", 1, wave_radix::bit);
    reg_value_ = out.declare(n.device + ".register_value", 32);
    reg_count_ = out.declare(n.device + ".register_accesses", 8, wave_radix::decimal);
    interrupt_status_ = out.declare(n.device + ".interrupt_status", 2);
}

/// Signals change in SystemC methods, where an exception would end as a report of SystemC's own: it
/// is kept, and the simulation stops.
void waves::failed() {
    failure_ = std::current_exception();
    timeline::get().stop();
}

void waves::finish() {
    go_to(now_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void waves::go_to(sim_time t) {
    show_end_of_instant();
    now_ = t;
    if (failure_) return;
    try {
        out_.advance(t);
    } catch (const error&) {
        failed();
    }
}

void waves::change(traces::wave_id id, sim_time t, std::uint64_t value) {
    if (t != now_) return change_later(id, t, value);
    out_.set(id, value);
}

void waves::change_later(traces::wave_id id, sim_time t, std::uint64_t value) {
    go_to(t);
    out_.set(id, value);
}

void waves::register_access(sim_time t, bool write, std::uint32_t offset, std::uint32_t value) {
    if (t != now_) return access_later(t, write, offset, value);
    access_ = {offset, value, write};
    ++accesses_;
}

void waves::access_later(sim_time t, bool write, std::uint32_t offset, std::uint32_t value) {
    go_to(t);
    register_access(t, write, offset, value);
}

void waves::xfer(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq) {
    if (t != now_ || slot >= slots_ || xfer_slots_[slot].seq != seq) {
        return xfer_anew(t, slot, state, seq);
    }
    out_.set(xfer_slots_[slot].lane.state, std::uint64_t(state));
}

void waves::xfer_anew(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq) {
    if (t != now_) go_to(t);
    if (slot >= slots_) xfer_slots_.resize(slots_ = slot + 1, {{}, no_seq});
    xfer_slot& s = xfer_slots_[slot];
    if (s.seq == no_seq) {
        if (lanes_used_ == xfer_lanes_.size()) return;
        s.lane = xfer_lanes_[lanes_used_++];
    }
    s.seq = seq;
    out_.set(s.lane.state, std::uint64_t(state));
    out_.set(s.lane.seq, seq);
}

void waves::context(sim_time t, unsigned index, context_wave state) {
    if (t != now_) return context_later(t, index, state);
    task& c = contexts_[index];
    c.state = state;
    if (c.is_listed) return;
    c.is_listed = true;
    *tasks_end_++ = index;
}

void waves::context_later(sim_time t, unsigned index, context_wave state) {
    go_to(t);
    context(t, index, state);
}

/// The latest move is done, and where it ended is where the next one starts.
void waves::settle_move(int from, int to, sim_time t) {
    if (t != now_) {
        go_to(t);
    } else {
        count_move();
    }
    moved_from_ = from;
    moved_to_ = to;
}

inline void waves::count_move() {
    const auto from = static_cast<unsigned>(moved_from_ + 1);
    const auto to = static_cast<unsigned>(moved_to_ + 1);
    if (from == to) return;
    --in_hop_[from];
    ++in_hop_[to];
    hops_moved_ |= (1u << from | 1u << to) & ~1u;
    moved_from_ = moved_to_;
}

inline void waves::show_end_of_instant() {
    if (accesses_ != shown_accesses_) {
        shown_accesses_ = accesses_;
        out_.set(reg_, access_.offset);
        out_.set(reg_write_, access_.write);
        out_.set(reg_value_, access_.value);
        out_.set(reg_count_, accesses_ % 256);
    }
    while (tasks_end_ != tasks_.data()) {
        task& c = contexts_[*--tasks_end_];
        c.is_listed = false;
        out_.set(c.id, std::uint64_t(c.state));
    }
    count_move();
    for (unsigned moved = std::exchange(hops_moved_, 0); moved != 0; moved &= moved - 1) {
        const auto hop = static_cast<unsigned>(__builtin_ctz(moved));
        out_.set(hops_[hop - 1], in_hop_[hop]);
    }
}

}  // namespace scmi_vp::models
