// SPDX-License-Identifier: Apache-2.0
// scmi-vp run: loads a scenario with what the command line adds, and runs it.
#include <optional>

#include "app/options.h"
#include "runs/folder_lock.h"
#include "runs/load.h"
#include "runs/run.h"
#include "scenario/scenario.h"
#include "studies/report/junit.h"

namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

po::options_description visible_options() {
    po::options_description o("options");
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    o.add_options()("set", po::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                    "replace a key of the scenario; may be repeated (scmi-vp list keys)")(
        "seed", po::value<std::int64_t>()->value_name("N"), "the same as --set sim.seed=N")(
        "out", text("DIR"),
        "write results into this folder; it is made if absent, and nothing "
        "that scmi-vp did not write is overwritten")("vcd", "write a waveform")(
        "vcd-from", text("TIME"), "its window starts here (\"1.2ms\")")("vcd-to", text("TIME"),
                                                                        "and ends here")(
        "vcd-around", text("WHAT"), "instead: around the `slowest` call, or all `timeouts`")(
        "junit", text("FILE"), "write the scenario's checks as JUnit XML, one test case per check")(
        "quiet", "no account of each request")("help,h", "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp run SCENARIO [OPTIONS]\n\n"
           "SCENARIO is a TOML file, a folder with a scenario.toml, or the name of a folder in\n"
           "testbenches/.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp run testbenches/linux-6.1-recording --out out/recording\n"
           "  scmi-vp run my.toml --set guest.max_rx_timeout=30ms --seed 7\n"
           "  scmi-vp run my.toml --set 'hops.service={ kind=\"normal\", mean=\"50us\", sd=\"5us\" "
           "}'\n"
           "  scmi-vp run my.toml --out out --vcd --vcd-from 1ms --vcd-to 2ms\n"
           "  scmi-vp run my.toml --out out --junit junit.xml   (status 6: a [[check]] failed)\n";
}

std::optional<sim_time> time_option(const po::variables_map& map, const char* name) {
    if (!map.count(name)) return std::nullopt;
    try {
        const sim_time t = parse_time(map[name].as<std::string>());
        if (t < sim_time{}) throw error(error_kind::usage, "a time before the start of the run");
        return t;
    } catch (const error& e) {
        throw error(error_kind::usage, std::string("--") + name, e.what());
    }
}

runs::wave_around around_option(const po::variables_map& map) {
    if (!map.count("vcd-around")) return runs::wave_around::none;
    const std::string word = map["vcd-around"].as<std::string>();
    if (word == "slowest") return runs::wave_around::slowest;
    if (word == "timeouts") return runs::wave_around::timeouts;
    throw error(error_kind::usage, "--vcd-around", "'" + word + "' is not slowest or timeouts");
}

runs::run_options options_from(const po::variables_map& map) {
    runs::run_options o;
    o.out = out_folder(map);
    o.vcd_from = time_option(map, "vcd-from");
    o.vcd_to = time_option(map, "vcd-to");
    o.vcd_around = around_option(map);
    o.quiet = map.count("quiet") != 0;
    const bool window = o.vcd_from || o.vcd_to;
    const bool around = o.vcd_around != runs::wave_around::none;
    o.vcd = map.count("vcd") || window || around;
    if (window && around) {
        throw error(error_kind::usage,
                    "--vcd-around and --vcd-from or --vcd-to exclude each other");
    }
    if (o.vcd_from && o.vcd_to && *o.vcd_from >= *o.vcd_to) {
        throw error(error_kind::usage, "--vcd-from is not before --vcd-to");
    }
    if (o.vcd && o.out.empty()) throw error(error_kind::usage, "a waveform needs --out DIR");
    return o;
}

std::vector<std::string> overrides_from(const po::variables_map& map) {
    std::vector<std::string> overrides = set_options(map);
    if (map.count("seed")) {
        const std::int64_t seed = map["seed"].as<std::int64_t>();
        if (seed < 0) throw error(error_kind::usage, "--seed", "is negative");
        overrides.push_back("sim.seed=" + std::to_string(seed));
    }
    return overrides;
}

}  // namespace

exit_status run_command(const arguments& args, std::ostream& out) {
    const auto parsed = parse_with("run", "scenario", args, visible_options(), print_help, out);
    if (!parsed) return exit_status::ok;
    const po::variables_map& map = *parsed;
    const runs::run_options options = options_from(map);
    const std::vector<std::string> overrides = overrides_from(map);
    const scenario::scenario s =
        runs::load_scenario(scenario_path(map["scenario"].as<std::string>()), overrides);
    // Before anything of who has the folder is touched, its --junit too.
    std::optional<runs::folder_lock> owned;
    if (!options.out.empty()) owned.emplace(options.out);
    std::optional<studies::junit_file> junit;
    if (map.count("junit")) junit.emplace(junit_path(map));
    const runs::run_result result = runs::run_and_check(s, options, out);
    if (junit) junit->write(s.title, studies::junit_cases(s, result));
    if (junit && s.checks.empty()) {
        out << "\nnote: the scenario has no [[check]], so " << junit_path(map).string()
            << " has no test case that could fail\n";
    }
    return status_of(result.status);
}

}  // namespace scmi_vp::app
