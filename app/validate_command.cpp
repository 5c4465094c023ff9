// SPDX-License-Identifier: Apache-2.0
// scmi-vp validate: the modelled driver against an unmodified Linux kernel, scenario by scenario.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <optional>
#include <set>

#include "app/options.h"
#include "app/testbench_folders.h"
#include "base/error.h"
#include "runs/linux/random_faults.h"
#include "runs/linux/validation.h"
#include "runs/load.h"
#include "runs/stop_signals.h"

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

using runs::agreement;

constexpr const char* own_scenarios = "testbenches/validation";

/// That folder, from wherever this was started.
std::string own_folder() {
    for (const fs::path& folder : testbench_folders()) {
        std::error_code ignored;
        if (fs::is_directory(folder / "validation", ignored)) return folder / "validation";
    }
    return own_scenarios;
}

po::options_description visible_options() {
    po::options_description o("options");
    const auto text = [](const char* what) { return po::value<std::string>()->value_name(what); };
    o.add_options()("out,o", text("DIR"), "keep the files of both sides, a folder per scenario")(
        "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
        "replace a key of every scenario (repeat for more)")(
        "kernel", text("FILE"),
        "another kernel than build/linux/linux; initramfs.cpio lies beside")(
        "seeds", po::value<std::uint64_t>()->value_name("N"),
        "without SCENARIO: N scenarios with random faults instead; with: each with N seeds")(
        "seed", po::value<std::uint64_t>()->value_name("S"),
        "the first of these seeds (default 1), then S + 1, ...")("help,h", "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp validate [SCENARIO...] [OPTIONS]\n\n"
           "Plays each scenario twice, with the modelled driver and with an unmodified Linux 6.1\n"
           "(User-Mode Linux, made by tools/build-linux), and prints in what they agree. SCENARIO\n"
           "is a TOML file, or a folder of them; without any: "
        << own_scenarios
        << ".\nWith --seeds a platform, calls and faults are drawn, each scenario from one "
           "number:\n"
           "that of seed 17 again with --seeds 1 --seed 17.\n"
           "What is compared and what is not: docs/validity.md. Exit status 1 if anything "
           "differs.\n\n"
        << visible_options()
        << "\nexamples:\n"
           "  scmi-vp validate\n"
           "  scmi-vp validate testbenches/validation/10-late-reply.toml --out out/validate\n"
           "  scmi-vp validate my.toml --set platform.workers=1\n"
           "  scmi-vp validate --seeds 100\n"
           "  scmi-vp validate --seeds 1 --seed 17 --out out/random\n"
           "  scmi-vp validate testbenches/validation/40-confused-platform.toml --seeds 50\n";
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
    const std::string folder = file.parent_path().filename().string();
    return file.filename() == "scenario.toml" && !folder.empty() ? folder : file.stem().string();
}

std::string cell(const agreement::compared& c) {
    if (c.difference.empty()) return std::to_string(c.kernel);
    if (c.kernel == c.model) return std::to_string(c.kernel) + " !";
    return std::to_string(c.kernel) + "/" + std::to_string(c.model) + " !";
}

/// One scenario to play: a file, or one that was drawn.
struct job {
    std::string name;  ///< in the table, and of its folder
    fs::path file;     ///< of a drawn one: what it would be called
    std::optional<std::uint64_t> drawn_from;
    std::vector<std::string> overrides;
    std::string again;  ///< how to play this one alone; empty: as it was given

    scenario::scenario load() const {
        if (!drawn_from) return runs::load_scenario(file, overrides);
        return runs::parse_scenario(runs::random_fault_scenario(*drawn_from), file, overrides);
    }
    /// A drawn scenario lies beside what came of it.
    void keep(const fs::path& folder) const {
        if (!drawn_from) return;
        fs::create_directories(folder);
        std::ofstream out(folder / "scenario.toml", std::ios::binary);
        out << runs::random_fault_scenario(*drawn_from) << std::flush;
        if (!out) {
            throw error(error_kind::output, (folder / "scenario.toml").string(),
                        "cannot be written");
        }
    }
};

class table {
public:
    table(std::ostream& out, const std::vector<job>& jobs) : out_(out) {
        for (const job& j : jobs) first_ = std::max(first_, j.name.size());
        out_ << std::left << std::setw(int(first_)) << "scenario" << std::right;
        for (const std::string_view n : runs::aspect_names) out_ << std::setw(width) << n;
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

/// What --seeds asks for: first and how many.
struct seed_range {
    std::uint64_t first = 1, count = 0;
};

seed_range seeds_of(const po::variables_map& map) {
    constexpr std::uint64_t most = 1'000'000;
    seed_range r;
    if (map.count("seed") && !map.count("seeds")) {
        throw error(error_kind::usage, "--seed says where --seeds N begins: add --seeds 1");
    }
    if (!map.count("seeds")) return r;
    r.count = map["seeds"].as<std::uint64_t>();
    if (map.count("seed")) r.first = map["seed"].as<std::uint64_t>();
    if (r.count == 0 || r.count > most) {
        throw error(error_kind::usage,
                    "--seeds " + std::to_string(r.count) + ": give 1 to " + std::to_string(most));
    }
    return r;
}

std::vector<job> jobs_of(const std::vector<std::string>& names, const seed_range& seeds,
                         const std::vector<std::string>& overrides) {
    std::vector<job> jobs;
    const std::vector<fs::path> files =
        names.empty() && seeds.count != 0
            ? std::vector<fs::path>{}
            : all_files(names.empty() ? std::vector<std::string>{own_folder()} : names);
    if (seeds.count == 0) {
        for (const fs::path& f : files) jobs.push_back({short_name(f), f, {}, overrides, ""});
    }
    for (std::uint64_t n = 0; n < seeds.count; ++n) {
        const std::string seed = std::to_string(seeds.first + n);
        const std::string one = " --seeds 1 --seed " + seed;
        if (files.empty()) {
            const std::string name = runs::random_fault_name(seeds.first + n);
            jobs.push_back({name, name + ".toml", seeds.first + n, overrides, one});
        }
        for (const fs::path& f : files) {
            std::vector<std::string> with = overrides;
            with.push_back("sim.seed=" + seed);
            jobs.push_back({short_name(f) + "-seed-" + seed, f, {}, with, " " + f.string() + one});
        }
    }
    return jobs;
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
    std::vector<std::string> names;
    if (map.count("scenario")) names = map["scenario"].as<std::vector<std::string>>();
    runs::validation_options options;
    if (map.count("kernel")) options.kernel = map["kernel"].as<std::string>();
    const fs::path folder = out_folder(map);

    const std::vector<job> jobs = jobs_of(names, seeds_of(map), set_options(map));
    table rows(out, jobs);
    std::vector<std::pair<const job*, std::string>> differences;
    const runs::stop_flag asked;
    options.stop = asked.asked();
    std::size_t played = 0;
    for (const job& j : jobs) {
        if (!folder.empty()) j.keep(options.out = folder / j.name);
        const scenario::scenario s = j.load();
        try {
            const agreement a = validate(s, options);
            rows.row(j.name, a);
            ++played;
            if (!a.whole()) differences.emplace_back(&j, a.first_difference());
        } catch (const runs::stopped& e) {
            throw runs::stopped(e.signal(), "interrupted in " + j.name + ", after " +
                                                std::to_string(played) + " of " +
                                                std::to_string(jobs.size()) +
                                                " scenarios; the rows above are whole");
        } catch (const error& e) {
            // One that cannot be played must not hide what the others say; a kernel that is not
            // there stops all of them.
            if (e.kind() == error_kind::usage || e.kind() == error_kind::output) throw;
            rows.failed(j.name);
            differences.emplace_back(&j, std::string("failed: ") + e.what() + "\n");
        }
    }
    out << "\nThe numbers are the kernel's; \"n/m !\" where the model has m, or not the same.\n";
    for (const auto& [j, text] : differences) {
        out << "\n" << j->name << ", " << text;
        if (!j->again.empty()) {
            out << "again: scmi-vp validate" << j->again << " --out out/" << j->name << "\n";
        }
    }
    out << "\n"
        << jobs.size() - differences.size() << " of " << jobs.size() << " scenarios identical\n";
    return differences.empty() ? exit_status::ok : exit_status::rule_violated;
}

}  // namespace scmi_vp::app
