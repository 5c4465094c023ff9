// SPDX-License-Identifier: Apache-2.0
// scmi-vp report: makes report.html again from the results of a study.
#include <filesystem>

#include "app/options.h"
#include "studies/report/report_files.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace scmi_vp::app {
namespace {

void print_help(std::ostream& out) {
    out << "usage: scmi-vp report RESULTS\n\n"
           "RESULTS is a folder that `scmi-vp study`, `run --out` or `connect --out` wrote. "
           "Writes\n"
           "report.html into it: one page with table, pictures and the story of the slowest "
           "request,\n"
           "which needs no network and nothing beside it. The run of the slowest request is "
           "repeated\n"
           "for its story; if a file that made the results has changed since, that is refused. "
           "What\n"
           "connect measured on a device is told from its own rows.\n"
           "\nexamples:\n"
           "  scmi-vp report out/quickstart\n"
           "  scmi-vp report out/device\n";
}

}  // namespace

exit_status report_command(const arguments& args, std::ostream& out) {
    po::options_description options("options");
    options.add_options()("help,h", "print this")("results", po::value<std::string>());
    po::positional_options_description positional;
    positional.add("results", 1);
    const po::variables_map map = parse_options("report", args, options, positional);
    if (map.count("help")) {
        print_help(out);
        return exit_status::ok;
    }
    if (!map.count("results")) {
        throw error(error_kind::usage, "report: no results folder given (scmi-vp report --help)");
    }
    const fs::path folder = map["results"].as<std::string>();
    const studies::written_report written = studies::rebuild_report(folder);
    out << "wrote " << written.path.string() << ", " << written.bytes << " bytes\n";
    if (!written.early.empty()) out << "note: " << written.early << "\n";
    return exit_status::ok;
}

}  // namespace scmi_vp::app
