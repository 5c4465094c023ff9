// SPDX-License-Identifier: Apache-2.0
// See run.h.
#include "testbenches/run.h"

#include <iostream>
#include <memory>
#include <sstream>

#include "base/error.h"
#include "models/system.h"
#include "testbenches/account.h"
#include "testbenches/fault_report.h"
#include "testbenches/output_directory.h"
#include "testbenches/result_sink.h"
#include "testbenches/wave_windows.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::testbenches {
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
        const traces::written w = vcd_.finish(end);
        if (w.records == 0) {
            report
                << "note: nothing changed inside the waveform's window; waves.vcd has no changes\n";
        }
        vcd_.write_save_file(out_.open("waves.gtkw"), "waves.vcd", marker_, ".");
        for (const auto& [name, text] : vcd_.filters()) out_.open(name) << text;
    }

private:
    output_directory& out_;
    sim_time marker_;
    traces::vcd_writer vcd_;
};

void print_positions(std::ostream& report, models::system& top, sim_time ended) {
    report << "\nThe run ended at " << to_string(ended) << " (sim.duration) with work left:\n";
    if (!top.guest().probed()) report << "  the driver's probe has not ended\n";
    for (const models::task_position& p : top.guest().positions()) {
        if (p.finished) continue;
        report << "  " << p.task << ": " << p.calls << " calls returned";
        if (p.in_call) {
            report << ", in " << name_of(p.doing) << " since " << to_string(p.since) << " ("
                   << short_time(ended - p.since) << ")";
        }
        report << "\n";
    }
    if (const std::uint64_t n = top.guest().calls_waiting()) {
        report << "  " << n << (n == 1 ? " call was" : " calls were")
               << " due and not made: all tasks were in earlier ones\n";
    }
    for (const models::request* r : top.mon().open()) {
        if (r->left) continue;
        report << "  request " << r->id << " is in hop " << name_of(r->stuck_in()) << "\n";
    }
}

void print_report(std::ostream& report, const scenario& s, const run_options& options,
                  const result_sink& sink, sim_time ended) {
    report << s.title << ": seed " << s.system.seed << ", " << s.system.guest.profile.name
           << ", simulated " << to_string(ended) << "\n\n";
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

}  // namespace

run_status run_scenario(const scenario& s, const run_options& options, std::ostream& report) {
    const bool wants_waves = options.vcd || s.output.vcd.enabled || options.vcd_from ||
                             options.vcd_to || options.vcd_around != wave_around::none ||
                             !options.vcd_windows.empty();
    if (wants_waves && options.out.empty()) {
        throw error(error_kind::usage,
                    "a waveform needs a folder to be written to: give --out DIR");
    }
    std::vector<traces::wave_window> windows;
    if (wants_waves) windows = wave_windows(s, options);
    std::unique_ptr<output_directory> out;
    if (!options.out.empty()) out = std::make_unique<output_directory>(options.out);

    progress show(options.quiet ? nullptr : &std::cerr, stderr_is_terminal(), "requests");
    result_sink sink(s, out.get(), &show);
    models::system top("top", s.system, sink);
    top.mon().set_trace_registers(sink.wants_registers());
    std::unique_ptr<wave_files> waves;
    if (wants_waves) {
        waves = std::make_unique<wave_files>(*out, std::move(windows));
        top.trace(waves->vcd(), s.output.vcd.xfers);
        waves->vcd().start();
    }
    top.run(s.system.duration);
    show.done();
    const sim_time ended = now();
    const bool finished = top.guest().kernel().all_finished();

    std::ostringstream positions;
    if (!finished) print_positions(positions, top, ended);
    top.finish();
    if (waves) waves->finish(ended, report);
    sink.finish(ended, finished, top.guest().positions(), &top.platform());
    print_report(report, s, options, sink, ended);
    print_faults(report, top.platform());
    report << positions.str();
    for (const models::violation& v : sink.violations()) {
        report << "\nVIOLATION at " << to_string(v.when) << ", " << v.checker << ": " << v.what
               << " [" << v.source << "]\n";
    }
    if (out) {
        report << "\nWritten to " << options.out.string() << ":\n";
        for (const output_file& f : out->finish()) {
            report << "  " << f.name << "  " << f.bytes << " bytes\n";
        }
    }
    if (top.mon().violations() > 0) return run_status::violations;
    if (finished && !top.guest().probed()) {
        report << "\nThe driver's probe failed, so the workload did not run: the kernel messages "
                  "say why.\n";
        return run_status::no_probe;
    }
    return finished ? run_status::ok : run_status::unfinished;
}

}  // namespace scmi_vp::testbenches
