// SPDX-License-Identifier: Apache-2.0
// Finds the subcommand, prints help, turns errors into exit statuses.
#include "app/program.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <sstream>

#include "base/console.h"
#include "base/memory_error.h"
#include "runs/stop_signals.h"
#include "scenario/suggest.h"

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
    throw error(error_kind::usage,
                "unknown " + what + name + scenario::suggestion(name, names) + " (scmi-vp --help)");
}

/// Hints can be pasted only when it is known which words are commands.
void tell_console() {
    std::vector<std::string>& known = console().subcommands;
    if (!known.empty()) return;
    for (const command& c : commands()) known.emplace_back(c.name);
}

bool asks_for_help(const arguments& args) {
    return args[0] == "help" || std::any_of(args.begin(), args.end(), [](const std::string& a) {
               return a == "--help" || a == "-h";
           });
}

/// Help names the program as it was started.
exit_status help_as_started(const arguments& args, std::ostream& out) {
    std::ostringstream text;
    exit_status status = exit_status::ok;
    if (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
        print_help(text);
    } else {
        status = find_command(args[0]).run({args.begin() + 1, args.end()}, text);
    }
    out << as_started(text.str());
    return status;
}

exit_status dispatch(const arguments& args, std::string_view version, std::ostream& out) {
    if (args.empty()) {
        throw error(error_kind::usage, "no command given; scmi-vp --help prints all of them");
    }
    if (asks_for_help(args)) return help_as_started(args, out);
    if (args[0] == "--version") {
        out << "scmi-vp " << version << "\n";
        return exit_status::ok;
    }
    return find_command(args[0]).run({args.begin() + 1, args.end()}, out);
}

exit_status tell(const error& e, std::ostream& err) {
    const exit_status status = status_of(e.kind());
    err << "scmi-vp: " << (status == exit_status::defect ? "internal defect: " : "")
        << as_started(e.what()) << "\n";
    return status;
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

void end_by_signal(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    std::_Exit(128 + signal);
}

exit_status run_program(const arguments& args, std::string_view version, std::ostream& out,
                        std::ostream& err) {
    tell_console();
    exit_status status = exit_status::defect;
    try {
        status = dispatch(args, version, out);
        if (!out.flush()) {
            throw error(error_kind::output, "standard output",
                        "cannot be written; is its disk full?");
        }
    } catch (const error& e) {
        status = tell(e, err);
    } catch (const runs::stopped& e) {
        out.flush();
        err << "scmi-vp: " << e.what() << std::endl;
        end_by_signal(e.signal());
    } catch (const std::filesystem::filesystem_error& e) {
        status = tell(error(error_kind::output, e.path1().string(),
                            "cannot be used (" + e.code().message() + ")"),
                      err);
    } catch (const std::exception& e) {
        status =
            tell(is_out_of_memory(e) ? out_of_memory() : error(error_kind::model, e.what()), err);
    }
    return status;
}

}  // namespace scmi_vp::app
