// SPDX-License-Identifier: Apache-2.0
// What results were made from: a digest of each input, of what was set, and who made them. So that
// nobody tells another run in the place of theirs. The format: docs/results.md.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenario/scenario.h"

namespace scmi_vp::runs {

/// The value of "format" in a run's summary.json that this program writes and reads.
inline constexpr const char* summary_format = "scmi-vp summary 2";

/// The digest of a text: its UUID version 5 (RFC 9562, 5.5: SHA-1, 122 bits of it) in the namespace
/// of OIDs, as `uuid.uuid5(uuid.NAMESPACE_OID, text)` of Python's prints it.
std::string digest_of(const std::string& text);

/// Of a file's content; none when it is no regular file (a pipe gives its content once) or cannot
/// be read.
std::optional<std::string> digest_of_file(const std::filesystem::path& path);

/// The digest of a part of results, however its keys are ordered.
std::string digest_of_part(const nlohmann::json& part);

struct input_digest {
    std::string file;    ///< its path as the program was told it
    std::string digest;  ///< empty: it cannot be read a second time
};

/// Adds the files of a scenario, each once: the scenario's own text as it was read, of the others
/// what they hold now. So call it before a run, not after.
void add_inputs(std::vector<input_digest>& all, const scenario::scenario& s);
std::vector<input_digest> inputs_of(const scenario::scenario& s);

/// Enters "made_from" into results: who made them, `inputs`, of each of `parts` (the name of a
/// member of the results, or another name with its value) the digest, and one over all of it.
void add_fingerprint(nlohmann::ordered_json& results, const std::vector<input_digest>& inputs,
                     const std::vector<std::pair<std::string, nlohmann::json>>& parts);

/// The same for one run, whose "scenario", "set" and "seed" are parts.
void add_fingerprint(nlohmann::ordered_json& summary, const std::vector<input_digest>& inputs);

/// The digest over all of "made_from", of results of that format.
std::string digest_over_all(nlohmann::json made_from, const std::string& format);

}  // namespace scmi_vp::runs
