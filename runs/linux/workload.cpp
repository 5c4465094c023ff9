// SPDX-License-Identifier: Apache-2.0
// See workload.h.
#include "runs/linux/workload.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "models/agent/protocol_driver.h"
#include "scenario/protocol_schema.h"

namespace scmi_vp::runs {
namespace {

using models::call;

// tools/linux/player.c has tables of so many tasks and locks.
constexpr std::size_t max_tasks = 256;
// Think times and arrivals are drawn here and handed over as a list.
constexpr std::uint64_t max_drawn = 1'000'000;
// Calls of each task that are noted at most.
constexpr std::uint64_t max_logged = 20'000;

[[noreturn]] void refuse(const std::string& where, const std::string& message) {
    throw error(error_kind::config, where, message);
}

/// Empty: user space has none.
std::string user_file(const call& c, const scmi::platform_description& platform) {
    if (!c.row->has_file) return "";
    return scenario::find_protocol_schema(c.row->protocol_id)->user_file(c, platform);
}

/// As tools/linux/module/scmi_vp_caller.c takes a call's argument.
std::uint64_t argument_word(const call& c) {
    switch (c.row->argument) {
        case models::argument_kind::limits:
            return std::uint64_t(c.limits.highest) << 32 | c.limits.lowest;
        case models::argument_kind::event:
            return std::uint64_t(c.event->protocol_id) << 8 | c.event->event;
        default:
            return c.value;
    }
}

constexpr const char* caller_file = "/sys/kernel/debug/scmi_vp_caller";

class script_writer {
public:
    script_writer(const scenario::scenario& s, bool log_calls)
        : s_(s), guest_(s.system.guest), log_calls_(log_calls) {}

    linux_workload write() {
        check_sizes();
        for (std::size_t i = 0; i < guest_.contexts.size(); ++i) {
            const models::context_config& c = guest_.contexts[i];
            if (c.name.find_first_of(" \t\n") != std::string::npos) {
                refuse(where(),
                       "task '" + c.name + "': a blank in a name; the guest needs one word");
            }
            tasks_[c.name] = i;
            out_.script += "task " + std::to_string(c.pid) + " " + c.name + "\n";
        }
        std::string body;
        std::swap(body, out_.script);
        sequence();
        for (const models::call_loop& l : guest_.loops) loop(l);
        for (const models::open_arrivals& o : guest_.open) open(o);
        std::string head;
        if (has_driver(guest_, models::caller_driver)) head = "module\n";
        for (const linux_call& f : files_) {
            body +=
                f.line.empty() ? "file " + f.file + "\n" : "write " + f.file + " " + f.line + "\n";
            if (!f.then_file.empty()) body += "then " + f.then_file + " " + f.then_line + "\n";
        }
        out_.script = head + body + out_.script;
        line("end", {std::uint64_t(s_.system.duration / nanoseconds(1))});
        if (guest_.ftrace) out_.script += "trace\n";
        if (log_calls_) {
            const std::uint64_t most = endless_ || !out_.calls ? max_logged : out_.calls;
            line("log", {std::min(most, max_logged)});
        }
        if (endless_) out_.calls = 0;
        return std::move(out_);
    }

private:
    std::string where() const { return s_.file.string(); }

    void check_sizes() const {
        if (guest_.contexts.size() > max_tasks || guest_.open.size() > max_tasks) {
            refuse(where(),
                   "more than " + std::to_string(max_tasks) +
                       " tasks or open workloads; the guest's program has no room for more");
        }
    }

    void line(const char* word, const std::vector<std::uint64_t>& numbers) {
        out_.script += word;
        for (const std::uint64_t n : numbers) out_.script += " " + std::to_string(n);
        out_.script += "\n";
    }

    std::uint64_t file_of(const call& c) {
        const linux_call f = linux_call_of(c, s_);
        const auto at = std::find(files_.begin(), files_.end(), f);
        if (at != files_.end()) return std::uint64_t(at - files_.begin());
        files_.push_back(f);
        out_.kinds.push_back(c);
        return files_.size() - 1;
    }

    std::string lock_of(const std::string& name) {
        if (name.empty()) return "-1";
        const std::size_t n = locks_.emplace(name, locks_.size()).first->second;
        if (n >= max_tasks) refuse(where(), "too many locks for the guest's program");
        return std::to_string(n);
    }

    static std::uint64_t ns(sim_time t) { return std::uint64_t(t / nanoseconds(1)); }

    void sequence() {
        for (const models::sequence_step& step : guest_.sequence) {
            line("step", {tasks_.at(step.context), ns(step.gap), file_of(step.what)});
            ++out_.calls;
        }
    }

    std::string file_list(const std::vector<call>& calls) {
        std::string list;
        for (const call& c : calls) list += " " + std::to_string(file_of(c));
        return list;
    }

    void loop(const models::call_loop& l) {
        const std::string task = std::to_string(tasks_.at(l.context));
        const std::string list = file_list(l.calls);
        out_.script += "loop " + task + " " + std::to_string(ns(l.start)) + " " +
                       std::to_string(l.count) + " " + lock_of(l.lock) + list + "\n";
        if (l.think) thinks(task, l);
        out_.calls += l.count;
        endless_ |= l.count == 0;
    }

    // The same numbers as the modelled guest draws (models/guest/guest.cpp configure()).
    void thinks(const std::string& task, const models::call_loop& l) {
        latency think(l.think, random_stream(s_.system.seed, "top.guest." + l.context, "think"));
        if (think.is_zero()) return;
        out_.script += "think " + task;
        if (const sim_time* constant = l.think->constant()) {
            out_.script += " " + std::to_string(ns(*constant)) + "\n";
            return;
        }
        sim_time sum;
        for (std::uint64_t i = 0; l.count == 0 ? sum < s_.system.duration : i < l.count; ++i) {
            if (i == max_drawn) refuse(where(), "task " + l.context + too_many_);
            const sim_time t = think.next();
            sum += t;
            out_.script += " " + std::to_string(ns(t));
        }
        out_.script += "\n";
    }

    void open(const models::open_arrivals& o) {
        const std::string list = file_list(o.calls);
        out_.script += "open " + lock_of(o.lock) + list + "\narrive";
        const std::string name = "top.guest.open." + std::to_string(opened_++);
        latency gap(o.interarrival, random_stream(s_.system.seed, name, "interarrival"));
        sim_time at = o.start + gap.next();
        for (std::uint64_t i = 0; o.count == 0 ? at < s_.system.duration : i < o.count; ++i) {
            if (i == max_drawn) refuse(where(), "an open workload" + too_many_);
            out_.script += " " + std::to_string(ns(at));
            at += gap.next();
        }
        out_.script += "\n";
        for (const std::string& c : o.contexts) line("member", {tasks_.at(c)});
        out_.calls += o.count;
        endless_ |= o.count == 0;
    }

    const scenario::scenario& s_;
    const models::guest_config& guest_;
    bool log_calls_;
    linux_workload out_;
    std::map<std::string, std::uint64_t> tasks_, locks_;
    std::vector<linux_call> files_;
    std::size_t opened_ = 0;
    bool endless_ = false;
    const std::string too_many_ = " draws more than " + std::to_string(max_drawn) +
                                  " times; give a smaller count or sim.duration";
};

void note_guest_keys(const scenario::scenario& s, std::vector<std::string>& notes) {
    const models::guest_config& g = s.system.guest;
    const auto note = [&notes](bool differs, const std::string& text) {
        if (differs) notes.push_back(text);
    };
    note(g.hz != 100, "guest.hz: this kernel has 100");
    note(g.cpus != 1, "guest.cpus: this kernel has 1");
    note(g.profile.name != "linux-6.1", "guest.profile: this kernel is what it is");
    note(g.profile.max_rx_timeout != seconds(60) || g.device_tree.max_rx_timeout_ms,
         "guest.max_rx_timeout: Linux 6.1 waits 60 s over virtio, whatever the device tree says");
    note(g.profile.max_delayed_response != seconds(2),
         "guest.max_delayed_response: this kernel waits 2 s (SCMI_MAX_RESPONSE_TIMEOUT)");
    note(!s.checks.empty(), "check: none is evaluated here; scmi-vp run does");
    for (const hop h : {hop::prepare, hop::lock, hop::publish, hop::interrupt, hop::collect,
                        hop::guest_wake, hop::complete}) {
        note(s.system.hops[std::size_t(h)] != nullptr,
             "hops." + std::string(name_of(h)) + ": the kernel itself makes this hop");
    }
}

}  // namespace

linux_call linux_call_of(const call& c, const scenario::scenario& s) {
    const std::string where = s.file.string(), name(c.row->name);
    const models::guest_config& guest = s.system.guest;
    const std::string transport = "/sys/bus/virtio/drivers/scmi-virtio/";
    if (c.row->target == models::call_target::unbind) {
        return {transport + "unbind", "virtio0", "", ""};
    }
    // Nothing probes the instance again by itself.
    if (c.row->target == models::call_target::bind) {
        return {transport + "bind", "virtio0", "/sys/bus/platform/drivers_probe",
                models::device_name(guest.device_tree)};
    }
    if (has_driver(guest, c.row->driver)) {
        const std::string file = user_file(c, s.system.platform.description);
        if (!file.empty()) return {file, "", "", ""};
    }
    if (c.row->in_probe_only) {
        refuse(where, "call '" + name + "': Linux 6.1 makes it in its probe only");
    }
    if (has_driver(guest, models::caller_driver)) {
        return {caller_file,
                name + " " + std::to_string(c.id) + " " + std::to_string(argument_word(c)) +
                    (c.poll ? " 1" : " 0"),
                "", ""};
    }
    refuse(where, "call '" + name + "' (" + std::to_string(c.id) +
                      "): Linux 6.1 shows user space no file for it; add " +
                      std::string(models::caller_driver) + " to guest.drivers");
}

linux_workload make_linux_workload(const scenario::scenario& s, bool log_calls) {
    linux_workload w = script_writer(s, log_calls).write();
    note_guest_keys(s, w.notes);
    w.notes.insert(w.notes.end(), s.notes.begin(), s.notes.end());
    return w;
}

}  // namespace scmi_vp::runs
