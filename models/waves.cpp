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
        contexts_.push_back(out.declare(c + ".state", 3, wave_radix::states, &context_states()));
    }
    irq_ = out.declare(n.irq + ".level", 1, wave_radix::bit);
    irq_handler_ = out.declare(n.guest + ".irq_handler", 1, wave_radix::bit);
    for (unsigned i = 0; i < n.xfers; ++i) {
        const std::string xfer = n.guest + ".xfer" + std::to_string(i);
        xfer_state_.push_back(out.declare(xfer + "_state", 3, wave_radix::states, &xfer_states()));
        xfer_seq_.push_back(out.declare(xfer + "_seq", 10));
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

void waves::failed() {
    failure_ = std::current_exception();
    timeline::get().stop();
}

void waves::finish() {
    try {
        show_hops(hops_at_);
    } catch (const error&) {
        failed();
    }
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void waves::register_access(sim_time t, bool write, std::uint32_t offset, std::uint32_t value) {
    change(reg_, t, offset);
    change(reg_write_, t, write);
    change(reg_value_, t, value);
    change(reg_count_, t, ++accesses_);
}

void waves::xfer(sim_time t, unsigned slot, xfer_wave state, std::uint16_t seq) {
    std::size_t lane = 0;
    while (lane < xfer_lanes_.size() && xfer_lanes_[lane] != slot) ++lane;
    if (lane == xfer_state_.size()) return;
    if (lane == xfer_lanes_.size()) xfer_lanes_.push_back(static_cast<std::uint16_t>(slot));
    change(xfer_state_[lane], t, std::uint64_t(state));
    if (state != xfer_wave::free) change(xfer_seq_[lane], t, seq);
}

/// The latest move is done, and where it ended is where the next one starts.
void waves::settle_move(sim_time t, int from, int to) {
    count_move();
    try {
        if (t != hops_at_) show_hops(t);
    } catch (const error&) {
        failed();
    }
    hops_at_ = t;
    moved_from_ = from;
    moved_to_ = to;
}

void waves::count_move() {
    if (moved_from_ == moved_to_) return;
    --in_hop_[std::size_t(moved_from_ + 1)];
    ++in_hop_[std::size_t(moved_to_ + 1)];
    hops_moved_ |= (1u << (moved_from_ + 1) | 1u << (moved_to_ + 1)) & ~1u;
    moved_from_ = moved_to_;
}

/// The counts at the end of the instant, now that it is `t`: a hop that took no time is not shown.
void waves::show_hops(sim_time t) {
    count_move();
    for (; hops_moved_ != 0; hops_moved_ &= hops_moved_ - 1) {
        const auto hop = static_cast<std::size_t>(__builtin_ctz(hops_moved_)) - 1;
        if (!failure_) out_.change(hops_[hop], hops_at_, in_hop_[hop + 1]);
    }
    hops_at_ = t;
}

}  // namespace scmi_vp::models
