// SPDX-License-Identifier: Apache-2.0
// The nearest known name to one that is not known, for error messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scmi_vp::scenario {

/// Edits (insert, delete, replace, swap of neighbours) that make `a` into `b`, case ignored.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, if it is near enough to be meant (a third of its letters).
std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);

/// ", did you mean X?", or ": one of A, B, C" when nothing is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace scmi_vp::scenario
