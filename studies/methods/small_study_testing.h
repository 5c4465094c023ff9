// SPDX-License-Identifier: Apache-2.0
// For tests: a study of two hosts and four replications that takes a fraction of a second.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"
#include "studies/study.h"

namespace scmi_vp::studies {

inline constexpr const char* small_scenario_text = R"(
[sim]
duration = "2s"
[guest]
max_rx_timeout = "30ms"
ftrace = false
[hops]
service = { kind = "exponential", mean = "100us" }
[[platform.sensor]]
name = "t"
[[platform.loss]]
probability = 0.01
[[workload.context]]
name = "a"
[[workload.context]]
name = "b"
[[workload.loop]]
context = "a"
count = 300
think = { kind = "exponential", mean = "1ms" }
calls = [ { call = "sensor_read", id = 0 } ]
[[workload.loop]]
context = "b"
count = 300
think = { kind = "exponential", mean = "1ms" }
calls = [ { call = "sensor_read", id = 0 } ]
)";

inline constexpr const char* small_study_text = R"(
[study]
scenario = "scenario.toml"
replications = 4
[[axis]]
name = "host"
values = [ { label = "steady" },
           { label = "pausing", set = { "platform.pause" = [ { every = "200ms", length = "50ms" } ] } } ]
)";

class small_study : public testing::Test {
protected:
    small_study() { folder.write("scenario.toml", small_scenario_text); }
    study load(const std::string& text = small_study_text) {
        return parse_study(text, folder.path() / "study.toml");
    }
    scenario::testing_tools::scratch_folder folder;
};

}  // namespace scmi_vp::studies
