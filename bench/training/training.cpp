// SPDX-License-Identifier: Apache-2.0
// What a build is trained with (tools/build-profiled): runs everyday simulations with instrumented
// code, so that the compiler knows which way they take. Each in a process of its own, one after the
// other: SystemC elaborates once per process, and profiles add up at each end.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ostream>
#include <streambuf>

#include <systemc>

#include "base/error.h"
#include "bench/workloads.h"
#include "models/system.h"
#include "tlm/sc_time.h"
#include "traces/vcd_writer.h"

namespace {

using namespace scmi_vp;

class null_buffer : public std::streambuf {
    std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
    int_type overflow(int_type c) override { return traits_type::not_eof(c); }
};

struct workload {
    const char* name;
    models::system_config (*system)();
    bool waves;
};

/// The request that most simulations make most of, and that bench_request measures.
models::system_config reads() {
    return bench::reads(300'000, sim_time(), seconds(60));
}
models::system_config few_reads() {
    return bench::reads(100'000, sim_time(), seconds(60));
}
// Few, so that what they run through is not taken for code that never runs, and the everyday
// request still decides: with as many as reads that one takes 5 to 15 % longer.
models::system_config busy() {
    return bench::busy_guest(300);
}
models::system_config busy_with_ftrace() {
    models::system_config c = bench::busy_guest(100);
    c.guest.ftrace = true;
    return c;
}

constexpr workload workloads[] = {
    {"reads", reads, false},
    {"busy", busy, false},
    {"reads-waves", few_reads, true},
    {"busy-ftrace-waves", busy_with_ftrace, true},
};

void run(const workload& w) {
    bench::null_sink sink;
    null_buffer buffer;
    std::ostream nowhere(&buffer);
    models::system top("top", w.system(), sink);
    std::unique_ptr<traces::vcd_writer> vcd;
    if (w.waves) {
        vcd = std::make_unique<traces::vcd_writer>(nowhere, w.name);
        top.trace(*vcd, models::wave_config{}.xfers);
        vcd->start();
    }
    top.run(sim_time::max());
    top.finish();
    if (vcd) vcd->finish(now());
    if (!top.guest().kernel().all_finished()) {
        throw error(error_kind::model, std::string(w.name) + " did not end as it should");
    }
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    const bool list = argc == 2 && std::strcmp(argv[1], "--list") == 0;
    for (const workload& w : workloads) {
        if (list) std::printf("%s\n", w.name);
        if (argc != 2 || std::strcmp(argv[1], w.name) != 0) continue;
        try {
            run(w);
            return 0;
        } catch (const std::exception& e) {
            std::fprintf(stderr, "training: %s\n", e.what());
            return 1;
        }
    }
    if (list) return 0;
    std::fprintf(stderr, "usage: training WORKLOAD | --list\n");
    return 2;
}

int main(int argc, char* argv[]) {
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    return sc_core::sc_elab_and_sim(argc, argv);
}
