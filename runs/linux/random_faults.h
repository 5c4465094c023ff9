// SPDX-License-Identifier: Apache-2.0
// Scenarios that nobody wrote: a platform, what goes wrong with its messages, and the calls of a
// guest, all drawn from one number. Played against a real kernel they find what the model of its
// driver gets wrong (scmi-vp validate --seeds).
#pragma once

#include <cstdint>
#include <string>

namespace scmi_vp::runs {

/// "random-17": its name in tables and folders.
std::string random_fault_name(std::uint64_t seed);

/// The scenario as TOML, which says where it comes from. The same text for the same seed, always;
/// it contains nothing that docs/validity.md knows the model to do otherwise than the kernel.
std::string random_fault_scenario(std::uint64_t seed);

}  // namespace scmi_vp::runs
