// SPDX-License-Identifier: Apache-2.0
// Header packing, names, the message table and little-endian fields.
#include "scmi/message.h"

#include <map>

#include <gtest/gtest.h>

namespace scmi_vp::scmi {
namespace {

// DEN0056 4.1.3: message_id 7:0, type 9:8, protocol 17:10, token 27:18.
TEST(header, fields_lie_where_the_specification_puts_them) {
    EXPECT_EQ((header{0xff, message_type::command, 0, 0}.pack()), 0x000000ffu);
    EXPECT_EQ((header{0, message_type::notification, 0, 0}.pack()), 0x00000300u);
    EXPECT_EQ((header{0, message_type::command, 0xff, 0}.pack()), 0x0003fc00u);
    EXPECT_EQ((header{0, message_type::command, 0, 0x3ff}.pack()), 0x0ffc0000u);
    EXPECT_EQ((header{0, message_type::command, 0, 0xffff}.pack()), 0x0ffc0000u);
}

TEST(header, unpack_reverses_pack_and_drops_reserved_bits) {
    const header h = header::unpack(0xf0000000u | (0x2a5u << 18 | 0x15u << 10 | 2u << 8 | 6u));
    EXPECT_EQ(h.message_id, 6);
    EXPECT_EQ(h.type, message_type::delayed_response);
    EXPECT_EQ(h.protocol_id, 0x15);
    EXPECT_EQ(h.token, 0x2a5);
    EXPECT_EQ(h.pack(), 0x2a5u << 18 | 0x15u << 10 | 2u << 8 | 6u);
}

// DEN0056 4.1.4.
TEST(status_names, follow_the_codes) {
    const char* names[] = {"SUCCESS",        "NOT_SUPPORTED",  "INVALID_PARAMETERS",
                           "DENIED",         "NOT_FOUND",      "OUT_OF_RANGE",
                           "BUSY",           "COMMS_ERROR",    "GENERIC_ERROR",
                           "HARDWARE_ERROR", "PROTOCOL_ERROR", "IN_USE"};
    for (int code = 0; code < 12; ++code) EXPECT_EQ(name_of(status(-code)), names[code]);
    EXPECT_EQ(name_of(status(-12)), "reserved");
    EXPECT_EQ(name_of(status(-127)), "reserved");
    EXPECT_EQ(name_of(status(-128)), "vendor");
    EXPECT_EQ(name_of(status(1)), "reserved");
}

// Sizes: Linux arm_scmi xfer_get_init calls (an expected 0 means max_msg_size).
TEST(message_table, has_the_sizes_that_linux_uses) {
    const struct {
        std::uint8_t protocol_id, message_id;
        std::string_view name;
        int command_bytes, reply_bytes;
    } rows[] = {
        {0x10, 0x00, "PROTOCOL_VERSION", 0, 4},
        {0x10, 0x01, "PROTOCOL_ATTRIBUTES", 0, 4},
        {0x10, 0x02, "PROTOCOL_MESSAGE_ATTRIBUTES", 4, -1},
        {0x10, 0x03, "BASE_DISCOVER_VENDOR", 0, 16},
        {0x10, 0x04, "BASE_DISCOVER_SUB_VENDOR", 0, 16},
        {0x10, 0x05, "BASE_DISCOVER_IMPLEMENTATION_VERSION", 0, 4},
        {0x10, 0x06, "BASE_DISCOVER_LIST_PROTOCOLS", 4, -1},
        {0x10, 0x07, "BASE_DISCOVER_AGENT", 4, 20},
        {0x10, 0x10, "NEGOTIATE_PROTOCOL_VERSION", 4, -1},
        {0x11, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16},
        {0x11, 0x03, "POWER_DOMAIN_ATTRIBUTES", 4, 20},
        {0x11, 0x04, "POWER_STATE_SET", 12, -1},
        {0x11, 0x05, "POWER_STATE_GET", 4, 4},
        {0x11, 0x06, "POWER_STATE_NOTIFY", 8, -1},
        {0x11, 0x08, "POWER_DOMAIN_NAME_GET", 4, 68},
        {0x13, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16},
        {0x13, 0x03, "PERFORMANCE_DOMAIN_ATTRIBUTES", 4, 32},
        {0x13, 0x04, "PERFORMANCE_DESCRIBE_LEVELS", 8, -1},
        {0x13, 0x05, "PERFORMANCE_LIMITS_SET", 12, -1},
        {0x13, 0x06, "PERFORMANCE_LIMITS_GET", 4, -1},
        {0x13, 0x07, "PERFORMANCE_LEVEL_SET", 8, -1},
        {0x13, 0x08, "PERFORMANCE_LEVEL_GET", 4, 4},
        {0x13, 0x09, "PERFORMANCE_NOTIFY_LIMITS", 8, -1},
        {0x13, 0x0b, "PERFORMANCE_DESCRIBE_FASTCHANNEL", 8, 44},
        {0x13, 0x0c, "PERFORMANCE_DOMAIN_NAME_GET", 4, 68},
        {0x14, 0x01, "PROTOCOL_ATTRIBUTES", 0, 4},
        {0x14, 0x03, "CLOCK_ATTRIBUTES", 4, 24},
        {0x14, 0x04, "CLOCK_DESCRIBE_RATES", 8, -1},
        {0x14, 0x05, "CLOCK_RATE_SET", 16, -1},
        {0x14, 0x06, "CLOCK_RATE_GET", 4, 8},
        {0x14, 0x07, "CLOCK_CONFIG_SET", 8, -1},
        {0x14, 0x08, "CLOCK_NAME_GET", 4, 68},
        {0x15, 0x01, "PROTOCOL_ATTRIBUTES", 0, 16},
        {0x15, 0x03, "SENSOR_DESCRIPTION_GET", 4, -1},
        {0x15, 0x06, "SENSOR_READING_GET", 8, -1},
        {0x15, 0x0c, "SENSOR_NAME_GET", 4, 68},
    };
    for (const auto& row : rows) {
        const message_info* info = find_message(row.protocol_id, row.message_id);
        ASSERT_NE(info, nullptr) << row.name;
        EXPECT_EQ(info->protocol_id, row.protocol_id);
        EXPECT_EQ(info->message_id, row.message_id);
        EXPECT_EQ(info->name, row.name);
        EXPECT_EQ(info->command_bytes, row.command_bytes) << row.name;
        EXPECT_EQ(info->reply_bytes, row.reply_bytes) << row.name;
    }
}

// Every row is found under its own numbers, belongs to its protocol's section, and the ids that
// DEN0056 leaves free are absent: Base 0xc to 0xf, Power domain 0x9 to 0xf, Performance 0xd to 0xf,
// Sensor 0xe and 0xf, everything above 0x10.
TEST(message_table, holds_exactly_the_messages_of_five_protocols) {
    const std::map<int, const char*> sections{
        {0x10, "4.2.2"}, {0x11, "4.3.2"}, {0x13, "4.5.2"}, {0x14, "4.6.2"}, {0x15, "4.7.2"}};
    int found = 0;
    for (int p = 0; p < 256; ++p) {
        for (int m = 0; m < 256; ++m) {
            const message_info* info = find_message(std::uint8_t(p), std::uint8_t(m));
            const bool expected =
                (p == 0x10 && (m <= 0xb || m == 0x10)) || (p == 0x11 && (m <= 0x8 || m == 0x10)) ||
                (p == 0x13 && (m <= 0xc || m == 0x10)) || (p == 0x14 && m <= 0x10) ||
                (p == 0x15 && (m <= 0xd || m == 0x10));
            ASSERT_EQ(info != nullptr, expected) << p << " " << m;
            if (!info) continue;
            ++found;
            EXPECT_EQ(info->protocol_id, p);
            EXPECT_EQ(info->message_id, m);
            EXPECT_EQ(info->section.substr(0, 5), sections.at(p)) << info->name;
            // The commands that switch notifications are those that the specification names so.
            EXPECT_EQ(info->asks_notification, info->name.find("NOTIFY") != std::string_view::npos);
        }
    }
    EXPECT_EQ(found, 13 + 10 + 14 + 17 + 15);
}

TEST(message_names, tell_unknown_ones_by_number) {
    EXPECT_EQ(message_name(0x15, 0x06), "SENSOR_READING_GET");
    EXPECT_EQ(message_name(0x99, 0x02), "protocol 0x99 message 0x02");
    EXPECT_EQ(message_name(0x15, 0xfe), "protocol 0x15 message 0xfe");
}

// DEN0056 table of protocol identifiers: 0x80 to 0xff are vendors'.
TEST(protocol_names, cover_standard_vendor_and_unknown) {
    EXPECT_EQ(protocol_name(0x10), "Base");
    EXPECT_EQ(protocol_name(0x14), "Clock");
    EXPECT_EQ(protocol_name(0x15), "Sensor");
    EXPECT_EQ(protocol_name(0x19), "Pinctrl");
    EXPECT_EQ(protocol_name(0x0f), "unknown");
    EXPECT_EQ(protocol_name(0x1a), "unknown");
    EXPECT_EQ(protocol_name(0x7f), "unknown");
    EXPECT_EQ(protocol_name(0x80), "vendor");
    EXPECT_EQ(protocol_name(0xff), "vendor");
}

TEST(fields, are_little_endian_and_zero_beyond_the_end) {
    message_bytes m;
    put_u32(m, 0x04030201);
    put_u64(m, 0x0c0b0a0908070605);
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(m[i], i + 1);
    EXPECT_EQ(get_u32(m.data(), m.size(), 8), 0x0c0b0a09u);
    EXPECT_EQ(get_u32(m.data(), m.size(), 9), 0u);
    EXPECT_EQ(get_u32(m.data(), 3, 0), 0u);
    EXPECT_EQ(get_u32(m.data(), 0, 0), 0u);
    EXPECT_EQ(get_u32(m.data(), m.size(), SIZE_MAX), 0u);
}

// DEN0056 4.1: names are NUL terminated, so a name of 16 bytes loses its last.
TEST(fields, names_are_padded_and_always_terminated) {
    message_bytes m;
    put_name(m, "temp", 8);
    put_name(m, "0123456789abcdef", 16);
    ASSERT_EQ(m.size(), 24u);
    EXPECT_EQ(std::string(m.begin(), m.end()), std::string("temp\0\0\0\0"
                                                           "0123456789abcde\0",
                                                           24));
}

}  // namespace
}  // namespace scmi_vp::scmi
