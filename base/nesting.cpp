// SPDX-License-Identifier: Apache-2.0
// See nesting.h.
#include "base/nesting.h"

#include <algorithm>

namespace scmi_vp {
namespace {

bool starts(std::string_view text, std::size_t at, std::string_view what) {
    return text.compare(at, what.size(), what) == 0;
}

/// Behind the string that begins there. One that is not closed ends with its line, or with the text
/// when it may have many: what is wrong with it the parser says.
std::size_t end_of_string(std::string_view text, std::size_t at, bool is_toml) {
    const char quote = text[at];
    const bool escapes = quote == '"';
    const char three[] = {quote, quote, quote, '\0'};
    const bool lines = is_toml && starts(text, at, three);
    for (at += lines ? 3 : 1; at < text.size(); ++at) {
        if (escapes && text[at] == '\\') {
            ++at;
        } else if (lines) {
            if (!starts(text, at, three)) continue;
            at += 3;
            // Up to two quotes may stand before the closing three.
            for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
            return at;
        } else if (text[at] == quote) {
            return at + 1;
        } else if (text[at] == '\n') {
            return at;
        }
    }
    return text.size();
}

text_place place_in(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {std::size_t(std::count(before.begin(), before.end(), '\n')) + 1, at - line_start + 1};
}

std::optional<text_place> too_deep(std::string_view text, bool is_toml) {
    std::size_t depth = 0, dots = 0;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"' || (is_toml && c == '\'')) {
            at = end_of_string(text, at, is_toml);
            continue;
        }
        if (is_toml && c == '#') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        if (c == '.') ++dots;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && depth > 0) --depth;
        if (c != '.' && std::string_view("[]{}=,\n").find(c) != std::string_view::npos) dots = 0;
        if (depth > deepest_nesting || (is_toml && dots >= deepest_nesting)) {
            return place_in(text, at);
        }
        ++at;
    }
    return std::nullopt;
}

}  // namespace

std::optional<text_place> too_deep_in_toml(std::string_view text) {
    return too_deep(text, true);
}

std::optional<text_place> too_deep_in_json(std::string_view text) {
    return too_deep(text, false);
}

}  // namespace scmi_vp
