// SPDX-License-Identifier: Apache-2.0
// See toml_text.h.
#include "studies/toml_text.h"

#include <charconv>
#include <sstream>

#include "scenario/value.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;

template <class T>
std::string formatted(const T& value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

/// The shortest text that is read back as the same number: 1e-05, not 1.0000000000000001e-05.
std::string number_text(double value) {
    char text[32];
    const std::string shortest(text, std::to_chars(text, text + sizeof text, value).ptr);
    // TOML tells a float from an integer by its dot or exponent ("inf" and "nan" have an n).
    return shortest.find_first_of(".en") == std::string::npos ? shortest + ".0" : shortest;
}

/// A basic string (toml.io 1.0, "String"): what is below a blank or ends it is escaped.
std::string quoted(const std::string& text) {
    std::string q = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            q += std::string("\\") + c;
        } else if (byte < 0x20 || byte == 0x7f) {
            constexpr const char* digits = "0123456789abcdef";
            q += std::string("\\u00") + digits[byte >> 4] + digits[byte & 15];
        } else {
            q += c;
        }
    }
    return q + "\"";
}

bool is_bare_key(std::string_view key) {
    return !key.empty() && key.find_first_not_of(
                               "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string_view::npos;
}

/// Only latencies name files below a key, and only these kinds (scenario/latency_value.cpp).
bool names_file(const toml::table& table) {
    const auto kind = table["kind"].value<std::string>();
    return kind && (*kind == "histogram" || *kind == "recorded");
}

std::string inline_text(const toml::node& node, const fs::path& folder);

std::string table_text(const toml::table& table, const fs::path& folder) {
    std::string text;
    for (const auto& [k, v] : table) {
        const std::string key(k.str());
        text += (text.empty() ? "" : ", ") + (is_bare_key(key) ? key : quoted(key)) + " = ";
        const auto file = v.value<std::string>();
        if (key == "file" && file && names_file(table)) {
            const fs::path path(*file);
            text += quoted((path.is_absolute() ? path : folder / path).lexically_normal().string());
        } else {
            text += inline_text(v, folder);
        }
    }
    return text.empty() ? "{}" : "{ " + text + " }";
}

std::string inline_text(const toml::node& node, const fs::path& folder) {
    if (const auto* s = node.as_string()) return quoted(s->get());
    if (const toml::table* table = node.as_table()) return table_text(*table, folder);
    if (const toml::array* array = node.as_array()) {
        std::string text;
        for (const toml::node& element : *array) {
            text += (text.empty() ? "" : ", ") + inline_text(element, folder);
        }
        return "[" + text + "]";
    }
    if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
    if (const auto* i = node.as_integer()) return std::to_string(i->get());
    if (const auto* f = node.as_floating_point()) return number_text(f->get());
    return formatted(toml::node_view<const toml::node>(&node));  // dates, which no key accepts
}

/// A string that needs no quotes: --set takes what is no TOML as a string.
bool is_word(const std::string& s) {
    if (s.empty() || s.find_first_of("[]{}\"' \t\r\n#") != std::string::npos) return false;
    try {
        return scenario::parse_toml("v = " + s, {}).empty();
    } catch (const toml::parse_error&) {
        return true;
    }
}

}  // namespace

std::string override_text(const toml::node& node, const fs::path& folder) {
    const auto* s = node.as_string();
    return s && is_word(s->get()) ? s->get() : inline_text(node, folder);
}

}  // namespace scmi_vp::studies
