// SPDX-License-Identifier: Apache-2.0
// Totals and kept requests: parts that are merged are the whole.
#include "studies/results/point_totals.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "studies/results/kept_requests.h"

namespace scmi_vp::studies {
namespace {

using models::instant;
using models::outcome;
using models::request;

const std::vector<std::string> tasks{"kworker-5", "a-100"};

/// A request that was answered after `trip`, or timed out in hop service.
request made(std::uint64_t id, sim_time trip, bool timed_out = false, bool lost = false) {
    request r;
    r.id = id;
    r.context = 1;
    const sim_time entered = milliseconds(std::int64_t(id));
    for (std::size_t i = 0; i < models::instant_count; ++i) r.at[i] = entered;
    r.called = r.intended = entered - microseconds(1);
    for (std::size_t i = std::size_t(instant::ready); i < models::instant_count; ++i) {
        r.at[i] = entered + trip;
    }
    r.felt = entered + trip;
    r.left = true;
    r.reached = std::uint8_t(timed_out ? instant::taken : instant::returned);
    r.timed_out = timed_out;
    r.lost = lost;
    r.result = timed_out ? outcome::timed_out : outcome::ok;
    if (timed_out && !lost) r.late_at = entered + trip + seconds(1);
    return r;
}

/// One whose delayed response came `wait` after its response, or had not when its caller gave up.
request delayed(request r, sim_time wait, std::uint64_t number, bool missed = false,
                bool lost = false) {
    r.wait_number = number;
    r.delayed = missed ? models::delayed_state::timed_out : models::delayed_state::received;
    r.felt += wait;
    r.delayed_lost = lost;
    if (missed) r.result = outcome::timed_out;
    if (missed && !lost) r.delayed_late_at = r.felt + seconds(5);
    if (!missed) r.delayed_ready = r.delayed_used = r.delayed_irq = r.delayed_matched = r.felt;
    return r;
}

request random_request(random_stream& s, std::uint64_t id) {
    if (id % 4 == 0) {
        const bool missed = s.next_unit() < 0.3;
        return delayed(made(id, microseconds(50)), sim_time(std::int64_t(1e9 * s.next_unit())),
                       id / 4, missed, missed && s.next_unit() < 0.5);
    }
    const sim_time trip = sim_time(std::int64_t(1e8 / s.next_unit()));
    const bool timed_out = trip > milliseconds(10);
    return made(id, trip, timed_out, timed_out && s.next_unit() < 0.3);
}

TEST(point_totals, merged_parts_are_the_whole_also_by_way_of_json) {
    random_stream s(1, "totals", "test");
    point_totals whole, merged;
    std::vector<point_totals> parts(3);
    for (std::uint64_t id = 1; id <= 9000; ++id) {
        const request r = random_request(s, id);
        whole.add(r, tasks);
        parts[(id - 1) / 3000].add(r, tasks);
    }
    for (const point_totals& p : parts) merged.merge(point_totals::from_json(p.to_json()));
    EXPECT_EQ(merged.to_json(), whole.to_json());
    EXPECT_GT(whole.spurious, 0u);
    EXPECT_GT(whole.true_timeouts, 0u);
    EXPECT_EQ(whole.late_replies, whole.spurious);
    EXPECT_EQ(whole.delayed.requests, 2250u);
    EXPECT_GT(whole.delayed.spurious, 0u);
    EXPECT_GT(whole.delayed.true_timeouts, 0u);
    EXPECT_EQ(whole.delayed.late, whole.delayed.spurious);
}

// Its round trip is what its caller felt, its limit is another one, and the hops still add up.
TEST(point_totals, a_delayed_response_belongs_to_the_round_trip) {
    point_totals t;
    t.add(made(1, milliseconds(1)), tasks);
    t.add(delayed(made(2, milliseconds(1)), seconds(1), 1), tasks);
    t.add(delayed(made(3, milliseconds(1)), seconds(2), 2, true), tasks);
    t.add(delayed(made(4, milliseconds(1)), seconds(2), 3, true, true), tasks);
    EXPECT_EQ(t.outcomes[std::size_t(outcome::timed_out)], 2u);
    EXPECT_EQ(t.spurious + t.true_timeouts, 0u) << "no rx timeout among them";
    EXPECT_EQ(t.delayed.requests, 3u);
    EXPECT_EQ(t.delayed.received, 1u);
    EXPECT_EQ(t.delayed.spurious, 1u);
    EXPECT_EQ(t.delayed.true_timeouts, 1u);
    EXPECT_EQ(t.delayed.true_pending, 0u);
    EXPECT_EQ(t.delayed.late, 1u);
    EXPECT_EQ(t.delayed.wait.min(), seconds(1));
    EXPECT_EQ(t.delayed.wait.max(), seconds(2));
    EXPECT_EQ(t.round_trip.max(), seconds(2) + milliseconds(1));
    EXPECT_EQ(t.slowest.id, 3u);
    EXPECT_EQ(t.slowest.stuck_in, "delayed_work");
    EXPECT_EQ(t.latest.after, seconds(7) + milliseconds(1));
    double hops = 0;
    for (const auto& sum : t.hop_sum) hops += sum.as_seconds();
    EXPECT_DOUBLE_EQ(hops, t.round_trip.sum().as_seconds());
}

// The result will never come: the caller would have given up had the run not ended before.
TEST(point_totals, a_lost_delayed_response_is_a_true_timeout_also_before_its_limit) {
    point_totals t;
    request r = delayed(made(1, milliseconds(1)), seconds(1), 1);
    r.delayed = models::delayed_state::awaited;
    r.delayed_ready = r.delayed_used = r.delayed_irq = r.delayed_matched = sim_time{};
    r.result = outcome::unfinished;
    t.add(r, tasks);
    EXPECT_EQ(t.delayed.true_timeouts, 0u) << "it may come";
    r.delayed_lost = true;
    t.add(r, tasks);
    EXPECT_EQ(t.delayed.true_timeouts, 1u);
    EXPECT_EQ(t.delayed.true_pending, 1u);
    EXPECT_EQ(t.true_timeouts, 0u);
    EXPECT_EQ(t.delayed.wait.count(), 0u) << "their waits had not ended";
}

TEST(point_totals, what_never_got_onto_the_ring_has_no_round_trip) {
    point_totals t;
    request refused = made(1, sim_time{});
    refused.result = outcome::no_message;
    t.add(refused, tasks);
    request open = made(2, seconds(1));
    open.result = outcome::unfinished;
    t.add(open, tasks);
    t.add(made(3, milliseconds(1)), tasks);
    EXPECT_EQ(t.requests, 3u);
    EXPECT_EQ(t.refused(), 1u);
    EXPECT_EQ(t.round_trip.count(), 1u);
    EXPECT_EQ(t.slowest.id, 3u);
    EXPECT_EQ(t.slowest.task, "a-100");
    EXPECT_EQ(t.hop_sum[std::size_t(hop::service)].mean(1), milliseconds(1));
}

// Its reply is lost: that its timeout has not struck when the run ends does not make it none, or a
// long timeout would seem to cause fewer than a short one.
TEST(point_totals, a_lost_reply_whose_timeout_is_still_to_come_is_a_true_timeout) {
    point_totals t;
    t.add(made(1, seconds(60), true, true), tasks);
    request waiting = made(2, seconds(30));
    waiting.result = outcome::unfinished;
    waiting.left = false;
    t.add(waiting, tasks);
    EXPECT_EQ(t.true_timeouts, 1u) << "its reply may come";
    waiting.lost = true;
    waiting.id = 3;
    t.add(waiting, tasks);
    EXPECT_EQ(t.true_timeouts, 2u);
    EXPECT_EQ(t.true_pending, 1u);
    EXPECT_EQ(t.spurious, 0u);
    EXPECT_EQ(t.outcomes[std::size_t(outcome::timed_out)], 1u);
    EXPECT_EQ(t.round_trip.count(), 1u);
}

// From the intended instant, not from the call: that is what an open loop is for.
TEST(point_totals, a_response_counts_from_the_intended_instant) {
    point_totals t;
    t.add(made(1, milliseconds(1)), tasks);
    EXPECT_EQ(t.response.count(), 0u) << "requests are not calls";
    models::call_record c;
    c.intended = seconds(7);
    c.returned = seconds(9) + milliseconds(1);
    t.add(c);
    EXPECT_EQ(t.response.count(), 0u) << "the driver refused to make it";
    c.answered = true;
    t.add(c);
    EXPECT_EQ(t.response.count(), 1u);
    EXPECT_EQ(t.response.max(), seconds(2) + milliseconds(1));
}

TEST(point_totals, the_latest_reply_is_the_one_that_took_longest) {
    point_totals a, b;
    request first = made(1, milliseconds(30), true), second = made(2, milliseconds(10), true);
    second.late_at = second.at[0] + seconds(3);
    a.add(first, tasks);
    a.add(second, tasks);
    a.set_replication(4);
    b.add(made(7, milliseconds(30), true), tasks);
    b.merge(a);
    EXPECT_EQ(b.latest.id, 2u);
    EXPECT_EQ(b.latest.replication, 4u);
    EXPECT_EQ(b.latest.after, seconds(3));
}

TEST(point_totals, of_equally_slow_requests_the_first_counts) {
    point_totals a, b;
    a.add(made(5, seconds(1)), tasks);
    a.add(made(6, seconds(1)), tasks);
    b.add(made(1, seconds(1)), tasks);
    a.merge(b);
    EXPECT_EQ(a.slowest.id, 5u);
}

std::vector<kept_request> kept_of(std::uint64_t replication, std::uint64_t n) {
    random_stream s(replication, "kept", "test");
    request_selection selection(replication);
    for (std::uint64_t id = 1; id <= n; ++id) selection.add(random_request(s, id));
    return selection.take(tasks);
}

/// The slowest and the sample by sorting everything, the way it is defined.
TEST(kept_requests, are_the_slowest_and_the_least_hashes_of_all_replications) {
    kept_requests kept;
    std::vector<std::pair<sim_time, std::pair<std::uint64_t, std::uint64_t>>> by_time;
    std::vector<std::uint64_t> hashes;
    for (std::uint64_t rep = 0; rep < 3; ++rep) {
        kept.merge(kept_of(rep, 5000));
        random_stream s(rep, "kept", "test");
        for (std::uint64_t id = 1; id <= 5000; ++id) {
            const sim_time trip = random_request(s, id).round_trip();
            by_time.push_back({sim_time(-trip.ps), {rep, id}});
            hashes.push_back(request_hash(rep, id));
        }
    }
    std::sort(by_time.begin(), by_time.end());
    std::sort(hashes.begin(), hashes.end());
    std::size_t slow = 0, sampled = 0;
    for (const kept_request& k : kept.all()) {
        if (k.reasons & kept_request::slow) {
            ++slow;
            EXPECT_GE(k.round_trip.ps, -by_time[most_slow - 1].first.ps);
        }
        if (k.reasons & kept_request::sampled) {
            ++sampled;
            EXPECT_LE(k.hash, hashes[most_sampled - 1]);
        }
    }
    EXPECT_EQ(slow, most_slow);
    EXPECT_EQ(sampled, most_sampled);
}

TEST(kept_requests, are_sorted_and_each_is_there_once) {
    kept_requests kept;
    for (std::uint64_t rep = 0; rep < 2; ++rep) kept.merge(kept_of(rep, 3000));
    for (std::size_t i = 1; i < kept.all().size(); ++i) {
        const kept_request &a = kept.all()[i - 1], &b = kept.all()[i];
        EXPECT_TRUE(a.replication < b.replication ||
                    (a.replication == b.replication && a.id < b.id));
    }
}

TEST(kept_requests, timeouts_are_kept_up_to_a_limit_the_first_of_all) {
    kept_requests kept;
    for (std::uint64_t rep = 0; rep < 3; ++rep) {
        request_selection selection(rep);
        for (std::uint64_t id = 1; id <= 20'000; ++id) {
            selection.add(made(id, milliseconds(30), true));
        }
        kept.merge(selection.take(tasks));
    }
    std::uint64_t timeouts = 0, last = 0;
    for (const kept_request& k : kept.all()) {
        if (!(k.reasons & kept_request::timeout)) continue;
        ++timeouts;
        last = std::max(last, k.replication * 100'000 + k.id);
    }
    EXPECT_EQ(timeouts, most_timeouts);
    EXPECT_EQ(last, 2u * 100'000 + 10'000);
}

}  // namespace
}  // namespace scmi_vp::studies
