// SPDX-License-Identifier: Apache-2.0
// scmi-vp init: writes a commented scenario to start from, never over something that exists.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/options.h"
#include "app/starter_scenario.h"
#include "base/console.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace scmi_vp::app {
namespace {

void write_starter(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(path, ignored))) {
        throw error(error_kind::output, path.string(), "exists already; choose another name");
    }
    errno = 0;
    std::ofstream file(path, std::ios::binary);
    if (file) file << starter_scenario;
    if (file) file.close();
    if (!file) {
        const std::string reason = errno ? std::strerror(errno) : "unknown reason";
        throw error(error_kind::output, path.string(), "cannot be written (" + reason + ")");
    }
}

}  // namespace

exit_status init_command(const arguments& args, std::ostream& out) {
    po::options_description options("options");
    options.add_options()("help,h", "print this")("file", po::value<std::string>());
    po::positional_options_description positional;
    positional.add("file", 1);
    const po::variables_map map = parse_options("init", args, options, positional);
    if (map.count("help")) {
        out << "usage: scmi-vp init [FILE]\n\nWrites a commented starter scenario to FILE "
               "(scenario.toml). An existing file is never\noverwritten.\n\n"
               "example:\n  scmi-vp init my.toml && scmi-vp run my.toml --out out\n";
        return exit_status::ok;
    }
    const fs::path path =
        map.count("file") ? map["file"].as<std::string>() : std::string("scenario.toml");
    if (path.empty()) throw error(error_kind::usage, "init: an empty file name");
    write_starter(path);
    const std::string name = shell_quoted(path.string());
    out << "wrote " << path.string()
        << "; run it: " << as_started("scmi-vp run " + name + " --out out") << "\n"
        << "then ask why a request timed out: " << as_started("scmi-vp explain out") << "\n";
    return exit_status::ok;
}

}  // namespace scmi_vp::app
