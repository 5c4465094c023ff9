// SPDX-License-Identifier: Apache-2.0
// See result_sink.h. File formats: docs/results.md.
#include "testbenches/result_sink.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "testbenches/fault_report.h"
#include "testbenches/request_csv.h"

namespace scmi_vp::testbenches {
namespace {

using models::instant;
using models::request;

// The report shows so many; files have all.
constexpr std::size_t shown_requests = 200, kept_violations = 100, shown_log_lines = 40;

}  // namespace

result_sink::result_sink(const scenario& s, output_directory* out, progress* show)
    : scenario_(s), out_(out), progress_(show), extent_(s) {
    tasks_ = task_names(s.system.guest);
    if (!s.system.guest.open.empty()) response_ = std::make_unique<traces::span_histogram>();
    if (out_) open_files();
}

void result_sink::open_files() {
    const scenario& s = scenario_;
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
    totals_.add(r);
    if (r.scheduled && models::has_round_trip(r)) {
        response_->add(r.at[std::size_t(instant::returned)] - r.intended);
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

void result_sink::show_progress(const request& r) {
    const double done = extent_.done(r.at[std::size_t(instant::returned)], totals_.requests);
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
    if (!out_) return;
    if (ftrace_) ftrace_->finish();
    if (!violations_.empty()) {
        std::ostream& o = out_->open("violations.txt");
        for (const models::violation& v : violations_) {
            o << to_string(v.when) << ": " << v.checker << ": " << v.what << " [" << v.source
              << "]\n";
        }
    }
    if (scenario_.output.summary) write_summary(ended, finished, tasks, platform);
}

void result_sink::write_summary(sim_time ended, bool finished,
                                const std::vector<models::task_position>& tasks,
                                const models::scmi_device* platform) {
    nlohmann::ordered_json j;
    j["title"] = scenario_.title;
    j["scenario"] = scenario_.file.string();
    j["set"] = lasting_overrides(scenario_.overrides);
    j["seed"] = scenario_.system.seed;
    j["profile"] = scenario_.system.guest.profile.name;
    j["simulated_ps"] = ended.ps;
    j["finished"] = finished;
    j["requests"] = totals_.requests;
    for (std::size_t i = 0; i < totals_.outcomes.size(); ++i) {
        j["outcomes"][std::string(name_of(models::outcome(i)))] = totals_.outcomes[i];
    }
    j["late_replies"] = totals_.late_replies;
    j["delayed_responses"] = totals_.delayed_responses;
    j["delayed_timeouts"] = totals_.delayed_timeouts;
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
            {"max", totals_.round_trip_max.ps},
            {"slowest_request", totals_.slowest}};
        for (const hop_info& h : hop_table) {
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
    out_->open("summary.json") << j.dump(2) << "\n";
}

}  // namespace scmi_vp::testbenches
