// SPDX-License-Identifier: Apache-2.0
// Boost.Program_options with this project's errors.
#include "app/options.h"

#include "app/testbench_folders.h"
#include "scenario/suggest.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

std::string known_option(const po::options_description& options, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& o : options.options()) names.push_back("--" + o->long_name());
    const auto near = scenario::nearest(name, names);
    return near ? ", did you mean " + *near + "?" : "";
}

}  // namespace

po::variables_map parse_options(const std::string& command, const arguments& args,
                                const po::options_description& options,
                                const po::positional_options_description& positional) {
    const std::string advice = " (scmi-vp " + command + " --help)";
    try {
        po::variables_map map;
        const int style =
            po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
        po::store(po::command_line_parser(args)
                      .options(options)
                      .positional(positional)
                      .style(style)
                      .run(),
                  map);
        po::notify(map);
        return map;
    } catch (const po::unknown_option& e) {
        throw error(error_kind::usage, "unknown option " + e.get_option_name() +
                                           known_option(options, e.get_option_name()) + advice);
    } catch (const po::error& e) {
        throw error(error_kind::usage, e.what() + advice);
    }
}

std::optional<po::variables_map> parse_with(const std::string& command, const char* what,
                                            const arguments& args,
                                            const po::options_description& visible,
                                            void (*help)(std::ostream&), std::ostream& out) {
    po::options_description all = visible;
    all.add_options()(what, po::value<std::string>());
    po::positional_options_description positional;
    positional.add(what, 1);
    po::variables_map map = parse_options(command, args, all, positional);
    if (map.count("help")) {
        help(out);
        return std::nullopt;
    }
    if (!map.count(what)) {
        throw error(error_kind::usage,
                    command + ": no " + what + " given (scmi-vp " + command + " --help)");
    }
    return map;
}

fs::path out_folder(const po::variables_map& map) {
    if (!map.count("out")) return {};
    const std::string name = map["out"].as<std::string>();
    if (name.empty()) throw error(error_kind::usage, "--out: an empty name");
    return name;
}

fs::path junit_path(const po::variables_map& map) {
    if (!map.count("junit")) return {};
    const std::string name = map["junit"].as<std::string>();
    if (name.empty()) throw error(error_kind::usage, "--junit: an empty name");
    return name;
}

std::vector<std::string> set_options(const po::variables_map& map) {
    return map.count("set") ? map["set"].as<std::vector<std::string>>()
                            : std::vector<std::string>();
}

sim_time span_option(const po::variables_map& map, const char* name) {
    try {
        const sim_time t = parse_time(map[name].as<std::string>());
        if (t <= sim_time{}) throw error(error_kind::usage, "is not after the start");
        return t;
    } catch (const error& e) {
        throw error(error_kind::usage, std::string("--") + name, e.what());
    }
}

exit_status status_of(runs::run_status s) {
    switch (s) {
        case runs::run_status::violations:
        case runs::run_status::no_probe:
            return exit_status::rule_violated;
        case runs::run_status::checks_failed:
            return exit_status::failed_check;
        case runs::run_status::unfinished:
            return exit_status::unfinished;
        case runs::run_status::guest_failed:
            return exit_status::guest_failed;
        case runs::run_status::ok:
            break;
    }
    return exit_status::ok;
}

fs::path scenario_path(const std::string& name) {
    if (const auto path = input_path(name, "scenario.toml")) return *path;
    const std::string file = name.empty() ? "my.toml" : name;
    const auto near = scenario::nearest(name, testbench_names("scenario.toml"));
    throw error(error_kind::usage,
                name + ": no such file, folder or testbench" +
                    (near ? ", did you mean " + *near + "?"
                          : "; `scmi-vp init " + file + "` writes a scenario to start from"));
}

}  // namespace scmi_vp::app
