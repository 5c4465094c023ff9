// SPDX-License-Identifier: Apache-2.0
// Checks across keys, each with the place of the key to change.
#include "scenario/scenario_checks.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "models/agent/protocol_table.h"
#include "scenario/protocol_schema.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario {
namespace {

[[noreturn]] void refuse(const document& doc, const std::string& key, const std::string& message) {
    throw error(error_kind::config, doc.place(key), key + ": " + message);
}

bool is_power_of_two(std::uint64_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

void check_ring(const document& doc, const std::string& key, unsigned size) {
    if (is_power_of_two(size)) return;
    unsigned below = 1;
    while (below * 2 < size) below *= 2;
    const unsigned above = below * 2;
    refuse(doc, key,
           std::to_string(size) + " is not a power of two (virtio 1.3 section 2.7); near it: " +
               std::to_string(below) + ", " + std::to_string(above));
}

void check_device(const scenario& s, const document& doc) {
    const models::device_hw_config& device = s.system.device;
    check_ring(doc, "device.queue_size", device.cmdq_size);
    check_ring(doc, "device.event_queue_size", device.eventq_size);
    if (device.mmio_base % 512 != 0) {
        refuse(doc, "device.mmio_base", "is not a multiple of 512 (0x200)");
    }
}

/// Traces and requests.csv must be able to tell where it ends.
void check_task_name(const document& doc, const std::string& key, const std::string& name) {
    if (name.empty()) refuse(doc, key, "is empty");
    const auto bad = [](unsigned char c) { return c < ' ' || c == 0x7f || c == ',' || c == '"'; };
    if (std::any_of(name.begin(), name.end(), bad)) {
        refuse(doc, key, "has a comma, a quotation mark or a control character");
    }
}

void check_guest(const scenario& s, const document& doc) {
    const models::guest_config& g = s.system.guest;
    const std::string cpus = "guest.cpus is " + std::to_string(g.cpus);
    if (g.irq_cpu >= g.cpus) {
        refuse(doc, "guest.irq_cpu", "there is no CPU " + std::to_string(g.irq_cpu) + ": " + cpus);
    }
    // The tick's period in picoseconds is not whole for every HZ: compare without dividing.
    if (g.tick_phase >= seconds(1) || g.tick_phase * g.hz >= seconds(1)) {
        refuse(doc, "guest.tick_phase",
               to_string(g.tick_phase) + " is not less than one tick (1s / " +
                   std::to_string(g.hz) + ")");
    }
    const auto check_milliseconds = [&doc](const char* key, sim_time t) {
        if (t.ps % milliseconds(1).ps == 0) return;
        refuse(doc, key,
               to_string(t) + " is not a whole number of milliseconds, in which the driver counts");
    };
    check_milliseconds("guest.max_rx_timeout", g.profile.max_rx_timeout);
    check_milliseconds("guest.max_delayed_response", g.profile.max_delayed_response);
    const value* node = doc.find("guest.scmi_node");
    if (node && !node->text().empty() && s.tree.file.empty()) {
        refuse(doc, "guest.scmi_node", "chooses in a device tree; give guest.device_tree too");
    }
    check_task_name(doc, "guest.probe_task", g.probe_context.name);
    for (std::size_t i = 0; i < g.contexts.size(); ++i) {
        const std::string at = "workload.context." + std::to_string(i);
        check_task_name(doc, at + ".name", g.contexts[i].name);
        if (g.contexts[i].cpu >= g.cpus) {
            refuse(doc, at + ".cpu",
                   "there is no CPU " + std::to_string(g.contexts[i].cpu) + ": " + cpus);
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (g.contexts[j].name != g.contexts[i].name) continue;
            refuse(doc, at + ".name", "context '" + g.contexts[i].name + "' is defined twice");
        }
    }
}

void check_context(const scenario& s, const document& doc, const std::string& key,
                   const std::string& name) {
    std::vector<std::string> names;
    for (const models::context_config& c : s.system.guest.contexts) {
        if (c.name == name) return;
        names.push_back(c.name);
    }
    refuse(doc, key,
           "context '" + name + "' is not defined" +
               (names.empty() ? std::string(": add a [[workload.context]] with that name")
                              : suggestion(name, names)));
}

/// The kernel's users of SCMI exist only where the protocol has a node and the platform serves it.
void check_protocol(const scenario& s, const document& doc, const std::string& key,
                    const std::string& call, std::uint8_t protocol) {
    const auto lists = [protocol](const std::vector<std::uint8_t>& v) {
        return std::find(v.begin(), v.end(), protocol) != v.end();
    };
    const std::string name(scmi::protocol_name(protocol));
    const models::device_tree_info& tree = s.system.guest.device_tree;
    if (!tree.available) return;  // no call is made
    if (!lists(tree.protocols)) {
        refuse(
            doc, key,
            call + " needs the " + name + " protocol in the guest's device tree" +
                (lists(tree.unavailable) ? ", where the status of its node is not \"okay\"" : ""));
    }
    if (!lists(s.system.platform.description.protocols)) {
        refuse(doc, key, call + " needs the " + name + " protocol in platform.protocols");
    }
}

/// How many resources of a protocol the platform has, and what one is called.
struct resources {
    std::size_t count;
    std::string_view what;
};
std::optional<resources> resources_of(const scmi::platform_description& d, std::uint8_t protocol) {
    const protocol_schema* p = find_protocol_schema(protocol);
    if (!p) return std::nullopt;
    return resources{p->resources(d), p->resource};
}

/// "there is no clock 3: the platform has 2, 0..1".
std::string no_such(const resources& r, std::uint64_t id) {
    return "there is no " + std::string(r.what) + " " + std::to_string(id) + ": the platform has " +
           std::to_string(r.count) + (r.count ? ", 0.." + std::to_string(r.count - 1) : "");
}

/// "perf_level_get, perf_level_set, clock_enable, clock_disable".
std::string polling_calls() {
    std::string all;
    for (const models::call_row* r : models::call_rows()) {
        if (r->may_poll) all += (all.empty() ? "" : ", ") + std::string(r->name);
    }
    return all;
}

void check_arguments(const document& doc, const std::string& at, const models::call& c) {
    using models::argument_kind;
    const std::string call(c.row->name);
    const argument_kind takes = c.row->argument;
    if ((takes == argument_kind::level || takes == argument_kind::state) && c.value > 0xffffffff) {
        refuse(doc, at + ".value", std::to_string(c.value) + " is no level: 0..4294967295");
    }
    if (takes == argument_kind::event && !c.event) {
        refuse(doc, at + ".call", call + " needs an event: event = \"perf_level_changed\"");
    }
    if (takes == argument_kind::limits && c.value != 0) {
        refuse(doc, at + ".value", call + " takes limits = [LOWEST, HIGHEST], no value");
    }
    if (c.poll && !c.row->may_poll) {
        refuse(doc, at + ".poll",
               "Linux cannot poll in " + call + "; it can in " + polling_calls());
    }
}

void check_call(const scenario& s, const document& doc, const std::string& at,
                const models::call& c) {
    const models::call_row& info = *c.row;
    check_arguments(doc, at, c);
    if (info.driver.empty()) return;
    const std::string call(info.name), driver(info.driver);
    check_protocol(s, doc, at + ".call", call, info.protocol_id);
    const std::vector<std::string>& drivers = s.system.guest.drivers;
    const auto built_in = [&drivers](std::string_view name) {
        return std::find(drivers.begin(), drivers.end(), name) != drivers.end();
    };
    if (!built_in(driver) && !built_in(models::caller_driver)) {
        refuse(doc, at + ".call", call + " needs the driver " + driver + " in guest.drivers");
    }
    const auto have = resources_of(s.system.platform.description, info.protocol_id);
    if (have && c.id >= have->count) refuse(doc, at + ".id", no_such(*have, c.id));
}

/// A task does one thing at a time: who has it already?
class task_owners {
public:
    /// `also`: more than one piece of work of this kind may share the task.
    void take(const document& doc, const std::string& key, const std::string& context,
              const std::string& work, bool also = false) {
        const auto [it, is_new] = owners_.emplace(context, work);
        if (is_new || (also && it->second == work)) return;
        refuse(doc, key,
               "context '" + context + "' is busy with " +
                   (it->second == work ? "another " : "the ") + it->second +
                   ": a task does one thing at a time, give this " + work + " its own");
    }

private:
    std::map<std::string, std::string> owners_;
};

void check_open(const scenario& s, const document& doc, task_owners& owners) {
    const auto& all = s.system.guest.open;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string at = "workload.open." + std::to_string(i);
        for (const std::string& context : all[i].contexts) {
            check_context(s, doc, at + ".contexts", context);
            owners.take(doc, at + ".contexts", context, "open workload");
        }
        for (std::size_t j = 0; j < all[i].calls.size(); ++j) {
            check_call(s, doc, at + ".calls." + std::to_string(j), all[i].calls[j]);
        }
    }
}

void check_workload(const scenario& s, const document& doc) {
    const models::guest_config& g = s.system.guest;
    task_owners owners;
    for (std::size_t i = 0; i < g.sequence.size(); ++i) {
        const std::string at = "workload.sequence." + std::to_string(i);
        check_context(s, doc, at + ".context", g.sequence[i].context);
        check_call(s, doc, at, g.sequence[i].what);
        owners.take(doc, at + ".context", g.sequence[i].context, "sequence", true);
    }
    for (std::size_t i = 0; i < g.loops.size(); ++i) {
        const std::string at = "workload.loop." + std::to_string(i);
        const std::string& context = g.loops[i].context;
        check_context(s, doc, at + ".context", context);
        for (std::size_t j = 0; j < g.loops[i].calls.size(); ++j) {
            check_call(s, doc, at + ".calls." + std::to_string(j), g.loops[i].calls[j]);
        }
        owners.take(doc, at + ".context", context, "loop");
    }
    check_open(s, doc, owners);
}

void check_host(const scenario& s, const document& doc) {
    const models::platform_config& p = s.system.platform;
    const models::host_slot& slot = p.slot;
    if (slot.period == sim_time{} && slot.slot != sim_time{}) {
        refuse(doc, "platform.slot.length", "a slot needs platform.slot.period");
    }
    if (slot.period != sim_time{} && (slot.slot == sim_time{} || slot.slot > slot.period)) {
        refuse(doc, "platform.slot.length",
               to_string(slot.slot) + " is not above 0s and at most the period, " +
                   to_string(slot.period));
    }
    for (const models::fault_config& f : p.faults) {
        if (f.from < f.to) continue;
        refuse(doc, f.name + ".to", to_string(f.to) + " is not after from, " + to_string(f.from));
    }
}

/// What a row of platform.service or platform.fault is about exists.
void check_match(const scenario& s, const document& doc, const std::string& at,
                 const models::message_match& m) {
    if (!m.resource || !m.protocol_id) return;
    const auto have = resources_of(s.system.platform.description, *m.protocol_id);
    if (!have || std::size_t(*m.resource) < have->count) return;
    refuse(doc, at + ".resource", no_such(*have, std::size_t(*m.resource)));
}

/// A platform takes each of its changes.
void check_changes(const scenario& s, const document& doc) {
    scmi::platform_server server(s.system.platform.description);
    scmi::notifications told;
    for (const models::platform_change_config& change : s.system.platform.changes) {
        for (const scmi::platform_change& step : change.steps) {
            try {
                server.change(step, told);
            } catch (const error& e) {
                refuse(doc, change.key, e.what());
            }
        }
    }
}

void check_platform(const scenario& s, const document& doc) {
    try {
        const scmi::platform_server server(s.system.platform.description);
    } catch (const error& e) {
        // The server knows no places; the nearest is the file that describes the platform.
        const value* file = doc.find("platform.file");
        const bool own_file = file && !file->path().empty();
        throw error(error_kind::config, own_file ? file->path().string() : s.file.string(),
                    "platform: " + std::string(e.what()));
    }
    const models::platform_config& p = s.system.platform;
    for (std::size_t i = 0; i < p.service.size(); ++i) {
        check_match(s, doc, "platform.service." + std::to_string(i), p.service[i]);
    }
    for (const models::fault_config& f : p.faults) check_match(s, doc, f.name, f.match);
    check_changes(s, doc);
}

}  // namespace

void check_scenario(const scenario& s, const document& doc) {
    check_device(s, doc);
    check_guest(s, doc);
    check_platform(s, doc);
    check_host(s, doc);
    check_workload(s, doc);
}

}  // namespace scmi_vp::scenario
