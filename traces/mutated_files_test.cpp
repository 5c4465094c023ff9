// SPDX-License-Identifier: Apache-2.0
// Mutated recordings in all formats: each is read, or refused by one error that names it. Nothing
// else is thrown, nothing crashes or takes long. SCMI_VP_FUZZ_SECONDS=600 goes on for longer,
// SCMI_VP_FUZZ_CASE=N repeats one case.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/input_file.h"
#include "base/mutation_testing.h"
#include "traces/ftrace.h"
#include "traces/latency_file.h"

namespace scmi_vp::traces {
namespace {

namespace fs = std::filesystem;
using mutation_testing::cases;
using mutation_testing::mutator;

const fs::path folder = fs::path(SCMI_VP_SOURCE_DIR) / "traces/recorded";
constexpr unsigned longest_s = 20;  // under sanitizers, on a slow machine

using reading = void (*)(std::istream&, const std::string&);

void read_as_latencies(std::istream& in, const std::string& name) {
    latency_file f = read_latency_file(in, name);
    if (f.samples == 0) throw std::logic_error("read, but without samples");
    if (!f.max_known) f.pooled.max = f.pooled.limit;
    make_histogram(f.pooled, histogram_overflow::at_max);
}

void read_as_list(std::istream& in, const std::string& name) {
    make_recorded(read_latency_list(in, name, {"us", ""}).in_order, true);
}

struct seed_file {
    std::string text;
    std::vector<reading> readings;
};

const std::vector<seed_file>& seeds() {
    static const std::vector<seed_file> all = [] {
        const std::vector<reading> latencies{read_as_latencies, read_as_list};
        std::vector<seed_file> files;
        const auto add = [&](const fs::path& p, std::vector<reading> as) {
            files.push_back({read_input(p, inputs::latencies), std::move(as)});
        };
        std::vector<fs::path> recorded;
        for (const auto& e : fs::directory_iterator(folder / "latencies")) {
            if (e.path().extension() != ".md") recorded.push_back(e.path());
        }
        std::sort(recorded.begin(), recorded.end());
        for (const fs::path& p : recorded) add(p, latencies);
        add(folder / "linux-6.1-probe-sensors-timeout.dmesg",
            {[](std::istream& in, const std::string& n) { read_dmesg(in, n); }});
        add(folder / "linux-6.1-probe-sensors-timeout.ftrace",
            {[](std::istream& in, const std::string& n) { read_ftrace(in, n); }});
        add(folder / "linux-6.12-virtio-mmio-registers.trace",
            {[](std::istream& in, const std::string& n) { read_register_trace(in, n); }});
        files.push_back({"time,core1,core2\n0,5,7\n10,3,0\n20,0,1\n", latencies});
        files.push_back({"182us\n1.5ms\n# a comment\n90ns\n", latencies});
        files.push_back(
            {"       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
             "       1.000 0.000000000000          1           1.00\n"
             "       2.000 0.500000000000          5           2.00\n"
             "       9.000 1.000000000000         10\n"
             "#[Mean    =        2.100, StdDeviation   =        1.000]\n"
             "#[Max     =        9.000, Total count    =           10]\n",
             latencies});
        return files;
    }();
    return all;
}

/// Why this case is a finding; empty: it is none.
std::string finding(std::uint64_t number) {
    mutator m(number);
    std::vector<std::string> others;
    for (const seed_file& s : seeds()) others.push_back(s.text);
    const seed_file& seed = seeds()[m.below(seeds().size())];
    const std::string text = m.changed(seed.text, others);
    for (const reading read : seed.readings) {
        std::istringstream in(text);
        try {
            read(in, "the.file");
        } catch (const error& e) {
            const std::string what = e.what();
            if (what.find('\n') != std::string::npos) return "more than one line: " + what;
            // What a scenario chooses is said at the scenario's line by who knows it.
            if (e.kind() == error_kind::config || what.find("the.file") == 0) continue;
            if (what.rfind("histogram", 0) != 0) return "does not name the file: " + what;
        } catch (const std::exception& e) {
            return std::string("is no error of ours: ") + e.what();
        }
    }
    return "";
}

/// Cases in a child, so that one that crashes or hangs is a finding with a number.
void try_cases(double seconds, std::uint64_t start) {
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto* at = static_cast<volatile std::uint64_t*>(memory);
    seeds();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        cases all(seconds);
        all.start_at(start);
        int findings = 0;
        while (const std::uint64_t number = all.next()) {
            *at = number;
            ::alarm(longest_s);
            const std::string what = finding(number);
            if (!what.empty() && ++findings < 10) {
                std::fprintf(stderr, "case %llu %s\n", (unsigned long long)number, what.c_str());
            }
        }
        std::fprintf(stderr, "cases %llu to %llu\n", (unsigned long long)start + 1,
                     (unsigned long long)*at);
        ::_exit(findings ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "case " << *at << " was the last; repeat one by SCMI_VP_FUZZ_CASE";
    EXPECT_GT(*at, start);
    ::munmap(memory, 4096);
}

TEST(mutated_files, are_read_or_refused) {
    try_cases(1, 0);
}

TEST(mutated_files, are_read_or_refused_for_a_minute_heavy) {
    try_cases(60, 1'000'000);
}

}  // namespace
}  // namespace scmi_vp::traces
