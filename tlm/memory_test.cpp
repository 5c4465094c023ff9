// SPDX-License-Identifier: Apache-2.0
// The memory: the attributes of the generic payload, DMI, debug transport.
#include "tlm/memory.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tlm/sc_time.h"
#include "tlm/test_initiator.h"

namespace scmi_vp {
namespace {

/// Connected and elaborated: 64 bytes, 10 ns per access.
struct memory_access : testing::Test {
    test_initiator cpu{"cpu"};
    memory ram{"ram", 64, nanoseconds(10)};

    void SetUp() override {
        cpu.out.bind(ram.in);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
    std::string contents(std::size_t from, std::size_t length) {
        return std::string(reinterpret_cast<char*>(ram.data()) + from, length);
    }
};

TEST_F(memory_access, starts_as_zero_and_keeps_what_is_written) {
    EXPECT_EQ(cpu.read(0, 64), std::string(64, '\0'));
    EXPECT_EQ(cpu.write(5, "scmi"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(cpu.read(4, 6), std::string("\0scmi\0", 6));
    EXPECT_EQ(contents(5, 4), "scmi");
}

TEST_F(memory_access, adds_its_latency_to_the_annotated_delay) {
    std::string data = "x";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 1);
    cpu.delay = to_sc(nanoseconds(3));
    cpu.send();
    EXPECT_EQ(from_sc(cpu.delay), nanoseconds(13));
    EXPECT_EQ(now(), sim_time{});
}

// IEEE 1666-2011 14.17: TLM_ADDRESS_ERROR_RESPONSE if the address is out of range.
TEST_F(memory_access, an_access_that_leaves_the_range_is_an_address_error) {
    EXPECT_EQ(cpu.write(63, "a"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(cpu.write(63, "ab"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(64, "a"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(UINT64_MAX, "ab"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.read(60, 8), "TLM_ADDRESS_ERROR_RESPONSE");
    EXPECT_EQ(cpu.read(0, 65), "TLM_ADDRESS_ERROR_RESPONSE");
    EXPECT_FALSE(cpu.payload.is_dmi_allowed());
}

// IEEE 1666-2011 14.13, 14.14: the enables repeat; a disabled byte is not touched.
TEST_F(memory_access, byte_enables_repeat_and_leave_disabled_bytes_alone) {
    cpu.write(0, "........");
    std::string data = "ABCDEFGH";
    unsigned char enables[3] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 8);
    cpu.payload.set_byte_enable_ptr(enables);
    cpu.payload.set_byte_enable_length(3);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(contents(0, 8), "A.CD.FG.");

    std::string read = "--------";
    cpu.prepare(tlm::TLM_READ_COMMAND, 0, read.data(), 8);
    cpu.payload.set_byte_enable_ptr(enables);
    cpu.payload.set_byte_enable_length(3);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(read, "A-CD-FG-");
}

// IEEE 1666-2011 14.15: the data of a streaming burst goes to the same addresses again and again.
TEST_F(memory_access, a_streaming_burst_wraps_at_its_width) {
    std::string data = "ABCDEFGHIJ";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 60, data.data(), 10);
    cpu.payload.set_streaming_width(4);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);  // although 60 + 10 is out of range
    EXPECT_EQ(contents(60, 4), "IJGH");

    std::string read(10, '?');
    cpu.prepare(tlm::TLM_READ_COMMAND, 60, read.data(), 10);
    cpu.payload.set_streaming_width(4);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(read, "IJGHIJGHIJ");

    cpu.prepare(tlm::TLM_READ_COMMAND, 61, read.data(), 10);
    cpu.payload.set_streaming_width(4);
    EXPECT_EQ(cpu.send(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

// IEEE 1666-2011 14.15: the byte enables count bytes of the transfer, not of the stream.
TEST_F(memory_access, streaming_and_byte_enables_together) {
    cpu.write(0, "....");
    std::string data = "ABCDEF";
    unsigned char enables[6] = {0xff, 0xff, 0, 0, 0, 0xff};
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 6);
    cpu.payload.set_byte_enable_ptr(enables);
    cpu.payload.set_byte_enable_length(6);
    cpu.payload.set_streaming_width(4);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(contents(0, 4), "AF..");
}

TEST_F(memory_access, a_streaming_width_above_the_length_is_a_plain_burst) {
    std::string data = "ABCD";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 4);
    cpu.payload.set_streaming_width(1000);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(contents(0, 5), std::string("ABCD\0", 5));
}

// IEEE 1666-2011 14.9: neither a read nor a write is executed.
TEST_F(memory_access, the_ignore_command_does_nothing_and_is_ok) {
    std::string data = "ABCD";
    cpu.prepare(tlm::TLM_IGNORE_COMMAND, 0, data.data(), 4);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(data, "ABCD");
    EXPECT_EQ(contents(0, 4), std::string(4, '\0'));
}

// IEEE 1666-2011 14.17, the table of error responses.
TEST_F(memory_access, malformed_payloads_are_answered_with_the_error_that_fits) {
    std::string data = "ABCD";
    unsigned char enable = TLM_BYTE_ENABLED;
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 0);
    EXPECT_EQ(cpu.send(), tlm::TLM_BURST_ERROR_RESPONSE);
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 4).set_streaming_width(0);
    EXPECT_EQ(cpu.send(), tlm::TLM_BURST_ERROR_RESPONSE);
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, nullptr, 4);
    EXPECT_EQ(cpu.send(), tlm::TLM_GENERIC_ERROR_RESPONSE);
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0, data.data(), 4).set_byte_enable_ptr(&enable);
    EXPECT_EQ(cpu.send(), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    cpu.prepare(static_cast<tlm::tlm_command>(3), 0, data.data(), 4);
    EXPECT_EQ(cpu.send(), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(contents(0, 4), std::string(4, '\0'));
}

// IEEE 1666-2011 11.2.5.
TEST_F(memory_access, dmi_gives_the_whole_memory_and_its_latency) {
    cpu.write(0, "x");
    EXPECT_TRUE(cpu.payload.is_dmi_allowed());
    ASSERT_TRUE(cpu.ask_dmi(17));
    EXPECT_EQ(cpu.dmi.get_dmi_ptr(), ram.data());
    EXPECT_EQ(cpu.dmi.get_start_address(), 0u);
    EXPECT_EQ(cpu.dmi.get_end_address(), 63u);
    EXPECT_TRUE(cpu.dmi.is_read_write_allowed());
    EXPECT_EQ(from_sc(cpu.dmi.get_read_latency()), nanoseconds(10));
    EXPECT_EQ(from_sc(cpu.dmi.get_write_latency()), nanoseconds(10));
    EXPECT_FALSE(cpu.ask_dmi(64));
    EXPECT_EQ(cpu.dmi.get_start_address(), 64u);
    EXPECT_EQ(cpu.dmi.get_dmi_ptr(), nullptr);
}

TEST_F(memory_access, refusing_dmi_takes_back_what_was_granted) {
    ram.allow_dmi(true);
    EXPECT_TRUE(cpu.invalidated.empty());
    ram.allow_dmi(false);
    ASSERT_EQ(cpu.invalidated.size(), 1u);
    EXPECT_EQ(cpu.invalidated[0], std::make_pair(std::uint64_t{0}, std::uint64_t{63}));
    EXPECT_FALSE(cpu.ask_dmi(0));
    EXPECT_EQ(cpu.dmi.get_dmi_ptr(), nullptr);
    EXPECT_EQ(cpu.write(0, "x"), tlm::TLM_OK_RESPONSE);
    EXPECT_FALSE(cpu.payload.is_dmi_allowed());
    ram.allow_dmi(true);
    EXPECT_TRUE(cpu.ask_dmi(0));
    EXPECT_EQ(cpu.invalidated.size(), 1u);
}

// IEEE 1666-2011 11.3.4: the number of bytes that were transferred, which may be fewer than asked.
TEST_F(memory_access, debug_transport_transfers_what_is_in_range) {
    std::string data = "ABCD";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 62, data.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 2u);
    EXPECT_EQ(contents(62, 2), "AB");
    std::string read = "----";
    cpu.prepare(tlm::TLM_READ_COMMAND, 62, read.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 2u);
    EXPECT_EQ(read, "AB--");
    cpu.prepare(tlm::TLM_READ_COMMAND, 64, read.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 0u);
    cpu.prepare(tlm::TLM_READ_COMMAND, 0, nullptr, 0);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 0u);
    cpu.prepare(tlm::TLM_IGNORE_COMMAND, 0, read.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 0u);
    EXPECT_EQ(cpu.delay, sc_core::SC_ZERO_TIME);
}

TEST(memory, allow_dmi_before_the_simulation_starts) {
    test_initiator cpu("cpu");
    memory ram("ram", 4096);
    cpu.out.bind(ram.in);
    ram.allow_dmi(false);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_TRUE(cpu.invalidated.empty());
    EXPECT_FALSE(cpu.ask_dmi(0));
}

TEST(memory, a_large_memory_takes_only_what_is_touched) {
    memory ram("ram", std::uint64_t{1} << 40);
    ram.data()[(std::uint64_t{1} << 40) - 1] = 1;
    EXPECT_EQ(ram.size(), std::uint64_t{1} << 40);
}

TEST(memory, unusable_sizes_and_latencies_are_refused_with_the_name) {
    const auto message = [](std::uint64_t size, sim_time latency) -> std::string {
        try {
            memory ram("ram", size, latency);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            return e.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message(0, {}), "ram: a memory needs a size of at least 1 byte");
    EXPECT_EQ(message(std::uint64_t{1} << 62, {}),
              "ram: the host cannot reserve a memory of 4611686018427387904 bytes (Cannot allocate "
              "memory); choose a smaller size");
    EXPECT_EQ(
        message(UINT64_MAX, {}),
        "ram: the host cannot reserve a memory of 18446744073709551615 bytes (Cannot allocate "
        "memory); choose a smaller size");
    EXPECT_EQ(message(64, nanoseconds(-1)),
              "ram: the access latency is -1ns; it must not be negative");
}

}  // namespace
}  // namespace scmi_vp
