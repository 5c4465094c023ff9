// SPDX-License-Identifier: Apache-2.0
// Schema rows: what a run must hold.
#include "scenario/check_value.h"
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {

std::vector<key_info> check_rows() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"check", "[]", "What must be true of the results: else scmi-vp run ends with status 6."},
        [](draft& d, const value&) { d.out.checks.emplace_back(); },
        [](draft& d, const value& v) { finish_check(d.out.checks.back(), v); }));
    for (const check_key& k : check_keys()) {
        key_info row;
        row.path = std::string("check[].") + k.name;
        row.type = std::string_view(k.type) == "boolean"          ? key_type::boolean
                   : std::string_view(k.type) == "number or time" ? key_type::limit
                                                                  : key_type::text;
        if (row.type == key_type::limit) row.unit = "ps to h";
        row.default_text = k.default_text;
        row.meaning = k.meaning;
        row.apply = [apply = k.apply](draft& d, const value& v) { apply(d.out.checks.back(), v); };
        keys.push_back(std::move(row));
    }
    return keys;
}

}  // namespace scmi_vp::scenario::rows
