// SPDX-License-Identifier: Apache-2.0
// See junit.h.
#include "studies/report/junit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "base/error.h"
#include "studies/report/svg.h"
#include "studies/shell.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;

constexpr const char* heading =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"scmi-vp\"";

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
    throw error(error_kind::output, "--junit " + path.string(), what);
}

bool is_ours(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string start(std::strlen(heading), '\0');
    in.read(start.data(), std::streamsize(start.size()));
    return in && start == heading;
}

std::string reason() {
    return errno ? std::strerror(errno) : "unknown reason";
}

std::size_t count(const std::vector<junit_case>& cases, bool errors) {
    return std::size_t(std::count_if(cases.begin(), cases.end(), [errors](const junit_case& c) {
        return !c.problem.empty() && c.is_error == errors;
    }));
}

std::string counts(const std::vector<junit_case>& cases) {
    return " tests=\"" + std::to_string(cases.size()) + "\" failures=\"" +
           std::to_string(count(cases, false)) + "\" errors=\"" +
           std::to_string(count(cases, true)) + "\"";
}

std::string title_of(const scenario::check_result& r) {
    const std::string what = r.subject + " " + (r.limit == "absent" ? "" : "is ") + r.limit;
    return (r.name == r.subject ? what : r.name + ": " + what) +
           (r.at.empty() ? "" : " at " + r.at);
}

std::string repeat_text(std::uint64_t seed, const std::string& command, bool any_request) {
    return "seed " + std::to_string(seed) + "\nto repeat the run with its waveform:\n" + command +
           " --out out/failed " + (any_request ? "--vcd-around slowest" : "--vcd") + "\n";
}

junit_case case_of(const scenario::check_result& r) {
    junit_case c;
    c.name = title_of(r);
    if (!r.passed) c.problem = r.sentence();
    return c;
}

const char* problem_of(runs::run_status s) {
    switch (s) {
        case runs::run_status::violations:
            return "a checker saw a broken rule (violations.txt)";
        case runs::run_status::no_probe:
            return "the driver's probe failed, so the workload did not run";
        case runs::run_status::unfinished:
            return "the run ended by sim.duration with calls unfinished";
        case runs::run_status::guest_failed:  // a real kernel's: it has no checks
        case runs::run_status::checks_failed:
        case runs::run_status::ok:
            break;
    }
    return "";
}

}  // namespace

// Each process has a part of its own: of two that write the same file one comes last, whole.
junit_file::junit_file(fs::path path)
    : path_(std::move(path)), part_(path_.string() + "." + std::to_string(::getpid()) + ".part") {
    std::error_code code;
    const fs::file_status there = fs::symlink_status(path_, code);
    if (fs::is_directory(fs::status(path_, code))) refuse(path_, "is a folder, not a file");
    if (fs::exists(there) && !is_ours(path_)) {
        refuse(path_, "was not written by scmi-vp, which overwrites only its own files");
    }
    if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
    fs::remove(path_, code);
    // Tried now, and gone again: a folder for results that only has this must be empty.
    open_part();
    fs::remove(part_, code);
}

std::ofstream junit_file::open_part() const {
    errno = 0;
    std::ofstream stream(part_, std::ios::binary | std::ios::trunc);
    if (!stream) refuse(path_, "cannot be written (" + reason() + ")");
    return stream;
}

void junit_file::write(const std::string& suite, const std::vector<junit_case>& cases) {
    std::ofstream stream = open_part();
    errno = 0;
    stream << junit_xml(suite, cases);
    stream.close();
    std::error_code failed;
    if (!stream) {
        const std::string why = reason();
        fs::remove(part_, failed);
        refuse(path_, "could not be written to its end (" + why + ")");
    }
    fs::rename(part_, path_, failed);
    if (failed) refuse(path_, "cannot be written (" + failed.message() + ")");
}

std::string junit_xml(const std::string& suite, const std::vector<junit_case>& cases) {
    std::string xml = heading + counts(cases) + ">\n  <testsuite name=\"" + escaped(suite) + "\"" +
                      counts(cases) + ">\n";
    for (const junit_case& c : cases) {
        xml +=
            "    <testcase classname=\"" + escaped(suite) + "\" name=\"" + escaped(c.name) + "\"";
        if (c.problem.empty()) {
            xml += "/>\n";
            continue;
        }
        const std::string kind = c.is_error ? "error" : "failure";
        xml += ">\n      <" + kind + " message=\"" + escaped(c.problem) + "\">" +
               escaped(c.problem + "\n" + c.details) + "</" + kind + ">\n    </testcase>\n";
    }
    return xml + "  </testsuite>\n</testsuites>\n";
}

std::vector<junit_case> junit_cases(const scenario::scenario& s, const runs::run_result& r) {
    const std::string details = repeat_text(
        s.system.seed,
        run_command_line(s.file.string(), scenario::lasting_overrides(s.overrides), s.system.seed),
        r.any_request);
    std::vector<junit_case> cases;
    for (const scenario::check_result& one : r.checks) {
        cases.push_back(case_of(one));
        if (!one.passed) cases.back().details = details;
    }
    const std::string problem = problem_of(r.status);
    if (!problem.empty()) cases.push_back({"the run", problem, details, true});
    return cases;
}

std::vector<junit_case> junit_cases(const findings& f, const std::vector<point_check>& checks) {
    const auto details = [&f](std::size_t point, std::size_t replication) {
        const point_result& r = *f.points[point].result;
        return repeat_text(r.replications.at(replication).seed,
                           command_of_run(*f.what, point, replication),
                           r.replications.at(replication).slowest.id != 0);
    };
    std::vector<junit_case> cases;
    for (const point_check& one : checks) {
        cases.push_back(case_of(one.result));
        if (!one.result.passed) {
            cases.back().details = details(one.point, telling_replication(f, one));
        }
    }
    const auto probed = [](const point_findings& p) { return any_probed(*p.result); };
    if (!f.points.empty() && std::none_of(f.points.begin(), f.points.end(), probed)) {
        cases.push_back(
            {"the runs of the study", problem_of(runs::run_status::no_probe), details(0, 0), true});
    }
    for (std::size_t p = 0; p < f.points.size(); ++p) {
        const point_totals& t = f.points[p].result->totals;
        if (t.violations == 0) continue;
        cases.push_back(
            {"the runs at " + f.points[p].point->name(),
             std::to_string(t.violations) + " broken rules, the first at " + t.first_violation,
             details(p, std::size_t(t.slowest.replication)), true});
    }
    return cases;
}

}  // namespace scmi_vp::studies
