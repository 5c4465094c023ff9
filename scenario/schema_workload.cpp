// SPDX-License-Identifier: Apache-2.0
// Schema rows: latencies of hops, what the guest's tasks call, what is written.
#include "base/hops.h"
#include "models/agent/protocol_table.h"
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

constexpr std::size_t comm_length = 15;  // include/linux/sched.h TASK_COMM_LEN, less the 0
constexpr std::int64_t largest_id = 65535;
constexpr const char* lock_meaning =
    "A mutex of this name is held over each call, as the kernel holds its clock mutex and one per "
    "protocol; empty: none.";

template <class Rows>
std::vector<std::string> names_of(const Rows& rows) {
    std::vector<std::string> names;
    for (const auto* r : rows) names.emplace_back(r->name);
    return names;
}

models::level_limits limits_of(const value& v) {
    const auto pair = v.elements("limits like [500, 1500]");
    if (pair.size() != 2) v.refuse("limits are two levels, the lowest first: [500, 1500]");
    return {std::uint32_t(pair[0].integer(0, 0xffffffff)),
            std::uint32_t(pair[1].integer(0, 0xffffffff))};
}

/// The keys that say what is called; `at` finds the call in the draft.
template <class Find>
void add_call_keys(std::vector<key_info>& keys, const std::string& prefix, Find at) {
    keys.push_back(
        choice({prefix + ".call", "(required)", "What is called."}, names_of(models::call_rows()),
               [at](draft& d, const std::string& s) { at(d).row = models::call_named(s); }));
    keys.push_back(integer({prefix + ".id", "0", "The sensor, clock or domain it is about."}, "", 0,
                           largest_id,
                           [at](draft& d, std::int64_t n) { at(d).id = std::uint32_t(n); }));
    keys.push_back(integer({prefix + ".value", "0",
                            "The rate in Hz that clock_set_rate asks for, the level of "
                            "perf_level_set, the state of power_state_set, the trip point of "
                            "sensor_trip_config."},
                           "", 0, any,
                           [at](draft& d, std::int64_t n) { at(d).value = std::uint64_t(n); }));
    keys.push_back(list({prefix + ".limits", "(none)",
                         "The levels that perf_limits_set asks for, lowest and highest."},
                        "", "", [at](draft& d, const value& v) { at(d).limits = limits_of(v); }));
    keys.push_back(
        choice({prefix + ".event", "(none)",
                "What notify_register and notify_unregister are about; id 65535: of all sources."},
               names_of(models::event_rows()),
               [at](draft& d, const std::string& s) { at(d).event = models::event_named(s); }));
    keys.push_back(boolean({prefix + ".poll", "false",
                            "Polls for the reply instead of sleeping: perf_level_set, "
                            "perf_level_get, clock_enable, clock_disable."},
                           [at](draft& d, bool b) { at(d).poll = b; }));
}

std::vector<key_info> context_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        tables({"workload.context", "[]", "The guest's tasks."}, [](draft& d, const value&) {
            auto& contexts = d.guest().contexts;
            contexts.emplace_back();
            contexts.back().pid = 99 + int(contexts.size());
        }));
    keys.push_back(text(
        {"workload.context[].name", "(required)", "Its name, as in traces."},
        [](draft& d, std::string s) { d.guest().contexts.back().name = std::move(s); },
        comm_length));
    keys.push_back(
        integer({"workload.context[].pid", "(100 and up)", "Its pid."}, "", 1, 4194304,
                [](draft& d, std::int64_t n) { d.guest().contexts.back().pid = int(n); }));
    keys.push_back(
        integer({"workload.context[].cpu", "0", "The CPU it runs on."}, "", 0, 63,
                [](draft& d, std::int64_t n) { d.guest().contexts.back().cpu = unsigned(n); }));
    return keys;
}

std::vector<key_info> sequence_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        tables({"workload.sequence", "[]", "Calls that follow each other, whatever their tasks."},
               [](draft& d, const value&) { d.guest().sequence.emplace_back(); }));
    keys.push_back(
        text({"workload.sequence[].context", "(required)", "The task that calls."},
             [](draft& d, std::string s) { d.guest().sequence.back().context = std::move(s); }));
    keys.push_back(time({"workload.sequence[].gap", "\"0s\"",
                         "From the return of the call before (or the probe's end) to this call."},
                        [](draft& d, sim_time t) { d.guest().sequence.back().gap = t; }));
    add_call_keys(keys, "workload.sequence[]",
                  [](draft& d) -> models::call& { return d.guest().sequence.back().what; });
    return keys;
}

std::vector<key_info> loop_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"workload.loop", "[]", "Tasks that repeat calls by themselves."},
        [](draft& d, const value&) { d.guest().loops.emplace_back(); },
        [](draft& d, const value& v) {
            if (d.guest().loops.back().calls.empty()) {
                v.refuse(
                    "has no calls: calls = [ { call = \"sensor_read\", "
                    "id = 0 } ]");
            }
        }));
    keys.push_back(
        text({"workload.loop[].context", "(required)", "The task that calls."},
             [](draft& d, std::string s) { d.guest().loops.back().context = std::move(s); }));
    keys.push_back(integer(
        {"workload.loop[].count", "1", "How many calls in all; 0: until the end of the run."}, "",
        0, any, [](draft& d, std::int64_t n) { d.guest().loops.back().count = std::uint64_t(n); }));
    keys.push_back(
        latency({"workload.loop[].think", "\"0s\"", "Pause before each call."},
                [](draft& d, distribution_ptr l) { d.guest().loops.back().think = std::move(l); }));
    keys.push_back(time(
        {"workload.loop[].start", "\"0s\"", "When the loop starts, after the end of the probe."},
        [](draft& d, sim_time t) { d.guest().loops.back().start = t; }));
    keys.push_back(text(
        {"workload.loop[].lock", "\"\"", lock_meaning},
        [](draft& d, std::string s) { d.guest().loops.back().lock = std::move(s); }, 63));
    keys.push_back(
        tables({"workload.loop[].calls", "[]", "The calls, made in turn."},
               [](draft& d, const value&) { d.guest().loops.back().calls.emplace_back(); }));
    add_call_keys(keys, "workload.loop[].calls[]",
                  [](draft& d) -> models::call& { return d.guest().loops.back().calls.back(); });
    return keys;
}

void set_open_contexts(draft& d, const value& v) {
    std::vector<std::string>& contexts = d.guest().open.back().contexts;
    for (const value& e : v.elements("a list of task names")) contexts.push_back(e.text());
    if (contexts.empty()) v.refuse("an empty list: name at least one task");
}

/// Without a limit, arrivals that take no time would never end.
void finish_open(draft& d, const value& v) {
    const models::open_arrivals& open = d.guest().open.back();
    if (open.calls.empty())
        v.refuse("has no calls: calls = [ { call = \"sensor_read\", id = 0 } ]");
    if (open.count == 0 && open.interarrival->quantile(0.999999) == sim_time{}) {
        v.refuse("interarrival is always zero: give it a length, or a count");
    }
}

std::vector<key_info> open_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"workload.open", "[]", "Calls that arrive whether or not earlier ones have returned."},
        [](draft& d, const value&) { d.guest().open.emplace_back(); }, finish_open));
    keys.push_back(list({"workload.open[].contexts", "(required)",
                         "The tasks that make the calls, whichever is free, first come first "
                         "served."},
                        "", "names of tasks", set_open_contexts));
    keys.push_back(latency(
        {"workload.open[].interarrival", "(required)",
         "From one arrival to the next; response times count from the arrival."},
        [](draft& d, distribution_ptr l) { d.guest().open.back().interarrival = std::move(l); }));
    keys.push_back(integer(
        {"workload.open[].count", "0", "How many arrive in all; 0: until the end of the run."}, "",
        0, any, [](draft& d, std::int64_t n) { d.guest().open.back().count = std::uint64_t(n); }));
    keys.push_back(time({"workload.open[].start", "\"0s\"",
                         "When the first interval starts, after the end of the probe."},
                        [](draft& d, sim_time t) { d.guest().open.back().start = t; }));
    keys.push_back(text(
        {"workload.open[].lock", "\"\"", lock_meaning},
        [](draft& d, std::string s) { d.guest().open.back().lock = std::move(s); }, 63));
    keys.push_back(
        tables({"workload.open[].calls", "[]", "The calls, made in turn."},
               [](draft& d, const value&) { d.guest().open.back().calls.emplace_back(); }));
    add_call_keys(keys, "workload.open[].calls[]",
                  [](draft& d) -> models::call& { return d.guest().open.back().calls.back(); });
    return keys;
}

key_info output(const char* key, const char* text, const char* meaning,
                bool output_options::*field) {
    return boolean({key, text, meaning}, [field](draft& d, bool b) { d.out.output.*field = b; });
}

}  // namespace

std::vector<key_info> hop_keys() {
    std::vector<key_info> keys;
    for (const hop_info& h : hop_table) {
        const std::string meaning = "Extra latency from \"" + std::string(h.from) + "\" until \"" +
                                    std::string(h.until) + "\".";
        keys.push_back(latency({"hops." + std::string(h.name), "\"0s\"", meaning},
                               [id = h.id](draft& d, const distribution_ptr& l) {
                                   // No latency is nullptr: the models skip it.
                                   const bool none = l->constant() && *l->constant() == sim_time{};
                                   d.out.system.hops[std::size_t(id)] = none ? nullptr : l;
                               }));
    }
    return keys;
}

std::vector<key_info> workload_keys() {
    std::vector<key_info> keys;
    for (key_info& k : context_keys()) keys.push_back(std::move(k));
    for (auto part : {sequence_keys(), loop_keys(), open_keys()}) {
        for (key_info& k : part) keys.push_back(std::move(k));
    }
    return keys;
}

std::vector<key_info> output_keys() {
    std::vector<key_info> keys;
    keys.push_back(output("output.ftrace", "true", "Write the driver's trace events.",
                          &output_options::ftrace));
    keys.push_back(
        output("output.dmesg", "true", "Write the kernel's messages.", &output_options::dmesg));
    keys.push_back(output("output.registers", "false", "Write every register access.",
                          &output_options::registers));
    keys.push_back(output("output.requests", "true", "Write each request with its hops (CSV).",
                          &output_options::requests));
    keys.push_back(
        output("output.summary", "true", "Write the totals (JSON).", &output_options::summary));
    keys.push_back(boolean({"output.vcd.enabled", "false", "Write a waveform; --vcd does too."},
                           [](draft& d, bool b) { d.out.output.vcd.enabled = b; }));
    keys.push_back(integer({"output.vcd.xfers", "8", "Transfers that have a lane in the waveform."},
                           "", 1, 1024,
                           [](draft& d, std::int64_t n) { d.out.output.vcd.xfers = unsigned(n); }));
    return keys;
}

}  // namespace scmi_vp::scenario::rows
