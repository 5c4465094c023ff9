// SPDX-License-Identifier: Apache-2.0
// A scenario: one experiment as data, read from TOML through the schema (schema.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/config.h"
#include "scenario/check.h"
#include "scenario/device_tree.h"

namespace scmi_vp::scenario {

/// Which files a run writes into its output directory.
struct output_options {
    bool ftrace = true;      ///< the driver's scmi:* events, ftrace's text format
    bool dmesg = true;       ///< kernel messages
    bool registers = false;  ///< every register access
    bool requests = true;    ///< one line per request with its hops, CSV
    bool summary = true;     ///< totals, JSON
    models::wave_config vcd;
};

/// A recorded histogram that a latency is drawn from.
struct recorded_histogram {
    std::filesystem::path file;
    histogram pooled;
    histogram_overflow overflow = histogram_overflow::at_max;
};

/// A file of recorded latencies and what it was taken for.
struct latency_source {
    std::string key;  ///< "hops.host_wake"
    std::string
        text;  ///< "cyclictest histogram, 2 threads, 119959 samples, 10us to 35.773ms, in us"
    std::vector<std::string> notes;  ///< what contradicts itself or the scenario's assumption
};

struct scenario {
    std::string title;
    std::string description;
    models::system_config system;
    output_options output;
    std::vector<check> checks;
    std::filesystem::path file;                 ///< as given
    std::string source_text;                    ///< the scenario file as it was read
    std::vector<std::filesystem::path> inputs;  ///< every file that was read, the scenario first
    std::vector<recorded_histogram> histograms;
    std::vector<latency_source> latency_sources;  ///< in the order in which they were read
    std::vector<std::string> overrides;           ///< the --set options, as given
    device_tree_use tree;            ///< what the driver takes from where, if there is a tree
    std::vector<std::string> notes;  ///< what a run says first: keys that have no effect
};

/// The overrides that results depend on: all but sim.quantum, so that outputs stay byte-identical.
std::vector<std::string> lasting_overrides(const std::vector<std::string>& overrides);

/// Reads a scenario and the files it names, `overrides` ("guest.hz=1000") on top. The first thing
/// that is wrong is thrown as scmi_vp::error (config; input for histograms and recorded lists)
/// whose text starts with "file:line:column" or "--set key=value"; (usage) for a path or an option
/// that is not UTF-8. Its checks name numbers that only runs have: runs/load.h finds those, too.
scenario read_scenario(const std::filesystem::path& path,
                       const std::vector<std::string>& overrides);

/// The same for a text; `name` stands for the file in errors, relative paths start at its folder.
scenario parse_scenario(const std::string& text, const std::filesystem::path& name,
                        const std::vector<std::string>& overrides = {});

}  // namespace scmi_vp::scenario
