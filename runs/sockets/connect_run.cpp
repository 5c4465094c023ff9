// SPDX-License-Identifier: Apache-2.0
// See connect_run.h.
#include "runs/sockets/connect_run.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>

#include "base/console.h"
#include "base/error.h"
#include "models/peers/agent_alone.h"
#include "runs/account.h"
#include "runs/output_directory.h"
#include "runs/progress.h"
#include "runs/result_sink.h"
#include "runs/stop_signals.h"
#include "scenario/device_tree.h"
#include "scenario/latency_value.h"
#include "traces/span_histogram.h"

namespace scmi_vp::runs {
namespace {

using models::wall_clock;

/// Ends the run when the device is gone: nothing would be answered any more.
class device_watch : public models::wall_client {
public:
    device_watch(wall_clock& clock, const models::remote_device& device)
        : clock_(clock), device_(device) {}
    void watch(std::vector<pollfd>&) override {}
    void serve(const pollfd*, std::size_t) override {}
    sim_time deadline() const override {
        return device_.failure().empty() ? sim_time::max() : sim_time{};
    }
    void overdue() override { clock_.stop(); }

private:
    wall_clock& clock_;
    const models::remote_device& device_;
};

class connect_session {
public:
    connect_session(const scenario::scenario& s, const connect_options& o, std::ostream& report)
        : scenario_(s),
          options_(o),
          report_(report),
          out_(o.out.empty() ? nullptr : std::make_unique<output_directory>(o.out)),
          show_(o.quiet ? nullptr : &std::cerr, stderr_is_terminal(), "requests"),
          sink_(s, out_.get(), &show_),
          top_("top", s.system, sink_, o.socket.string(), o.in_band) {
        top_.mon().set_trace_registers(sink_.wants_registers());
        sink_.set_measured();
    }

    run_status run() {
        // "Simulation stopped by user" is how every finished run ends.
        sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                                sc_core::SC_DO_NOTHING);
        wall_clock clock;
        // What is measured must not hold the time that it takes to wake up.
        if (clock.awake_after > sim_time{}) clock.awake_after = milliseconds(1);
        device_watch gone(clock, top_.device());
        clock.add(top_.device());
        clock.add(gone);
        {
            const stop_signals orderly(clock);
            clock.run(std::min(scenario_.system.duration, options_.until));
        }
        show_.done();
        ended_ = now();
        finished_ = top_.guest().all_done();
        top_.finish();
        sink_.finish(ended_, finished_, top_.guest().positions(), nullptr);
        write_responses();
        print(clock);
        failures_.report();
        if (!top_.device().failure().empty()) {
            throw error(error_kind::input, options_.socket.string(),
                        "the device is gone: " + top_.device().failure());
        }
        if (top_.mon().violations() > 0) return run_status::violations;
        if (!scenario::all_passed(sink_.checks())) return run_status::checks_failed;
        if (finished_ && !top_.guest().probed()) return run_status::no_probe;
        return finished_ ? run_status::ok : run_status::unfinished;
    }

private:
    void write_responses() {
        if (!out_ || top_.device().responses().empty()) return;
        std::ostream& o = out_->open(response_file);
        o << "# From the doorbell of a request until the device's call for its reply, in the order "
             "of the replies.\n";
        for (const sim_time t : top_.device().responses()) o << to_string(t) << "\n";
    }

    void print(const wall_clock& clock) {
        report_ << scenario_.title << ": seed " << scenario_.system.seed << ", "
                << scenario_.system.guest.profile.name << " in real time against "
                << options_.socket.string() << ", " << short_time(ended_) << "\n";
        scenario::print_latency_sources(report_, scenario_);
        scenario::print_device_tree(report_, scenario_.tree, scenario_.system.guest.device_tree);
        for (const std::string& n : scenario_.notes) report_ << "note: " << n << "\n";
        for (const std::string& n : top_.guest().instance().not_modelled()) {
            report_ << "note: " << n << "\n";
        }
        report_ << "\n";
        if (!options_.quiet) print_requests();
        print_totals(report_, sink_.sums());
        print_responses(clock);
        for (const models::violation& v : sink_.violations()) {
            report_ << "\nVIOLATION at " << to_string(v.when) << ", " << v.checker << ": " << v.what
                    << " [" << v.source << "]\n";
        }
        if (finished_ && !top_.guest().probed()) {
            report_ << "\nThe driver's probe failed, so the workload did not run: the kernel "
                       "messages say why.\n";
        }
        if (!finished_) {
            report_ << "\nThe run ended with calls unfinished.\n";
        }
        scenario::print_checks(report_, sink_.checks());
        if (!out_) return;
        report_ << "\nWritten to " << options_.out.string() << ":\n";
        for (const output_file& f : out_->finish(&failures_)) {
            report_ << "  " << f.name << "  " << f.bytes << " bytes\n";
        }
        print_replay();
    }

    void print_requests() {
        print_account(report_, sink_.account());
        if (sink_.account_left_out()) {
            report_ << "  ... and " << sink_.account_left_out() << " more, in requests.csv\n";
        }
        report_ << "\n";
        if (!sink_.log().empty()) report_ << "Kernel messages:\n";
        for (const std::string& line : sink_.log()) report_ << "  " << line << "\n";
        report_ << "\n";
    }

    void print_responses(const wall_clock& clock) {
        traces::span_histogram h;
        for (const sim_time t : top_.device().responses()) h.add(t);
        const double s = double((ended_ - top_.guest().probe_end()).ps) * 1e-12;
        report_ << "\n"
                << sink_.sums().requests << " requests, the workload's at " << std::setprecision(4)
                << (s > 0 ? double(sink_.sums().requests) / s : 0) << " per second\n";
        if (h.count()) {
            report_ << "the device's response time: " << short_time(h.min()) << " min, "
                    << short_time(h.quantile(0.5)) << " median, " << short_time(h.quantile(0.99))
                    << " p99, " << short_time(h.max()) << " max, of " << h.count() << "\n";
        }
        if (clock.lateness().count()) {
            report_ << "the host ran the guest's events late by "
                    << short_time(clock.lateness().quantile(0.5)) << " median, "
                    << short_time(clock.lateness().quantile(0.99)) << " p99, "
                    << short_time(clock.lateness().max()) << " max\n";
        }
    }

    /// What was measured holds everything between doorbell and call: no hop of it counts twice.
    void print_replay() {
        if (!out_ || top_.device().responses().empty()) return;
        report_ << "\nThis device in simulated time:\n  "
                << as_started("scmi-vp run " + shell_quoted(scenario_.file.string()));
        std::vector<std::string> set = scenario_.overrides;
        for (std::string& one : settings_of_device(options_.out)) set.push_back(std::move(one));
        for (const std::string& one : set) report_ << " --set " << shell_quoted(one);
        report_ << "\n";
    }

    const scenario::scenario& scenario_;
    const connect_options& options_;
    std::ostream& report_;
    std::unique_ptr<output_directory> out_;
    failures_so_far failures_;
    progress show_;
    result_sink sink_;
    models::agent_alone top_;
    sim_time ended_;
    bool finished_ = false;
};

}  // namespace

std::vector<std::string> settings_of_device(const std::filesystem::path& folder) {
    const std::filesystem::path file = std::filesystem::absolute(folder / response_file);
    std::vector<std::string> set{
        "hops.service={ kind=\"recorded\", file=\"" + file.lexically_normal().string() + "\" }",
        "platform.workers=\"unlimited\""};
    for (const hop h : {hop::notify, hop::host_wake, hop::queue, hop::return_}) {
        set.push_back("hops." + std::string(name_of(h)) + "=0s");
    }
    return set;
}

run_status run_connect(const scenario::scenario& s, const connect_options& options,
                       std::ostream& report) {
    connect_session session(s, options, report);
    return session.run();
}

}  // namespace scmi_vp::runs
