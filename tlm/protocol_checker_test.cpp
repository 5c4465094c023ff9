// SPDX-License-Identifier: Apache-2.0
// The protocol checker: every rule seeded once and seen, a clean run silent. The rules' clauses
// were compared with the messages of Doulos' tlm2_base_protocol_checker (version 11).
#include "tlm/protocol_checker.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tlm/bus.h"
#include "tlm/memory.h"
#include "tlm/sc_time.h"
#include "tlm/test_initiator.h"

namespace scmi_vp {
namespace {

/// A target whose behaviour each test chooses; correct by default.
struct scripted_target : sc_core::sc_module {
    tlm_utils::simple_target_socket<scripted_target> in{"in"};
    std::function<void(tlm::tlm_generic_payload&, sc_core::sc_time&)> spoil =
        [](tlm::tlm_generic_payload&, sc_core::sc_time&) {};
    std::function<void(tlm::tlm_dmi&)> grant = [](tlm::tlm_dmi&) {};
    unsigned debug_count = 4;
    unsigned char byte = 0;

    explicit scripted_target(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
        in.register_b_transport(this, &scripted_target::b_transport);
        in.register_get_direct_mem_ptr(this, &scripted_target::get_direct_mem_ptr);
        in.register_transport_dbg(this, &scripted_target::transport_dbg);
    }
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
        spoil(payload, delay);
    }
    bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
        dmi.set_dmi_ptr(&byte);
        dmi.allow_read_write();
        dmi.set_start_address(0x100);
        dmi.set_end_address(0x1ff);
        grant(dmi);
        return true;
    }
    unsigned transport_dbg(tlm::tlm_generic_payload&) { return debug_count; }
};

struct protocol_rules : testing::Test {
    std::vector<protocol_violation> seen;
    test_initiator cpu{"cpu"};
    protocol_checker checker{"checker", [this](const protocol_violation& v) { seen.push_back(v); }};
    scripted_target target{"target"};
    char data[8] = {};
    unsigned char enables[2] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED};

    void SetUp() override {
        cpu.out.bind(checker.in);
        checker.out.bind(target.in);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
    tlm::tlm_generic_payload& well_formed() {
        return cpu.prepare(tlm::TLM_WRITE_COMMAND, 0x100, data, 4);
    }
    /// Exactly this was reported since the last call.
    void expect(const char* clause, const std::string& rule) {
        ASSERT_EQ(seen.size(), 1u) << "for: " << rule;
        EXPECT_EQ(seen[0].checker, "checker");
        EXPECT_EQ(seen[0].rule, rule + " at 0s");
        EXPECT_EQ(seen[0].source, std::string("IEEE 1666-2011 ") + clause);
        seen.clear();
    }
    /// Sends a well-formed payload to a target that spoils it.
    void send_spoilt(
        const std::function<void(tlm::tlm_generic_payload&, sc_core::sc_time&)>& spoil) {
        target.spoil = spoil;
        well_formed();
        cpu.delay = to_sc(nanoseconds(5));
        cpu.send();
    }
};

using payload_ref = tlm::tlm_generic_payload&;
using time_ref = sc_core::sc_time&;

TEST_F(protocol_rules, clean_traffic_is_forwarded_unchanged_and_not_reported) {
    target.spoil = [&](payload_ref p, time_ref delay) {
        EXPECT_EQ(&p, &cpu.payload);
        EXPECT_EQ(p.get_address(), 0x100u);
        p.set_address(0);  // IEEE 1666-2011 14.7: an interconnect may change the address
        p.set_dmi_allowed(true);
        delay += to_sc(nanoseconds(7));
    };
    well_formed();
    EXPECT_EQ(cpu.send(), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(from_sc(cpu.delay), nanoseconds(7));
    EXPECT_TRUE(cpu.payload.is_dmi_allowed());
    well_formed().set_byte_enable_ptr(enables);
    cpu.payload.set_byte_enable_length(2);
    cpu.send();
    cpu.prepare(tlm::TLM_IGNORE_COMMAND, 0x100, nullptr, 0).set_streaming_width(1);
    cpu.send();  // 14.11, 14.12: neither data nor length are needed for the ignore command
    EXPECT_TRUE(cpu.ask_dmi(0x180, tlm::TLM_WRITE_COMMAND));
    EXPECT_EQ(cpu.dmi.get_end_address(), 0x1ffu);
    well_formed();
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 4u);
    target.in->invalidate_direct_mem_ptr(3, 3);
    EXPECT_EQ(cpu.invalidated.size(), 1u);
    EXPECT_EQ(checker.transactions(), 3u);
    EXPECT_EQ(checker.violations(), 0u);
    EXPECT_TRUE(seen.empty());
}

TEST_F(protocol_rules, initiators_command_data_and_length) {
    well_formed().set_command(static_cast<tlm::tlm_command>(3));
    cpu.send();
    expect("14.9", "the command 3 is not read, write or ignore");
    well_formed().set_data_ptr(nullptr);
    cpu.send();
    expect("14.11", "the data pointer is null");
    well_formed().set_data_length(0);
    cpu.send();
    expect("14.12", "the data length is 0");
    well_formed().set_streaming_width(0);
    cpu.send();
    expect("14.15", "the streaming width is 0");
    EXPECT_EQ(checker.violations(), 4u);
}

TEST_F(protocol_rules, initiators_byte_enables) {
    well_formed().set_byte_enable_ptr(enables);
    cpu.send();
    expect("14.14", "there are byte enables but their length is 0");
    enables[1] = 1;
    well_formed().set_byte_enable_ptr(enables);
    cpu.payload.set_byte_enable_length(2);
    cpu.send();
    expect("14.13", "byte enable 1 is 0x1, neither 0 nor 0xff");
}

TEST_F(protocol_rules, initiators_reset_of_a_reused_payload) {
    well_formed().set_dmi_allowed(true);
    cpu.send();
    expect("14.16", "the initiator has not cleared the DMI hint");
    well_formed().set_response_status(tlm::TLM_OK_RESPONSE);
    cpu.send();
    expect("14.17",
           "the initiator passes the response status TLM_OK_RESPONSE in place of "
           "TLM_INCOMPLETE_RESPONSE");
    well_formed().set_gp_option(tlm::TLM_FULL_PAYLOAD);
    cpu.send();
    expect("14.8", "the option 1 is not TLM_MIN_PAYLOAD");
}

TEST_F(protocol_rules, initiators_reference_count) {
    struct : tlm::tlm_mm_interface {
        void free(tlm::tlm_generic_payload*) override {}
    } pool;
    well_formed().set_mm(&pool);
    cpu.send();
    expect("14.5", "a payload with a memory manager has reference count 0");
    well_formed().acquire();
    cpu.send();
    EXPECT_TRUE(seen.empty());
    cpu.payload.release();
    cpu.payload.set_mm(nullptr);
}

TEST_F(protocol_rules, targets_response) {
    send_spoilt(
        [](payload_ref p, time_ref) { p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE); });
    expect("14.17", "the target has not set the response status");
    send_spoilt([](payload_ref p, time_ref) {
        p.set_response_status(static_cast<tlm::tlm_response_status>(2));
    });
    expect("14.17", "the target's response status 2 does not exist");
    for (int status = tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE; status < 0; ++status) {
        send_spoilt([=](payload_ref p, time_ref) {
            p.set_response_status(static_cast<tlm::tlm_response_status>(status));
        });
    }
    EXPECT_TRUE(seen.empty());
}

TEST_F(protocol_rules, attributes_that_the_target_must_not_change) {
    send_spoilt([](payload_ref p, time_ref) { p.set_command(tlm::TLM_READ_COMMAND); });
    expect("14.7", "the target has changed the command from 0x1 to 0x0");
    send_spoilt([](payload_ref p, time_ref) { p.set_data_length(2); });
    expect("14.7", "the target has changed the data length from 0x4 to 0x2");
    send_spoilt([](payload_ref p, time_ref) { p.set_byte_enable_length(1); });
    expect("14.7", "the target has changed the byte enable length from 0x0 to 0x1");
    send_spoilt([](payload_ref p, time_ref) { p.set_streaming_width(8); });
    expect("14.7", "the target has changed the streaming width from 0x4 to 0x8");
    send_spoilt([](payload_ref p, time_ref) { p.set_data_ptr(nullptr); });
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].rule.rfind("the target has changed the data pointer from 0x", 0), 0u);
    seen.clear();
    send_spoilt([this](payload_ref p, time_ref) { p.set_byte_enable_ptr(enables); });
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].rule.rfind("the target has changed the byte enable pointer from 0x0", 0), 0u);
}

TEST_F(protocol_rules, the_annotated_time_must_not_go_back) {
    send_spoilt([](payload_ref, time_ref delay) { delay = to_sc(nanoseconds(4)); });
    expect("15.2.7", "the target has turned the annotated time back from 5ns to 4ns");
}

// IEEE 1666-2011 11.1.3: a target may wait for the annotated time and return the rest.
TEST_F(protocol_rules, waiting_for_the_annotated_time_is_clean) {
    sc_core::sc_spawn([&] {
        send_spoilt([](payload_ref, time_ref delay) {
            wait(delay);
            delay = sc_core::SC_ZERO_TIME;
        });
    });
    sc_core::sc_start(to_sc(nanoseconds(10)));
    EXPECT_EQ(checker.transactions(), 1u);
    EXPECT_TRUE(seen.empty());
}

TEST_F(protocol_rules, a_wait_below_a_method_process) {
    bool thrown = false;
    sc_core::sc_spawn_options method;
    method.spawn_method();
    sc_core::sc_spawn(
        [&] {
            try {
                send_spoilt([](payload_ref, time_ref) { wait(sc_core::SC_ZERO_TIME); });
            } catch (const sc_core::sc_report&) {
                thrown = true;
            }
        },
        "caller", &method);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_TRUE(thrown);
    expect("11.1.1.4", "b_transport was called from a method process, and the target waits");
}

TEST_F(protocol_rules, dmi_descriptors) {
    EXPECT_TRUE(cpu.ask_dmi(0x100));
    EXPECT_TRUE(cpu.out->get_direct_mem_ptr(cpu.payload, cpu.dmi));
    expect("11.2.5",
           "the initiator asks for DMI with a used descriptor (0x100..0x1ff); call init() first");
    cpu.ask_dmi(0x200);
    expect("11.2.5", "the granted DMI range 0x100..0x1ff does not hold the address 0x200");
    cpu.ask_dmi(0xff);
    expect("11.2.5", "the granted DMI range 0x100..0x1ff does not hold the address 0xff");
    target.grant = [](tlm::tlm_dmi& dmi) { dmi.set_dmi_ptr(nullptr); };
    cpu.ask_dmi(0x100);
    expect("11.2.5", "DMI is granted with a null pointer");
    target.grant = [](tlm::tlm_dmi& dmi) { dmi.allow_read(); };
    cpu.ask_dmi(0x100, tlm::TLM_WRITE_COMMAND);
    expect("11.2.5", "DMI is granted, but not for the access that was asked for");
    target.grant = [](tlm::tlm_dmi& dmi) { dmi.allow_write(); };
    cpu.ask_dmi(0x100);
    expect("11.2.5", "DMI is granted, but not for the access that was asked for");
    target.in->invalidate_direct_mem_ptr(4, 3);
    expect("11.2", "the target invalidates the empty DMI range 0x4..0x3");
}

TEST_F(protocol_rules, debug_transport) {
    well_formed().set_data_ptr(nullptr);
    cpu.out->transport_dbg(cpu.payload);
    expect("11.3.4", "the data pointer of a debug access is null");
    target.debug_count = 5;
    well_formed();
    EXPECT_EQ(cpu.out->transport_dbg(cpu.payload), 5u);
    expect("11.3.4", "a debug access of 4 bytes returned 5");
    EXPECT_EQ(checker.transactions(), 0u);
}

TEST(protocol_checker, this_rooms_own_bus_and_memory_keep_the_rules) {
    std::vector<std::string> seen;
    const auto collect = [&](const protocol_violation& v) { seen.push_back(v.rule); };
    test_initiator cpu("cpu");
    protocol_checker above("above", collect), below("below", collect);
    bus interconnect("bus");
    memory ram("ram", 64, nanoseconds(10));
    cpu.out.bind(above.in);
    above.out.bind(interconnect.add_initiator("cpu"));
    interconnect.add_target("ram", 0x1000, 64).bind(below.in);
    below.out.bind(ram.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);

    EXPECT_EQ(cpu.write(0x1000, "scmi"), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(cpu.read(0x1000, 4), "scmi");
    EXPECT_EQ(cpu.write(0x103f, "ab"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(0, "ab"), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_TRUE(cpu.ask_dmi(0x1020, tlm::TLM_WRITE_COMMAND));
    EXPECT_FALSE(cpu.ask_dmi(0x2000));
    ram.allow_dmi(false);
    EXPECT_FALSE(cpu.ask_dmi(0x1020));
    EXPECT_EQ(seen, std::vector<std::string>{});
    EXPECT_EQ(above.transactions(), 4u);
    EXPECT_EQ(below.transactions(), 2u);
}

TEST(protocol_checker, a_checker_without_report_is_refused) {
    EXPECT_THROW(protocol_checker("checker", nullptr), error);
}

}  // namespace
}  // namespace scmi_vp
