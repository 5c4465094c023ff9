// SPDX-License-Identifier: Apache-2.0
// Schema rows: faults of the platform's messages, and messages that nobody asked for.
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

using models::fault_config;
using models::fault_kind;

constexpr std::int64_t longest_message = 65535, last_token = 1023;

fault_config& fault_of(draft& d) {
    return d.out.system.platform.faults.back();
}
models::unsolicited_message& unsolicited_of(draft& d) {
    return d.out.system.platform.unsolicited.back();
}

void set_bytes(draft& d, const value& v, bool exclusive_or) {
    if (!fault_of(d).bytes.empty()) v.refuse("give bytes either as xor or as write");
    for (const value& e : v.elements("a list of bytes like [0xff, 0]")) {
        fault_of(d).bytes.push_back(std::uint8_t(e.integer(0, 255)));
    }
    if (fault_of(d).bytes.empty()) v.refuse("an empty list: give at least one byte");
    fault_of(d).exclusive_or = exclusive_or;
}

void set_status(draft& d, const value& v) {
    std::optional<std::int32_t>& status = fault_of(d).edit.status;
    if (v.node->is_string()) {
        std::vector<std::string> names = status_names();
        names.emplace_back("SUCCESS");
        const std::string name = v.choice(names);
        status = name == "SUCCESS" ? 0 : std::int32_t(status_named(name));
    } else {
        status = std::int32_t(v.integer(std::numeric_limits<std::int32_t>::min(),
                                        std::numeric_limits<std::int32_t>::max()));
    }
}

/// Each kind has what it needs, and nothing that it would not look at.
void finish_fault(draft& d, const value& v) {
    fault_config& f = fault_of(d);
    resolve_message(d, v, f.match);
    const std::string kind(name_of(f.kind));
    const auto given = [&v](const char* key) { return v.member(key).node != nullptr; };
    const auto only_for = [&](const char* key, std::initializer_list<fault_kind> kinds) {
        if (!given(key)) return;
        std::string names;
        for (const fault_kind k : kinds) {
            if (k == f.kind) return;
            names += (names.empty() ? "" : ", ") + std::string(name_of(k));
        }
        v.member(key).refuse("is for " + names + "; this fault is of kind " + kind);
    };
    only_for("delay", {fault_kind::delay, fault_kind::duplicate, fault_kind::reorder});
    only_for("replies", {fault_kind::reorder});
    only_for("length", {fault_kind::truncate, fault_kind::length});
    only_for("offset", {fault_kind::corrupt});
    only_for("xor", {fault_kind::corrupt});
    only_for("write", {fault_kind::corrupt});
    only_for("new", {fault_kind::rewrite, fault_kind::duplicate});
    const auto need = [&](bool has, const char* what) {
        if (!has) v.refuse("a fault of kind " + kind + " needs " + what);
    };
    if (f.kind == fault_kind::delay) need(f.delay != nullptr, "a delay");
    if (f.kind == fault_kind::truncate || f.kind == fault_kind::length) {
        need(f.length.has_value(), "a length");
    }
    if (f.kind == fault_kind::corrupt) need(!f.bytes.empty(), "bytes: xor or write");
    if (f.kind == fault_kind::rewrite) need(!f.edit.empty(), "something new: new.token, new.type");
    if (f.kind == fault_kind::reorder && f.target != models::fault_target::response) {
        v.refuse(
            "of: only responses are held until later ones have gone; to make others late use "
            "kind delay");
    }
}

std::vector<key_info> when_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        integer({"platform.fault[].nth", "1", "The first matching message that is hit, from 1."},
                "", 1, any, [](draft& d, std::int64_t n) { fault_of(d).nth = std::uint64_t(n); }));
    keys.push_back(integer({"platform.fault[].every", "1",
                            "From that one on, each so manyth matching message is hit."},
                           "", 1, any,
                           [](draft& d, std::int64_t n) { fault_of(d).every = std::uint64_t(n); }));
    keys.push_back(integer({"platform.fault[].count", "0", "At most so many are hit; 0: no limit."},
                           "", 0, any,
                           [](draft& d, std::int64_t n) { fault_of(d).count = std::uint64_t(n); }));
    keys.push_back(number({"platform.fault[].probability", "1", "That one is hit at all."}, 0, 1,
                          [](draft& d, double p) { fault_of(d).probability = p; }));
    keys.push_back(time({"platform.fault[].from", "\"0s\"",
                         "Only messages due at or after this; others are not counted."},
                        [](draft& d, sim_time t) { fault_of(d).from = t; }));
    keys.push_back(time({"platform.fault[].to", "(the end)", "And before this."},
                        [](draft& d, sim_time t) { fault_of(d).to = t; }));
    return keys;
}

std::vector<key_info> what_keys() {
    std::vector<key_info> keys;
    keys.push_back(latency({"platform.fault[].delay", "(none)",
                            "delay: how much later; duplicate: how long after the first; reorder: "
                            "held no longer than this."},
                           [](draft& d, distribution_ptr l) { fault_of(d).delay = std::move(l); }));
    keys.push_back(integer(
        {"platform.fault[].replies", "(1)", "reorder: how many later responses go first."}, "", 1,
        1024, [](draft& d, std::int64_t n) { fault_of(d).replies = std::uint32_t(n); }));
    keys.push_back(integer(
        {"platform.fault[].length", "(none)",
         "truncate: bytes that are left (4: a header without a status); length: what the used "
         "ring says instead of what was written. Header and status count."},
        "bytes", 0, longest_message,
        [](draft& d, std::int64_t n) { fault_of(d).length = std::uint32_t(n); }));
    keys.push_back(integer({"platform.fault[].offset", "(0)",
                            "corrupt: of the first byte; 0 is the header's, 4 the status', 8 the "
                            "first value's."},
                           "bytes", 0, longest_message, [](draft& d, std::int64_t n) {
                               fault_of(d).offset = std::uint32_t(n);
                           }));
    keys.push_back(list({"platform.fault[].xor", "(none)",
                         "corrupt: bytes to combine with what is there (exclusive or)."},
                        "", "0..255 each",
                        [](draft& d, const value& v) { set_bytes(d, v, true); }));
    keys.push_back(list({"platform.fault[].write", "(none)", "corrupt: bytes to put there."}, "",
                        "0..255 each", [](draft& d, const value& v) { set_bytes(d, v, false); }));
    return keys;
}

std::vector<key_info> edit_keys() {
    const std::string at = "platform.fault[].new.";
    std::vector<key_info> keys;
    keys.push_back(integer(
        {at + "token", "(the same)", "rewrite, duplicate: another token."}, "", 0, last_token,
        [](draft& d, std::int64_t n) { fault_of(d).edit.token = std::uint16_t(n); }));
    keys.push_back(
        integer({at + "token_add", "(0)", "Added to the token, modulo 1024."}, "", 0, last_token,
                [](draft& d, std::int64_t n) { fault_of(d).edit.token_add = std::uint16_t(n); }));
    keys.push_back(choice({at + "type", "(the same)", "Another message type."},
                          models::message_type_names(), [](draft& d, const std::string& s) {
                              fault_of(d).edit.type = models::message_type_named(s);
                          }));
    keys.push_back(integer_or_word(
        {at + "protocol", "(the same)", "Another protocol."}, "a name or 0x10..0xff",
        [](draft& d, const value& v) { fault_of(d).edit.protocol_id = protocol_of(v); }));
    keys.push_back(
        integer({at + "message", "(the same)", "Another message id."}, "", 0, 255,
                [](draft& d, std::int64_t n) { fault_of(d).edit.message_id = std::uint8_t(n); }));
    keys.push_back(integer_or_word({at + "status", "(the same)", "Another status."},
                                   "a name as in DEN0056 or a number", set_status));
    return keys;
}

std::vector<key_info> unsolicited_keys() {
    const std::string at = "platform.unsolicited[].";
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.unsolicited", "[]",
         "Messages that nobody asked for, in an event buffer (dropped when there is none)."},
        [](draft& d, const value&) { d.out.system.platform.unsolicited.emplace_back(); },
        [](draft& d, const value& v) { check_schedule(v, unsolicited_of(d).when); }));
    add_schedule_keys(keys, "platform.unsolicited[]",
                      [](draft& d) -> models::schedule_config& { return unsolicited_of(d).when; });
    keys.push_back(choice({at + "type", "\"notification\"", "Its type."},
                          models::message_type_names(), [](draft& d, const std::string& s) {
                              unsolicited_of(d).hdr.type = *models::message_type_named(s);
                          }));
    keys.push_back(integer_or_word(
        {at + "protocol", "(required)", "Its protocol."}, "a name or 0x10..0xff",
        [](draft& d, const value& v) { unsolicited_of(d).hdr.protocol_id = protocol_of(v); }));
    keys.push_back(integer(
        {at + "message", "0", "Its message id, a notification's number."}, "", 0, 255,
        [](draft& d, std::int64_t n) { unsolicited_of(d).hdr.message_id = std::uint8_t(n); }));
    keys.push_back(
        integer({at + "token", "0", "Its token."}, "", 0, last_token,
                [](draft& d, std::int64_t n) { unsolicited_of(d).hdr.token = std::uint16_t(n); }));
    keys.push_back(list({at + "words", "[]",
                         "What follows the header, 32 bits each: of a response or delayed response "
                         "the first is the status."},
                        "", "0..0xffffffff each", [](draft& d, const value& v) {
                            for (const value& e : v.elements("a list of numbers like [0, 1]")) {
                                unsolicited_of(d).words.push_back(
                                    std::uint32_t(e.integer(0, 0xffffffff)));
                            }
                        }));
    return keys;
}

}  // namespace

void add_schedule_keys(std::vector<key_info>& keys, const std::string& prefix,
                       const std::function<models::schedule_config&(draft&)>& at) {
    keys.push_back(time({prefix + ".at", "(required)", "When, in simulated time."},
                        [at](draft& d, sim_time t) { at(d).at = t; }));
    keys.push_back(time({prefix + ".every", "\"0s\"", "Then again each time so much later."},
                        [at](draft& d, sim_time t) { at(d).every = t; }));
    keys.push_back(
        integer({prefix + ".count", "1", "How often in all; 0: until the end of the run."}, "", 0,
                any, [at](draft& d, std::int64_t n) { at(d).count = std::uint64_t(n); }));
}

void check_schedule(const value& v, const models::schedule_config& s) {
    if (s.count == 1 || s.every > sim_time{}) return;
    v.refuse("happens more than once: say how much later, every = \"1ms\"");
}

std::vector<key_info> fault_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.fault", "[]",
         "What goes wrong with messages of the platform; rows take effect in their order."},
        [](draft& d, const value& v) {
            d.out.system.platform.faults.emplace_back().name = v.key;
            d.message.clear();
        },
        finish_fault));
    keys.push_back(choice(
        {"platform.fault[].kind", "(required)",
         "What happens: it is dropped, sent twice (the second in an event buffer), late, "
         "overtaken, cut, of a wrong length, changed in its bytes, changed in its fields."},
        models::fault_kind_names(),
        [](draft& d, const std::string& s) { fault_of(d).kind = *models::fault_kind_named(s); }));
    keys.push_back(choice({"platform.fault[].of", "\"response\"",
                           "Which messages: replies are responses and delayed responses."},
                          models::fault_target_names(), [](draft& d, const std::string& s) {
                              fault_of(d).target = *models::fault_target_named(s);
                          }));
    add_match_keys(keys, "platform.fault[]",
                   [](draft& d) -> models::message_match& { return fault_of(d).match; });
    for (auto part : {when_keys(), what_keys(), edit_keys(), unsolicited_keys()}) {
        for (key_info& k : part) keys.push_back(std::move(k));
    }
    return keys;
}

}  // namespace scmi_vp::scenario::rows
