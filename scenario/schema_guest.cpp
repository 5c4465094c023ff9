// SPDX-License-Identifier: Apache-2.0
// Schema rows: the run itself, the guest and its costs, the device.
#include <array>

#include "base/input_file.h"
#include "models/agent/protocol_table.h"
#include "scenario/device_tree.h"
#include "scenario/schema_rows.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario::rows {
namespace {

constexpr std::size_t comm_length = 15;  // include/linux/sched.h TASK_COMM_LEN, less the 0

std::vector<std::string> profile_names() {
    std::vector<std::string> names;
    for (const models::driver_profile& p : models::driver_profiles()) names.push_back(p.name);
    return names;
}

std::vector<std::string> preset_names() {
    std::vector<std::string> names;
    for (const std::string_view n : models::cost_preset_names()) names.emplace_back(n);
    return names;
}

std::vector<std::string> driver_names() {
    std::vector<std::string> names;
    for (const models::user_driver& u : models::user_drivers()) {
        if (names.empty() || names.back() != u.name) names.emplace_back(u.name);
    }
    return names;
}

std::string words_of(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
    return all;
}

void set_drivers(draft& d, const value& v) {
    static const std::vector<std::string> known = driver_names();
    d.guest().drivers.clear();
    for (const value& e : v.elements("a list of driver names")) {
        const std::string name = e.choice(known);
        for (const std::string& n : d.guest().drivers) {
            if (n == name) e.refuse("driver '" + name + "' is listed twice");
        }
        d.guest().drivers.push_back(name);
    }
}

void set_device_tree(draft& d, const std::filesystem::path& p, const value& v) {
    if (p.empty()) return;
    d.tree.bytes = read_input(p, inputs::device_tree, v.where() + ": " + v.key);
    d.tree.file = p;
    d.out.inputs.push_back(p);
}

void set_max_rx_timeout(draft& d, sim_time t) {
    d.guest().profile.max_rx_timeout = t;
    d.tree.rx_timeout_given = true;
}

std::vector<key_info> driver_keys() {
    std::vector<key_info> keys;
    keys.push_back(choice(
        {"guest.profile", "\"linux-6.1\"", "Which kernel's driver is modelled."}, profile_names(),
        [](draft& d, const std::string& s) { d.guest().profile = *models::find_profile(s); }));
    keys.push_back(path({"guest.device_tree", "\"\"",
                         "Device tree blob (.dtb) with the SCMI node, read as the profile's driver "
                         "reads it; empty: a node for every protocol that the platform lists."},
                        set_device_tree));
    keys.push_back(time({"guest.max_rx_timeout", "(the profile's or the device tree's)",
                         "How long the driver waits for a reply; whole milliseconds. It wins over "
                         "arm,max-rx-timeout-ms, which linux-6.12 reads."},
                        milliseconds(1), longest_span, set_max_rx_timeout));
    keys.push_back(time({"guest.max_delayed_response", "(the profile's)",
                         "How long the driver waits for a delayed response after its response "
                         "(SCMI_MAX_RESPONSE_TIMEOUT, 2 s in Linux); whole milliseconds."},
                        milliseconds(1), longest_span,
                        [](draft& d, sim_time t) { d.guest().profile.max_delayed_response = t; }));
    keys.push_back(integer({"guest.max_msg_size", "(the profile's)",
                            "Largest payload the driver takes (scmi_desc.max_msg_size)."},
                           "bytes", 32, 4096, [](draft& d, std::int64_t n) {
                               d.guest().profile.max_msg_size = std::uint32_t(n);
                           }));
    keys.push_back(boolean({"guest.atomic", "false",
                            "Whether the transport is built for atomic use "
                            "(ARM_SCMI_TRANSPORT_VIRTIO_ATOMIC_ENABLE): clocks are then enabled "
                            "by polling."},
                           [](draft& d, bool b) { d.guest().atomic = b; }));
    keys.push_back(time({"guest.atomic_threshold", "(the device tree's, else 0s)",
                         "Clocks that take longer to enable, or do not say how long, are not "
                         "enabled so; whole microseconds. It wins over atomic-threshold-us."},
                        sim_time{}, seconds(4294), [](draft& d, sim_time t) {
                            d.tree.atomic_threshold_us = std::uint32_t(t / microseconds(1));
                        }));
    keys.push_back(list({"guest.drivers", R"(["clk-scmi", "scmi-hwmon", "iio-scmi"])",
                         "SCMI drivers built in, in link order; of one protocol the last is "
                         "probed first. scmi-vp-caller is loaded last and makes any call."},
                        "", words_of(driver_names()), set_drivers));
    keys.push_back(text({"guest.scmi_node", "\"\"",
                         "The SCMI node of guest.device_tree that is meant, by path or name, where "
                         "there are several: \"/firmware/scmi-a\"."},
                        [](draft& d, std::string s) { d.tree.node = std::move(s); }));
    return keys;
}

std::vector<key_info> kernel_keys() {
    std::vector<key_info> keys;
    keys.push_back(integer({"guest.hz", "250", "The kernel's CONFIG_HZ."}, "Hz", 1, 10000,
                           [](draft& d, std::int64_t n) { d.guest().hz = unsigned(n); }));
    keys.push_back(
        time({"guest.tick_phase", "\"0s\"", "When the first tick falls; less than 1 / guest.hz."},
             [](draft& d, sim_time t) { d.guest().tick_phase = t; }));
    keys.push_back(integer({"guest.cpus", "1", "How many CPUs the guest has."}, "", 1, 64,
                           [](draft& d, std::int64_t n) { d.guest().cpus = unsigned(n); }));
    keys.push_back(integer({"guest.irq_cpu", "0", "The CPU that takes the device's interrupt."}, "",
                           0, 63,
                           [](draft& d, std::int64_t n) { d.guest().irq_cpu = unsigned(n); }));
    keys.push_back(size({"guest.memory", "\"64MiB\"", "The guest's memory."}, 1ull << 20,
                        4ull << 30, [](draft& d, std::uint64_t n) { d.guest().memory_bytes = n; }));
    keys.push_back(boolean(
        {"guest.ftrace", "true", "Whether the driver's trace events are on; each reads the clock."},
        [](draft& d, bool b) { d.guest().ftrace = b; }));
    keys.push_back(
        time({"guest.probe_start", "\"0s\"", "When the driver's probe enters its first request."},
             [](draft& d, sim_time t) { d.guest().probe_start = t; }));
    keys.push_back(text(
        {"guest.probe_task", "\"kworker/u2:0\"", "The task that probes."},
        [](draft& d, std::string s) { d.guest().probe_context.name = std::move(s); }, comm_length));
    keys.push_back(integer({"guest.probe_pid", "5", "Its pid."}, "", 1, 4194304,
                           [](draft& d, std::int64_t n) { d.guest().probe_context.pid = int(n); }));
    return keys;
}

struct cost_row {
    const char* name;
    sim_time models::guest_costs::*field;
    const char* meaning;
};

constexpr std::array<cost_row, 15> cost_rows{{
    {"clock_read", &models::guest_costs::clock_read,
     "Reading the clock in task context; each trace event does."},
    {"clock_read_irq", &models::guest_costs::clock_read_irq,
     "Reading the clock in interrupt context."},
    {"clock_granularity", &models::guest_costs::clock_granularity,
     "Stamps are cut down to a multiple of this; 0s: exact."},
    {"mmio_read", &models::guest_costs::mmio_read, "Reading a device register (a VM exit)."},
    {"mmio_write", &models::guest_costs::mmio_write,
     "Writing a device register, the doorbell included."},
    {"irq_entry", &models::guest_costs::irq_entry, "From the exception to the driver's handler."},
    {"irq_exit", &models::guest_costs::irq_exit, "From the handler's end to what it interrupted."},
    {"xfer_get", &models::guest_costs::xfer_get, "Taking a transfer and a token."},
    {"copy_message", &models::guest_costs::copy_message, "Building the request in its buffer."},
    {"ring_add", &models::guest_costs::ring_add, "Putting a chain into the ring (virtqueue_add)."},
    {"ring_get", &models::guest_costs::ring_get,
     "Taking a used chain from the ring (virtqueue_get_buf)."},
    {"rx_callback", &models::guest_costs::rx_callback,
     "The SCMI core's handling of one received message."},
    {"context_switch", &models::guest_costs::context_switch,
     "From the wake-up of a thread until it runs."},
    {"syscall_return", &models::guest_costs::syscall_return,
     "From the end of the transfer to the caller."},
    {"cpu_relax", &models::guest_costs::cpu_relax,
     "Between two looks at a condition that is polled."},
}};

std::vector<key_info> cost_keys() {
    std::vector<key_info> keys;
    keys.push_back(choice({"guest.costs", "\"free\"",
                           "Preset of what the guest's operations cost; guest.cost.* change it."},
                          preset_names(), [](draft& d, const std::string& s) {
                              d.guest().costs = *models::find_cost_preset(s);
                          }));
    for (const cost_row& r : cost_rows) {
        keys.push_back(time(
            {std::string("guest.cost.") + r.name, "(the preset's)", r.meaning}, sim_time{},
            seconds(1), [field = r.field](draft& d, sim_time t) { d.guest().costs.*field = t; }));
    }
    keys.push_back(boolean({"guest.cost.printk_on_tick", "(the preset's)",
                            "Whether stamps of kernel messages have the tick's granularity."},
                           [](draft& d, bool b) { d.guest().costs.printk_on_tick = b; }));
    return keys;
}

}  // namespace

std::vector<key_info> run_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        text({"scenario.title", "(the file's or its folder's name)", "A name for reports."},
             [](draft& d, std::string s) { d.out.title = std::move(s); }));
    keys.push_back(text({"scenario.description", "\"\"", "What the scenario is for."},
                        [](draft& d, std::string s) { d.out.description = std::move(s); }));
    keys.push_back(integer(
        {"sim.seed", "1", "Seed of all random numbers; the same seed gives the same outputs."}, "",
        0, any, [](draft& d, std::int64_t n) { d.out.system.seed = std::uint64_t(n); }));
    keys.push_back(time({"sim.duration", "\"1h\"", "The run ends here at the latest."},
                        picoseconds(1), longest_span,
                        [](draft& d, sim_time t) { d.out.system.duration = t; }));
    keys.push_back(time({"sim.quantum", "\"1us\"",
                         "How far a guest CPU may run ahead of simulated time; results do not "
                         "depend on it."},
                        picoseconds(1), seconds(1),
                        [](draft& d, sim_time t) { d.out.system.quantum = t; }));
    keys.push_back(time({"sim.run_ahead", "\"1ms\"",
                         "How far the models may run ahead of SystemC's time while nothing else "
                         "is due; results do not depend on it."},
                        sim_time{}, seconds(1),
                        [](draft& d, sim_time t) { d.out.system.run_ahead = t; }));
    keys.push_back(boolean({"sim.dmi", "true",
                            "Whether memory is accessed through DMI pointers; results do not "
                            "depend on it."},
                           [](draft& d, bool b) { d.out.system.use_dmi = b; }));
    return keys;
}

std::vector<key_info> guest_keys() {
    std::vector<key_info> keys = driver_keys();
    for (auto part : {kernel_keys(), cost_keys()}) {
        for (key_info& k : part) keys.push_back(std::move(k));
    }
    return keys;
}

std::vector<key_info> device_keys() {
    std::vector<key_info> keys;
    const std::string power = "; a power of two (virtio 1.3 section 2.7)";
    keys.push_back(integer(
        {"device.queue_size", "256", "Entries of the command queue" + power + ", two per command."},
        "entries", 2, 32768,
        [](draft& d, std::int64_t n) { d.out.system.device.cmdq_size = std::uint16_t(n); }));
    keys.push_back(integer(
        {"device.event_queue_size", "256", "Entries of the event queue" + power + "."}, "entries",
        1, 32768,
        [](draft& d, std::int64_t n) { d.out.system.device.eventq_size = std::uint16_t(n); }));
    keys.push_back(boolean({"device.p2a_channels", "true",
                            "Offers VIRTIO_SCMI_F_P2A_CHANNELS: notifications and delayed "
                            "responses."},
                           [](draft& d, bool b) { d.out.system.device.p2a_channels = b; }));
    keys.push_back(boolean({"device.event_idx", "false", "Offers VIRTIO_F_EVENT_IDX."},
                           [](draft& d, bool b) { d.out.system.device.event_idx = b; }));
    keys.push_back(boolean({"device.indirect_desc", "false", "Offers VIRTIO_F_INDIRECT_DESC."},
                           [](draft& d, bool b) { d.out.system.device.indirect_desc = b; }));
    keys.push_back(hex_integer(
        {"device.mmio_base", "0x0a000000", "Address of the register window; a multiple of 512."}, 0,
        0xffff'ffff'fe00,
        [](draft& d, std::int64_t n) { d.out.system.device.mmio_base = std::uint64_t(n); }));
    keys.push_back(
        integer({"device.irq", "40", "Interrupt number, shown in traces."}, "", 0, 1023,
                [](draft& d, std::int64_t n) { d.out.system.device.irq = unsigned(n); }));
    return keys;
}

}  // namespace scmi_vp::scenario::rows
