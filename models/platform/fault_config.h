// SPDX-License-Identifier: Apache-2.0
// Faults of the platform's messages as data: which message, when, and what becomes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/distribution.h"
#include "base/time.h"
#include "scmi/message.h"

namespace scmi_vp::models {

/// Messages by what they are about; what is not given matches all.
struct message_match {
    std::optional<std::uint8_t> protocol_id;
    std::optional<std::uint8_t> message_id;
    std::optional<std::int32_t> resource;

    bool matches(const scmi::header& h, std::int32_t about) const {
        return (!protocol_id || *protocol_id == h.protocol_id) &&
               (!message_id || *message_id == h.message_id) && (!resource || *resource == about);
    }
};

enum class fault_kind : std::uint8_t {
    drop,       ///< it never comes; a response's chain stays with the device
    duplicate,  ///< it comes a second time, in an event buffer: a chain can be returned only once
    delay,      ///< it comes later
    reorder,    ///< it is held until later responses have gone
    truncate,   ///< its end is missing, and the used length says so
    length,     ///< the used length is another than what was written
    corrupt,    ///< bytes of it are changed
    rewrite,    ///< fields of its header, or its status, are changed
};

/// Which of the platform's messages a fault is for; bits.
enum class fault_target : std::uint8_t {
    response = 1,
    delayed_response = 2,
    notification = 4,
    /// A command's response and delayed response together.
    reply = response | delayed_response,
    any = reply | notification,
};
constexpr bool includes(fault_target all, fault_target one) {
    return (unsigned(all) & unsigned(one)) != 0;
}

/// New values for fields of a message; what is not given stays.
struct message_edit {
    std::optional<std::uint16_t> token;
    std::uint16_t token_add = 0;  ///< modulo 1024, after `token`
    std::optional<scmi::message_type> type;
    std::optional<std::uint8_t> protocol_id;
    std::optional<std::uint8_t> message_id;
    std::optional<std::int32_t> status;

    bool empty() const {
        return !token && token_add == 0 && !type && !protocol_id && !message_id && !status;
    }
    void apply(scmi::message_bytes& m) const;
};

/// A row of platform.fault (or of platform.loss, which drops).
struct fault_config {
    std::string name;  ///< of its random streams: "platform.fault.0"
    fault_kind kind = fault_kind::drop;
    fault_target target = fault_target::response;
    message_match match;
    // Of the messages that match between `from` and `to`: the nth (from 1) and then each every-th;
    // of these, a share; and no more than `count` (0: no limit).
    sim_time from;
    sim_time to = sim_time::max();
    std::uint64_t nth = 1, every = 1, count = 0;
    double probability = 1;
    // What it does, by kind.
    distribution_ptr delay;     ///< delay, duplicate: how much later; reorder: held no longer
    std::uint32_t replies = 1;  ///< reorder: how many responses go first
    std::optional<std::uint32_t> length;  ///< truncate, length: bytes with header and status
    std::uint32_t offset = 0;             ///< corrupt: of the first byte
    std::vector<std::uint8_t> bytes;      ///< corrupt
    bool exclusive_or = false;            ///< corrupt: combines the bytes with what is there
    message_edit edit;                    ///< rewrite, duplicate
};

/// Words of scenarios: "duplicate", "delayed_response".
std::string_view name_of(fault_kind k);
std::optional<fault_kind> fault_kind_named(std::string_view name);
std::vector<std::string> fault_kind_names();
std::optional<fault_target> fault_target_named(std::string_view name);
std::vector<std::string> fault_target_names();
std::optional<scmi::message_type> message_type_named(std::string_view name);
std::vector<std::string> message_type_names();

/// When something of the platform's own happens: at `at`, then `count` - 1 times more (0: without
/// end) each `every` later.
struct schedule_config {
    sim_time at;
    sim_time every;
    std::uint64_t count = 1;
};

/// A message that nobody asked for, in an event buffer.
struct unsolicited_message {
    schedule_config when;
    scmi::header hdr;
    std::vector<std::uint32_t> words;  ///< after the header
};

}  // namespace scmi_vp::models
