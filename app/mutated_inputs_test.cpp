// SPDX-License-Identifier: Apache-2.0
// The program with mutated scenarios, platforms, device trees, latency files, options, studies and
// folders of results. Whatever is in them: a documented exit status in time, never a crash nor an
// "internal defect"; one error that names a file, and nothing lost; or outputs that can be read.
// SCMI_VP_FUZZ_SECONDS=600 goes on for longer, SCMI_VP_FUZZ_CASE=N repeats one case and
// SCMI_VP_FUZZ_KEEP=1 keeps its files.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/program.h"
#include "base/input_file.h"
#include "base/mutation_testing.h"
#include "runs/fingerprint.h"
#include "runs/forked.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::app {
namespace {

namespace fs = std::filesystem;
using mutation_testing::cases;
using mutation_testing::mutator;
using nlohmann::json;
using nlohmann::ordered_json;
using scenario::testing_tools::scratch_folder;

constexpr unsigned longest_s = 30;
constexpr rlim_t most_memory = rlim_t{3} << 30;

using files = std::map<std::string, std::string>;  ///< by name in the folder

struct seed_case {
    files there;
    std::vector<std::string> mutated;  ///< names; empty: `option`
    arguments args;                    ///< "@" stands for the folder
    std::string option;                ///< a --set that is mutated
};

struct outcome {
    int status = -1;
    std::string err;
    std::string problem;  ///< how it died; empty: it did not
};

std::string text_of(const std::string& testbench_file) {
    return read_input(fs::path(SCMI_VP_SOURCE_DIR) / testbench_file, inputs::latencies);
}

files files_in(const fs::path& folder) {
    files all;
    for (const auto& e : fs::recursive_directory_iterator(folder)) {
        if (!e.is_regular_file()) continue;
        std::ifstream in(e.path(), std::ios::binary);
        all[e.path().lexically_relative(folder).string()] = {std::istreambuf_iterator<char>(in),
                                                             {}};
    }
    return all;
}

void write(const fs::path& folder, const files& all) {
    for (const auto& [name, text] : all) {
        fs::create_directories((folder / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << text;
    }
}

/// Runs the program in a child with limits.
outcome run_limited(const arguments& args) {
    runs::child_process child([&args] {
#if !defined(__SANITIZE_ADDRESS__)
        const rlimit memory{most_memory, most_memory};
        ::setrlimit(RLIMIT_AS, &memory);
#endif
        ::alarm(longest_s);
        std::ostringstream out, err;
        const exit_status status = run_program(args, "1.2.3", out, err);
        return std::to_string(int(status)) + "\n" + err.str();
    });
    while (child.read_some()) {
    }
    const runs::child_ending ending = child.wait();
    outcome o;
    if (ending.failure) o.problem = std::string("threw ") + ending.failure->what();
    if (!ending.result && o.problem.empty()) o.problem = "died by " + ending.how_it_died;
    if (!o.problem.empty()) return o;
    o.status = std::atoi(ending.result->c_str());
    o.err = ending.result->substr(ending.result->find('\n') + 1);
    return o;
}

arguments placed(const arguments& args, const fs::path& folder) {
    arguments all;
    for (std::string a : args) {
        if (const std::size_t at = a.find('@'); at != std::string::npos) {
            a.replace(at, 1, folder.string());
        }
        all.push_back(std::move(a));
    }
    return all;
}

const arguments short_run{"--set", "sim.duration=20ms", "--quiet"};

seed_case scenario_seed(const files& there, const std::string& scenario,
                        const std::vector<std::string>& mutated) {
    seed_case s{there, mutated, {"run", "@/" + scenario, "--out", "@/out"}, ""};
    s.args.insert(s.args.end(), short_run.begin(), short_run.end());
    return s;
}

std::vector<seed_case> scenario_seeds() {
    std::vector<seed_case> all;
    const fs::path validation = fs::path(SCMI_VP_SOURCE_DIR) / "testbenches/validation";
    std::set<fs::path> scenarios;
    for (const auto& e : fs::directory_iterator(validation)) {
        if (e.path().extension() == ".toml") scenarios.insert(e.path());
    }
    for (const fs::path& p : scenarios) {
        const std::string tree = p.stem().string() + ".dtb";
        files there{{"s.toml", text_of("testbenches/validation/" + p.filename().string())}};
        std::vector<std::string> mutated{"s.toml"};
        if (fs::exists(validation / tree)) {
            there[tree] = text_of("testbenches/validation/" + tree);
            mutated.push_back(tree);
            mutated.push_back(tree);
        }
        all.push_back(scenario_seed(there, "s.toml", mutated));
    }
    for (const char* name : {"late-reply", "faulty-replies"}) {
        all.push_back(scenario_seed(
            {{"s.toml", text_of(std::string("testbenches/") + name + "/scenario.toml")}}, "s.toml",
            {"s.toml"}));
    }
    for (const char* name : {"all-protocols", "linux-6.1-recording"}) {
        const std::string folder = std::string("testbenches/") + name + "/";
        files there{{"s.toml", text_of(folder + "scenario.toml")},
                    {"platform.toml", text_of(folder + "platform.toml")}};
        if (fs::exists(fs::path(SCMI_VP_SOURCE_DIR) / folder / "scmi.dtb")) {
            there["scmi.dtb"] = text_of(folder + "scmi.dtb");
        }
        all.push_back(scenario_seed(there, "s.toml", {"s.toml", "platform.toml"}));
    }
    return all;
}

const std::string small_scenario = R"([scenario]
title = "small"
[[platform.sensor]]
name = "s0"
[hops]
service = { kind = "histogram", file = "h.txt" }
notify = { kind = "recorded", values = ["1us", "2us"] }
[[workload.context]]
name = "reader"
[[workload.loop]]
context = "reader"
count = 5
think = "1ms"
calls = [{ call = "sensor_read", id = 0 }]
[[check]]
name = "fast"
number = "round_trip.max"
at_most = "1s"
)";

const std::string small_study = R"([study]
scenario = "s.toml"
replications = 2
[[axis]]
name = "timeout"
values = [
    { label = "1", set = { "guest.max_rx_timeout" = "1ms" } },
    { label = "2", set = { guest = { hz = 1000, max_rx_timeout = "2ms" }, "hops.service" = { kind = "histogram", file = "h.txt" } } },
]
)";

files small_files() {
    return {{"s.toml", small_scenario},
            {"study.toml", small_study},
            {"h.txt", text_of("traces/recorded/latencies/cyclictest.json")}};
}

std::vector<seed_case> small_seeds() {
    std::vector<seed_case> all;
    for (const char* format : {"bpftrace.txt", "cyclictest-ns.txt", "cyclictest.json",
                               "fio_lat.1.log", "timerlat.txt", "cyclictest-samples.txt"}) {
        files there = small_files();
        there["h.txt"] = text_of(std::string("traces/recorded/latencies/") + format);
        all.push_back(scenario_seed(there, "s.toml", {"h.txt", "s.toml"}));
    }
    all.push_back({small_files(),
                   {"study.toml"},
                   {"study", "@/study.toml", "--out", "@/out", "--jobs", "1", "--quiet", "--set",
                    "sim.duration=20ms"},
                   ""});
    all.push_back(
        {small_files(), {"study.toml", "s.toml"}, {"list", "numbers", "@/study.toml"}, ""});
    for (const char* option :
         {"hops.service={ kind = \"normal\", mean = \"50us\", sd = \"5us\" }", "guest.hz=1000",
          "platform.sensor=[{ name = \"s0\" }]", "workload.loop.0.count=7", "check=[]",
          "hops={ service = \"50us\" }", "guest.max_rx_timeout=30ms", "sim.seed=4",
          "platform.service=[{ protocol = \"sensor\", latency = \"9us\" }]"}) {
        seed_case s = scenario_seed(small_files(), "s.toml", {});
        s.option = option;
        all.push_back(std::move(s));
    }
    return all;
}

/// With the digest that belongs to it, so that an edit is looked at and not only noticed.
std::string signed_anew(ordered_json j) {
    std::vector<runs::input_digest> digests;
    for (const auto& f : j.at("made_from").at("files")) {
        digests.push_back({f.at("file").get<std::string>(), f.at("digest").get<std::string>()});
    }
    j.erase("made_from");
    runs::add_fingerprint(j, digests);
    return j.dump(2);
}

/// The text when it is no summary any more.
std::string signed_anew(const std::string& text) {
    try {
        return signed_anew(ordered_json::parse(text));
    } catch (const json::exception&) {
        return text;
    }
}

/// As scmi-vp connect writes it: rows that nothing repeats.
std::string as_connected(const std::string& summary) {
    ordered_json j = ordered_json::parse(summary);
    j["command"] = "connect";
    j["rx_timeout_ps"] = 30'000'000'000;
    j["max_delayed_response_ps"] = 60'000'000'000;
    j["calls_blocked_s"] = 0.5;
    j["calls_blocked_of_s"] = 1.0;
    j["description"] = "";
    return signed_anew(j);
}

/// Folders of a run and of a study, made anew here; the paths in them stay good for as long.
class result_seeds {
public:
    result_seeds() {
        write(folder_.path(), small_files());
        arguments run = scenario_seed({}, "s.toml", {}).args, study = study_of_small();
        EXPECT_EQ(run_limited(placed(run, folder_.path())).err, "");
        fs::rename(folder_.path() / "out", folder_.path() / "run");
        EXPECT_EQ(run_limited(placed(study, folder_.path())).err, "");
        fs::rename(folder_.path() / "out", folder_.path() / "study");
        const files of_run = files_in(folder_.path() / "run");
        files measured = of_run;
        measured["summary.json"] = as_connected(measured.at("summary.json"));
        add(of_run, {"summary.json"});
        add(measured, {"summary.json", "requests.csv", "requests.csv", "dmesg.txt"});
        add(files_in(folder_.path() / "study"), {"results.json"});
    }
    const std::vector<seed_case>& all() const { return all_; }

private:
    static arguments study_of_small() {
        return {"study", "@/study.toml",     "--out", "@/out", "--jobs", "1", "--quiet",
                "--set", "sim.duration=20ms"};
    }
    void add(const files& there, const std::vector<std::string>& mutated) {
        for (const char* command : {"report", "explain"}) {
            seed_case s{{}, {}, {command, "@/results"}, ""};
            for (const auto& [name, text] : there) s.there["results/" + name] = text;
            for (const std::string& m : mutated) s.mutated.push_back("results/" + m);
            if (s.args[0] == "explain") s.args.push_back("--slowest");
            all_.push_back(s);
        }
    }
    scratch_folder folder_;
    std::vector<seed_case> all_;
};

/// One of those that are there, or, where the mutation changed a path, that path.
bool names_a_file(const std::string& err, const seed_case& s, const fs::path& folder) {
    for (const auto& [name, text] : s.there) {
        if (err.find(fs::path(name).filename().string()) != std::string::npos) return true;
    }
    return err.find("--set") != std::string::npos ||
           err.find(folder.string()) != std::string::npos || err.rfind("scmi-vp: /", 0) == 0;
}

std::string outputs_problem(const fs::path& out) {
    const files written = files_in(out);
    for (const auto& [name, text] : written) {
        const std::string ending = fs::path(name).extension().string();
        if (ending == ".json" && json::parse(text, nullptr, false).is_discarded()) {
            return name + " is no JSON";
        }
        if (ending == ".part") return name + " stayed";
        if (ending == ".csv" && (text.empty() || text.back() != '\n')) return name + " is cut";
    }
    return "";
}

/// What is not as it must be; empty: nothing.
std::string judged(const outcome& o, const seed_case& s, const files& before,
                   const fs::path& folder) {
    if (!o.problem.empty()) return o.problem;
    if (o.err.find("internal defect") != std::string::npos) return o.err;
    const std::set<int> after_a_run{0, 1, 4, 6};
    if (after_a_run.count(o.status) && o.err.find("scmi-vp: ") != 0) return outputs_problem(folder);
    if (o.status == int(exit_status::out_of_memory)) return "";
    if (o.status != int(exit_status::bad_input)) return "status " + std::to_string(o.status);
    if (o.err.rfind("scmi-vp: ", 0) != 0 || o.err.back() != '\n') return "no error: " + o.err;
    if (std::count(o.err.begin(), o.err.end(), '\n') > 2) return "many lines: " + o.err;
    if (!names_a_file(o.err, s, folder)) return "names no file: " + o.err;
    for (const auto& [name, text] : files_in(folder)) {
        const auto was = before.find(name);
        if (was != before.end() && was->second != text) return name + " was changed";
    }
    return "";
}

class mutated_inputs : public testing::Test {
protected:
    mutated_inputs() {
        for (auto part : {scenario_seeds(), small_seeds(), results_.all()}) {
            for (seed_case& s : part) seeds_.push_back(std::move(s));
        }
    }

    void try_case(std::uint64_t number) {
        mutator m(number);
        // Each kind as often as the others, however many testbenches there are.
        seed_case s = seeds_[m.below(seeds_.size())];
        if (m.below(2) == 0) s = seeds_[seeds_.size() - 1 - m.below(results_.all().size() + 18)];
        if (s.mutated.empty()) {
            std::string option = m.changed(s.option, {});
            option.erase(std::remove(option.begin(), option.end(), '\0'), option.end());
            s.args.insert(s.args.begin() + 2, {"--set", option});
        } else {
            const std::string& name = s.mutated[m.below(s.mutated.size())];
            std::string& text = s.there.at(name);
            text = m.changed(text, {small_scenario, small_study});
            if (name == "results/summary.json" && m.below(2) == 0) text = signed_anew(text);
        }
        const scratch_folder folder;
        write(folder.path(), s.there);
        const files before = files_in(folder.path());
        const outcome o = run_limited(placed(s.args, folder.path()));
        const std::string what = judged(o, s, before, folder.path());
        ++statuses_[o.status];
        if (what.empty()) return;
        ADD_FAILURE() << "case " << number << " (" << s.args[0] << "): " << what.substr(0, 500);
        if (std::getenv("SCMI_VP_FUZZ_KEEP")) {
            fs::copy(folder.path(), "case-" + std::to_string(number),
                     fs::copy_options::recursive | fs::copy_options::overwrite_existing);
        }
    }

    void try_cases(double seconds, std::uint64_t start) {
        cases all(seconds);
        all.start_at(start);
        std::uint64_t tried = 0;
        for (; const std::uint64_t number = all.next(); ++tried) try_case(number);
        std::string told;
        for (const auto& [status, n] : statuses_) {
            told += " " + std::to_string(status) + ": " + std::to_string(n);
        }
        std::printf("%llu cases, by status%s\n", (unsigned long long)tried, told.c_str());
        EXPECT_GT(tried, 0u);
    }

    result_seeds results_;
    std::vector<seed_case> seeds_;
    std::map<int, std::uint64_t> statuses_;
};

TEST_F(mutated_inputs, unmutated_are_accepted) {
    for (const seed_case& s : results_.all()) {
        const scratch_folder folder;
        write(folder.path(), s.there);
        const outcome o = run_limited(placed(s.args, folder.path()));
        EXPECT_EQ(o.problem + o.err, "") << s.args[0];
    }
}

TEST_F(mutated_inputs, end_in_one_error_or_in_results) {
    try_cases(2, 0);
}

TEST_F(mutated_inputs, end_in_one_error_or_in_results_for_a_minute_heavy) {
    try_cases(60, 1'000'000);
}

}  // namespace
}  // namespace scmi_vp::app
