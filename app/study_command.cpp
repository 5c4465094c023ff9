// SPDX-License-Identifier: Apache-2.0
// scmi-vp study: runs all points of a study and says what they found.
#include <csignal>
#include <filesystem>
#include <iostream>

#include "app/options.h"
#include "app/testbench_folders.h"
#include "scenario/suggest.h"
#include "studies/methods/run_study.h"
#include "studies/methods/worker_pool.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace scmi_vp::app {
namespace {

po::options_description visible_options() {
    po::options_description o("options");
    o.add_options()("out", po::value<std::string>()->value_name("DIR"),
                    "write results.json, requests.csv, report.html and the waveform of the slowest "
                    "request into this folder")(
        "jobs", po::value<std::int64_t>()->value_name("N"),
        "simulate N runs at a time (as many as there are CPUs); the results are the same")(
        "seed", po::value<std::int64_t>()->value_name("N"), "replace the study's seed")(
        "set", po::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
        "replace a key of the scenario at every point; may be repeated (scmi-vp list keys)")(
        "requests", po::value<std::string>()->value_name("all"),
        "every request in requests.csv, not only timeouts, the slowest and a sample")(
        "junit", po::value<std::string>()->value_name("FILE"),
        "write the study's checks as JUnit XML, one test case per check and point")(
        "quiet", "only the table")("help,h", "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp study STUDY [OPTIONS]\n\n"
           "STUDY is a TOML file (scmi-vp list study-keys), a folder with a study.toml, or the "
           "name\n"
           "of a folder in testbenches/.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp study quickstart --out out/quickstart\n"
           "  scmi-vp study my-study.toml --set guest.hz=1000 --jobs 8\n"
           "  scmi-vp study my-study.toml --out out --junit junit.xml   (status 6: a check "
           "failed)\n";
}

fs::path resolve(const std::string& name) {
    if (const auto path = input_path(name, "study.toml")) return *path;
    const auto near = scenario::nearest(name, testbench_names("study.toml"));
    throw error(error_kind::usage,
                name + ": no such file, folder or testbench with a study.toml" +
                    (near ? ", did you mean " + *near + "?"
                          : "; testbenches/quickstart/study.toml is one to start from"));
}

std::int64_t number_option(const po::variables_map& map, const char* name, std::int64_t least,
                           std::int64_t most) {
    const std::int64_t n = map[name].as<std::int64_t>();
    if (n >= least && n <= most) return n;
    throw error(error_kind::usage, std::string("--") + name,
                std::to_string(n) + " is out of range: " + std::to_string(least) + ".." +
                    (most == INT64_MAX ? "" : std::to_string(most)));
}

studies::study_options options_from(const po::variables_map& map) {
    studies::study_options o;
    o.out = out_folder(map);
    if (map.count("jobs")) o.jobs = unsigned(number_option(map, "jobs", 1, 1024));
    o.quiet = map.count("quiet") != 0;
    o.junit = junit_path(map);
    if (!map.count("requests")) return o;
    const std::string which = map["requests"].as<std::string>();
    if (which != "all") {
        throw error(error_kind::usage, "--requests", "'" + which + "' is not all");
    }
    if (o.out.empty()) throw error(error_kind::usage, "--requests all needs --out DIR");
    o.all_requests = true;
    return o;
}

studies::study_overrides overrides_from(const po::variables_map& map) {
    studies::study_overrides o;
    o.set = set_options(map);
    if (map.count("seed")) o.seed = std::uint64_t(number_option(map, "seed", 0, INT64_MAX));
    return o;
}

[[noreturn]] void end_by(const studies::interrupted& e, const studies::study_options& options,
                         std::ostream& out) {
    out.flush();
    std::string kept = "; there are no results";
    if (e.done() > 0) kept = "; the table is of those";
    if (e.done() > 0 && !options.out.empty()) {
        kept += ", and so are the files in " + options.out.string();
    }
    if (e.done() == 0 && options.all_requests) {
        kept += "; requests.csv.part has the rows until then";
    }
    std::cerr << "scmi-vp: " << e.what() << kept << std::endl;
    end_by_signal(e.signal());
}

}  // namespace

exit_status study_command(const arguments& args, std::ostream& out) {
    const auto parsed = parse_with("study", "study", args, visible_options(), print_help, out);
    if (!parsed) return exit_status::ok;
    const po::variables_map& map = *parsed;
    const studies::study_options options = options_from(map);
    const studies::study s =
        studies::load_study(resolve(map["study"].as<std::string>()), overrides_from(map));
    try {
        switch (studies::run_study(s, options, out)) {
            case studies::study_status::violations:
            case studies::study_status::no_probe:
                return exit_status::rule_violated;
            case studies::study_status::checks_failed:
                return exit_status::failed_check;
            case studies::study_status::ok:
                break;
        }
        return exit_status::ok;
    } catch (const studies::interrupted& e) {
        end_by(e, options, out);
    }
}

}  // namespace scmi_vp::app
