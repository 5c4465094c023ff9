// SPDX-License-Identifier: Apache-2.0
// Finds the subcommand, prints help, turns errors into exit statuses.
#include "app/program.h"

#include <exception>
#include <iomanip>

#include "testbenches/suggest.h"

namespace scmi_vp::app {
namespace {

void print_help(std::ostream& out) {
    out << "scmi-vp: a SystemC virtual platform of Linux' SCMI driver and an SCMI platform over\n"
           "virtio, to tune timeouts and to see what late, lost and malformed replies do.\n"
           "\nusage: scmi-vp COMMAND [ARGUMENTS]   (scmi-vp COMMAND --help says more)\n\n";
    for (const command& c : commands()) {
        out << "  " << std::left << std::setw(10) << c.name << c.summary << "\n";
    }
    out << "\nexamples:\n"
           "  scmi-vp init my.toml                      write a commented starter scenario\n"
           "  scmi-vp run my.toml --out out             run it, results in out/\n"
           "  scmi-vp run my.toml --set guest.hz=1000   the same with another kernel tick\n"
           "  scmi-vp run my.toml --out out --vcd-around slowest   a waveform of the slowest call\n"
           "  scmi-vp study quickstart --out out/study  what a timeout costs, on two hosts\n"
           "  scmi-vp explain out/study --slowest       why that request took so long\n"
           "  scmi-vp list keys                         every key of a scenario\n"
           "\nexit status:\n";
    for (const exit_status_info& s : exit_status_table) {
        out << "  " << std::left << std::setw(4) << int(s.status) << s.meaning << "\n";
    }
}

const command& find_command(const std::string& name) {
    std::vector<std::string> names;
    for (const command& c : commands()) {
        if (c.name == name) return c;
        names.emplace_back(c.name);
    }
    const std::string what = name.rfind('-', 0) == 0 ? "option " : "command ";
    throw error(error_kind::usage, "unknown " + what + name + testbenches::suggestion(name, names) +
                                       " (scmi-vp --help)");
}

exit_status dispatch(const arguments& args, std::string_view version, std::ostream& out) {
    if (args.empty()) {
        throw error(error_kind::usage, "no command given; scmi-vp --help prints all of them");
    }
    if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
        print_help(out);
        return exit_status::ok;
    }
    if (args[0] == "--version") {
        out << "scmi-vp " << version << "\n";
        return exit_status::ok;
    }
    return find_command(args[0]).run({args.begin() + 1, args.end()}, out);
}

}  // namespace

const std::vector<command>& commands() {
    static const std::vector<command> all{
        {"run", "run a scenario", run_command},
        {"study", "run a scenario at many points, many times, and compare", study_command},
        {"explain", "tell the story of one request of a study or a run", explain_command},
        {"report", "make report.html again from a folder of results", report_command},
        {"linux", "run a scenario with a real Linux kernel in simulated time", linux_command},
        {"validate", "compare the modelled driver with a real Linux kernel", validate_command},
        {"serve", "the platform behind a socket, for QEMU, User-Mode Linux and others",
         serve_command},
        {"connect", "the modelled driver in front of a real SCMI device", connect_command},
        {"list", "print what there is: keys, hops, distributions, messages, ...", list_command},
        {"init", "write a commented starter scenario", init_command},
    };
    return all;
}

exit_status run_program(const arguments& args, std::string_view version, std::ostream& out,
                        std::ostream& err) {
    exit_status status = exit_status::defect;
    try {
        status = dispatch(args, version, out);
        if (!out.flush()) {
            throw error(error_kind::output, "standard output",
                        "cannot be written; is its disk full?");
        }
    } catch (const error& e) {
        status = status_of(e.kind());
        err << "scmi-vp: " << (status == exit_status::defect ? "internal defect: " : "") << e.what()
            << "\n";
    } catch (const std::exception& e) {
        status = exit_status::defect;
        err << "scmi-vp: internal defect: " << e.what() << "\n";
    }
    return status;
}

}  // namespace scmi_vp::app
