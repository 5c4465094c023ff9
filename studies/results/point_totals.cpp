// SPDX-License-Identifier: Apache-2.0
// See point_totals.h.
#include "studies/results/point_totals.h"

#include <algorithm>

namespace scmi_vp::studies {
namespace {

using models::instant;
using models::outcome;
using models::request;
using nlohmann::json;
using traces::span_histogram;
using traces::span_sum;

json json_of(const span_sum& s) {
    return {s.whole_seconds(), s.rest_picoseconds()};
}

span_sum sum_from(const json& j) {
    return span_sum::from(j.at(0).get<std::uint64_t>(), j.at(1).get<std::uint64_t>());
}

json json_of(const span_histogram& h) {
    json buckets = json::array();
    for (const auto& [end, n] : h.occupied()) {
        buckets.push_back(end.ps);
        buckets.push_back(n);
    }
    return {{"buckets", std::move(buckets)},
            {"min", h.min().ps},
            {"max", h.max().ps},
            {"sum", json_of(h.sum())}};
}

span_histogram histogram_from(const json& j) {
    std::vector<span_histogram::bucket> buckets;
    const json& flat = j.at("buckets");
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
        buckets.emplace_back(sim_time(flat[i].get<std::int64_t>()),
                             flat[i + 1].get<std::uint64_t>());
    }
    return span_histogram::from(buckets, sim_time(j.at("min").get<std::int64_t>()),
                                sim_time(j.at("max").get<std::int64_t>()), sum_from(j.at("sum")));
}

json json_of(const delayed_sums& d) {
    return {d.requests,     d.received, d.spurious,     d.true_timeouts,
            d.true_pending, d.late,     json_of(d.wait)};
}

delayed_sums delayed_from(const json& j) {
    delayed_sums d;
    std::size_t i = 0;
    for (std::uint64_t* n :
         {&d.requests, &d.received, &d.spurious, &d.true_timeouts, &d.true_pending, &d.late}) {
        *n = j.at(i++).get<std::uint64_t>();
    }
    d.wait = histogram_from(j.at(i));
    return d;
}

json json_of(const slowest_request& s) {
    json hops = json::array();
    for (const sim_time t : s.hops) hops.push_back(t.ps);
    return {s.replication, s.id,   s.round_trip.ps, s.entered.ps,   s.returned.ps,
            s.stuck_in,    s.task, s.name,          std::move(hops)};
}

slowest_request slowest_from(const json& j) {
    slowest_request s;
    s.replication = j.at(0).get<std::uint64_t>();
    s.id = j.at(1).get<std::uint64_t>();
    s.round_trip = sim_time(j.at(2).get<std::int64_t>());
    s.entered = sim_time(j.at(3).get<std::int64_t>());
    s.returned = sim_time(j.at(4).get<std::int64_t>());
    s.stuck_in = j.at(5).get<std::string>();
    s.task = j.at(6).get<std::string>();
    s.name = j.at(7).get<std::string>();
    for (std::size_t i = 0; i < span_count; ++i) {
        s.hops[i] = sim_time(j.at(8).at(i).get<std::int64_t>());
    }
    return s;
}

slowest_request slowest_of(const request& r, const std::vector<std::string>& tasks) {
    slowest_request s;
    s.id = r.id;
    s.round_trip = r.round_trip();
    s.entered = r.at[std::size_t(instant::entered)];
    s.returned = r.felt;
    if (r.gave_up() != models::limit::none) s.stuck_in = std::string(name_of(r.stuck_in()));
    s.task = r.context < tasks.size() ? tasks[r.context] : "?";
    s.name = scmi::message_name(r.hdr.protocol_id, r.hdr.message_id);
    s.hops = r.hops();
    return s;
}

}  // namespace

void point_totals::add(const request& r, const std::vector<std::string>& tasks) {
    ++requests;
    ++outcomes[std::size_t(r.result)];
    if (is_spurious_timeout(r)) ++spurious;
    if (is_true_timeout(r)) {
        ++true_timeouts;
        true_pending += !r.timed_out;
    }
    if (r.late_at != sim_time{}) {
        ++late_replies;
        note_late({0, r.id, r.late_at - r.at[std::size_t(instant::entered)]});
    }
    if (r.waited()) add_delayed(r);
    if (r.result == outcome::unfinished) {
        longest_unfinished = std::max(longest_unfinished, r.round_trip());
    }
    if (!has_round_trip(r)) return;
    const sim_time trip = r.round_trip();
    round_trip.add(trip);
    const auto hops = r.hops();
    const std::size_t spans = r.waited() ? span_count : hop_count;
    for (std::size_t i = 0; i < spans; ++i) {
        hop_sum[i].add(std::max(hops[i], sim_time{}));
        hop_max[i] = std::max(hop_max[i], hops[i]);
    }
    if (slowest.id == 0 || trip > slowest.round_trip) slowest = slowest_of(r, tasks);
}

void delayed_sums::add(const request& r) {
    ++requests;
    spurious += is_spurious_delayed_timeout(r);
    if (is_true_delayed_timeout(r)) {
        ++true_timeouts;
        true_pending += r.result == outcome::unfinished;
    }
    late += r.delayed_late_at != sim_time{};
    if (r.result == outcome::unfinished) return;
    received += r.delayed == models::delayed_state::received;
    wait.add(r.delayed_wait());
}

void delayed_sums::merge(const delayed_sums& o) {
    requests += o.requests;
    received += o.received;
    spurious += o.spurious;
    true_timeouts += o.true_timeouts;
    true_pending += o.true_pending;
    late += o.late;
    wait.merge(o.wait);
}

void point_totals::add_delayed(const request& r) {
    delayed.add(r);
    if (r.delayed_late_at == sim_time{}) return;
    note_late({0, r.id, r.delayed_late_at - r.at[std::size_t(instant::entered)]});
}

void point_totals::note_late(const latest_reply& l) {
    if (latest.id == 0 || l.after > latest.after) latest = l;
}

void point_totals::merge(const point_totals& o) {
    requests += o.requests;
    for (std::size_t i = 0; i < outcome_count; ++i) outcomes[i] += o.outcomes[i];
    spurious += o.spurious;
    true_timeouts += o.true_timeouts;
    true_pending += o.true_pending;
    longest_unfinished = std::max(longest_unfinished, o.longest_unfinished);
    late_replies += o.late_replies;
    delayed.merge(o.delayed);
    if (violations == 0) first_violation = o.first_violation;
    violations += o.violations;
    spurious_incidents += o.spurious_incidents;
    true_incidents += o.true_incidents;
    simulated.merge(o.simulated);
    task_time.merge(o.task_time);
    blocked.merge(o.blocked);
    not_made += o.not_made;
    round_trip.merge(o.round_trip);
    response.merge(o.response);
    for (std::size_t i = 0; i < span_count; ++i) {
        hop_sum[i].merge(o.hop_sum[i]);
        hop_max[i] = std::max(hop_max[i], o.hop_max[i]);
    }
    const bool slower =
        o.slowest.id != 0 && (slowest.id == 0 || o.slowest.round_trip > slowest.round_trip);
    if (slower) slowest = o.slowest;
    if (o.latest.id != 0) note_late(o.latest);
}

std::uint64_t point_totals::refused() const {
    return outcomes[std::size_t(outcome::no_slot)] + outcomes[std::size_t(outcome::no_message)];
}

json point_totals::to_json() const {
    json hops = json::array();
    for (std::size_t i = 0; i < span_count; ++i) {
        hops.push_back({json_of(hop_sum[i]), hop_max[i].ps});
    }
    return {{"requests", requests},
            {"outcomes", outcomes},
            {"spurious", spurious},
            {"true", true_timeouts},
            {"true_pending", true_pending},
            {"longest_unfinished", longest_unfinished.ps},
            {"late", late_replies},
            {"delayed", json_of(delayed)},
            {"violations", violations},
            {"first_violation", first_violation},
            {"incidents", {spurious_incidents, true_incidents}},
            {"simulated", json_of(simulated)},
            {"task_time", json_of(task_time)},
            {"blocked", json_of(blocked)},
            {"not_made", not_made},
            {"round_trip", json_of(round_trip)},
            {"response", json_of(response)},
            {"hops", std::move(hops)},
            {"slowest", json_of(slowest)},
            {"latest", {latest.replication, latest.id, latest.after.ps}}};
}

point_totals point_totals::from_json(const json& j) {
    point_totals t;
    t.requests = j.at("requests").get<std::uint64_t>();
    j.at("outcomes").get_to(t.outcomes);
    t.spurious = j.at("spurious").get<std::uint64_t>();
    t.true_timeouts = j.at("true").get<std::uint64_t>();
    t.true_pending = j.at("true_pending").get<std::uint64_t>();
    t.longest_unfinished = sim_time(j.at("longest_unfinished").get<std::int64_t>());
    t.late_replies = j.at("late").get<std::uint64_t>();
    t.delayed = delayed_from(j.at("delayed"));
    t.violations = j.at("violations").get<std::uint64_t>();
    t.first_violation = j.at("first_violation").get<std::string>();
    t.spurious_incidents = j.at("incidents").at(0).get<std::uint64_t>();
    t.true_incidents = j.at("incidents").at(1).get<std::uint64_t>();
    t.simulated = sum_from(j.at("simulated"));
    t.task_time = sum_from(j.at("task_time"));
    t.blocked = sum_from(j.at("blocked"));
    t.not_made = j.at("not_made").get<std::uint64_t>();
    t.round_trip = histogram_from(j.at("round_trip"));
    t.response = histogram_from(j.at("response"));
    for (std::size_t i = 0; i < span_count; ++i) {
        t.hop_sum[i] = sum_from(j.at("hops").at(i).at(0));
        t.hop_max[i] = sim_time(j.at("hops").at(i).at(1).get<std::int64_t>());
    }
    t.slowest = slowest_from(j.at("slowest"));
    const json& latest = j.at("latest");
    t.latest = {latest.at(0).get<std::uint64_t>(), latest.at(1).get<std::uint64_t>(),
                sim_time(latest.at(2).get<std::int64_t>())};
    return t;
}

}  // namespace scmi_vp::studies
