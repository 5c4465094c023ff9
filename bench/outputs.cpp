// SPDX-License-Identifier: Apache-2.0
// What a run's files cost for each request, in runs without any: the table of requests, and the
// driver's trace events beside it. See bench/README.md.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/measure.h"
#include "bench/workloads.h"
#include "models/system.h"
#include "runs/output_directory.h"
#include "runs/result_sink.h"

namespace {

using namespace scmi_vp;
using bench::sample;

constexpr unsigned rounds = 9;
constexpr std::uint64_t requests = 200'000;

enum class files { none, table, table_and_trace };

/// As scmi-vp run does it; `folder` is taken over.
sample measure(files what, const std::filesystem::path& folder) {
    scenario::scenario s;
    s.title = "reads";
    s.file = "reads.toml";
    s.system = bench::reads(requests, sim_time{}, seconds(60));
    s.system.guest.ftrace = s.output.ftrace = what == files::table_and_trace;
    s.output.dmesg = s.output.summary = false;
    std::unique_ptr<runs::output_directory> out;
    if (what != files::none) out = std::make_unique<runs::output_directory>(folder);
    runs::result_sink sink(s, out.get());
    models::system top("top", s.system, sink);
    const double start = bench::cpu_seconds();
    top.run(s.system.duration);
    top.finish();
    sink.finish(now(), true, top.guest().positions(), &top.platform());
    if (out) out->finish();
    const sample r{bench::cpu_seconds() - start, requests, 0, 0};
    if (!top.guest().all_done()) throw error(error_kind::model, "the measured run did not end");
    return r;
}

int run(const std::filesystem::path& folder) {
    const auto measuring = [&folder](files what) { return [=] { return measure(what, folder); }; };
    bench::stay_on_fastest_cpu(measuring(files::none));
    const std::vector<sample> s = bench::interleaved(
        {measuring(files::none), measuring(files::table), measuring(files::table_and_trace)},
        rounds);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    const double none = s[0].nanoseconds();
    std::printf("CPU time per request, the least of %u interleaved runs:\n", rounds);
    std::printf("  without files                                     %9.1f ns\n", none);
    std::printf("  requests.csv                                      %9.1f ns\n",
                s[1].nanoseconds());
    std::printf("  requests.csv, and six trace events in scmi.ftrace  %8.1f ns\n",
                s[2].nanoseconds());
    std::printf("Ratios:\n");
    std::printf("  requests.csv / without files       %6.2f   (at most 2)\n",
                s[1].nanoseconds() / none);
    std::printf("  with scmi.ftrace / without files   %6.2f   (at most 4)\n",
                s[2].nanoseconds() / none);
    return 0;
}

}  // namespace

int sc_main(int, char**) {
    return 0;
}

int main() {
    std::string folder = (std::filesystem::temp_directory_path() / "scmi-vp-bench-XXXXXX").string();
    try {
        if (!mkdtemp(folder.data())) throw error(error_kind::output, folder, "cannot be made");
        return run(folder);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_outputs: %s\n", e.what());
        return 1;
    }
}
