// SPDX-License-Identifier: Apache-2.0
// scmi-vp connect: a scenario's guest in front of a foreign SCMI device, in wall-clock time.
#include "app/options.h"
#include "base/error.h"
#include "runs/load.h"
#include "runs/sockets/connect_run.h"

namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

po::options_description visible_options() {
    po::options_description o("options");
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    o.add_options()("socket", text("PATH"), "a vhost-user SCMI device listens there (required)")(
        "out", text("DIR"), "write results there, as run does, and the device's response times")(
        "in-band", "kick and be called by messages (scmi-vp serve --in-band)")(
        "for", text("TIME"), "end by itself after that long, with status 0 if all went well")(
        "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
        "replace a key of the scenario (repeat for more)")("quiet", "no account of each request")(
        "help,h", "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp connect SCENARIO --socket PATH [OPTIONS]\n\n"
           "The guest of SCENARIO, in real time, in front of a real SCMI device: it probes, makes\n"
           "the scenario's calls, and times out as it would. What it measures goes into the same\n"
           "files as a run's; the device's response times become a latency for other scenarios.\n"
           "The scenario's platform takes no part. docs/serve.md says more.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  vhost-device-scmi --socket-path /tmp/scmi.sock --device fake,name=foo &\n"
           "  scmi-vp connect quickstart --socket /tmp/scmi.sock --for 10s --out out/device\n"
           "  scmi-vp connect my.toml --socket /tmp/scmi.sock --set guest.max_rx_timeout=30ms\n";
}

}  // namespace

exit_status connect_command(const arguments& args, std::ostream& out) {
    const auto parsed = parse_with("connect", "scenario", args, visible_options(), print_help, out);
    if (!parsed) return exit_status::ok;
    const po::variables_map& map = *parsed;
    if (!map.count("socket")) {
        throw error(error_kind::usage, "connect: no --socket PATH given, where the device listens");
    }
    runs::connect_options options;
    options.socket = map["socket"].as<std::string>();
    options.out = out_folder(map);
    options.in_band = map.count("in-band") != 0;
    options.quiet = map.count("quiet") != 0;
    if (map.count("for")) options.until = span_option(map, "for");
    const scenario::scenario s =
        runs::load_scenario(scenario_path(map["scenario"].as<std::string>()), set_options(map));
    return status_of(runs::run_connect(s, options, out));
}

}  // namespace scmi_vp::app
