// SPDX-License-Identifier: Apache-2.0
// See interrupt_handler.h.
#include "models/transports/virtio/interrupt_handler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/waves.h"

// CPU time passes here: come back when it has. Costs nothing when there is none.
#define SPEND(cost)                                   \
    if (rarely(!free_) && (delay_ = (cost)).ps > 0) { \
        BOOST_ASIO_CORO_YIELD go_on_later();          \
    }

namespace scmi_vp::models {
namespace {

/// Whether everything that the handler does takes no time.
bool no_cost(const guest_costs& c) {
    const sim_time costs[] = {c.irq_entry, c.mmio_read,   c.mmio_write,     c.ring_get,
                              c.ring_add,  c.rx_callback, c.clock_read_irq, c.irq_exit};
    return std::all_of(std::begin(costs), std::end(costs), [](sim_time t) { return t.ps <= 0; });
}

}  // namespace

interrupt_handler::interrupt_handler(sc_core::sc_module_name name, guest_kernel& kernel,
                                     virtio_driver& driver, scmi_channel& channel,
                                     scmi_agent& agent, latency injection, guest_latencies& extra)
    : sc_core::sc_module(name),
      irq("irq"),
      kernel_(kernel),
      driver_(driver),
      channel_(channel),
      agent_(agent),
      injection_(std::move(injection)),
      extra_(extra),
      cpu_(kernel.cpu(kernel.config().irq_cpu)),
      free_(no_cost(kernel.costs()) && extra.collect.is_zero()),
      step_(calling<&interrupt_handler::process>(this)) {}

void interrupt_handler::interrupt_rose() {
    if (!idle_) return;
    idle_ = false;
    step_.set(now() + injection_.next());
}

void interrupt_handler::go_on_later() {
    step_.set(now() + delay_);
}

void interrupt_handler::process() {
    const guest_costs& costs = kernel_.costs();
    BOOST_ASIO_CORO_REENTER(coroutine_) {
        for (;;) {
            while (rarely(cpu_.irqs_off > 0)) BOOST_ASIO_CORO_YIELD cpu_.irqs_on.await(step_);
            if (rarely(!irq->level())) {  // withdrawn meanwhile (device reset)
                idle_ = true;
                BOOST_ASIO_CORO_YIELD;
                continue;
            }

            ++interrupts_;
            kernel_.irq_enter(cpu_);
            kernel_.mon().irq_entered(now());
            SPEND(costs.irq_entry + costs.mmio_read);
            status_ = driver_.read_now(virtio::mmio::interrupt_status);
            SPEND(costs.mmio_write);
            driver_.write_now(virtio::mmio::interrupt_ack, status_);
            if (status_ == 0) ++spurious_;
            handled_ = (status_ & virtio::mmio::interrupt_config_change) != 0;
            for (queue_ = 0;
                 (status_ & virtio::mmio::interrupt_used_buffer) && queue_ < driver_.queues();
                 ++queue_) {
                // vring_interrupt: nothing used is no work; a broken queue is not called.
                at_ = &driver_.queue(queue_);
                lock_ = &channel_.lock(queue_);
                if (!at_->more_used()) continue;
                handled_ = true;
                if (rarely(at_->broken())) continue;
                at_->note_interrupt();
                callbacks_enabled_ = true;
                for (;;) {
                    while (rarely(lock_->held)) {
                        BOOST_ASIO_CORO_YIELD lock_->released.await(step_);
                    }
                    // In no time nobody else can find it held.
                    if (rarely(!free_)) lock_->held = true;
                    if (callbacks_enabled_) at_->disable_cb();
                    callbacks_enabled_ = false;
                    SPEND(costs.ring_get);
                    take_used();
                    if (!token_) callbacks_enabled_ = !at_->enable_cb();
                    if (rarely(!free_)) release_lock();
                    if (!token_ && !callbacks_enabled_) break;
                    if (!token_) continue;  // more came while callbacks were off

                    SPEND(costs.rx_callback + extra_.collect.next());
                    collected();
                    SPEND(std::exchange(cpu_.irq_clock_reads, sim_time{}));
                    SPEND(queue_ == virtio::scmi_eventq ? costs.ring_add : sim_time{});
                    notify_ = finalise();
                    SPEND(notify_ ? costs.mmio_write : sim_time{});
                    if (rarely(notify_))
                        driver_.write_now(virtio::mmio::queue_notify, virtio::scmi_eventq);
                }
            }
            SPEND(costs.irq_exit);
            note_interrupt();
            kernel_.irq_exit(cpu_);
            while (rarely(disabled_)) BOOST_ASIO_CORO_YIELD;
            idle_ = !irq->level();
            if (idle_) {
                BOOST_ASIO_CORO_YIELD;
            } else {
                delay_ = injection_.next();
                if (delay_.ps > 0) {
                    BOOST_ASIO_CORO_YIELD go_on_later();
                }
            }
        }
    }
}

void interrupt_handler::release_lock() {
    lock_->held = false;
    lock_->released.notify_delta();
}

inline void interrupt_handler::take_used() {
    const virtio::driver_queue::used_buffer used = at_->get_buf();
    token_ = used.token;
    length_ = used.length;
}

inline void interrupt_handler::collected() {
    if (waves* w = kernel_.mon().wave()) {
        w->queue_index(now(), queue_, queue_wave::collected, at_->last_used());
    }
    agent_.receive(cpu_, queue_, *static_cast<vio_message*>(token_), length_);
}

// kernel/irq/spurious.c note_interrupt: a line that stays high without a cause is switched off.
inline void interrupt_handler::note_interrupt() {
    constexpr unsigned window = 100'000;
    if (!handled_) ++unhandled_;
    if (++counted_ == window) judge();
}

void interrupt_handler::judge() {
    constexpr unsigned limit = 99'900;
    disabled_ = unhandled_ > limit;
    counted_ = unhandled_ = 0;
    if (!disabled_) return;
    const std::string number = std::to_string(kernel_.config().irq);
    kernel_.printk("irq " + number + ": nobody cared (try booting with the \"irqpoll\" option)",
                   now());
    kernel_.printk("Disabling IRQ #" + number, now());
}

inline bool interrupt_handler::finalise() {
    auto& message = *static_cast<vio_message*>(token_);
    if (queue_ == virtio::scmi_eventq) return channel_.repost(message);
    channel_.finalise_tx(message);
    return false;
}

}  // namespace scmi_vp::models
