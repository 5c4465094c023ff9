// SPDX-License-Identifier: Apache-2.0
// scmi-vp serve: a scenario's platform behind sockets, in wall-clock time.
#include <filesystem>
#include <iostream>

#include "app/options.h"
#include "base/error.h"
#include "runs/load.h"
#include "runs/progress.h"
#include "runs/sockets/serve_run.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

po::options_description visible_options() {
    po::options_description o("options");
    const auto list = [](const char* what) {
        return po::value<std::vector<std::string>>()->composing()->value_name(what);
    };
    o.add_options()("socket", list("PATH"),
                    "serve a guest there over vhost-user (repeat for more guests)")(
        "stream", list("PATH"),
        "serve SCMI messages there over a stream socket (repeat for more agents)")(
        "in-band", "offer in-band notifications: for User-Mode Linux, not for QEMU")(
        "for", po::value<std::string>()->value_name("TIME"), "end by itself after that long")(
        "set", list("KEY=VALUE"), "replace a key of the scenario (repeat for more)")("help,h",
                                                                                     "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp serve SCENARIO --socket PATH [OPTIONS]\n\n"
           "The platform of SCENARIO as a vhost-user SCMI device for QEMU (8.1 or later) and\n"
           "User-Mode Linux, or over a stream socket, in real time: its latencies, losses and\n"
           "pauses apply. Guests may go and come again; Ctrl-C ends it. docs/serve.md says "
           "more.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp serve quickstart --socket /tmp/scmi.sock\n"
           "  qemu-system-aarch64 -M virt -m 1G -object "
           "memory-backend-memfd,id=mem,size=1G,share=on "
           "\\\n"
           "      -numa node,memdev=mem -chardev socket,id=scmi,path=/tmp/scmi.sock \\\n"
           "      -device vhost-user-scmi-pci,chardev=scmi ...\n"
           "  scmi-vp serve my.toml --socket /tmp/a.sock --socket /tmp/b.sock   two guests\n"
           "  scmi-vp serve my.toml --stream /tmp/scmi.stream --set hops.service=2ms\n";
}

}  // namespace

exit_status serve_command(const arguments& args, std::ostream& out) {
    const auto parsed = parse_with("serve", "scenario", args, visible_options(), print_help, out);
    if (!parsed) return exit_status::ok;
    const po::variables_map& map = *parsed;
    const auto strings = [&map](const char* name) {
        return map.count(name) ? map[name].as<std::vector<std::string>>()
                               : std::vector<std::string>();
    };
    runs::serve_options options;
    for (const std::string& p : strings("socket")) options.sockets.emplace_back(p);
    for (const std::string& p : strings("stream")) options.streams.emplace_back(p);
    options.in_band = map.count("in-band") != 0;
    if (map.count("for")) options.until = span_option(map, "for");
    if (runs::stderr_is_terminal()) options.status = &std::cerr;
    const scenario::scenario s =
        runs::load_scenario(scenario_path(map["scenario"].as<std::string>()), set_options(map));
    runs::run_serve(s, options, out);
    return exit_status::ok;
}

}  // namespace scmi_vp::app
