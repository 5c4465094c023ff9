// SPDX-License-Identifier: Apache-2.0
// Entry of scmi-vp: SystemC's library has a main too, which would print its banner first.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

#include <systemc>

#include "app/program.h"
#include "base/console.h"

int sc_main(int argc, char* argv[]) {
    scmi_vp::console().command = scmi_vp::command_of(argv[0]);
    scmi_vp::console().columns = scmi_vp::columns_of_output();
    return int(
        scmi_vp::app::run_program({argv + 1, argv + argc}, SCMI_VP_VERSION, std::cout, std::cerr));
}

/// Whoever starts us may have closed some of them, and what is opened next would get their numbers:
/// then a report would be written into a result file. What is written to such a one goes nowhere,
/// what is read from it is empty.
void open_standard_descriptors() {
    int fd = -1;
    do {
        fd = ::open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) ::close(fd);
}

int main(int argc, char* argv[]) {
    open_standard_descriptors();
    // The banner would be part of what people compare and parse.
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    // Whether a child process ended well must be seen, even if who started this did not want to.
    std::signal(SIGCHLD, SIG_DFL);
    // A file that may not become larger (ulimit -f) is an error like a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    if (argc < 1) return int(scmi_vp::app::exit_status::bad_input);
    return sc_core::sc_elab_and_sim(argc, argv);
}
