// SPDX-License-Identifier: Apache-2.0
// The server against what Linux 6.1's arm-scmi driver received from a real server with the same
// description: every distinct exchange of the recorded probe and sensor reads, in order.
#include <gtest/gtest.h>

#include "scmi/server_test_tools.h"

namespace scmi_vp::scmi {
namespace {

struct exchange {
    std::uint8_t protocol_id, message_id;
    test::words command;
    const char* reply;         // RESP pyld
    const char* delayed = "";  // DLYD pyld
};

const exchange recorded[] = {
    {0x10, 0x00, {}, "00000200"},
    {0x10, 0x01, {}, "03010000"},
    {0x10, 0x03, {}, "756d6c74657374000000000000000000"},
    {0x10, 0x04, {}, "63616c656e6461720000000000000000"},
    {0x10, 0x05, {}, "eeffc000"},
    {0x10, 0x06, {0}, "0300000013141500"},
    {0x10, 0x07, {0}, "00000000706c6174666f726d0000000000000000"},
    {0x14, 0x00, {}, "00000100"},
    {0x14, 0x01, {}, "02000000"},
    {0x14, 0x03, {0}, "01000000636c6b30000000000000000000000000"},
    {0x14, 0x04, {0, 0}, "0310000040420f000000000000ca9a3b0000000040420f0000000000"},
    {0x14, 0x03, {1}, "01000000636c6b31000000000000000000000000"},
    {0x14, 0x04, {1, 0}, "0310000040420f000000000000ca9a3b0000000040420f0000000000"},
    {0x14, 0x06, {0}, "00e1f50500000000"},
    {0x14, 0x06, {1}, "00366e0100000000"},
    {0x15, 0x00, {}, "00000100"},
    {0x15, 0x01, {}, "05000400000000000000000000000000"},
    {0x15,
     0x03,
     {0},
     "03000200000000000000000002e8000074656d70300000000000000000000000010000000000000002e8000074656"
     "d"
     "70310000000000000000000000020000000000000002e8000074656d70320000000000000000000000"},
    {0x15,
     0x03,
     {3},
     "02000000030000000000000002e8000074656d70330000000000000000000000040000000000008002e8000074656"
     "d"
     "70340000000000000000000000"},
    {0x15, 0x06, {0, 0}, "409c000000000000"},
    {0x15, 0x06, {1, 0}, "29a0000000000000"},
    {0x15, 0x06, {3, 0}, "faa7000000000000"},
    {0x15, 0x06, {4, 1}, "", "04000000cbaf000000000000"},
    {0x14, 0x06, {1}, "00366e0100000000"},
    {0x15,
     0x06,
     {2, 0},
     "14a4000000000000"},  // arrived after its timeout, so not in the trace: 42000 + 4
    {0x15, 0x06, {0, 0}, "459c000000000000"},
    {0x15, 0x06, {0, 0}, "469c000000000000"},
};

TEST(recorded_platform, answers_what_linux_6_1_received) {
    platform_server server(test::recorded_platform());
    std::uint16_t token = 0;
    for (const exchange& e : recorded) {
        SCOPED_TRACE(message_name(e.protocol_id, e.message_id));
        const message_bytes m = test::command(e.protocol_id, e.message_id, e.command, ++token);
        const command_result r = server.handle(1, m.data(), m.size(), 136, true);
        EXPECT_EQ(test::status_of(r.response), status::success);
        EXPECT_EQ(test::payload_of(r.response), e.reply);
        // DEN0056 4.1.3: the response's header is the command's, bit for bit.
        EXPECT_EQ(get_u32(r.response.data(), 4, 0), get_u32(m.data(), 4, 0));
        ASSERT_EQ(r.delayed.has_value(), *e.delayed != '\0');
        if (!r.delayed) continue;
        EXPECT_EQ(test::payload_of(*r.delayed), e.delayed);
        EXPECT_EQ(test::status_of(*r.delayed), status::success);
        const header h = header::unpack(get_u32(r.delayed->data(), 4, 0));
        EXPECT_EQ(h.type, message_type::delayed_response);
        EXPECT_EQ(h.token, token);
        EXPECT_EQ(h.protocol_id, e.protocol_id);
        EXPECT_EQ(h.message_id, e.message_id);
    }
}

}  // namespace
}  // namespace scmi_vp::scmi
