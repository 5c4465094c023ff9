// SPDX-License-Identifier: Apache-2.0
// cyclictest's histogram output, as it is, and recorded lists of spans.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "base/distribution.h"

namespace scmi_vp::traces {

struct cyclictest_file {
    histogram pooled;             ///< all columns added up, bins of 1 us
    unsigned columns = 0;         ///< threads
    std::uint64_t samples = 0;    ///< counted in bins
    std::uint64_t overflows = 0;  ///< beyond the last bin (pooled.overflows)
};

/// Reads the output of `cyclictest -q -h N` (or -H N: its extra column of sums is recognised and
/// not counted twice). pooled.max is the largest of "Max Latencies", pooled.limit the end of the
/// last row. Throws scmi_vp::error (input) "name:line: ..." when there is no histogram, a line has
/// another number of columns or is no row, every count is 0, the rows do not add up to "Total" (a
/// file that was cut), or there are overflows and no maximum.
cyclictest_file read_cyclictest(std::istream& in, const std::string& name);

/// One span per line with its unit ("182us"); empty lines and # comments are skipped. Throws
/// scmi_vp::error (input) for a bad line, a span that is negative or above longest_span, or an
/// empty list.
std::vector<sim_time> read_time_list(std::istream& in, const std::string& name);

}  // namespace scmi_vp::traces
