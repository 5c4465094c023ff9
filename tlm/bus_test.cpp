// SPDX-License-Identifier: Apache-2.0
// The bus: decoding, translation of addresses, DMI and invalidations, debug transport.
#include "tlm/bus.h"

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tlm/memory.h"
#include "tlm/sc_time.h"
#include "tlm/test_initiator.h"

namespace scmi_vp {
namespace {

/// Keeps what arrives; invalidates and grants what it is told to.
struct device : sc_core::sc_module {
    tlm_utils::simple_target_socket<device> in{"in"};
    std::vector<std::uint64_t> addresses;
    bool grant = true;
    std::uint64_t dmi_start = 0, dmi_end = 0;

    explicit device(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
        in.register_b_transport(this, &device::b_transport);
        in.register_get_direct_mem_ptr(this, &device::get_direct_mem_ptr);
    }
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
        addresses.push_back(payload.get_address());
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
    }
    bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
        addresses.push_back(payload.get_address());
        dmi.allow_read();
        dmi.set_start_address(dmi_start);
        dmi.set_end_address(dmi_end);
        return grant;
    }
};

/// Two initiators; RAM at 0x1000 (64 bytes, 10 ns), a device of 16 bytes at the end of the space.
struct bus_access : testing::Test {
    static constexpr std::uint64_t top = UINT64_MAX - 15;
    test_initiator cpu{"cpu"}, dma{"dma"};
    bus interconnect{"bus"};
    memory ram{"ram", 64, nanoseconds(10)};
    device dev{"dev"};

    void SetUp() override {
        cpu.out.bind(interconnect.add_initiator("cpu"));
        dma.out.bind(interconnect.add_initiator("dma"));
        interconnect.add_target("ram", 0x1000, 64).bind(ram.in);
        interconnect.add_target("dev", top, 16).bind(dev.in);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
};

TEST_F(bus_access, forwards_relative_addresses_and_restores_them) {
    EXPECT_EQ(cpu.write(0x1000, "scmi"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(cpu.payload.get_address(), 0x1000u);
    EXPECT_EQ(from_sc(cpu.delay), nanoseconds(10));
    EXPECT_EQ(dma.read(0x1002, 2), "mi");
    EXPECT_EQ(cpu.write(0x103f, "z"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(ram.data()[63], 'z');
    EXPECT_EQ(dma.write(UINT64_MAX, "z"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(dev.addresses, std::vector<std::uint64_t>{15});
}

// IEEE 1666-2011 14.17: TLM_ADDRESS_ERROR_RESPONSE "also by an interconnect component".
TEST_F(bus_access, nobody_at_the_address_is_an_address_error) {
    EXPECT_EQ(cpu.write(0xfff, "a"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(0x1040, "a"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(0, "a"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(top - 1, "a"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.payload.get_address(), top - 1);
}

TEST_F(bus_access, a_transfer_that_leaves_the_window_is_an_address_error) {
    EXPECT_EQ(cpu.write(top + 14, "abc"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_TRUE(dev.addresses.empty());
    std::string data = "abc";  // streamed within the window: IEEE 1666-2011 14.15
    cpu.prepare(tlm::TLM_WRITE_COMMAND, top + 14, data.data(), 3).set_streaming_width(2);
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
}

// IEEE 1666-2011 11.2.5: an interconnect that translates addresses translates the DMI range too.
TEST_F(bus_access, dmi_ranges_are_translated) {
    ASSERT_TRUE(cpu.ask_dmi(0x1010));
    EXPECT_EQ(cpu.dmi.get_start_address(), 0x1000u);
    EXPECT_EQ(cpu.dmi.get_end_address(), 0x103fu);
    EXPECT_EQ(cpu.dmi.get_dmi_ptr(), ram.data());
    EXPECT_EQ(from_sc(cpu.dmi.get_read_latency()), nanoseconds(10));
    EXPECT_EQ(cpu.payload.get_address(), 0x1010u);
}

TEST_F(bus_access, a_dmi_range_beyond_the_window_is_cut) {
    dev.dmi_start = 4;
    dev.dmi_end = UINT64_MAX;
    ASSERT_TRUE(cpu.ask_dmi(top + 5));
    EXPECT_EQ(dev.addresses, std::vector<std::uint64_t>{5});
    EXPECT_EQ(cpu.dmi.get_start_address(), top + 4);
    EXPECT_EQ(cpu.dmi.get_end_address(), UINT64_MAX);
    EXPECT_TRUE(cpu.dmi.is_read_allowed());
    EXPECT_FALSE(cpu.dmi.is_write_allowed());
    dev.dmi_start = 16;  // misses the window altogether
    EXPECT_FALSE(cpu.ask_dmi(top + 5));
}

// IEEE 1666-2011 11.2.5: a refusal names the range that is refused.
TEST_F(bus_access, refused_dmi) {
    ram.allow_dmi(false);
    EXPECT_FALSE(cpu.ask_dmi(0x1010));
    EXPECT_EQ(cpu.dmi.get_start_address(), 0x1000u);
    EXPECT_EQ(cpu.dmi.get_end_address(), 0x103fu);
    EXPECT_FALSE(cpu.ask_dmi(0x2000));
    EXPECT_EQ(cpu.dmi.get_start_address(), 0x2000u);
    EXPECT_EQ(cpu.dmi.get_end_address(), 0x2000u);
    EXPECT_EQ(cpu.dmi.get_dmi_ptr(), nullptr);
}

TEST_F(bus_access, invalidations_are_translated_and_reach_every_initiator) {
    using ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    ram.allow_dmi(false);
    EXPECT_EQ(cpu.invalidated, (ranges{{0x1000, 0x103f}}));
    EXPECT_EQ(dma.invalidated, (ranges{{0x1000, 0x103f}}));
    dev.in->invalidate_direct_mem_ptr(8, UINT64_MAX);
    EXPECT_EQ(cpu.invalidated, (ranges{{0x1000, 0x103f}, {top + 8, UINT64_MAX}}));
    dev.in->invalidate_direct_mem_ptr(16, 20);  // outside of its window: nobody has it
    EXPECT_EQ(cpu.invalidated.size(), 2u);
}

TEST_F(bus_access, debug_transport_is_translated_and_ends_at_the_window) {
    std::string data = "ABCD";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0x1008, data.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 4u);
    EXPECT_EQ(ram.data()[8], 'A');
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0x103e, data.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 2u);
    EXPECT_EQ(cpu.payload.get_address(), 0x103eu);
    EXPECT_EQ(cpu.payload.get_data_length(), 4u);
    EXPECT_EQ(ram.data()[63], 'B');
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 0x1040, data.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 0u);
}

TEST(bus, a_window_smaller_than_its_target_hides_the_rest) {
    test_initiator cpu("cpu");
    bus interconnect("bus");
    memory ram("ram", 64);
    cpu.out.bind(interconnect.add_initiator("cpu"));
    interconnect.add_target("ram", 0, 32).bind(ram.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_EQ(cpu.write(31, "ab"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    std::string data = "abcd";
    cpu.prepare(tlm::TLM_WRITE_COMMAND, 30, data.data(), 4);
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 2u);
    EXPECT_EQ(ram.data()[32], 0);
    ASSERT_TRUE(cpu.ask_dmi(0));
    EXPECT_EQ(cpu.dmi.get_end_address(), 31u);
}

TEST(bus, overlapping_and_impossible_windows_are_refused) {
    bus interconnect("bus");
    interconnect.add_target("ram", 0x1000, 0x100);
    const auto message = [&](std::uint64_t base, std::uint64_t size) -> std::string {
        try {
            interconnect.add_target("dev", base, size);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::model);
            return e.what();
        }
        return "accepted";
    };
    EXPECT_EQ(
        message(0x10ff, 1),
        "bus: the window [0x10ff, +0x1) of 'dev' overlaps [0x1000, +0x100) of 'ram'; move one "
        "of them");
    EXPECT_NE(message(0, 0x1001), "accepted");
    EXPECT_NE(message(0, UINT64_MAX), "accepted");
    EXPECT_EQ(message(0x2000, 0), "bus: the window [0x2000, +0x0) of 'dev' is empty");
    EXPECT_EQ(
        message(UINT64_MAX, 2),
        "bus: the window [0xffffffffffffffff, +0x2) of 'dev' leaves the 64-bit address space");
    EXPECT_NO_THROW(interconnect.add_target("next_door", 0x1100, 1));
    EXPECT_NO_THROW(interconnect.add_target("last_byte", UINT64_MAX, 1));
}

// Hierarchical names are keys of traces and configurations, whoever adds the socket.
TEST(bus, sockets_are_named_below_the_bus) {
    bus interconnect("bus");
    EXPECT_STREQ(interconnect.add_initiator("cpu").name(), "bus.cpu");
    EXPECT_STREQ(interconnect.add_target("ram", 0, 1).name(), "bus.ram");
    EXPECT_STREQ(test_initiator("outside").name(), "outside");
}

}  // namespace
}  // namespace scmi_vp
