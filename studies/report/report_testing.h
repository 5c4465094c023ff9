// SPDX-License-Identifier: Apache-2.0
// A made-up study for tests of the report: two hosts and four timeouts, with everything that is
// hard to draw (nothing seen, one seen, refusals, long names, markup in names).
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/hops.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {

inline nlohmann::json sample_rate(std::uint64_t count, std::uint64_t requests) {
    const double n = static_cast<double>(requests) / 1e6, k = static_cast<double>(count);
    using nlohmann::json;
    const double spread = 2.26 * std::sqrt(k);
    return {{"count", count},
            {"per_million", k / n},
            {"low", count ? json(std::max(0.0, k - spread) / n) : json()},
            {"high", count ? json((k + spread) / n) : json()},
            {"confidence", 0.95},
            {"method", "t over 10 replications"},
            {"beyond",
             count ? "" : "None was seen in 10 replications: the bound is all that can be said."}};
}

/// Two log-normal humps, as buckets of 5 %.
inline nlohmann::json sample_histogram(double body_us, double tail_ms, double tail_share,
                                       std::uint64_t requests, std::int64_t limit_ps) {
    nlohmann::json buckets = nlohmann::json::array();
    double edge = body_us * 0.3e6;
    const auto above = [&](double ps) {
        const double body = 0.5 * std::erfc(std::log(ps / (body_us * 1e6)) / 0.4 / std::sqrt(2.0));
        const double tail = 0.5 * std::erfc(std::log(ps / (tail_ms * 1e9)) / 0.9 / std::sqrt(2.0));
        return (1 - tail_share) * body + tail_share * tail;
    };
    std::uint64_t left = requests;
    while (left > 0) {
        edge *= 1.05;
        const bool last = edge >= static_cast<double>(limit_ps);
        const auto after = last ? std::uint64_t(0)
                                : static_cast<std::uint64_t>(
                                      std::llround(above(edge) * static_cast<double>(requests)));
        if (after < left) {
            buckets.push_back({static_cast<std::int64_t>(edge), left - after});
            left = after;
        }
    }
    return buckets;
}

inline nlohmann::json sample_point(std::size_t id, const std::string& host,
                                   const std::string& timeout, std::int64_t timeout_ps,
                                   bool freezing) {
    const std::uint64_t requests = 400'000;
    const std::uint64_t spurious = freezing ? 900u >> (2 * (id % 4)) : (id % 4 == 0 ? 1u : 0u);
    const double body = freezing ? 70 : 120;
    const std::int64_t us = 1'000'000;
    nlohmann::json hops;
    for (const hop_info& h : hop_table) hops[std::string(h.name)] = {{"mean", 0}, {"max", 0}};
    hops["publish"] = {{"mean", us / 2}, {"max", us}};
    hops["notify"] = {{"mean", 2 * us}, {"max", 3 * us}};
    hops["host_wake"] = {{"mean", (freezing ? 400 : 45) * us}, {"max", 498'000 * us}};
    hops["queue"] = {{"mean", 3 * us}, {"max", 420'000 * us}};
    hops["service"] = {{"mean", 52 * us}, {"max", 300 * us}};
    hops["interrupt"] = {{"mean", 4 * us}, {"max", 4 * us}};
    hops["guest_wake"] = {{"mean", 9 * us}, {"max", 4'000 * us}};
    hops["complete"] = {{"mean", us}, {"max", us}};
    nlohmann::json replications = nlohmann::json::array();
    for (std::uint64_t r = 0; r < 10; ++r) {
        replications.push_back({{"seed", 1000 + r},
                                {"requests", requests / 10},
                                {"spurious_timeouts", spurious / 10},
                                {"true_timeouts", 0},
                                {"refused", 0},
                                {"finished", true}});
    }
    const std::int64_t most =
        freezing ? std::min<std::int64_t>(timeout_ps, 2'500'000 * us) : 6'100 * us;
    return {{"id", id},
            {"labels", {{"host", host}, {"timeout", timeout}}},
            {"set", {"guest.max_rx_timeout=" + timeout}},
            {"simulated_s", 600.0},
            {"requests", requests},
            {"calls_blocked_s", body * 1e-6 * static_cast<double>(requests)},
            {"remarks", nlohmann::json::array()},
            {"outcomes", {{"ok", requests - spurious}, {"timed_out", spurious}}},
            {"spurious_timeouts", sample_rate(spurious, requests)},
            {"true_timeouts", sample_rate(freezing ? 4 : 0, requests)},
            {"late_replies", spurious},
            {"refused", freezing && id % 4 == 0 ? 37 : 0},
            {"violations", 0},
            {"round_trip_ps",
             {{"count", requests},
              {"min", 31 * us},
              {"mean", (freezing ? 471 : 116) * us},
              {"p50", 104 * us},
              {"p99", 420 * us},
              {"p999", 9'830 * us},
              {"max", most}}},
            {"response_ps",
             {{"count", requests},
              {"min", 31 * us},
              {"mean", 116 * us},
              {"p50", 104 * us},
              {"p99", 420 * us},
              {"p999", 9'830 * us},
              {"max", most}}},
            {"hops_ps", hops},
            {"round_trip_histogram",
             sample_histogram(body, freezing ? 120 : 1.2, freezing ? 4e-3 : 1e-3, requests, most)},
            {"slowest",
             {{"replication", 7},
              {"request", 31'415},
              {"round_trip_ps", most},
              {"stuck_in", spurious ? "host_wake" : ""},
              {"task", "poll-101"},
              {"name", "SENSOR_READING_GET"},
              {"hops_ps",
               {{"publish", us},
                {"notify", 2 * us},
                {"host_wake", most - 60 * us},
                {"service", 50 * us},
                {"guest_wake", 6 * us},
                {"complete", us}}}}},
            {"replication_results", replications}};
}

inline nlohmann::json sample_results() {
    nlohmann::json j{
        {"format", "scmi-vp results 3"},
        {"title", "What does a timeout cost? <quick & dirty>"},
        {"description",
         "Which rx timeout belongs into the device tree when the platform runs on a host that is "
         "not real-time, and what does it cost?"},
        {"seed", 1},
        {"replications", 10},
        {"scenario", "testbenches/quick start/scenario.toml"},
        {"study", "testbenches/quick start/study.toml"},
        {"set", {"guest.hz=1000"}},
        {"axes", {"host", "timeout"}},
        {"notes",
         {"The recording has 7.2 million samples: it cannot defend a probability far below one in "
          "a million.",
          "How often the host freezes is assumed, not measured."}}};
    const struct {
        const char* label;
        std::int64_t ps;
    } timeouts[] = {{"30ms", 30'000'000'000},
                    {"100ms", 100'000'000'000},
                    {"500ms", 500'000'000'000},
                    {"60s", 60'000'000'000'000}};
    std::size_t id = 0;
    for (const char* host : {"busy", "freezing"}) {
        for (const auto& t : timeouts) {
            j["points"].push_back(
                sample_point(id, host, t.label, t.ps, std::string(host) == "freezing"));
            ++id;
        }
    }
    return j;
}

inline story sample_story() {
    story s;
    s.point = 7, s.replication = 7, s.seed = 1007, s.request = 31'415;
    s.point_name = "host freezing, timeout 60s";
    s.task = "poll-101", s.what = "SENSOR_READING_GET(2)", s.outcome = "timed_out";
    s.headline = "Request 31415, SENSOR_READING_GET(2) by poll-101, took 500ms and was given up";
    s.sentences = {"It entered the driver at 12.3456s.",
                   "The hop host_wake made it slow: a < b && c > d."};
    s.entered = seconds(12), s.returned = s.entered + milliseconds(500),
    s.late_at = s.returned + milliseconds(120);
    s.hops = {{hop::publish, sim_time{}, microseconds(1), microseconds(1), false},
              {hop::notify, microseconds(1), microseconds(2), microseconds(2), false},
              {hop::host_wake, microseconds(3), milliseconds(499), microseconds(11), true},
              {hop::complete, milliseconds(500) - microseconds(1), microseconds(1), microseconds(1),
               false}};
    s.gaps = {{s.entered, s.entered + milliseconds(612)}};
    s.log = {
        "[   12.500000] arm-scmi firmware:scmi: timed out in resp(caller: "
        "scmi_sensor_reading_get)"};
    s.rerun =
        "scmi-vp run 'testbenches/quick start/scenario.toml' --set guest.max_rx_timeout=60s --seed "
        "1007 --out slowest "
        "--vcd-from 11.95s --vcd-to 12.67s";
    return s;
}

}  // namespace scmi_vp::studies
