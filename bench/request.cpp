// SPDX-License-Identifier: Apache-2.0
// What one simulated request costs, in raw SystemC timed events; what a waveform, an armed timeout,
// ten million requests and an hour of polling cost. See bench/README.md.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include <systemc>

#include "bench/measure.h"
#include "bench/workloads.h"
#include "models/system.h"
#include "runs/account.h"
#include "tlm/sc_time.h"
#include "traces/vcd_writer.h"

namespace {

using namespace scmi_vp;
using bench::sample;

constexpr unsigned rounds = 25;
constexpr std::uint64_t events_per_run = 3'000'000, requests_per_run = 300'000;

/// The yardstick: a method that notifies its own event one microsecond ahead.
class raw_event : public sc_core::sc_module {
public:
    raw_event(const sc_core::sc_module_name& name, std::uint64_t count)
        : sc_core::sc_module(name), left_(count) {
        SC_HAS_PROCESS(raw_event);
        SC_METHOD(step);
        sensitive << event_;
    }

private:
    void step() {
        if (left_-- == 0) return sc_core::sc_stop();
        event_.notify(period_);
    }

    std::uint64_t left_;
    sc_core::sc_time period_{1, sc_core::SC_US};
    sc_core::sc_event event_{"tick"};
};

sample measure_events(std::uint64_t count) {
    raw_event subject("subject", count);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    const double start = bench::cpu_seconds();
    sc_core::sc_start();
    return {bench::cpu_seconds() - start, count};
}

/// What a run without output files does with its requests.
class totals_sink : public bench::null_sink {
public:
    void on_request(const models::request& r) override { totals_.add(r); }
    const runs::totals& sums() const { return totals_; }

private:
    runs::totals totals_;
};

struct subject_options {
    std::uint64_t warm_up = 1'000;  ///< requests before the measured part
    std::uint64_t count = requests_per_run;
    sim_time think;
    sim_time rx_timeout = seconds(60);
    std::string vcd;  ///< path of the waveform; empty: none
};

sample measure_requests(const subject_options& o) {
    totals_sink sink;
    models::system top("top", bench::reads(o.warm_up + o.count, o.think, o.rx_timeout), sink);
    std::ofstream file;
    std::unique_ptr<traces::vcd_writer> vcd;
    if (!o.vcd.empty()) {
        file.open(o.vcd, std::ios::binary);
        vcd = std::make_unique<traces::vcd_writer>(file, o.vcd);
        top.trace(*vcd, models::wave_config{}.xfers);
        vcd->start();
    }
    // A request takes 4 us (and its think time): this ends in the middle of the loop.
    top.run((microseconds(4) + o.think) * static_cast<std::int64_t>(o.warm_up));
    const std::uint64_t requests_before = sink.sums().requests;
    const std::uint64_t before = bench::resident_kib();
    const double start = bench::cpu_seconds();
    top.run(sim_time::max());
    sample s{bench::cpu_seconds() - start, sink.sums().requests - requests_before, before, 0};
    s.after_kib = bench::resident_kib();
    top.finish();
    if (vcd) vcd->finish(now());
    if (!top.guest().kernel().all_finished() || sink.sums().outcomes[0] != sink.sums().requests) {
        throw error(error_kind::model, "the measured run did not end as it should");
    }
    return s;
}

void print(const char* what, const sample& s) {
    std::printf("  %-58s %9.1f ns\n", what, s.nanoseconds());
}

void print_ratios(const std::string& vcd_path) {
    subject_options armed, never, waves;
    never.rx_timeout = sim_time::max();
    waves.vcd = vcd_path;
    waves.count /= 3;  // 220 bytes of waveform each
    const std::vector<sample> s = bench::interleaved(
        {[] { return measure_events(events_per_run); }, [&] { return measure_requests(armed); },
         [&] { return measure_requests(never); }, [&] { return measure_requests(waves); }},
        rounds);
    std::remove(vcd_path.c_str());
    const double event = s[0].nanoseconds(), request = s[1].nanoseconds();
    std::printf("CPU time per operation, the least of %u interleaved runs:\n", rounds);
    print("one raw SystemC timed event (notify + SC_METHOD)", s[0]);
    print("one request, checkers on, 60 s timeout armed", s[1]);
    print("the same, no timeout armed", s[2]);
    print("the same as the first, with a waveform of all signals", s[3]);
    std::printf("Ratios:\n");
    std::printf("  request / timed event              %6.2f   (at most 12)\n", request / event);
    std::printf("  60 s timeout / no timeout          %6.3f   (at most 1.05)\n",
                request / s[2].nanoseconds());
    std::printf("  waveform / no waveform             %6.2f   (at most 2)\n",
                s[3].nanoseconds() / request);
}

void print_memory() {
    subject_options million;
    million.warm_up = 1'000'000;
    million.count = 9'000'000;
    const sample s = bench::in_child([&] { return measure_requests(million); });
    std::printf("Resident memory: %llu KiB after 1 million requests, %llu KiB after 10 million\n",
                static_cast<unsigned long long>(s.before_kib),
                static_cast<unsigned long long>(s.after_kib));
}

void print_hour() {
    subject_options hour;
    hour.warm_up = 1;
    hour.count = 3600;
    hour.think = seconds(1);
    const sample s = bench::in_child([&] { return measure_requests(hour); });
    std::printf("An hour of simulated time with one poll per second: %.2f ms of CPU time\n",
                1e3 * s.seconds);
}

/// The script beside this file counts instructions with valgrind's callgrind, if that is installed.
void print_instructions() {
    const std::string script = SCMI_VP_BENCH_DIR "/instructions";
    if (std::system("command -v valgrind >/dev/null 2>&1") != 0 || access(script.c_str(), X_OK)) {
        std::printf("Instructions are not counted: that needs valgrind, and %s\n", script.c_str());
        return;
    }
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    std::fflush(stdout);
    const std::string command =
        "'" + script + "' '" + std::string(self, length > 0 ? std::size_t(length) : 0) + "'";
    if (std::system(command.c_str()) != 0) {
        throw error(error_kind::model, script + " has failed");
    }
}

int usage() {
    std::fprintf(stderr,
                 "usage: bench_request [event COUNT | request COUNT | waveform COUNT FILE]\n"
                 "Without arguments: all measurements. With them: one run, for a profiler.\n");
    return 2;
}

int run(int argc, char* argv[]) {
    if (argc == 1) {
        bench::stay_on_fastest_cpu([] { return measure_requests({}); });
        print_ratios("bench_request." + std::to_string(getpid()) + ".vcd");
        print_memory();
        print_hour();
        print_instructions();
        return 0;
    }
    subject_options o;
    const std::string mode = argv[1];
    const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    if (count == 0) return usage();
    o.count = count;
    if (mode == "event" && argc == 3) {
        measure_events(count);
    } else if (mode == "request" && argc == 3) {
        measure_requests(o);
    } else if (mode == "waveform" && argc == 4) {
        o.vcd = argv[3];
        measure_requests(o);
    } else {
        return usage();
    }
    return 0;
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    // "Simulation stopped by user" is how every run here ends.
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                            sc_core::SC_DO_NOTHING);
    try {
        return run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_request: %s\n", e.what());
        return 1;
    }
}

int main(int argc, char* argv[]) {
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    return sc_core::sc_elab_and_sim(argc, argv);
}
