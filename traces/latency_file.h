// SPDX-License-Identifier: Apache-2.0
// Recorded latencies as the tools print them: one reader that finds out which tool it was.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "base/distribution.h"

namespace scmi_vp::traces {

/// What a file cannot say for itself. A choice that does not apply to the file is refused.
struct latency_choice {
    std::string unit;    ///< of its numbers: "ns", "us", "ms" or "s"; empty: not given
    std::string column;  ///< which of its kinds, columns or maps; empty: not given
};

/// What was read, all chosen columns pooled.
struct latency_file {
    std::string format;         ///< "cyclictest histogram"
    std::string parts;          ///< "2 threads", or empty
    std::string unit;           ///< "us"; empty: each value names its own
    histogram pooled;           ///< pooled.mean: if every column tells its average
    std::uint64_t samples = 0;  ///< overflows included
    bool max_known = true;      ///< false: there are overflows, and nothing says how long they were
    double average_ps = 0;      ///< the file's own average as it printed it; 0: none
    std::vector<sim_time> in_order;  ///< every sample, where the file has single ones
    std::vector<std::string> notes;  ///< where the file contradicts itself, or its unit looks wrong
};

/// One kind of file.
struct latency_format {
    std::string name;     ///< "cyclictest histogram"
    std::string command;  ///< what makes such a file
    std::string keys;     ///< which of unit and column it takes, for the documentation
};
/// All that is read, in the order of the documentation.
const std::vector<latency_format>& latency_formats();

/// Reads any of latency_formats(). Text around the data, colours and carriage returns are skipped.
/// Throws scmi_vp::error (input) "name: ..." or "name:line: ..." for a file that is empty, cut,
/// has no samples or is none of them; (config) for a choice that it needs and has not, or that
/// does not apply.
latency_file read_latency_file(std::istream& in, const std::string& name,
                               const latency_choice& choice = {});

/// The samples of a file in its order: of a format with single samples, or a list of spans. Throws
/// like the above, and when the file holds a histogram.
latency_file read_latency_list(std::istream& in, const std::string& name,
                               const latency_choice& choice = {});

/// "cyclictest histogram, 2 threads, 119 959 samples, 10us to 35.77ms, in us".
std::string describe(const latency_file& file);

/// A span with four significant digits: "35.77ms".
std::string rounded_time(double ps);

}  // namespace scmi_vp::traces
