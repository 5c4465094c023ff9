// SPDX-License-Identifier: Apache-2.0
// See fingerprint.h.
#include "runs/fingerprint.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "base/input_file.h"
#include "runs/program_identity.h"

namespace scmi_vp::runs {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

std::string digest_of(const std::string& text) {
    const boost::uuids::name_generator_sha1 generate(boost::uuids::ns::oid());
    return boost::uuids::to_string(generate(text.data(), text.size()));
}

std::optional<std::string> digest_of_file(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return std::nullopt;
    try {
        return digest_of(read_input(path, inputs::latencies));  // no input is larger
    } catch (const error&) {
        return std::nullopt;
    }
}

std::string digest_of_part(const json& part) {
    return digest_of(part.dump());
}

void add_inputs(std::vector<input_digest>& all, const scenario::scenario& s) {
    for (const fs::path& p : s.inputs) {
        const std::string file = p.string();
        if (std::any_of(all.begin(), all.end(),
                        [&](const input_digest& i) { return i.file == file; })) {
            continue;
        }
        const bool own = &p == &s.inputs.front();
        all.push_back({file, own ? digest_of(s.source_text) : digest_of_file(p).value_or("")});
    }
}

std::vector<input_digest> inputs_of(const scenario::scenario& s) {
    std::vector<input_digest> all;
    add_inputs(all, s);
    return all;
}

void add_fingerprint(ordered_json& results, const std::vector<input_digest>& inputs,
                     const std::vector<std::pair<std::string, json>>& parts) {
    ordered_json from{{"program", program_version}, {"sources", source_digest}};
    from["files"] = ordered_json::array();
    for (const input_digest& i : inputs) {
        from["files"].push_back({{"file", i.file}, {"digest", i.digest}});
    }
    for (const auto& [name, part] : parts) from[name] = digest_of_part(part);
    from["all"] = digest_over_all(json(from), results.at("format").get<std::string>());
    results["made_from"] = std::move(from);
}

void add_fingerprint(ordered_json& summary, const std::vector<input_digest>& inputs) {
    std::vector<std::pair<std::string, json>> parts;
    for (const char* name : {"command", "scenario", "set", "seed"}) {
        parts.emplace_back(name, json(summary.at(name)));
    }
    add_fingerprint(summary, inputs, parts);
}

std::string digest_over_all(json made_from, const std::string& format) {
    made_from.erase("all");
    return digest_of_part({format, std::move(made_from)});
}

}  // namespace scmi_vp::runs
