// SPDX-License-Identifier: Apache-2.0
// The driver when something runs out or breaks for good: messages, xfers, a queue, the interrupt
// line, as drivers/firmware/arm_scmi and kernel/irq do it.
#include <cerrno>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/guest/rogue_system.h"

namespace scmi_vp::models {
namespace {

using testing::ElementsAre;
using namespace testing_tools;

TEST(scmi_agent, lost_commands_use_up_the_messages_and_then_every_call_is_busy) {
    // A ring of 4 has two messages; the device keeps both. -EBUSY comes at once and is not logged
    // (virtio_send_message); nothing was sent, so there is no xfer_end.
    system_config c = calls(std::vector<call>(4, read_sync));
    c.device.cmdq_size = 4;
    c.guest.profile.max_rx_timeout = milliseconds(30);
    rogue_system s(unanswered(c));
    s.run();
    const std::vector<request> reads = s.reads();
    ASSERT_EQ(reads.size(), 4u);
    std::map<outcome, int> outcomes;
    for (const request& r : reads) {
        ++outcomes[r.result];
        if (r.result != outcome::no_message) continue;
        EXPECT_EQ(r.linux_errno, -EBUSY);
        EXPECT_EQ(r.round_trip(), sim_time{});
    }
    EXPECT_EQ(outcomes,
              (std::map<outcome, int>{{outcome::timed_out, 2}, {outcome::no_message, 2}}));
    EXPECT_EQ(s.log().size(), 2u) << "one message each for the two that timed out";
    int begins = 0, ends = 0;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.protocol_id != scmi::protocol::sensor || e.message_id != 6) continue;
        begins += e.kind == traces::ftrace_kind::xfer_begin;
        ends += e.kind == traces::ftrace_kind::xfer_end;
    }
    EXPECT_EQ(begins, 4);
    EXPECT_EQ(ends, 2);
}

TEST(scmi_agent, more_callers_than_xfers_get_enomem_and_a_message) {
    // Two xfers, two callers that wait: the third finds the pool empty (scmi_xfer_get).
    system_config c = calls({read_sync});
    c.device.cmdq_size = 4;
    c.guest.profile.max_rx_timeout = milliseconds(30);
    for (const char* name : {"second", "third"}) {
        c.guest.contexts.push_back({name, int(101 + c.guest.loops.size()), 0});
        c.guest.loops.push_back(loop_of(name, {read_sync}, 1, microseconds(200)));
    }
    rogue_system s(unanswered(c));
    s.run();
    EXPECT_EQ(s.log().at(0), "arm-scmi firmware:scmi: failed to get free message slot(-12)");
    const std::vector<request> reads = s.reads();
    int no_slot = 0;
    for (const request& r : s.sink.requests) {
        if (r.result != outcome::no_slot) continue;
        ++no_slot;
        EXPECT_EQ(r.linux_errno, -ENOMEM);
    }
    EXPECT_EQ(no_slot, 1);
}

TEST(scmi_agent, a_used_element_that_names_no_chain_breaks_the_queue_for_good) {
    // BAD_RING of virtqueue_get_buf_ctx: the call under way times out, later ones fail with -EIO
    // and say so.
    system_config c = unanswered(calls({read_sync, read_sync}));
    c.guest.profile.max_rx_timeout = milliseconds(30);
    rogue_system s(c);
    s.rogue = [&] {
        s.sensor_read();
        s.put_used(virtio::scmi_cmdq, 200, 16);
    };
    s.run();
    const std::vector<request> reads = s.reads();
    ASSERT_EQ(reads.size(), 2u);
    EXPECT_EQ(s.log().back(), "scmi_virtio virtio0: failed to add to TX virtqueue (-5)");
    std::map<outcome, int> outcomes;
    for (const request& r : reads) ++outcomes[r.result];
    EXPECT_EQ(outcomes,
              (std::map<outcome, int>{{outcome::timed_out, 1}, {outcome::send_failed, 1}}));
}

TEST(scmi_agent, an_interrupt_without_a_cause_in_the_status_is_counted_as_spurious) {
    // vm_interrupt returns IRQ_NONE when InterruptStatus is 0: the line rises, and nothing is
    // called.
    system_config c = calls({read_sync});
    c.guest.costs.irq_entry = microseconds(1);
    rogue_system s(c);
    s.rogue = [&] {
        s.sensor_read();
        s.top.irq().set(true);
        s.pass(nanoseconds(1));
        s.top.irq().set(false);
    };
    s.run();
    EXPECT_EQ(s.top.guest().interrupts().spurious(), 1u);
    EXPECT_EQ(s.reads()[0].result, outcome::ok);
}

TEST(scmi_agent, an_interrupt_line_that_is_stuck_is_switched_off) {
    // kernel/irq/spurious.c; without it, a CPU whose handler costs nothing would never leave it.
    system_config c = calls({read_sync});
    c.device.irq = 43;
    c.guest.profile.max_rx_timeout = milliseconds(30);
    rogue_system s(c);
    s.rogue = [&] {
        s.sensor_read();
        s.top.irq().set(true);
    };
    s.run();
    EXPECT_THAT(s.log(),
                ElementsAre("irq 43: nobody cared (try booting with the \"irqpoll\" option)",
                            "Disabling IRQ #43",
                            "arm-scmi firmware:scmi: timed out in resp(caller: "
                            "scmi_sensor_reading_get)"));
    EXPECT_TRUE(s.top.guest().interrupts().disabled());
    EXPECT_EQ(s.reads()[0].stuck_in(), hop::interrupt);
}

TEST(scmi_agent, clock_reads_in_the_interrupt_handler_cost_what_the_table_says) {
    // Two trace events per reply: RESP is stamped after the first read, rx_done after the second,
    // and the caller is held up by both.
    system_config c = calls({read_sync});
    c.guest.costs.clock_read_irq = nanoseconds(100);
    rogue_system s(c);
    s.run();
    const request r = s.reads()[0];
    const sim_time matched = r.at[std::size_t(instant::matched)];
    std::vector<sim_time> stamps;
    for (const traces::ftrace_event& e : s.sink.events) {
        if (e.seq == r.hdr.token && e.flags == "d.h..") stamps.push_back(e.stamp - matched);
    }
    EXPECT_THAT(stamps, ElementsAre(nanoseconds(100), nanoseconds(200)));
    EXPECT_EQ(r.at[std::size_t(instant::woke)] - matched, nanoseconds(200));
}

}  // namespace
}  // namespace scmi_vp::models
