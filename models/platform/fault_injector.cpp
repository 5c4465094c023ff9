// SPDX-License-Identifier: Apache-2.0
// See fault_injector.h.
#include "models/platform/fault_injector.h"

#include <algorithm>

namespace scmi_vp::models {
namespace {

scmi::header header_of(const scmi::message_bytes& m) {
    return scmi::header::unpack(scmi::get_u32(m.data(), m.size(), 0));
}

void corrupt(const fault_config& f, scmi::message_bytes& m) {
    for (std::size_t i = 0; i < f.bytes.size() && f.offset + i < m.size(); ++i) {
        std::uint8_t& byte = m[f.offset + i];
        byte = f.exclusive_or ? std::uint8_t(byte ^ f.bytes[i]) : f.bytes[i];
    }
}

}  // namespace

fault_injector::fault_injector(const std::vector<fault_config>& rows, std::uint64_t seed) {
    for (const fault_config& f : rows) {
        rows_.push_back(
            {f, f.delay ? latency(f.delay, random_stream(seed, f.name, "delay")) : latency(),
             random_stream(seed, f.name, f.kind == fault_kind::drop ? "lost" : "hit")});
    }
}

bool fault_injector::hits(row& r, sim_time when) {
    const fault_config& f = r.config;
    if (when < f.from || when >= f.to) return false;
    const std::uint64_t n = ++r.matched;
    if (n < f.nth || (n - f.nth) % f.every != 0) return false;
    if (f.count != 0 && r.hits >= f.count) return false;
    if (r.luck.next_unit() >= f.probability) return false;
    ++r.hits;
    return true;
}

void fault_injector::inject(row& r, scmi::message_bytes& m, fault_effect& e) {
    const fault_config& f = r.config;
    switch (f.kind) {
        case fault_kind::drop:
            e.dropped = true;
            e.delayed_dropped = includes(f.target, fault_target::delayed_response);
            break;
        case fault_kind::duplicate:
            e.copies.push_back({m, r.delay.next()});
            f.edit.apply(e.copies.back().bytes);
            break;
        case fault_kind::delay:
            e.delay += r.delay.next();
            break;
        case fault_kind::reorder:
            e.replies_first = std::max(e.replies_first, f.replies);
            if (f.delay) e.held_at_most = std::min(e.held_at_most, r.delay.next());
            break;
        case fault_kind::truncate:
            m.resize(std::min<std::size_t>(m.size(), f.length.value_or(0)));
            break;
        case fault_kind::length:
            e.used_length = f.length;
            break;
        case fault_kind::corrupt:
            corrupt(f, m);
            break;
        case fault_kind::rewrite:
            f.edit.apply(m);
            break;
    }
}

fault_effect fault_injector::apply(fault_target what, std::int32_t resource, sim_time when,
                                   scmi::message_bytes& m) {
    fault_effect e;
    if (m.size() < 4) return e;  // no message: an answer to what was no command
    const scmi::header before = header_of(m);
    for (row& r : rows_) {
        if (!includes(r.config.target, what) || !r.config.match.matches(before, resource) ||
            !hits(r, when)) {
            continue;
        }
        inject(r, m, e);
        if (e.dropped) break;
    }
    // The driver matches by token and type alone (scmi_xfer_command_acquire).
    const scmi::header after = header_of(m);
    e.unusable =
        e.dropped || m.size() < 4 || after.token != before.token || after.type != before.type;
    return e;
}

}  // namespace scmi_vp::models
