// SPDX-License-Identifier: Apache-2.0
// What a study found, on a terminal: a row for each point, where the time went, what it cannot
// tell.
#pragma once

#include <ostream>

#include "studies/results.h"

namespace scmi_vp::studies {

/// Title, table, footnotes of its intervals.
void print_table(std::ostream& out, const findings& f);

/// A bar chart of hops for each value of the first axis, over all of its points.
void print_hops(std::ostream& out, const findings& f);

/// The slowest request of all in one line, and the command that tells its story.
void print_slowest(std::ostream& out, const findings& f, const std::string& folder);

void print_notes(std::ostream& out, const findings& f);

/// The point with the slowest request, or the number of points if there was none.
std::size_t slowest_point(const findings& f);

}  // namespace scmi_vp::studies
