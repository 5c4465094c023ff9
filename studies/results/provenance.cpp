// SPDX-License-Identifier: Apache-2.0
// See provenance.h.
#include "studies/results/provenance.h"

#include <filesystem>

#include "base/error.h"
#include "runs/fingerprint.h"
#include "runs/program_identity.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const std::string& where, const std::string& what,
                         const std::string& again) {
    throw error(error_kind::input, where, what + "; run it again: " + again);
}

void check_file(const std::string& file, const std::string& digest, const std::string& again) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        throw error(error_kind::input, file,
                    "is not there, and these results were made from it; its path is as seen from "
                    "the folder in which they were made: change to that folder, or put it back");
    }
    const auto now = runs::digest_of_file(file);
    if (digest.empty() || !now) {
        refuse(file, "cannot be read a second time, so nobody knows whether it is what it was",
               again);
    }
    if (*now != digest) refuse(file, "has changed since these results were made", again);
}

}  // namespace

result_parts parts_of_study(const json_place& results) {
    const std::vector<std::string> axes = results.at("axes").texts();
    json points = json::array();
    for (const json_place& p : results.at("points").elements()) {
        json seeds = json::array();
        for (const json_place& r : p.at("replication_results").elements()) {
            seeds.push_back(r.at("seed").count());
        }
        points.push_back({labels_of(p, axes), p.at("set").texts(), std::move(seeds)});
    }
    return {{"study", results.at("study").text()},
            {"scenario", results.at("scenario").text()},
            {"set", results.at("set").texts()},
            {"seed", results.at("seed").count()},
            {"points", std::move(points)}};
}

result_parts parts_of_run(const json_place& summary) {
    return {{"command", summary.at("command").text()},
            {"scenario", summary.at("scenario").text()},
            {"set", summary.at("set").texts()},
            {"seed", summary.at("seed").count()}};
}

void check_parts(const json_place& results, const std::string& file, const result_parts& parts,
                 const std::string& again) {
    for (const auto& [name, part] : parts) {
        const std::string then = results.at("made_from").at(name).text();
        if (then == runs::digest_of_part(part)) continue;
        refuse(file, name + " is not what these results were made with: the file was edited",
               again);
    }
}

void check_made_from(const json_place& results, const std::string& file, const result_parts& parts,
                     const std::string& again) {
    const json_place from = results.at("made_from");
    const std::string program = from.at("program").text();
    if (program != runs::program_version) {
        refuse(file,
               "scmi-vp " + program + " made these results, and this is " + runs::program_version +
                   ", whose runs may differ",
               again);
    }
    check_parts(results, file, parts, again);
    for (const json_place& one : from.at("files").elements()) {
        check_file(one.at("file").text(), one.at("digest").text(), again);
    }
    if (from.at("all").text() == runs::digest_over_all(from.raw(), results.at("format").text())) {
        return;
    }
    refuse(file, "made_from does not agree with itself: the file was edited", again);
}

std::string made_by_others(const json& made_from) {
    const std::string theirs = made_from.value("sources", ""), ours = runs::source_digest;
    if (theirs == ours) return "";
    return "another build of scmi-vp made them (sources " + theirs.substr(0, 12) + ", this one " +
           ours.substr(0, 12) + ")";
}

}  // namespace scmi_vp::studies
