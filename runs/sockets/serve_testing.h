// SPDX-License-Identifier: Apache-2.0
// For tests: `scmi-vp serve` in a process of its own.
#pragma once

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "models/peers/guest_testing.h"
#include "runs/load.h"
#include "runs/sockets/serve_run.h"
#include "scenario/scenario.h"

namespace scmi_vp::runs::testing_tools {

inline scenario::scenario two_agents() {
    return load_scenario(std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/quickstart/scenario.toml",
                         {"hops.service=\"1ms\"", "platform.agent=[{name=\"a\"},{name=\"b\"}]"});
}

/// `scmi-vp serve` in a child process; its report is in the folder.
class server {
public:
    server(const scenario::scenario& what, serve_options options) {
        for (auto* list : {&options.sockets, &options.streams}) {
            for (auto& p : *list) p = folder.path / p;
        }
        child_ = ::fork();
        if (child_ != 0) return;
        std::ofstream report(folder.path / "report");
        try {
            run_serve(what, options, report);
            report << "ended in order\n";
        } catch (const error& e) {
            report << "error: " << e.what() << "\n";
        }
        report.flush();
        ::_exit(0);
    }
    ~server() { end(SIGKILL); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::string report() const {
        std::ifstream in(folder.path / "report");
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    void await(const std::string& text) const {
        for (int i = 0; i < 500 && report().find(text) == std::string::npos; ++i) ::usleep(10'000);
    }
    pid_t pid() const { return child_; }
    void end(int signal) {
        if (child_ <= 0) return;
        ::kill(child_, signal);
        ::waitpid(child_, nullptr, 0);
        child_ = 0;
    }
    models::testing_tools::socket_folder folder;

private:
    pid_t child_;
};

}  // namespace scmi_vp::runs::testing_tools
