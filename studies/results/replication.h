// SPDX-License-Identifier: Apache-2.0
// One run of a study: its events boiled down while they come, as a message that processes send,
// and such messages added up.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "studies/results/point_result.h"
#include "studies/study.h"

namespace scmi_vp::studies {

/// Called now and then during a run with the fraction that is done and its requests so far.
using tell_progress = std::function<void(double fraction, std::uint64_t requests)>;

/// One run in this process (SystemC: once per process), as the message that a child sends; each
/// request's row goes to `rows`.
std::string run_replication(const study& s, std::size_t point, std::uint64_t replication,
                            std::ostream* rows = nullptr, const tell_progress& tell = {});
/// The same for a run that is no part of a study; its batches are in the message.
std::string run_alone(const scenario::scenario& one);
/// Adds such a message to the results of its point.
void merge_replication(point_result& result, const std::string& message);

}  // namespace scmi_vp::studies
