// SPDX-License-Identifier: Apache-2.0
// See runner.h.
#include "studies/runner.h"

#include "base/error.h"
#include "models/system.h"
#include "studies/progress_board.h"
#include "studies/shell.h"
#include "studies/worker_pool.h"
#include "testbenches/request_csv.h"
#include "testbenches/run_extent.h"

namespace scmi_vp::studies {
namespace {

using nlohmann::json;

/// A run's events, boiled down while they come.
class study_sink : public models::run_sink {
public:
    study_sink(const testbenches::scenario& s, std::size_t point, std::uint64_t replication)
        : selection(replication),
          extent_(s),
          tasks_(testbenches::task_names(s.system.guest)),
          prefix_(std::to_string(point) + "," + std::to_string(replication) + ",") {}

    void write_rows_to(std::ostream* rows) { rows_ = rows; }
    void tell_to(tell_progress tell) { tell_ = std::move(tell); }

    void on_request(const models::request& r) override {
        totals.add(r, tasks_);
        selection.add(r);
        spurious.add(r.id, is_spurious_timeout(r));
        true_timeouts.add(r.id, is_true_timeout(r));
        if (rows_) write_row(r);
        if (tell_ && totals.requests % told_every == 0) {
            tell_(extent_.done(r.at[std::size_t(models::instant::returned)], totals.requests),
                  totals.requests);
        }
    }
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line&) override {}
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation& v) override {
        if (totals.violations++ > 0) return;
        totals.first_violation =
            to_string(v.when) + ", " + v.checker + ": " + v.what + " [" + v.source + "]";
    }

    const std::vector<std::string>& tasks() const { return tasks_; }

    point_totals totals;
    request_selection selection;
    batch_counts spurious, true_timeouts;

private:
    void write_row(const models::request& r) {
        *rows_ << prefix_;
        testbenches::write_request_row(*rows_, r,
                                       r.context < tasks_.size() ? tasks_[r.context] : "?");
        *rows_ << '\n';
    }

    static constexpr std::uint64_t told_every = 512;

    testbenches::run_extent extent_;
    std::vector<std::string> tasks_;
    std::string prefix_;
    std::ostream* rows_ = nullptr;
    tell_progress tell_;
};

/// What only the models know when a run is over.
struct run_end {
    bool finished = false, probed = false;
    std::uint64_t no_device = 0;
};

run_end simulate(const testbenches::scenario& s, study_sink& sink) {
    models::system top("top", s.system, sink);
    top.run(s.system.duration);
    run_end end{top.guest().kernel().all_finished(), top.guest().probed(), 0};
    sink.totals.simulated.add(now());
    sink.totals.not_made = top.guest().calls_waiting();
    for (const models::task_position& p : top.guest().positions()) {
        sink.totals.blocked.add(p.blocked_until(now()));
        end.no_device += p.no_device;
    }
    top.finish();
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
std::string message_of(const testbenches::scenario& one, const study_sink& sink, const run_end& end,
                       bool batches) {
    json message{{"seed", one.system.seed},
                 {"finished", end.finished},
                 {"probed", end.probed},
                 {"no_device", end.no_device},
                 {"totals", sink.totals.to_json()},
                 {"kept", json_of(sink.selection.take(sink.tasks()))}};
    if (batches) {
        message["spurious_batches"] = json_of(sink.spurious.units());
        message["true_batches"] = json_of(sink.true_timeouts.units());
    }
    const std::vector<std::uint8_t> bytes = json::to_cbor(message);
    return {bytes.begin(), bytes.end()};
}

std::string name_of_run(const study& s, std::size_t point, std::uint64_t replication) {
    std::vector<std::string> set = s.points[point].set;
    set.insert(set.end(), s.set.begin(), s.set.end());
    const std::uint64_t seed = replication_seed(s.seed, replication);
    return "point " + std::to_string(point) + " (" + s.points[point].name() + "), replication " +
           std::to_string(replication) + ", seed " + std::to_string(seed) +
           "; to run it alone: " + run_command_line(s.scenario.string(), set, seed);
}

}  // namespace

testbenches::scenario scenario_of(const study& s, std::size_t point, std::uint64_t replication) {
    testbenches::scenario one = s.points.at(point).scenario;
    one.system.seed = replication_seed(s.seed, replication);
    return one;
}

std::string run_replication(const study& s, std::size_t point, std::uint64_t replication,
                            std::ostream* rows, const tell_progress& tell) {
    const testbenches::scenario one = scenario_of(s, point, replication);
    study_sink sink(one, point, replication);
    sink.write_rows_to(rows);
    sink.tell_to(tell);
    const run_end end = simulate(one, sink);
    sink.totals.set_replication(replication);
    if (tell) tell(1, sink.totals.requests);
    return message_of(one, sink, end, s.replications == 1);
}

std::string run_alone(const testbenches::scenario& one) {
    study_sink sink(one, 0, 0);
    const run_end end = simulate(one, sink);
    return message_of(one, sink, end, true);
}

void merge_replication(point_result& result, const std::string& message) {
    const json j = json::from_cbor(message);
    const point_totals one = point_totals::from_json(j.at("totals"));
    result.replications.push_back(
        {j.at("seed").get<std::uint64_t>(), one.requests, one.spurious, one.true_timeouts,
         one.refused(), j.at("finished").get<bool>(), j.at("probed").get<bool>(),
         j.at("no_device").get<std::uint64_t>(), one.round_trip.sum().as_seconds()});
    result.totals.merge(one);
    result.kept.merge(kept_from(j.at("kept")));
    if (!j.contains("spurious_batches")) return;
    result.spurious_batches = units_from(j.at("spurious_batches"));
    result.true_batches = units_from(j.at("true_batches"));
}

std::vector<point_result> run_points(const study& s, const runner_options& options) {
    std::vector<point_result> results(s.points.size());
    const std::size_t each = s.replications;
    pool_work work;
    work.tasks = s.points.size() * each;
    progress_board board(work.tasks);
    work.jobs = options.jobs;
    request_rows* const rows = options.all_requests;
    if (rows) work.prepare = [=](std::size_t task) { rows->prepare(task); };
    work.run = [&, rows](std::size_t task) {
        const auto tell = [&](double done, std::uint64_t n) { board.tell(task, done, n); };
        std::ostream* const stream = rows ? rows->stream(task) : nullptr;
        const std::string message = run_replication(s, task / each, task % each, stream, tell);
        return rows ? rows->sealed(task, message) : message;
    };
    work.take = [&, rows](std::size_t task, const std::string& message) {
        merge_replication(results[task / each], rows ? rows->opened(task, message) : message);
    };
    work.name = [&](std::size_t task) { return name_of_run(s, task / each, task % each); };
    work.tick = [&] {
        if (options.show) options.show->tick(board.fraction(), board.count());
    };
    run_pool(work);
    return results;
}

}  // namespace scmi_vp::studies
