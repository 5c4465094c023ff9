// SPDX-License-Identifier: Apache-2.0
// See runner.h.
#include "studies/methods/runner.h"

#include <cstring>

#include "studies/methods/progress_board.h"
#include "studies/methods/worker_pool.h"
#include "studies/results/replication.h"

namespace scmi_vp::studies {
namespace {

std::string name_of_run(const study& s, std::size_t point, std::uint64_t replication) {
    return "point " + std::to_string(point) + " (" + s.points[point].name() + "), replication " +
           std::to_string(replication) + ", seed " +
           std::to_string(replication_seed(s.seed, replication)) +
           "; to run it alone: " + command_of_run(s, point, replication);
}

/// What had ended when a study did.
std::size_t runs_in(const std::vector<point_result>& results) {
    std::size_t n = 0;
    for (const point_result& r : results) n += r.replications.size();
    return n;
}

void run_until_early(const pool_work& work, const std::vector<point_result>& results,
                     std::optional<early_end>& early) {
    try {
        run_pool(work);
    } catch (const interrupted& e) {
        const std::size_t n = runs_in(results);
        early = {std::make_exception_ptr(interrupted(e.signal(), n, work.tasks)),
                 std::string("it was interrupted (SIG") + ::sigabbrev_np(e.signal()) + ")", n,
                 work.tasks};
    } catch (const child_died& e) {
        const std::string what = e.what();
        early = {std::current_exception(), what.substr(0, what.find('\n')), runs_in(results),
                 work.tasks};
    }
}

}  // namespace

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
        // A replication is known by its place: after an early end, one that is missing ends them.
        if (results[task / each].replications.size() != task % each) return;
        merge_replication(results[task / each], rows ? rows->opened(task, message) : message);
    };
    work.name = [&](std::size_t task) { return name_of_run(s, task / each, task % each); };
    work.tick = [&] {
        if (options.show) options.show->tick(board.fraction(), board.count());
    };
    if (options.early) {
        run_until_early(work, results, *options.early);
    } else {
        run_pool(work);
    }
    return results;
}

}  // namespace scmi_vp::studies
