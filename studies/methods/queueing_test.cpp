// SPDX-License-Identifier: Apache-2.0
// Right by theory: where a closed form exists, the whole simulated system (driver, rings, device,
// host) must agree with it. Closed forms: Kleinrock, Queueing Systems I (M/M/1,
// Pollaczek-Khinchine); the wait for a TDMA slot of uniform arrivals is geometry.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "models/agent/protocol_table.h"
#include "models/system.h"
#include "runs/forked.h"
#include "studies/results/estimators.h"

namespace scmi_vp::studies {
namespace {

using models::system_config;

constexpr double us = 1e6;  // picoseconds

/// One sensor read per arrival, three tasks: enough, since what waits for a task would wait for the
/// worker as well (one worker, first come first served).
system_config open_system(distribution_ptr interarrival, std::uint64_t count, std::uint64_t seed) {
    system_config c;
    c.seed = seed;
    c.duration = seconds(100000);
    c.guest.profile = *models::find_profile("linux-6.1");
    c.guest.ftrace = false;
    c.guest.device_tree.protocols = {scmi::protocol::sensor};
    c.platform.description.agents = {{"agent"}};
    c.platform.description.protocols = {scmi::protocol::sensor};
    c.platform.description.sensors.resize(1);
    c.platform.description.sensors[0].name = "temp";
    models::open_arrivals open;
    for (const char* name : {"a", "b", "c"}) {
        open.contexts.emplace_back(name);
        c.guest.contexts.push_back({name, int(c.guest.contexts.size()) + 1, 0});
    }
    open.calls = {{models::call_named("sensor_read"), 0, 0}};
    open.count = count;
    open.interarrival = std::move(interarrival);
    c.guest.open = {open};
    return c;
}

system_config m_g_1(double rho, distribution_ptr service, std::uint64_t count, std::uint64_t seed) {
    const auto mean = sim_time(std::llround(50 * us / rho));
    system_config c = open_system(make_exponential(mean), count, seed);
    c.platform.workers = 1;
    c.hops[std::size_t(hop::service)] = std::move(service);
    return c;
}

/// A number of each workload request, in order of arrival.
class collector : public models::run_sink {
public:
    using measure = double (*)(const models::request&);
    explicit collector(measure m) : measure_(m) {}
    void on_request(const models::request& r) override {
        if (r.context > 0) values.emplace_back(r.id, measure_(r));
    }
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line&) override {}
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation& v) override { ADD_FAILURE() << v.what; }
    std::vector<std::pair<std::uint64_t, double>> values;

private:
    measure measure_;
};

std::vector<double> simulate(const system_config& c, collector::measure m) {
    const std::string bytes = runs::run_forked("a queue", [&] {
        collector sink(m);
        models::system top("top", c, sink);
        sc_core::sc_start(to_sc(c.duration));
        top.finish();
        std::sort(sink.values.begin(), sink.values.end());
        std::string out;
        for (const auto& [id, value] : sink.values) {
            out.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
        return out;
    });
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

double response_us(const models::request& r) {
    return double((r.felt - r.intended).ps) / us;
}
double wait_us(const models::request& r) {
    return response_us(r) - double(r.hops()[std::size_t(hop::service)].ps) / us;
}

std::vector<double> exceeds(const std::vector<double>& values, double limit) {
    std::vector<double> out;
    for (const double v : values) out.push_back(v > limit ? 1 : 0);
    return out;
}

void expect_within(const mean_estimate& e, double exact, const char* what) {
    EXPECT_LE(e.range.low, exact) << what << ": " << e.mean;
    EXPECT_GE(e.range.high, exact) << what << ": " << e.mean;
    // An interval that says nothing would contain everything.
    EXPECT_LT(e.range.high - e.range.low, 0.25 * exact) << what;
}

/// The 99 % quantile batch by batch: its own interval.
mean_estimate p99_by_batches(const std::vector<double>& values, double confidence) {
    constexpr std::size_t batches = 20;
    const std::size_t size = values.size() / batches;
    std::vector<double> quantiles;
    for (std::size_t b = 0; b < batches; ++b) {
        std::vector<double> part(values.begin() + std::ptrdiff_t(b * size),
                                 values.begin() + std::ptrdiff_t((b + 1) * size));
        const auto at = part.begin() + std::ptrdiff_t(0.99 * double(size));
        std::nth_element(part.begin(), at, part.end());
        quantiles.push_back(*at);
    }
    return t_interval(quantiles, confidence);
}

// M/M/1: T is exponential with rate mu - lambda.
class m_m_1 : public testing::TestWithParam<double> {};

TEST_P(m_m_1, mean_p99_and_tail_agree_with_the_closed_form) {
    const double rho = GetParam(), mean = 50 / (1 - rho);
    const auto values =
        simulate(m_g_1(rho, make_exponential(microseconds(50)), 1'000'000, 1), response_us);
    ASSERT_EQ(values.size(), 1'000'000u);
    expect_within(batch_means(values, 20, 0.99), mean, "mean");
    expect_within(p99_by_batches(values, 0.99), mean * std::log(100.0), "99 %");
    const mean_estimate tail = batch_means(exceeds(values, 1000), 20, 0.99);
    const double exact = std::exp(-1000 / mean);
    EXPECT_LE(tail.range.low, exact) << tail.mean;
    EXPECT_GE(tail.range.high, exact) << tail.mean;
}

INSTANTIATE_TEST_SUITE_P(queueing, m_m_1, testing::Values(0.5, 0.7));

TEST(m_d_1, wait_agrees_with_pollaczek_khinchine) {
    const auto values = simulate(m_g_1(0.5, make_constant(microseconds(50)), 500'000, 1), wait_us);
    expect_within(batch_means(values, 20, 0.99), 25, "wait");
}

TEST(tdma, wait_for_the_slot_of_uniform_arrivals) {
    // Sparse, so that nobody waits for a task. Period 10 ms, slot 2 ms: worst 8 ms, mean (P - Q)^2
    // / 2P = 3.2 ms, no wait with Q / P = 0.2.
    system_config c = open_system(make_exponential(milliseconds(200)), 200'000, 1);
    c.platform.workers = 0;
    c.platform.slot = {milliseconds(10), milliseconds(2), {}};
    const auto values = simulate(c, [](const models::request& r) {
        const auto h = r.hops();
        return double((h[std::size_t(hop::host_wake)] + h[std::size_t(hop::queue)]).ps) / us;
    });
    expect_within(batch_means(values, 20, 0.99), 3200, "wait");
    EXPECT_LE(*std::max_element(values.begin(), values.end()), 8000.0);
    EXPECT_GT(*std::max_element(values.begin(), values.end()), 7990.0);
    std::vector<double> at_once;
    for (const double v : values) at_once.push_back(v == 0 ? 1 : 0);
    expect_within(batch_means(at_once, 20, 0.99), 0.2, "no wait");
}

/// Asynchronous reads: accepted at once, worked on together, however many (M/M/infinity). So many
/// callers that none waits for a task.
system_config m_m_infinity(sim_time work, sim_time limit, std::uint64_t count) {
    system_config c = open_system(make_exponential(milliseconds(20)), count, 1);
    c.guest.hz = 1000;
    c.guest.profile.max_delayed_response = limit;
    c.platform.workers = 0;
    c.platform.description.sensors[0].async = true;
    c.platform.description.sensor_max_async = 255;
    c.platform.delayed_work = make_exponential(work);
    for (char name = 'd'; name <= 'z'; ++name) {
        c.guest.open[0].contexts.emplace_back(1, name);
        c.guest.contexts.push_back({std::string(1, name), int(c.guest.contexts.size()) + 1, 0});
    }
    return c;
}

// A wait of n < 64 jiffies ends with the tick n + 1 ticks after the last one (kernel/time/timer.c
// calc_index), and arrivals fall anywhere between two ticks: the limit is uniform in (n, n + 1] T.
// So with work of mean m P(timeout) = exp(-n T / m) (1 - exp(-T / m)) m / T, and since work is
// memoryless the mean of what callers feel is m (1 - P(timeout)).
TEST(m_m_infinity, timeouts_and_waits_for_delayed_responses_agree_with_the_closed_form) {
    constexpr double work = 25, tick = 1, jiffies = 50;  // ms
    const auto values = simulate(m_m_infinity(milliseconds(25), milliseconds(50), 100'000),
                                 [](const models::request& r) {
                                     const double felt = response_us(r) / 1000;
                                     return is_spurious_delayed_timeout(r) ? -felt : felt;
                                 });
    ASSERT_EQ(values.size(), 100'000u);
    std::vector<double> felt, timed_out;
    for (const double v : values) {
        felt.push_back(std::abs(v));
        timed_out.push_back(v < 0 ? 1 : 0);
    }
    const double timeouts =
        std::exp(-jiffies * tick / work) * (1 - std::exp(-tick / work)) * work / tick;
    expect_within(batch_means(timed_out, 20, 0.99), timeouts, "timeouts");
    expect_within(batch_means(felt, 20, 0.99), work * (1 - timeouts), "what callers feel");
    expect_within(batch_means(exceeds(felt, work), 20, 0.99), std::exp(-1), "longer than the mean");
    EXPECT_LE(*std::max_element(felt.begin(), felt.end()), (jiffies + 1) * tick);
}

/// How many of `seeds` 95 % intervals contain the exact mean.
int covered(double rho, std::uint64_t requests, int seeds) {
    int contained = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
        const auto values =
            simulate(m_g_1(rho, make_exponential(microseconds(50)), requests, std::uint64_t(seed)),
                     response_us);
        const mean_estimate e = batch_means(values, 20, 0.95);
        const double exact = 50 / (1 - rho);
        contained += e.range.low <= exact && exact <= e.range.high;
    }
    return contained;
}

TEST(coverage, of_the_95_percent_interval_over_200_seeds) {
    const int contained = covered(0.5, 20'000, 200);
    EXPECT_GE(contained, 180);
    EXPECT_LE(contained, 198);
}

TEST(coverage, at_rho_0_9_heavy) {
    const int contained = covered(0.9, 200'000, 200);
    EXPECT_GE(contained, 180);
    EXPECT_LE(contained, 198);
}

}  // namespace
}  // namespace scmi_vp::studies
