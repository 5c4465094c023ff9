// SPDX-License-Identifier: Apache-2.0
// What a study found, on a terminal: a row for each point, where the time went, what it cannot
// tell.
#pragma once

#include <ostream>

#include "studies/results/results.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {

/// Title, table, footnotes of its intervals.
void print_table(std::ostream& out, const findings& f);

/// A bar chart of hops for each value of the first axis, over all of its points.
void print_hops(std::ostream& out, const findings& f);

/// The story of the slowest request of all, and, where it is kept in a folder, the command that
/// tells more.
void print_slowest(std::ostream& out, const story& s, const std::string& folder);

void print_notes(std::ostream& out, const findings& f);

/// The point with the slowest request, or the number of points if there was none.
std::size_t slowest_point(const findings& f);

}  // namespace scmi_vp::studies
