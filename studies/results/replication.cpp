// SPDX-License-Identifier: Apache-2.0
// See replication.h.
#include "studies/results/replication.h"

#include <nlohmann/json.hpp>

#include "models/system.h"
#include "runs/request_csv.h"
#include "runs/run_extent.h"
#include "studies/results/incidents.h"
#include "studies/results/recordings.h"

namespace scmi_vp::studies {
namespace {

using nlohmann::json;

/// A run's events, boiled down while they come.
class study_sink : public models::run_sink {
public:
    study_sink(const scenario::scenario& s, std::size_t point, std::uint64_t replication)
        : selection(replication),
          incidents(rx_timeout_of(s)),
          extent_(s),
          tasks_(runs::task_names(s.system.guest)),
          prefix_(std::to_string(point) + "," + std::to_string(replication) + ",") {}

    void write_rows_to(std::ostream* rows) { rows_ = rows; }
    void tell_to(tell_progress tell) { tell_ = std::move(tell); }
    void count_messages(const std::vector<study_check>& checks) {
        checks_ = &checks;
        messages.assign(checks.size(), 0);
    }

    void on_request(const models::request& r) override {
        totals.add(r, tasks_);
        selection.add(r);
        spurious.add(r.id, is_spurious_timeout(r));
        true_timeouts.add(r.id, is_true_timeout(r));
        incidents.add(r);
        if (r.waited()) {
            delayed_spurious.add(r.wait_number, is_spurious_delayed_timeout(r));
            delayed_true.add(r.wait_number, is_true_delayed_timeout(r));
        }
        if (rows_) write_row(r);
        if (tell_ && totals.requests % told_every == 0) {
            tell_(extent_.done(r.felt, totals.requests), totals.requests);
        }
    }
    void on_call(const models::call_record& c) override { totals.add(c); }
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line& l) override {
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const std::string& part = (*checks_)[i].what.message;
            messages[i] += !part.empty() && l.text.find(part) != std::string::npos;
        }
    }
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation& v) override {
        if (totals.violations++ > 0) return;
        totals.first_violation =
            to_string(v.when) + ", " + v.checker + ": " + v.what + " [" + v.source + "]";
    }

    const std::vector<std::string>& tasks() const { return tasks_; }

    point_totals totals;
    request_selection selection;
    timeout_incidents incidents;
    batch_counts spurious, true_timeouts, delayed_spurious, delayed_true;
    std::vector<std::uint64_t> messages;  ///< of each check, kernel messages with its text

private:
    void write_row(const models::request& r) {
        *rows_ << prefix_;
        runs::write_request_row(*rows_, r, r.context < tasks_.size() ? tasks_[r.context] : "?");
        *rows_ << '\n';
    }

    static constexpr std::uint64_t told_every = 512;

    runs::run_extent extent_;
    std::vector<std::string> tasks_;
    std::string prefix_;
    std::ostream* rows_ = nullptr;
    const std::vector<study_check>* checks_ = nullptr;
    tell_progress tell_;
};

/// What only the models know when a run is over.
struct run_end {
    bool finished = false, probed = false;
    std::uint64_t no_device = 0;
};

run_end simulate(const scenario::scenario& s, study_sink& sink) {
    models::system top("top", s.system, sink);
    top.run(s.system.duration);
    run_end end{top.guest().all_done(), top.guest().probed(), 0};
    sink.totals.simulated.add(now());
    sink.totals.not_made = top.guest().calls_waiting();
    for (const models::task_position& p : top.guest().positions()) {
        sink.totals.blocked.add(p.blocked_until(now()));
        sink.totals.task_time.add(now());
        end.no_device += p.no_device;
    }
    top.finish();
    sink.incidents.count_into(sink.totals);
    return end;
}

json json_of(const std::vector<kept_request>& kept) {
    json all = json::array();
    for (const kept_request& k : kept) {
        all.push_back({k.replication, k.id, k.round_trip.ps, k.hash, k.reasons, k.row});
    }
    return all;
}

std::vector<kept_request> kept_from(const json& j) {
    std::vector<kept_request> all;
    for (const json& k : j) {
        all.push_back({k.at(0).get<std::uint64_t>(), k.at(1).get<std::uint64_t>(),
                       sim_time(k.at(2).get<std::int64_t>()), k.at(3).get<std::uint64_t>(),
                       k.at(4).get<std::uint8_t>(), k.at(5).get<std::string>()});
    }
    return all;
}

json json_of(const std::vector<unit_counts>& units) {
    json all = json::array();
    for (const unit_counts& u : units) all.push_back({u.events, u.trials});
    return all;
}

std::vector<unit_counts> units_from(const json& j) {
    std::vector<unit_counts> all;
    for (const json& u : j) {
        all.push_back({u.at(0).get<std::uint64_t>(), u.at(1).get<std::uint64_t>()});
    }
    return all;
}

/// What a child sends.
std::string message_of(const scenario::scenario& one, const study_sink& sink, const run_end& end,
                       bool batches) {
    json message{{"seed", one.system.seed},
                 {"finished", end.finished},
                 {"probed", end.probed},
                 {"no_device", end.no_device},
                 {"totals", sink.totals.to_json()},
                 {"kept", json_of(sink.selection.take(sink.tasks()))}};
    if (!sink.messages.empty()) message["messages"] = sink.messages;
    if (batches) {
        message["spurious_batches"] = json_of(sink.spurious.units());
        message["true_batches"] = json_of(sink.true_timeouts.units());
        message["delayed_spurious_batches"] = json_of(sink.delayed_spurious.units());
        message["delayed_true_batches"] = json_of(sink.delayed_true.units());
    }
    const std::vector<std::uint8_t> bytes = json::to_cbor(message);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string run_replication(const study& s, std::size_t point, std::uint64_t replication,
                            std::ostream* rows, const tell_progress& tell) {
    const scenario::scenario one = scenario_of(s, point, replication);
    study_sink sink(one, point, replication);
    sink.write_rows_to(rows);
    sink.tell_to(tell);
    sink.count_messages(s.checks);
    const run_end end = simulate(one, sink);
    sink.totals.set_replication(replication);
    if (tell) tell(1, sink.totals.requests);
    return message_of(one, sink, end, s.replications == 1);
}

std::string run_alone(const scenario::scenario& one) {
    study_sink sink(one, 0, 0);
    const run_end end = simulate(one, sink);
    return message_of(one, sink, end, true);
}

void merge_replication(point_result& result, const std::string& message) {
    const json j = json::from_cbor(message);
    const point_totals one = point_totals::from_json(j.at("totals"));
    replication_summary& summary = result.replications.emplace_back();
    j.at("seed").get_to(summary.seed);
    summary.requests = one.requests;
    summary.spurious = one.spurious;
    summary.true_timeouts = one.true_timeouts;
    summary.refused = one.refused();
    j.at("finished").get_to(summary.finished);
    j.at("probed").get_to(summary.probed);
    j.at("no_device").get_to(summary.no_device);
    summary.round_trips_s = one.round_trip.sum().as_seconds();
    summary.delayed = one.delayed.requests;
    summary.delayed_spurious = one.delayed.spurious;
    summary.delayed_true = one.delayed.true_timeouts;
    summary.slowest = one.slowest;
    if (j.contains("messages")) j.at("messages").get_to(summary.messages);
    result.totals.merge(one);
    result.kept.merge(kept_from(j.at("kept")));
    if (!j.contains("spurious_batches")) return;
    result.spurious_batches = units_from(j.at("spurious_batches"));
    result.true_batches = units_from(j.at("true_batches"));
    result.delayed_spurious_batches = units_from(j.at("delayed_spurious_batches"));
    result.delayed_true_batches = units_from(j.at("delayed_true_batches"));
}

}  // namespace scmi_vp::studies
