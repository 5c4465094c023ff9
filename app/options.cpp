// SPDX-License-Identifier: Apache-2.0
// Boost.Program_options with this project's errors.
#include "app/options.h"

#include "testbenches/suggest.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

std::string known_option(const po::options_description& options, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& o : options.options()) names.push_back("--" + o->long_name());
    const auto near = testbenches::nearest(name, names);
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

fs::path scenario_path(const std::string& name) {
    const fs::path given(name);
    std::error_code ignored;
    if (fs::is_directory(given, ignored)) return given / "scenario.toml";
    if (fs::exists(given, ignored)) return given;
    const fs::path testbench = fs::path("testbenches") / given / "scenario.toml";
    if (given == given.filename() && fs::exists(testbench, ignored)) return testbench;
    throw error(error_kind::usage, name + ": no such file, folder or testbench; `scmi-vp init " +
                                       (name.empty() ? "my.toml" : name) +
                                       "` writes a scenario to start from");
}

}  // namespace scmi_vp::app
