// SPDX-License-Identifier: Apache-2.0
// scmi-vp linux: a scenario with an unmodified Linux kernel as the agent, in simulated time.
#include <filesystem>

#include "app/options.h"
#include "base/error.h"
#include "testbenches/linux_run.h"

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
           "  scmi-vp linux my.toml --set platform.workers=1\n";
}

fs::path scenario_file(const std::string& name) {
    std::error_code ignored;
    if (fs::is_directory(name, ignored)) return fs::path(name) / "scenario.toml";
    const fs::path testbench = fs::path("testbenches") / name / "scenario.toml";
    if (!fs::exists(name, ignored) && fs::exists(testbench, ignored)) return testbench;
    if (fs::exists(name, ignored)) return name;
    throw error(error_kind::usage, name, "no such file, folder or testbench");
}

exit_status status_of_run(testbenches::run_status s) {
    if (s == testbenches::run_status::ok) return exit_status::ok;
    return s == testbenches::run_status::unfinished ? exit_status::unfinished
                                                    : exit_status::check_failed;
}

}  // namespace

exit_status linux_command(const arguments& args, std::ostream& out) {
    po::options_description all = visible_options();
    all.add_options()("scenario", po::value<std::string>());
    po::positional_options_description positional;
    positional.add("scenario", 1);
    const po::variables_map map = parse_options("linux", args, all, positional);
    if (map.count("help")) {
        print_help(out);
        return exit_status::ok;
    }
    if (!map.count("scenario")) {
        throw error(error_kind::usage, "linux: no scenario given (scmi-vp linux --help)");
    }
    testbenches::linux_options options;
    if (map.count("out")) options.out = map["out"].as<std::string>();
    if (map.count("kernel")) options.kernel = map["kernel"].as<std::string>();
    if (map.count("out") && options.out.empty()) {
        throw error(error_kind::usage, "--out: an empty name");
    }
    std::vector<std::string> overrides;
    if (map.count("set")) overrides = map["set"].as<std::vector<std::string>>();
    const testbenches::scenario s =
        testbenches::load_scenario(scenario_file(map["scenario"].as<std::string>()), overrides);
    return status_of_run(testbenches::run_linux(s, options, out).status);
}

}  // namespace scmi_vp::app
