// SPDX-License-Identifier: Apache-2.0
// What a system is made of, as data: filled by scenario/ from a scenario, read by the models.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/distribution.h"
#include "base/hops.h"
#include "base/time.h"
#include "models/agent/call.h"
#include "models/platform/fault_config.h"
#include "scmi/platform_server.h"
#include "traces/ftrace.h"

namespace scmi_vp::models {

/// Limit of driver_profile::max_msg_size.
inline constexpr std::size_t max_payload_bytes = 4096;

/// What guest operations cost in CPU time. Preset `free`: all zero. Preset `uml-time-travel`: a
/// clock read in task context costs 256 ns, nothing else (User-Mode Linux in simulated time).
struct guest_costs {
    sim_time clock_read;         ///< in task context; each trace event reads the clock
    sim_time clock_read_irq;     ///< in interrupt context
    sim_time clock_granularity;  ///< stamps are cut down to a multiple; 0 = exact
    sim_time mmio_read;          ///< one register read (a VM exit)
    sim_time mmio_write;         ///< one register write, the doorbell included
    sim_time irq_entry;          ///< from the exception to the driver's handler
    sim_time irq_exit;
    sim_time xfer_get;            ///< pool and token
    sim_time copy_message;        ///< building the request in its buffer
    sim_time ring_add;            ///< virtqueue_add
    sim_time ring_get;            ///< virtqueue_get_buf
    sim_time rx_callback;         ///< the core's handling of one received message
    sim_time context_switch;      ///< a woken thread gets the CPU
    sim_time syscall_return;      ///< from the end of the transfer to the caller
    sim_time cpu_relax;           ///< between two looks at a condition that is polled
    bool printk_on_tick = false;  ///< printk stamps have the tick's granularity (User-Mode Linux)
};
/// The presets "free" and "uml-time-travel"; nullptr when unknown.
const guest_costs* find_cost_preset(std::string_view name);
std::vector<std::string_view> cost_preset_names();

/// A driver generation as data. Fields cite what differs between kernels.
struct driver_profile {
    std::string name;                  ///< "linux-6.1"
    sim_time max_rx_timeout;           ///< scmi_desc.max_rx_timeout_ms
    sim_time max_delayed_response;     ///< SCMI_MAX_RESPONSE_TIMEOUT, 2 s
    std::uint32_t max_msg_size = 128;  ///< payload bytes
    bool driver_ok_in_driver_probe =
        false;  ///< v6.12 and later: the driver's probe sets DRIVER_OK, the core then only reads
    bool deferral_logged =
        true;  ///< up to v6.11: "Deferring probe after not finding a bound scmi-virtio device"
    bool transport_device_logs =
        false;  ///< v6.12: "Using scmi_virtio_transport", "SCMI max-rx-timeout: ...ms"
    bool rejected_messages_traced = false;  ///< v6.10 and later: !RESP, !DLYD
    std::string instance_device;            ///< in front of log texts: "arm-scmi firmware:scmi"
    bool do_xfer_inlined = false;           ///< v6.12: T1 names do_xfer itself as the caller
    /// v6.12: scmi_txrx_setup and scmi_probe say what failed before the notification core.
    bool set_up_failure_logged = false;
    /// The device tree properties of the binding (arm,scmi.yaml) that its driver reads: scmi_probe
    /// reads atomic-threshold-us (v5.18 and later), scmi_transport_setup arm,max-rx-timeout-ms
    /// (v6.12 and later).
    std::vector<std::string_view> tree_properties{"atomic-threshold-us"};
    traces::ftrace_format trace_format = traces::ftrace_format::linux_6_1;
};
/// All known profiles; find by name, nullptr when unknown.
const std::vector<driver_profile>& driver_profiles();
const driver_profile* find_profile(const std::string& name);
bool reads_property(const driver_profile& p, std::string_view property);

/// A child of the SCMI node whose reg is no protocol: the driver says so and goes on.
struct out_of_range_node {
    std::size_t before = 0;  ///< how many of device_tree_info::protocols come before it
    std::uint32_t reg = 0;
};

/// What the device tree says about SCMI; a driver_profile reads some of it.
struct device_tree_info {
    std::string scmi_node = "scmi";    ///< node name
    std::string parents = "firmware";  ///< of it, from the root, with ':' between; dev_name's start
    bool available = true;             ///< false: Linux makes no device of the node
    /// reg of its available children, in their order. One that comes twice, or 0x10, makes the
    /// probe fail.
    std::vector<std::uint8_t> protocols;
    std::vector<out_of_range_node> out_of_range;
    std::vector<std::uint8_t> unavailable;             ///< reg of the other children
    std::optional<std::uint32_t> max_rx_timeout_ms;    ///< arm,max-rx-timeout-ms
    bool malformed_rx_timeout = false;                 ///< it is there, but shorter than a cell
    std::optional<std::uint32_t> atomic_threshold_us;  ///< atomic-threshold-us
};
/// drivers/of/platform.c of_device_make_bus_id(): "firmware:scmi".
std::string device_name(const device_tree_info& tree);

/// One step of a recorded workload: steps follow each other across contexts.
struct sequence_step {
    std::string context;  ///< name of a context
    sim_time gap;  ///< from the return of the step before (or the end of the probe) to this call
    call what;
};

/// A context that repeats calls by itself (closed loop).
struct call_loop {
    std::string context;
    std::vector<call> calls;   ///< made in turn
    std::uint64_t count = 1;   ///< how many calls in all; 0 = until the end of the run
    distribution_ptr think;    ///< before each call
    sim_time start;            ///< after the end of the probe
    std::string lock;          ///< a mutex of this name is held over each call; empty = none
    std::vector<sim_time> at;  ///< instead of start and think: when each call is made, as recorded
};

/// Calls that arrive whether or not earlier ones have returned (open loop), made by whichever of
/// its contexts is free, first come first served. Response times count from the intended instant.
struct open_arrivals {
    std::vector<std::string> contexts;
    std::vector<call> calls;  ///< made in turn
    std::uint64_t count = 0;  ///< how many arrive in all; 0 = until the end of the run
    distribution_ptr interarrival;
    sim_time start;  ///< of the first interval, after the end of the probe
    std::string lock;
};

/// A task of the guest.
struct context_config {
    std::string name;  ///< comm, at most 15 characters
    int pid = 0;
    unsigned cpu = 0;
};

struct guest_config {
    driver_profile profile;
    device_tree_info device_tree;
    guest_costs costs;
    unsigned hz = 250;     ///< CONFIG_HZ: 1..10000
    sim_time tick_phase;   ///< tick edges lie at phase + n / HZ, 0 <= phase < 1 / HZ
    unsigned cpus = 1;     ///< 1..64
    unsigned irq_cpu = 0;  ///< takes the device's interrupt
    unsigned irq = 40;     ///< its number, for kernel messages; system takes the device's
    std::uint64_t memory_bytes = 64ull << 20;
    bool ftrace = true;  ///< scmi:* events on: each reads the clock
    /// CONFIG_ARM_SCMI_TRANSPORT_VIRTIO_ATOMIC_ENABLE: clocks that can be enabled within
    /// `atomic_threshold_us` are enabled in atomic context, which polls.
    bool atomic = false;
    std::uint32_t atomic_threshold_us = 0;  ///< what the driver goes by
    context_config probe_context{"kworker/u2:0", 5, 0};
    sim_time probe_start;  ///< when the core's probe enters its first request
    std::vector<std::string> drivers{
        "clk-scmi", "scmi-hwmon",
        "iio-scmi"};  ///< built in, in link order; of one protocol the last is probed first
    std::vector<context_config> contexts;
    /// What the workload's author knows of the platform: user space finds the files of hwmon and of
    /// the clock framework by it, whatever the guest learns. Empty: by their ids alone.
    std::vector<std::uint8_t> sensor_types;
    std::vector<std::string> clock_names;
    /// Kernel threads that switch unused power domains off at the end of the boot, each one that it
    /// finds (drivers/base/power/domain.c genpd_power_off_unused()): as many as there can be.
    unsigned power_off_workers = 0;
    context_config loader{"init", 1, 0};  ///< loads scmi-vp-caller
    sim_time loader_start;                ///< at the earliest, after the boot
    std::vector<sequence_step> sequence;
    std::vector<call_loop> loops;
    std::vector<open_arrivals> open;
    unsigned vring_align = 4096;
};

bool has_driver(const guest_config& g, std::string_view name);

/// Every task of the guest in the order of their context numbers: the probe's, those of the
/// workload, the loader of scmi-vp-caller, the workers that switch power domains off.
std::vector<context_config> all_contexts(const guest_config& g);

/// Sizes what depends on the platform that the guest will find.
void prepare_for(guest_config& g, const scmi::platform_description& platform);

struct device_hw_config {
    std::uint16_t cmdq_size = 256;
    std::uint16_t eventq_size = 256;
    bool p2a_channels = true;
    bool event_idx = false;
    bool indirect_desc = false;
    std::uint64_t mmio_base = 0x0a000000;
    unsigned irq = 40;  ///< shown in traces only
};

/// A service time for the messages it matches; the last match in the list wins.
struct service_rule : message_match {
    distribution_ptr latency;
    bool never = false;  ///< no reply at all
};

/// When the host's CPUs do not run the platform: work under way is suspended, replies wait.
struct host_pause {
    distribution_ptr every;  ///< from the end of one pause (or the start of the run) to the next
    distribution_ptr length;
    std::uint64_t count = 0;  ///< at most so many; 0 = no limit
};

/// The platform's host runs only in a slot at the start of each period (TDMA).
struct host_slot {
    sim_time period;  ///< 0 = always
    sim_time slot;    ///< 0 < slot <= period
    sim_time phase;   ///< of the first period's start
};

/// Something that the platform does by itself; each time the next step, then the first again.
struct platform_change_config {
    std::string key;  ///< "platform.change.0"
    schedule_config when;
    std::vector<scmi::platform_change> steps;
};

struct platform_config {
    scmi::platform_description description;
    unsigned workers = 1;               ///< 0 = as many as needed
    std::vector<service_rule> service;  ///< on top of hop `service`
    distribution_ptr delayed_work;      ///< from a response until its delayed response is ready
    std::vector<host_pause> pauses;
    host_slot slot;
    std::vector<fault_config> faults;
    std::vector<unsolicited_message> unsolicited;
    std::vector<platform_change_config> changes;
};

struct wave_config {
    bool enabled = false;
    unsigned xfers = 8;  ///< xfer slots with a lane each
};

struct system_config {
    std::string title;
    std::uint64_t seed = 1;
    sim_time duration = seconds(3600);  ///< the run stops here at the latest; > 0
    sim_time quantum =
        microseconds(1);  ///< temporal decoupling of guest CPUs; > 0; results do not depend on it
    /// How far the models may run ahead of SystemC's time while nobody else has anything to do; >=
    /// 0; results do not depend on it.
    sim_time run_ahead = milliseconds(1);
    guest_config guest;
    device_hw_config device;
    platform_config platform;
    std::array<distribution_ptr, hop_count> hops;  ///< extra latency of each hop; nullptr = none
    bool use_dmi = true;
};

}  // namespace scmi_vp::models
