// SPDX-License-Identifier: Apache-2.0
// See story_text.h.
#include "studies/stories/story_text.h"

#include <algorithm>
#include <cstdio>

#include "runs/account.h"
#include "studies/shell.h"

namespace scmi_vp::studies {
namespace {

using models::outcome;
using models::request;
using runs::short_time;

std::string number(std::uint64_t n) {
    return std::to_string(n);
}

std::string counted(std::uint64_t n, const std::string& thing) {
    if (n == 0) return "no " + thing;
    return (n == 1 ? "one" : number(n)) + " " + thing + (n == 1 ? "" : "s");
}

/// "None of them", "3 of them", "All of them"; "It" for the one of one.
std::string some_of(std::uint64_t n, std::uint64_t all) {
    if (n == 0) return "None of them";
    if (all == 1) return "It";
    return n == all ? "All of them" : number(n) + " of them";
}

/// To the nanosecond: the picoseconds of an instant tell nobody anything.
std::string instant_text(sim_time t) {
    return to_string(sim_time(t.ps - t.ps % 1000));
}

std::string share_text(sim_time part, sim_time whole) {
    char text[32];
    const double share =
        whole.ps > 0 ? static_cast<double>(part.ps) / static_cast<double>(whole.ps) : 0;
    std::snprintf(text, sizeof text, "%.*f%%", share > 0.999 && share < 1 ? 3 : 1, 100 * share);
    return text;
}

/// "twice as long", "7400 times as long"; empty when there is nothing to compare or say.
std::string times_text(sim_time longer, sim_time shorter) {
    if (shorter <= sim_time{}) return "";
    const double ratio = static_cast<double>(longer.ps) / static_cast<double>(shorter.ps);
    if (ratio < 1.5) return "";
    char text[48];
    std::snprintf(text, sizeof text, ratio < 10 ? "%.1f times as long" : "%.0f times as long",
                  ratio);
    return text;
}

std::string who_and_when(const story_source& s) {
    const seen_request& c = s.seen.chosen;
    const request& r = c.r;
    std::string text =
        "At " + instant_text(c.entered()) + (s.measured ? " of the run " : " of simulated time ") +
        c.task + " entered the driver with " + c.what + ": request " + number(r.id) + " of " +
        number(s.seen.requests) + " in " + where_of(s) +
        (s.measured ? ", as it was measured." : ", seed " + number(s.out.seed) + ".");
    // 0 when nobody said: requests of the probe are made where they enter.
    if (r.called > sim_time{} && r.called < c.entered()) {
        text += " It had been called " + short_time(c.entered() - r.called) + " before";
        if (const auto& b = s.around.before) {
            text += ", and waited for a lock: " + short_time(c.entered() - b->returned) +
                    " before it entered, request " + number(b->id) + ", " + b->what + " by " +
                    b->task + ", had returned after " + short_time(b->returned - b->entered);
        }
        text += ".";
    }
    if (r.intended > sim_time{} && r.intended < r.called) {
        text += " By its schedule it was due " + short_time(r.called - r.intended) +
                " before that: every task that could make it was busy.";
    }
    return text;
}

/// From entering until the response that announced a delayed one had been taken.
std::string accepted_after(const request& r) {
    return short_time(r.at[std::size_t(models::instant::returned)] -
                      r.at[std::size_t(models::instant::entered)]);
}

std::string passed_limit(const request& r) {
    if (r.gave_up() == models::limit::rx) return "its rx timeout had passed without a reply";
    return "the platform had accepted it after " + accepted_after(r) +
           ", and then its limit for the delayed response, which is another one, had passed";
}

std::string how_it_ended(const seen_request& c) {
    const std::string took = "It took " + short_time(c.r.round_trip());
    const std::string code = " (" + std::to_string(c.r.linux_errno) + ")";
    switch (c.r.result) {
        case outcome::ok:
            return took + " and was answered with SUCCESS";
        case outcome::scmi_error:
            return took + " and was answered with an error: " + c.outcome;
        case outcome::timed_out:
            return took + ", then the driver gave up: " + passed_limit(c.r) +
                   ", and the caller got -ETIMEDOUT" + code;
        case outcome::no_slot:
            return "It was refused after " + short_time(c.r.round_trip()) + " with -ENOMEM" + code +
                   ": the driver's pool had no free xfer";
        case outcome::no_message:
            return "It was refused after " + short_time(c.r.round_trip()) + " with -EBUSY" + code +
                   ": the device held every transport message";
        case outcome::send_failed:
            return "It could not be sent" + code + ", after " + short_time(c.r.round_trip());
        case outcome::unfinished:
            break;
    }
    return "It had not returned when the run ended, " + short_time(c.r.round_trip()) +
           " after it entered";
}

std::string compared(const story_source& s) {
    const sim_time median = s.seen.median_round_trip;
    std::string text = how_it_ended(s.seen.chosen) + ". The median request of the same run took " +
                       short_time(median);
    const std::string times = times_text(s.seen.chosen.r.round_trip(), median);
    return text + (times.empty() ? "." : ": this one took " + times + ".");
}

std::string slow_hop_text(const story_source& s) {
    const request& r = s.seen.chosen.r;
    const std::size_t h = slow_hop(s.seen);
    const hop_info& info = span_table[h];
    const sim_time length = r.hops()[h], median = s.seen.median_hop[h];
    const std::string name(info.name);
    if (length <= sim_time{}) return "";  // it was refused at once
    std::string text;
    if (length <= median + sim_time(median.ps / 2)) {
        text = "No hop was unusual; what took longest or most beyond its median is " + name + ": ";
    } else {
        text = "The hop that made it slow is " + name + ": ";
    }
    text += short_time(length) + ", " + share_text(length, r.round_trip()) +
            " of the round trip (from: " + std::string(info.from) +
            "; until: " + std::string(info.until) + "). In the median request it takes " +
            short_time(median) + ".";
    if (r.gave_up() != models::limit::none && h == std::size_t(r.stuck_in())) {
        text += " The request was still waiting there when the driver gave up.";
    }
    return text;
}

/// Nothing when the host always ran.
std::string gaps_text(const story_source& s, const watch& w) {
    sim_time in_hop{}, longest{};
    host_gap shown;
    for (const host_gap& g : s.gaps) {
        in_hop += std::max(sim_time{}, std::min(g.to, w.slow_to) - std::max(g.from, w.slow_from));
        if (g.to - g.from > longest) longest = g.to - g.from, shown = g;
    }
    if (s.gaps.empty()) return "";
    std::string text = "The platform's host did not run ";
    if (s.gaps.size() == 1) {
        text += "from " + instant_text(shown.from) + " to " + instant_text(shown.to) + " (" +
                short_time(longest) + ")";
    } else {
        text += number(s.gaps.size()) + " times meanwhile, longest from " +
                instant_text(shown.from) + " to " + instant_text(shown.to) + " (" +
                short_time(longest) + ")";
    }
    if (w.slow_to <= w.slow_from) return text + ".";
    if (in_hop <= sim_time{}) return text + ", but not while the request was in that hop.";
    return text + ": " + share_text(in_hop, w.slow_to - w.slow_from) + " of that hop.";
}

std::string company_text(const story_source& s) {
    const witness& a = s.around;
    if (a.overlapped == 0) return "Nothing else was in flight.";
    std::string text = "When it entered, " + counted(a.at_entry, "other request") +
                       (a.at_entry <= 1 ? " was" : " were") + " in flight; until it returned, " +
                       number(a.overlapped) + (a.overlapped == 1 ? " was" : " were") + ". " +
                       some_of(a.in_same_hop, a.overlapped) + " shared hop " +
                       std::string(span_table[slow_hop(s.seen)].name) + " with it; " +
                       std::string(a.timed_out ? number(a.timed_out) : "none") + " timed out.";
    if (a.nearest.empty()) return text;
    text += a.nearest.size() < a.overlapped ? " Longest beside it:" : " Beside it:";
    for (const neighbour& n : a.nearest) {
        text += (&n == &a.nearest.front() ? " request " : "; ") + number(n.id) + ", " + n.what +
                " by " + n.task + ", " + short_time(n.returned - n.entered) + ", " + n.outcome;
    }
    return text + ".";
}

std::string behind_text(const witness& a) {
    if (a.behind == 0) return "";
    return (a.behind == 1 ? "One call" : number(a.behind) + " calls") +
           " of other tasks entered the driver only after it had returned, having waited for a "
           "lock "
           "for up to " +
           short_time(a.longest_behind) + ".";
}

std::string reply_text(const seen_request& c) {
    const request& r = c.r;
    if (r.late_at != sim_time{}) {
        return "Its reply came " + short_time(r.late_at - c.returned()) +
               " after the driver had given up, at " + instant_text(r.late_at) +
               ": the timeout was a spurious one. A timeout of more than about " +
               short_time(r.late_at - c.entered()) + " would have spared it.";
    }
    if (r.result == outcome::unfinished && r.lost && !r.left) {
        return "The platform never answers it: the driver would have given up.";
    }
    if (!r.timed_out) return "";
    if (r.lost)
        return "The platform never answered it: the timeout was a true one, and a longer one would "
               "only have cost more.";
    return "No reply had come when the run ended.";
}

std::string missed_text(const request& r) {
    if (r.delayed_late_at != sim_time{}) {
        return "Its delayed response came " + short_time(r.delayed_late_at - r.felt) +
               " after the driver had given up, at " + instant_text(r.delayed_late_at) +
               ": the timeout was a spurious one. A guest.max_delayed_response of more than "
               "about " +
               short_time(r.delayed_late_at - r.at[std::size_t(models::instant::returned)]) +
               " would have spared it.";
    }
    if (r.delayed_lost) {
        return "The platform never sent its delayed response: the timeout was a true one, and a "
               "longer limit would only have cost more.";
    }
    return "Its delayed response had not come when the run ended.";
}

std::string delayed_text(const request& r) {
    switch (r.delayed) {
        case models::delayed_state::received:
            return "Its delayed response came at " + instant_text(r.delayed_matched) + ", " +
                   short_time(r.delayed_matched - r.at[std::size_t(models::instant::matched)]) +
                   " after the first reply.";
        case models::delayed_state::timed_out:
            return missed_text(r);
        case models::delayed_state::awaited:
            return std::string("Its delayed response was still awaited") +
                   (r.delayed_lost ? ", which the platform never sends." : ".");
        case models::delayed_state::none:
            break;
    }
    return "";
}

std::string log_text(const story_source& s) {
    if (!s.around.log_kept) return "";
    const std::uint64_t left_out = s.around.log_lines - s.around.log.size();
    if (s.around.log_lines == 0) return "The kernel logged nothing around it.";
    return "The kernel logged " + counted(s.around.log_lines, "line") + " around it" +
           (left_out ? "; " + number(left_out) + " in the middle are not shown." : ".");
}

std::string held_text(const witness& a) {
    if (a.held == 0) return "";
    return (a.held == 1 ? "One earlier request" : number(a.held) + " earlier requests") +
           std::string(
               " had been given up with the reply still to come: the driver's messages stay with "
               "the "
               "device until then.");
}

std::string headline(const seen_request& c) {
    return "Request " + number(c.r.id) + ", " + c.what + " by " + c.task + ": " +
           short_time(c.r.round_trip()) + ", " + c.outcome;
}

std::vector<hop_part> parts_of(const survey& v) {
    std::vector<hop_part> parts;
    const request& r = v.chosen.r;
    const auto hops = r.hops();
    sim_time from{};
    for (std::size_t h = 0; h < span_count; ++h) {
        const bool open = r.gave_up() != models::limit::none || r.result == outcome::unfinished;
        if (hops[h] > sim_time{}) {
            parts.push_back(
                {hop(h), from, hops[h], v.median_hop[h], open && hop(h) == r.stuck_in()});
        }
        from += hops[h];
    }
    return parts;
}

/// A tenth of the span on each side, between 10 us and 1 ms.
std::string rerun_command(const story_source& s) {
    const seen_request& c = s.seen.chosen;
    const sim_time margin =
        std::clamp(sim_time((c.end() - c.entered()).ps / 10), microseconds(10), milliseconds(1));
    const sim_time from = std::max(sim_time{}, c.entered() - margin);
    return run_command_line(s.scenario, s.set, s.out.seed) + " --quiet --out request-" +
           number(c.r.id) + " --vcd-from " + instant_text(from) + " --vcd-to " +
           instant_text(c.end() + margin);
}

}  // namespace

std::string where_of(const story_source& s) {
    if (s.points == 1 && s.replications == 1) return "this run";
    return "replication " + number(s.out.replication) + " of point " + number(s.out.point) +
           (s.out.point_name.empty() ? "" : " (" + s.out.point_name + ")");
}

std::size_t slow_hop(const survey& v) {
    const auto hops = v.chosen.r.hops();
    const auto excess = [&](std::size_t h) { return hops[h] - v.median_hop[h]; };
    std::size_t slow = 0, longest = 0;
    for (std::size_t h = 1; h < span_count; ++h) {
        if (excess(h) > excess(slow)) slow = h;
        if (hops[h] > hops[longest]) longest = h;
    }
    return excess(slow) > sim_time{} ? slow : longest;
}

watch watch_for(const survey& v) {
    const seen_request& c = v.chosen;
    watch w;
    w.id = c.r.id;
    w.context = c.r.context;
    w.called = c.r.called > sim_time{} ? c.r.called : c.entered();
    w.entered = c.entered();
    w.returned = c.returned();
    const auto hops = c.r.hops();
    const std::size_t slow = slow_hop(v);
    w.slow = hop(slow);
    w.slow_from = w.entered;
    for (std::size_t h = 0; h < slow; ++h) w.slow_from += hops[h];
    w.slow_to = w.slow_from + hops[slow];
    w.log_from = w.entered - milliseconds(1);
    w.log_to = c.end() + milliseconds(1);
    return w;
}

story tell(const story_source& s) {
    story t = s.out;
    const seen_request& c = s.seen.chosen;
    t.request = c.r.id;
    t.task = c.task;
    t.what = c.what;
    t.outcome = c.outcome;
    t.entered = c.entered();
    t.returned = c.returned();
    t.late_at = c.r.came_late_at();
    t.headline = headline(c);
    t.hops = parts_of(s.seen);
    t.neighbours = s.around.nearest;
    t.gaps = s.gaps;
    t.log = s.around.log;
    if (!s.measured) t.rerun = rerun_command(s);
    for (const std::string& text :
         {who_and_when(s), compared(s), slow_hop_text(s), gaps_text(s, watch_for(s.seen)),
          company_text(s), behind_text(s.around), held_text(s.around), reply_text(c),
          delayed_text(c.r), log_text(s)}) {
        if (!text.empty()) t.sentences.push_back(text);
    }
    return t;
}

}  // namespace scmi_vp::studies
