// SPDX-License-Identifier: Apache-2.0
// See run.h.
#include "runs/run.h"

#include <iostream>
#include <memory>
#include <sstream>

#include "base/error.h"
#include "models/system.h"
#include "runs/account.h"
#include "runs/failed_run.h"
#include "runs/failures.h"
#include "runs/fault_report.h"
#include "runs/output_directory.h"
#include "runs/result_sink.h"
#include "runs/wave_windows.h"
#include "scenario/latency_value.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::runs {
namespace {

/// The waveform of a run: the VCD file and what GTKWave needs beside it.
class wave_files {
public:
    wave_files(output_directory& out, std::vector<traces::wave_window> windows)
        : out_(out),
          marker_(windows.front().from),
          vcd_(out.open_trace("waves.vcd"), out.path_of("waves.vcd").string(), std::move(windows)) {
    }

    traces::vcd_writer& vcd() { return vcd_; }

    void finish(sim_time end, std::ostream& report) {
        finish_vcd(end, report);
        std::ostringstream view;
        vcd_.write_save_file(view, "waves.vcd", marker_, ".");
        out_.write("waves.gtkw", view.str());
        for (const auto& [name, text] : vcd_.filters()) out_.write(name, text);
    }

private:
    /// A full disk must not cost the files that come after it: the folder tells of it at its end.
    void finish_vcd(sim_time end, std::ostream& report) {
        try {
            if (vcd_.finish(end).records > 0) return;
            report
                << "note: nothing changed inside the waveform's window; waves.vcd has no changes\n";
        } catch (const error& e) {
            if (e.kind() != error_kind::output) throw;
        }
    }

    output_directory& out_;
    sim_time marker_;
    traces::vcd_writer vcd_;
};

/// Tasks that call until the end of the run leave no work: they are told when they were in a call.
void print_tasks(std::ostream& report, models::system& top, sim_time ended) {
    if (!top.guest().probed()) report << "  the driver's probe has not ended\n";
    for (const models::task_position& p : top.guest().positions()) {
        if (p.finished || (p.endless && top.guest().probed() && !p.in_call)) continue;
        report << "  " << p.task << ": " << p.calls << " calls returned";
        if (p.in_call) {
            report << ", in " << p.doing->name << " since " << to_string(p.since) << " ("
                   << short_time(ended - p.since) << ")";
        }
        report << "\n";
    }
    if (const std::uint64_t n = top.guest().calls_waiting()) {
        report << "  " << n << (n == 1 ? " call was" : " calls were")
               << " due and not made: all tasks were in earlier ones\n";
    }
    for (const models::request* r : top.mon().open()) {
        if (r->left && (!r->waited() || r->delayed != models::delayed_state::awaited)) continue;
        report << "  request " << r->id << " is in hop " << name_of(r->stuck_in()) << "\n";
    }
}

void print_positions(std::ostream& report, models::system& top, sim_time ended) {
    if (top.guest().kernel().all_finished()) return;
    std::ostringstream lines;
    print_tasks(lines, top, ended);
    if (lines.str().empty()) return;
    report << "\nThe run ended at " << to_string(ended) << " (sim.duration) "
           << (top.guest().all_done() ? "in the middle of:\n" : "with work left:\n") << lines.str();
}

void print_report(std::ostream& report, const scenario::scenario& s, const run_options& options,
                  const result_sink& sink, sim_time ended) {
    report << s.title << ": seed " << s.system.seed << ", " << s.system.guest.profile.name
           << ", simulated " << to_string(ended) << "\n";
    scenario::print_latency_sources(report, s);
    scenario::print_device_tree(report, s.tree, s.system.guest.device_tree);
    for (const std::string& n : s.notes) report << "note: " << n << "\n";
    report << "\n";
    if (!options.quiet) {
        print_account(report, sink.account());
        if (sink.account_left_out()) {
            report << "  ... and " << sink.account_left_out() << " more, in requests.csv\n";
        }
        report << "\n";
        if (!sink.log().empty()) report << "Kernel messages:\n";
        for (const std::string& line : sink.log()) report << "  " << line << "\n";
        report << "\n";
    }
    print_totals(report, sink.sums());
    if (const traces::span_histogram* r = sink.response(); r && r->count()) {
        report << "response, from the instant when the call was due: mean " << short_time(r->mean())
               << ", median " << short_time(r->quantile(0.5), 3) << ", 99% "
               << short_time(r->quantile(0.99), 3) << ", max " << short_time(r->max()) << "\n";
    }
}

void print_notes(std::ostream& report, const models::scmi_instance& guest) {
    for (const std::string& n : guest.not_modelled()) report << "note: " << n << "\n";
}

/// A folder of its own in the run's, for the waveform of a run whose checks failed.
constexpr const char* failed_folder = "failed";

bool wants_waves(const scenario::scenario& s, const run_options& options) {
    return options.vcd || s.output.vcd.enabled || options.vcd_from || options.vcd_to ||
           options.vcd_around != wave_around::none || !options.vcd_windows.empty();
}

/// All of a short run, else its slowest request; what there was of a run without requests.
std::vector<traces::wave_window> telling_windows(const result_sink& sink, sim_time ended) {
    constexpr sim_time short_run = milliseconds(50);
    if (ended > short_run && sink.slowest()) {
        return windows_of_request(sink.slowest()->first, sink.slowest()->second);
    }
    return {{sim_time{}, std::min(ended, short_run) + sim_time(1)}};
}

void repeat_failed(failed_run& again, const result_sink& sink, sim_time ended,
                   output_directory& out, std::ostream& report) {
    const std::filesystem::path folder = out.subfolder(failed_folder);
    const std::vector<traces::wave_window> windows = telling_windows(sink, ended);
    again.repeat(windows);
    report << "\nThe run again with its waveform: " << (folder / "waves.vcd").string();
    for (std::size_t i = 0; i < windows.size(); ++i) {
        report << (i ? " and " : ", ") << to_string(windows[i].from) << " to "
               << to_string(windows[i].to);
    }
    report << "\n";
}

run_status status_of(models::system& top, const result_sink& sink) {
    if (top.mon().violations() > 0) return run_status::violations;
    if (!scenario::all_passed(sink.checks())) return run_status::checks_failed;
    if (!top.guest().all_done()) return run_status::unfinished;
    return top.guest().probed() ? run_status::ok : run_status::no_probe;
}

void print_end(std::ostream& report, const scenario::scenario& s, models::system& top,
               const result_sink& sink) {
    if (top.mon().violations() == 0 && top.guest().all_done() && !top.guest().probed()) {
        report << (s.system.guest.device_tree.available
                       ? "\nThe driver's probe failed, so the workload did not run: the kernel "
                         "messages say why.\n"
                       : "\nThe device tree has no SCMI device, so nothing was probed and the "
                         "workload did not run.\n");
    }
    scenario::print_checks(report, sink.checks());
}

void print_files(std::ostream& report, const run_options& options, output_directory& out,
                 failures_so_far& failures) {
    report << "\nWritten to " << options.out.string() << ":\n";
    for (const output_file& f : out.finish(&failures)) {
        report << "  " << f.name << "  " << f.bytes << " bytes\n";
    }
}

}  // namespace

run_result run_and_check(const scenario::scenario& s, const run_options& options,
                         std::ostream& report) {
    const bool waved = wants_waves(s, options);
    if (waved && options.out.empty()) {
        throw error(error_kind::usage,
                    "a waveform needs a folder to be written to: give --out DIR");
    }
    std::vector<traces::wave_window> windows;
    if (waved) windows = wave_windows(s, options);
    std::unique_ptr<output_directory> out;
    if (!options.out.empty()) out = std::make_unique<output_directory>(options.out);
    std::optional<failed_run> again;
    if (out && !waved && !s.checks.empty()) again.emplace(s, options.out / failed_folder);

    progress show(options.quiet ? nullptr : &std::cerr, stderr_is_terminal(), "requests");
    result_sink sink(s, out.get(), &show);
    models::system top("top", s.system, sink);
    top.mon().set_trace_registers(sink.wants_registers());
    std::unique_ptr<wave_files> waves;
    if (waved) {
        waves = std::make_unique<wave_files>(*out, std::move(windows));
        top.trace(waves->vcd(), s.output.vcd.xfers);
        waves->vcd().start();
    }
    top.run(s.system.duration);
    show.done();
    const sim_time ended = now();

    std::ostringstream positions;
    print_positions(positions, top, ended);
    top.finish();
    if (waves) waves->finish(ended, report);
    sink.finish(ended, top.guest().all_done(), top.guest().positions(), &top.platform());
    print_report(report, s, options, sink, ended);
    print_faults(report, top.platform());
    print_notes(report, top.guest().instance());
    report << positions.str();
    for (const models::violation& v : sink.violations()) {
        report << "\nVIOLATION at " << to_string(v.when) << ", " << v.checker << ": " << v.what
               << " [" << v.source << "]\n";
    }
    failures_so_far failures;
    if (out) print_files(report, options, *out, failures);
    print_end(report, s, top, sink);
    report.flush();
    failures.report();
    if (again && !scenario::all_passed(sink.checks())) {
        try {
            repeat_failed(*again, sink, ended, *out, report);
        } catch (const error& e) {
            // The results are written, and the checks decide about them.
            report << "\nThe run could not be made again with its waveform: " << e.what() << "\n";
        }
    }
    return {status_of(top, sink), sink.checks(), sink.slowest().has_value()};
}

run_status run_scenario(const scenario::scenario& s, const run_options& options,
                        std::ostream& report) {
    return run_and_check(s, options, report).status;
}

}  // namespace scmi_vp::runs
