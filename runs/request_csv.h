// SPDX-License-Identifier: Apache-2.0
// One request as a row of requests.csv: the columns are the same for a run and for a study.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "models/config.h"
#include "models/request.h"

namespace scmi_vp::runs {

/// "sh-22" for each context as models::request numbers them: the probe's is the first.
std::vector<std::string> task_names(const models::guest_config& g);

/// The heading, without the line's end.
void write_request_heading(std::ostream& out);

/// A row in the order of the heading, without the line's end. Empty cells: does not apply.
void write_request_row(std::ostream& out, const models::request& r, const std::string& task);

}  // namespace scmi_vp::runs
