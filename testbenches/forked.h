// SPDX-License-Identifier: Apache-2.0
// Work in a child process: SystemC elaborates once per process, so each further simulation needs
// one.
#pragma once

#include <functional>
#include <string>

namespace scmi_vp::testbenches {

/// Runs `work` in a forked child and returns what it returns. An scmi_vp::error that it throws is
/// thrown here again; a child that dies otherwise is an scmi_vp::error (model) naming `what`.
std::string run_forked(const std::string& what, const std::function<std::string()>& work);

}  // namespace scmi_vp::testbenches
