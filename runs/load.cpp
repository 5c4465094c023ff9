// SPDX-License-Identifier: Apache-2.0
// See load.h.
#include "runs/load.h"

#include <utility>

#include "runs/result_sink.h"

namespace scmi_vp::runs {

namespace {

scenario::scenario with_checks_found(scenario::scenario s) {
    if (s.checks.empty()) return s;
    const std::vector<scenario::result_number> known = numbers_of_run(s);
    for (scenario::check& c : s.checks) {
        resolve_check(c, known, "scmi-vp list numbers " + s.file.string());
    }
    return s;
}

}  // namespace

scenario::scenario load_scenario(const std::filesystem::path& path,
                                 const std::vector<std::string>& overrides) {
    return with_checks_found(scenario::read_scenario(path, overrides));
}

scenario::scenario parse_scenario(const std::string& text, const std::filesystem::path& name,
                                  const std::vector<std::string>& overrides) {
    return with_checks_found(scenario::parse_scenario(text, name, overrides));
}

}  // namespace scmi_vp::runs
