// SPDX-License-Identifier: Apache-2.0
// See account.h.
#include "runs/account.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "base/console.h"

namespace scmi_vp::runs {
namespace {

using models::delayed_state;
using models::instant;
using models::limit;
using models::request;

constexpr int bar_width = 40, least_bar = 8;

std::string story_of(const request& r) {
    std::string s;
    const auto hops = r.hops();
    for (const hop_info& h : span_table) {
        const sim_time span = hops[std::size_t(h.id)];
        if (span == sim_time{}) continue;
        s += (s.empty() ? "" : ", ") + std::string(h.name) + " " + short_time(span);
    }
    if (r.gave_up() != limit::none) {
        s += "; gave up in hop " + std::string(name_of(r.stuck_in()));
    }
    if (r.late_at != sim_time{}) s += "; its reply came at " + to_string(r.late_at);
    if (r.delayed == delayed_state::received) {
        s += "; delayed response at " + to_string(r.delayed_matched);
    }
    if (r.delayed_late_at != sim_time{}) {
        s += "; its delayed response came at " + to_string(r.delayed_late_at);
    } else if (r.delayed == delayed_state::timed_out) {
        s += "; no delayed response";
    }
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

void print_delayed(std::ostream& out, const delayed_totals& d) {
    if (d.responses) out << "; " << d.responses << " delayed responses";
    if (!d.timeouts) return;
    out << "; " << d.timeouts << " delayed responses missed: " << d.spurious << " spurious, "
        << d.true_timeouts << " true, " << d.late << " came late";
}

}  // namespace

void delayed_totals::add(const request& r) {
    ++requests;
    spurious += is_spurious_delayed_timeout(r);
    true_timeouts += is_true_delayed_timeout(r);
    late += r.delayed_late_at != sim_time{};
    if (r.result == models::outcome::unfinished) return;
    ++(r.delayed == delayed_state::received ? responses : timeouts);
    wait_sum_ps += static_cast<double>(r.delayed_wait().ps);
    wait_min = std::min(wait_min, r.delayed_wait());
    wait_max = std::max(wait_max, r.delayed_wait());
}

models::request as_measured(models::request r) {
    if (r.gave_up() != limit::none && r.came_late_at() == sim_time{}) {
        (r.timed_out ? r.lost : r.delayed_lost) = true;
    }
    return r;
}

void totals::add(const request& r) {
    ++requests;
    ++outcomes[std::size_t(r.result)];
    if (r.late_at != sim_time{}) ++late_replies;
    if (r.timed_out || r.lost) {
        spurious += is_spurious_timeout(r);
        true_timeouts += is_true_timeout(r);
    }
    if (r.waited()) delayed.add(r);
    const sim_time trip = r.round_trip();
    if (r.result == models::outcome::unfinished) return;
    ++answered;
    round_trip_sum_ps += static_cast<double>(trip.ps);
    round_trip_min = std::min(round_trip_min, trip);
    if (slowest == 0 || trip > round_trip_max) round_trip_max = trip, slowest = r.id;
    const auto add_hop = [this](std::size_t i, sim_time span) {
        if (span == sim_time{}) return;  // most hops of most requests
        hop_sum_ps[i] += static_cast<double>(span.ps);
        hop_max[i] = std::max(hop_max[i], span);
    };
    if (r.in_order() && !r.waited()) return r.for_each_hop(add_hop);
    const auto hops = r.hops();
    for (std::size_t i = 0; i < span_count; ++i) add_hop(i, hops[i]);
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

namespace {

constexpr std::size_t indent = 7;        ///< of what follows a request's number
constexpr std::size_t least_story = 30;  ///< columns; with fewer left, it has lines of its own
constexpr const char* column_gap = "  ";

using account_columns = std::array<const std::string*, 5>;

account_columns columns_of(const account_line& l) {
    return {&l.at, &l.task, &l.what, &l.round_trip, &l.outcome};
}

/// How many columns fit the terminal; the others go below, with the story.
std::size_t fitting(const std::array<std::size_t, 5>& width) {
    const std::size_t most = console().columns;
    std::size_t used = indent - 2, n = 0;
    while (n < width.size() && (most == 0 || used + 2 + width[n] <= most)) used += 2 + width[n++];
    return std::max<std::size_t>(n, 1);
}

/// The story beside the other columns, or below them where the terminal is too narrow for that.
void print_row(std::ostream& out, std::string row, const std::string& story, bool may_be_beside) {
    const std::size_t columns = console().columns;
    if (may_be_beside && (columns == 0 || row.size() + 2 + story.size() <= columns)) {
        out << row << column_gap << story << "\n";
        return;
    }
    const bool beside = may_be_beside && row.size() + 2 + least_story <= columns;
    const std::size_t at = beside ? row.size() + 2 : indent;
    if (!beside) row.erase(row.find_last_not_of(' ') + 1);
    out << row;
    bool first = beside;
    for (const std::string& line : wrapped(story, columns - at)) {
        out << (first ? std::string(column_gap) : "\n" + std::string(at, ' ')) << line;
        first = false;
    }
    out << "\n";
}

}  // namespace

void print_account(std::ostream& out, std::vector<account_line> lines) {
    std::sort(lines.begin(), lines.end(),
              [](const account_line& a, const account_line& b) { return a.id < b.id; });
    const account_line head{0,         "entered at",         "task", "request", "round trip",
                            "outcome", "where the time went"};
    std::array<std::size_t, 5> width{};
    const auto fit = [&](const account_line& l) {
        const account_columns c = columns_of(l);
        for (std::size_t i = 0; i < c.size(); ++i) width[i] = std::max(width[i], c[i]->size());
    };
    fit(head);
    for (const account_line& l : lines) fit(l);
    const std::size_t shown = fitting(width);
    const auto print = [&](const account_line& l, const std::string& id) {
        std::ostringstream row;
        row << std::setw(int(indent) - 2) << id;
        const account_columns c = columns_of(l);
        for (std::size_t i = 0; i < shown; ++i) {
            row << column_gap << std::left << std::setw(int(width[i])) << *c[i] << std::right;
        }
        std::string rest;
        for (std::size_t i = shown; i < c.size(); ++i) rest += *c[i] + (i + 1 < 5 ? ", " : ": ");
        print_row(out, row.str(), rest + l.story, shown == c.size());
    };
    print(head, "#");
    for (const account_line& l : lines) print(l, std::to_string(l.id));
}

int bar_columns(std::size_t others) {
    const std::size_t columns = console().columns;
    if (columns == 0 || others + bar_width <= columns) return bar_width;
    return std::max(least_bar, int(columns) - int(others));
}

void print_totals(std::ostream& out, const totals& t) {
    out << t.requests << " requests:";
    for (std::size_t i = 0; i < t.outcomes.size(); ++i) {
        if (t.outcomes[i]) out << " " << t.outcomes[i] << " " << name_of(models::outcome(i));
    }
    if (t.late_replies) out << "; " << t.late_replies << " late replies";
    print_delayed(out, t.delayed);
    out << "\n";
    if (t.answered == 0) return;
    out << "round trip: min " << short_time(t.round_trip_min) << ", mean "
        << short_time(sim_time(std::llround(t.round_trip_sum_ps / double(t.answered)))) << ", max "
        << short_time(t.round_trip_max) << " (request " << t.slowest << ")\n\n";
    constexpr std::size_t beside_bars = 43;
    const int bars = bar_columns(beside_bars);
    const int name_width = t.delayed.wait_max > sim_time{} ? 17 : 11;
    char line[160];
    std::snprintf(line, sizeof line, "  %-*s  %-*s  %5s  %9s %9s\n", name_width, "hop", bars,
                  bars < 24 ? "share" : "share of all round trips", "", "mean", "max");
    out << line;
    for (const hop_info& h : span_table) {
        const double share =
            t.round_trip_sum_ps > 0 ? t.hop_sum_ps[std::size_t(h.id)] / t.round_trip_sum_ps : 0;
        if (h.id >= hop::poll && share == 0) continue;
        const int filled = int(std::lround(share * bars));
        std::snprintf(
            line, sizeof line, "  %-*s  %-*s %5.1f%%  %9s %9s\n", name_width,
            std::string(h.name).c_str(), bars, std::string(std::size_t(filled), '#').c_str(),
            100 * share,
            short_time(sim_time(std::llround(t.hop_sum_ps[std::size_t(h.id)] / double(t.answered))))
                .c_str(),
            short_time(t.hop_max[std::size_t(h.id)]).c_str());
        out << line;
    }
}

}  // namespace scmi_vp::runs
