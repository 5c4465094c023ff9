// SPDX-License-Identifier: Apache-2.0
// See result_sink.h. File formats: docs/results.md.
#include "runs/result_sink.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/error.h"
#include "runs/fault_report.h"
#include "runs/fingerprint.h"
#include "runs/request_csv.h"

namespace scmi_vp::runs {
namespace {

using models::instant;
using models::request;

// The report shows so many; files have all.
constexpr std::size_t shown_requests = 200, kept_violations = 100, shown_log_lines = 40;

/// What the driver goes by and where it is from.
void add_device_tree(nlohmann::ordered_json& j, const scenario::device_tree_use& use) {
    if (use.file.empty()) return;
    nlohmann::ordered_json& tree = j["device_tree"];
    tree["file"] = use.file.string();
    tree["node"] = use.node;
    for (const scenario::driver_value& v : use.values)
        tree["values"].push_back({{v.name + "_ps", v.value.ps}, {"from", v.from}});
    tree["notes"] = use.notes;
}

/// What a page of a run needs that cannot be made again, and what its rows do not tell.
void add_measured(nlohmann::ordered_json& j, const scenario::scenario& s, sim_time ended,
                  const std::vector<models::task_position>& tasks) {
    j["description"] = s.description;
    j["rx_timeout_ps"] = s.system.guest.profile.max_rx_timeout.ps;
    j["max_delayed_response_ps"] = s.system.guest.profile.max_delayed_response.ps;
    traces::span_sum blocked, all;
    for (const models::task_position& p : tasks) {
        blocked.add(p.blocked_until(ended));
        all.add(ended);
    }
    j["calls_blocked_s"] = blocked.as_seconds();
    j["calls_blocked_of_s"] = all.as_seconds();
}

nlohmann::ordered_json json_of(const delayed_totals& d) {
    nlohmann::ordered_json j{{"requests", d.requests},
                             {"responses", d.responses},
                             {"spurious_timeouts", {{"count", d.spurious}}},
                             {"true_timeouts", {{"count", d.true_timeouts}}},
                             {"late_responses", d.late}};
    const std::uint64_t n = d.ended();
    j["wait_ps"] = {{"count", n},
                    {"min", n ? d.wait_min.ps : 0},
                    {"mean", n ? std::llround(d.wait_sum_ps / double(n)) : 0},
                    {"max", d.wait_max.ps}};
    return j;
}

}  // namespace

result_sink::result_sink(const scenario::scenario& s, output_directory* out, progress* show)
    : scenario_(s), out_(out), progress_(show), extent_(s), messages_(s.checks.size()) {
    tasks_ = task_names(s.system.guest);
    if (!s.system.guest.open.empty()) response_ = std::make_unique<traces::span_histogram>();
    if (!out_) return;
    if (s.output.summary) inputs_ = inputs_of(s);
    open_files();
}

void result_sink::open_files() {
    const scenario::scenario& s = scenario_;
    const models::guest_config& g = s.system.guest;
    if (s.output.ftrace && g.ftrace) {
        ftrace_ = std::make_unique<traces::ftrace_writer>(out_->open_trace("scmi.ftrace"),
                                                          out_->path_of("scmi.ftrace").string(),
                                                          g.profile.trace_format, g.cpus);
    }
    if (s.output.dmesg) dmesg_ = &out_->open_trace("dmesg.txt");
    if (s.output.registers) registers_ = &out_->open_trace("registers.trace");
    if (s.output.requests) {
        requests_ = &out_->open("requests.csv");
        write_request_heading(*requests_);
        *requests_ << "\n";
    }
}

std::string result_sink::task_of(const request& r) const {
    return r.context < tasks_.size() ? tasks_[r.context] : "?";
}

void result_sink::on_request(const request& r) {
    if (measured_) {
        totals_.add(as_measured(r));
    } else {
        totals_.add(r);
    }
    if (models::has_round_trip(r)) {
        const sim_time entered = r.at[std::size_t(instant::entered)];
        if (!slowest_ || r.round_trip() > round_trip_.max()) slowest_ = {entered, r.felt};
        round_trip_.add(r.round_trip());
    }
    if (account_.size() < shown_requests) {
        account_.push_back(account_of(r, task_of(r)));
    } else {
        ++left_out_;
    }
    if (requests_) {
        write_request_row(*requests_, r, task_of(r));
        *requests_ << '\n';
    }
    if (progress_ && totals_.requests % 4096 == 0) show_progress(r);
}

void result_sink::on_call(const models::call_record& c) {
    if (c.answered) response_->add(c.returned - c.intended);
}

void result_sink::show_progress(const request& r) {
    const double done = extent_.done(r.felt, totals_.requests);
    progress_->tick(done, totals_.requests);
}

void result_sink::on_ftrace(const traces::ftrace_event& e) {
    if (ftrace_) ftrace_->add(e);
}

void result_sink::on_log(const traces::log_line& l) {
    ++log_lines_;
    const std::string line = traces::format_log_line(l);
    if (log_.size() < shown_log_lines) log_.push_back(line);
    if (dmesg_) *dmesg_ << line << '\n';
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        const std::string& part = scenario_.checks[i].message;
        messages_[i] += !part.empty() && l.text.find(part) != std::string::npos;
    }
}

void result_sink::on_register(sim_time, const traces::register_trace_line& l) {
    if (registers_) *registers_ << traces::format_register_trace_line(l) << '\n';
}

void result_sink::on_violation(const models::violation& v) {
    ++violation_count_;
    if (violations_.size() < kept_violations) violations_.push_back(v);
}

void result_sink::finish(sim_time ended, bool finished,
                         const std::vector<models::task_position>& tasks,
                         const models::scmi_device* platform) {
    nlohmann::ordered_json results = summary(ended, finished, tasks, platform);
    make_checks(results);
    if (!out_) return;
    if (ftrace_) finish_trace();
    if (!violations_.empty()) {
        std::ostringstream o;
        for (const models::violation& v : violations_) {
            o << to_string(v.when) << ": " << v.checker << ": " << v.what << " [" << v.source
              << "]\n";
        }
        out_->write("violations.txt", o.str());
    }
    if (!scenario_.output.summary) return;
    add_fingerprint(results, inputs_);
    out_->write("summary.json", results.dump(2) + "\n");
}

/// A full disk must not cost the files that come after it: the folder tells of it at its end.
void result_sink::finish_trace() {
    try {
        ftrace_->finish();
    } catch (const error& e) {
        if (e.kind() != error_kind::output) throw;
    }
}

/// Adds what became of the checks.
void result_sink::make_checks(nlohmann::ordered_json& summary) {
    if (scenario_.checks.empty()) return;
    const std::vector<scenario::result_number> numbers = scenario::numbers_of(summary);
    for (std::size_t i = 0; i < scenario_.checks.size(); ++i) {
        check_results_.push_back(scenario::evaluate(scenario_.checks[i], numbers, messages_[i]));
        summary["checks"].push_back(json_of(check_results_.back()));
    }
}

nlohmann::ordered_json result_sink::summary(sim_time ended, bool finished,
                                            const std::vector<models::task_position>& tasks,
                                            const models::scmi_device* platform) const {
    nlohmann::ordered_json j = numbers(ended, finished, tasks, platform);
    if (!platform) add_measured(j, scenario_, ended, tasks);
    return j;
}

nlohmann::ordered_json result_sink::numbers(sim_time ended, bool finished,
                                            const std::vector<models::task_position>& tasks,
                                            const models::scmi_device* platform) const {
    nlohmann::ordered_json j;
    j["format"] = summary_format;
    j["command"] = platform ? "run" : "connect";
    j["title"] = scenario_.title;
    j["scenario"] = scenario_.file.string();
    j["set"] = scenario::lasting_overrides(scenario_.overrides);
    j["seed"] = scenario_.system.seed;
    j["profile"] = scenario_.system.guest.profile.name;
    add_device_tree(j, scenario_.tree);
    if (!scenario_.notes.empty()) j["notes"] = scenario_.notes;
    j["simulated_ps"] = ended.ps;
    j["finished"] = finished;
    j["requests"] = totals_.requests;
    for (std::size_t i = 0; i < totals_.outcomes.size(); ++i) {
        j["outcomes"][std::string(name_of(models::outcome(i)))] = totals_.outcomes[i];
    }
    j["late_replies"] = totals_.late_replies;
    j["delayed_responses"] = totals_.delayed.responses;
    j["delayed_timeouts"] = totals_.delayed.timeouts;
    j["spurious_timeouts"]["count"] = totals_.spurious;
    j["true_timeouts"]["count"] = totals_.true_timeouts;
    j["delayed"] = json_of(totals_.delayed);
    j["log_lines"] = log_lines_;
    if (platform) add_faults(j, *platform);
    j["violations"] = violation_count_;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        j["tasks"].push_back({{"name", scenario_.system.guest.contexts[i].name},
                              {"calls", tasks[i].calls},
                              {"errors", tasks[i].failed},
                              {"last_errno", tasks[i].last_errno}});
    }
    if (totals_.answered) {
        j["round_trip_ps"] = {
            {"min", totals_.round_trip_min.ps},
            {"mean", std::llround(totals_.round_trip_sum_ps / double(totals_.answered))},
            {"p50", round_trip_.quantile(0.5).ps},
            {"p99", round_trip_.quantile(0.99).ps},
            {"p999", round_trip_.quantile(0.999).ps},
            {"max", totals_.round_trip_max.ps},
            {"slowest_request", totals_.slowest}};
        for (const hop_info& h : span_table) {
            const std::size_t i = std::size_t(h.id);
            j["hops_ps"][std::string(h.name)] = {
                {"mean", std::llround(totals_.hop_sum_ps[i] / double(totals_.answered))},
                {"max", totals_.hop_max[i].ps}};
        }
    }
    if (response_ && response_->count()) {
        j["response_ps"] = {
            {"count", response_->count()},         {"min", response_->min().ps},
            {"mean", response_->mean().ps},        {"p50", response_->quantile(0.5).ps},
            {"p99", response_->quantile(0.99).ps}, {"p999", response_->quantile(0.999).ps},
            {"max", response_->max().ps}};
    }
    return j;
}

std::vector<scenario::result_number> numbers_of_run(const scenario::scenario& s) {
    result_sink sink(s, nullptr);
    // What appears with the first request and the first call of its kind must be there.
    request r;
    r.result = models::outcome::ok;
    sink.on_request(r);
    models::call_record c;
    c.answered = !s.system.guest.open.empty();
    sink.on_call(c);
    nlohmann::ordered_json j = sink.numbers(
        {}, true, std::vector<models::task_position>(s.system.guest.contexts.size()), nullptr);
    add_empty_faults(j, s.system.platform);
    return scenario::numbers_of(j);
}

}  // namespace scmi_vp::runs
