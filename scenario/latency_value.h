// SPDX-License-Identifier: Apache-2.0
// Latencies as a scenario writes them: a time, or a table that names a distribution.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "scenario/value.h"

namespace scmi_vp::scenario {

/// A parameter of a kind of distribution.
struct latency_parameter {
    std::string name;
    std::string type;          ///< "time", "number", "path", ...
    std::string default_text;  ///< "(required)" if it has none
};

class latency_reader;
struct scenario;

/// One kind: what `scmi-vp list distributions` prints and what the reader accepts.
struct latency_kind {
    std::string name;
    std::string meaning;
    std::string example;  ///< TOML
    std::vector<latency_parameter> parameters;
    distribution_ptr (*make)(const latency_reader&);
};
const std::vector<latency_kind>& latency_kinds();

/// Reads "50us" or { kind = ..., ... }. Files and histograms that it reads are added to those of
/// `s`.
distribution_ptr read_latency(const value& v, scenario& s);

/// The table of files of recorded latencies: what they are, what makes them, which keys they take.
void print_latency_formats(std::ostream& out);
/// One line for each file of latencies that the scenario reads, and what is odd about it.
void print_latency_sources(std::ostream& out, const scenario& s);

}  // namespace scmi_vp::scenario
