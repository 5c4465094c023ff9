// SPDX-License-Identifier: Apache-2.0
// SCMI messages on the wire: header, status codes, protocol and message numbers (Arm DEN0056).
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace scmi_vp::scmi {

/// A whole message: 4-byte little-endian header, then the payload.
using message_bytes = boost::container::small_vector<std::uint8_t, 160>;

enum class message_type : std::uint8_t {
    command = 0,
    reserved = 1,
    delayed_response = 2,
    notification = 3
};

/// DEN0056 section 4.1.3: message_id 7:0, type 9:8, protocol 17:10, token 27:18.
struct header {
    std::uint8_t message_id = 0;
    message_type type = message_type::command;
    std::uint8_t protocol_id = 0;
    std::uint16_t token = 0;  ///< 0..1023

    constexpr std::uint32_t pack() const {
        return std::uint32_t(message_id) | std::uint32_t(type) << 8 |
               std::uint32_t(protocol_id) << 10 | std::uint32_t(token & 0x3ff) << 18;
    }
    static constexpr header unpack(std::uint32_t word) {
        return {std::uint8_t(word), message_type((word >> 8) & 3), std::uint8_t(word >> 10),
                std::uint16_t((word >> 18) & 0x3ff)};
    }
};

/// Status codes, DEN0056 section 4.1.4 (IN_USE since v3.2).
enum class status : std::int32_t {
    success = 0,
    not_supported = -1,
    invalid_parameters = -2,
    denied = -3,
    not_found = -4,
    out_of_range = -5,
    busy = -6,
    comms_error = -7,
    generic_error = -8,
    hardware_error = -9,
    protocol_error = -10,
    in_use = -11,
};
std::string_view name_of(status s);  ///< "INVALID_PARAMETERS"; "vendor" below -127, else "reserved"

namespace protocol {
inline constexpr std::uint8_t base = 0x10, power = 0x11, system = 0x12, perf = 0x13, clock = 0x14,
                              sensor = 0x15, reset = 0x16, voltage = 0x17, powercap = 0x18,
                              pinctrl = 0x19;
}

/// One row per message that the model knows: the one place for names and sizes.
struct message_info {
    std::uint8_t protocol_id;
    std::uint8_t message_id;
    std::string_view name;           ///< the specification's, "SENSOR_READING_GET"
    std::int16_t command_bytes;      ///< payload of the command
    std::int16_t reply_bytes;        ///< payload after status that Linux expects; -1 = max_msg_size
                                     ///< (a list, or an expected size of 0, which Linux takes so)
    std::string_view section;        ///< DEN0056 v3.2 section
    bool asks_notification = false;  ///< switches notifications on or off
};

/// The row, or nullptr. Constant time.
const message_info* find_message(std::uint8_t protocol_id, std::uint8_t message_id);

/// "SENSOR_READING_GET", or "protocol 0x99 message 0x02" when unknown.
std::string message_name(std::uint8_t protocol_id, std::uint8_t message_id);
std::string_view protocol_name(std::uint8_t protocol_id);  ///< "Sensor", "vendor", "unknown"

/// Little-endian fields. Reading beyond the end gives 0 (callers check sizes first).
inline std::uint32_t get_u32(const std::uint8_t* data, std::size_t size, std::size_t offset) {
    if (size < 4 || offset > size - 4) return 0;
    return boost::endian::load_little_u32(data + offset);
}
/// `bytes` more at the end, not set; where they begin.
std::uint8_t* extend(message_bytes& m, std::size_t bytes);
inline void put_u32(message_bytes& m, std::uint32_t value) {
    boost::endian::store_little_u32(extend(m, 4), value);
}
/// Low word first, as DEN0056 orders them.
inline void put_u64(message_bytes& m, std::uint64_t value) {
    boost::endian::store_little_u64(extend(m, 8), value);
}
/// `width` bytes: the text, cut so that at least one NUL follows, and padded with NUL.
void put_name(message_bytes& m, std::string_view text, std::size_t width);

}  // namespace scmi_vp::scmi
