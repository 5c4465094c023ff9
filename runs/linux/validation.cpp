// SPDX-License-Identifier: Apache-2.0
// See validation.h.
#include "runs/linux/validation.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "base/error.h"
#include "base/input_file.h"
#include "models/agent/protocol_driver.h"
#include "runs/forked.h"
#include "runs/linux/process.h"
#include "runs/linux/run.h"
#include "runs/linux/trace_compare.h"
#include "runs/linux/workload.h"
#include "runs/run.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
using traces::ftrace_event;
using traces::ftrace_kind;

std::string status_text(run_status s) {
    switch (s) {
        case run_status::ok:
            return "ok";
        case run_status::violations:
            return "violations";
        case run_status::no_probe:
            return "no_probe";
        case run_status::unfinished:
            return "unfinished";
        case run_status::guest_failed:
            return "guest_failed";
        case run_status::checks_failed:
            return "checks_failed";
    }
    return "unknown";
}

evidence read_evidence(const fs::path& folder, std::string status) {
    evidence e;
    e.status = std::move(status);
    input_stream trace(folder / "scmi.ftrace", inputs::trace);
    input_stream log(folder / "dmesg.txt", inputs::trace);
    e.events = traces::read_ftrace(trace, "scmi.ftrace");
    e.log = traces::read_dmesg(log, "dmesg.txt");
    const nlohmann::json j =
        nlohmann::json::parse(read_input(folder / "summary.json", inputs::results));
    for (const nlohmann::json& t : j.value("tasks", nlohmann::json::array())) {
        e.tasks.push_back({t["name"], t["calls"], t["errors"], t["last_errno"]});
    }
    return e;
}

// --- what is compared ---------------------------------------------------------------------------

std::string name_of_transfer(const ftrace_event& e) {
    char text[64];
    std::snprintf(text, sizeof text, "pt=%02X msg_id=%02X seq=%04X", e.protocol_id, e.message_id,
                  e.seq);
    return text;
}

constexpr int etimedout = 110;

struct transfer_end {
    std::string name;
    std::int32_t status = 0;
    std::int64_t us = 0;  ///< after its begin
};

std::int64_t printed_us(const ftrace_event& e) {
    return (e.stamp.ps / 1000 + 500) / 1000;
}

std::vector<transfer_end> ends_of(const std::vector<ftrace_event>& events) {
    std::map<std::string, std::int64_t> begins;
    std::vector<transfer_end> ends;
    for (const ftrace_event& e : events) {
        const std::string name = name_of_transfer(e);
        if (e.kind == ftrace_kind::xfer_begin) begins[name] = printed_us(e);
        if (e.kind == ftrace_kind::xfer_end)
            ends.push_back({name, e.status, printed_us(e) - begins[name]});
    }
    return ends;
}

std::string both(const std::string& kernel, const std::string& model) {
    return "  kernel: " + kernel + "\n  model:  " + model + "\n";
}

/// The first place where two lists of texts differ.
agreement::compared compare_lists(const std::vector<std::string>& kernel,
                                  const std::vector<std::string>& model) {
    agreement::compared c{kernel.size(), model.size(), ""};
    for (std::size_t i = 0; i < std::max(kernel.size(), model.size()); ++i) {
        const std::string k = i < kernel.size() ? kernel[i] : "(none)";
        const std::string m = i < model.size() ? model[i] : "(none)";
        if (k == m) continue;
        c.difference = both(k, m);
        break;
    }
    return c;
}

std::vector<std::string> statuses_of(const evidence& e) {
    std::vector<std::string> all;
    for (const transfer_end& t : ends_of(e.events))
        all.push_back(t.name + " ends with " + std::to_string(t.status));
    for (const evidence::task& t : e.tasks) {
        all.push_back(t.name + ": " + std::to_string(t.calls) + " calls, " +
                      std::to_string(t.errors) + " failed, the last with " +
                      std::to_string(t.last_errno));
    }
    all.push_back("the run: " + e.status);
    return all;
}

std::vector<transfer_end> timeouts_of(const evidence& e) {
    std::vector<transfer_end> all;
    for (const transfer_end& t : ends_of(e.events)) {
        if (t.status == -etimedout) all.push_back(t);
    }
    return all;
}

/// Begin and end are each rounded to a microsecond: a span can be printed one longer or shorter. A
/// timeout ends in the tick that the wheel says, and then its caller waits for the CPU while those
/// that the same tick woke report theirs: a microsecond each, which the scheduler's clock reads
/// are.
constexpr std::int64_t rounding_us = 1, within_a_tick_us = 200;

std::int64_t tolerance_us(const transfer_end& t) {
    return t.status == -etimedout ? within_a_tick_us : rounding_us;
}

agreement::compared compare_spans(const std::vector<transfer_end>& k,
                                  const std::vector<transfer_end>& m) {
    agreement::compared c{k.size(), m.size(), ""};
    for (std::size_t i = 0; i < std::min(k.size(), m.size()) && c.difference.empty(); ++i) {
        if (k[i].name == m[i].name && std::abs(k[i].us - m[i].us) <= tolerance_us(k[i])) continue;
        c.difference = both(k[i].name + " takes " + std::to_string(k[i].us) + " us",
                            m[i].name + " takes " + std::to_string(m[i].us) + " us");
    }
    if (k.size() != m.size() && c.difference.empty()) c.difference = "  not as many\n";
    return c;
}

/// drivers/firmware/arm_scmi/driver.c scmi_xfer_command_acquire(), scmi_msg_response_validate().
std::vector<std::string> late_replies_of(const evidence& e) {
    std::vector<std::string> all;
    for (const traces::log_line& l : e.log) {
        for (const char* sign :
             {"is not expected", "not expected!", "Invalid message type", "OoO"}) {
            if (l.text.find(sign) == std::string::npos) continue;
            all.push_back(l.text);
            break;
        }
    }
    return all;
}

agreement::compared compare_messages(const evidence& kernel, const evidence& model) {
    agreement::compared c{kernel.events.size(), model.events.size(), ""};
    c.difference = compare_traces(kernel.events, model.events, traces::ftrace_format::linux_6_1)
                       .first_difference;
    return c;
}

/// A protocol's function that the compiler has put into scmi_<protocol>_protocol_init is named as
/// that in the kernel's "caller: ...".
std::vector<traces::log_line> with_inlined_callers(std::vector<traces::log_line> lines) {
    static const std::regex caller(
        "caller: scmi_(base|power|perf|clock|sensor)s?_"
        "((domain_|protocol_)?attributes_get|implementation_(version|list)_get|discover_agent_get|"
        "protocol_init)");
    for (traces::log_line& l : lines) {
        l.text = std::regex_replace(traces::without_function_offsets(l.text), caller,
                                    "caller: scmi_$1_protocol_init");
    }
    return lines;
}

agreement::compared compare_log_lines(const evidence& kernel, const evidence& model) {
    agreement::compared c{kernel.log.size(), model.log.size(), ""};
    c.difference =
        compare_logs(with_inlined_callers(kernel.log), with_inlined_callers(model.log), sim_time{})
            .first_difference;
    return c;
}

// --- the two runs -------------------------------------------------------------------------------

// From the child that ran the kernel: only bytes come back. Calls go by their number.
std::string packed(const std::string& status, const linux_outcome& o) {
    nlohmann::json j = {status, o.first_command.ps, o.guest.module.ps,
                        std::vector<nlohmann::json>(o.guest.tasks.size(), nlohmann::json::array())};
    for (const player_result::made& m : o.guest.calls_made) {
        j[3].at(m.task).push_back({m.at.ps, m.call});
    }
    return j.dump();
}

/// `kinds`: the calls by number (linux_workload::kinds).
evidence::times unpacked(const std::string& text, const std::vector<models::call>& kinds,
                         std::string& status) {
    const nlohmann::json j = nlohmann::json::parse(text);
    const auto time = [](const nlohmann::json& n) { return sim_time(n.get<std::int64_t>()); };
    status = j[0];
    evidence::times t{time(j[1]), time(j[2]), {}};
    for (const nlohmann::json& task : j[3]) {
        auto& calls = t.calls.emplace_back();
        for (const nlohmann::json& c : task) {
            calls.emplace_back(time(c[0]), kinds.at(c[1].get<std::size_t>()));
        }
    }
    return t;
}

evidence run_kernel(const scenario::scenario& s, const validation_options& options,
                    const fs::path& out) {
    const std::string told = run_forked(
        "the run with the real kernel",
        [&] {
            std::ostringstream report;
            const linux_outcome o = run_linux(s, {out, options.kernel, true}, report);
            if (o.status == run_status::guest_failed) {
                throw error(
                    error_kind::input, "the guest",
                    o.failure + (options.out.empty() ? "" : " (its files: " + out.string() + ")"));
            }
            return packed(status_text(o.status), o);
        },
        options.stop);
    std::string status;
    evidence::times given = unpacked(told, make_linux_workload(s, true).kinds, status);
    evidence e = read_evidence(out, std::move(status));
    e.given = std::move(given);
    return e;
}

evidence run_model(const scenario::scenario& s, const validation_options& options,
                   const fs::path& out) {
    const std::string status = run_forked(
        "the run with the modelled driver",
        [&] {
            std::ostringstream report;
            run_options o;
            o.out = out;
            o.quiet = true;
            // Both sides are compared with each other, not with what the scenario demands.
            scenario::scenario unchecked = s;
            unchecked.checks.clear();
            return status_text(run_scenario(unchecked, o, report));
        },
        options.stop);
    return read_evidence(out, status);
}

}  // namespace

bool agreement::whole() const {
    return first_difference().empty();
}

std::string agreement::first_difference() const {
    for (std::size_t i = 0; i < aspects.size(); ++i) {
        if (aspects[i].difference.empty()) continue;
        return std::string(aspect_names[i]) + ": " + aspects[i].difference;
    }
    return "";
}

agreement compare(const evidence& kernel, const evidence& model) {
    agreement a;
    const auto at = [&a](aspect x) -> agreement::compared& { return a.aspects[std::size_t(x)]; };
    at(aspect::messages) = compare_messages(kernel, model);
    at(aspect::statuses) = compare_lists(statuses_of(kernel), statuses_of(model));
    at(aspect::timeouts) = compare_spans(timeouts_of(kernel), timeouts_of(model));
    at(aspect::late_replies) = compare_lists(late_replies_of(kernel), late_replies_of(model));
    at(aspect::log_lines) = compare_log_lines(kernel, model);
    at(aspect::round_trips) = compare_spans(ends_of(kernel.events), ends_of(model.events));
    return a;
}

scenario::scenario on_the_real_kernel(scenario::scenario s) {
    models::guest_config& g = s.system.guest;
    const std::vector<std::string> own = g.drivers;
    g.drivers = {"clk-scmi", "scmi-power-domain", "scmi-hwmon", "iio-scmi"};
    if (std::find(own.begin(), own.end(), models::caller_driver) != own.end())
        g.drivers.emplace_back(models::caller_driver);
    g.profile = *models::find_profile("linux-6.1");
    g.costs = *models::find_cost_preset("uml-time-travel");
    g.hz = 100;
    g.tick_phase = {};
    g.cpus = 1;
    g.irq_cpu = 0;
    for (models::context_config& c : g.contexts) c.cpu = 0;
    // drivers/virtio/virtio_uml.c MAX_SUPPORTED_QUEUE_SIZE.
    s.system.device.cmdq_size = s.system.device.eventq_size = 256;
    for (const hop h : {hop::prepare, hop::lock, hop::publish, hop::interrupt, hop::collect,
                        hop::guest_wake, hop::complete}) {
        s.system.hops[std::size_t(h)] = nullptr;
    }
    models::prepare_for(g, s.system.platform.description);
    s.output = scenario::output_options{};
    s.output.requests = false;
    return s;
}

scenario::scenario aligned(scenario::scenario s, const evidence::times& given) {
    models::guest_config& g = s.system.guest;
    // The first message's begin event reads the clock before the doorbell.
    g.probe_start = given.first_command - (g.ftrace ? g.costs.clock_read : sim_time{});
    g.loader_start = given.module;
    g.sequence.clear();
    g.open.clear();
    g.loops.clear();
    for (std::size_t i = 0; i < g.contexts.size() && i < given.calls.size(); ++i) {
        if (given.calls[i].empty()) continue;
        models::call_loop& l = g.loops.emplace_back();
        l.context = g.contexts[i].name;
        l.count = given.calls[i].size();
        for (const auto& [at, call] : given.calls[i]) {
            l.at.push_back(at);
            l.calls.push_back(call);
        }
    }
    return s;
}

agreement validate(const scenario::scenario& s, const validation_options& options) {
    private_folder scratch;
    const fs::path out = options.out.empty() ? scratch.path() : options.out;
    const scenario::scenario real = on_the_real_kernel(s);
    const evidence kernel = run_kernel(real, options, out / "kernel");
    const evidence model = run_model(aligned(real, kernel.given), options, out / "model");
    return compare(kernel, model);
}

}  // namespace scmi_vp::runs
