// SPDX-License-Identifier: Apache-2.0
// How deep a text is nested, found without recursion: the libraries that parse, copy and destroy
// it recurse once per level.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace scmi_vp {

/// More than anything that is read here has.
constexpr std::size_t deepest_nesting = 64;

/// A place in a text, from 1; columns are bytes.
struct text_place {
    std::size_t line, column;
};

/// Where brackets and braces of a TOML text, or the parts of one dotted key (toml.io 1.0 "Keys",
/// "Table"), exceed deepest_nesting. Strings and comments do not count.
std::optional<text_place> too_deep_in_toml(std::string_view text);

/// The same of JSON (RFC 8259).
std::optional<text_place> too_deep_in_json(std::string_view text);

}  // namespace scmi_vp
