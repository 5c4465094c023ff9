// SPDX-License-Identifier: Apache-2.0
// See account.h.
#include "testbenches/account.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>

namespace scmi_vp::testbenches {
namespace {

using models::delayed_state;
using models::instant;
using models::request;

constexpr int bar_width = 40;

std::string story_of(const request& r) {
    std::string s;
    const auto hops = r.hops();
    for (const hop_info& h : hop_table) {
        const sim_time span = hops[std::size_t(h.id)];
        if (span == sim_time{}) continue;
        s += (s.empty() ? "" : ", ") + std::string(h.name) + " " + short_time(span);
    }
    if (r.timed_out) s += "; gave up in hop " + std::string(name_of(r.stuck_in()));
    if (r.late_at != sim_time{}) s += "; its reply came at " + to_string(r.late_at);
    if (r.delayed == delayed_state::received) {
        s += "; delayed response at " + to_string(r.delayed_matched);
    }
    if (r.delayed == delayed_state::timed_out) s += "; no delayed response";
    return s;
}

std::string what_of(const request& r) {
    std::string what = scmi::message_name(r.hdr.protocol_id, r.hdr.message_id);
    // The three messages that every protocol has do not name it.
    if (r.hdr.message_id <= 2) {
        what = std::string(scmi::protocol_name(r.hdr.protocol_id)) + " " + what;
    }
    if (r.resource >= 0) what += "(" + std::to_string(r.resource) + ")";
    return what;
}

}  // namespace

void totals::add(const request& r) {
    ++requests;
    ++outcomes[std::size_t(r.result)];
    if (r.late_at != sim_time{}) ++late_replies;
    if (r.delayed == delayed_state::received) ++delayed_responses;
    if (r.delayed == delayed_state::timed_out) ++delayed_timeouts;
    const sim_time trip = r.round_trip();
    if (r.result == models::outcome::unfinished) return;
    ++answered;
    round_trip_sum_ps += static_cast<double>(trip.ps);
    round_trip_min = std::min(round_trip_min, trip);
    if (trip > round_trip_max) round_trip_max = trip, slowest = r.id;
    const auto add_hop = [this](std::size_t i, sim_time span) {
        if (span == sim_time{}) return;  // most hops of most requests
        hop_sum_ps[i] += static_cast<double>(span.ps);
        hop_max[i] = std::max(hop_max[i], span);
    };
    if (r.in_order()) return r.for_each_hop(add_hop);
    const auto hops = r.hops();
    for (std::size_t i = 0; i < hop_count; ++i) add_hop(i, hops[i]);
}

std::string short_time(sim_time t, int digits) {
    static constexpr struct {
        double ps;
        const char* unit;
    } units[] = {{1e12, "s"}, {1e9, "ms"}, {1e6, "us"}, {1e3, "ns"}, {1, "ps"}};
    if (t == sim_time{}) return "0";
    for (const auto& u : units) {
        if (std::abs(static_cast<double>(t.ps)) < u.ps) continue;
        char text[40];
        std::snprintf(text, sizeof text, "%.*g%s", digits, static_cast<double>(t.ps) / u.ps,
                      u.unit);
        return text;
    }
    return "0";
}

account_line account_of(const request& r, const std::string& task) {
    return {
        r.id,
        to_string(r.at[std::size_t(instant::entered)]),
        task,
        what_of(r),
        short_time(r.round_trip()),
        std::string(name_of(r.result)) +
            (r.scmi_status ? " " + std::string(scmi::name_of(scmi::status(r.scmi_status))) : ""),
        story_of(r)};
}

void print_account(std::ostream& out, std::vector<account_line> lines) {
    std::sort(lines.begin(), lines.end(),
              [](const account_line& a, const account_line& b) { return a.id < b.id; });
    const account_line head{0,         "entered at",         "task", "request", "round trip",
                            "outcome", "where the time went"};
    std::array<std::size_t, 5> width{};
    const auto columns = [](const account_line& l) {
        return std::array<const std::string*, 5>{&l.at, &l.task, &l.what, &l.round_trip,
                                                 &l.outcome};
    };
    const auto fit = [&](const account_line& l) {
        const auto c = columns(l);
        for (std::size_t i = 0; i < c.size(); ++i) width[i] = std::max(width[i], c[i]->size());
    };
    fit(head);
    for (const account_line& l : lines) fit(l);
    const auto print = [&](const account_line& l, const std::string& id) {
        out << std::setw(5) << id;
        const auto c = columns(l);
        for (std::size_t i = 0; i < c.size(); ++i) {
            out << "  " << std::left << std::setw(int(width[i])) << *c[i] << std::right;
        }
        out << "  " << l.story << "\n";
    };
    print(head, "#");
    for (const account_line& l : lines) print(l, std::to_string(l.id));
}

void print_totals(std::ostream& out, const totals& t) {
    out << t.requests << " requests:";
    for (std::size_t i = 0; i < t.outcomes.size(); ++i) {
        if (t.outcomes[i]) out << " " << t.outcomes[i] << " " << name_of(models::outcome(i));
    }
    if (t.late_replies) out << "; " << t.late_replies << " late replies";
    if (t.delayed_responses) out << "; " << t.delayed_responses << " delayed responses";
    if (t.delayed_timeouts) out << "; " << t.delayed_timeouts << " delayed responses missed";
    out << "\n";
    if (t.answered == 0) return;
    out << "round trip: min " << short_time(t.round_trip_min) << ", mean "
        << short_time(sim_time(std::llround(t.round_trip_sum_ps / double(t.answered)))) << ", max "
        << short_time(t.round_trip_max) << " (request " << t.slowest << ")\n\n";
    out << "  hop          share of all round trips                    mean       max\n";
    for (const hop_info& h : hop_table) {
        const double share =
            t.round_trip_sum_ps > 0 ? t.hop_sum_ps[std::size_t(h.id)] / t.round_trip_sum_ps : 0;
        if (h.id == hop::poll && share == 0) continue;
        const int filled = int(std::lround(share * bar_width));
        char line[160];
        std::snprintf(
            line, sizeof line, "  %-11s  %-*s %5.1f%%  %9s %9s\n", std::string(h.name).c_str(),
            bar_width, std::string(std::size_t(filled), '#').c_str(), 100 * share,
            short_time(sim_time(std::llround(t.hop_sum_ps[std::size_t(h.id)] / double(t.answered))))
                .c_str(),
            short_time(t.hop_max[std::size_t(h.id)]).c_str());
        out << line;
    }
}

}  // namespace scmi_vp::testbenches
