// SPDX-License-Identifier: Apache-2.0
// scmi-vp linux: a scenario with an unmodified Linux kernel as the agent, in simulated time.
#include <filesystem>

#include "app/options.h"
#include "base/error.h"
#include "runs/linux/run.h"
#include "runs/load.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

po::options_description visible_options() {
    po::options_description o("options");
    const auto text = [](const char* what) { return po::value<std::string>()->value_name(what); };
    o.add_options()("out,o", text("DIR"), "write the kernel's trace and messages there")(
        "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
        "replace a key of the scenario (repeat for more)")(
        "kernel", text("FILE"),
        "another kernel than build/linux/linux; initramfs.cpio lies beside")("help,h",
                                                                             "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp linux SCENARIO [OPTIONS]\n\n"
           "Boots an unmodified Linux 6.1 (User-Mode Linux, made by tools/build-linux) whose\n"
           "arm-scmi driver talks to the platform of SCENARIO in simulated time. SCENARIO is a "
           "TOML\n"
           "file, a folder with a scenario.toml, or the name of a folder in testbenches/.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp linux testbenches/linux-6.1-recording --out out/linux\n"
           "  scmi-vp linux my.toml --set platform.workers=1\n"
           "\nexit status 5: its kernel panicked, hung or ended without results; what it left is "
           "in "
           "DIR.\n";
}

}  // namespace

exit_status linux_command(const arguments& args, std::ostream& out) {
    const auto parsed = parse_with("linux", "scenario", args, visible_options(), print_help, out);
    if (!parsed) return exit_status::ok;
    const po::variables_map& map = *parsed;
    runs::linux_options options;
    options.out = out_folder(map);
    if (map.count("kernel")) options.kernel = map["kernel"].as<std::string>();
    const scenario::scenario s =
        runs::load_scenario(scenario_path(map["scenario"].as<std::string>()), set_options(map));
    return status_of(runs::run_linux(s, options, out).status);
}

}  // namespace scmi_vp::app
