// SPDX-License-Identifier: Apache-2.0
// For the tests of the platform server: commands from words, payloads as hexadecimal text, and the
// description of the platform whose conversation with Linux 6.1 was recorded.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "scmi/platform_server.h"

namespace scmi_vp::scmi::test {

using words = std::vector<std::uint32_t>;

inline std::string to_hex(const std::uint8_t* data, std::size_t size) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[data[i] >> 4];
        text += digits[data[i] & 0xf];
    }
    return text;
}

/// The payload after the status word, as the kernel's scmi_msg_dump event prints it.
inline std::string payload_of(const message_bytes& m) {
    return m.size() < 8 ? "no status" : to_hex(m.data() + 8, m.size() - 8);
}

inline status status_of(const message_bytes& m) {
    return static_cast<status>(get_u32(m.data(), m.size(), 4));
}

inline std::uint32_t word_of(const message_bytes& m, std::size_t n) {  ///< after the status
    return get_u32(m.data(), m.size(), 8 + 4 * n);
}

inline message_bytes command(std::uint8_t protocol_id, std::uint8_t message_id,
                             const words& payload, std::uint16_t token = 5) {
    message_bytes m;
    put_u32(m, header{message_id, message_type::command, protocol_id, token}.pack());
    for (const std::uint32_t w : payload) put_u32(m, w);
    return m;
}

/// How one asks; the defaults are those of Linux over virtio for a listing (128 bytes of payload).
struct asking {
    std::uint32_t agent_id = 1;
    std::size_t max_reply = 136;
    bool delayed_allowed = true;
};

inline command_result ask(platform_server& server, std::uint8_t protocol_id,
                          std::uint8_t message_id, const words& payload = {},
                          const asking& how = {}) {
    const message_bytes m = command(protocol_id, message_id, payload);
    return server.handle(how.agent_id, m.data(), m.size(), how.max_reply, how.delayed_allowed);
}

inline status status_for(platform_server& server, std::uint8_t protocol_id, std::uint8_t message_id,
                         const words& payload = {}, const asking& how = {}) {
    return status_of(ask(server, protocol_id, message_id, payload, how).response);
}

/// A device reset of that agent; what the others are told.
inline notifications reset(platform_server& server, std::uint32_t agent_id) {
    notifications told;
    server.reset_agent(agent_id, told);
    return told;
}

/// Base 2.0, Clock 1.0 with two clocks, Sensor 1.0 with five sensors.
inline platform_description recorded_platform() {
    platform_description d;
    d.vendor = "umltest";
    d.sub_vendor = "calendar";
    d.implementation_version = 0xc0ffee;
    d.agents = {{"uml-ospm"}};
    d.protocols = {0x13, 0x14, 0x15};
    d.unknown_message = status::not_supported;
    for (int i = 0; i < 2; ++i) {
        clock_description c;
        c.name = "clk" + std::to_string(i);
        c.rate = i == 0 ? 100'000'000 : 24'000'000;
        c.rates = {{1'000'000, 1'000'000'000, 1'000'000}, true};
        d.clocks.push_back(c);
    }
    d.sensor_max_async = 4;
    d.sensor_descriptors_per_reply = 3;
    for (int i = 0; i < 5; ++i) {
        sensor_description s;
        s.name = "temp" + std::to_string(i);
        s.exponent = -3;
        s.reading = 40'000 + 1'000 * i;
        s.reading_step = 1;
        s.async = i == 4;
        s.delayed_reading = 45'000;
        d.sensors.push_back(s);
    }
    return d;
}

}  // namespace scmi_vp::scmi::test
