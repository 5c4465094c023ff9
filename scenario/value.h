// SPDX-License-Identifier: Apache-2.0
// One value of a scenario with its place: reads it as a type or says where it is wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "base/time.h"

namespace scmi_vp::scenario {

/// What a value was read from: a file, or an option of the command line.
struct value_source {
    std::string name;              ///< "scenario.toml", "--set guest.hz=1"
    std::filesystem::path folder;  ///< where its relative paths start
    bool has_lines = true;         ///< false: the name says it all
};

/// "file:line:column", or the name alone.
std::string place_of(const toml::source_region& region, const value_source& source);

/// The library's parser for text that is not nested too deep for it (base/nesting.h). Throws
/// scmi_vp::error (config) with the place when it is, and toml::parse_error.
toml::table parse_toml(const std::string& text, const value_source& source);

/// A value, who wrote it, and the key it belongs to ("platform.sensor.2.reading"). The readers
/// throw scmi_vp::error (config) "place: key: what is wrong".
struct value {
    const toml::node* node = nullptr;
    const value_source* source = nullptr;
    std::string key;

    std::string where() const { return place_of(node->source(), *source); }
    [[noreturn]] void refuse(const std::string& message) const;
    /// The same for something of another type than `wanted`.
    [[noreturn]] void refuse_type(const std::string& wanted) const;

    std::int64_t integer(std::int64_t min, std::int64_t max) const;
    double number() const;  ///< finite
    bool boolean() const;
    std::string text() const;
    std::string choice(const std::vector<std::string>& words) const;
    sim_time time(sim_time min, sim_time max) const;
    std::uint64_t byte_count(std::uint64_t min, std::uint64_t max) const;  ///< "64MiB"
    std::filesystem::path path()
        const;  ///< relative ones start at the source's folder; may be empty

    /// The elements of a list; the key gets their number.
    std::vector<value> elements(const std::string& wanted) const;
    /// A member of a table; node is nullptr when it has none of that name.
    value member(const std::string& name) const;
};

/// "1..10000", "0.." for an open end.
std::string range_text(std::int64_t min, std::int64_t max);
std::string range_text(sim_time min, sim_time max);

}  // namespace scmi_vp::scenario
