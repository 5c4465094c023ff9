// SPDX-License-Identifier: Apache-2.0
// Entry of scmi-vp: SystemC's library has a main too, which would print its banner first.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <systemc>

#include "app/program.h"

int sc_main(int argc, char* argv[]) {
    return int(
        scmi_vp::app::run_program({argv + 1, argv + argc}, SCMI_VP_VERSION, std::cout, std::cerr));
}

int main(int argc, char* argv[]) {
    // The banner would be part of what people compare and parse.
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    // Whether a child process ended well must be seen, even if who started this did not want to.
    std::signal(SIGCHLD, SIG_DFL);
    if (argc < 1) return int(scmi_vp::app::exit_status::bad_input);
    return sc_core::sc_elab_and_sim(argc, argv);
}
