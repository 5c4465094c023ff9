// SPDX-License-Identifier: Apache-2.0
// Repeats a run twice, each time in a process of its own (SystemC elaborates once per process; runs
// are deterministic): first to find a request and what is usual, then to watch what was around it.
// Of a run that was measured, which nothing repeats, the rows that it wrote are read twice.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/hops.h"
#include "models/request.h"
#include "scenario/scenario.h"
#include "studies/results/measured_rows.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {

/// One request, with what cannot be read from models::request outside of its run.
struct seen_request {
    models::request r;
    std::string task, what, outcome;  ///< as the account of a run prints them

    sim_time entered() const { return r.at[std::size_t(models::instant::entered)]; }
    sim_time returned() const { return r.felt; }
    /// When nothing of it happens any more: its late reply, or its return.
    sim_time end() const { return std::max(r.came_late_at(), returned()); }
};

/// The first run.
struct survey {
    std::uint64_t requests = 0, late_replies = 0;
    double round_trips_s = 0;  ///< the sum over all that have one (has_round_trip())
    sim_time ended;
    bool found = false;
    seen_request chosen;
    sim_time median_round_trip;
    std::array<sim_time, span_count> median_hop{};
    nlohmann::json summary;  ///< of a repeated run: what its summary.json would say
};

/// Throws what the run throws, and scmi_vp::error (model) when its process dies.
survey survey_run(const scenario::scenario& s, request_choice::by how, std::uint64_t request,
                  replay_progress progress);

/// From the requests.csv of a folder. Throws scmi_vp::error (input) when it is not there or not
/// as scmi-vp writes it.
survey survey_rows(const std::filesystem::path& folder, const row_counts& told,
                   request_choice::by how, std::uint64_t request);

/// What to watch in the second run.
struct watch {
    std::uint64_t id = 0;
    std::uint16_t context = 0;
    sim_time called, entered, returned;
    sim_time slow_from, slow_to;  ///< the hop that made it slow
    hop slow = hop::prepare;
    sim_time log_from, log_to;
};

/// The second run.
struct witness {
    std::uint64_t at_entry = 0;     ///< others in flight when it entered
    std::uint64_t overlapped = 0;   ///< others in flight at any time until it returned
    std::uint64_t in_same_hop = 0;  ///< of these, in the slow hop at the same time
    std::uint64_t timed_out = 0;    ///< of these (overlapped), given up
    std::uint64_t held = 0;         ///< given up before it entered, their replies not yet there
    std::uint64_t behind = 0;       ///< others' calls, made before it returned, entered after that
    sim_time longest_behind;        ///< from the call until entering
    /// Of other tasks' requests, the last that returned while this one's call waited to enter.
    std::optional<neighbour> before;
    std::vector<neighbour> nearest;
    bool log_kept = true;  ///< else nobody knows what was logged
    std::uint64_t log_lines = 0;
    std::vector<std::string> log;  ///< the first and the last of them
};

witness watch_run(const scenario::scenario& s, const watch& w, replay_progress progress);

/// From the requests.csv and the dmesg.txt of a folder.
witness watch_rows(const std::filesystem::path& folder, const watch& w);

/// When the platform's host did not run between `from` and `to`; at most a hundred times.
std::vector<host_gap> host_gaps(const scenario::scenario& s, sim_time from, sim_time to);

}  // namespace scmi_vp::studies
