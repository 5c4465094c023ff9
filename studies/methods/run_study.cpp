// SPDX-License-Identifier: Apache-2.0
// See run_study.h.
#include "studies/methods/run_study.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "base/console.h"
#include "base/error.h"
#include "runs/failures.h"
#include "runs/forked.h"
#include "runs/output_directory.h"
#include "runs/progress.h"
#include "runs/run.h"
#include "runs/wave_windows.h"
#include "studies/human.h"
#include "studies/methods/runner.h"
#include "studies/report/junit.h"
#include "studies/report/report_html.h"
#include "studies/report/study_table.h"
#include "studies/results/request_rows.h"
#include "studies/stories/explain.h"
#include "studies/study_checks.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using runs::failures_so_far;
using runs::output_directory;
using traces::wave_window;

void write_requests(const findings& f, request_rows* rows, output_directory& out) {
    if (rows) return rows->finish();
    write_kept_requests(f, out.open("requests.csv"));
    out.close("requests.csv");
}

void write_file(output_directory& out, const std::string& name, const std::string& text,
                failures_so_far& failures) {
    failures.attempt([&] {
        out.write(name, text);
        out.close(name);
    });
}

std::string page_of(const nlohmann::json& results, const story* slowest) {
    std::ostringstream page;
    write_report(results, slowest, page);
    return page.str();
}

/// Of the slowest request, if there was any.
std::optional<story> slowest_story(const findings& f, const nlohmann::json& results, bool quiet) {
    if (slowest_point(f) == f.points.size()) return std::nullopt;
    return story_of(results, request_choice{},
                    quiet ? replay_progress::silent : replay_progress::shown,
                    [&f](std::size_t p, std::size_t r) { return scenario_of(*f.what, p, r); });
}

std::string span_of(const wave_window& w) {
    return to_string(w.from) + " to " + to_string(w.to);
}

/// Only what can be pasted.
std::string how_to_see(const fs::path& view) {
    if (is_in_path("gtkwave")) return "To see it: gtkwave " + shell_quoted(view.string());
    return "GTKWave is not installed here; Debian's package is gtkwave: apt-get install gtkwave";
}

void print_files(std::ostream& out, const fs::path& folder,
                 const std::vector<runs::output_file>& files,
                 const std::vector<wave_window>& waves) {
    out << "\nWritten to " << folder.string() << ":\n";
    for (const runs::output_file& file : files) {
        out << "  " << file.name << "  " << grouped(file.bytes) << " bytes\n";
    }
    if (waves.empty()) return;
    out << "  slowest/waves.vcd and waves.gtkw, for GTKWave: " << span_of(waves.front());
    if (waves.size() > 1) {
        out << ", and " << span_of(waves.back()) << "; what lies between is left out";
    }
    out << "\n  " << how_to_see(folder / "slowest" / "waves.gtkw") << "\n";
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
                                       study_folder* folder, std::optional<early_end>& early) {
    runner_options run;
    run.early = &early;
    run.jobs = options.jobs;
    if (folder) run.all_requests = folder->rows.get();
    runs::progress show(options.quiet ? nullptr : &std::cerr, runs::stderr_is_terminal(),
                        "requests");
    run.show = &show;
    std::vector<point_result> results = run_points(s, run);
    show.done();
    return results;
}

/// Repeats a run in a process of its own up to the end of a request, and writes its waveform.
std::vector<wave_window> write_waves(const scenario::scenario& run, const slowest_request& shown,
                                     const fs::path& folder, bool quiet, const std::string& what) {
    runs::run_options options;
    options.out = folder;
    options.quiet = quiet;
    options.vcd_windows = runs::windows_of_request(shown.entered, shown.returned);
    const scenario::scenario s = runs::shortened(run, options.vcd_windows.back().to);
    runs::run_forked(what, [&] {
        std::ostringstream report;
        runs::run_scenario(s, options, report);
        return report.str();
    });
    return options.vcd_windows;
}

/// Of the slowest request of the whole study: all of a short one; of a long one what happened when
/// it was made and when it returned. These times; none if there was no request.
std::vector<wave_window> write_slowest_waves(const findings& f, const fs::path& folder,
                                             bool quiet) {
    const std::size_t point = slowest_point(f);
    if (point == f.points.size()) return {};
    const slowest_request& slowest = f.points[point].result->totals.slowest;
    return write_waves(scenario_of(*f.what, point, slowest.replication), slowest, folder, quiet,
                       "the run that writes the waveform of the slowest request");
}

/// Of the run that shows best why the worst of the failed checks failed.
void write_failed_waves(const findings& f, const point_check& failed, output_directory& out,
                        std::ostream& report) {
    const std::size_t replication = telling_replication(f, failed);
    const slowest_request& shown =
        f.points[failed.point].result->replications.at(replication).slowest;
    if (shown.id == 0) return;
    const fs::path folder = out.subfolder("failed");
    write_waves(scenario_of(*f.what, failed.point, replication), shown, folder, true,
                "the run that writes the waveform of the failed check");
    report << "\nThe worst of them again with its waveform: " << (folder / "waves.vcd").string()
           << ", around the slowest request of\n  "
           << as_started(command_of_run(*f.what, failed.point, replication)) << "\n";
}

/// First, and each by itself: whatever goes wrong later, the numbers are there. Rows that will
/// never be whole are gone before, since the numbers need their room.
void write_numbers(const findings& f, const nlohmann::ordered_json& results, study_folder& folder,
                   failures_so_far& failures) {
    const bool rows_first = folder.rows && folder.rows->failed();
    const auto rows = [&] { write_requests(f, folder.rows.get(), folder.out); };
    if (rows_first) failures.attempt(rows);
    write_file(folder.out, "results.json", results.dump(1) + "\n", failures);
    if (!rows_first) failures.attempt(rows);
}

/// The page and the waveform, whose times are returned.
std::vector<wave_window> write_pictures(const findings& f, const nlohmann::json& results,
                                        const std::optional<story>& slowest,
                                        const study_options& options, study_folder& folder,
                                        failures_so_far& failures) {
    std::vector<wave_window> waves;
    write_file(folder.out, "report.html", page_of(results, slowest ? &*slowest : nullptr),
               failures);
    failures.attempt([&] {
        const std::string file = (folder.slowest / "waves.vcd").string();
        try {
            waves = write_slowest_waves(f, folder.slowest, options.quiet);
        } catch (const error& e) {
            if (std::string(e.what()).find(file) != std::string::npos) throw;
            throw error(e.kind(), file, std::string("was not made: ") + e.what());
        }
    });
    return waves;
}

/// Soon, since somebody waits for the end: no run is repeated, and nothing is checked, because what
/// holds for some of the runs need not hold for all. Throws what ended it.
[[noreturn]] void tell_early_end(const findings& f, const study_options& options,
                                 study_folder* folder, std::ostream& out) {
    const early_end& e = *f.early;
    if (e.runs == 0) std::rethrow_exception(e.cause);
    print_table(out, f);
    out.flush();
    failures_so_far failures;
    if (folder) {
        const nlohmann::ordered_json results = results_json(f);
        write_numbers(f, results, *folder, failures);
        write_file(folder->out, "report.html", page_of(results, nullptr), failures);
        const auto files = folder->out.finish(&failures);
        if (!options.quiet) print_files(out, options.out, files, {});
    }
    try {
        failures.report();
    } catch (const error& full) {
        std::cerr << "scmi-vp: " << full.what() << "\n";
    }
    std::rethrow_exception(e.cause);
}

/// A study's points are other runs than the one that a scenario's checks were written for.
void print_unchecked(std::ostream& out, const study& s) {
    const std::size_t n = s.points.front().scenario.checks.size();
    if (n == 0) return;
    out << "\nnote: " << n << (n == 1 ? " check" : " checks") << " of " << s.scenario.string()
        << (n == 1 ? " is" : " are")
        << " for scmi-vp run and not evaluated here; a study has [[check]] of its own\n";
}

study_status status_of(const std::vector<point_result>& results,
                       const std::vector<point_check>& checks) {
    for (const point_result& r : results) {
        if (r.totals.violations > 0) return study_status::violations;
    }
    if (!all_passed(checks)) return study_status::checks_failed;
    return std::any_of(results.begin(), results.end(), any_probed) ? study_status::ok
                                                                   : study_status::no_probe;
}

}  // namespace

study_status run_study(const study& s, const study_options& options, std::ostream& out) {
    std::unique_ptr<study_folder> folder;
    if (!options.out.empty()) folder = std::make_unique<study_folder>(options);
    std::optional<junit_file> junit;
    if (!options.junit.empty()) junit.emplace(options.junit);
    std::optional<early_end> early;
    const std::vector<point_result> results = simulate_all(s, options, folder.get(), early);
    findings f = find_out(s, results);
    f.early = std::move(early);
    if (f.early) tell_early_end(f, options, folder.get(), out);
    print_table(out, f);
    if (!options.quiet) print_hops(out, f);
    out.flush();
    failures_so_far failures;
    nlohmann::ordered_json results_file = results_json(f);
    const std::vector<point_check> checks = check_points(f, results_file);
    if (!checks.empty()) results_file["checks"] = json_of(checks);
    if (junit) failures.attempt([&] { junit->write(s.title, junit_cases(f, checks)); });
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
        const auto files = folder->out.finish(&failures);
        if (!options.quiet) print_files(out, options.out, files, waves);
    }
    print_checks(out, checks);
    print_unchecked(out, s);
    const point_check* const failed = worst_of(checks);
    if (folder && failed && failures.none()) {
        out.flush();
        failures.attempt([&] { write_failed_waves(f, *failed, folder->out, out); });
    }
    failures.report();
    return status_of(results, checks);
}

}  // namespace scmi_vp::studies
