// SPDX-License-Identifier: Apache-2.0
// Where a run's events go: the files that a scenario asks for, the account, the totals.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/guest/guest.h"
#include "models/monitor.h"
#include "models/platform/scmi_device.h"
#include "runs/account.h"
#include "runs/fingerprint.h"
#include "runs/output_directory.h"
#include "runs/progress.h"
#include "runs/run_extent.h"
#include "scenario/scenario.h"
#include "traces/ftrace.h"
#include "traces/span_histogram.h"

namespace scmi_vp::runs {

class result_sink : public models::run_sink {
public:
    /// Without a directory nothing is written. `show` gets the progress of a long run.
    result_sink(const scenario::scenario& s, output_directory* out, progress* show = nullptr);

    void on_request(const models::request& r) override;
    void on_ftrace(const traces::ftrace_event& e) override;
    void on_log(const traces::log_line& l) override;
    void on_register(sim_time when, const traces::register_trace_line& l) override;
    void on_violation(const models::violation& v) override;
    void on_call(const models::call_record& c) override;

    /// A device that nobody here knows answers (as_measured()).
    void set_measured() { measured_ = true; }
    bool wants_registers() const { return registers_ != nullptr; }

    /// Completes the files. `ended` is the simulated time, `finished` whether all tasks were done;
    /// no platform: a foreign one answered.
    void finish(sim_time ended, bool finished, const std::vector<models::task_position>& tasks,
                const models::scmi_device* platform);

    /// What summary.json says of that run, but for what it was made from.
    nlohmann::ordered_json summary(sim_time ended, bool finished,
                                   const std::vector<models::task_position>& tasks,
                                   const models::scmi_device* platform) const;
    /// What became of the scenario's checks, when it is finished.
    const std::vector<scenario::check_result>& checks() const { return check_results_; }
    /// From entering until returning of the slowest request that was answered or given up; nothing
    /// without one.
    const std::optional<std::pair<sim_time, sim_time>>& slowest() const { return slowest_; }

    const totals& sums() const { return totals_; }
    /// Open loops: from the instant at which a call was due until it returned; of calls that the
    /// platform answered or that were given up. nullptr: there are none.
    const traces::span_histogram* response() const { return response_.get(); }
    const std::vector<account_line>& account() const { return account_; }
    std::uint64_t account_left_out() const { return left_out_; }
    const std::vector<models::violation>& violations() const { return violations_; }
    const std::vector<std::string>& log() const { return log_; }

private:
    std::string task_of(const models::request& r) const;
    void open_files();
    void finish_trace();
    void show_progress(const models::request& r);
    friend std::vector<scenario::result_number> numbers_of_run(const scenario::scenario& s);
    /// Without what only a measured run has.
    nlohmann::ordered_json numbers(sim_time ended, bool finished,
                                   const std::vector<models::task_position>& tasks,
                                   const models::scmi_device* platform) const;
    void make_checks(nlohmann::ordered_json& summary);

    const scenario::scenario& scenario_;
    output_directory* out_;
    bool measured_ = false;
    std::vector<input_digest> inputs_;  ///< as they were before the run
    progress* progress_;
    run_extent extent_;
    std::unique_ptr<traces::ftrace_writer> ftrace_;
    std::ostream* dmesg_ = nullptr;
    std::ostream* registers_ = nullptr;
    std::ostream* requests_ = nullptr;
    std::vector<std::string> tasks_;
    totals totals_;
    traces::span_histogram round_trip_;
    std::unique_ptr<traces::span_histogram> response_;
    std::optional<std::pair<sim_time, sim_time>> slowest_;
    std::vector<std::uint64_t> messages_;  ///< of each check, kernel messages that have its text
    std::vector<scenario::check_result> check_results_;
    std::vector<account_line> account_;
    std::uint64_t left_out_ = 0, log_lines_ = 0, violation_count_ = 0;
    std::vector<models::violation> violations_;  ///< the first of them
    std::vector<std::string> log_;               ///< the first lines
};

/// The numbers that a run of this scenario will hold, all of them zero.
std::vector<scenario::result_number> numbers_of_run(const scenario::scenario& s);

}  // namespace scmi_vp::runs
