// SPDX-License-Identifier: Apache-2.0
// See run_study.h.
#include "studies/run_study.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "studies/explain.h"
#include "studies/human.h"
#include "studies/report_html.h"
#include "studies/request_rows.h"
#include "studies/study_table.h"
#include "testbenches/forked.h"
#include "testbenches/output_directory.h"
#include "testbenches/progress.h"
#include "testbenches/run.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using testbenches::output_directory;
using traces::wave_window;

// A request that takes longer than this waits for most of it: its two ends tell more.
constexpr sim_time long_request = milliseconds(50);

std::vector<wave_window> windows_of(const slowest_request& s) {
    const sim_time margin = milliseconds(1), part = milliseconds(5);
    const sim_time from = std::max(sim_time{}, s.entered - margin), to = s.returned + margin;
    if (s.round_trip <= long_request) return {{from, to}};
    return {{from, s.entered + part}, {s.returned - part, to}};
}

/// The run up to there; what happens later changes nothing before.
testbenches::scenario shortened(testbenches::scenario s, sim_time end) {
    s.system.duration = std::min(s.system.duration, end);
    s.output.ftrace = s.output.registers = s.output.requests = s.output.summary = false;
    s.output.dmesg = true;
    return s;
}

/// What fails after the simulations must not keep the rest from being written.
class failures_so_far {
public:
    template <class write_t>
    void attempt(write_t write) {
        try {
            write();
        } catch (const error& e) {
            if (none()) kind_ = e.kind();
            texts_ += (texts_.empty() ? "" : "\n") + std::string(e.what());
        }
    }
    bool none() const { return texts_.empty(); }
    void report() const {
        if (!none()) throw error(kind_, texts_);
    }

private:
    error_kind kind_ = error_kind::output;  ///< of the first
    std::string texts_;
};

void write_requests(const findings& f, request_rows* rows, output_directory& out) {
    if (rows) return rows->finish();
    write_kept_requests(f, out.open("requests.csv"));
    out.close("requests.csv");
}

/// Of the slowest request, if there was any.
std::optional<story> slowest_story(const findings& f, const nlohmann::json& results, bool quiet) {
    if (slowest_point(f) == f.points.size()) return std::nullopt;
    return story_of(results, request_choice{},
                    quiet ? replay_progress::silent : replay_progress::shown);
}

std::string span_of(const wave_window& w) {
    return to_string(w.from) + " to " + to_string(w.to);
}

void print_files(std::ostream& out, const fs::path& folder,
                 const std::vector<testbenches::output_file>& files,
                 const std::vector<wave_window>& waves) {
    out << "\nWritten to " << folder.string() << ":\n";
    for (const testbenches::output_file& file : files) {
        out << "  " << file.name << "  " << grouped(file.bytes) << " bytes\n";
    }
    if (waves.empty()) return;
    out << "  slowest/waves.vcd and waves.gtkw, for GTKWave: " << span_of(waves.front());
    if (waves.size() > 1) {
        out << ", and " << span_of(waves.back()) << "; what lies between is left out";
    }
    out << "\n";
}

/// The folder of a study's files.
struct study_folder {
    explicit study_folder(const study_options& options)
        : out(options.out), slowest(out.subfolder("slowest")) {
        if (options.all_requests) rows = std::make_unique<request_rows>(out);
    }
    output_directory out;
    fs::path slowest;
    std::unique_ptr<request_rows> rows;
};

std::vector<point_result> simulate_all(const study& s, const study_options& options,
                                       study_folder* folder) {
    runner_options run;
    run.jobs = options.jobs;
    if (folder) run.all_requests = folder->rows.get();
    testbenches::progress show(options.quiet ? nullptr : &std::cerr,
                               testbenches::stderr_is_terminal(), "requests");
    run.show = &show;
    std::vector<point_result> results = run_points(s, run);
    show.done();
    return results;
}

/// Repeats the run of the slowest request of the whole study in a process of its own, up to the end
/// of that request, and writes its waveform into `folder`: all of a short one; of a long one what
/// happened when it was made and when it returned. These times; none if there was no request.
std::vector<wave_window> write_slowest_waves(const findings& f, const fs::path& folder,
                                             bool quiet) {
    const std::size_t point = slowest_point(f);
    if (point == f.points.size()) return {};
    const slowest_request& slowest = f.points[point].result->totals.slowest;
    testbenches::run_options options;
    options.out = folder;
    options.quiet = quiet;
    options.vcd_windows = windows_of(slowest);
    const testbenches::scenario s =
        shortened(scenario_of(*f.what, point, slowest.replication), options.vcd_windows.back().to);
    testbenches::run_forked("the run that writes the waveform of the slowest request", [&] {
        std::ostringstream report;
        testbenches::run_scenario(s, options, report);
        return report.str();
    });
    return options.vcd_windows;
}

/// First, and each by itself: whatever goes wrong later, the numbers are there.
void write_numbers(const findings& f, const nlohmann::ordered_json& results, study_folder& folder,
                   failures_so_far& failures) {
    failures.attempt([&] {
        folder.out.open("results.json") << results.dump(1) << "\n";
        folder.out.close("results.json");
    });
    failures.attempt([&] { write_requests(f, folder.rows.get(), folder.out); });
}

/// The page and the waveform, whose times are returned.
std::vector<wave_window> write_pictures(const findings& f, const nlohmann::json& results,
                                        const std::optional<story>& slowest,
                                        const study_options& options, study_folder& folder,
                                        failures_so_far& failures) {
    std::vector<wave_window> waves;
    failures.attempt([&] {
        write_report(results, slowest ? &*slowest : nullptr, folder.out.open("report.html"));
        folder.out.close("report.html");
    });
    // On a full disk a waveform will not fit either, and a scenario that is gone has none.
    if (!failures.none()) return waves;
    failures.attempt([&] { waves = write_slowest_waves(f, folder.slowest, options.quiet); });
    return waves;
}

}  // namespace

study_status run_study(const study& s, const study_options& options, std::ostream& out) {
    std::unique_ptr<study_folder> folder;
    if (!options.out.empty()) folder = std::make_unique<study_folder>(options);
    const std::vector<point_result> results = simulate_all(s, options, folder.get());
    const findings f = find_out(s, results);
    print_table(out, f);
    if (!options.quiet) print_hops(out, f);
    out.flush();
    failures_so_far failures;
    const nlohmann::ordered_json results_file = results_json(f);
    const nlohmann::json as_read = results_file;
    if (folder) write_numbers(f, results_file, *folder, failures);
    std::optional<story> slowest;
    if (folder || !options.quiet) {
        failures.attempt([&] { slowest = slowest_story(f, as_read, options.quiet); });
    }
    if (!options.quiet) {
        if (slowest) print_slowest(out, *slowest, options.out.string());
        print_notes(out, f);
        out.flush();
    }
    if (folder) {
        const auto waves = write_pictures(f, as_read, slowest, options, *folder, failures);
        const auto files = folder->out.finish();
        if (!options.quiet) print_files(out, options.out, files, waves);
    }
    failures.report();
    for (const point_result& r : results) {
        if (r.totals.violations > 0) return study_status::violations;
    }
    return study_status::ok;
}

}  // namespace scmi_vp::studies
