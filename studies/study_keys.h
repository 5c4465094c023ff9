// SPDX-License-Identifier: Apache-2.0
// The schema of study files, the one place that knows their keys: the reader, its suggestions and
// `scmi-vp list study-keys` are derived from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "scenario/schema.h"
#include "scenario/value.h"
#include "studies/study.h"

namespace scmi_vp::studies {

/// A key; `path` is "study.seed", or "axis[].name" for a key of the elements of a list.
struct study_key {
    std::string path;
    scenario::key_type type;
    std::string default_text;  ///< TOML, "(required)", or a note in parentheses
    std::string meaning;
    /// Puts the value into the study; for tables: appends an element.
    std::function<void(study&, const scenario::value&)> apply;
    /// Only for tables: the element's keys have been applied.
    void (*finish)(study&, const scenario::value&) = nullptr;
};

const std::vector<study_key>& study_keys();

/// Reads a whole document into `s`: every key once, unknown names refused with a suggestion,
/// required ones demanded. `file` is the place of what is missing altogether.
void apply_study_keys(study& s, const toml::table& document, const scenario::value_source& source);

}  // namespace scmi_vp::studies
