// SPDX-License-Identifier: Apache-2.0
// scmi-vp explain: tells the story of one request of a study or of a run.
#include <filesystem>

#include "app/options.h"
#include "runs/folder_lock.h"
#include "studies/results/report_data.h"
#include "studies/stories/explain.h"

namespace po = boost::program_options;

namespace scmi_vp::app {
namespace {

using studies::request_choice;

po::options_description visible_options() {
    po::options_description o("options");
    const auto number = [] { return po::value<std::int64_t>()->value_name("N"); };
    o.add_options()("request", number(), "this request, by its number (requests.csv, column id)")(
        "slowest", "the one with the longest round trip (this is what is told without an option)")(
        "late", "of those whose reply came after their timeout, the one whose reply took longest")(
        "point", number(), "in this point of a study")(
        "replication", number(), "in this replication of the point")("help,h", "print this");
    return o;
}

void print_help(std::ostream& out) {
    out << "usage: scmi-vp explain RESULTS [OPTIONS]\n\n"
           "RESULTS is a folder that `scmi-vp study`, `run --out` or `connect --out` wrote. The "
           "run "
           "is\n"
           "repeated (runs are deterministic) and watched: when the request was made and by whom, "
           "where\n"
           "its time went, what else was in flight, what the driver logged, whether a reply came\n"
           "later, and the command that shows it as a waveform. If a file that made the results "
           "has\n"
           "changed since, that is refused. What connect measured is told from its own rows.\n\n"
        << visible_options()
        << "\nA request of a study is named by point, replication and number, as in its "
           "requests.csv;\n"
           "point and replication are 0 unless given. The slowest and the latest are looked for "
           "in\n"
           "the whole study, or in what --point and --replication name.\n"
           "\nexamples:\n"
           "  scmi-vp explain out/quickstart\n"
           "  scmi-vp explain out/quickstart --late --point 4\n"
           "  scmi-vp explain out/recording --request 28\n"
           "  scmi-vp explain out/device\n";
}

std::optional<std::uint64_t> number_option(const po::variables_map& map, const char* name) {
    if (!map.count(name)) return std::nullopt;
    const std::int64_t n = map[name].as<std::int64_t>();
    if (n < 0) throw error(error_kind::usage, std::string("--") + name, "is negative");
    return static_cast<std::uint64_t>(n);
}

request_choice choice_from(const po::variables_map& map) {
    request_choice c;
    if (map.count("request") + map.count("slowest") + map.count("late") > 1) {
        throw error(error_kind::usage,
                    "explain: --request, --slowest and --late exclude each other");
    }
    if (const auto id = number_option(map, "request")) {
        c.how = request_choice::by::number;
        c.request = *id;
    } else if (map.count("late")) {
        c.how = request_choice::by::late;
    }
    c.point = number_option(map, "point");
    c.replication = number_option(map, "replication");
    if (c.replication && !c.point) {
        throw error(error_kind::usage, "explain: --replication needs --point");
    }
    return c;
}

}  // namespace

exit_status explain_command(const arguments& args, std::ostream& out) {
    po::options_description all = visible_options();
    all.add_options()("results", po::value<std::string>());
    po::positional_options_description positional;
    positional.add("results", 1);
    const po::variables_map map = parse_options("explain", args, all, positional);
    if (map.count("help")) {
        print_help(out);
        return exit_status::ok;
    }
    if (!map.count("results")) {
        throw error(error_kind::usage, "explain: no results folder given (scmi-vp explain --help)");
    }
    const std::filesystem::path folder = map["results"].as<std::string>();
    const request_choice choice = choice_from(map);
    // Rows are read more than once: nobody may replace them meanwhile.
    const runs::folder_lock reading(folder, runs::folder_use::read);
    const nlohmann::json results = studies::load_results(folder);
    if (const std::string early = studies::early_end_of(results); !early.empty()) {
        out << "note: " << early << "\n";
    }
    studies::print_story(out, studies::story_of(results, choice));
    return exit_status::ok;
}

}  // namespace scmi_vp::app
