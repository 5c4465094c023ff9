// SPDX-License-Identifier: Apache-2.0
// See fault_config.h.
#include "models/platform/fault_config.h"

#include <boost/endian/conversion.hpp>
#include <iterator>

namespace scmi_vp::models {
namespace {

template <class T>
struct word {
    std::string_view name;
    T value;
};

constexpr word<fault_kind> kinds[] = {
    {"drop", fault_kind::drop},         {"duplicate", fault_kind::duplicate},
    {"delay", fault_kind::delay},       {"reorder", fault_kind::reorder},
    {"truncate", fault_kind::truncate}, {"length", fault_kind::length},
    {"corrupt", fault_kind::corrupt},   {"rewrite", fault_kind::rewrite},
};
constexpr word<fault_target> targets[] = {
    {"response", fault_target::response},
    {"delayed_response", fault_target::delayed_response},
    {"notification", fault_target::notification},
    {"reply", fault_target::reply},
    {"any", fault_target::any},
};
constexpr word<scmi::message_type> types[] = {
    {"response", scmi::message_type::command},
    {"reserved", scmi::message_type::reserved},
    {"delayed_response", scmi::message_type::delayed_response},
    {"notification", scmi::message_type::notification},
};

template <class T, std::size_t N>
std::optional<T> named(const word<T> (&words)[N], std::string_view name) {
    for (const word<T>& w : words) {
        if (w.name == name) return w.value;
    }
    return std::nullopt;
}

template <class T, std::size_t N>
std::vector<std::string> names(const word<T> (&words)[N]) {
    std::vector<std::string> all;
    for (const word<T>& w : words) all.emplace_back(w.name);
    return all;
}

}  // namespace

std::string_view name_of(fault_kind k) {
    return kinds[std::size_t(k)].name;
}
std::optional<fault_kind> fault_kind_named(std::string_view name) {
    return named(kinds, name);
}
std::vector<std::string> fault_kind_names() {
    return names(kinds);
}
std::optional<fault_target> fault_target_named(std::string_view name) {
    return named(targets, name);
}
std::vector<std::string> fault_target_names() {
    return names(targets);
}
std::optional<scmi::message_type> message_type_named(std::string_view name) {
    return named(types, name);
}
std::vector<std::string> message_type_names() {
    return names(types);
}

void message_edit::apply(scmi::message_bytes& m) const {
    if (m.size() < 4) return;
    const std::uint32_t before = scmi::get_u32(m.data(), m.size(), 0);
    scmi::header h = scmi::header::unpack(before);
    if (token) h.token = *token;
    h.token = static_cast<std::uint16_t>((h.token + token_add) & 0x3ff);
    if (type) h.type = *type;
    if (protocol_id) h.protocol_id = *protocol_id;
    if (message_id) h.message_id = *message_id;
    constexpr std::uint32_t reserved = 0xf0000000;
    boost::endian::store_little_u32(m.data(), h.pack() | (before & reserved));
    if (status && m.size() >= 8) boost::endian::store_little_s32(m.data() + 4, *status);
}

}  // namespace scmi_vp::models
