// SPDX-License-Identifier: Apache-2.0
// The story of one request: repeats the run that it was part of, watches it, and tells in plain
// sentences when, who, where the time went, what else was in flight, and how to see its waves. What
// cannot be repeated as it was is refused; what a device did is told from the rows of its run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/hops.h"
#include "base/time.h"
#include "scenario/scenario.h"

namespace scmi_vp::studies {

/// Which request, of which replication of which point.
struct request_choice {
    enum class by : std::uint8_t {
        number,   ///< `request`
        slowest,  ///< the longest round trip
        late,     ///< the reply that came longest after its request was made
    };
    by how = by::slowest;
    std::uint64_t request = 0;
    /// When absent: for a number the first; else wherever that request is in the whole study.
    std::optional<std::size_t> point, replication;
};

/// One hop of the request.
struct hop_part {
    hop id = hop::prepare;
    sim_time from;    ///< since the request entered the driver
    sim_time length;  ///< > 0
    sim_time median;  ///< of this hop over the requests of the run that were answered or timed out
    bool waiting = false;  ///< the driver gave up here: the hop had not ended
};

/// A request that was in flight at the same time.
struct neighbour {
    std::uint64_t id = 0;
    std::string task, what, outcome;
    sim_time entered, returned;
};

/// A time when the platform's host did not run.
struct host_gap {
    sim_time from, to;
};

struct story {
    std::size_t point = 0, replication = 0;
    std::uint64_t seed = 0, request = 0;
    std::string point_name;  ///< "host busy, timeout 30ms"; empty for a single run
    std::string task, what, outcome;
    std::string headline;                 ///< one line
    std::vector<std::string> sentences;   ///< one paragraph each, no line breaks
    sim_time entered, returned, late_at;  ///< late_at: 0 when no reply came after the timeout
    std::vector<hop_part> hops;           ///< in order; they add up to the round trip
    std::vector<neighbour> neighbours;    ///< the most relevant few
    std::vector<host_gap> gaps;           ///< those that touched the request
    std::vector<std::string> log;         ///< kernel messages around it, as dmesg prints them
    std::string rerun;  ///< for a shell: the run again, with waves around it; empty: nothing can
};

/// Whether the folder is a study's: results.json is read, and not a run's summary.json.
bool is_study(const std::filesystem::path& folder);

/// results.json of a study's folder, or summary.json of a run's as a study of one point and one
/// replication. Throws scmi_vp::error (input) when it is neither, cannot be read, or when its run
/// cannot be repeated as it was: what it was made from has changed (provenance.h), a real kernel
/// made it. Of `scmi-vp connect`, which nothing repeats, "rows_in" is the folder with its rows.
nlohmann::json load_results(const std::filesystem::path& folder);

/// The scenario of one run of these results, with what was set and its seed. Throws scmi_vp::error
/// (input) when the scenario has moved, and what loading it throws.
scenario::scenario scenario_of_results(const nlohmann::json& results, std::size_t point,
                                       std::size_t replication);

struct survey;

/// Compares a run of these results, repeated, with what they say of it. Throws scmi_vp::error
/// (input) with the first difference, and why there may be one.
void check_repeated(const nlohmann::json& results, std::size_t point, std::size_t replication,
                    const survey& repeated);

/// Gives the scenario of a run by its point and replication.
using scenario_source = std::function<scenario::scenario(std::size_t, std::size_t)>;

/// Whether a run that takes long shows on standard error how far it is.
enum class replay_progress : std::uint8_t { shown, silent };

/// Repeats the run in child processes (SystemC elaborates once per process; runs are deterministic)
/// and tells the story; of what was measured, from its rows. `results` has the format of
/// load_results(); without `scenarios` the scenario is read again, by scenario_of_results(). Throws
/// scmi_vp::error (usage) when there is no such point, replication or request, (input) when the
/// scenario has moved or the repeated run is not that of the results, and what loading and running
/// it throws.
story story_of(const nlohmann::json& results, const request_choice& choice,
               replay_progress progress = replay_progress::shown,
               const scenario_source& scenarios = {});

/// The story as text, 80 columns: sentences, hops with bars, log lines, the command.
void print_story(std::ostream& out, const story& s);

}  // namespace scmi_vp::studies
