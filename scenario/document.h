// SPDX-License-Identifier: Apache-2.0
// What a scenario's files and --set options say, as one list of values by key, checked against the
// names of the schema.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scenario/value.h"

namespace scmi_vp::scenario {

/// Files first, then overrides; what comes later replaces. All members throw scmi_vp::error
/// (config) with the place of what is wrong.
class document {
public:
    /// `name`: the place of what is missing altogether.
    explicit document(std::string name) : name_(std::move(name)) {}

    /// Takes the keys of a file; with a `section` ("platform") they are keys below it.
    void add_file(const std::filesystem::path& name, const std::string& text,
                  const std::string& section = "");

    /// Takes "guest.hz=1000"; `platform.sensor.2.reading=5` reaches into lists.
    void add_override(const std::string& option);

    /// The value with that key ("platform.sensor.2.reading"), or nullptr.
    const value* find(const std::string& key) const;

    /// How many elements the list has.
    std::size_t count(const std::string& list) const;

    /// The place of a key or of the nearest thing around it, for errors about what is missing.
    std::string place(const std::string& key) const;

private:
    void walk(const toml::table& table, const std::string& pattern, const std::string& key,
              const value_source& source);
    void accept(const toml::node& node, const std::string& pattern, const std::string& key,
                const std::string& where, const value_source& source);
    void accept_list(const toml::node& node, const std::string& pattern, const std::string& key,
                     const value_source& source);
    std::string pattern_of(const std::string& key, const std::string& where) const;
    void forget(const std::string& key);

    std::string name_;
    std::vector<std::unique_ptr<toml::table>> tables_;  ///< own the nodes
    std::deque<value_source> sources_;                  ///< stable addresses
    std::map<std::string, value> values_;
};

/// Results are JSON, which holds no other text: throws scmi_vp::error (usage) for a file's path or
/// an option that is not UTF-8, before anything is simulated whose results could not be written.
void require_utf8(const std::filesystem::path& file, const std::vector<std::string>& options);

}  // namespace scmi_vp::scenario
