// SPDX-License-Identifier: Apache-2.0
// Schema rows: when the platform's host does not run it, and what it loses.
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

models::host_pause& pause_of(draft& d) {
    return d.out.system.platform.pauses.back();
}

/// A loss is a fault with a shorter name.
models::fault_config& loss_of(draft& d) {
    return d.out.system.platform.faults.back();
}

void add_loss(draft& d, const value& v) {
    models::fault_config& f = d.out.system.platform.faults.emplace_back();
    f.name = v.key;
    f.kind = models::fault_kind::drop;
    f.target = models::fault_target::reply;
}

bool always_zero(const distribution& d) {
    return d.quantile(0.999999) == sim_time{};
}

/// Without a limit, pauses that follow each other at once would stop the platform for ever, and
/// such as take no time the simulation. So many of them, back to back, are one long pause.
void finish_pause(draft& d, const value& v) {
    const models::host_pause& p = pause_of(d);
    if (p.count == 0 && always_zero(*p.every)) {
        v.refuse(
            "every is always zero: the platform would never run; give it a length, or a "
            "count");
    }
    if (always_zero(*p.length)) v.refuse("length is always zero: such a pause is none");
}

std::vector<key_info> pause_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.pause", "[]",
         "Times when the host does not run the platform: work under way is "
         "suspended, replies wait."},
        [](draft& d, const value&) { d.out.system.platform.pauses.emplace_back(); }, finish_pause));
    keys.push_back(latency(
        {"platform.pause[].every", "(required)",
         "From the end of one pause, or the start of the run, to the next; always 0s only with "
         "a count: that many back to back."},
        [](draft& d, distribution_ptr l) { pause_of(d).every = std::move(l); }));
    keys.push_back(
        latency({"platform.pause[].length", "(required)", "How long each lasts."},
                [](draft& d, distribution_ptr l) { pause_of(d).length = std::move(l); }));
    keys.push_back(integer({"platform.pause[].count", "0", "At most so many; 0: no limit."}, "", 0,
                           any,
                           [](draft& d, std::int64_t n) { pause_of(d).count = std::uint64_t(n); }));
    return keys;
}

std::vector<key_info> slot_keys() {
    std::vector<key_info> keys;
    keys.push_back(time({"platform.slot.period", "\"0s\"",
                         "The host runs the platform only in a slot of each period (TDMA); 0s: "
                         "always."},
                        [](draft& d, sim_time t) { d.out.system.platform.slot.period = t; }));
    keys.push_back(time(
        {"platform.slot.length", "\"0s\"", "How long the slot at the start of each period is."},
        [](draft& d, sim_time t) { d.out.system.platform.slot.slot = t; }));
    keys.push_back(time({"platform.slot.phase", "\"0s\"", "When the first period starts."},
                        [](draft& d, sim_time t) { d.out.system.platform.slot.phase = t; }));
    return keys;
}

std::vector<key_info> loss_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        tables({"platform.loss", "[]", "Commands that are served but never answered."}, add_loss));
    keys.push_back(number({"platform.loss[].probability", "(required)", "Of each reply."}, 0, 1,
                          [](draft& d, double p) { loss_of(d).probability = p; }));
    keys.push_back(time({"platform.loss[].from", "\"0s\"", "Only replies due at or after this."},
                        [](draft& d, sim_time t) { loss_of(d).from = t; }));
    keys.push_back(time({"platform.loss[].to", "(the end)", "And before this."},
                        [](draft& d, sim_time t) { loss_of(d).to = t; }));
    return keys;
}

}  // namespace

std::vector<key_info> host_keys() {
    std::vector<key_info> keys = pause_keys();
    for (auto part : {slot_keys(), loss_keys()}) {
        for (key_info& k : part) keys.push_back(std::move(k));
    }
    return keys;
}

}  // namespace scmi_vp::scenario::rows
