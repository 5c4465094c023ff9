// SPDX-License-Identifier: Apache-2.0
// The guest's interrupt: from the line to the driver's handler and through it
// (drivers/virtio/virtio_mmio.c vm_interrupt, virtio_ring.c vring_interrupt,
// drivers/firmware/arm_scmi/virtio.c scmi_vio_complete_cb).
#pragma once

#include <boost/asio/coroutine.hpp>

#include <systemc>

#include "models/agent/scmi_agent.h"
#include "models/kernel/kernel.h"
#include "models/transports/virtio/scmi_channel.h"
#include "tlm/interrupt_line.h"
#include "tlm/timeline.h"

namespace scmi_vp::models {

/// It needs no thread of its own: it is a stackless coroutine, which returns at each point where
/// CPU time passes or a lock is held, and goes on from there. While it is idle, the line tells it
/// of a rise by a call, and only the arrival at the CPU is an alarm.
class interrupt_handler : public sc_core::sc_module, private interrupt_listener {
public:
    sc_core::sc_port<interrupt_if> irq;

    /// `injection` is the hop `interrupt`.
    interrupt_handler(sc_core::sc_module_name name, guest_kernel& kernel, virtio_driver& driver,
                      scmi_channel& channel, scmi_agent& agent, latency injection,
                      guest_latencies& extra);

    std::uint64_t interrupts() const { return interrupts_; }
    std::uint64_t spurious() const { return spurious_; }  ///< InterruptStatus was 0
    bool disabled() const { return disabled_; }  ///< "nobody cared": the kernel has given up

private:
    void end_of_elaboration() override { irq->listen(*this); }
    void interrupt_rose() override;
    void process();
    [[gnu::noinline]] void go_on_later();
    [[gnu::noinline]] void release_lock();
    void take_used();
    void collected();
    bool finalise();
    void note_interrupt();
    [[gnu::cold]] void judge();

    guest_kernel& kernel_;
    virtio_driver& driver_;
    scmi_channel& channel_;
    scmi_agent& agent_;
    latency injection_;
    guest_latencies& extra_;
    guest_cpu& cpu_;
    const bool free_;  ///< none of its steps takes time

    boost::asio::coroutine coroutine_;
    alarm step_;        ///< the arrival at the CPU, then each step of the handler
    bool idle_ = true;  ///< waiting for the line to rise
    sim_time delay_;
    std::uint32_t status_ = 0;
    unsigned queue_ = 0;
    virtio::driver_queue* at_ = nullptr;  ///< that queue ...
    channel_lock* lock_ = nullptr;        ///< ... and its lock
    bool callbacks_enabled_ = true, notify_ = false, handled_ = false, disabled_ = false;
    void* token_ = nullptr;  ///< of the used buffer at hand
    std::uint32_t length_ = 0;
    std::uint64_t interrupts_ = 0, spurious_ = 0;
    unsigned counted_ = 0, unhandled_ = 0;  ///< irq_desc.irq_count, irqs_unhandled
};

}  // namespace scmi_vp::models
