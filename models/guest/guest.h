// SPDX-License-Identifier: Apache-2.0
// The guest machine: kernel, virtio driver, SCMI driver, its tasks and their workload.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>

#include <systemc>

#include "models/agent/scmi_agent.h"
#include "models/agent/scmi_instance.h"
#include "models/config.h"
#include "models/kernel/kernel.h"
#include "models/transports/virtio/interrupt_handler.h"
#include "models/transports/virtio/scmi_channel.h"
#include "models/transports/virtio/virtio_driver.h"

namespace scmi_vp::models {

/// Latencies of the guest's hops.
struct guest_hop_latencies {
    latency interrupt, guest_wake;
    guest_latencies extra;
};

/// Where a task is, for the report of a run that did not finish.
struct task_position {
    std::string task;
    bool finished = false;
    bool endless = false;      ///< it calls until the end of the run: there it is done
    std::uint64_t calls = 0;   ///< returned
    std::uint64_t failed = 0;  ///< of these, with an error
    int last_errno = 0;        ///< of the last that failed, positive
    std::uint64_t no_device =
        0;             ///< failed with -ENODEV: the driver has no such sensor, clock, ...
    sim_time blocked;  ///< spent in the calls that returned, waiting for locks included
    bool in_call = false;
    const call_row* doing = nullptr;
    sim_time since;  ///< of that call

    /// Spent in calls until `when`, the one that it is in included.
    sim_time blocked_until(sim_time when) const {
        return in_call && when > since ? blocked + (when - since) : blocked;
    }
};

class guest : public sc_core::sc_module {
public:
    /// Guest memory for the driver is [ram_base, ram_base + memory_bytes).
    guest(sc_core::sc_module_name name, const guest_config& config, sim_time quantum,
          std::uint64_t seed, guest_hop_latencies latencies, std::uint64_t ram_base,
          std::uint64_t device_base, virtio::guest_memory& memory, monitor& mon);

    virtio_driver& driver() { return driver_; }
    interrupt_handler& interrupts() { return handler_; }
    guest_kernel& kernel() { return kernel_; }
    scmi_instance& instance() { return instance_; }
    const scmi_instance& instance() const { return instance_; }
    const scmi_agent& agent() const { return agent_; }
    bool probed() const { return probed_; }
    sim_time probe_end() const { return probe_end_; }
    std::vector<task_position> positions() const;
    /// Now that the run is over: nothing is left that somebody wanted done. Tasks that call until
    /// the end of the run have done so whenever that comes, once the probe let them start.
    bool all_done() const;
    /// Open arrivals that were due and that no task has taken yet.
    std::uint64_t calls_waiting() const;

private:
    /// Open arrivals: calls that wait for a task, and tasks that wait for a call.
    struct arrival_queue {
        const open_arrivals* config = nullptr;
        latency interarrival;
        guest_mutex* lock = nullptr;
        std::uint64_t arrived = 0, taken = 0;
        bool ended = false;
        std::deque<sim_time> waiting;  ///< intended instants
        std::deque<guest_context*> idle;
    };
    struct task {
        guest_context* context = nullptr;
        const call_loop* loop = nullptr;
        arrival_queue* open = nullptr;
        guest_mutex* lock = nullptr;
        latency think;
        task_position at;
    };
    void add_daemons();
    bool any_call(bool (*is)(const call&)) const;
    void configure(task& t, const context_config& c, std::uint64_t seed);
    void start_arrivals();
    void arrivals_due();
    void run_open(task& t, guest_context& c);
    guest_mutex* mutex_named(const std::string& name);
    void add_kernel_tasks();
    void probe(guest_context& c);
    bool set_up_instance(guest_context& c);
    void power_off(std::size_t worker, guest_context& c);
    void load_module(guest_context& c);
    void start_workload(guest_context& c);
    int call_driver(guest_context& c, const call& what);
    int unbind(guest_context& c);
    int bind(guest_context& c);
    void run_task(std::size_t index, guest_context& c);
    void run_loop(task& t, guest_context& c);
    void run_sequence(task& t, guest_context& c);
    void make(task& t, guest_context& c, const call& what, sim_time intended, guest_mutex* lock);
    void tell_of_call(guest_context& c, int err);
    void next_step();

    guest_config config_;
    guest_hop_latencies latencies_;
    guest_allocator allocator_;
    guest_kernel kernel_;
    virtio_driver driver_;
    scmi_channel channel_;
    scmi_agent agent_;
    scmi_instance instance_;
    interrupt_handler handler_;
    std::vector<task> tasks_;
    std::deque<arrival_queue> arrivals_;
    calendar<arrival_queue*> arrival_times_;
    std::map<std::string, guest_mutex> mutexes_;
    std::size_t step_ = 0;  ///< of the sequence
    sim_time step_returned_;
    guest_context* loader_ = nullptr;  ///< of scmi-vp-caller, if it is there
    std::vector<guest_context*> power_off_workers_;
    std::vector<scmi_instance::unused_resource> unused_;
    unsigned calls_under_way_ = 0;
    guest_context* unbinding_ = nullptr;  ///< waits for calls to return
    bool bound_ = false;                  ///< calls reach the driver
    bool booted_ = false, workload_may_start_ = false, probed_ = false;
    sim_time probe_end_;
};

}  // namespace scmi_vp::models
