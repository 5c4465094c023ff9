// SPDX-License-Identifier: Apache-2.0
// scmi-vp validate: the modelled driver against an unmodified Linux kernel, scenario by scenario.
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <set>

#include "app/options.h"
#include "base/error.h"
#include "testbenches/validation.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

using testbenches::agreement;

constexpr const char* own_scenarios = "testbenches/validation";

po::options_description visible_options() {
    po::options_description o("options");
    const auto text = [](const char* what) { return po::value<std::string>()->value_name(what); };
    o.add_options()("out,o", text("DIR"), "keep the files of both sides, a folder per scenario")(
        "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
        "replace a key of every scenario (repeat for more)")(
        "kernel", text("FILE"),
        "another kernel than build/linux/linux; initramfs.cpio lies beside")("help,h",
                                                                             "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp validate [SCENARIO...] [OPTIONS]\n\n"
           "Plays each scenario twice, with the modelled driver and with an unmodified Linux 6.1\n"
           "(User-Mode Linux, made by tools/build-linux), and prints in what they agree. SCENARIO\n"
           "is a TOML file, or a folder of them; without any: "
        << own_scenarios
        << ".\nWhat is compared and what is not: docs/validity.md. Exit status 1 if anything "
           "differs.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp validate\n"
           "  scmi-vp validate testbenches/validation/10-late-reply.toml --out out/validate\n"
           "  scmi-vp validate my.toml --set platform.workers=1\n";
}

/// The scenario files that a name stands for.
std::vector<fs::path> files_of(const fs::path& name) {
    std::error_code ignored;
    if (fs::is_regular_file(name, ignored)) return {name};
    if (fs::is_regular_file(name / "scenario.toml", ignored)) return {name / "scenario.toml"};
    std::vector<fs::path> files;
    if (fs::is_directory(name, ignored)) {
        for (const fs::directory_entry& e : fs::directory_iterator(name))
            if (e.path().extension() == ".toml") files.push_back(e.path());
    }
    if (files.empty()) return {scenario_path(name.string())};
    std::sort(files.begin(), files.end());
    return files;
}

std::string short_name(const fs::path& file) {
    return file.filename() == "scenario.toml" ? file.parent_path().filename().string()
                                              : file.stem().string();
}

std::string cell(const agreement::compared& c) {
    if (c.difference.empty()) return std::to_string(c.kernel);
    if (c.kernel == c.model) return std::to_string(c.kernel) + " !";
    return std::to_string(c.kernel) + "/" + std::to_string(c.model) + " !";
}

class table {
public:
    table(std::ostream& out, const std::vector<fs::path>& files) : out_(out) {
        for (const fs::path& f : files) first_ = std::max(first_, short_name(f).size());
        out_ << std::left << std::setw(int(first_)) << "scenario" << std::right;
        for (const std::string_view n : testbenches::aspect_names) out_ << std::setw(width) << n;
        out_ << "\n";
    }

    void row(const std::string& name, const agreement& a) {
        out_ << std::left << std::setw(int(first_)) << name << std::right;
        for (const agreement::compared& c : a.aspects) out_ << std::setw(width) << cell(c);
        out_ << "  " << (a.whole() ? "identical" : "DIFFERS") << std::endl;
    }
    void failed(const std::string& name) {
        out_ << std::left << std::setw(int(first_)) << name << "  FAILED" << std::endl;
    }

private:
    static constexpr int width = 14;
    std::ostream& out_;
    std::size_t first_ = 8;
};

std::vector<fs::path> all_files(const std::vector<std::string>& names) {
    std::vector<fs::path> files;
    for (const std::string& n : names) {
        for (fs::path& f : files_of(n)) files.push_back(std::move(f));
    }
    std::set<std::string> seen;
    for (const fs::path& f : files) {
        if (!seen.insert(short_name(f)).second)
            throw error(error_kind::usage, f.string(), "two scenarios of this name");
    }
    return files;
}

}  // namespace

exit_status validate_command(const arguments& args, std::ostream& out) {
    po::options_description all = visible_options();
    all.add_options()("scenario", po::value<std::vector<std::string>>());
    po::positional_options_description positional;
    positional.add("scenario", -1);
    const po::variables_map map = parse_options("validate", args, all, positional);
    if (map.count("help")) {
        print_help(out);
        return exit_status::ok;
    }
    std::vector<std::string> names{own_scenarios};
    if (map.count("scenario")) names = map["scenario"].as<std::vector<std::string>>();
    testbenches::validation_options options;
    if (map.count("kernel")) options.kernel = map["kernel"].as<std::string>();
    const fs::path folder = out_folder(map);

    const std::vector<fs::path> files = all_files(names);
    table rows(out, files);
    std::vector<std::pair<std::string, std::string>> differences;
    for (const fs::path& f : files) {
        if (!folder.empty()) options.out = folder / short_name(f);
        const testbenches::scenario s = testbenches::load_scenario(f, set_options(map));
        try {
            const agreement a = validate(s, options);
            rows.row(short_name(f), a);
            if (!a.whole()) differences.emplace_back(short_name(f), a.first_difference());
        } catch (const error& e) {
            // One that cannot be played must not hide what the others say; a kernel that is not
            // there stops all of them.
            if (e.kind() == error_kind::usage || e.kind() == error_kind::output) throw;
            rows.failed(short_name(f));
            differences.emplace_back(short_name(f), std::string("failed: ") + e.what() + "\n");
        }
    }
    out << "\nThe numbers are the kernel's; \"n/m !\" where the model has m, or not the same.\n";
    for (const auto& [name, text] : differences) out << "\n" << name << ", " << text;
    out << "\n"
        << files.size() - differences.size() << " of " << files.size() << " scenarios identical\n";
    return differences.empty() ? exit_status::ok : exit_status::check_failed;
}

}  // namespace scmi_vp::app
