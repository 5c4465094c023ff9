// SPDX-License-Identifier: Apache-2.0
// Schema rows that several lists share: which SCMI messages an element is about, status codes.
#include <limits>

#include "scenario/schema_rows.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario::rows {
namespace {

/// All messages of that name, of the protocol or of all; what else there is goes into `names`.
std::vector<const scmi::message_info*> find_named(const std::string& name,
                                                  std::optional<std::uint8_t> protocol,
                                                  std::vector<std::string>& names) {
    std::vector<const scmi::message_info*> found;
    for (unsigned p = scmi::protocol::base; p <= 0xff; ++p) {
        if (protocol && *protocol != p) continue;
        for (unsigned m = 0; m <= 0xff; ++m) {
            const scmi::message_info* info = scmi::find_message(std::uint8_t(p), std::uint8_t(m));
            if (!info) continue;
            names.emplace_back(info->name);
            if (info->name == name) found.push_back(info);
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> status_names() {
    std::vector<std::string> names;
    for (int s = -1; s >= -11; --s) names.emplace_back(scmi::name_of(scmi::status(s)));
    return names;
}

scmi::status status_named(const std::string& name) {
    for (int s = -1; s >= -11; --s) {
        if (scmi::name_of(scmi::status(s)) == name) return scmi::status(s);
    }
    return scmi::status::not_found;
}

void add_match_keys(std::vector<key_info>& keys, const std::string& prefix,
                    const std::function<models::message_match&(draft&)>& at) {
    keys.push_back(
        integer_or_word({prefix + ".protocol", "(any)", "The protocol."}, "a name or 0x10..0xff",
                        [at](draft& d, const value& v) { at(d).protocol_id = protocol_of(v); }));
    keys.push_back(integer_or_word({prefix + ".message", "(any)", "The message."},
                                   "a name as in DEN0056 or 0..255",
                                   [at](draft& d, const value& v) {
                                       if (v.node->is_integer()) {
                                           at(d).message_id = std::uint8_t(v.integer(0, 255));
                                       } else {
                                           d.message = v.text();
                                       }
                                   }));
    keys.push_back(integer(
        {prefix + ".resource", "(any)", "The clock, sensor or domain that the message names."}, "",
        0, std::numeric_limits<std::int32_t>::max(),
        [at](draft& d, std::int64_t n) { at(d).resource = std::int32_t(n); }));
}

// A name that several protocols share must have the same number in all.
void resolve_message(const draft& d, const value& element, models::message_match& match) {
    if (d.message.empty()) return;
    std::vector<std::string> names;
    const auto found = find_named(d.message, match.protocol_id, names);
    const value member = element.member("message");
    const value& at = member.node ? member : element;  // it may come from an option
    if (found.empty()) {
        const auto near = nearest(d.message, names);
        at.refuse("unknown message '" + d.message + "'" +
                  (near ? ", did you mean " + *near + "?"
                        : "; `scmi-vp list messages` prints all that are known by name"));
    }
    for (const scmi::message_info* info : found) {
        if (info->message_id != found[0]->message_id) {
            at.refuse("'" + d.message +
                      "' has another number in each protocol: give the protocol too");
        }
    }
    match.message_id = found[0]->message_id;
    if (found.size() == 1) match.protocol_id = found[0]->protocol_id;
}

}  // namespace scmi_vp::scenario::rows
