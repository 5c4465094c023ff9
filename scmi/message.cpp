// SPDX-License-Identifier: Apache-2.0
// The table of SCMI messages, names and text fields.
// Numbers and parameters: DEN0056 v3.2. Sizes: what Linux drivers/firmware/arm_scmi passes to
// xfer_get_init for the protocol versions served here.
#include "scmi/message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace scmi_vp::scmi {
namespace {

constexpr std::int16_t whole = -1;  // max_msg_size

// Sorted by protocol, then message. A section without its last number is not confirmed by a second
// source.
constexpr std::array message_table{
    message_info{0x10, 0x00, "PROTOCOL_VERSION", 0, 4, "4.2.2.1"},
    message_info{0x10, 0x01, "PROTOCOL_ATTRIBUTES", 0, 4, "4.2.2.3"},
    message_info{0x10, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, whole, "4.2.2.4"},
    message_info{0x10, 0x03, "BASE_DISCOVER_VENDOR", 0, 16, "4.2.2.5"},
    message_info{0x10, 0x04, "BASE_DISCOVER_SUB_VENDOR", 0, 16, "4.2.2.6"},
    message_info{0x10, 0x05, "BASE_DISCOVER_IMPLEMENTATION_VERSION", 0, 4, "4.2.2.7"},
    message_info{0x10, 0x06, "BASE_DISCOVER_LIST_PROTOCOLS", 4, whole, "4.2.2.8"},
    message_info{0x10, 0x07, "BASE_DISCOVER_AGENT", 4, 20, "4.2.2.10"},
    message_info{0x10, 0x08, "BASE_NOTIFY_ERRORS", 4, whole, "4.2.2", true},
    message_info{0x10, 0x09, "BASE_SET_DEVICE_PERMISSIONS", 12, whole, "4.2.2.12"},
    message_info{0x10, 0x0a, "BASE_SET_PROTOCOL_PERMISSIONS", 16, whole, "4.2.2"},
    message_info{0x10, 0x0b, "BASE_RESET_AGENT_CONFIGURATION", 8, whole, "4.2.2"},
    message_info{0x10, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, whole, "4.2.2.2"},

    message_info{0x11, 0x00, "PROTOCOL_VERSION", 0, 4, "4.3.2.1"},
    message_info{0x11, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16, "4.3.2.3"},
    message_info{0x11, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, whole, "4.3.2.4"},
    message_info{0x11, 0x03, "POWER_DOMAIN_ATTRIBUTES", 4, 20, "4.3.2"},
    message_info{0x11, 0x04, "POWER_STATE_SET", 12, whole, "4.3.2"},
    message_info{0x11, 0x05, "POWER_STATE_GET", 4, 4, "4.3.2"},
    message_info{0x11, 0x06, "POWER_STATE_NOTIFY", 8, whole, "4.3.2", true},
    message_info{0x11, 0x07, "POWER_STATE_CHANGE_REQUESTED_NOTIFY", 8, whole, "4.3.2", true},
    message_info{0x11, 0x08, "POWER_DOMAIN_NAME_GET", 4, 68, "4.3.2"},
    message_info{0x11, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, whole, "4.3.2.2"},

    message_info{0x13, 0x00, "PROTOCOL_VERSION", 0, 4, "4.5.2.1"},
    message_info{0x13, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16, "4.5.2.3"},
    message_info{0x13, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, whole, "4.5.2.4"},
    message_info{0x13, 0x03, "PERFORMANCE_DOMAIN_ATTRIBUTES", 4, 32, "4.5.2"},
    message_info{0x13, 0x04, "PERFORMANCE_DESCRIBE_LEVELS", 8, whole, "4.5.2"},
    message_info{0x13, 0x05, "PERFORMANCE_LIMITS_SET", 12, whole, "4.5.2"},
    message_info{0x13, 0x06, "PERFORMANCE_LIMITS_GET", 4, whole, "4.5.2"},
    message_info{0x13, 0x07, "PERFORMANCE_LEVEL_SET", 8, whole, "4.5.2"},
    message_info{0x13, 0x08, "PERFORMANCE_LEVEL_GET", 4, 4, "4.5.2"},
    message_info{0x13, 0x09, "PERFORMANCE_NOTIFY_LIMITS", 8, whole, "4.5.2", true},
    message_info{0x13, 0x0a, "PERFORMANCE_NOTIFY_LEVEL", 8, whole, "4.5.2", true},
    message_info{0x13, 0x0b, "PERFORMANCE_DESCRIBE_FASTCHANNEL", 8, 44, "4.5.2"},
    message_info{0x13, 0x0c, "PERFORMANCE_DOMAIN_NAME_GET", 4, 68, "4.5.2"},
    message_info{0x13, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, whole, "4.5.2.2"},

    message_info{0x14, 0x00, "PROTOCOL_VERSION", 0, 4, "4.6.2.1"},
    message_info{0x14, 0x01, "PROTOCOL_ATTRIBUTES", 0, 4, "4.6.2.3"},
    message_info{0x14, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, whole, "4.6.2.4"},
    message_info{0x14, 0x03, "CLOCK_ATTRIBUTES", 4, 24, "4.6.2.5"},
    message_info{0x14, 0x04, "CLOCK_DESCRIBE_RATES", 8, whole, "4.6.2.6"},
    message_info{0x14, 0x05, "CLOCK_RATE_SET", 16, whole, "4.6.2.7"},
    message_info{0x14, 0x06, "CLOCK_RATE_GET", 4, 8, "4.6.2.8"},
    message_info{0x14, 0x07, "CLOCK_CONFIG_SET", 8, whole, "4.6.2.9"},  // 12 from Clock 3.0
    message_info{0x14, 0x08, "CLOCK_NAME_GET", 4, 68, "4.6.2"},
    message_info{0x14, 0x09, "CLOCK_RATE_NOTIFY", 8, whole, "4.6.2", true},
    message_info{0x14, 0x0a, "CLOCK_RATE_CHANGE_REQUESTED_NOTIFY", 8, whole, "4.6.2", true},
    message_info{0x14, 0x0b, "CLOCK_CONFIG_GET", 8, whole, "4.6.2.10"},
    message_info{0x14, 0x0c, "CLOCK_POSSIBLE_PARENTS_GET", 8, whole, "4.6.2.14"},
    message_info{0x14, 0x0d, "CLOCK_PARENT_SET", 8, whole, "4.6.2.15"},
    message_info{0x14, 0x0e, "CLOCK_PARENT_GET", 4, 4, "4.6.2.16"},
    message_info{0x14, 0x0f, "CLOCK_GET_PERMISSIONS", 4, 4, "4.6.2.17"},
    message_info{0x14, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, whole, "4.6.2.2"},

    message_info{0x15, 0x00, "PROTOCOL_VERSION", 0, 4, "4.7.2.1"},
    message_info{0x15, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16, "4.7.2.3"},
    message_info{0x15, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, whole, "4.7.2.4"},
    message_info{0x15, 0x03, "SENSOR_DESCRIPTION_GET", 4, whole, "4.7.2.5"},
    message_info{0x15, 0x04, "SENSOR_TRIP_POINT_NOTIFY", 8, whole, "4.7.2.8", true},
    message_info{0x15, 0x05, "SENSOR_TRIP_POINT_CONFIG", 16, whole, "4.7.2.9"},
    message_info{0x15, 0x06, "SENSOR_READING_GET", 8, whole, "4.7.2.12"},
    message_info{0x15, 0x07, "SENSOR_AXIS_DESCRIPTION_GET", 8, whole, "4.7.2"},
    message_info{0x15, 0x08, "SENSOR_LIST_UPDATE_INTERVALS", 8, whole, "4.7.2"},
    message_info{0x15, 0x09, "SENSOR_CONFIG_GET", 4, 4, "4.7.2.10"},
    message_info{0x15, 0x0a, "SENSOR_CONFIG_SET", 8, whole, "4.7.2.11"},
    message_info{0x15, 0x0b, "SENSOR_CONTINUOUS_UPDATE_NOTIFY", 8, whole, "4.7.2", true},
    message_info{0x15, 0x0c, "SENSOR_NAME_GET", 4, 68, "4.7.2"},
    message_info{0x15, 0x0d, "SENSOR_AXIS_NAME_GET", 8, whole, "4.7.2"},
    message_info{0x15, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, whole, "4.7.2.2"},
};

constexpr std::size_t first_protocol = 0x10, protocol_span = 6, message_span = 0x11;
using row_number = std::int16_t;
using row_index = std::array<row_number, protocol_span * message_span>;
constexpr row_number no_row = -1;
static_assert(message_table.size() <= std::size_t(std::numeric_limits<row_number>::max()),
              "row_number cannot count the rows of message_table");

// Does not compile if a row is outside the index, or there twice.
constexpr row_index make_index() {
    row_index index{};
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = no_row;
    for (std::size_t i = 0; i < message_table.size(); ++i) {
        const message_info& row = message_table[i];
        if (row.message_id >= message_span) throw "a message id beyond message_span";
        row_number& at =
            index.at((row.protocol_id - first_protocol) * message_span + row.message_id);
        if (at != no_row) throw "two rows of one message";
        at = static_cast<row_number>(i);
    }
    return index;
}
constexpr row_index rows = make_index();

std::string hex(std::uint8_t value) {
    static constexpr char digits[] = "0123456789abcdef";
    return {'0', 'x', digits[value >> 4], digits[value & 0xf]};
}

}  // namespace

std::string_view name_of(status s) {
    switch (s) {
        case status::success:
            return "SUCCESS";
        case status::not_supported:
            return "NOT_SUPPORTED";
        case status::invalid_parameters:
            return "INVALID_PARAMETERS";
        case status::denied:
            return "DENIED";
        case status::not_found:
            return "NOT_FOUND";
        case status::out_of_range:
            return "OUT_OF_RANGE";
        case status::busy:
            return "BUSY";
        case status::comms_error:
            return "COMMS_ERROR";
        case status::generic_error:
            return "GENERIC_ERROR";
        case status::hardware_error:
            return "HARDWARE_ERROR";
        case status::protocol_error:
            return "PROTOCOL_ERROR";
        case status::in_use:
            return "IN_USE";
    }
    // A status word comes from the wire: any value can be here (DEN0056 section 4.1.4).
    return static_cast<std::int32_t>(s) < -127 ? "vendor" : "reserved";
}

const message_info* find_message(std::uint8_t protocol_id, std::uint8_t message_id) {
    if (protocol_id < first_protocol || protocol_id >= first_protocol + protocol_span ||
        message_id >= message_span) {
        return nullptr;
    }
    const row_number row = rows[(protocol_id - first_protocol) * message_span + message_id];
    return row == no_row ? nullptr : &message_table[static_cast<std::size_t>(row)];
}

std::string message_name(std::uint8_t protocol_id, std::uint8_t message_id) {
    if (const message_info* info = find_message(protocol_id, message_id)) {
        return std::string(info->name);
    }
    return "protocol " + hex(protocol_id) + " message " + hex(message_id);
}

std::string_view protocol_name(std::uint8_t protocol_id) {
    static constexpr std::string_view names[] = {"Base",     "Power",  "System", "Performance",
                                                 "Clock",    "Sensor", "Reset",  "Voltage",
                                                 "Powercap", "Pinctrl"};
    if (protocol_id >= 0x80) return "vendor";
    if (protocol_id < protocol::base || protocol_id > protocol::pinctrl) return "unknown";
    return names[protocol_id - protocol::base];
}

std::uint8_t* extend(message_bytes& m, std::size_t bytes) {
    const std::size_t at = m.size();
    m.resize(at + bytes, boost::container::default_init);
    return m.data() + at;
}

void put_name(message_bytes& m, std::string_view text, std::size_t width) {
    const std::size_t at = m.size();
    m.resize(at + width, 0);
    std::memcpy(m.data() + at, text.data(), std::min(text.size(), width - 1));
}

}  // namespace scmi_vp::scmi
